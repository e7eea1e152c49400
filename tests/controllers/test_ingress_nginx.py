"""What ingress-nginx makes of Ingresses: each value, who decided it, and where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import indent

import pytest
from msgspec.structs import replace

from ingress_lint.engine import Options, read
from ingress_lint.routes.filters import RequestRedirect, URLRewrite
from ingress_lint.routes.matches import PathMatch, PathMatchType
from ingress_lint.routes.matching import Request, mismatch, path_matches
from ingress_lint.routes.model import ExternalAuth, Route
from ingress_lint.routes.sourced import Origin
from ingress_lint.routes.traffic import AppProtocol, TargetKind

SERVICE = """\
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
"""
CONTROLLER = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
spec:
  selector: {matchLabels: {app: ingress-nginx}}
  template:
    metadata: {labels: {app: ingress-nginx}}
    spec:
      containers:
        - name: controller
          image: registry.k8s.io/ingress-nginx/controller:v1.11.3
          args:
            - /nginx-ingress-controller
            - --configmap=$(POD_NAMESPACE)/ingress-nginx-controller
"""


def ingress(
    annotations: str = "", *, name: str = "web", host: str = "a.example.com", paths: str = "", tls: str = ""
) -> str:
    paths = paths or "- {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}"
    return f"""\
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {name}
  annotations:
    x: y
{indent(annotations.strip(), "    nginx.ingress.kubernetes.io/")}
spec:
  ingressClassName: nginx
{indent(tls, "  ")}
  rules:
    - host: {host}
      http:
        paths:
{indent(paths.strip(), "          ")}
"""


def config_map(data: str) -> str:
    return f"""\
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: ingress-nginx-controller, namespace: ingress-nginx}}
data:
{indent(data.strip(), "  ")}
"""


Lower = Callable[..., list[Route]]
TLS = "tls: [{hosts: [a.example.com], secretName: a-tls}]"


@pytest.fixture
def lower(tmp_path: Path) -> Lower:
    def lowered(*texts: str) -> list[Route]:
        file = tmp_path / "all.yaml"
        file.write_text("".join(texts), encoding="utf-8")
        (manifests,) = read(Options(paths=[str(file)])).sets
        return [route for route in manifests.routes if route.controller.value == "ingress-nginx"]

    return lowered


def redirect_of(route: Route) -> RequestRedirect:
    (found,) = route.filters
    assert isinstance(found, RequestRedirect)
    return found


def test_defaults(lower: Lower) -> None:
    (route,) = lower(ingress(), SERVICE)
    (backend,) = route.backends
    assert backend.protocol.value is AppProtocol.HTTP
    assert backend.protocol.origin is Origin.DEFAULT
    assert backend.target.value is TargetKind.POD
    assert backend.health_check is None
    assert backend.timeouts.connect.value == 5
    assert backend.timeouts.read.value == 60
    assert backend.timeouts.request is None
    assert backend.body_limit.value == 1024 * 1024
    assert backend.header_limit.value == 4096
    keep = backend.keep_alive
    values = (
        keep.upstream_idle,
        keep.upstream_connections,
        keep.upstream_requests,
        keep.client_idle,
        keep.client_requests,
    )
    assert [value.value for value in values] == [60, 320, 10000, 75, 1000]
    assert {value.origin for value in values} == {Origin.DEFAULT}
    assert keep.reuses_upstream
    assert keep.retries_idempotent
    assert not keep.retries_resets
    assert [listener.port.value for listener in route.listeners] == [80]
    assert route.filters == ()


