"""What Traefik makes of Ingresses and of its own objects: each value, who decided it, and where."""

from __future__ import annotations

import pytest

from ingress_lint.graph.resolution import Existence
from ingress_lint.routes.filters import CORS, ExtensionFilter, HeaderModifier, RequestRedirect, URLRewrite
from ingress_lint.routes.matches import PathMatch, PathMatchType
from ingress_lint.routes.model import ExternalAuth, Filter, RequestMirror, Route
from ingress_lint.routes.traffic import AppProtocol
from ingress_lint.routes.verdicts import Certainty, Reason
from tests.controllers.conftest import Routes, said

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports:
    - {name: http, port: 80, targetPort: 8080}
    - {name: secure, port: 443, targetPort: 8443}
    - {name: https-admin, port: 9000, targetPort: 9000}
"""
TRAEFIK = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: traefik, namespace: traefik}
spec:
  selector: {matchLabels: {app: traefik}}
  template:
    metadata: {labels: {app: traefik}}
    spec:
      containers:
        - name: traefik
          image: docker.io/traefik:v3.5
          args:
            - --providers.kubernetesingress
            - --providers.kubernetescrd
            - --entryPoints.web.address=:8000/tcp
            - --entryPoints.websecure.address=:8443/tcp
            - --entryPoints.postgres.address=:5432
            - --entryPoints.dns.address=:5353/udp
            - --entryPoints.traefik.address=:8080/tcp
%s
          ports: [{name: web, containerPort: 8000}, {name: websecure, containerPort: 8443}]
---
apiVersion: v1
kind: Service
metadata: {name: traefik, namespace: traefik}
spec:
  type: LoadBalancer
  selector: {app: traefik}
  ports: [{name: web, port: 80, targetPort: web}, {name: websecure, port: 443, targetPort: websecure}]
"""


def traefik(*flags: str) -> str:
    return TRAEFIK % "\n".join(f"            - --{flag}" for flag in flags)


def ingress(
    annotations: str = "", path: str = "{path: /shop, pathType: Prefix,", port: str = "80", tls: str = ""
) -> str:
    return f"""\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: web, annotations: {{{annotations}}}}}
spec:
  ingressClassName: traefik
  {tls}
  rules:
    - host: a.example.com
      http: {{paths: [{path} backend: {{service: {{name: web, port: {{number: {port}}}}}}}}}]}}
"""


def ingress_route(
    rule: str = "Host(`a.example.com`)", service: str = "name: web, port: 80", more: str = "", tls: str = ""
) -> str:
    return f"""\
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {{name: shop}}
spec:
  entryPoints: [websecure]
  {tls}
  routes:
    - match: {rule}
      services: [{{{service}}}]
      {more}
"""


def middleware(spec: str, name: str = "m") -> str:
    return f"apiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"


R = "traefik.ingress.kubernetes.io/router"


# -- Ingress --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotations", "path", "expected", "origin"),
    [
        ("", "{path: /v1, pathType: Prefix,", PathMatch(PathMatchType.STRING_PREFIX, "/v1"), "explicit"),
        ("", "{path: /v1, pathType: Exact,", PathMatch(PathMatchType.EXACT, "/v1"), "explicit"),
        (
            "",
            "{path: /v1, pathType: ImplementationSpecific,",
            PathMatch(PathMatchType.STRING_PREFIX, "/v1"),
            "explicit",
        ),
        (
            f"{R}.pathmatcher: PathRegexp",
            "{path: '/v[0-9]+', pathType: ImplementationSpecific,",
            PathMatch(PathMatchType.REGULAR_EXPRESSION, "/v[0-9]+", open_end=True, open_start=True),
            "derived",
        ),
        (
            f"{R}.pathmatcher: Path",
            "{path: /v1, pathType: Prefix,",
            PathMatch(PathMatchType.STRING_PREFIX, "/v1"),
            "explicit",
        ),
    ],
)
def test_paths(routes: Routes, annotations: str, path: str, expected: PathMatch, origin: str) -> None:
    (route,) = routes(ingress(annotations, path), SERVICE)
    assert route.matches[0].path.value == expected
    assert route.matches[0].path.origin.value == origin


