"""Which listeners a route hangs on (gateway-api.sigs.k8s.io/reference/spec, ParentReference and AllowedRoutes)."""

from __future__ import annotations

import pytest

from tests.controllers.gateway_api.conftest import GATEWAY, SERVICES, TO_BLUE, TO_GREEN, Load, gateway, route

NAMESPACE = """
apiVersion: v1
kind: Namespace
metadata: {name: bank, labels: {team: money}}
"""
LEDGER = "backendRefs: [{name: ledger, port: 80}]"


def test_route_of_the_gateways_namespace_hangs_on_every_listener(load: Load) -> None:
    world = load(
        SERVICES, gateway("{name: a, port: 80, protocol: HTTP}\n{name: b, port: 81, protocol: HTTP}"), route(TO_BLUE)
    )
    assert [listener.name for listener in world.routes[0].listeners] == ["a", "b"]


@pytest.mark.parametrize(
    ("parent", "reason", "text"),
    [
        ("{name: front, sectionName: https}", "NoMatchingParent", "https}]"),
        ("{name: front, port: 8080}", "NoMatchingParent", "8080}]"),
        ("{name: front, sectionName: web, port: 8080}", "NoMatchingParent", "8080}]"),
        ("{name: back}", "NoMatchingParent", "back}]"),
    ],
)
def test_parent_without_such_a_listener(load: Load, parent: str, reason: str, text: str) -> None:
    world = load(SERVICES, GATEWAY, route(TO_BLUE, spec=f"parentRefs: [{parent}]"))
    assert world.verdicts == [(reason, "web", "known")]
    assert world.text_at(reason) == text
    assert world.backend("http://shop.example/") == 404


def test_gateway_of_another_repository_is_unknown(load: Load) -> None:
    world = load(SERVICES, route(TO_BLUE))
    assert world.verdicts == [("NoMatchingParent", "web", "unknown")]
    assert world.routes[0].backends[0].service_port is not None


def test_gateway_of_istio_is_another_kind(load: Load) -> None:
    istio = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: shop}
