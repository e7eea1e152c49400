"""What Istio makes of Gateways, VirtualServices, DestinationRules and Ingresses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from ingress_lint.controllers.istio.hosts import full_host, gateway_name, overlap, service_of
from ingress_lint.engine import Options, read
from ingress_lint.manifests import ManifestSet
from ingress_lint.routes.choosing import Refusal, RouteTable
from ingress_lint.routes.filters import CORS, FixedResponse, HeaderModifier, RequestRedirect, URLRewrite
from ingress_lint.routes.matches import PathMatch, PathMatchType, ValueMatch
from ingress_lint.routes.matching import Request
from ingress_lint.routes.model import RequestMirror, Route
from ingress_lint.routes.traffic import AppProtocol
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict
from tests.controllers.conftest import Routes, said

Sets = Callable[..., ManifestSet]

SERVICE = """apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http-web, port: 8080}]}
"""
PLAIN = "{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}"
SECURE = (
    "{port: {number: 443, name: https, protocol: HTTPS}, hosts: ['*.example.com'], "
    "tls: {mode: SIMPLE, credentialName: shop-tls}}"
)
PASSING = "{port: {number: 443, name: tls, protocol: TLS}, hosts: ['*'], tls: {mode: PASSTHROUGH}}"
TO_WEB = "route: [{destination: {host: web}}]"
INGRESS_GATEWAY = """apiVersion: apps/v1
kind: Deployment
metadata: {name: gateway, namespace: edge}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  template:
    metadata: {labels: {istio: ingressgateway, zone: front}}
    spec: {containers: [{name: istio-proxy, image: auto}]}
---
apiVersion: v1
kind: Service
metadata: {name: gateway, namespace: edge}
spec:
  type: LoadBalancer
  selector: {istio: ingressgateway}
  ports: [{name: http, port: 80, targetPort: 8080}, {name: https, port: 443, targetPort: 8443}]
