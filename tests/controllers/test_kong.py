"""What Kong makes of Ingresses, TCPIngresses and the Services behind them."""

from __future__ import annotations

from textwrap import indent

import pytest

from ingress_lint.controllers.kong.annotations import ANNOTATIONS
from ingress_lint.routes.filters import FixedResponse, RequestRedirect, URLRewrite
from ingress_lint.routes.matches import PathMatch, PathMatchType, ValueMatch
from ingress_lint.routes.model import Route
from ingress_lint.routes.traffic import AppProtocol, TargetKind
from tests.controllers.conftest import Routes, said

POLICY = """apiVersion: configuration.konghq.com/v1beta1
kind: KongUpstreamPolicy
metadata: {name: checks}
spec:
  healthchecks:
    active:
      httpPath: /hz
      healthy: {interval: 5, successes: 1}
      unhealthy: {httpFailures: 3, interval: 5}
"""


def annotated(annotations: str) -> str:
    lines = "".join(f"{line.strip()}\n" for line in annotations.strip().splitlines())
    return f"  annotations:\n{indent(lines, '    ')}" if lines else ""


def path(value: str = "/shop", kind: str = "Prefix") -> str:
    return f"{{path: {value}, pathType: {kind}, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}"


def ingress(annotations: str = "", written: str = path(), *, tls: str = "", host: str = "a.example.com") -> str:
    return (
        f"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: shop\n{annotated(annotations)}"
        f"spec:\n  ingressClassName: kong\n  tls: [{tls}]\n  rules:\n    - host: {host}\n      http:\n        paths:\n"
        f"          - {written}\n"
    )


def service(annotations: str = "", *, more: str = "") -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n{annotated(annotations)}spec:\n  selector: {{app: web}}\n"
        f"  ports: [{{name: http, port: 80, targetPort: 8080}}]\n{more}"
    )


def proxy(env: str) -> str:
    return (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: kong}\nspec:\n  selector: {matchLabels: {app: kong}}\n"
        "  template:\n    metadata: {labels: {app: kong}}\n    spec:\n      containers:\n        - name: proxy\n"
        f"          image: docker.io/kong:3.9\n          env: [{env}]\n"
    )


def listened(route: Route) -> list[tuple[int, str]]:
    return [(item.port.value, item.protocol.value) for item in route.listeners]


# -- claims ---------------------------------------------------------------------------------------------------------


def test_claims_by_name(routes: Routes) -> None:
    for name in ("kong", "kong-internal", "public-kong"):
        (route,) = routes(ingress().replace("Name: kong", f"Name: {name}"), service())
        assert said(route.controller) == ("kong", "explicit", name)


def test_claims_by_controller(routes: Routes) -> None:
    defined = "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: edge}\n"
    (route,) = routes(
        ingress().replace("Name: kong", "Name: edge"),
        f"{defined}spec: {{controller: ingress-controllers.konghq.com/kong}}",
        service(),
    )
    assert route.controller.value == "kong"


@pytest.mark.parametrize("hint", ["Ingress", "Service", "image"])
def test_hints_without_a_class(routes: Routes, hint: str) -> None:
    classless = ingress('konghq.com/strip-path: "true"' if hint == "Ingress" else "").replace(
        "  ingressClassName: kong\n", ""
    )
    other = service("konghq.com/protocol: http" if hint == "Service" else "")
    (route,) = routes(classless, other, *([proxy("")] if hint == "image" else []))
    assert said(route.controller)[:2] == ("kong", "derived")


# -- the client's side ----------------------------------------------------------------------------------------------


def test_listeners(routes: Routes) -> None:
    (route,) = routes(ingress(), service())
    assert listened(route) == [(80, "HTTP")]
    (route,) = routes(ingress(tls="{hosts: [a.example.com], secretName: shop-tls}"), service())
    assert listened(route) == [(80, "HTTP"), (443, "HTTPS")]
    tls = route.listeners[1].tls
    assert tls is not None
    assert [(item.name, item.hosts[0].value) for item in tls.certificates] == [("shop-tls", "a.example.com")]


def test_a_certificate_counts_for_other_ingresses_of_the_host(routes: Routes) -> None:
    other = ingress(written=path("/other")).replace("name: shop", "name: other")
    found = routes(ingress(tls="{hosts: [a.example.com], secretName: shop-tls}"), other, service())
    assert all(listened(route) == [(80, "HTTP"), (443, "HTTPS")] for route in found)