def test_strict_prefix_matching(routes: Routes) -> None:
    flag = "providers.kubernetesingress.strictPrefixMatching=true"
    found = routes(ingress(), SERVICE, traefik(flag))
    assert found[0].matches[0].path.value == PathMatch(PathMatchType.PREFIX, "/shop")


@pytest.mark.parametrize(
    ("port", "annotation", "expected"),
    [
        ("80", "", (AppProtocol.HTTP, "default", "{name: web}")),
        ("443", "", (AppProtocol.HTTPS, "derived", "443, targetPort: 8443}")),
        ("9000", "", (AppProtocol.HTTPS, "derived", "https-admin, port: 9000, targetPort: 9000}")),
        ("443", "http", (AppProtocol.HTTP, "explicit", "http}}")),
        ("80", "h2c", (AppProtocol.H2C, "explicit", "h2c}}")),
        ("80", "ftp", (AppProtocol.UNKNOWN, "explicit", "ftp}}")),
    ],
)
def test_scheme(routes: Routes, port: str, annotation: str, expected: tuple[AppProtocol, str, str]) -> None:
    service = SERVICE
    if annotation:
        key = "traefik.ingress.kubernetes.io/service.serversscheme"
        service = service.replace("{name: web}", f"{{name: web, annotations: {{{key}: {annotation}}}}}")
    (route,) = routes(ingress(port=port), service)
    value, origin, text = said(route.backends[0].protocol)
    assert (value, origin) == expected[:2]
    assert text == expected[2] or not annotation


def test_a_service_annotation_on_the_ingress_does_nothing(routes: Routes) -> None:
    (route,) = routes(ingress("traefik.ingress.kubernetes.io/service.serversscheme: https"), SERVICE)
    assert route.backends[0].protocol.value is AppProtocol.HTTP


def test_times(routes: Routes) -> None:
    (route,) = routes(ingress(), SERVICE)
    backend = route.backends[0]
    assert said(backend.timeouts.connect)[:2] == (30.0, "default")
    assert said(backend.timeouts.read)[:2] == (float("inf"), "default")
    assert said(backend.keep_alive.upstream_idle)[:2] == (90.0, "default")
    assert said(backend.keep_alive.client_idle)[:2] == (180.0, "default")
    assert backend.keep_alive.retries_idempotent
    assert not backend.keep_alive.retries_resets
    assert backend.health_check is None
    assert backend.body_limit is None


def test_entry_points_without_the_installation(routes: Routes) -> None:
    (route,) = routes(ingress(tls="tls: [{hosts: [a.example.com], secretName: a-tls}]"), SERVICE)
    assert [(said(item.port)[:2], item.protocol.value) for item in route.listeners] == [
        ((80, "default"), "HTTP"),
        ((443, "default"), "HTTPS"),
    ]
    tls = route.listeners[1].tls
    assert tls is not None
    assert [item.name for item in tls.certificates] == ["a-tls"]


def test_router_tls(routes: Routes) -> None:
    (route,) = routes(ingress(f"{R}.entrypoints: websecure, {R}.tls: 'true'"), SERVICE)
    (listener,) = route.listeners
    assert (listener.port.value, said(listener.protocol)) == (443, ("HTTPS", "explicit", "'true'}}"))


def test_entry_points_of_the_installation(routes: Routes) -> None:
    (route,) = routes(ingress(), SERVICE, traefik("entryPoints.websecure.http.tls=true"))
    assert [(item.name, item.port.value, item.protocol.value) for item in route.listeners] == [
        ("web", 80, "HTTP"),
        ("websecure", 443, "HTTPS"),
        ("postgres", 5432, "HTTP"),
    ]
    assert said(route.listeners[0].port) == (
        80,
        "explicit",
        "80, targetPort: web}, {name: websecure, port: 443, targetPort: websecure}]",
    )
    assert route.listeners[0].trusts_forwarded is not None
    assert route.listeners[0].trusts_forwarded.value is False