@pytest.mark.parametrize(
    ("written", "protocol", "origin"),
    [
        ("HTTPS", AppProtocol.HTTPS, Origin.EXPLICIT),
        ("grpcs", AppProtocol.GRPCS, Origin.EXPLICIT),
        ("AUTO_HTTP", AppProtocol.AUTO, Origin.EXPLICIT),
        ("FCGI", AppProtocol.FASTCGI, Origin.EXPLICIT),
        ("h2c", AppProtocol.HTTP, Origin.DERIVED),
    ],
)
def test_backend_protocol(lower: Lower, written: str, protocol: AppProtocol, origin: Origin) -> None:
    (route,) = lower(ingress(f'backend-protocol: "{written}"'), SERVICE)
    found = route.backends[0].protocol
    assert (found.value, found.origin) == (protocol, origin)
    assert found.place.pointer == ("metadata", "annotations", "nginx.ingress.kubernetes.io/backend-protocol")


def test_service_upstream(lower: Lower) -> None:
    (route,) = lower(ingress('service-upstream: "true"'), SERVICE)
    assert route.backends[0].target.value is TargetKind.CLUSTER_IP
    assert route.backends[0].target.explicit


def test_service_upstream_needs_a_cluster_ip(lower: Lower) -> None:
    (route,) = lower(ingress('service-upstream: "true"'), SERVICE.replace("spec: {", "spec: {clusterIP: None, "))
    assert route.backends[0].target.value is TargetKind.POD


def test_annotation_before_config_map_before_default(lower: Lower) -> None:
    settings = config_map(
        'proxy-read-timeout: "30"\nproxy-connect-timeout: "7"\nproxy-body-size: 8m\nproxy-buffer-size: 8k'
    )
    (route,) = lower(ingress('proxy-read-timeout: "90"\n'), SERVICE, CONTROLLER, settings)
    timeouts = route.backends[0].timeouts
    assert timeouts.read.value == 90
    assert timeouts.connect.value == 7
    assert timeouts.connect.explicit
    assert timeouts.connect.place.pointer == ("data", "proxy-connect-timeout")
    assert route.backends[0].body_limit.value == 8 * 1024 * 1024
    assert route.backends[0].header_limit.place.pointer == ("data", "proxy-buffer-size")
    assert route.backends[0].header_limit.value == 8192


def test_no_header_limit_is_known_for_grpc(lower: Lower) -> None:
    (route,) = lower(ingress("backend-protocol: GRPC\nproxy-buffer-size: 4k"), SERVICE)
    assert route.backends[0].header_limit is None


def test_malformed_value_counts_as_absent(lower: Lower) -> None:
    (route,) = lower(ingress('proxy-read-timeout: "90s"'), SERVICE)
    assert route.backends[0].timeouts.read.value == 60
    assert route.backends[0].timeouts.read.origin is Origin.DEFAULT


def test_no_body_limit(lower: Lower) -> None:
    (route,) = lower(ingress('proxy-body-size: "0"'), SERVICE)
    assert route.backends[0].body_limit is None


def test_keep_alive_is_the_config_maps(lower: Lower) -> None:
    settings = config_map('upstream-keepalive-connections: "0"\nkeep-alive: "10"\nkeep-alive-requests: "1"')
    (route,) = lower(ingress('keep-alive: "99"'), SERVICE, CONTROLLER, settings)
    keep = route.backends[0].keep_alive
    assert keep.upstream_connections.value == 0
    assert keep.upstream_connections.place.pointer == ("data", "upstream-keepalive-connections")
    assert keep.client_idle.value == 10
    assert keep.client_requests.value == 1
    assert not keep.reuses_upstream


def test_default_points_into_the_config_map(lower: Lower) -> None:
    (route,) = lower(ingress(), SERVICE, CONTROLLER, config_map('keep-alive: "10"'))
    idle = route.backends[0].keep_alive.upstream_idle
    assert (idle.origin, idle.place.pointer) == (Origin.DEFAULT, ("data",))


def test_config_map_by_its_usual_name(lower: Lower) -> None:
    (route,) = lower(ingress(), SERVICE, config_map('keep-alive: "10"'))
    assert route.backends[0].keep_alive.client_idle.value == 10