def test_https_only_answers_426(routes: Routes) -> None:
    secure, plain = routes(ingress("konghq.com/protocols: https"), service())
    assert listened(secure) == [(443, "HTTPS")]
    assert listened(plain) == [(80, "HTTP")]
    (answer,) = plain.filters
    assert isinstance(answer, FixedResponse)
    assert answer.status == 426
    assert plain.backends == ()


@pytest.mark.parametrize(
    ("annotations", "status"),
    [
        ('konghq.com/protocols: https\nkonghq.com/https-redirect-status-code: "301"', 301),
        ('ingress.kubernetes.io/force-ssl-redirect: "true"', 302),
        ('ingress.kubernetes.io/force-ssl-redirect: "true"\nkonghq.com/https-redirect-status-code: "308"', 308),
    ],
)
def test_redirects_to_https(routes: Routes, annotations: str, status: int) -> None:
    _, plain = routes(ingress(annotations), service())
    (redirect,) = plain.filters
    assert isinstance(redirect, RequestRedirect)
    assert (redirect.status, redirect.scheme) == (status, "https")


def test_invalid_protocols_are_void(routes: Routes) -> None:
    (route,) = routes(ingress("konghq.com/protocols: https,carrier-pigeon"), service())
    assert listened(route) == [(80, "HTTP")]
    (route,) = routes(ingress("konghq.com/protocols: grpc,https"), service())
    assert listened(route) == [(80, "HTTP")]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (path("/shop", "Prefix"), PathMatch(PathMatchType.PREFIX, "/shop")),
        (path("/shop", "Exact"), PathMatch(PathMatchType.EXACT, "/shop")),
        (path("/favicon.ico", "Exact"), PathMatch(PathMatchType.EXACT, "/favicon.ico")),
        (path("'/shop(/a)?'", "Exact"), PathMatch(PathMatchType.REGULAR_EXPRESSION, "/shop(/a)?")),
        (path("/shop", "ImplementationSpecific"), PathMatch(PathMatchType.STRING_PREFIX, "/shop")),
        (path("//shop", "ImplementationSpecific"), PathMatch(PathMatchType.STRING_PREFIX, "/shop")),
        (
            path("'/~/shop/(?<id>\\d+)'", "ImplementationSpecific"),
            PathMatch(PathMatchType.REGULAR_EXPRESSION, "/shop/(?<id>\\d+)", open_end=True),
        ),
    ],
)
def test_paths(routes: Routes, written: str, expected: PathMatch) -> None:
    (route,) = routes(ingress(written=written), service())
    assert route.matches[0].path.value == expected


def test_regex_prefix(routes: Routes) -> None:
    written = path("/@/shop.*", "ImplementationSpecific")
    (route,) = routes(ingress("konghq.com/regex-prefix: /@", written), service())
    assert route.matches[0].path.value == PathMatch(PathMatchType.REGULAR_EXPRESSION, "/shop.*", open_end=True)
    (route,) = routes(ingress("konghq.com/regex-prefix: /@", path("/~x", "ImplementationSpecific")), service())
    assert route.matches[0].path.value.type is PathMatchType.STRING_PREFIX


def test_class_parameters(routes: Routes) -> None:
    parameters = (
        "apiVersion: configuration.konghq.com/v1alpha1\nkind: IngressClassParameters\n"
        "metadata: {name: all, namespace: kong}\nspec: {serviceUpstream: true, enableLegacyRegexDetection: true}"
    )
    defined = (
        "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: kong}\nspec:\n"
        "  controller: ingress-controllers.konghq.com/kong\n  parameters:\n    apiGroup: configuration.konghq.com\n"
        "    kind: IngressClassParameters\n    name: all\n    namespace: kong\n    scope: Namespace"
    )
    (route,) = routes(ingress(written=path("'/shop/[a-z]+'", "ImplementationSpecific")), service(), parameters, defined)
    assert route.matches[0].path.value.type is PathMatchType.REGULAR_EXPRESSION
    assert said(route.backends[0].target)[:2] == (TargetKind.CLUSTER_IP, "derived")