def test_default_entry_points(routes: Routes) -> None:
    (route,) = routes(ingress(), SERVICE, traefik("entryPoints.web.asDefault=true"))
    assert [item.name for item in route.listeners] == ["web"]


def test_an_entry_point_that_redirects_serves_nothing_else(routes: Routes) -> None:
    flags = ("entryPoints.web.http.redirections.entryPoint.to=websecure", "entryPoints.websecure.http.tls=true")
    served, redirecting = routes(ingress(f"'{R}.entrypoints': 'web,websecure'"), SERVICE, traefik(*flags))
    assert [item.name for item in served.listeners] == ["websecure"]
    assert [item.name for item in redirecting.listeners] == ["web"]
    (redirect,) = redirecting.filters
    assert isinstance(redirect, RequestRedirect)
    assert (redirect.scheme, redirect.status, redirect.port) == ("https", 301, None)


def test_priority(routes: Routes) -> None:
    (route,) = routes(ingress(), SERVICE)
    assert route.priority is not None
    assert (route.priority.value, route.priority.origin.value) == (
        len("Host(`a.example.com`) && PathPrefix(`/shop`)"),
        "derived",
    )
    (route,) = routes(ingress(f"{R}.priority: '42'"), SERVICE)
    assert said(route.priority) == (42, "explicit", "'42'}}")


def test_default_backend_counts_only_without_rules(routes: Routes) -> None:
    default = "defaultBackend: {service: {name: web, port: {number: 80}}}"
    assert [route.is_default for route in routes(ingress(tls=default), SERVICE)] == [False]
    alone = f"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: web}}\nspec: {{ingressClassName: traefik, {default}}}"
    (route,) = routes(alone, SERVICE)
    assert route.is_default
    assert route.priority is not None
    assert route.priority.value == -(2**31)


@pytest.mark.parametrize(
    ("annotation", "more", "expected"),
    [
        ("service.nativelb: 'true'", "", ("cluster-ip", "explicit")),
        ("service.nativelb: 'false'", "", ("pod", "default")),
        ("service.nodeportlb: 'true'", "", ("pod", "default")),
        ("service.nodeportlb: 'true'", "type: NodePort", ("node", "explicit")),
    ],
)
def test_target(routes: Routes, annotation: str, more: str, expected: tuple[str, str]) -> None:
    service = SERVICE.replace(
        "{name: web}", f"{{name: web, annotations: {{traefik.ingress.kubernetes.io/{annotation}}}}}"
    )
    (route,) = routes(ingress(), service.replace("spec:\n", f"spec:\n  {more}\n"))
    assert said(route.backends[0].target)[:2] == expected


# -- references in annotations --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "existence"),
    [
        ("default-m@kubernetescrd", Existence.FOUND),
        ("m@kubernetescrd", Existence.MISSING),
        ("m", Existence.MISSING),
        ("default-gone@kubernetescrd", Existence.MISSING),
        ("auth@file", Existence.EXTERNAL),
        ("other-m@kubernetescrd", Existence.PARTIAL),
    ],
)
def test_middleware_references(routes: Routes, name: str, existence: Existence) -> None:
    (route,) = routes(ingress(f"{R}.middlewares: {name}"), SERVICE, middleware("stripPrefix: {prefixes: [/shop]}"))
    (attachment,) = route.attached
    assert attachment.object.existence is existence
    assert (attachment.kind.kind, attachment.place.pointer[-1]) == ("Middleware", f"{R}.middlewares")


# -- IngressRoute ---------------------------------------------------------------------------------------------------