def test_config_map_that_another_controller_reads(lower: Lower) -> None:
    other = (
        CONTROLLER
        + "            - --controller-class=k8s.io/internal-ingress-nginx\n            - --ingress-class=internal\n"
    )
    (route,) = lower(ingress(), SERVICE, other, config_map('keep-alive: "10"'))
    assert route.backends[0].keep_alive.client_idle.value == 75


@pytest.mark.parametrize(
    ("annotation", "how"),
    [
        ("configuration-snippet: 'proxy_set_header Connection close;'", "configuration-snippet"),
        ("""configuration-snippet: 'proxy_set_header "Connection" "close";'""", "configuration-snippet"),
        ("configuration-snippet: 'proxy_http_version 1.0;'", "proxy_http_version 1.0"),
        ('proxy-http-version: "1.0"', "HTTP/1.0"),
        ('connection-proxy-header: "close"', "connection-proxy-header"),
    ],
)
def test_connection_closed_after_each_request(lower: Lower, annotation: str, how: str) -> None:
    (route,) = lower(ingress(annotation), SERVICE)
    disabled = route.backends[0].keep_alive.upstream_disabled
    assert disabled is not None
    assert how in disabled.value
    assert disabled.explicit


@pytest.mark.parametrize(
    "annotation",
    [
        "configuration-snippet: 'proxy_set_header Connection \"\";'",
        "configuration-snippet: '# proxy_set_header Connection close;'",
        "configuration-snippet: 'more_set_headers \"Connection: close\";'",
        "server-snippet: 'proxy_set_header Connection close;'",
        'proxy-http-version: "1.1"',
        'connection-proxy-header: "keep-alive"',
        "backend-protocol: GRPC\nnginx.ingress.kubernetes.io/configuration-snippet: 'proxy_set_header Connection close;'",
    ],
)
def test_connection_kept(lower: Lower, annotation: str) -> None:
    (route,) = lower(ingress(annotation.replace("\nnginx.ingress.kubernetes.io/", "\n")), SERVICE)
    assert route.backends[0].keep_alive.upstream_disabled is None


def test_connection_closed_by_proxy_set_headers(lower: Lower) -> None:
    headers = """\
---
apiVersion: v1
kind: ConfigMap
metadata: {name: headers, namespace: ingress-nginx}
data: {Connection: close}
"""
    (route,) = lower(ingress(), SERVICE, CONTROLLER, config_map("proxy-set-headers: ingress-nginx/headers"), headers)
    disabled = route.backends[0].keep_alive.upstream_disabled
    assert disabled.place.pointer == ("data", "Connection")


def test_snippets_not_allowed(lower: Lower) -> None:
    snippet = ingress("configuration-snippet: 'proxy_set_header Connection close;'")
    (route,) = lower(snippet, SERVICE, CONTROLLER, config_map('allow-snippet-annotations: "false"'))
    assert route.backends[0].keep_alive.upstream_disabled is None


def test_retries(lower: Lower) -> None:
    (route,) = lower(ingress('proxy-next-upstream: "off"'), SERVICE)
    assert not route.backends[0].keep_alive.retries_idempotent
    (route,) = lower(ingress('proxy-next-upstream: "error non_idempotent"'), SERVICE)
    assert route.backends[0].keep_alive.retries_resets


def test_tls_opens_443_and_redirects_80(lower: Lower) -> None:
    route, redirected = lower(ingress(tls=TLS), SERVICE)
    (https,) = route.listeners
    assert (https.port.value, https.protocol.value, https.tls.mode.value) == (443, "HTTPS", "Terminate")
    (certificate,) = https.tls.certificates
    assert (certificate.namespace, certificate.name) == ("default", "a-tls")
    assert [host.value for host in certificate.hosts] == ["a.example.com"]
    assert certificate.place.pointer == ("spec", "tls", 0, "secretName")
    assert [listener.port.value for listener in redirected.listeners] == [80]
    assert redirected.backends == ()
    assert (redirect_of(redirected).scheme, redirect_of(redirected).status) == ("https", 308)


