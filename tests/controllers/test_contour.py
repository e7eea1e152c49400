"""What Contour makes of Ingresses and HTTPProxies."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from ingress_lint.controllers.contour.annotations import ANNOTATIONS
from ingress_lint.routes.filters import CORS, FixedResponse, HeaderModifier, RequestRedirect, URLRewrite
from ingress_lint.routes.matches import PathMatch, PathMatchType, ValueMatch
from ingress_lint.routes.model import RequestMirror, Route
from ingress_lint.routes.traffic import AppProtocol
from ingress_lint.routes.verdicts import Certainty, Reason
from tests.controllers.conftest import Routes, Verdicts, said

TLS = "{hosts: [a.example.com], secretName: shop-tls}"


def path(value: str = "/shop", kind: str = "Prefix") -> str:
    return f"{{path: {value}, pathType: {kind}, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}"


def annotated(annotations: str) -> str:
    return f"  annotations:\n{indent(dedent(annotations).strip(), '    ')}\n" if annotations else ""


def ingress(annotations: str = "", written: str = path(), *, tls: str = "", more: str = "", name: str = "shop") -> str:
    return (
        f"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: {name}\n{annotated(annotations)}"
        f"spec:\n  ingressClassName: contour\n  tls: [{tls}]\n{more}  rules:\n    - host: a.example.com\n      http:\n"
        f"        paths:\n          - {written}\n"
    )


def service(annotations: str = "", port: str = "", *, name: str = "web") -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\n{annotated(annotations)}spec:\n"
        f"  selector: {{app: web}}\n  ports: [{{name: http, port: 80, targetPort: 8080{port}}}, {{name: up, port: 81}}]\n"
    )


def proxy(spec: str, *, name: str = "shop", namespace: str = "default", created: str = "") -> str:
    when = f", creationTimestamp: '{created}'" if created else ""
    return (
        f"apiVersion: projectcontour.io/v1\nkind: HTTPProxy\nmetadata: {{name: {name}, namespace: {namespace}{when}}}\n"
        f"spec:\n{indent(dedent(spec).strip(), '  ')}\n"
    )


def root(route: str = "services: [{name: web, port: 80}]", *, tls: str = "", more: str = "") -> str:
    host = "virtualhost: {fqdn: a.example.com" + (f", tls: {tls}" if tls else "") + "}"
    return proxy(f"{host}\nroutes:\n{indent('- ' + indent(dedent(route).strip(), '  ')[2:], '  ')}\n{dedent(more)}")


def listened(route: Route) -> list[tuple[int, str]]:
    return [(item.port.value, item.protocol.value) for item in route.listeners]


# -- Ingresses ------------------------------------------------------------------------------------------------------


def test_claims(routes: Routes) -> None:
    (route,) = routes(ingress(), service())
    assert said(route.controller) == ("contour", "explicit", "contour")
    classless = ingress().replace("  ingressClassName: contour\n", "")
    (route,) = routes(classless, service("projectcontour.io/upstream-protocol.tls: '80'"))
    assert said(route.controller)[:2] == ("contour", "derived")
    (route,) = routes(
        classless.replace("  name: shop\n", "  name: shop\n" + annotated("projectcontour.io/retry-on: 5xx"))
    )
    assert said(route.controller)[:2] == ("contour", "derived")


def test_listeners(routes: Routes) -> None:
    (route,) = routes(ingress(), service())
    assert listened(route) == [(80, "HTTP")]
    (route,) = routes(ingress(tls=TLS), service())
    assert listened(route) == [(80, "HTTP"), (443, "HTTPS")]
    (route,) = routes(ingress(tls="{hosts: ['*.example.com'], secretName: shop-tls}"), service())
    assert listened(route) == [(80, "HTTP")]
    (route,) = routes(ingress("kubernetes.io/ingress.allow-http: 'false'", tls=TLS), service())
    assert listened(route) == [(443, "HTTPS")]


def test_certificates_count_for_all_ingresses_and_may_lie_elsewhere(routes: Routes) -> None:
    other = ingress(written=path("/other"), name="other")
    found = routes(ingress("projectcontour.io/tls-cert-namespace: certs", tls=TLS), other, service())
    assert all(listened(route) == [(80, "HTTP"), (443, "HTTPS")] for route in found)
    tls = found[1].listeners[1].tls
    assert tls is not None
    assert [(item.namespace, item.name) for item in tls.certificates] == [("certs", "shop-tls")]


def test_default_backend_is_never_served_over_tls(routes: Routes) -> None:
    default = "  defaultBackend: {service: {name: web, port: {number: 80}}}\n"
    found = routes(ingress(tls=TLS, more=default), service())
    assert [listened(route) for route in found if route.is_default] == [[(80, "HTTP")]]


def test_forced_redirect(routes: Routes) -> None:
    forced = "ingress.kubernetes.io/force-ssl-redirect: 'true'\nkubernetes.io/ingress.allow-http: 'false'"
    secure, plain = routes(ingress(forced, tls=TLS), service())
    assert (listened(secure), listened(plain)) == ([(443, "HTTPS")], [(80, "HTTP")])
    (redirect,) = plain.filters
    assert isinstance(redirect, RequestRedirect)
    assert (redirect.status, redirect.scheme) == (301, "https")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (path("/shop", "Prefix"), PathMatch(PathMatchType.PREFIX, "/shop")),
        (path("/shop", "Exact"), PathMatch(PathMatchType.EXACT, "/shop")),
        (path("/shop", "ImplementationSpecific"), PathMatch(PathMatchType.STRING_PREFIX, "/shop")),
        (path("/shop.*", "ImplementationSpecific"), PathMatch(PathMatchType.REGULAR_EXPRESSION, "/shop.*")),
        (path("/shop.*", "Prefix"), PathMatch(PathMatchType.PREFIX, "/shop.*")),
        (path("/shop(a|b)", "ImplementationSpecific"), PathMatch(PathMatchType.STRING_PREFIX, "/shop(a|b)")),
    ],
)
def test_paths(routes: Routes, written: str, expected: PathMatch) -> None:
    (route,) = routes(ingress(written=written), service())
    assert route.matches[0].path.value == expected


@pytest.mark.parametrize(
    ("annotations", "port", "expected"),
    [
        ("", "", (AppProtocol.HTTP, "default", "web")),
        ("projectcontour.io/upstream-protocol.tls: '443,http'", "", (AppProtocol.HTTPS, "explicit", "'443,http'")),
        ("projectcontour.io/upstream-protocol.h2: '80'", "", (AppProtocol.HTTP2, "explicit", "'80'")),
        ("contour.heptio.com/upstream-protocol.h2c: '80'", "", (AppProtocol.H2C, "explicit", "'80'")),
        ("projectcontour.io/upstream-protocol.tls: '443'", "", (AppProtocol.HTTP, "default", "annotations:")),
        ("", ", appProtocol: https", (AppProtocol.HTTPS, "explicit", "https}, {name: up, port: 81}]")),
        (
            "",
            ", appProtocol: kubernetes.io/h2c",
            (AppProtocol.H2C, "explicit", "kubernetes.io/h2c}, {name: up, port: 81}]"),
        ),
        (
            "projectcontour.io/upstream-protocol.tls: '80'",
            ", appProtocol: http",
            (AppProtocol.HTTP, "explicit", "http}, {name: up, port: 81}]"),
        ),
        (
            "projectcontour.io/upstream-protocol.tls: '80'",
            ", appProtocol: kubernetes.io/wss",
            (AppProtocol.HTTP, "derived", "kubernetes.io/wss}, {name: up, port: 81}]"),
        ),
    ],
)
def test_protocol(routes: Routes, annotations: str, port: str, expected: tuple[AppProtocol, str, str]) -> None:
    (route,) = routes(ingress(), service(annotations, port))
    assert said(route.backends[0].protocol) == expected


def test_timeouts(routes: Routes) -> None:
    (route,) = routes(ingress(), service())
    timeouts = route.backends[0].timeouts
    assert said(timeouts.request)[:2] == (15.0, "default")
    assert said(timeouts.read)[:2] == (300.0, "default")
    for text, seconds in (("90s", 90.0), ("1m30s", 90.0), ("infinity", float("inf"))):
        (route,) = routes(ingress(f"projectcontour.io/response-timeout: {text}"), service())
        assert said(route.backends[0].timeouts.request) == (seconds, "explicit", text)
    for text in ("0s", "90"):
        (route,) = routes(ingress(f"projectcontour.io/response-timeout: '{text}'"), service())
        assert said(route.backends[0].timeouts.request)[:2] == (15.0, "default")


def test_keep_alive_and_retries(routes: Routes) -> None:
    (route,) = routes(ingress("projectcontour.io/num-retries: '3'"), service())
    keep_alive = route.backends[0].keep_alive
    assert said(keep_alive.upstream_idle)[:2] == (3600.0, "default")
    assert (route.retries, keep_alive.retries_resets) == (None, False)
    (route,) = routes(ingress("projectcontour.io/retry-on: 'reset,5xx'\nprojectcontour.io/num-retries: '3'"), service())
    assert route.retries is not None
    assert route.retries.attempts == 3
    assert route.backends[0].keep_alive.retries_resets


# -- HTTPProxies ----------------------------------------------------------------------------------------------------


def test_root(routes: Routes) -> None:
    (route,) = routes(root(), service())
    assert said(route.controller) == ("contour", "explicit", "HTTPProxy")
    assert listened(route) == [(80, "HTTP")]
    assert [host.value for host in route.hostnames] == ["a.example.com"]
    assert said(route.matches[0].path)[:2] == (PathMatch(PathMatchType.STRING_PREFIX, "/"), "default")
    backend = route.backends[0]
    assert said(backend.port)[:2] == (80, "explicit")
    assert backend.service_port is not None
    assert backend.health_check is None
    assert said(backend.timeouts.request)[:2] == (15.0, "default")
    assert said(backend.keep_alive.upstream_idle)[:2] == (3600.0, "default")


def test_tls_redirects_plain_requests(routes: Routes) -> None:
    secure, plain = routes(root(tls="{secretName: shop-tls}"), service())
    assert (listened(secure), listened(plain)) == ([(443, "HTTPS")], [(80, "HTTP")])
    assert isinstance(plain.filters[0], RequestRedirect)
    assert plain.backends == ()
    (both,) = routes(root("services: [{name: web, port: 80}]\npermitInsecure: true", tls="{secretName: x}"), service())
    assert listened(both) == [(80, "HTTP"), (443, "HTTPS")]


def test_client_certificates(routes: Routes) -> None:
    for more, required in (("", True), (", optionalClientCertificate: true", False)):
        secure, _ = routes(root(tls=f"{{secretName: x, clientValidation: {{caSecret: ca{more}}}}}"), service())
        tls = secure.listeners[0].tls
        assert tls is not None
        assert tls.clients is not None
        assert tls.clients.required is required


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ("[{prefix: /shop}]", PathMatch(PathMatchType.STRING_PREFIX, "/shop")),
        ("[{exact: /shop}]", PathMatch(PathMatchType.EXACT, "/shop")),
        ("[{regex: '/shop/.*'}]", PathMatch(PathMatchType.REGULAR_EXPRESSION, "/shop/.*")),
    ],
)
def test_path_conditions(routes: Routes, conditions: str, expected: PathMatch) -> None:
    (route,) = routes(root(f"conditions: {conditions}\nservices: [{{name: web, port: 80}}]"), service())
    assert route.matches[0].path.value == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("exact: a.b", ValueMatch("x", "a.b")),
        ("exact: a.b, ignoreCase: true", ValueMatch("x", "(?i)a\\.b", "RegularExpression")),
        ("contains: a.b", ValueMatch("x", ".*a\\.b.*", "RegularExpression")),
        ("regex: a.b", ValueMatch("x", "a.b", "RegularExpression")),
        ("present: true", ValueMatch("x", ".*", "RegularExpression")),
        ("notexact: a", ValueMatch("x", "a", inverted=True)),
        ("notexact: a, treatMissingAsEmpty: true", ValueMatch("x", "a", inverted=True, or_absent=True)),
        ("notcontains: a", ValueMatch("x", ".*a.*", "RegularExpression", inverted=True)),
        ("notpresent: true", ValueMatch("x", ".*", "RegularExpression", inverted=True, or_absent=True)),
    ],
)
def test_header_conditions(routes: Routes, header: str, expected: ValueMatch) -> None:
    written = f"conditions: [{{header: {{name: x, {header}}}}}]\nservices: [{{name: web, port: 80}}]"
    (route,) = routes(root(written), service())
    assert route.matches[0].headers == (expected,)


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ("exact: a", ValueMatch("q", "a")),
        ("prefix: a", ValueMatch("q", "a.*", "RegularExpression")),
        ("suffix: a", ValueMatch("q", ".*a", "RegularExpression")),
        ("contains: a", ValueMatch("q", ".*a.*", "RegularExpression")),
        ("regex: a+", ValueMatch("q", "a+", "RegularExpression")),
        ("present: true", ValueMatch("q", ".*", "RegularExpression")),
    ],
)
def test_query_conditions(routes: Routes, parameter: str, expected: ValueMatch) -> None:
    written = f"conditions: [{{queryParameter: {{name: q, {parameter}}}}}]\nservices: [{{name: web, port: 80}}]"
    (route,) = routes(root(written), service())
    assert route.matches[0].query == (expected,)


def test_includes_join_conditions(routes: Routes) -> None:
    top = proxy("""
        virtualhost: {fqdn: a.example.com}
        includes: [{name: part, namespace: team, conditions: [{prefix: /team/}, {header: {name: x, exact: a}}]}]
    """)
    part = proxy(
        """
        routes:
          - conditions: [{prefix: /v1}, {header: {name: z, exact: b}}]
            services: [{name: web, port: 80}]
        """,
        name="part",
        namespace="team",
    )
    (route,) = routes(top, part, service().replace("name: web", "name: web\n  namespace: team"))
    assert (route.owner.namespace, route.owner.name) == ("team", "part")
    assert route.matches[0].path.value == PathMatch(PathMatchType.STRING_PREFIX, "/team/v1")
    assert route.matches[0].headers == (ValueMatch("x", "a"), ValueMatch("z", "b"))
    assert [host.value for host in route.hostnames] == ["a.example.com"]
    assert route.backends[0].namespace == "team"
    assert route.backends[0].service.object is not None


def test_missing_include_answers_502(routes: Routes, verdicts: Verdicts) -> None:
    top = proxy("virtualhost: {fqdn: a.example.com}\nincludes: [{name: gone, conditions: [{prefix: /team}]}]")
    (route,) = routes(top, service())
    (answer,) = route.filters
    assert isinstance(answer, FixedResponse)
    assert answer.status == 502
    (verdict,) = verdicts(top, service())
    assert (verdict.reason, verdict.certainty) == (Reason.TARGET_NOT_FOUND, Certainty.KNOWN)
    (verdict,) = verdicts(top.replace("{name: gone", "{name: gone, namespace: team"), service())
    assert verdict.certainty is Certainty.UNKNOWN


def test_includes_in_a_circle(verdicts: Verdicts) -> None:
    top = proxy("virtualhost: {fqdn: a.example.com}\nincludes: [{name: b}]")
    one = proxy("includes: [{name: c}]", name="b")
    other = proxy("includes: [{name: b}]", name="c")
    (verdict,) = verdicts(top, one, other)
    assert "leads back" in verdict.message


def test_including_a_root(verdicts: Verdicts) -> None:
    top = proxy("virtualhost: {fqdn: a.example.com}\nincludes: [{name: b, conditions: [{prefix: /b}]}]")
    other = proxy("virtualhost: {fqdn: b.example.com}\nroutes: [{services: [{name: web, port: 80}]}]", name="b")
    (verdict,) = verdicts(top, other, service())
    assert verdict.reason is Reason.NOT_ALLOWED


def test_orphans_have_routes_without_listeners(routes: Routes, verdicts: Verdicts) -> None:
    part = proxy("routes: [{services: [{name: gone, port: 80}]}]", name="part")
    (route,) = routes(part, service())
    assert (route.listeners, route.hostnames) == ((), ())
    assert route.backends[0].service.missing
    (verdict,) = verdicts(part, service())
    assert (verdict.reason, verdict.certainty) == (Reason.NO_MATCHING_PARENT, Certainty.UNKNOWN)
    (verdict,) = verdicts(part, service(), assume="complete")
    assert verdict.certainty is Certainty.KNOWN


def test_two_roots_of_one_host(routes: Routes, verdicts: Verdicts) -> None:
    spec = "virtualhost: {fqdn: a.example.com}\nroutes: [{services: [{name: web, port: 80}]}]"
    old = proxy(spec, name="z-old", created="2024-01-01T00:00:00Z")
    new = proxy(spec, name="a-new", created="2025-01-01T00:00:00Z")
    found = {route.owner.name: route.listeners[0].usable for route in routes(new, old, service())}
    assert found == {"z-old": True, "a-new": False}
    (verdict,) = verdicts(new, old, service())
    assert (verdict.reason, verdict.object.name) == (Reason.HOSTNAME_CONFLICT, "a-new")
    (verdict,) = verdicts(proxy(spec, name="a"), proxy(spec, name="b"), service())
    assert verdict.object.name == "b"


def test_services(routes: Routes) -> None:
    (route,) = routes(
        root(
            "services: [{name: web, port: 80, weight: 90}, {name: two, port: 80, weight: 10}, {name: three, port: 80}]"
        ),
        service(),
    )
    assert [(item.name, item.weight) for item in route.backends] == [("web", 90), ("two", 10), ("three", 0)]
    (route,) = routes(root("services: [{name: web, port: 80}, {name: two, port: 80}]"), service())
    assert [item.weight for item in route.backends] == [1, 1]


def test_mirror(routes: Routes) -> None:
    (route,) = routes(root("services: [{name: web, port: 80}, {name: copy, port: 80, mirror: true}]"), service())
    (mirror,) = route.filters
    assert isinstance(mirror, RequestMirror)
    assert (mirror.backend.name, mirror.share) == ("copy", 1.0)
    assert [item.name for item in route.backends] == ["web"]
    (route,) = routes(root("services: [{name: copy, port: 80, mirror: true, weight: 20}]"), service())
    answer, mirror = route.filters
    assert isinstance(answer, FixedResponse)
    assert isinstance(mirror, RequestMirror)
    assert (answer.status, mirror.share) == (503, 0.2)


def test_protocol_of_a_service(routes: Routes) -> None:
    for name, expected in (("tls", AppProtocol.HTTPS), ("h2", AppProtocol.HTTP2), ("h2c", AppProtocol.H2C)):
        (route,) = routes(root(f"services: [{{name: web, port: 80, protocol: {name}}}]"), service())
        assert said(route.backends[0].protocol)[:2] == (expected, "explicit")
    written = "services: [{name: web, port: 80, protocol: tls, validation: {caSecret: ca, subjectName: web.internal}}]"
    (route,) = routes(root(written), service())
    tls = route.backends[0].tls
    assert tls is not None
    assert said(tls.hostname)[:2] == ("web.internal", "explicit")
    (route,) = routes(root("services: [{name: web, port: 80}]"), service("", ", appProtocol: https"))
    assert said(route.backends[0].protocol)[:2] == (AppProtocol.HTTPS, "explicit")


def test_health_check(routes: Routes) -> None:
    (route,) = routes(root("services: [{name: web, port: 80}]\nhealthCheckPolicy: {path: /hz}"), service())
    check = route.backends[0].health_check
    assert check is not None
    assert said(check.path)[:2] == ("/hz", "explicit")
    assert said(check.codes)[:2] == ("200", "default")
    assert said(check.interval)[:2] == (5.0, "default")
    assert said(check.timeout)[:2] == (2.0, "default")
    assert said(check.unhealthy_threshold)[:2] == (3, "default")
    assert said(check.healthy_threshold)[:2] == (2, "default")
    assert said(check.host)[:2] == ("contour-envoy-healthcheck", "default")
    assert (check.protocol.value, check.port, check.resolved_port) == ("HTTP", None, 8080)
    written = """
        services: [{name: web, port: 80, healthPort: 81, protocol: tls}]
        healthCheckPolicy: {path: /hz, intervalSeconds: 9, timeoutSeconds: 4, host: h, expectedStatuses: [{start: 200, end: 300}]}
    """
    (route,) = routes(root(written), service())
    check = route.backends[0].health_check
    assert check is not None
    assert said(check.port)[:2] == (81, "explicit")
    assert said(check.codes)[:2] == ("200-299", "explicit")
    assert said(check.interval)[:2] == (9.0, "explicit")
    assert (check.protocol.value, check.resolved_port) == ("HTTPS", 81)


def test_timeout_and_retry_policies(routes: Routes) -> None:
    written = """
        services: [{name: web, port: 80}]
        timeoutPolicy: {response: 2m, idle: infinity, idleConnection: 45s}
        retryPolicy: {count: 2, perTryTimeout: 500ms, retriableStatusCodes: [503]}
    """
    (route,) = routes(root(written), service())
    backend = route.backends[0]
    assert said(backend.timeouts.request)[:2] == (120.0, "explicit")
    assert said(backend.timeouts.read)[:2] == (float("inf"), "explicit")
    assert said(backend.timeouts.attempt)[:2] == (0.5, "explicit")
    assert said(backend.keep_alive.upstream_idle)[:2] == (45.0, "explicit")
    assert backend.keep_alive.retries_resets
    assert route.retries is not None
    assert (route.retries.attempts, route.retries.codes) == (2, (503,))


def test_rewrites(routes: Routes) -> None:
    written = """
        conditions: [{prefix: /api}]
        services: [{name: web, port: 80}]
        pathRewritePolicy: {replacePrefix: [{replacement: /other}, {prefix: /api, replacement: /}]}
        requestHeadersPolicy: {set: [{name: Host, value: inner}, {name: x, value: a}], remove: [w]}
        responseHeadersPolicy: {set: [{name: z, value: b}]}
    """
    (route,) = routes(root(written), service())
    path_, host, asked, answered = route.filters
    assert isinstance(path_, URLRewrite)
    assert (path_.path, path_.replace_prefix) == ("/", True)
    assert isinstance(host, URLRewrite)
    assert host.host == "inner"
    assert isinstance(asked, HeaderModifier)
    assert (asked.set, asked.remove) == ((("x", "a"),), ("w",))
    assert isinstance(answered, HeaderModifier)
    assert answered.of_response


def test_own_answers(routes: Routes) -> None:
    (route,) = routes(root("requestRedirectPolicy: {hostname: b.example.com, statusCode: 301, prefix: /new}"))
    (redirect,) = route.filters
    assert isinstance(redirect, RequestRedirect)
    assert (redirect.status, redirect.host, redirect.path, redirect.replace_prefix) == (
        301,
        "b.example.com",
        "/new",
        True,
    )
    (route,) = routes(root("directResponsePolicy: {statusCode: 204}"))
    (answer,) = route.filters
    assert isinstance(answer, FixedResponse)
    assert answer.status == 204


def test_of_the_virtual_host(routes: Routes) -> None:
    spec = """
        virtualhost:
          fqdn: a.example.com
          tls: {secretName: certs/wild}
          corsPolicy: {allowOrigin: ["*"], allowMethods: [GET], maxAge: 10m}
          ipAllowPolicy: [{cidr: 10.0.0.0/8, source: Peer}]
          authorization: {extensionRef: {name: auth, namespace: infra}}
        routes:
          - services: [{name: web, port: 80}]
          - conditions: [{prefix: /open}]
            services: [{name: web, port: 80}]
            ipAllowPolicy: [{cidr: 0.0.0.0/0, source: Peer}]
    """
    lent = (
        "apiVersion: projectcontour.io/v1\nkind: TLSCertificateDelegation\nmetadata: {name: lent, namespace: certs}\n"
        'spec: {delegations: [{secretName: wild, targetNamespaces: ["*"]}]}'
    )
    first, _, second, _ = routes(proxy(spec), lent, service())
    cors = first.filters[0]
    assert isinstance(cors, CORS)
    assert (cors.origins, cors.methods, cors.max_age) == (("*",), ("GET",), 600)
    assert [item.value for item in first.allowed_sources] == ["10.0.0.0/8"]
    assert [item.value for item in second.allowed_sources] == ["0.0.0.0/0"]
    assert [(item.kind.kind, item.namespace, item.name) for item in first.attached] == [
        ("ExtensionService", "infra", "auth")
    ]
    tls = first.listeners[0].tls
    assert tls is not None
    assert [(item.namespace, item.name) for item in tls.certificates] == [("certs", "wild")]
    assert first.listeners[0].usable


def test_certificate_delegation(routes: Routes, verdicts: Verdicts) -> None:
    written = root(tls="{secretName: certs/wild}")
    (verdict,) = verdicts(written, service())
    assert (verdict.reason, verdict.certainty) == (Reason.REF_NOT_PERMITTED, Certainty.UNKNOWN)
    lent = (
        "apiVersion: projectcontour.io/v1\nkind: TLSCertificateDelegation\nmetadata: {name: lent, namespace: certs}\n"
        "spec: {delegations: [{secretName: wild, targetNamespaces: [other]}]}"
    )
    (verdict,) = verdicts(written, lent, service())
    assert verdict.certainty is Certainty.KNOWN
    assert not routes(written, lent, service())[0].listeners[0].usable
    assert not verdicts(written, lent.replace("other", "default"), service())


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (root(tls="{secretName: x, passthrough: true}", more="tcpproxy: {services: [{name: web, port: 80}]}"), "both"),
        (root(tls="{minimumProtocolVersion: '1.3'}"), "neither"),
        (
            proxy("virtualhost: {fqdn: a.example.com}\ntcpproxy: {services: [{name: web, port: 80}]}"),
            "needs `virtualhost.tls`",
        ),
        (root("conditions: [{prefix: shop}]\nservices: [{name: web, port: 80}]"), "start with a slash"),
        (root("conditions: [{prefix: /a}, {prefix: /b}]\nservices: [{name: web, port: 80}]"), "only one path"),
        (root("services: [{name: web, port: 80}]\ndirectResponsePolicy: {statusCode: 200}"), "exactly one of"),
        (
            root(
                "conditions: [{exact: /a}]\nservices: [{name: web, port: 80}]\n"
                "pathRewritePolicy: {replacePrefix: [{replacement: /}]}"
            ),
            "a prefix can be replaced",
        ),
    ],
)
def test_faults(verdicts: Verdicts, written: str, words: str) -> None:
    (verdict,) = verdicts(written, service())
    assert verdict.reason is Reason.UNSUPPORTED_VALUE
    assert words in verdict.message


def test_tcp_proxy(routes: Routes) -> None:
    spec = "virtualhost: {fqdn: a.example.com, tls: {passthrough: true}}\ntcpproxy: {services: [{name: web, port: 80}]}"
    (route,) = routes(proxy(spec), service())
    assert listened(route) == [(443, "TLS")]
    tls = route.listeners[0].tls
    assert tls is not None
    assert said(tls.mode)[:2] == ("Passthrough", "explicit")
    assert route.backends[0].protocol.value is AppProtocol.TLS
    (route,) = routes(proxy(spec.replace("passthrough: true", "secretName: x")), service())
    assert (listened(route), route.backends[0].protocol.value) == ([(443, "TLS")], AppProtocol.TCP)


def test_tcp_proxy_with_routes(routes: Routes) -> None:
    written = root(tls="{passthrough: true}", more="tcpproxy: {services: [{name: web, port: 80}]}")
    stream, plain_route, redirect = routes(written, service())
    assert listened(stream) == [(443, "TLS")]
    assert plain_route.listeners == ()
    assert listened(redirect) == [(80, "HTTP")]


def test_tcp_proxy_from_elsewhere(routes: Routes) -> None:
    top = proxy("virtualhost: {fqdn: a.example.com, tls: {passthrough: true}}\ntcpproxy: {include: {name: part}}")
    part = proxy("tcpproxy: {services: [{name: web, port: 80}]}", name="part")
    (route,) = routes(top, part, service())
    assert (route.owner.name, listened(route)) == ("part", [(443, "TLS")])


def test_passthrough_without_tcp_proxy(routes: Routes) -> None:
    found = routes(root(tls="{passthrough: true}"), service())
    assert said(found[0].passthrough_refused)[1] == "explicit"


def test_table() -> None:
    assert ANNOTATIONS.spec("projectcontour.io/upstream-protocol.tls") is not None
    assert ANNOTATIONS.spec("contour.heptio.com/retry-on") is not None
    assert ANNOTATIONS.spec("projectcontour.io/response-timeouts") is None


def test_authorities_of_client_certificates(routes: Routes) -> None:
    checked = "{secretName: shop-tls, clientValidation: {caSecret: ca}}"
    first, *_ = routes(root(tls=checked), service())
    assert [(item.kind.kind, item.namespace, item.name) for item in first.attached] == [("Secret", "default", "ca")]


def test_connections_keep_to_their_host(routes: Routes) -> None:
    found = {
        item.misdirected for route in routes(root(tls="{secretName: shop-tls}"), service()) for item in route.listeners
    }
    assert found == {"", "421"}