def test_conditions(routes: Routes) -> None:
    annotations = """
        konghq.com/methods: GET,POST
        konghq.com/headers.x-tier: gold
        konghq.com/headers.x-site: a, b
        konghq.com/snis: a.example.com
        konghq.com/host-aliases: b.example.com,c.example.com
    """
    (route,) = routes(ingress(annotations), service())
    assert [match.method for match in route.matches] == ["GET", "POST"]
    assert route.matches[0].headers == (ValueMatch("x-tier", "gold"), ValueMatch("x-site", "a|b", "RegularExpression"))
    assert "a.example.com" in route.matches[0].condition
    assert [host.value for host in route.hostnames] == ["a.example.com", "b.example.com", "c.example.com"]


@pytest.mark.parametrize("methods", ["get", "GET,post"])
def test_one_bad_method_voids_them(routes: Routes, methods: str) -> None:
    (route,) = routes(ingress(f"konghq.com/methods: {methods}"), service())
    assert [match.method for match in route.matches] == [None]


def test_strip_path(routes: Routes) -> None:
    (route,) = routes(ingress(), service())
    assert route.filters == ()
    (route,) = routes(ingress('konghq.com/strip-path: "true"'), service())
    (rewrite,) = route.filters
    assert isinstance(rewrite, URLRewrite)
    assert (rewrite.path, rewrite.replace_prefix) == ("/", True)
    (route,) = routes(ingress('konghq.com/strip-path: "true"'), service("konghq.com/path: /v2"))
    (rewrite,) = route.filters
    assert isinstance(rewrite, URLRewrite)
    assert (rewrite.path, rewrite.replace_prefix) == ("/v2", True)


def test_service_path_and_rewrite(routes: Routes) -> None:
    (route,) = routes(ingress(), service("konghq.com/path: /v2/"))
    (rewrite,) = route.filters
    assert isinstance(rewrite, URLRewrite)
    assert (rewrite.path, rewrite.regex) == ("/v2$1", "(.*)")
    regex = path("'/~/shop/(.*)'", "ImplementationSpecific")
    (route,) = routes(ingress("konghq.com/rewrite: /$1", regex), service())
    (rewrite,) = route.filters
    assert isinstance(rewrite, URLRewrite)
    assert (rewrite.path, rewrite.regex) == ("/$1", "/shop/(.*)")


def test_host_header(routes: Routes) -> None:
    external = service(more="  type: ExternalName\n  externalName: api.example.org\n")
    (route,) = routes(ingress('konghq.com/preserve-host: "false"'), external)
    (rewrite,) = route.filters
    assert isinstance(rewrite, URLRewrite)
    assert rewrite.host == "api.example.org"
    (route,) = routes(
        ingress('konghq.com/preserve-host: "false"'), service("konghq.com/host-header: inner.example.com")
    )
    (rewrite,) = route.filters
    assert isinstance(rewrite, URLRewrite)
    assert rewrite.host == "inner.example.com"
    (route,) = routes(ingress(), service("konghq.com/host-header: inner.example.com"))
    assert route.filters == ()


# -- the pods' side -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("http", AppProtocol.HTTP),
        ("https", AppProtocol.HTTPS),
        ("grpc", AppProtocol.GRPC),
        ("grpcs", AppProtocol.GRPCS),
        ("ws", AppProtocol.HTTP),
    ],
)
def test_protocol_of_the_service(routes: Routes, written: str, expected: AppProtocol) -> None:
    (route,) = routes(ingress(), service(f"konghq.com/protocol: {written}"))
    assert said(route.backends[0].protocol) == (expected, "explicit", written)


def test_protocol_defaults(routes: Routes) -> None:
    (route,) = routes(ingress(), service())
    assert said(route.backends[0].protocol)[:2] == (AppProtocol.HTTP, "default")
    (route,) = routes(ingress(), service("konghq.com/protocol: htps"))
    assert said(route.backends[0].protocol) == (AppProtocol.HTTP, "derived", "htps")


def test_protocol_on_the_ingress_is_read_by_nobody(routes: Routes) -> None:
    (route,) = routes(ingress("konghq.com/protocol: https"), service())
    protocol = route.backends[0].protocol
    assert said(protocol) == (AppProtocol.HTTP, "derived", "https")
    assert "Services only" in protocol.why


def test_timeouts_are_milliseconds_of_the_service(routes: Routes) -> None:
    (route,) = routes(ingress('konghq.com/read-timeout: "1000"'), service())
    assert said(route.backends[0].timeouts.read)[:2] == (60.0, "default")
    (route,) = routes(ingress(), service('konghq.com/read-timeout: "120000"\nkonghq.com/connect-timeout: "500"'))
    timeouts = route.backends[0].timeouts
    assert said(timeouts.read) == (120.0, "explicit", '"120000"')
    assert said(timeouts.connect) == (0.5, "explicit", '"500"')