def test_tls_without_redirect(lower: Lower) -> None:
    (route,) = lower(ingress('ssl-redirect: "false"', tls=TLS), SERVICE)
    assert [listener.port.value for listener in route.listeners] == [80, 443]


def test_redirect_code_of_the_config_map(lower: Lower) -> None:
    _, redirected = lower(ingress(tls=TLS), SERVICE, CONTROLLER, config_map('http-redirect-code: "301"'))
    assert redirect_of(redirected).status == 301


def test_acme_challenges_are_not_redirected(lower: Lower) -> None:
    paths = (
        "- {path: /.well-known/acme-challenge/x, pathType: Exact, backend: {service: {name: web, port: {number: 80}}}}"
    )
    rest, route = lower(ingress(tls=TLS, paths=paths), SERVICE)
    assert [listener.port.value for listener in route.listeners] == [80, 443]
    assert rest.is_default, "the redirect of what no path takes"


def test_unmatched_paths_are_redirected_where_none_takes_all(lower: Lower) -> None:
    paths = "- {path: /cart, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}"
    rest, *_ = lower(ingress(tls=TLS, paths=paths), SERVICE)
    assert (rest.is_default, rest.matches[0].path.value.value) == (True, "/")
    assert [listener.port.value for listener in rest.listeners] == [80]
    assert redirect_of(rest).drops_last_slash


def test_slash_at_the_end_of_a_redirect_is_kept_where_told(lower: Lower) -> None:
    _, redirected = lower(ingress('preserve-trailing-slash: "true"', tls=TLS), SERVICE)
    assert not redirect_of(redirected).drops_last_slash


@pytest.mark.parametrize("path_type", ["Exact", "Prefix"])
def test_location_that_ends_in_a_slash_draws_a_redirect(lower: Lower, path_type: str) -> None:
    paths = f"- {{path: /cart/, pathType: {path_type}, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}"
    route, redirected = lower(ingress(paths=paths), SERVICE)
    assert route.backends
    assert redirected.matches[0].path.value == PathMatch(PathMatchType.EXACT, "/cart")
    assert (redirect_of(redirected).status, redirect_of(redirected).path) == (301, "/cart/")


def test_location_of_the_same_name_without_a_slash_takes_the_place_of_the_redirect(lower: Lower) -> None:
    backend = "backend: {service: {name: web, port: {number: 80}}}"
    paths = f"""
          - {{path: /cart/, pathType: Exact, {backend}}}
          - {{path: /cart, pathType: Exact, {backend}}}"""
    assert all(route.backends for route in lower(ingress(paths=paths), SERVICE))


def test_default_backend_serves_the_hosts_that_its_ingress_makes(lower: Lower) -> None:
    default = """\
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: other}
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: web, port: {number: 80}}}
  rules:
    - host: a.example.com
    - host: b.example.com
"""
    *_, route = lower(ingress(), default, SERVICE)
    assert [host.value for host in route.hostnames] == ["b.example.com"]


def test_default_backend_of_rules_without_a_host_serves_nobody(lower: Lower) -> None:
    default = """\
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: other}
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: web, port: {number: 80}}}
  rules:
    - http: {paths: [{path: /cart, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
"""
    *_, route = lower(default, SERVICE)
    assert (route.is_default, route.listeners) == (True, ())


def test_certificate_serves_the_whole_host(lower: Lower) -> None:
    routes = lower(
        ingress(tls=TLS),
        ingress(
            name="api", paths="- {path: /api, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}"
        ),
        SERVICE,
    )
    assert [route.listeners[0].port.value for route in routes if route.backends] == [443, 443]


def test_forced_redirect_without_tls_looks_at_the_forwarded_scheme(lower: Lower) -> None:
    route, redirected = lower(ingress('force-ssl-redirect: "true"'), SERVICE)
    assert [(header.name, header.value) for header in route.matches[0].headers] == [("X-Forwarded-Proto", "https")]
    assert [listener.port.value for listener in route.listeners] == [80]
    assert redirected.matches[0].headers == ()
    assert redirect_of(redirected).place.pointer[-1] == "nginx.ingress.kubernetes.io/force-ssl-redirect"