def test_rule_becomes_hosts_and_matches(routes: Routes) -> None:
    rule = (
        "(Host(`a.example.com`) || Host(`b.example.com`)) && (Path(`/x`) || PathPrefix(`/y`)) && ClientIP(`10.0.0.1`)"
    )
    first, second = routes(ingress_route(rule), SERVICE)
    assert [said(item.hostnames[0])[0] for item in (first, second)] == ["a.example.com", "b.example.com"]
    assert [item.path.value for item in first.matches] == [
        PathMatch(PathMatchType.EXACT, "/x"),
        PathMatch(PathMatchType.STRING_PREFIX, "/y"),
    ]
    assert {item.condition for item in first.matches} == {"ClientIP(`10.0.0.1`)"}
    assert (first.first_match, second.first_match) == (0, 2)
    assert first.priority is not None
    assert (first.priority.value, first.priority.origin.value) == (len(rule), "derived")
    assert said(first.controller)[:2] == ("traefik", "explicit")


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("name: web, port: 443", (AppProtocol.HTTPS, "derived")),
        ("name: web, port: http", (AppProtocol.HTTP, "default")),
        ("name: web, port: https-admin", (AppProtocol.HTTPS, "derived")),
        ("name: web, port: 443, scheme: http", (AppProtocol.HTTP, "explicit")),
    ],
)
def test_scheme_of_a_route(routes: Routes, service: str, expected: tuple[AppProtocol, str]) -> None:
    (route,) = routes(ingress_route(service=service), SERVICE)
    assert said(route.backends[0].protocol)[:2] == expected


def test_a_port_in_quotes_is_a_name(routes: Routes) -> None:
    (route,) = routes(ingress_route(service="name: web, port: '80'"), SERVICE)
    assert route.backends[0].service_port is None


def test_tls(routes: Routes) -> None:
    (route,) = routes(ingress_route(tls="tls: {secretName: shop-tls}"), SERVICE)
    (listener,) = route.listeners
    assert listener.tls is not None
    assert said(listener.protocol) == ("HTTPS", "explicit", "tls: {secretName: shop-tls}")
    assert [(item.kind, item.name) for item in listener.tls.certificates] == [("Secret", "shop-tls")]


def test_tls_options(routes: Routes) -> None:
    options = """\
apiVersion: traefik.io/v1alpha1
kind: TLSOption
metadata: {name: mtls}
spec: {clientAuth: {secretNames: [ca], clientAuthType: RequireAndVerifyClientCert}}
"""
    (route,) = routes(ingress_route(tls="tls: {options: {name: mtls}}"), SERVICE, options)
    tls = route.listeners[0].tls
    assert tls is not None
    assert tls.clients is not None
    assert tls.clients.required
    (route,) = routes(ingress_route(tls="tls: {options: {name: gone}}"), SERVICE, options)
    assert [(item.kind.kind, item.object.existence) for item in route.attached] == [("TLSOption", Existence.MISSING)]


def test_servers_transport(routes: Routes) -> None:
    transport = """\
apiVersion: traefik.io/v1alpha1
kind: ServersTransport
metadata: {name: slow}
spec:
  serverName: web.internal
  maxIdleConnsPerHost: 7
  forwardingTimeouts: {dialTimeout: 5s, responseHeaderTimeout: 1m30s, idleConnTimeout: 20}
"""
    (route,) = routes(ingress_route(service="name: web, port: 443, serversTransport: slow"), SERVICE, transport)
    backend = route.backends[0]
    assert said(backend.timeouts.connect)[:2] == (5.0, "explicit")
    assert said(backend.timeouts.read)[:2] == (90.0, "explicit")
    assert said(backend.keep_alive.upstream_idle)[:2] == (20.0, "explicit")
    assert said(backend.keep_alive.upstream_connections)[:2] == (7, "explicit")
    assert backend.tls is not None
    assert backend.tls.hostname.value == "web.internal"