def test_keep_alive(routes: Routes) -> None:
    (route,) = routes(ingress(), service())
    keep_alive = route.backends[0].keep_alive
    assert said(keep_alive.upstream_idle)[:2] == (60.0, "default")
    assert (keep_alive.upstream_connections, keep_alive.retries_idempotent) == (None, True)
    (route,) = routes(ingress(), service('konghq.com/retries: "0"'))
    assert not route.backends[0].keep_alive.retries_idempotent


def test_the_proxy_in_the_set(routes: Routes) -> None:
    env = (
        '{name: KONG_UPSTREAM_KEEPALIVE_IDLE_TIMEOUT, value: "15"}, {name: KONG_UPSTREAM_KEEPALIVE_POOL_SIZE, value: "0"}, '
        "{name: KONG_NGINX_HTTP_CLIENT_MAX_BODY_SIZE, value: 8m}, {name: KONG_TRUSTED_IPS, value: 10.0.0.0/8}, "
        '{name: KONG_PROXY_LISTEN, value: "0.0.0.0:8000 proxy_protocol"}, '
        "{name: KONG_NGINX_PROXY_PROXY_BUFFER_SIZE, value: 16k}"
    )
    (route,) = routes(ingress(), service(), proxy(env))
    backend, listener = route.backends[0], route.listeners[0]
    assert said(backend.keep_alive.upstream_idle)[:2] == (15.0, "explicit")
    assert not backend.keep_alive.reuses_upstream
    assert said(backend.body_limit)[:2] == (8 << 20, "explicit")
    assert said(backend.header_limit)[:2] == (16384, "explicit")
    assert said(listener.takes_proxy_protocol)[:2] == (True, "explicit")
    assert said(listener.trusts_forwarded)[:2] == (True, "explicit")
    (route,) = routes(ingress(), service(), proxy(""))
    assert said(route.listeners[0].takes_proxy_protocol)[:2] == (False, "default")
    assert route.backends[0].body_limit is None
    assert said(route.backends[0].header_limit)[:2] == (4096, "default")


def test_service_upstream(routes: Routes) -> None:
    (route,) = routes(ingress(), service())
    assert said(route.backends[0].target)[:2] == (TargetKind.POD, "default")
    (route,) = routes(ingress(), service('ingress.kubernetes.io/service-upstream: "true"'))
    assert said(route.backends[0].target) == (TargetKind.CLUSTER_IP, "explicit", '"true"')


# -- health checks --------------------------------------------------------------------------------------------------


def test_no_check_without_a_policy(routes: Routes) -> None:
    (route,) = routes(ingress(), service())
    assert route.backends[0].health_check is None
    passive = POLICY.replace("interval: 5, successes: 1", "successes: 1")
    (route,) = routes(ingress(), service("konghq.com/upstream-policy: checks"), passive)
    assert route.backends[0].health_check is None


def test_check_of_an_upstream_policy(routes: Routes) -> None:
    (route,) = routes(ingress(), service("konghq.com/upstream-policy: checks"), POLICY)
    check = route.backends[0].health_check
    assert check is not None
    assert said(check.protocol)[:2] == ("HTTP", "default")
    assert said(check.path) == ("/hz", "explicit", "/hz")
    assert said(check.codes)[:2] == ("100-403,405-428,430-499,506-599", "default")
    assert said(check.interval)[:2] == (5.0, "explicit")
    assert said(check.timeout)[:2] == (1.0, "default")
    assert said(check.unhealthy_threshold)[:2] == (3, "explicit")
    assert (check.port, check.resolved_port, check.target) == (None, 8080, TargetKind.POD)


def test_a_check_that_only_connects(routes: Routes) -> None:
    policy = POLICY.replace("httpFailures: 3", "tcpFailures: 2")
    (route,) = routes(ingress(), service("konghq.com/upstream-policy: checks"), policy)
    check = route.backends[0].health_check
    assert check is not None
    assert (check.path, check.codes) == (None, None)
    assert said(check.unhealthy_threshold)[:2] == (2, "explicit")


