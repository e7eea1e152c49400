"""BackendTrafficPolicy and ClientTrafficPolicy of Envoy Gateway.

Sources: envoyproxy/gateway:api/v1alpha1/{backendtrafficpolicy,healthcheck,timeout,retry}_types.go,
internal/gatewayapi/backendtrafficpolicy.go, internal/xds/translator/route.go. The policy nearest to a rule counts: of
the rule, the route, the listener, the Gateway, in this order; with `mergeType` it takes from the next what it lacks
itself. A timeout that the route sets goes before a policy's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec.structs import replace

from ingress_lint.controllers.shared.policies import Block, first_written, no_such_target
from ingress_lint.controllers.shared.route_facts import RouteFacts
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.labels import selects
from ingress_lint.load.document import Place
from ingress_lint.objects.gateway import Gateway, ListenerSet
from ingress_lint.objects.gateway_policies import (
    AttachedPolicy,
    BackendTrafficPolicy,
    ClientTrafficPolicy,
    PolicyTarget,
    TargetSelector,
)
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.model import AnyObject, KubernetesObject, LabelSelector
from ingress_lint.routes.matching import age
from ingress_lint.routes.model import BackendRef
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import HealthCheck, TargetKind
from ingress_lint.routes.verdicts import Reason, Verdict
from ingress_lint.values.durations import go_duration

_BY: Final = "Envoy Gateway"
_ACTIVE: Final = ("health_check", "active")
_COVERS_RESETS: Final = frozenset({"reset", "reset-before-request"})
_CLIENT_IDLE: Final = 3600.0
_NOT_SET: Final = "the BackendTrafficPolicy does not set it"

_SETTINGS: Final = "its timeouts, retries and health checks do not apply"
_LOST: Final = {
    "SecurityPolicy": "requests pass without the login and the limits that it asks for",
    "EnvoyExtensionPolicy": "requests pass without its extensions",
}

Policy = (
    KubernetesObject[BackendTrafficPolicy] | KubernetesObject[ClientTrafficPolicy] | KubernetesObject[AttachedPolicy]
)


class Policies:
    """The policies of one graph."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph
        self._backend: list[Policy] = sorted(graph.of(BackendTrafficPolicy), key=age)
        self._client: list[Policy] = sorted(graph.of(ClientTrafficPolicy), key=age)

    def treat(self, backend: BackendRef, facts: RouteFacts) -> BackendRef:
        """The active health check, timeouts and retries of a rule, and how long clients may stay idle."""
        if not facts.of_requests:
            return backend
        policies = [Block.spec(policy) for policy in _merged(list(_nearest(self._backend, facts)))]
        timeouts, keep_alive = backend.timeouts, backend.keep_alive
        request = first_written(policies, ("timeout", "http", "request_timeout"), _deadline)
        connect = first_written(policies, ("timeout", "tcp", "connect_timeout"), go_duration)
        idle = first_written(policies, ("timeout", "http", "connection_idle_timeout"), _deadline)
        triggers = first_written(policies, ("retry", "retry_on", "triggers"), _triggers)
        hidden = triggers is not None and bool(_COVERS_RESETS.intersection(triggers.value))
        by_route = timeouts.request is not None and timeouts.request.explicit
        return replace(
            backend,
            timeouts=replace(
                timeouts,
                request=timeouts.request if by_route else request or timeouts.request,
                connect=connect or timeouts.connect,
            ),
            keep_alive=replace(
                keep_alive,
                upstream_idle=idle or keep_alive.upstream_idle,
                client_idle=self._client_idle(backend, facts),
                retries_resets=hidden,
                retries_idempotent=hidden,
            ),
            health_check=_health_check(backend, policies),
        )

    def verdicts(self) -> list[Verdict]:
        """Policies for what does not exist, or for a part that their target does not have."""
        found: list[Verdict | None] = []
        for policy in (*self._backend, *self._client, *self._graph.of(AttachedPolicy)):
            consequence = _LOST.get(policy.kind, _SETTINGS)
            for target, place in _targets(policy):
                missing = no_such_target(self._graph, policy, target, place, consequence)
                found.append(missing or self._no_such_section(policy, target, place))
        return [verdict for verdict in found if verdict]

    def _client_idle(self, backend: BackendRef, facts: RouteFacts) -> Sourced[float]:
        clients = [Block.spec(policy) for policy in _nearest(self._client, facts)]
        written = first_written(clients[:1], ("timeout", "http", "idle_timeout"), _deadline)
        return written or Sourced(_CLIENT_IDLE, Origin.DEFAULT, backend.place, "no ClientTrafficPolicy sets it")

    def _no_such_section(self, policy: Policy, target: PolicyTarget, place: Place) -> Verdict | None:
        """Why a policy is for no listener of a Gateway or ListenerSet, or for no rule of a route."""
        found = self._graph.get(GroupKind(target.group, target.kind), policy.namespace, target.name)
        if target.section_name is None or found is None or found.body is None or found.broken:
            return None
        part = "listener" if isinstance(found.body, Gateway | ListenerSet) else "rule"
        known = [item.name for item in getattr(found.body.spec, f"{part}s", ())]
        if target.section_name in known:
            return None
        names = ", ".join(f"`{name}`" for name in known if name)
        return Verdict(
            Reason.TARGET_NOT_FOUND,
            policy,
            place.at("sectionName"),
            f"{policy.kind} `{policy.name}` is for {part} `{target.section_name}` of {target.kind} `{target.name}`, "
            + (f"which has {names}" if names else f"whose {part}s have no names")
            + f"; it has no effect, and {_LOST.get(policy.kind, _SETTINGS)}",
            related=((f"{target.kind} `{target.name}`", found.name_place),),
            fix=f"name a {part} that exists",
        )