def test_weights_of_nested_services(routes: Routes) -> None:
    nested = """\
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: split}
spec: {weighted: {services: [{name: web, port: 80, weight: 2}, {name: web, port: 443, weight: 1}]}}
"""
    route_text = ingress_route(service="name: web, port: 9000").replace(
        "}]\n", "}, {name: split, kind: TraefikService, weight: 3}]\n", 1
    )
    (route,) = routes(route_text, SERVICE, nested)
    assert [(item.port.value if item.port else None, item.weight) for item in route.backends] == [
        (9000, 1),
        (80, 2),
        (443, 1),
    ]


def test_mirror_and_failover(routes: Routes) -> None:
    services = """\
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: copied}
spec: {mirroring: {name: web, port: 80, mirrors: [{name: web, port: 443, percent: 20}]}}
---
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: spare}
spec: {failover: {service: {name: web, port: 80}, fallback: {name: web, port: 9000}}}
"""
    (route,) = routes(ingress_route(service="name: copied, kind: TraefikService"), SERVICE, services)
    (mirror,) = route.filters
    assert isinstance(mirror, RequestMirror)
    assert (mirror.share, str(mirror.backend)) == (0.2, "Service default/web:443")
    (route,) = routes(ingress_route(service="name: spare, kind: TraefikService"), SERVICE, services)
    assert [str(item) for item in route.backends] == ["Service default/web:80"]
    assert str(route.fallback) == "Service default/web:9000"


def test_a_missing_traefik_service_and_one_of_another_provider(routes: Routes) -> None:
    known = "apiVersion: traefik.io/v1alpha1\nkind: TraefikService\nmetadata: {name: other}\nspec: {}\n"
    (route,) = routes(ingress_route(service="name: gone, kind: TraefikService"), SERVICE, known)
    assert (route.backends[0].kind, route.backends[0].service.existence) == ("TraefikService", Existence.MISSING)
    (route,) = routes(ingress_route(service="name: api@internal, kind: TraefikService"), SERVICE)
    assert route.backends[0].service.existence is Existence.EXTERNAL


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("stripPrefix: {prefixes: [/api/]}", (URLRewrite, "$1", "^(?:(?:/|(?i:%2F))api(?:/|(?i:%2F)))(.*)$")),
        ("stripPrefixRegex: {regex: ['/v([0-9]+)']}", (URLRewrite, "$2", "^(?:/v([0-9]+))(.*)$")),
        ("addPrefix: {prefix: /in}", (URLRewrite, "/in$1", "^(.*)$")),
        ("replacePath: {path: /one}", (URLRewrite, "/one", None)),
        ("replacePathRegex: {regex: ^/a/(.*), replacement: /b/$1}", (URLRewrite, "/b/$1", "^/a/(.*)")),
    ],
)
def test_rewrites(routes: Routes, spec: str, expected: tuple[type, str, str | None]) -> None:
    (found,) = only(routes(ingress_route(more="middlewares: [{name: m}]"), SERVICE, middleware(spec))).filters
    assert isinstance(found, URLRewrite)
    assert (type(found), found.path, found.regex) == expected
    assert found.place.pointer[-1] == spec.partition(":")[0]


def only(found: list[Route]) -> Route:
    (route,) = found
    return route


def test_headers(routes: Routes) -> None:
    spec = """headers: {customRequestHeaders: {X-A: b, X-Gone: "", Host: in.example}, customResponseHeaders: {X-B: c},
      accessControlAllowOriginList: ["https://a.example"], accessControlMaxAge: 60}"""
    filters: tuple[Filter, ...] = only(
        routes(ingress_route(more="middlewares: [{name: m}]"), SERVICE, middleware(spec))
    ).filters
    host, request, response, cors = filters
    assert isinstance(host, URLRewrite)
    assert isinstance(request, HeaderModifier)
    assert isinstance(response, HeaderModifier)
    assert isinstance(cors, CORS)
    assert host.host == "in.example"
    assert (request.set, request.remove) == ((("X-A", "b"), ("Host", "in.example")), ("X-Gone",))
    assert response.of_response
    assert (cors.origins, cors.max_age) == (("https://a.example",), 60)