"""


def gateway(
    *servers: str, name: str = "front", namespace: str = "edge", selector: str = "istio: ingressgateway"
) -> str:
    written = "".join(f"    - {server}\n" for server in servers or (PLAIN,))
    return (
        f"apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec:\n  selector: {{{selector}}}\n  servers:\n{written}"
    )


def service(
    *rules: str,
    hosts: str = "shop.example.com",
    gateways: str = "edge/front",
    kind: str = "http",
    name: str = "shop",
    more: str = "",
) -> str:
    written = "".join(f"    - {indent(rule, '      ').lstrip()}\n" for rule in rules or (TO_WEB,))
    return (
        f"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: {name}, namespace: shop}}\n"
        f"spec:\n  hosts: [{hosts}]\n  gateways: [{gateways}]\n{more}  {kind}:\n{written}"
    )


def destination_rule(policy: str, *, host: str = "web", more: str = "", namespace: str = "shop") -> str:
    return (
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
        f"metadata: {{name: web, namespace: {namespace}}}\nspec:\n  host: {host}\n  trafficPolicy: {policy}\n{more}"
    )


@pytest.fixture
def lowered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sets:
    """The one set of some documents, with its routes, verdicts and frontends."""

    def work(*documents: str, **options: Any) -> ManifestSet:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "manifest.yaml").write_text("\n---\n".join(documents), encoding="utf-8")
        found = read(Options(paths=["manifest.yaml"], **options))
        assert not found.problems, found.problems
        return found.sets[0]

    return work


def of_services(routes: Iterable[Route]) -> list[Route]:
    return [route for route in routes if route.owner.kind == "VirtualService"]


def ports(route: Route) -> list[tuple[int, str]]:
    return [(item.port.value, item.protocol.value) for item in route.listeners]


def one(verdicts: Iterable[Verdict], reason: Reason) -> Verdict:
    (found,) = [verdict for verdict in verdicts if verdict.reason is reason]
    return found


# -- names ----------------------------------------------------------------------------------------------------------


def test_names() -> None:
    assert full_host("web", "shop") == "web.shop.svc.cluster.local"
    assert full_host("web.shop", "pay") == "web.shop"
    assert full_host("*", "shop") == "*"
    assert service_of("web.shop.svc.cluster.local") == ("shop", "web")
    assert service_of("web.shop.svc.corp.example") == ("shop", "web")
    assert service_of("web.shop") is None
    assert gateway_name("front", "shop") == ("shop", "front")
    assert gateway_name("edge/front", "shop") == ("edge", "front")
    assert gateway_name("./front", "shop") == ("shop", "front")
    assert gateway_name("front.edge.svc.cluster.local", "shop") == ("edge", "front")


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("shop.example.com", "SHOP.example.com", True),
        ("*.example.com", "shop.example.com", True),
        ("shop.example.com", "*.example.com", True),
        ("*.example.com", "example.com", False),
        ("*", "shop.example.com", True),
        ("*.example.com", "*.shop.example.com", True),
        ("*.example.com", "*.example.org", False),
        ("shop.example.com", "pay.example.com", False),
    ],
)
def test_hosts_overlap(left: str, right: str, *, expected: bool) -> None:
    assert overlap(left, right) is expected


# -- servers --------------------------------------------------------------------------------------------------------


def test_listeners(routes: Routes) -> None:
    (route,) = of_services(routes(gateway(PLAIN, SECURE), service(), SERVICE))
    assert ports(route) == [(80, "HTTP"), (443, "HTTPS")]
    plain, secure = route.listeners
    assert plain.hostname is None
    assert said(plain.port)[:2] == (80, "explicit")
    assert said(secure.hostname)[:2] == ("*.example.com", "explicit")
    assert plain.instance == "istio=ingressgateway"
    assert secure.tls is not None
    assert said(secure.tls.mode) == ("Terminate", "explicit", "SIMPLE, credentialName: shop-tls}}")


def test_certificates_lie_where_the_pods_run(routes: Routes) -> None:
    (route,) = of_services(routes(gateway(SECURE), service(), SERVICE))
    assert route.listeners[0].tls is not None
    assert [item.namespace for item in route.listeners[0].tls.certificates] == [""]
    (route,) = of_services(
        routes(gateway(SECURE, namespace="shop"), service(gateways="front"), SERVICE, INGRESS_GATEWAY)
    )
    assert route.listeners[0].tls is not None
    assert [(item.namespace, item.name) for item in route.listeners[0].tls.certificates] == [("edge", "shop-tls")]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("credentialName: kubernetes://shop-tls", ("Secret", "", "shop-tls")),
        ("credentialName: kubernetes-gateway://pki/shop-tls", ("Secret", "pki", "shop-tls")),
        ("credentialName: configmap://pki/shop-tls", ("ConfigMap", "pki", "shop-tls")),
        ("credentialNames: [shop-rsa, shop-ec]", ("Secret", "", "shop-rsa")),
    ],
)
def test_credential_names(routes: Routes, written: str, expected: tuple[str, str, str]) -> None:
    (route,) = of_services(routes(gateway(SECURE.replace("credentialName: shop-tls", written)), service(), SERVICE))
    tls = route.listeners[0].tls
    assert tls is not None
    assert (tls.certificates[0].kind, tls.certificates[0].namespace, tls.certificates[0].name) == expected


@pytest.mark.parametrize(
    ("mode", "required"), [("SIMPLE", None), ("MUTUAL", True), ("OPTIONAL_MUTUAL", False), ("ISTIO_MUTUAL", True)]
)
def test_client_certificates(routes: Routes, mode: str, *, required: bool | None) -> None:
    (route,) = of_services(routes(gateway(SECURE.replace("SIMPLE", mode)), service(), SERVICE))
    tls = route.listeners[0].tls
    assert tls is not None
    assert (tls.clients.required if tls.clients else None) is required


def test_without_a_mode_tls_passes_through(routes: Routes) -> None:
    text = service("match: [{sniHosts: [shop.example.com]}]\n" + TO_WEB, kind="tls")
    (route,) = of_services(routes(gateway(SECURE.replace("mode: SIMPLE, ", "")), text, SERVICE))
    tls = route.listeners[0].tls
    assert tls is not None
    assert (tls.mode.value, tls.mode.origin.value) == ("Passthrough", "default")


def test_the_services_port_is_what_clients_use(routes: Routes) -> None:
    server = "{port: {number: 8080, name: http, protocol: HTTP}, hosts: ['*']}"
    (route,) = of_services(routes(gateway(server), service(), SERVICE, INGRESS_GATEWAY))
    assert said(route.listeners[0].port)[:2] == (80, "derived")


def test_a_port_that_no_service_exposes(lowered: Sets) -> None:
    server = "{port: {number: 9000, name: http, protocol: HTTP}, hosts: ['*']}"
    verdict = one(lowered(gateway(server), INGRESS_GATEWAY).verdicts, Reason.PORT_UNAVAILABLE)
    assert "listens on port 9000, and Service `gateway`" in verdict.message
    assert verdict.place.pointer[-2:] == ("port", "number")
    assert not lowered(gateway(server)).verdicts


@pytest.mark.parametrize(
    ("port", "secure", "behind", "refusal"),
    [
        (8080, False, False, Refusal.PORT_UNKNOWN),
        (8080, True, False, Refusal.NO_PORT),
        (80, True, False, Refusal.NO_PORT),
        (9000, False, True, Refusal.NO_PORT),
    ],
)
def test_ports_of_pods_whose_service_is_not_there(
    lowered: Sets, port: int, refusal: Refusal, *, secure: bool, behind: bool
) -> None:
    """istio/istio:samples/bookinfo listens on 8080, where the Service `istio-ingressgateway` leads from 80."""
    server = f"{{port: {{number: {port}, name: http, protocol: HTTP}}, hosts: ['*']}}"
    found = lowered(gateway(server), service(), SERVICE, *((INGRESS_GATEWAY,) if behind else ()))
    (frontend,) = found.frontends
    asked = Request("http", "shop.example.com", 443 if secure else 80, secure=secure)
    assert RouteTable(frontend, found.routes).select(asked).refusal is refusal


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ("{port: {number: 80, name: x, protocol: FTP}, hosts: ['*']}", Reason.UNSUPPORTED_PROTOCOL),
        ("{port: {number: 443, name: x, protocol: HTTPS}, hosts: ['*']}", Reason.NO_CERTIFICATE),
        (
            "{port: {number: 443, name: x, protocol: HTTPS}, hosts: ['*'], tls: {mode: SIMPLE}}",
            Reason.NO_CERTIFICATE,
        ),
        (
            "{port: {number: 80, name: x, protocol: HTTP}, hosts: ['*'], tls: {mode: SIMPLE, credentialName: x}}",
            Reason.UNSUPPORTED_VALUE,
        ),
    ],
)
def test_servers_that_istio_refuses(lowered: Sets, server: str, reason: Reason) -> None:
    found = lowered(gateway(server))
    assert one(found.verdicts, reason).listener == "x"
    assert not any(listener.usable for frontend in found.frontends for listener in frontend.listeners)


def test_two_gateways_on_one_port(lowered: Sets) -> None:
    tcp = "{port: {number: 80, name: tcp, protocol: TCP}, hosts: ['*']}"
    found = lowered(gateway(PLAIN), gateway(tcp, name="raw"))
    verdict = one(found.verdicts, Reason.PROTOCOL_CONFLICT)
    assert verdict.object.name == "raw"
    assert not lowered(gateway(PLAIN), gateway(tcp, name="raw", selector="istio: other")).verdicts
    assert not lowered(gateway(PLAIN), gateway(PLAIN, name="more")).verdicts
    verdict = one(lowered(gateway(SECURE), gateway(SECURE, name="more")).verdicts, Reason.HOSTNAME_CONFLICT)
    assert "both end TLS for `*.example.com` on port 443" in verdict.message


def test_frontends_hold_what_the_same_pods_open(lowered: Sets) -> None:
    found = lowered(gateway(PLAIN), gateway(SECURE, name="more"))
    assert [frontend.owner.name for frontend in found.frontends] == ["front", "more"]
    assert found.frontends[0].listeners == found.frontends[1].listeners
    assert len(found.frontends[0].listeners) == 2


def test_redirect_to_https(lowered: Sets) -> None:
    plain = PLAIN.replace("hosts", "tls: {httpsRedirect: true}, hosts")
    found = lowered(gateway(plain, SECURE), service(), SERVICE)
    redirect, route = found.routes
    (step,) = redirect.filters
    assert isinstance(step, RequestRedirect)
    assert (step.scheme, step.status) == ("https", 301)
    assert ports(redirect) == [(80, "HTTP")]
    assert ports(route) == [(443, "HTTPS")]


# -- attachment -----------------------------------------------------------------------------------------------------


def test_a_gateway_of_another_namespace(lowered: Sets) -> None:
    found = lowered(gateway(), service(gateways="front"), SERVICE)
    verdict = one(found.verdicts, Reason.NO_MATCHING_PARENT)
    assert verdict.certainty is Certainty.KNOWN
    assert verdict.fix == "write `edge/front`"
    assert verdict.place.pointer == ("spec", "gateways", 0)
    (route,) = of_services(found.routes)
    assert not route.listeners
    assert route.backends


def test_a_gateway_that_the_set_does_not_hold(lowered: Sets) -> None:
    verdict = one(lowered(service(gateways="infra/main"), SERVICE).verdicts, Reason.NO_MATCHING_PARENT)
    assert verdict.certainty is Certainty.UNKNOWN
    verdict = one(lowered(gateway(), service(gateways="edge/frnt"), SERVICE).verdicts, Reason.NO_MATCHING_PARENT)
    assert (verdict.certainty, verdict.fix) == (Certainty.KNOWN, "name `front`")
    outside = frozenset({("Gateway", "infra", "main")})
    assert not lowered(service(gateways="infra/main"), SERVICE, externals=outside).verdicts


def test_a_gateway_of_the_gateway_api_is_another_kind(lowered: Sets) -> None:
    other = (
        "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: front, namespace: shop}\n"
        "spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}"
    )
    verdict = one(lowered(other, gateway(), service(gateways="front"), SERVICE).verdicts, Reason.NO_MATCHING_PARENT)
    assert verdict.object.kind == "VirtualService"


def test_hosts_that_miss_the_gateways(lowered: Sets) -> None:
    found = lowered(gateway(SECURE), service(hosts="shop.example.org"), SERVICE)
    verdict = one(found.verdicts, Reason.NO_MATCHING_LISTENER_HOSTNAME)
    assert "serves `shop.example.org`, and Gateway `front` takes `*.example.com` only" in verdict.message
    assert not of_services(found.routes)[0].listeners


def test_one_host_of_several_that_no_gateway_takes(lowered: Sets) -> None:
    hosts = "shop.example.com, shop.example.org"
    verdict = one(
        lowered(gateway(SECURE), service(hosts=hosts), SERVICE).verdicts, Reason.NO_MATCHING_LISTENER_HOSTNAME
    )
    assert verdict.place.pointer == ("spec", "hosts", 1)
    in_the_mesh = service(hosts="shop.example.com, web", gateways="edge/front, mesh")
    assert not lowered(gateway(SECURE), in_the_mesh, SERVICE).verdicts


def test_hosts_for_one_namespace(lowered: Sets) -> None:
    for prefix in ("pay", "."):
        server = PLAIN.replace("*", f"{prefix}/shop.example.com")
        verdict = one(lowered(gateway(server), service(), SERVICE).verdicts, Reason.NOT_ALLOWED_BY_LISTENERS)
        assert "`shop`" in verdict.message
    for prefix in ("shop", "*"):
        server = PLAIN.replace("*", f"{prefix}/shop.example.com")
        found = lowered(gateway(server), service(), SERVICE)
        assert not found.verdicts
        assert ports(of_services(found.routes)[0]) == [(80, "HTTP")]


def test_exported_to_other_namespaces(lowered: Sets) -> None:
    private = service(more="  exportTo: ['.']\n")
    verdict = one(lowered(gateway(), private, SERVICE, INGRESS_GATEWAY).verdicts, Reason.NOT_ALLOWED_BY_LISTENERS)
    assert verdict.place.pointer == ("spec", "exportTo")
    assert not lowered(gateway(), private, SERVICE).verdicts


def test_rules_of_another_kind_than_the_server(lowered: Sets) -> None:
    verdict = one(lowered(gateway(PASSING), service(), SERVICE).verdicts, Reason.NOT_ALLOWED_BY_LISTENERS)
    assert "has only rules for HTTP requests" in verdict.message
    text = service("match: [{sniHosts: [shop.example.com]}]\n" + TO_WEB, kind="tls")
    verdict = one(lowered(gateway(SECURE), text, SERVICE).verdicts, Reason.NOT_ALLOWED_BY_LISTENERS)
    assert "has only rules for passed-through TLS" in verdict.message


def test_the_mesh_is_no_gateway(lowered: Sets) -> None:
    for gateways in ("", "mesh"):
        found = lowered(gateway(), service(gateways=gateways), SERVICE)
        assert not of_services(found.routes)
        assert not found.verdicts


# -- rules ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("exact: /api", PathMatch(PathMatchType.EXACT, "/api")),
        ("prefix: /api", PathMatch(PathMatchType.STRING_PREFIX, "/api")),
        ("prefix: /api/*", PathMatch(PathMatchType.STRING_PREFIX, "/api/*")),
        ("regex: '/v[12]/.*'", PathMatch(PathMatchType.REGULAR_EXPRESSION, "/v[12]/.*")),
    ],
)
def test_paths(routes: Routes, uri: str, expected: PathMatch) -> None:
    (route,) = of_services(routes(gateway(), service(f"match: [{{uri: {{{uri}}}}}]\n{TO_WEB}"), SERVICE))
    assert route.matches[0].path.value == expected
    assert said(route.matches[0].path)[1] == "explicit"


def test_matches(routes: Routes) -> None:
    match = (
        "match:\n  - uri: {prefix: /}\n    ignoreUriCase: true\n    method: {exact: POST}\n"
        "    headers: {x-user: {exact: ada}, x-team: {prefix: 'b.'}, x-any: {}}\n"
        "    queryParams: {v: {regex: '[12]'}}\n    withoutHeaders: {x-bot: {}}\n    authority: {exact: a.example.com}\n"
    )
    (route,) = of_services(routes(gateway(), service(match + TO_WEB), SERVICE))
    (found,) = route.matches
    assert found.path.value.ignore_case
    assert found.method == "POST"
    assert found.headers == (
        ValueMatch("x-user", "ada"),
        ValueMatch("x-team", r"b\..*", "RegularExpression"),
        ValueMatch("x-any", ".*", "RegularExpression"),
        ValueMatch("x-bot", ".*", "RegularExpression", inverted=True, or_absent=True),
        ValueMatch(":authority", "a.example.com"),
    )
    assert found.query == (ValueMatch("v", "[12]", "RegularExpression"),)
    assert not found.condition


def test_matches_for_some_gateways(routes: Routes) -> None:
    rule = (
        "match:\n  - {uri: {prefix: /in}, gateways: [mesh]}\n  - {uri: {prefix: /out}, gateways: [edge/front]}\n"
        f"  - {{uri: {{prefix: /both}}, port: 443}}\n{TO_WEB}"
    )
    plain, secure = of_services(routes(gateway(PLAIN, SECURE), service(rule, gateways="mesh, edge/front"), SERVICE))
    assert [match.path.value.value for match in plain.matches] == ["/out"]
    assert [match.path.value.value for match in secure.matches] == ["/out", "/both"]
    assert plain.first_match == 1


def test_matches_for_labels_of_the_gateways_pods(routes: Routes) -> None:
    rule = f"match: [{{uri: {{prefix: /a}}, sourceLabels: {{zone: front}}}}]\n{TO_WEB}"
    assert of_services(routes(gateway(), service(rule), SERVICE, INGRESS_GATEWAY))
    assert not of_services(routes(gateway(), service(rule.replace("front", "back")), SERVICE, INGRESS_GATEWAY))


def test_the_order_of_rules(routes: Routes) -> None:
    first, second, last = of_services(
        routes(
            gateway(),
            service(
                f"match: [{{uri: {{prefix: /a}}}}]\n{TO_WEB}",
                f"match: [{{uri: {{prefix: /a/b}}}}, {{uri: {{prefix: /}}}}]\n{TO_WEB}",
            ),
            SERVICE,
        )
    )
    order = [route.priority.value for route in (first, second, last) if route.priority]
    assert order == sorted(order, reverse=True)
    assert (second.first_match, last.first_match) == (0, 1)
    assert last.matches[0].path.value.value == "/"


def test_hostnames(routes: Routes) -> None:
    (route,) = of_services(routes(gateway(SECURE), service(hosts="shop.example.com, web", gateways="mesh, edge/front")))
    assert [said(host)[0] for host in route.hostnames] == ["shop.example.com"]
    (route,) = of_services(routes(gateway(SECURE), service(hosts="'*'")))
    assert route.hostnames == ()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            "redirect: {uri: /new, authority: a.example.com, scheme: https, port: 8443}",
            ("https", "a.example.com", 8443, "/new", 301),
        ),
        ("redirect: {redirectCode: 308}", (None, None, None, None, 308)),
    ],
)
def test_redirects(routes: Routes, rule: str, expected: tuple[Any, ...]) -> None:
    (route,) = of_services(routes(gateway(), service(rule)))
    (found,) = route.filters
    assert isinstance(found, RequestRedirect)
    assert (found.scheme, found.host, found.port, found.path, found.status) == expected
    assert not route.backends


@pytest.mark.parametrize(
    ("rewrite", "expected"),
    [
        ("{uri: /v2/api}", ("/v2/api", True, None)),
        ("{uri: /}", ("/$1", False, "/api(.*)")),
        ("{uriRegexRewrite: {match: '/api/(.*)', rewrite: '/\\1'}}", ("/$1", False, "/api/(.*)")),
        ("{authority: a.example.com}", (None, False, None)),
    ],
)
def test_rewrites(routes: Routes, rewrite: str, expected: tuple[Any, ...]) -> None:
    rule = f"match: [{{uri: {{prefix: /api}}}}]\nrewrite: {rewrite}\n{TO_WEB}"
    (route,) = of_services(routes(gateway(), service(rule), SERVICE))
    (found,) = route.filters
    assert isinstance(found, URLRewrite)
    assert (found.path, found.replace_prefix, found.regex) == expected


def test_a_rewrite_of_an_exact_path_replaces_all_of_it(routes: Routes) -> None:
    rule = f"match: [{{uri: {{exact: /api}}}}]\nrewrite: {{uri: /v2}}\n{TO_WEB}"
    (route,) = of_services(routes(gateway(), service(rule), SERVICE))
    (found,) = route.filters
    assert isinstance(found, URLRewrite)
    assert (found.path, found.replace_prefix) == ("/v2", False)


def test_other_filters(routes: Routes) -> None:
    rule = (
        "corsPolicy: {allowOrigins: [{exact: https://a.example.com}], allowMethods: [GET], maxAge: 24h}\n"
        "headers: {request: {set: {x-a: one, Host: b.example.com}, remove: [x-b]}, response: {add: {x-c: two}}}\n"
        f"mirror: {{host: web}}\nmirrorPercentage: {{value: 25}}\n{TO_WEB}"
    )
    (route,) = of_services(routes(gateway(), service(rule), SERVICE))
    cors, host, request, response, mirror = route.filters
    assert isinstance(cors, CORS)
    assert (cors.origins, cors.max_age) == (("https://a.example.com",), 86400)
    assert isinstance(host, URLRewrite)
    assert host.host == "b.example.com"
    assert isinstance(request, HeaderModifier)
    assert (request.set, request.remove) == ((("x-a", "one"),), ("x-b",))
    assert isinstance(response, HeaderModifier)
    assert response.of_response
    assert isinstance(mirror, RequestMirror)
    assert (mirror.backend.name, mirror.share) == ("web", 0.25)


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ("directResponse: {status: 503}", 503),
        (f"fault: {{abort: {{httpStatus: 418, percentage: {{value: 100}}}}}}\n{TO_WEB}", 418),
        (f"fault: {{abort: {{httpStatus: 418, percentage: {{value: 10}}}}}}\n{TO_WEB}", None),
    ],
)
def test_answers_of_its_own(routes: Routes, rule: str, status: int | None) -> None:
    (route,) = of_services(routes(gateway(), service(rule), SERVICE))
    found = [item.status for item in route.filters if isinstance(item, FixedResponse)]
    assert found == ([] if status is None else [status])


def test_delegates(routes: Routes) -> None:
    root = service("match: [{uri: {prefix: /shop}}]\ntimeout: 5s\ndelegate: {name: inner, namespace: shop}")
    inner = service(
        f"match: [{{uri: {{prefix: /shop/cart}}, headers: {{x-a: {{}}}}}}]\n{TO_WEB}",
        f"match: [{{uri: {{prefix: /pay}}}}]\n{TO_WEB}",
        TO_WEB,
        hosts="",
        gateways="",
        name="inner",
    )
    cart, rest = of_services(routes(gateway(), root, inner, SERVICE))
    assert [route.owner.name for route in (cart, rest)] == ["inner", "inner"]
    assert cart.matches[0].path.value.value == "/shop/cart"
    assert rest.matches[0].path.value.value == "/shop"
    assert said(cart.backends[0].timeouts.request)[0] == 5
    assert [host.value for host in cart.hostnames] == ["shop.example.com"]


def test_a_delegate_that_is_not_there(routes: Routes) -> None:
    (route,) = of_services(routes(gateway(), service("delegate: {name: inner}"), SERVICE))
    (needed,) = route.attached
    assert (needed.kind.kind, needed.namespace, needed.name) == ("VirtualService", "shop", "inner")
    assert needed.object.missing
    assert not route.backends


def test_passed_through_tls(routes: Routes) -> None:
    text = service(
        "match: [{sniHosts: [shop.example.com, www.example.com], port: 443}]\n" + TO_WEB, kind="tls", hosts="'*'"
    )
    (route,) = of_services(routes(gateway(PASSING), text, SERVICE))
    assert [said(host)[0] for host in route.hostnames] == ["shop.example.com", "www.example.com"]
    assert route.backends[0].protocol.value is AppProtocol.TLS
    assert not route.matches


def test_connections(routes: Routes) -> None:
    server = "{port: {number: 5432, name: db, protocol: TCP}, hosts: ['*']}"
    text = service("match: [{port: 5432}]\n" + TO_WEB, kind="tcp", hosts="'*'")
    (route,) = of_services(routes(gateway(server), text, SERVICE))
    assert ports(route) == [(5432, "TCP")]
    assert route.backends[0].protocol.value is AppProtocol.TCP
    assert route.backends[0].timeouts.request is None


# -- destinations ---------------------------------------------------------------------------------------------------


def test_hosts_of_destinations(routes: Routes) -> None:
    for host in ("web", "web.shop.svc.cluster.local"):
        (route,) = of_services(routes(gateway(), service(f"route: [{{destination: {{host: {host}}}}}]"), SERVICE))
        (backend,) = route.backends
        assert (backend.kind, backend.namespace, backend.name) == ("Service", "shop", "web")
        assert backend.service_port is not None


def test_a_short_name_leads_to_its_own_namespace_only(routes: Routes) -> None:
    elsewhere = SERVICE.replace("namespace: shop", "namespace: web")
    other = SERVICE.replace("name: web", "name: other")
    (route,) = of_services(routes(gateway(), service(), elsewhere, other))
    (backend,) = route.backends
    assert backend.service.missing
    assert backend.refusal is not None
    assert backend.refusal.fix == "write `web.web.svc.cluster.local`"


def test_a_name_with_a_dot_is_a_full_name(routes: Routes) -> None:
    for host in ("web.shop", "web.shop.svc"):
        (route,) = of_services(routes(gateway(), service(f"route: [{{destination: {{host: {host}}}}}]"), SERVICE))
        assert route.backends[0].service.missing
        assert route.backends[0].refusal is not None
        assert route.backends[0].refusal.fix == "write `web.shop.svc.cluster.local`"


def test_hosts_that_are_no_services(routes: Routes) -> None:
    entry = (
        "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: api, namespace: shop}\n"
        "spec: {hosts: ['*.example.net'], resolution: DNS, ports: [{number: 443, name: tls, protocol: TLS}]}"
    )
    for documents in ((entry,), ()):
        text = service("route: [{destination: {host: api.example.net, port: {number: 443}}}]")
        (route,) = of_services(routes(gateway(), text, SERVICE, *documents))
        (backend,) = route.backends
        assert (backend.kind, backend.name) == ("ServiceEntry", "api.example.net")
        assert not backend.service.missing


def test_ports(routes: Routes) -> None:
    two = SERVICE.replace("[{name: http-web, port: 8080}]", "[{name: http, port: 80}, {name: http-admin, port: 9000}]")
    (route,) = of_services(routes(gateway(), service(), two))
    assert said(route.backends[0].port)[:2] == (80, "derived")
    assert route.backends[0].service_port is not None
    (route,) = of_services(routes(gateway(), service(), two.replace("port: 80}", "port: 8000}")))
    assert said(route.backends[0].port)[:2] == (80, "derived")
    assert route.backends[0].service_port is None
    explicit = service("route: [{destination: {host: web, port: {number: 9000}}}]")
    (route,) = of_services(routes(gateway(), explicit, two))
    assert said(route.backends[0].port)[:2] == (9000, "explicit")
    (route,) = of_services(routes(gateway(), service(), SERVICE))
    assert route.backends[0].port is None
    assert route.backends[0].service_port is not None


def test_weights(routes: Routes) -> None:
    (route,) = of_services(routes(gateway(), service(), SERVICE))
    assert [backend.weight for backend in route.backends] == [1]
    split = "route: [{destination: {host: web}, weight: 90}, {destination: {host: web}}]"
    (route,) = of_services(routes(gateway(), service(split), SERVICE))
    assert [backend.weight for backend in route.backends] == [90, 0]


@pytest.mark.parametrize(
    ("port", "expected", "origin"),
    [
        ("name: http-web", AppProtocol.HTTP, "derived"),
        ("name: web-http", AppProtocol.HTTP, "default"),
        ("name: grpc", AppProtocol.GRPC, "derived"),
        ("name: grpc-web-ui", AppProtocol.GRPC, "derived"),
        ("name: http2", AppProtocol.H2C, "derived"),
        ("name: https-web", AppProtocol.HTTP, "derived"),
        ("name: main, appProtocol: grpc", AppProtocol.GRPC, "explicit"),
        ("name: grpc, appProtocol: http", AppProtocol.HTTP, "explicit"),
        ("name: main, appProtocol: kubernetes.io/h2c", AppProtocol.H2C, "explicit"),
        ("name: main, appProtocol: kubernetes.io/wss", AppProtocol.HTTP, "derived"),
    ],
)
def test_protocols(routes: Routes, port: str, expected: AppProtocol, origin: str) -> None:
    (route,) = of_services(routes(gateway(), service(), SERVICE.replace("name: http-web", port)))
    assert said(route.backends[0].protocol)[:2] == (expected, origin)


@pytest.mark.parametrize(
    ("policy", "port", "expected"),
    [
        ("{tls: {mode: SIMPLE}}", "https", AppProtocol.HTTPS),
        ("{tls: {mode: MUTUAL}}", "grpc", AppProtocol.GRPCS),
        ("{tls: {mode: SIMPLE}}", "http2", AppProtocol.HTTP2),
        ("{tls: {mode: ISTIO_MUTUAL}}", "http", AppProtocol.HTTP),
        ("{tls: {mode: DISABLE}}", "https", AppProtocol.HTTP),
        ("{connectionPool: {http: {h2UpgradePolicy: UPGRADE}}}", "http", AppProtocol.H2C),
        ("{connectionPool: {http: {useClientProtocol: true}}}", "http", AppProtocol.AUTO),
        (
            "{tls: {mode: SIMPLE}, portLevelSettings: [{port: {number: 8080}, tls: {mode: DISABLE}}]}",
            "http",
            AppProtocol.HTTP,
        ),
        ("{tls: {mode: SIMPLE}, portLevelSettings: [{port: {number: 8080}}]}", "http", AppProtocol.HTTP),
        ("{portLevelSettings: [{port: {number: 9999}, tls: {mode: SIMPLE}}]}", "http", AppProtocol.HTTP),
    ],
)
def test_destination_rules(routes: Routes, policy: str, port: str, expected: AppProtocol) -> None:
    documents = (gateway(), service(), SERVICE.replace("http-web", port), destination_rule(policy))
    assert of_services(routes(*documents))[0].backends[0].protocol.value is expected


def test_where_destination_rules_count(routes: Routes) -> None:
    tls = "{tls: {mode: SIMPLE}}"
    full = "web.shop.svc.cluster.local"
    documents = (gateway(), service(), SERVICE, INGRESS_GATEWAY)
    for namespace, expected in (
        ("edge", AppProtocol.HTTPS),
        ("istio-system", AppProtocol.HTTPS),
        ("pay", AppProtocol.HTTP),
    ):
        rule = destination_rule(tls, host=full, namespace=namespace)
        assert of_services(routes(*documents, rule))[0].backends[0].protocol.value is expected
    wild = destination_rule(tls, host="'*.shop.svc.cluster.local'")
    assert of_services(routes(*documents, wild))[0].backends[0].protocol.value is AppProtocol.HTTPS
    foreign = destination_rule(tls, host="web", namespace="edge")
    assert of_services(routes(*documents, foreign))[0].backends[0].protocol.value is AppProtocol.HTTP


def test_subsets(routes: Routes) -> None:
    to_v2 = service("route: [{destination: {host: web, subset: v2}}]")
    subsets = "  subsets: [{name: v2, labels: {version: v2}, trafficPolicy: {tls: {mode: SIMPLE}}}]\n"
    (route,) = of_services(routes(gateway(), to_v2, SERVICE, destination_rule("{}", more=subsets)))
    assert route.backends[0].protocol.value is AppProtocol.HTTPS
    assert not route.attached[0].object.missing
    (route,) = of_services(routes(gateway(), to_v2, SERVICE, destination_rule("{}")))
    (needed,) = route.attached
    assert (needed.kind.kind, needed.name, needed.place.pointer[-1]) == ("subset", "v2", "subset")
    assert needed.object.missing
    (route,) = of_services(routes(gateway(), to_v2, SERVICE))
    assert not route.attached[0].object.missing


def test_names_in_the_destinations_certificate(routes: Routes) -> None:
    rule = destination_rule("{tls: {mode: SIMPLE, sni: web.internal, subjectAltNames: [web.internal]}}")
    backend = of_services(routes(gateway(), service(), SERVICE, rule))[0].backends[0]
    assert backend.tls is not None
    assert said(backend.tls.hostname)[:2] == ("web.internal", "explicit")
    assert backend.tls.alternatives == ("web.internal",)


def test_times(routes: Routes) -> None:
    (route,) = of_services(routes(gateway(), service(), SERVICE))
    timeouts = route.backends[0].timeouts
    assert said(timeouts.request)[:2] == (float("inf"), "default")
    assert said(timeouts.connect)[:2] == (10, "default")
    assert route.backends[0].keep_alive.upstream_idle is None
    rule = f"timeout: 30s\nretries: {{attempts: 3, perTryTimeout: 2s, retryOn: 'reset,503', backoff: 25ms}}\n{TO_WEB}"
    pool = "{connectionPool: {tcp: {connectTimeout: 3s}, http: {idleTimeout: 15s, maxRequestsPerConnection: 1}}}"
    (route,) = of_services(routes(gateway(), service(rule), SERVICE, destination_rule(pool)))
    backend = route.backends[0]
    assert said(backend.timeouts.request)[:2] == (30, "explicit")
    assert said(backend.timeouts.attempt)[:2] == (2, "explicit")
    assert said(backend.timeouts.connect)[:2] == (3, "explicit")
    assert said(backend.keep_alive.upstream_idle)[:2] == (15, "explicit")
    assert said(backend.keep_alive.upstream_requests)[:2] == (1, "explicit")
    assert backend.keep_alive.retries_resets
    assert route.retries is not None
    assert (route.retries.codes, route.retries.attempts, route.retries.backoff) == ((503,), 3, 0.025)


def test_of_rules_for_one_host_the_older_counts(lowered: Sets) -> None:
    def pool(name: str, seconds: int, created: str = "") -> str:
        rule = destination_rule(f"{{connectionPool: {{http: {{idleTimeout: {seconds}s}}}}}}")
        made = f", creationTimestamp: '{created}'" if created else ""
        return rule.replace("name: web, namespace: shop", f"name: {name}, namespace: shop{made}")

    def lost(*rules: str) -> tuple[float | None, list[str]]:
        held = lowered(gateway(), service(), SERVICE, *rules)
        idle = of_services(held.routes)[0].backends[0].keep_alive.upstream_idle
        found = [verdict.object.name for verdict in held.verdicts if verdict.reason is Reason.CONFLICTED]
        return idle.value if idle else None, found

    assert lost(pool("b", 20), pool("a", 10)) == (10, ["b"])
    assert lost(pool("a", 10, "2026-01-02T00:00:00Z"), pool("b", 20, "2026-01-01T00:00:00Z")) == (20, ["a"])
    assert lost(pool("a", 10), pool("b", 10)) == (10, [])


def test_a_timeout_of_zero_is_none(routes: Routes) -> None:
    (route,) = of_services(routes(gateway(), service(f"timeout: 0s\n{TO_WEB}"), SERVICE))
    assert said(route.backends[0].timeouts.request)[:2] == (float("inf"), "explicit")


def test_idle_connections_to_pods_without_a_sidecar(routes: Routes) -> None:
    pods = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n"
        "spec:\n  selector: {matchLabels: {app: web}}\n  template:\n"
        "    metadata: {labels: {app: web}, annotations: {sidecar.istio.io/inject: 'INJECT'}}\n"
        "    spec: {containers: [{name: web, image: example/web}]}"
    )
    for inject, expected in (("false", 3600), ("true", None)):
        (route,) = of_services(routes(gateway(), service(), SERVICE, pods.replace("INJECT", inject)))
        idle = route.backends[0].keep_alive.upstream_idle
        assert (idle.value if idle else None) == expected


# -- Ingresses ------------------------------------------------------------------------------------------------------


def ingress(*paths: str, tls: str = "", more: str = "") -> str:
    written = "".join(f"          - {path}\n" for path in paths)
    return (
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: shop, namespace: shop}\n"
        f"spec:\n  ingressClassName: istio\n  tls: [{tls}]\n{more}"
        f"  rules:\n    - host: shop.example.com\n      http:\n        paths:\n{written}"
    )


def path(value: str, kind: str) -> str:
    return f"{{path: '{value}', pathType: {kind}, backend: {{service: {{name: web, port: {{number: 8080}}}}}}}}"


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("/api", "Prefix", PathMatch(PathMatchType.PREFIX, "/api")),
        ("/api", "Exact", PathMatch(PathMatchType.EXACT, "/api")),
        ("/api", "ImplementationSpecific", PathMatch(PathMatchType.EXACT, "/api")),
        ("/api/*", "ImplementationSpecific", PathMatch(PathMatchType.PREFIX, "/api")),
        ("/api.*", "ImplementationSpecific", PathMatch(PathMatchType.PREFIX, "/api")),
        ("/*", "ImplementationSpecific", PathMatch(PathMatchType.PREFIX, "/")),
    ],
)
def test_paths_of_ingresses(routes: Routes, value: str, kind: str, expected: PathMatch) -> None:
    (route,) = routes(ingress(path(value, kind)), SERVICE)
    assert route.controller.value == "istio"
    assert route.matches[0].path.value == expected


def test_ingresses(routes: Routes) -> None:
    default = "  defaultBackend: {service: {name: web, port: {number: 8080}}}\n"
    tls = "{hosts: [shop.example.com], secretName: shop-tls}, {hosts: [pay.example.com]}"
    short, long = routes(
        ingress(path("/", "Prefix"), path("/api", "Prefix"), tls=tls, more=default), SERVICE, INGRESS_GATEWAY
    )
    assert ports(short) == [(80, "HTTP"), (443, "HTTPS")]
    assert short.listeners[1].tls is not None
    assert short.listeners[1].tls.certificates[0].namespace == "edge"
    assert short.priority is not None
    assert long.priority is not None
    assert long.priority.value > short.priority.value
    backend = short.backends[0]
    assert said(backend.protocol)[:2] == (AppProtocol.HTTP, "derived")
    assert said(backend.timeouts.request)[:2] == (float("inf"), "default")


def test_destination_rules_count_for_ingresses(routes: Routes) -> None:
    (route,) = routes(ingress(path("/", "Prefix")), SERVICE, destination_rule("{tls: {mode: SIMPLE}}"))
    assert said(route.backends[0].protocol)[:2] == (AppProtocol.HTTPS, "explicit")