def test_forwarded_headers_and_proxy_protocol(lower: Lower) -> None:
    (route,) = lower(ingress(), SERVICE)
    assert route.listeners[0].trusts_forwarded is None
    (route,) = lower(ingress(), SERVICE, CONTROLLER, config_map('use-forwarded-headers: "true"'))
    assert route.listeners[0].trusts_forwarded.value
    assert not route.listeners[0].takes_proxy_protocol.value


PATHS = """
- {path: /a, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
- {path: /b, pathType: Exact, backend: {service: {name: web, port: {number: 80}}}}
- {path: /c, pathType: ImplementationSpecific, backend: {service: {name: web, port: {number: 80}}}}
- {pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
"""


def test_path_types(lower: Lower) -> None:
    routes = lower(ingress(paths=PATHS), SERVICE)
    prefix, exact = PathMatchType.PREFIX, PathMatchType.EXACT
    found = [(route.matches[0].path.value.type, route.matches[0].path.value.value) for route in routes]
    assert found == [(prefix, "/a"), (exact, "/b"), (prefix, "/c"), (prefix, "/")]


@pytest.mark.parametrize("annotation", ['use-regex: "true"', "rewrite-target: /$1"])
def test_regular_expressions_spread_over_the_host(lower: Lower, annotation: str) -> None:
    routes = lower(
        ingress(paths=PATHS), ingress(annotation, name="other"), ingress(name="apart", host="b.example.com"), SERVICE
    )
    for route in routes:
        path = route.matches[0].path
        spread = route.hostnames[0].value == "a.example.com"
        assert (path.value.type is PathMatchType.REGULAR_EXPRESSION) is spread
        assert path.value.ignore_case is spread
        assert ("Ingress `other`" in path.why) is spread


def test_regular_expressions_ignore_case_and_the_end(lower: Lower) -> None:
    (route,) = lower(ingress('use-regex: "true"', paths=PATHS.strip().splitlines()[1]), SERVICE)
    path = route.matches[0].path.value
    assert [path_matches(path, asked) for asked in ("/b", "/B/c", "/bcd", "/a/b")] == [True, True, True, False]


def test_rewrite_target_equal_to_the_path_does_nothing(lower: Lower) -> None:
    (route,) = lower(ingress("rewrite-target: /"), SERVICE)
    assert route.filters == ()
    assert route.matches[0].path.value.type is PathMatchType.PREFIX


def test_rewrite(lower: Lower) -> None:
    paths = (
        "- {path: /api(/|$)(.*), pathType: ImplementationSpecific, backend: {service: {name: web, port: {number: 80}}}}"
    )
    (route,) = lower(ingress("rewrite-target: /$2\nupstream-vhost: web.internal", paths=paths), SERVICE)
    rewrite, host = route.filters
    assert isinstance(rewrite, URLRewrite)
    assert (rewrite.path, rewrite.regex) == ("/$2", "(?i)/api(/|$)(.*)")
    assert host.host == "web.internal"


def test_redirects_need_no_backend(lower: Lower) -> None:
    (route,) = lower(
        ingress('permanent-redirect: https://b.example.com:8443/new\npermanent-redirect-code: "307"'), SERVICE
    )
    redirect = redirect_of(route)
    assert route.backends == ()
    assert (redirect.status, redirect.scheme, redirect.host, redirect.port, redirect.path) == (
        307,
        "https",
        "b.example.com",
        8443,
        "/new",
    )


@pytest.mark.parametrize("target", ["https://b.example.com$request_uri", "https://b.example.com"])
def test_redirect_that_keeps_the_path(lower: Lower, target: str) -> None:
    (route,) = lower(ingress(f"permanent-redirect: https://c.example.com\ntemporal-redirect: {target}"), SERVICE)
    redirect = redirect_of(route)
    assert (redirect.status, redirect.host, redirect.path) == (302, "b.example.com", None)


