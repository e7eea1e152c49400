"""What F5 NGINX Ingress Controller makes of Ingresses, VirtualServers and TransportServers."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest
from msgspec.structs import replace

from ingress_lint.controllers.nginx_inc.annotations import ANNOTATIONS
from ingress_lint.routes.filters import FixedResponse, HeaderModifier, RequestRedirect, URLRewrite
from ingress_lint.routes.matches import PathMatch, PathMatchType, ValueMatch
from ingress_lint.routes.matching import Request, mismatch
from ingress_lint.routes.model import Route
from ingress_lint.routes.traffic import AppProtocol, TargetKind
from ingress_lint.routes.verdicts import Certainty, Reason
from tests.controllers.conftest import Routes, Verdicts, said

HINT = "nginx.org/server-tokens: 'true'"
TLS = "{hosts: [a.example.com], secretName: shop-tls}"
PROBE = "readinessProbe: {httpGet: {path: /hz, port: 8080}, periodSeconds: 7, failureThreshold: 2}"
UPSTREAM = "{name: web, service: web, port: 80}"


def annotated(annotations: str) -> str:
    return f"  annotations:\n{indent(dedent(annotations).strip(), '    ')}\n" if annotations else ""


def path(value: str = "/shop", kind: str = "Prefix") -> str:
    return f"{{path: {value}, pathType: {kind}, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}"


def ingress(
    annotations: str = HINT, *paths: str, tls: str = "", more: str = "", name: str = "shop", created: str = ""
) -> str:
    when = f"  creationTimestamp: '{created}'\n" if created else ""
    listed = "".join(f"          - {written}\n" for written in paths or (path(),))
    return (
        f"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: {name}\n{when}{annotated(annotations)}"
        f"spec:\n  ingressClassName: nginx\n  tls: [{tls}]\n{more}  rules:\n    - host: a.example.com\n      http:\n"
        f"        paths:\n{listed}"
    )


def service(name: str = "web") -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec:\n  selector: {{app: web}}\n"
        f"  ports: [{{name: http, port: 80, targetPort: 8080}}]\n"
    )


def deployment(more: str = PROBE) -> str:
    return (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n"
        "  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n        - name: web\n"
        f"          image: example/web\n          ports: [{{containerPort: 8080}}]\n          {more}\n"
    )


def controller(args: str = "", image: str = "nginx/nginx-ingress:3.4.0") -> str:
    return (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: nic}\nspec:\n  selector: {matchLabels: {app: nic}}\n"
        "  template:\n    metadata: {labels: {app: nic}}\n    spec:\n      containers:\n        - name: nic\n"
        f"          image: {image}\n          args: [-nginx-configmaps=$(POD_NAMESPACE)/settings{args}]\n"
    )


def config(data: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{{data}}}\n"


def server(spec: str, *, name: str = "shop", kind: str = "VirtualServer", created: str = "") -> str:
    when = f", creationTimestamp: '{created}'" if created else ""
    return (
        f"apiVersion: k8s.nginx.org/v1\nkind: {kind}\nmetadata: {{name: {name}{when}}}\n"
        f"spec:\n{indent(dedent(spec).strip(), '  ')}\n"
    )


def virtual(route: str = "action: {pass: web}", *, upstream: str = UPSTREAM, where: str = "/", more: str = "") -> str:
    lines = indent(dedent(route).strip(), "    ")
    return server(
        f"host: a.example.com\nupstreams: [{upstream}]\n{dedent(more).strip()}\nroutes:\n  - path: '{where}'\n{lines}\n"
    )


def listened(route: Route) -> list[tuple[int, str]]:
    return [(item.port.value, item.protocol.value) for item in route.listeners]


# -- claims ---------------------------------------------------------------------------------------------------------


def test_annotations_tell_it_from_ingress_nginx(routes: Routes) -> None:
    (route,) = routes(ingress(), service())
    assert said(route.controller) == ("nginx-ingress", "explicit", "nginx")
    (route,) = routes(ingress("nginx.ingress.kubernetes.io/proxy-body-size: 8m"), service())
    assert route.controller.value == "ingress-nginx"
    (route,) = routes(ingress(""), service())
    assert said(route.controller)[:2] == ("ingress-nginx", "derived")


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("nginx/nginx-ingress:5.6.0", "nginx-ingress"),
        ("private-registry.nginx.com/nginx-ic/nginx-plus-ingress:3.4.0", "nginx-ingress"),
        ("registry.k8s.io/ingress-nginx/controller:v1.12.0", "ingress-nginx"),
    ],
)
def test_the_image_tells_it_from_ingress_nginx(routes: Routes, image: str, expected: str) -> None:
    (route,) = routes(ingress(""), service(), controller(image=image))
    assert route.controller.value == expected


def test_claims_by_controller(routes: Routes) -> None:
    defined = "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: nginx}\nspec: {controller: "
    (route,) = routes(ingress(""), service(), f"{defined}nginx.org/ingress-controller}}")
    assert said(route.controller)[:2] == ("nginx-ingress", "explicit")
    (route,) = routes(ingress(), service(), f"{defined}k8s.io/ingress-nginx}}")
    assert route.controller.value == "ingress-nginx"


# -- the client's side ----------------------------------------------------------------------------------------------


def test_listeners_and_redirect(routes: Routes) -> None:
    (route,) = routes(ingress(), service())
    assert listened(route) == [(80, "HTTP")]
    redirect, secure = routes(ingress(tls=TLS), service())
    assert (listened(redirect), listened(secure)) == ([(80, "HTTP")], [(443, "HTTPS")])
    (step,) = redirect.filters
    assert isinstance(step, RequestRedirect)
    assert (step.status, step.scheme) == (301, "https")
    tls = secure.listeners[0].tls
    assert tls is not None
    assert [item.name for item in tls.certificates] == ["shop-tls"]


def test_only_an_exact_host_gets_tls(routes: Routes) -> None:
    (route,) = routes(ingress(tls="{hosts: ['*.example.com'], secretName: shop-tls}"), service())
    assert listened(route) == [(80, "HTTP")]


@pytest.mark.parametrize("key", ["nginx.org/ssl-redirect", "ingress.kubernetes.io/ssl-redirect"])
def test_redirect_off(routes: Routes, key: str) -> None:
    (route,) = routes(ingress(f"{HINT}\n{key}: 'false'", tls=TLS), service())
    assert listened(route) == [(80, "HTTP"), (443, "HTTPS")]


def test_redirect_code_and_ports(routes: Routes) -> None:
    annotations = (
        "nginx.org/http-redirect-code: '308'\nnginx.org/listen-ports: '8080,8081'\nnginx.org/listen-ports-ssl: '8443'"
    )
    redirect, secure = routes(ingress(annotations, tls=TLS), service())
    assert (listened(redirect), listened(secure)) == ([(8080, "HTTP"), (8081, "HTTP")], [(8443, "HTTPS")])
    (step,) = redirect.filters
    assert isinstance(step, RequestRedirect)
    assert step.status == 308


def test_redirect_by_header_and_app_root(routes: Routes) -> None:
    by_header, to_root, route = routes(
        ingress("nginx.org/redirect-to-https: 'true'\nnginx.org/app-root: /shop"), service()
    )
    assert by_header.matches[0].headers == (ValueMatch("X-Forwarded-Proto", "http"),)
    assert isinstance(by_header.filters[0], RequestRedirect)
    assert by_header.priority is not None
    (step,) = to_root.filters
    assert isinstance(step, RequestRedirect)
    assert (step.path, step.status) == ("/shop", 302)
    assert to_root.matches[0].path.value == PathMatch(PathMatchType.EXACT, "/")
    assert route.filters == ()


def test_no_secret_rejects_handshakes(routes: Routes, verdicts: Verdicts) -> None:
    written = ingress(tls="{hosts: [a.example.com]}")
    _, secure = routes(written, service())
    assert secure.listeners[0].usable
    _, secure = routes(written, service(), controller())
    assert not secure.listeners[0].usable
    _, secure = routes(written, service(), controller(", -wildcard-tls-secret=nic/wild"))
    assert secure.listeners[0].usable


@pytest.mark.parametrize(
    ("annotations", "written", "expected"),
    [
        (HINT, path("/shop", "Prefix"), PathMatch(PathMatchType.STRING_PREFIX, "/shop")),
        (HINT, path("/shop", "ImplementationSpecific"), PathMatch(PathMatchType.STRING_PREFIX, "/shop")),
        (HINT, path("/shop", "Exact"), PathMatch(PathMatchType.EXACT, "/shop")),
        ("nginx.org/path-regex: exact", path("/shop", "Prefix"), PathMatch(PathMatchType.EXACT, "/shop")),
        (
            "nginx.org/path-regex: case_sensitive",
            path("/shop/[0-9]+".replace("[", "'[").replace("'[", "["), "Exact").replace(
                "/shop/[0-9]+", "'/shop/[0-9]+'"
            ),
            PathMatch(PathMatchType.REGULAR_EXPRESSION, "/shop/[0-9]+", open_end=True),
        ),
        (
            "nginx.org/path-regex: case_insensitive",
            path("/shop", "Prefix"),
            PathMatch(PathMatchType.REGULAR_EXPRESSION, "/shop", ignore_case=True, open_end=True),
        ),
    ],
)
def test_paths(routes: Routes, annotations: str, written: str, expected: PathMatch) -> None:
    (route,) = routes(ingress(annotations, written), service())
    assert route.matches[0].path.value == expected


def test_default_backend_is_the_root_of_each_host(routes: Routes) -> None:
    default = "  defaultBackend: {service: {name: other, port: {number: 80}}}\n"
    found = routes(ingress(more=default), service())
    assert [(route.is_default, [host.value for host in route.hostnames]) for route in found] == [
        (False, ["a.example.com"]),
        (True, ["a.example.com"]),
    ]
    found = routes(ingress(HINT, path("/"), more=default), service())
    assert [route.is_default for route in found] == [False]


def test_rewrites(routes: Routes) -> None:
    annotations = "nginx.org/rewrites: serviceName=web rewrite=/beans/;serviceName=other rewrite=/"
    (route,) = routes(ingress(annotations), service())
    (step,) = route.filters
    assert isinstance(step, URLRewrite)
    assert (step.path, step.replace_prefix) == ("/beans/", True)
    annotations = "nginx.org/rewrite-target: /$1\nnginx.org/path-regex: case_sensitive"
    (route,) = routes(ingress(annotations, path("'/shop/(.*)'", "Exact")), service())
    (step,) = route.filters
    assert isinstance(step, URLRewrite)
    assert (step.path, step.regex) == ("/$1", "^/shop/(.*)")


def test_added_headers(routes: Routes) -> None:
    (route,) = routes(ingress("nginx.org/proxy-set-headers: 'X-A: b,X-Passed'"), service())
    (step,) = route.filters
    assert isinstance(step, HeaderModifier)
    assert step.set == (("X-A", "b"),)


def test_secrets_of_logins(routes: Routes) -> None:
    (route,) = routes(ingress("nginx.org/basic-auth-secret: users"), service())
    assert [(item.kind.kind, item.name) for item in route.attached] == [("Secret", "users")]


# -- the pods' side -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ("nginx.org/ssl-services: 'other,web'", (AppProtocol.HTTPS, "explicit", "'other,web'")),
        ("nginx.org/ssl-services: other", (AppProtocol.HTTP, "default", "annotations:")),
        ("nginx.org/grpc-services: web", (AppProtocol.GRPC, "explicit", "web")),
        ("nginx.org/grpc-services: web\nnginx.org/ssl-services: web", (AppProtocol.GRPCS, "explicit", "web")),
    ],
)
def test_protocol(routes: Routes, annotations: str, expected: tuple[AppProtocol, str, str]) -> None:
    (route,) = routes(ingress(annotations), service())
    assert said(route.backends[0].protocol) == expected


def test_grpc_needs_http2(routes: Routes) -> None:
    written = ingress("nginx.org/grpc-services: web")
    (route,) = routes(written, service(), controller(), config('client-max-body-size: "8m"'))
    assert said(route.backends[0].protocol)[:2] == (AppProtocol.HTTP, "derived")
    (route,) = routes(written, service(), controller(), config('http2: "true"'))
    assert said(route.backends[0].protocol)[:2] == (AppProtocol.GRPC, "explicit")


def test_settings_come_from_annotation_then_config_map(routes: Routes) -> None:
    (route,) = routes(ingress(), service())
    backend = route.backends[0]
    assert said(backend.timeouts.connect)[:2] == (60.0, "default")
    assert said(backend.timeouts.read)[:2] == (60.0, "default")
    assert said(backend.body_limit)[:2] == (1 << 20, "default")
    assert said(backend.header_limit)[:2] == (4096, "default")
    settings = config('proxy-read-timeout: "2m", client-max-body-size: "0", proxy-protocol: "true"')
    (route,) = routes(ingress(), service(), controller(), settings)
    backend = route.backends[0]
    assert said(backend.timeouts.read)[:2] == (120.0, "explicit")
    assert backend.body_limit is None
    assert said(route.listeners[0].takes_proxy_protocol)[:2] == (True, "explicit")
    (route,) = routes(ingress("nginx.org/proxy-read-timeout: 90s"), service(), controller(), settings)
    assert said(route.backends[0].timeouts.read) == (90.0, "explicit", "90s")


def test_keep_alive_by_release(routes: Routes) -> None:
    (route,) = routes(ingress(), service())
    keep_alive = route.backends[0].keep_alive
    assert (keep_alive.upstream_idle, keep_alive.upstream_disabled) == (None, None)
    assert said(keep_alive.client_idle)[:2] == (75.0, "default")
    assert said(keep_alive.client_requests)[:2] == (1000, "default")
    assert (keep_alive.retries_idempotent, keep_alive.retries_resets) == (True, False)
    (route,) = routes(ingress(), service(), controller(image="nginx/nginx-ingress:3.4.0"))
    assert said(route.backends[0].keep_alive.upstream_disabled)[1] == "default"
    assert not route.backends[0].keep_alive.reuses_upstream
    (route,) = routes(ingress(), service(), controller(image="nginx/nginx-ingress:5.6.1-alpine"))
    keep_alive = route.backends[0].keep_alive
    assert said(keep_alive.upstream_idle)[:2] == (60.0, "default")
    assert said(keep_alive.upstream_connections)[:2] == (32, "default")
    (route,) = routes(ingress(), service(), controller(image="nginx/nginx-ingress:5.4.0"))
    assert route.backends[0].keep_alive.upstream_idle is None


def test_keep_alive_as_written(routes: Routes) -> None:
    (route,) = routes(ingress("nginx.org/keepalive: '16'"), service(), controller())
    keep_alive = route.backends[0].keep_alive
    assert said(keep_alive.upstream_connections) == (16, "explicit", "'16'")
    assert said(keep_alive.upstream_idle)[:2] == (60.0, "default")
    (route,) = routes(ingress("nginx.org/keepalive: '0'"), service(), controller())
    assert said(route.backends[0].keep_alive.upstream_disabled)[1:] == ("explicit", "'0'")
    (route,) = routes(ingress("nginx.org/proxy-next-upstream: error timeout non_idempotent"), service())
    assert route.backends[0].keep_alive.retries_resets


def test_cluster_ip(routes: Routes) -> None:
    (route,) = routes(ingress(), service())
    assert said(route.backends[0].target)[:2] == (TargetKind.POD, "default")
    (route,) = routes(ingress("nginx.org/use-cluster-ip: 'true'"), service())
    assert said(route.backends[0].target) == (TargetKind.CLUSTER_IP, "explicit", "'true'")


def test_health_check_of_plus(routes: Routes) -> None:
    asked = ingress("nginx.com/health-checks: 'true'")
    plus = controller(image="nginx-ic/nginx-plus-ingress:3.4.0")
    (route,) = routes(asked, service(), deployment(), plus)
    check = route.backends[0].health_check
    assert check is not None
    assert said(check.path)[:2] == ("/hz", "derived")
    assert said(check.interval)[:2] == (7.0, "derived")
    assert said(check.unhealthy_threshold)[:2] == (2, "derived")
    assert said(check.codes)[:2] == ("200-399", "default")
    assert check.resolved_port == 8080
    (route,) = routes(asked, service(), deployment(), controller())
    assert route.backends[0].health_check is None
    (route,) = routes(asked, service(), deployment("readinessProbe: {tcpSocket: {port: 8080}}"), plus)
    assert route.backends[0].health_check is None
    (route,) = routes(ingress(), service(), deployment(), plus)
    assert route.backends[0].health_check is None


# -- masters, minions, and who has a host -----------------------------------------------------------------------------

MASTER = "nginx.org/mergeable-ingress-type: master"
MINION = "nginx.org/mergeable-ingress-type: minion"


def master(annotations: str = "") -> str:
    head = annotated("\n".join((MASTER, annotations)))
    return (
        f"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: master\n{head}"
        f"spec:\n  ingressClassName: nginx\n  tls: [{TLS}]\n  rules: [{{host: a.example.com}}]\n"
    )


def test_minions_fill_the_host_of_their_master(routes: Routes, verdicts: Verdicts) -> None:
    one = ingress(f"{MINION}\nnginx.org/ssl-services: web", path("/one"), name="one")
    two = ingress(MINION, path("/two"), name="two")
    found = routes(master("nginx.org/proxy-read-timeout: 5m\nnginx.org/ssl-services: web"), one, two, service())
    served = {route.matches[0].path.value.value: route for route in found if route.backends}
    assert set(served) == {"/one", "/two"}
    assert all(listened(route) == [(443, "HTTPS")] for route in served.values())
    assert served["/one"].backends[0].protocol.value is AppProtocol.HTTPS
    assert served["/two"].backends[0].protocol.value is AppProtocol.HTTP
    assert said(served["/two"].backends[0].timeouts.read)[:2] == (300.0, "explicit")
    assert not verdicts(master(), one, two, service())


def test_a_minion_cannot_speak_for_the_server(routes: Routes) -> None:
    minion = ingress(f"{MINION}\nnginx.org/ssl-redirect: 'false'\nnginx.org/keepalive: '8'", name="one")
    found = routes(master(), minion, service(), controller())
    assert any(isinstance(step, RequestRedirect) for route in found for step in route.filters)
    (served,) = [route for route in found if route.backends]
    assert served.backends[0].keep_alive.upstream_connections is None


def test_minion_without_a_master(routes: Routes, verdicts: Verdicts) -> None:
    minion = ingress(MINION)
    (route,) = routes(minion, service())
    assert not route.listeners[0].usable
    (verdict,) = verdicts(minion, service())
    assert (verdict.reason, verdict.certainty) == (Reason.NO_MATCHING_PARENT, Certainty.UNKNOWN)


def test_a_host_belongs_to_the_oldest(routes: Routes, verdicts: Verdicts) -> None:
    old = ingress(name="old", created="2024-01-01T00:00:00Z")
    new = server(
        f"host: a.example.com\nupstreams: [{UPSTREAM}]\nroutes: [{{path: /, action: {{pass: web}}}}]",
        name="new",
        created="2025-01-01T00:00:00Z",
    )
    found = {route.owner.name: route.listeners[0].usable for route in routes(old, new, service())}
    assert found == {"old": True, "new": False}
    (verdict,) = verdicts(old, new, service())
    assert (verdict.reason, verdict.object.name) == (Reason.HOSTNAME_CONFLICT, "new")
    assert "belongs to Ingress default/old" in verdict.message


def test_without_timestamps_nobody_knows_who_has_a_host(routes: Routes, verdicts: Verdicts) -> None:
    one, two = ingress(name="one"), ingress(HINT, path("/other"), name="two")
    assert all(route.listeners[0].usable for route in routes(one, two, service()))
    (verdict,) = verdicts(one, two, service())
    assert "only the older one gets it" in verdict.message


# -- VirtualServers -------------------------------------------------------------------------------------------------


def test_virtual_server(routes: Routes) -> None:
    (route,) = routes(virtual(), service())
    assert said(route.controller) == ("nginx-ingress", "explicit", "VirtualServer")
    assert listened(route) == [(80, "HTTP")]
    assert [host.value for host in route.hostnames] == ["a.example.com"]
    backend = route.backends[0]
    assert said(backend.port)[:2] == (80, "explicit")
    assert said(backend.protocol)[:2] == (AppProtocol.HTTP, "default")
    assert said(backend.timeouts.read)[:2] == (60.0, "default")
    assert (backend.health_check, backend.service.missing) == (None, False)
    (route,) = routes(virtual(upstream="{name: web, service: gone, port: 80}"), service())
    assert route.backends[0].service.missing


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("/shop", PathMatch(PathMatchType.STRING_PREFIX, "/shop")),
        ("=/shop", PathMatch(PathMatchType.EXACT, "/shop")),
        ("^~ /shop", PathMatch(PathMatchType.STRING_PREFIX, "/shop", before_expressions=True)),
        ("~ ^/shop/.*", PathMatch(PathMatchType.REGULAR_EXPRESSION, "^/shop/.*", open_end=True)),
        ("~* \\.jpg$", PathMatch(PathMatchType.REGULAR_EXPRESSION, ".*\\.jpg$", ignore_case=True, open_end=True)),
    ],
)
def test_virtual_server_paths(routes: Routes, written: str, expected: PathMatch) -> None:
    (route,) = routes(virtual(where=written), service())
    assert route.matches[0].path.value == expected


def test_upstream(routes: Routes) -> None:
    written = (
        "{name: web, service: web, port: 80, connect-timeout: 1s, read-timeout: 2m, keepalive: 8, "
        "client-max-body-size: 2m, buffer-size: 8k, next-upstream: error non_idempotent, use-cluster-ip: true, tls: {enable: true}}"
    )
    (route,) = routes(virtual(upstream=written), service())
    backend = route.backends[0]
    assert said(backend.protocol)[:2] == (AppProtocol.HTTPS, "explicit")
    assert said(backend.timeouts.connect)[:2] == (1.0, "explicit")
    assert said(backend.timeouts.read)[:2] == (120.0, "explicit")
    assert said(backend.keep_alive.upstream_connections)[:2] == (8, "explicit")
    assert backend.keep_alive.retries_resets
    assert said(backend.body_limit)[:2] == (2 << 20, "explicit")
    assert said(backend.header_limit)[:2] == (8192, "explicit")
    assert said(backend.target)[:2] == (TargetKind.CLUSTER_IP, "explicit")
    (route,) = routes(virtual(upstream="{name: web, service: web, port: 80, type: grpc}"), service())
    assert said(route.backends[0].protocol) == (AppProtocol.GRPC, "explicit", "grpc}]")


def test_upstream_in_another_namespace(routes: Routes) -> None:
    (route,) = routes(virtual(upstream="{name: web, service: other/web, port: 80}"), service())
    assert (route.backends[0].namespace, route.backends[0].name) == ("other", "web")


def test_upstream_health_check(routes: Routes, verdicts: Verdicts) -> None:
    written = "{name: web, service: web, port: 80, healthCheck: {enable: true}}"
    (route,) = routes(virtual(upstream=written), service())
    check = route.backends[0].health_check
    assert check is not None
    assert said(check.path)[:2] == ("/", "default")
    assert said(check.interval)[:2] == (5.0, "default")
    assert said(check.codes)[:2] == ("200-399", "default")
    assert said(check.unhealthy_threshold)[:2] == (1, "default")
    assert (check.protocol.value, check.timeout, check.resolved_port) == ("HTTP", None, 8080)
    written = (
        "{name: web, service: web, port: 80, healthCheck: {enable: true, path: /hz, interval: 20s, port: 9000, fails: 3, "
        'passes: 2, read-timeout: 3s, statusMatch: "200 204-206", tls: {enable: true}}}'
    )
    (route,) = routes(virtual(upstream=written), service())
    check = route.backends[0].health_check
    assert check is not None
    assert said(check.path)[:2] == ("/hz", "explicit")
    assert said(check.port)[:2] == (9000, "explicit")
    assert said(check.codes)[:2] == ("200,204-206", "explicit")
    assert said(check.timeout)[:2] == (3.0, "explicit")
    assert said(check.healthy_threshold)[:2] == (2, "explicit")
    assert (check.protocol.value, check.resolved_port) == ("HTTPS", 9000)
    (route,) = routes(virtual(upstream=written), service(), controller())
    assert (route.backends[0].health_check, route.listeners[0].usable) == (None, False)
    (verdict,) = verdicts(virtual(upstream=written), service(), controller())
    assert (verdict.reason, "only NGINX Plus" in verdict.message) == (Reason.UNSUPPORTED_VALUE, True)
    assert not verdicts(virtual(upstream=written), service(), controller(", -nginx-plus"))


def test_actions(routes: Routes) -> None:
    (route,) = routes(virtual("action: {redirect: {url: 'https://b.example.com:8443/new', code: 302}}"))
    (step,) = route.filters
    assert isinstance(step, RequestRedirect)
    assert (step.status, step.scheme, step.host, step.port, step.path) == (302, "https", "b.example.com", 8443, "/new")
    (route,) = routes(virtual("action: {redirect: {url: 'https://${host}/new'}}"))
    (step,) = route.filters
    assert isinstance(step, RequestRedirect)
    assert (step.status, step.scheme, step.host) == (301, "https", None)
    (route,) = routes(virtual("action: {return: {code: 418, body: tea}}"))
    (answer,) = route.filters
    assert isinstance(answer, FixedResponse)
    assert answer.status == 418


def test_proxy_action(routes: Routes) -> None:
    written = """
        action:
          proxy:
            upstream: web
            rewritePath: /v2
            requestHeaders: {set: [{name: Host, value: inner}, {name: x, value: a}]}
    """
    (route,) = routes(virtual(written, where="/api"), service())
    path_, host, header = route.filters
    assert isinstance(path_, URLRewrite)
    assert (path_.path, path_.replace_prefix) == ("/v2", True)
    assert isinstance(host, URLRewrite)
    assert host.host == "inner"
    assert isinstance(header, HeaderModifier)
    assert header.set == (("x", "a"),)
    (route,) = routes(virtual(written.replace("/v2", "/v2/$1"), where="~ ^/api/(.*)"), service())
    step = route.filters[0]
    assert isinstance(step, URLRewrite)
    assert (step.path, step.regex) == ("/v2/$1", "^/api/(.*)")


def test_conditions_on_methods_and_variables(routes: Routes) -> None:
    written = """
        matches:
          - conditions: [{variable: $request_method, value: POST}]
            action: {pass: web}
          - conditions: [{variable: $scheme, value: "!https"}]
            action: {pass: web}
        action: {pass: web}
    """
    by_method, by_scheme, _ = routes(virtual(written), service())
    assert (by_method.matches[0].method, by_method.matches[0].condition) == ("POST", "")
    assert by_scheme.matches[0].condition == "$scheme is not https"


def test_location_that_ends_in_a_slash_draws_a_redirect(routes: Routes) -> None:
    route, redirected = routes(virtual(where="/shop/"), service())
    assert route.backends
    assert redirected.matches[0].path.value == PathMatch(PathMatchType.EXACT, "/shop")
    (redirect,) = redirected.filters
    assert isinstance(redirect, RequestRedirect)
    assert (redirect.status, redirect.path, redirect.keeps_query) == (301, "/shop/", True)


def test_splits_and_matches(routes: Routes) -> None:
    written = """
        matches:
          - conditions: [{header: x, value: a}, {argument: q, value: b}, {cookie: c, value: d}, {header: z, value: "!e"}]
            action: {pass: web}
        splits: [{weight: 80, action: {pass: web}}, {weight: 20, action: {pass: two}}]
    """
    upstreams = f"{UPSTREAM}, {{name: two, service: two, port: 80}}"
    case, rest = routes(virtual(written, upstream=upstreams), service())
    match = case.matches[0]
    assert match.condition == ""
    fitting = {"x": "A", "cookie": "a=b; c=d"}
    asked = Request("http", "shop.example.com", 80, headers=fitting, path="/", query_string="q=b")
    assert mismatch(asked, match) is None
    for headers, query in (
        ({}, "q=b"),
        (fitting, ""),
        (fitting | {"z": "e"}, "q=b"),
        (fitting | {"cookie": "c=e"}, "q=b"),
    ):
        assert mismatch(replace(asked, headers=headers, query_string=query), match) is not None
    assert [item.name for item in case.backends] == ["web"]
    assert [(item.name, item.weight) for item in rest.backends] == [("web", 80), ("two", 20)]
    assert (case.first_match, rest.first_match) == (0, 1)


def test_virtual_server_tls(routes: Routes) -> None:
    (route,) = routes(virtual(more="tls: {secret: shop-tls}"), service())
    assert listened(route) == [(80, "HTTP"), (443, "HTTPS")]
    secure, redirect = routes(virtual(more="tls: {secret: shop-tls, redirect: {enable: true, code: 308}}"), service())
    assert (listened(secure), listened(redirect)) == ([(443, "HTTPS")], [(80, "HTTP")])
    (step,) = redirect.filters
    assert isinstance(step, RequestRedirect)
    assert step.status == 308
    by_header = virtual(more="tls: {secret: shop-tls, redirect: {enable: true, basedOn: x-forwarded-proto}}")
    both, redirect = routes(by_header, service())
    assert listened(both) == listened(redirect) == [(80, "HTTP"), (443, "HTTPS")]
    assert redirect.matches[0].headers == (ValueMatch("X-Forwarded-Proto", "http"),)


def test_listeners_of_the_global_configuration(routes: Routes) -> None:
    written = virtual(more="listener: {http: http-8083}")
    (route,) = routes(written, service())
    assert listened(route) == [(0, "HTTP")]
    listeners = server(
        "listeners: [{name: http-8083, port: 8083, protocol: HTTP}]", name="nic", kind="GlobalConfiguration"
    )
    (route,) = routes(written, listeners, service())
    assert said(route.listeners[0].port)[:2] == (8083, "explicit")


def test_policies(routes: Routes) -> None:
    policy = server("accessControl: {allow: [10.0.0.0/8]}", name="inside", kind="Policy")
    (route,) = routes(virtual(more="policies: [{name: inside}, {name: gone}]"), policy, service())
    assert [item.value for item in route.allowed_sources] == ["10.0.0.0/8"]
    assert [(item.name, item.object.existence.value) for item in route.attached] == [
        ("inside", "found"),
        ("gone", "missing"),
    ]


def test_the_first_login_of_a_list_counts(routes: Routes, verdicts: Verdicts) -> None:
    policies = [server(f"basicAuth: {{secret: {name}}}", name=name, kind="Policy") for name in ("one", "two")]
    written = (virtual(more="policies: [{name: two}, {name: one}, {name: two}]"), *policies, service())
    (route,) = routes(*written)
    assert [item.name for item in route.attached if item.kind.kind == "Secret"] == ["two"]
    assert [verdict.reason for verdict in verdicts(*written)] == [Reason.CONFLICTED]


def test_undefined_upstream(verdicts: Verdicts) -> None:
    (verdict,) = verdicts(virtual("action: {pass: other}"), service())
    assert (verdict.reason, "does not define" in verdict.message) == (Reason.TARGET_NOT_FOUND, True)


# -- VirtualServerRoutes ----------------------------------------------------------------------------------------------


def part(spec: str = "", *, host: str = "a.example.com", where: str = "/team/x", name: str = "part") -> str:
    return server(
        f"host: {host}\nupstreams: [{UPSTREAM}]\nsubroutes: [{{path: {where}, action: {{pass: web}}}}]\n{spec}",
        name=name,
        kind="VirtualServerRoute",
    )


def test_virtual_server_route(routes: Routes, verdicts: Verdicts) -> None:
    top = virtual("route: part", where="/team", more="tls: {secret: x}")
    (route,) = routes(top, part(), service())
    assert (route.owner.kind, route.owner.name) == ("VirtualServerRoute", "part")
    assert listened(route) == [(80, "HTTP"), (443, "HTTPS")]
    assert route.matches[0].path.value.value == "/team/x"
    assert not verdicts(top, part(), service())


def test_virtual_server_route_by_labels(routes: Routes) -> None:
    top = virtual("routeSelector: {matchLabels: {team: a}}", where="/team")
    labelled = part().replace("{name: part}", "{name: part, labels: {team: a}}")
    (route,) = routes(top, labelled, service())
    assert (route.owner.name, listened(route)) == ("part", [(80, "HTTP")])


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (part(name="other"), Reason.TARGET_NOT_FOUND),
        (part(host="b.example.com"), Reason.NO_MATCHING_LISTENER_HOSTNAME),
        (part(where="/elsewhere"), Reason.UNSUPPORTED_VALUE),
    ],
)
def test_faults_of_delegation(verdicts: Verdicts, other: str, reason: Reason) -> None:
    found = verdicts(virtual("route: part", where="/team"), other, service())
    assert reason in [verdict.reason for verdict in found]


def test_unused_virtual_server_route(routes: Routes, verdicts: Verdicts) -> None:
    (route,) = routes(part(), service())
    assert route.listeners == ()
    (verdict,) = verdicts(part(), service())
    assert (verdict.reason, verdict.certainty) == (Reason.NO_MATCHING_PARENT, Certainty.UNKNOWN)


# -- TransportServers -------------------------------------------------------------------------------------------------


def test_tls_passthrough(routes: Routes) -> None:
    written = server(
        "host: a.example.com\nlistener: {name: tls-passthrough, protocol: TLS_PASSTHROUGH}\n"
        f"upstreams: [{UPSTREAM}]\naction: {{pass: web}}",
        kind="TransportServer",
    )
    (route,) = routes(written, service())
    assert listened(route) == [(443, "TLS")]
    assert route.backends[0].protocol.value is AppProtocol.TLS
    assert route.passthrough_refused is None
    (route,) = routes(written, service(), controller())
    assert said(route.passthrough_refused)[1] == "explicit"
    (route,) = routes(written, service(), controller(", -enable-tls-passthrough"))
    assert route.passthrough_refused is None


def test_streams(routes: Routes) -> None:
    written = server(
        f"listener: {{name: dns, protocol: UDP}}\nupstreams: [{UPSTREAM}]\naction: {{pass: web}}",
        kind="TransportServer",
    )
    listeners = server("listeners: [{name: dns, port: 5353, protocol: UDP}]", name="nic", kind="GlobalConfiguration")
    (route,) = routes(written, listeners, service())
    assert (listened(route), route.backends[0].protocol.value) == ([(5353, "UDP")], AppProtocol.UDP)


def test_table() -> None:
    assert ANNOTATIONS.spec("nginx.org/ssl-services") is not None
    assert ANNOTATIONS.spec("nginx.com/health-checks") is not None
    assert ANNOTATIONS.spec("nginx.org/health-checks") is None
    assert ANNOTATIONS.spec("nginx.org/ssl-service") is None
