"""What HAProxy Ingress makes of Ingresses: each value, who decided it, and where."""

from __future__ import annotations

import pytest

from ingress_lint.routes.filters import CORS, HeaderModifier, RequestRedirect, URLRewrite
from ingress_lint.routes.matches import PathMatch, PathMatchType
from ingress_lint.routes.model import ExternalAuth
from ingress_lint.routes.traffic import AppProtocol, TargetKind
from tests.controllers.conftest import Routes, said

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"""
CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: haproxy-ingress, namespace: ingress-controller}
data: {%s}
"""
TLS = "tls: [{hosts: [a.example.com], secretName: a-tls}]"


def ingress(
    annotations: str = "",
    paths: str = "{path: /shop, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}",
    tls: str = "",
    prefix: str = "haproxy-ingress.github.io",
) -> str:
    keys = "\n".join(f"    {prefix}/{line}" for line in annotations.splitlines())
    return f"""\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  annotations:
    haproxy-ingress.github.io/balance-algorithm: roundrobin
{keys}
spec:
  ingressClassName: haproxy
  {tls}
  rules:
    - host: a.example.com
      http: {{paths: [{paths}]}}
"""


def path(value: str, kind: str) -> str:
    return f"{{path: {value}, pathType: {kind}, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}"


def test_defaults(routes: Routes) -> None:
    (route,) = routes(ingress(), SERVICE)
    backend = route.backends[0]
    assert route.controller.value == "haproxy-ingress"
    assert said(backend.protocol)[:2] == (AppProtocol.HTTP, "default")
    assert said(backend.target)[:2] == (TargetKind.POD, "default")
    assert said(backend.timeouts.connect)[:2] == (5, "default")
    assert said(backend.timeouts.read)[:2] == (50, "default")
    assert backend.keep_alive.upstream_idle is None
    assert said(backend.keep_alive.client_idle)[:2] == (60, "default")
    assert backend.body_limit is None
    check = backend.health_check
    assert check is not None
    assert (check.protocol.value, check.path) == ("TCP", None)
    assert said(check.interval)[:2] == (2.0, "default")
    assert said(check.healthy_threshold)[:2] == (2, "default")
    assert said(check.unhealthy_threshold)[:2] == (3, "default")
    assert [item.port.value for item in route.listeners] == [80]
    assert route.listeners[0].takes_proxy_protocol is None


@pytest.mark.parametrize(
    ("kind", "annotation", "expected", "origin"),
    [
        ("Prefix", "", PathMatch(PathMatchType.PREFIX, "/Shop"), "explicit"),
        ("Exact", "", PathMatch(PathMatchType.EXACT, "/Shop"), "explicit"),
        ("ImplementationSpecific", "", PathMatch(PathMatchType.STRING_PREFIX, "/Shop", ignore_case=True), "derived"),
        ("ImplementationSpecific", "path-type: regex", PathMatch(PathMatchType.REGULAR_EXPRESSION, "/Shop"), "derived"),
        ("ImplementationSpecific", "path-type: exact", PathMatch(PathMatchType.EXACT, "/Shop"), "derived"),
        ("ImplementationSpecific", "path-type: prefix", PathMatch(PathMatchType.PREFIX, "/Shop"), "derived"),
        ("Prefix", "path-type: regex", PathMatch(PathMatchType.PREFIX, "/Shop"), "explicit"),
    ],
)
def test_paths(routes: Routes, kind: str, annotation: str, expected: PathMatch, origin: str) -> None:
    (route,) = routes(ingress(annotation, path("/Shop", kind)), SERVICE)
    assert route.matches[0].path.value == expected
    assert route.matches[0].path.origin.value == origin


@pytest.mark.parametrize(
    ("annotations", "expected", "origin"),
    [
        ("backend-protocol: h1", AppProtocol.HTTP, "explicit"),
        ("backend-protocol: h1-ssl", AppProtocol.HTTPS, "explicit"),
        ("backend-protocol: HTTPS", AppProtocol.HTTPS, "explicit"),
        ("backend-protocol: h2", AppProtocol.H2C, "explicit"),
        ("backend-protocol: grpc", AppProtocol.GRPC, "explicit"),
        ("backend-protocol: h2-ssl", AppProtocol.HTTP2, "explicit"),
        ("backend-protocol: grpcs", AppProtocol.GRPCS, "explicit"),
        ("backend-protocol: fcgi", AppProtocol.FASTCGI, "explicit"),
        ("backend-protocol: spdy", AppProtocol.HTTP, "derived"),
        ('secure-backends: "true"', AppProtocol.HTTPS, "explicit"),
        ('backend-protocol: grpc\nsecure-backends: "true"', AppProtocol.GRPCS, "explicit"),
    ],
)
def test_protocol(routes: Routes, annotations: str, expected: AppProtocol, origin: str) -> None:
    (route,) = routes(ingress(annotations), SERVICE)
    assert said(route.backends[0].protocol)[:2] == (expected, origin)


def test_the_old_prefix(routes: Routes) -> None:
    (route,) = routes(ingress("backend-protocol: h1-ssl", prefix="ingress.kubernetes.io"), SERVICE)
    assert said(route.backends[0].protocol) == (AppProtocol.HTTPS, "explicit", "h1-ssl")