def test_app_root(lower: Lower) -> None:
    root, route = lower(ingress("app-root: /ui"), SERVICE)
    assert (root.matches[0].path.value.type, root.matches[0].path.value.value) == (PathMatchType.EXACT, "/")
    assert redirect_of(root).path == "/ui"
    assert route.backends


def test_from_to_www(lower: Lower) -> None:
    www, route = lower(ingress('from-to-www-redirect: "true"'), SERVICE)
    assert [host.value for host in www.hostnames] == ["www.a.example.com"]
    assert (redirect_of(www).host, redirect_of(www).status) == ("a.example.com", 308)
    assert [host.value for host in route.hostnames] == ["a.example.com"]


def test_server_alias(lower: Lower) -> None:
    routes = lower(ingress("server-alias: 'a1.example.com, a2.example.com'"), SERVICE)
    assert [host.value for host in routes[0].hostnames] == ["a.example.com", "a1.example.com", "a2.example.com"]


def test_allowed_sources_and_fallback(lower: Lower) -> None:
    (route,) = lower(ingress("whitelist-source-range: 10.0.0.0/8, 192.168.0.0/16\ndefault-backend: web"), SERVICE)
    assert [source.value for source in route.allowed_sources] == ["10.0.0.0/8", "192.168.0.0/16"]
    assert route.fallback.name == "web"
    assert route.fallback.service_port.port.port == 80


CANARY = SERVICE.replace("name: web", "name: canary")
TO_CANARY = "- {path: /, pathType: Prefix, backend: {service: {name: canary, port: {number: 80}}}}"


def test_canary_by_weight(lower: Lower) -> None:
    main = ingress("backend-protocol: HTTPS")
    (route,) = lower(ingress('canary: "true"\ncanary-weight: "20"', name="c", paths=TO_CANARY), main, SERVICE, CANARY)
    assert [(backend.name, backend.weight) for backend in route.backends] == [("web", 80), ("canary", 20)]
    assert {backend.protocol.value for backend in route.backends} == {AppProtocol.HTTPS}


def test_canary_by_header_and_cookie(lower: Lower) -> None:
    wishes = 'canary: "true"\ncanary-by-header: X-Canary\ncanary-by-cookie: canary'
    by_header, no_header, by_cookie, no_cookie, route = lower(
        ingress(), ingress(wishes, name="c", paths=TO_CANARY), SERVICE, CANARY
    )
    (header,) = by_header.matches[0].headers
    assert (header.name, header.value, header.type) == ("X-Canary", "always", "Exact")
    request = Request("http", "a.example.com", 80, headers={"cookie": "a=b; canary=always; c=d"})
    assert mismatch(request, by_cookie.matches[0]) is None
    assert mismatch(replace(request, headers={"cookie": "canary=never"}), by_cookie.matches[0])
    assert [route.backends[0].name for route in (by_header, by_cookie)] == ["canary", "canary"]
    assert [route.backends[0].name for route in (no_header, no_cookie, route)] == ["web", "web", "web"]
    assert by_header.owner.name == "c"
    assert len(route.backends) == 1


def test_canary_of_nothing_is_a_route_of_its_own(lower: Lower) -> None:
    (route,) = lower(ingress('canary: "true"\ncanary-weight: "20"', name="c", paths=TO_CANARY), CANARY)
    assert [backend.name for backend in route.backends] == ["canary"]
    assert not route.listeners


def test_passthrough(lower: Lower) -> None:
    (route,) = lower(ingress('ssl-passthrough: "true"\nbackend-protocol: HTTP'), SERVICE)
    (listener,) = route.listeners
    assert (listener.port.value, listener.protocol.value, listener.tls.mode.value) == (443, "TLS", "Passthrough")
    (backend,) = route.backends
    assert backend.protocol.value is AppProtocol.TLS
    assert backend.target.value is TargetKind.CLUSTER_IP
    assert backend.keep_alive.upstream_idle is None
    assert route.passthrough_refused is None


