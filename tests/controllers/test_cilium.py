"""What Cilium makes of Ingresses."""

from __future__ import annotations

import pytest

from ingress_lint.controllers.cilium.controller import ANNOTATIONS
from ingress_lint.routes.filters import RequestRedirect
from ingress_lint.routes.matches import PathMatch, PathMatchType
from ingress_lint.routes.model import Route
from ingress_lint.routes.traffic import AppProtocol
from tests.controllers.conftest import Routes, said

SERVICE = """apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}, {name: grpc-api, port: 9090}]}
"""
ONE_PATH = "{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}"


def ingress(*paths: str, annotations: str = "", host: str = "shop.example.com", tls: str = "", more: str = "") -> str:
    written = "".join(f"          - {path}\n" for path in paths or (ONE_PATH,))
    head = f"  annotations:\n    {annotations}\n" if annotations else ""
    named = f"host: {host}\n      " if host else ""
    return (
        f"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: shop\n{head}"
        f"spec:\n  ingressClassName: cilium\n  tls: [{tls}]\n{more}"
        f"  rules:\n    - {named}http:\n        paths:\n{written}"
    )


def path(value: str, kind: str) -> str:
    return f"{{path: {value}, pathType: {kind}, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}"


def listened(route: Route) -> list[tuple[int, str]]:
    return [(item.port.value, item.protocol.value) for item in route.listeners]


def test_claims_by_name_and_by_controller(routes: Routes) -> None:
    (route,) = routes(ingress(), SERVICE)
    assert said(route.controller) == ("cilium", "explicit", "cilium")
    (route,) = routes(
        ingress().replace("ingressClassName: cilium", "ingressClassName: edge"),
        "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: edge}\n"
        "spec: {controller: cilium.io/ingress-controller}",
        SERVICE,
    )
    assert route.controller.value == "cilium"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("Exact", PathMatchType.EXACT),
        ("Prefix", PathMatchType.PREFIX),
        ("ImplementationSpecific", PathMatchType.REGULAR_EXPRESSION),
    ],
)
def test_paths(routes: Routes, kind: str, expected: PathMatchType) -> None:
    (route,) = routes(ingress(path("/shop", kind)), SERVICE)
    match = route.matches[0].path
    assert match.value == PathMatch(expected, "/shop")
    assert said(match)[1] == "explicit"


def test_the_default_backend_takes_every_path(routes: Routes) -> None:
    more = "  defaultBackend: {service: {name: web, port: {number: 80}}}\n"
    _, default = routes(ingress(more=more), SERVICE)
    assert default.is_default
    assert default.matches[0].path.value == PathMatch(PathMatchType.PREFIX, "/")


def test_each_ingress_has_a_load_balancer_of_its_own(routes: Routes) -> None:
    (route,) = routes(ingress(), SERVICE)
    assert route.listeners[0].instance == "default/shop"
    assert said(route.listeners[0].port)[:2] == (80, "default")


@pytest.mark.parametrize("prefix", ["ingress.cilium.io", "io.cilium.ingress"])
def test_the_shared_load_balancer(routes: Routes, prefix: str) -> None:
    (route,) = routes(ingress(annotations=f"{prefix}/loadbalancer-mode: shared"), SERVICE)
    assert route.listeners[0].instance == ""


def test_https_is_forced_where_a_block_names_the_host(routes: Routes) -> None:
    route, redirect = routes(ingress(tls="{hosts: [shop.example.com], secretName: shop-tls}"), SERVICE)
    assert listened(route) == [(443, "HTTPS")]
    tls = route.listeners[0].tls
    assert tls is not None
    assert (tls.certificates[0].namespace, tls.certificates[0].name) == ("default", "shop-tls")
    assert listened(redirect) == [(80, "HTTP")]
    (found,) = redirect.filters
    assert isinstance(found, RequestRedirect)
    assert (found.status, found.scheme) == (301, "https")


def test_https_is_not_forced_where_it_is_switched_off(routes: Routes) -> None:
    tls = "{hosts: [shop.example.com], secretName: shop-tls}"
    for value in ("disabled", '"false"'):
        (route,) = routes(ingress(annotations=f"ingress.cilium.io/force-https: {value}", tls=tls), SERVICE)
        assert listened(route) == [(80, "HTTP"), (443, "HTTPS")]


def test_a_block_for_another_host_opens_nothing(routes: Routes) -> None:
    (route,) = routes(ingress(tls="{hosts: [pay.example.com], secretName: pay-tls}"), SERVICE)
    assert listened(route) == [(80, "HTTP")]


def test_tls_passthrough(routes: Routes) -> None:
    (route,) = routes(ingress(annotations="ingress.cilium.io/tls-passthrough: enabled"), SERVICE)
    assert listened(route) == [(443, "TLS")]
    assert not route.matches
    protocol = route.backends[0].protocol
    assert said(protocol) == (AppProtocol.TLS, "derived", "enabled")


@pytest.mark.parametrize(
    ("host", "value", "why"),
    [
        ("shop.example.com", "/api", "paths other than `/`, such as `/api`, are left out of it"),
        ("", "/", "rules without a host are left out of it"),
    ],
)
def test_what_passthrough_leaves_out(routes: Routes, host: str, value: str, why: str) -> None:
    text = ingress(path(value, "Prefix"), annotations='ingress.cilium.io/tls-passthrough: "true"', host=host)
    (route,) = routes(text, SERVICE)
    assert not route.listeners
    assert said(route.passthrough_refused) == (why, "explicit", '"true"')
    assert route.backends[0].protocol.value is AppProtocol.UNKNOWN


def test_speaks_plain_http(routes: Routes) -> None:
    (route,) = routes(ingress(), SERVICE)
    assert said(route.backends[0].protocol)[:2] == (AppProtocol.HTTP, "default")


def test_passes_grpc_on(routes: Routes) -> None:
    text = "{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: grpc-api}}}}"
    (route,) = routes(ingress(text), SERVICE)
    assert said(route.backends[0].protocol)[:2] == (AppProtocol.GRPC, "derived")


def test_times(routes: Routes) -> None:
    (route,) = routes(ingress(), SERVICE)
    backend = route.backends[0]
    assert said(backend.keep_alive.upstream_idle)[:2] == (60, "default")
    assert backend.timeouts.request is None
    (route,) = routes(ingress(annotations="ingress.cilium.io/request-timeout: 1m30s"), SERVICE)
    assert said(route.backends[0].timeouts.request) == (90, "explicit", "1m30s")
    (route,) = routes(ingress(annotations="ingress.cilium.io/request-timeout: soon"), SERVICE)
    assert route.backends[0].timeouts.request is None


def test_annotations() -> None:
    assert ANNOTATIONS.spec("ingress.cilium.io/force-https") is not None
    assert ANNOTATIONS.spec("io.cilium.ingress/force-https") is None
    assert ANNOTATIONS.spec("io.cilium.ingress/service-type") is not None
    assert ANNOTATIONS.spec("ingress.cilium.io/backend-protocol") is None