def test_health_check(routes: Routes) -> None:
    annotations = (
        "health-check-uri: /up\nhealth-check-port: '8081'\nhealth-check-interval: 7s\nhealth-check-rise-count: '4'\n"
        "health-check-fall-count: '5'\nsecure-backends: 'true'"
    )
    check = routes(ingress(annotations), SERVICE)[0].backends[0].health_check
    assert check is not None
    assert (said(check.path), check.protocol.value) == (("/up", "explicit", "/up"), "HTTPS")
    assert (said(check.port)[:2], check.resolved_port) == ((8081, "explicit"), 8081)
    assert said(check.codes)[:2] == ("200-399", "default")
    assert said(check.interval)[:2] == (7.0, "explicit")
    assert said(check.healthy_threshold)[:2] == (4, "explicit")
    assert said(check.unhealthy_threshold)[:2] == (5, "explicit")
    assert routes(ingress("health-check-addr: 10.0.0.1"), SERVICE)[0].backends[0].health_check is None


def test_config_map(routes: Routes) -> None:
    data = "timeout-server: 3m, use-proxy-protocol: 'true', proxy-body-size: 2m, backend-check-interval: 500"
    (route,) = routes(ingress(), SERVICE, CONFIG % data)
    backend = route.backends[0]
    assert said(backend.timeouts.read)[:2] == (180.0, "explicit")
    assert said(backend.body_limit)[:2] == (2 << 20, "explicit")
    assert backend.health_check is not None
    assert said(backend.health_check.interval)[:2] == (0.5, "explicit")
    takes = route.listeners[0].takes_proxy_protocol
    assert takes is not None
    assert takes.value is True


def test_redirect_to_https(routes: Routes) -> None:
    served, redirected = routes(ingress(tls=TLS), SERVICE)
    assert [item.protocol.value for item in served.listeners] == ["HTTPS"]
    (redirect,) = redirected.filters
    assert isinstance(redirect, RequestRedirect)
    assert (redirect.status, redirect.scheme, redirect.port) == (302, "https", None)
    (route,) = routes(ingress('ssl-redirect: "false"', tls=TLS), SERVICE)
    assert [item.protocol.value for item in route.listeners] == ["HTTP", "HTTPS"]
    challenge = path("/.well-known/acme-challenge", "Prefix")
    (route,) = routes(ingress(paths=challenge, tls=TLS), SERVICE)
    assert [item.protocol.value for item in route.listeners] == ["HTTP", "HTTPS"]


def test_app_root_redirect_and_aliases(routes: Routes) -> None:
    root, route = routes(ingress("app-root: /home\nserver-alias: b.example.com"), SERVICE)
    (redirect,) = root.filters
    assert isinstance(redirect, RequestRedirect)
    assert (redirect.path, redirect.status, root.matches[0].path.value.value) == ("/home", 302, "/")
    assert [item.value for item in route.hostnames] == ["a.example.com", "b.example.com"]
    (route,) = routes(ingress("redirect-to: https://b.example.com:444/x?y=1"), SERVICE)
    (redirect,) = route.filters
    assert isinstance(redirect, RequestRedirect)
    assert (redirect.scheme, redirect.host, redirect.port, redirect.path) == ("https", "b.example.com", 444, "/x?y=1")
    assert not route.backends


def test_filters(routes: Routes) -> None:
    annotations = (
        "rewrite-target: /in\nheaders: 'X-A: b'\ncors-enable: 'true'\nauth-url: http://auth.example.com\n"
        "allowlist-source-range: 10.0.0.0/8"
    )
    (route,) = routes(ingress(annotations), SERVICE)
    login, rewrite, headers, cors = route.filters
    assert isinstance(rewrite, URLRewrite)
    assert isinstance(headers, HeaderModifier)
    assert isinstance(cors, CORS)
    assert isinstance(login, ExternalAuth)
    assert (login.url, login.backend) == ("http://auth.example.com", None)
    assert (rewrite.path, rewrite.replace_prefix) == ("/in", True)
    assert headers.set == (("X-A", "b"),)
    assert (cors.origins, cors.max_age) == (("*",), 86400)
    assert [item.value for item in route.allowed_sources] == ["10.0.0.0/8"]


def test_logins(routes: Routes) -> None:
    (route,) = routes(ingress("auth-url: svc://web:80/auth\nauth-signin: https://a.example.com/login"), SERVICE)
    (login,) = route.filters
    assert isinstance(login, ExternalAuth)
    assert (str(login.backend), login.url) == ("Service default/web:80", "http://web.default.svc:80/auth")
    assert login.login == "https://a.example.com/login"


def test_service_upstream_and_proxy_protocol(routes: Routes) -> None:
    (route,) = routes(ingress("service-upstream: 'true'\nproxy-protocol: v2"), SERVICE)
    assert said(route.backends[0].target)[:2] == (TargetKind.CLUSTER_IP, "explicit")
    assert said(route.backends[0].proxy_protocol) == (True, "explicit", "v2")


def test_passthrough_takes_the_root_alone(routes: Routes) -> None:
    both = f"{path('/', 'Prefix')}, {path('/x', 'Prefix')}"
    root, other = routes(ingress("ssl-passthrough: 'true'", both), SERVICE)
    assert root.listeners[0].protocol.value == "TLS"
    assert root.backends[0].protocol.value is AppProtocol.TLS
    assert root.passthrough_refused is None
    assert other.passthrough_refused is not None
    assert "path `/` alone" in other.passthrough_refused.value
    (route,) = routes(ingress("ssl-passthrough: 'true'"), SERVICE)
    assert route.passthrough_refused is not None
    assert "does not have" in route.passthrough_refused.value


def test_a_snippet_that_closes_connections(routes: Routes) -> None:
    (route,) = routes(ingress("config-backend: option http-server-close"), SERVICE)
    disabled = route.backends[0].keep_alive.upstream_disabled
    assert said(disabled)[:2] == ("`option http-server-close` in config-backend", "explicit")