def test_scheme_redirect_answers_only_plain_requests(routes: Routes) -> None:
    both = ingress(f"{R}.entrypoints: 'web,websecure', {R}.middlewares: default-m@kubernetescrd")
    redirected, served = routes(both, SERVICE, middleware("redirectScheme: {scheme: https, permanent: true}"))
    assert [item.protocol.value for item in redirected.listeners] == ["HTTP"]
    assert [(type(item), getattr(item, "status", None)) for item in redirected.filters] == [(RequestRedirect, 301)]
    assert not redirected.backends
    assert [item.protocol.value for item in served.listeners] == ["HTTPS"]
    assert not served.filters
    assert served.backends


def test_everything_else_that_middlewares_do(routes: Routes) -> None:
    parts = [
        middleware("chain: {middlewares: [{name: lan}, {name: limit}]}"),
        middleware("ipAllowList: {sourceRange: [10.0.0.0/8]}", "lan"),
        middleware("buffering: {maxRequestBodyBytes: 2000}", "limit"),
        middleware("retry: {attempts: 4}", "again"),
        middleware("forwardAuth: {address: 'http://web.default.svc.cluster.local/auth'}", "login"),
        middleware("basicAuth: {secret: users}", "basic"),
        middleware("errors: {status: ['500'], query: /, service: {name: pages, port: 80}}", "pages"),
    ]
    more = "middlewares: [{name: m}, {name: again}, {name: login}, {name: basic}, {name: pages}]"
    route = only(routes(ingress_route(more=more), SERVICE, *parts))
    assert [item.value for item in route.allowed_sources] == ["10.0.0.0/8"]
    assert said(route.backends[0].body_limit)[:2] == (2000, "explicit")
    assert route.retries is not None
    assert route.retries.attempts == 4
    login, basic = route.filters
    assert isinstance(login, ExternalAuth)
    assert str(login.backend) == "Service default/web:80"
    assert isinstance(basic, ExtensionFilter)
    missing = [(item.kind.kind, item.name) for item in route.attached if item.object.existence is not Existence.FOUND]
    assert missing == [("Secret", "users"), ("Service", "pages")]


def test_chains_that_go_round_end(routes: Routes) -> None:
    route = only(
        routes(ingress_route(more="middlewares: [{name: m}]"), SERVICE, middleware("chain: {middlewares: [{name: m}]}"))
    )
    assert len(route.attached) < 20


# -- refusals -------------------------------------------------------------------------------------------------------


OTHER = SERVICE.replace("{name: web}", "{name: web, namespace: other}")


@pytest.mark.parametrize(
    ("flags", "refused"),
    [((), True), (("providers.kubernetescrd.allowCrossNamespace=true",), False)],
)
def test_other_namespaces(routes: Routes, flags: tuple[str, ...], refused: bool) -> None:
    text = ingress_route(service="name: web, namespace: other, port: 80")
    (route,) = routes(text, OTHER, traefik(*flags))
    refusal = route.backends[0].refusal
    assert (refusal is not None) == refused
    if refusal:
        assert (refusal.reason, refusal.certainty) == (Reason.REF_NOT_PERMITTED, Certainty.KNOWN)


def test_other_namespaces_stay_open_without_the_installation(routes: Routes) -> None:
    (route,) = routes(ingress_route(service="name: web, namespace: other, port: 80"), OTHER)
    assert route.backends[0].refusal is None


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        ("name: web, port: 80, scheme: ftp", Reason.UNSUPPORTED_VALUE),
        ("name: web, port: 80, kind: Pod", Reason.INVALID_KIND),
        ("name: web", Reason.UNSUPPORTED_VALUE),
    ],
)
def test_refused_backends(routes: Routes, service: str, reason: Reason) -> None:
    (route,) = routes(ingress_route(service=service), SERVICE)
    assert route.backends[0].refusal is not None
    assert route.backends[0].refusal.reason is reason


