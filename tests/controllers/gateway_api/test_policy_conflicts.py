"""Policies that share a target: which one the routes follow, and which is said to lose."""

from __future__ import annotations

import pytest

from ingress_lint.routes.traffic import TargetKind
from tests.controllers.gateway_api.conftest import SERVICES, TO_BLUE, Load, World, route
from tests.controllers.gateway_api.test_policies import (
    BACKEND_POLICY,
    CONFIGURED_AWS,
    HEALTH_CHECK_POLICY,
    LOAD_BALANCER,
    ON_AWS,
    ON_ENVOY,
    ON_GKE,
    TARGET_GROUP,
    backend,
    traffic,
)

LISTENER_SET = """
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: extra, namespace: shop}
spec:
  parentRef: {name: front}
  listeners: [{name: web, port: 8080, protocol: HTTP}]
"""
ALLOWING = ON_ENVOY.replace("  listeners:", "  allowedListeners: {namespaces: {from: Same}}\n  listeners:")
TO_SET = "parentRefs: [{kind: ListenerSet, name: extra}]"


def timeout(name: str, target: str, seconds: int, kind: str = "HTTPRoute", more: str = "") -> str:
    return traffic(name, kind, target, f"timeout: {{http: {{requestTimeout: {seconds}s}}}}{more}")


def lost(world: World, reason: str = "Conflicted") -> list[str]:
    return [name for found, name, _ in world.verdicts if found == reason]


def deadline(world: World) -> float:
    found = backend(world).timeouts.request
    assert found is not None
    return found.value


@pytest.mark.parametrize("order", [("b", "a"), ("a", "b")])
def test_the_first_by_name_counts_whatever_the_order(load: Load, order: tuple[str, str]) -> None:
    policies = [timeout(name, "web", {"a": 11, "b": 22}[name]) for name in order]
    world = load(ON_ENVOY, SERVICES, route(TO_BLUE), *policies)
    assert lost(world) == ["b"]
    assert deadline(world) == 11


def test_the_older_one_counts(load: Load) -> None:
    old = timeout("b", "web", 22).replace(
        "namespace: shop", 'namespace: shop, creationTimestamp: "2026-01-01T00:00:00Z"'
    )
    new = timeout("a", "web", 11).replace(
        "namespace: shop", 'namespace: shop, creationTimestamp: "2026-01-02T00:00:00Z"'
    )
    world = load(ON_ENVOY, SERVICES, route(TO_BLUE), new, old)
    assert lost(world) == ["a"]
    assert deadline(world) == 22


@pytest.mark.parametrize(
    ("policies", "seconds"),
    [
        ([timeout("gateway", "front", 11, "Gateway"), timeout("set", "extra", 22, "ListenerSet")], 22),
        (
            [
                timeout("set", "extra", 22, "ListenerSet"),
                timeout("part", "extra, sectionName: web", 33, "ListenerSet"),
            ],
            33,
        ),
        ([timeout("part", "front, sectionName: web", 33, "Gateway"), timeout("gateway", "front", 11, "Gateway")], 11),
    ],
    ids=["set before Gateway", "listener before set", "not the Gateway's listener of that name"],
)
def test_routes_of_a_listener_set(load: Load, policies: list[str], seconds: float) -> None:
    world = load(ALLOWING, LISTENER_SET, SERVICES, route(TO_BLUE, spec=TO_SET), *policies)
    assert deadline(world) == seconds
    assert not lost(world)


def test_a_policy_for_what_is_not_there_has_no_rival(load: Load) -> None:
    world = load(ON_ENVOY, SERVICES, route(TO_BLUE), timeout("a", "wbe", 11), timeout("b", "wbe", 22))
    assert lost(world) == []
    assert lost(world, "TargetNotFound") == ["a", "b"]


def test_overridden_only_where_a_route_hangs_on_both(load: Load) -> None:
    far = traffic("far", "Gateway", "front", "retry: {numRetries: 3}")
    near = timeout("near", "web", 11)
    assert lost(load(ON_ENVOY, SERVICES, route(TO_BLUE), far, near), "Overridden") == ["far"]
    elsewhere = route(TO_BLUE, spec="parentRefs: [{name: back}]")
    assert lost(load(ON_ENVOY, SERVICES, elsewhere, far, near), "Overridden") == []


def test_gke_takes_the_older_of_each_kind(load: Load) -> None:
    check = HEALTH_CHECK_POLICY.replace("name: blue, namespace", "name: azure, namespace").replace("/healthz", "/up")
    world = load(ON_GKE, SERVICES, route(TO_BLUE), HEALTH_CHECK_POLICY, check, BACKEND_POLICY)
    found = backend(world).health_check
    assert found is not None
    assert found.path is not None
    assert found.path.value == "/up"
    assert lost(world) == ["blue"]


@pytest.mark.parametrize("installed", [ON_AWS, CONFIGURED_AWS])
def test_aws_takes_either(load: Load, installed: str) -> None:
    other = TARGET_GROUP.replace("{name: blue, namespace", "{name: other, namespace")
    world = load(installed, SERVICES, route(TO_BLUE), LOAD_BALANCER, TARGET_GROUP, other)
    assert lost(world) == ["other"]
    assert backend(world).health_check is None
    assert backend(world).target.value is TargetKind.NODE_OR_POD