spec: {servers: []}
"""
    assert load(SERVICES, istio, route(TO_BLUE)).verdicts == [("NoMatchingParent", "web", "unknown")]


def test_route_without_parents(load: Load) -> None:
    world = load(SERVICES, GATEWAY, route(TO_BLUE, spec="parentRefs: []"))
    assert world.verdicts == [("NoMatchingParent", "web", "unknown")]


def test_route_of_a_mesh_is_no_route_of_a_gateway(load: Load) -> None:
    world = load(SERVICES, GATEWAY, route(TO_BLUE, spec='parentRefs: [{group: "", kind: Service, name: green}]'))
    assert world.routes == ()
    assert world.verdicts == []


def test_default_gateways(load: Load) -> None:
    scoped = gateway("{name: web, port: 80, protocol: HTTP}", more="  defaultScope: All")
    world = load(SERVICES, scoped, route(TO_BLUE, spec="useDefaultGateways: All\n  parentRefs: []"))
    assert world.backend("http://shop.example/") == "blue"


@pytest.mark.parametrize(
    ("namespaces", "namespace", "attached"),
    [
        ("", "", False),
        ("from: Same", "", False),
        ("from: All", "", True),
        ("from: Selector, selector: {matchLabels: {team: money}}", NAMESPACE, True),
        ("from: Selector, selector: {matchLabels: {team: other}}", NAMESPACE, False),
        ("from: Selector, selector: {matchLabels: {kubernetes.io/metadata.name: bank}}", "", True),
        ("from: Selector, selector: {matchLabels: {kubernetes.io/metadata.name: shop}}", "", False),
        ("from: Selector, selector: {matchLabels: {team: unknown}}", "", True),
    ],
)
def test_allowed_namespaces(load: Load, namespaces: str, namespace: str, attached: bool) -> None:
    listener = f"{{name: web, port: 80, protocol: HTTP, allowedRoutes: {{namespaces: {{{namespaces}}}}}}}"
    world = load(SERVICES, namespace, gateway(listener), route(LEDGER, namespace="bank"))
    assert bool(world.routes[0].listeners) is attached
    reasons = [reason for reason, name, _ in world.verdicts if name == "web"]
    assert reasons == ([] if attached else ["NotAllowedByListeners"])


def test_namespace_that_nobody_wrote_is_less_sure(load: Load) -> None:
    unplaced = route(TO_BLUE).replace(", namespace: shop}\nspec", "}\nspec")
    world = load(SERVICES, GATEWAY, unplaced)
    assert ("NotAllowedByListeners", "web", "likely") in world.verdicts


@pytest.mark.parametrize(
    ("listener", "kind", "attached"),
    [
        ("{name: web, port: 80, protocol: HTTP}", "HTTPRoute", True),
        ("{name: web, port: 80, protocol: http}", "HTTPRoute", True),
        ("{name: web, port: 80, protocol: HTTP}", "GRPCRoute", True),
        ("{name: web, port: 80, protocol: HTTP}", "TCPRoute", False),
        ("{name: web, port: 80, protocol: HTTP, allowedRoutes: {kinds: [{kind: GRPCRoute}]}}", "HTTPRoute", False),
        ("{name: web, port: 80, protocol: TLS, tls: {mode: Passthrough}}", "TLSRoute", True),
        ("{name: web, port: 80, protocol: TLS, tls: {mode: Passthrough}}", "HTTPRoute", False),
        ("{name: web, port: 80, protocol: TLS, tls: {mode: Passthrough}}", "TCPRoute", False),
        ("{name: web, port: 80, protocol: TCP}", "TCPRoute", True),
        ("{name: web, port: 80, protocol: UDP}", "UDPRoute", True),
        ("{name: web, port: 80, protocol: UDP}", "TCPRoute", False),
    ],
)
def test_allowed_kinds(load: Load, listener: str, kind: str, attached: bool) -> None:
    world = load(SERVICES, gateway(listener), route(TO_BLUE, kind=kind))
    assert bool(world.routes[0].listeners) is attached


@pytest.mark.parametrize(
    ("listener", "own", "attached"),
    [
        ("shop.example", "shop.example", True),
        ("shop.example", "*.example", True),
        ("*.example", "shop.example", True),
        ("*.example", "a.b.example", True),
        ("*.example", "example", False),
        ("*.example", "*.b.example", True),
        ("*.b.example", "*.example", True),
        ("shop.example", "other.example", False),
        ("*.example", "*.test", False),
    ],
)
def test_hostnames_must_meet(load: Load, listener: str, own: str, attached: bool) -> None:
    world = load(
        SERVICES,
        gateway(f"{{name: web, port: 80, protocol: HTTP, hostname: '{listener}'}}"),
        route(TO_BLUE, spec=f"hostnames: ['{own}']"),
    )
    assert bool(world.routes[0].listeners) is attached
    if not attached:
        assert world.text_at("NoMatchingListenerHostname") == f"'{own}']"


def test_listener_set_takes_only_the_routes_that_name_it(load: Load) -> None:
    listener_set = """
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: more, namespace: shop}
spec:
  parentRef: {name: front}
  listeners: [{name: extra, port: 80, protocol: HTTP, hostname: extra.example}]
"""
    world = load(
        SERVICES,
        gateway("{name: web, port: 80, protocol: HTTP}", more="  allowedListeners: {namespaces: {from: Same}}"),
        listener_set,
        route(TO_BLUE),
        route(TO_GREEN, name="extra", spec="parentRefs: [{kind: ListenerSet, name: more}]"),
    )
    assert world.backend("http://extra.example/") == "green"
    assert world.backend("http://shop.example/") == "blue"


@pytest.mark.parametrize("allowed", ["", "  allowedListeners: {namespaces: {from: None}}"])
def test_gateway_takes_no_listener_sets_unless_it_says_so(load: Load, allowed: str) -> None:
    listener_set = """
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XListenerSet
metadata: {name: more, namespace: shop}
spec:
  parentRef: {name: front}
  listeners: [{name: extra, port: 80, protocol: HTTP, hostname: extra.example}]
"""
    world = load(SERVICES, gateway("{name: web, port: 80, protocol: HTTP}", more=allowed), listener_set)
    assert ("NotAllowed", "more", "known") in world.verdicts