def test_a_rule_that_cannot_be_read_still_has_its_backends(routes: Routes) -> None:
    (route,) = routes(ingress_route("Hosts(`a`)"), SERVICE)
    assert route.matches[0].condition == "Hosts(`a`)"
    assert route.backends


# -- TCP and UDP ----------------------------------------------------------------------------------------------------


def tcp(tls: str, service: str = "name: web, port: 443") -> str:
    return f"""\
apiVersion: traefik.io/v1alpha1
kind: IngressRouteTCP
metadata: {{name: db}}
spec:
  entryPoints: [postgres]
  {tls}
  routes: [{{match: HostSNI(`db.example.com`), services: [{{{service}}}]}}]
"""


def test_passthrough(routes: Routes) -> None:
    (route,) = routes(tcp("tls: {passthrough: true}"), SERVICE, traefik())
    (listener,) = route.listeners
    assert listener.tls is not None
    assert (listener.port.value, listener.protocol.value, listener.tls.mode.value) == (5432, "TLS", "Passthrough")
    assert said(route.backends[0].protocol)[:2] == (AppProtocol.TLS, "derived")
    assert (route.hostnames[0].value, route.matches) == ("db.example.com", ())


def test_plain_tcp_and_tls_towards_the_pod(routes: Routes) -> None:
    (route,) = routes(tcp("").replace("db.example.com", "*"), SERVICE)
    assert (route.listeners[0].protocol.value, route.hostnames) == ("TCP", ())
    assert route.listeners[0].port.value == 0
    assert route.backends[0].protocol.value is AppProtocol.TCP
    (route,) = routes(tcp("tls: {}", "name: web, port: 443, tls: true, proxyProtocol: {version: 2}"), SERVICE)
    assert said(route.backends[0].protocol)[:2] == (AppProtocol.TLS, "explicit")
    assert route.backends[0].proxy_protocol is not None
    assert route.backends[0].proxy_protocol.value


def test_udp(routes: Routes) -> None:
    text = """\
apiVersion: traefik.io/v1alpha1
kind: IngressRouteUDP
metadata: {name: dns}
spec: {entryPoints: [dns], routes: [{services: [{name: web, port: 80}]}]}
"""
    (route,) = routes(text, SERVICE, traefik())
    assert (route.listeners[0].port.value, route.listeners[0].protocol.value) == (5353, "UDP")
    assert route.backends[0].protocol.value is AppProtocol.UDP


def test_the_old_group_and_rule_syntax(routes: Routes) -> None:
    text = ingress_route("Host(`a.example.com`, `b.example.com`)").replace("traefik.io/", "traefik.containo.us/")
    assert [route.hostnames[0].value for route in routes(text, SERVICE)] == ["a.example.com", "b.example.com"]


def test_external_name_health_check(routes: Routes) -> None:
    external = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: ExternalName, externalName: x.example, ports: [{port: 80}]}\n"
    service = "name: web, port: 80, passHostHeader: false, healthCheck: {path: /up, interval: 10s}"
    (route,) = routes(ingress_route(service=service), external)
    check = route.backends[0].health_check
    assert check is not None
    assert said(check.path) == ("/up", "explicit", "/up, interval: 10s}}]")
    assert said(check.interval)[:2] == (10.0, "explicit")
    assert said(check.timeout)[:2] == (5.0, "default")
    assert said(check.codes)[:2] == ("200-399", "default")
    (host,) = route.backends[0].filters
    assert isinstance(host, URLRewrite)
    assert host.host == "x.example"
    (route,) = routes(ingress_route(service=service), SERVICE)
    assert route.backends[0].health_check is None
