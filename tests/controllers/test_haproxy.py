"""What HAProxy Technologies' controller makes of Ingresses: each value, who decided it, and where."""

from __future__ import annotations

import pytest

from ingress_lint.graph.resolution import Existence
from ingress_lint.routes.filters import CORS, ExtensionFilter, HeaderModifier, RequestRedirect, URLRewrite
from ingress_lint.routes.matches import PathMatch, PathMatchType
from ingress_lint.routes.traffic import AppProtocol
from tests.controllers.conftest import Routes, said

CONTROLLER = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: haproxy, namespace: haproxy}
spec:
  selector: {matchLabels: {app: haproxy}}
  template:
    metadata: {labels: {app: haproxy}}
    spec: {containers: [{name: c, image: "haproxytech/kubernetes-ingress:3.1", args: [--configmap=haproxy/settings]}]}
"""
IMPLEMENTATION_SPECIFIC = "{path: /shop/, pathType: ImplementationSpecific,"


def service(annotations: str = "") -> str:
    keys = "\n".join(f"    haproxy.org/{line}" for line in annotations.splitlines())
    return f"""\
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations:
    a: b
{keys}
spec: {{selector: {{app: web}}, ports: [{{port: 80, targetPort: 8080}}]}}
"""


def ingress(
    annotations: str = "", path: str = "{path: /shop, pathType: Prefix,", tls: str = "", host: str = "a.example.com"
) -> str:
    keys = "\n".join(f"    haproxy.org/{line}" for line in annotations.splitlines())
    return f"""\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  annotations:
    haproxy.org/load-balance: roundrobin
{keys}
spec:
  ingressClassName: haproxy
  {tls}
  rules:
    - host: {host}
      http: {{paths: [{path} backend: {{service: {{name: web, port: {{number: 80}}}}}}}}]}}