@pytest.mark.parametrize(
    ("flag", "refused"),
    [
        ("", True),
        ("--enable-ssl-passthrough", False),
        ("--enable-ssl-passthrough=true", False),
        ("--enable-ssl-passthrough=false", True),
    ],
)
def test_passthrough_needs_the_flag(lower: Lower, flag: str, refused: bool) -> None:
    controller = CONTROLLER + (f"            - {flag}\n" if flag else "")
    (route,) = lower(ingress('ssl-passthrough: "true"'), SERVICE, controller)
    assert (route.passthrough_refused is not None) is refused
    assert (route.backends[0].protocol.value is AppProtocol.TLS) is not refused


def test_passthrough_is_for_the_backend_of_the_root_alone(lower: Lower) -> None:
    routes = lower(ingress('ssl-passthrough: "true"', paths=PATHS.replace("web", "api", 1)), SERVICE)
    assert [route.passthrough_refused is None for route in routes] == [False, True, True, True]
    assert routes[0].passthrough_refused.place.pointer == ("spec", "rules", 0, "http", "paths", 0, "path")


def test_controller_string_of_a_further_installation(lower: Lower) -> None:
    ingress_class = """\
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/internal-ingress-nginx}
"""
    controller = CONTROLLER + "            - --controller-class=k8s.io/internal-ingress-nginx\n"
    (route,) = lower(ingress(), SERVICE, ingress_class, controller, config_map('keep-alive: "10"'))
    assert route.backends[0].keep_alive.client_idle.value == 10


def test_annotations_prefix(lower: Lower) -> None:
    controller = CONTROLLER + "            - --annotations-prefix=nginx.example.com\n"
    text = ingress('backend-protocol: "HTTPS"').replace("nginx.ingress.kubernetes.io", "nginx.example.com")
    (route,) = lower(text, SERVICE, controller)
    assert route.backends[0].protocol.value is AppProtocol.HTTPS


def test_login(lower: Lower) -> None:
    asked = "auth-url: http://web.default.svc.cluster.local/auth\nauth-signin: https://$host/login"
    (route,) = lower(ingress(asked), SERVICE)
    (login,) = route.filters
    assert isinstance(login, ExternalAuth)
    assert (str(login.backend), login.login) == ("Service default/web:80", "https://$host/login")
    assert login.login_place is not None


def test_login_for_all(lower: Lower) -> None:
    config = config_map("global-auth-url: https://login.example.com/auth")
    (route,) = lower(ingress(), SERVICE, CONTROLLER, config)
    (login,) = route.filters
    assert isinstance(login, ExternalAuth)
    assert (login.url, login.backend, login.login_place) == ("https://login.example.com/auth", None, None)
    (route,) = lower(ingress("enable-global-auth: 'false'"), SERVICE, CONTROLLER, config)
    assert not route.filters
    challenge = "- {path: /.well-known/acme-challenge/x, backend: {service: {name: web, port: {number: 80}}}}"
    (route,) = lower(ingress(paths=challenge), SERVICE, CONTROLLER, config)
    assert not route.filters


def test_secrets(lower: Lower) -> None:
    written = "auth-type: basic\nauth-secret: users\nauth-tls-secret: edge/ca\nproxy-ssl-secret: ca"
    (route,) = lower(ingress(written), SERVICE)
    found = [(item.namespace, item.name, item.object.missing, item.consequence) for item in route.attached]
    assert found == [
        ("default", "users", False, "clients get 503"),
        ("edge", "ca", False, "clients get 403"),
        ("default", "ca", True, "clients get 503"),
    ]
    (route,) = lower(ingress("auth-secret: users"), SERVICE)
    assert not route.attached