def test_kong_ingress(routes: Routes) -> None:
    override = """apiVersion: configuration.konghq.com/v1
kind: KongIngress
metadata: {name: shop-settings}
proxy: {protocol: https, read_timeout: 5000}
route: {strip_path: true, methods: [GET]}
upstream:
  healthchecks:
    active: {http_path: /up, type: https, healthy: {interval: 3}, unhealthy: {http_failures: 1, http_statuses: [500]}}
"""
    named = "konghq.com/override: shop-settings"
    (route,) = routes(ingress(named), service(named), override)
    backend = route.backends[0]
    assert said(backend.protocol)[:2] == (AppProtocol.HTTPS, "explicit")
    assert said(backend.timeouts.read)[:2] == (5.0, "explicit")
    assert [match.method for match in route.matches] == ["GET"]
    assert isinstance(route.filters[0], URLRewrite)
    check = backend.health_check
    assert check is not None
    assert said(check.path)[:2] == ("/up", "explicit")
    assert check.protocol.value == "HTTPS"
    assert check.codes is not None
    assert check.codes.value == "100-499,501-599"
    (route,) = routes(ingress(), service(f"{named}\nkonghq.com/protocol: grpc"), override)
    assert said(route.backends[0].protocol) == (AppProtocol.GRPC, "explicit", "grpc")


# -- what hangs on routes -------------------------------------------------------------------------------------------


def test_attachments(routes: Routes) -> None:
    plugin = "apiVersion: configuration.konghq.com/v1\nkind: KongPlugin\nmetadata: {name: limit}\nplugin: rate-limiting"
    shared = "apiVersion: configuration.konghq.com/v1\nkind: KongClusterPlugin\nmetadata: {name: cors}\nplugin: cors"
    (route,) = routes(
        ingress("konghq.com/plugins: limit, cors, gone, other:limit"),
        service("konghq.com/upstream-policy: checks\nkonghq.com/client-cert: mtls"),
        plugin,
        shared,
    )
    found = {(item.kind.kind, item.namespace, item.name): item.object.existence.value for item in route.attached}
    assert found == {
        ("KongPlugin", "default", "limit"): "found",
        ("KongPlugin", "default", "cors"): "found",
        ("KongPlugin", "default", "gone"): "missing",
        ("KongPlugin", "other", "limit"): "partial",
        ("KongUpstreamPolicy", "default", "checks"): "partial",
        ("Secret", "default", "mtls"): "partial",
    }


def test_a_plugin_may_be_a_cluster_plugin_from_elsewhere(routes: Routes) -> None:
    plugin = "apiVersion: configuration.konghq.com/v1\nkind: KongPlugin\nmetadata: {name: limit}\nplugin: rate-limiting"
    (route,) = routes(ingress("konghq.com/plugins: gone"), service(), plugin)
    assert [item.object.existence.value for item in route.attached] == ["partial"]


# -- connections ----------------------------------------------------------------------------------------------------


def test_tcp_ingress(routes: Routes) -> None:
    written = """apiVersion: configuration.konghq.com/v1beta1
kind: TCPIngress
metadata: {name: db}
spec:
  tls: [{hosts: [db.example.com], secretName: db-tls}]
  rules:
    - port: 5432
      backend: {serviceName: web, servicePort: 80}
    - host: db.example.com
      port: 5433
      backend: {serviceName: gone, servicePort: 80}
"""
    plain, secure = routes(written, service())
    assert listened(plain) == [(5432, "TCP")]
    assert listened(secure) == [(5433, "TLS")]
    assert said(plain.backends[0].protocol)[0] is AppProtocol.TCP
    assert plain.backends[0].service_port is not None
    assert secure.backends[0].service.missing
    tls = secure.listeners[0].tls
    assert tls is not None
    assert [item.name for item in tls.certificates] == ["db-tls"]


def test_udp_ingress(routes: Routes) -> None:
    written = (
        "apiVersion: configuration.konghq.com/v1beta1\nkind: UDPIngress\nmetadata: {name: dns}\n"
        "spec: {rules: [{port: 53, backend: {serviceName: web, servicePort: 80}}]}"
    )
    (route,) = routes(written, service())
    assert listened(route) == [(53, "UDP")]


def test_table() -> None:
    assert ANNOTATIONS.spec("konghq.com/strip-path") is not None
    assert ANNOTATIONS.spec("konghq.com/headers.x-any") is not None
    assert ANNOTATIONS.spec("konghq.com/strip-paths") is None