def _targets(policy: Policy) -> Iterator[tuple[PolicyTarget, Place]]:
    spec = policy.body.spec
    if spec.target_ref is not None:
        yield spec.target_ref, policy.at("spec", "targetRef")
    for index, target in enumerate(spec.target_refs):
        yield target, policy.at("spec", "targetRefs", index)


def _nearest(policies: Sequence[Policy], facts: RouteFacts) -> Iterator[Policy]:
    """The policies for a rule, the nearest first; of several for one object the oldest."""
    route, gateway = facts.owner, facts.gateway
    places: list[tuple[AnyObject | None, tuple[str | None, ...]]] = [
        (route, (facts.rule_name,) if facts.rule_name else ()),
        (route, (None,)),
        (gateway, facts.listeners),
        (gateway, (None,)),
    ]
    for item, sections in places:
        found = next((policy for policy in policies if item and _is_for(policy, item, sections)), None)
        if found is not None:
            yield found


def _is_for(policy: Policy, item: AnyObject, sections: tuple[str | None, ...]) -> bool:
    if policy.namespace != item.namespace:
        return False
    return any(
        (target.kind, target.name) == (item.kind, item.name) and target.section_name in sections
        for target, _ in _targets(policy)
    ) or (None in sections and any(_selected(selector, item) for selector in policy.body.spec.target_selectors))


def _selected(selector: TargetSelector, item: AnyObject) -> bool:
    labels = LabelSelector(match_labels=selector.match_labels, match_expressions=selector.match_expressions)
    return selector.kind == item.kind and selects(labels, item.labels)


def _merged(policies: Sequence[Policy]) -> Sequence[Policy]:
    """The nearest policy, and the next one too where the nearest is to be merged with it."""
    if policies and getattr(policies[0].body.spec, "merge_type", None):
        return policies[:2]
    return policies[:1]


def _deadline(text: str) -> float | None:
    """A time; zero is none."""
    seconds = go_duration(text)
    return float("inf") if seconds == 0 else seconds


def _triggers(written: Any) -> tuple[str, ...] | None:
    return written or None


def _health_check(backend: BackendRef, policies: Sequence[Block]) -> HealthCheck | None:
    kind = first_written(policies, (*_ACTIVE, "type"), str)
    active = next((found for policy in policies if (found := policy.block(*_ACTIVE))), None)
    if kind is None or active is None or backend.target.value is not TargetKind.POD:
        return None

    def seconds(field: str, default: float) -> Sourced[float]:
        found = first_written(policies, (*_ACTIVE, field), go_duration)
        return found or Sourced(default, Origin.DEFAULT, active.place, _NOT_SET)

    def number(field: str, default: int) -> Sourced[int]:
        found = first_written(policies, (*_ACTIVE, field), int)
        return found or Sourced(default, Origin.DEFAULT, active.place, _NOT_SET)

    asks = kind.value == "HTTP"
    codes = first_written(policies, (*_ACTIVE, "http", "expected_statuses"), _codes) if asks else None
    port = first_written(policies, (*_ACTIVE, "overrides", "port"), int)
    traffic = backend.service_port
    return HealthCheck(
        by=_BY,
        protocol=kind,
        path=first_written(policies, (*_ACTIVE, "http", "path"), str) if asks else None,
        port=Sourced[int | str](port.value, port.origin, port.place) if port else None,
        codes=(codes or Sourced("200", Origin.DEFAULT, active.place, _NOT_SET)) if asks else None,
        interval=seconds("interval", 3.0),
        timeout=seconds("timeout", 1.0),
        healthy_threshold=number("healthy_threshold", 1),
        unhealthy_threshold=number("unhealthy_threshold", 3),
        host=first_written(policies, (*_ACTIVE, "http", "hostname"), str) if asks else None,
        resolved_port=port.value if port else traffic.pod_port if traffic else None,
    )


def _codes(statuses: tuple[int, ...]) -> str | None:
    return ",".join(map(str, statuses)) or None