"""


def config(data: str) -> str:
    lines = "\n".join(f"  {line}" for line in data.splitlines())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings, namespace: haproxy}}\ndata:\n{lines}\n"


TLS = "tls: [{hosts: [a.example.com], secretName: a-tls}]"


def test_defaults(routes: Routes) -> None:
    (route,) = routes(ingress(), service())
    backend = route.backends[0]
    assert route.controller.value == "haproxy"
    assert said(backend.protocol)[:2] == (AppProtocol.HTTP, "default")
    assert said(backend.timeouts.connect)[:2] == (5, "default")
    assert said(backend.timeouts.read)[:2] == (50, "default")
    assert backend.keep_alive.upstream_idle is None
    assert backend.keep_alive.reuses_upstream
    assert said(backend.keep_alive.client_idle)[:2] == (60, "default")
    assert backend.body_limit is None
    check = backend.health_check
    assert check is not None
    assert (said(check.protocol)[:2], check.path, check.codes) == (("TCP", "default"), None, None)
    assert said(check.interval)[:2] == (2.0, "default")
    assert [item.port.value for item in route.listeners] == [80]


@pytest.mark.parametrize(
    ("path", "annotations", "expected"),
    [
        ("{path: /shop, pathType: Prefix,", "", PathMatch(PathMatchType.PREFIX, "/shop")),
        ("{path: /shop, pathType: Exact,", "", PathMatch(PathMatchType.EXACT, "/shop")),
        (IMPLEMENTATION_SPECIFIC, "", PathMatch(PathMatchType.STRING_PREFIX, "/shop")),
        ("{path: /, pathType: ImplementationSpecific,", "", PathMatch(PathMatchType.PREFIX, "/")),
        (IMPLEMENTATION_SPECIFIC, "route-acl: cookie(staging) -m found", PathMatch(PathMatchType.PREFIX, "/shop/")),
    ],
)
def test_paths(routes: Routes, path: str, annotations: str, expected: PathMatch) -> None:
    (route,) = routes(ingress(path=path), service(annotations))
    assert route.matches[0].path.value == expected
    assert route.matches[0].condition == ("cookie(staging) -m found" if annotations else "")


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ('server-ssl: "true"', (AppProtocol.HTTPS, "explicit", '"true"')),
        ("server-proto: h2", (AppProtocol.H2C, "explicit", "h2")),
        ('server-ssl: "true"\nserver-proto: h2', (AppProtocol.HTTPS, "explicit", '"true"')),
    ],
)
def test_protocol(routes: Routes, annotations: str, expected: tuple[AppProtocol, str, str]) -> None:
    assert said(routes(ingress(annotations), service())[0].backends[0].protocol) == expected
    assert said(routes(ingress(), service(annotations))[0].backends[0].protocol) == expected


def test_the_service_beats_the_ingress_and_that_the_config_map(routes: Routes) -> None:
    settings = config('timeout-server: 10s\ntimeout-connect: "2500"')
    times = routes(ingress(), service(), settings, CONTROLLER)[0].backends[0].timeouts
    assert said(times.read) == (10.0, "explicit", "10s")
    assert said(times.connect) == (2.5, "explicit", '"2500"')
    times = routes(ingress("timeout-server: 20s"), service(), settings, CONTROLLER)[0].backends[0].timeouts
    assert said(times.read) == (20.0, "explicit", "20s")
    times = (
        routes(ingress("timeout-server: 20s"), service("timeout-server: 2m"), settings, CONTROLLER)[0]
        .backends[0]
        .timeouts
    )
    assert said(times.read) == (120.0, "explicit", "2m")


def test_timeout_connect_is_the_config_maps_alone(routes: Routes) -> None:
    (route,) = routes(ingress("timeout-connect: 20s"), service())
    assert said(route.backends[0].timeouts.connect)[:2] == (5, "default")


@pytest.mark.parametrize(
    ("annotations", "protocol", "path"),
    [
        ("check-http: /health", "HTTP", "/health"),
        ("check-http: HEAD /health", "HTTP", "/health"),
        ("check-http: HEAD /health HTTP/1.1", "HTTP", "/health"),
        ('check-http: /health\nserver-ssl: "true"', "HTTPS", "/health"),
    ],
)
def test_health_check(routes: Routes, annotations: str, protocol: str, path: str) -> None:
    (route,) = routes(ingress(annotations + "\ncheck-interval: 1m\ntimeout-check: 3s"), service())
    check = route.backends[0].health_check
    assert check is not None
    assert check.path is not None
    assert (check.protocol.value, check.path.value, check.path.origin.value) == (protocol, path, "explicit")
    assert said(check.codes)[:2] == ("200-399", "default")
    assert said(check.interval)[:2] == (60.0, "explicit")
    assert said(check.timeout)[:2] == (3.0, "explicit")


def test_no_health_check(routes: Routes) -> None:
    assert routes(ingress('check: "false"'), service())[0].backends[0].health_check is None


def test_redirect_to_https_is_on_with_tls(routes: Routes) -> None:
    served, redirected = routes(ingress(tls=TLS), service())
    assert [item.protocol.value for item in served.listeners] == ["HTTPS"]
    tls = served.listeners[0].tls
    assert tls is not None
    assert [item.name for item in tls.certificates] == ["a-tls"]
    (redirect,) = redirected.filters
    assert isinstance(redirect, RequestRedirect)
    assert (redirect.status, redirect.scheme, redirect.port) == (302, "https", 8443)
    assert redirect.place.pointer[-1] == "secretName"
    assert [item.protocol.value for item in redirected.listeners] == ["HTTP"]


def test_redirect_to_https_by_annotation(routes: Routes) -> None:
    served, redirected = routes(
        ingress('ssl-redirect: "true"\nssl-redirect-code: "301"\nssl-redirect-port: "443"'), service()
    )
    (redirect,) = redirected.filters
    assert isinstance(redirect, RequestRedirect)
    assert (redirect.status, redirect.port) == (301, 443)
    assert [item.protocol.value for item in served.listeners] == ["HTTPS"]
    (route,) = routes(ingress('ssl-redirect: "false"', tls=TLS), service())
    assert [item.protocol.value for item in route.listeners] == ["HTTP", "HTTPS"]


def test_request_redirect(routes: Routes) -> None:
    (route,) = routes(ingress("request-redirect: https://b.example.com:8888"), service())
    (redirect,) = route.filters
    assert isinstance(redirect, RequestRedirect)
    assert (redirect.scheme, redirect.host, redirect.port, redirect.status) == ("https", "b.example.com", 8888, 302)
    assert not route.backends


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/", [("/", None)]),
        (r"/foo/(.*) /\1", [("/$1", "/foo/(.*)")]),
        ("|\n      /foo/(.*) /\\1\n      /bar/(.*) /baz/\\1", [("/$1", "/foo/(.*)"), ("/baz/$1", "/bar/(.*)")]),
    ],
)
def test_path_rewrite(routes: Routes, value: str, expected: list[tuple[str, str | None]]) -> None:
    text = ingress().replace("spec:\n", f"    haproxy.org/path-rewrite: {value}\nspec:\n", 1)
    (route,) = routes(
        text.replace("metadata:\n  name: web\n  annotations:\n", "metadata:\n  name: web\n  annotations:\n"), service()
    )
    assert [(item.path, item.regex) for item in route.filters if isinstance(item, URLRewrite)] == expected


def test_headers_cors_and_logins(routes: Routes) -> None:
    annotations = (
        'set-host: in.example\nrequest-set-header: X-A b\nresponse-set-header: X-B "c"\ncors-enable: "true"\n'
        "auth-type: basic-auth\nauth-secret: users\nallow-list: 10.0.0.0/8, 192.168.0.1"
    )
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: other}\n"
    (route,) = routes(ingress(annotations), service(), secret)
    host, request, response, cors, login = route.filters
    assert isinstance(host, URLRewrite)
    assert isinstance(request, HeaderModifier)
    assert isinstance(response, HeaderModifier)
    assert isinstance(cors, CORS)
    assert isinstance(login, ExtensionFilter)
    assert (host.host, request.set, response.set, response.of_response) == (
        "in.example",
        (("X-A", "b"),),
        (("X-B", "c"),),
        True,
    )
    assert (cors.origins, cors.max_age) == (("*",), 5)
    assert [item.value for item in route.allowed_sources] == ["10.0.0.0/8", "192.168.0.1"]
    assert [(item.kind.kind, item.name, item.object.existence) for item in route.attached] == [
        ("Secret", "users", Existence.MISSING)
    ]


def test_passthrough(routes: Routes) -> None:
    (route,) = routes(ingress('ssl-passthrough: "true"\ncheck-http: /health\npath-rewrite: /', tls=TLS), service())
    (listener,) = route.listeners
    assert listener.tls is not None
    assert (listener.port.value, listener.protocol.value, listener.tls.mode.value) == (443, "TLS", "Passthrough")
    backend = route.backends[0]
    assert backend.protocol.value is AppProtocol.TLS
    assert backend.health_check is not None
    assert backend.health_check.protocol.value == "TCP"
    assert not route.filters
    assert route.passthrough_refused is None


def test_passthrough_needs_a_host(routes: Routes) -> None:
    text = ingress('ssl-passthrough: "true"').replace("- host: a.example.com\n      http", "- http")
    (route,) = routes(text, service())
    assert route.passthrough_refused is not None
    assert "server name" in route.passthrough_refused.value
    assert route.backends[0].protocol.value is AppProtocol.HTTP


@pytest.mark.parametrize(
    ("data", "said_how", "clients"),
    [
        ("http-connection-mode: httpclose", "`http-connection-mode: httpclose`", 1),
        ("http-connection-mode: http-server-close", "`http-connection-mode: http-server-close`", None),
        ('http-server-close: "true"', "`http-server-close`", None),
    ],
)
def test_connections_that_are_closed(routes: Routes, data: str, said_how: str, clients: int | None) -> None:
    keep_alive = routes(ingress(), service(), config(data), CONTROLLER)[0].backends[0].keep_alive
    assert said(keep_alive.upstream_disabled)[:2] == (said_how, "explicit")
    assert not keep_alive.reuses_upstream
    assert (keep_alive.client_requests.value if keep_alive.client_requests else None) == clients


def test_connections_that_a_snippet_closes(routes: Routes) -> None:
    (route,) = routes(ingress("backend-config-snippet: option httpclose"), service())
    disabled = route.backends[0].keep_alive.upstream_disabled
    assert said(disabled)[:2] == ("`option httpclose` in backend-config-snippet", "explicit")


def test_proxy_protocol(routes: Routes) -> None:
    (route,) = routes(ingress("send-proxy-protocol: proxy-v2"), service())
    assert said(route.backends[0].proxy_protocol) == (True, "explicit", "proxy-v2")
    assert route.listeners[0].takes_proxy_protocol is None
    for data, expected in (
        ("proxy-protocol: 0.0.0.0/0", True),
        ("proxy-protocol: 10.0.0.0/8", None),
        ("maxconn: '5'", False),
    ):
        (route,) = routes(ingress(), service(), config(data), CONTROLLER)
        takes = route.listeners[0].takes_proxy_protocol
        assert (takes.value if takes else None) is expected


# -- which of the two ---------------------------------------------------------------------------------------------


PLAIN = ingress().replace("    haproxy.org/load-balance: roundrobin\n", "    a: b\n")


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([ingress()], ("haproxy", "explicit")),
        ([PLAIN.replace("a: b", "haproxy-ingress.github.io/timeout-server: 5s")], ("haproxy-ingress", "explicit")),
        ([PLAIN, CONTROLLER], ("haproxy", "explicit")),
        (
            [PLAIN, CONTROLLER.replace("haproxytech/kubernetes-ingress", "quay.io/jcmoraisjr/haproxy-ingress")],
            ("haproxy-ingress", "explicit"),
        ),
        ([PLAIN], ("haproxy-ingress", "derived")),
        ([PLAIN.replace("a: b", "ingress.kubernetes.io/ssl-redirect: 'false'")], ("haproxy-ingress", "derived")),
        ([PLAIN.replace("  ingressClassName: haproxy\n", ""), CONTROLLER], ("haproxy", "derived")),
        (
            [
                PLAIN,
                "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: haproxy}\nspec: {controller: haproxy.org/ingress-controller/prod}\n",
            ],
            ("haproxy", "explicit"),
        ),
        (
            [
                PLAIN,
                "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: haproxy}\nspec: {controller: haproxy-ingress.github.io/controller}\n",
            ],
            ("haproxy-ingress", "explicit"),
        ),
    ],
)
def test_which_controller(routes: Routes, documents: list[str], expected: tuple[str, str]) -> None:
    found = routes(*documents, service())[0].controller
    assert (found.value, found.origin.value) == expected
