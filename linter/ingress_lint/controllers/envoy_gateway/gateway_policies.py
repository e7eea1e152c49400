"""BackendTrafficPolicy and ClientTrafficPolicy of Envoy Gateway.

Sources: envoyproxy/gateway:api/v1alpha1/{backendtrafficpolicy,healthcheck,timeout,retry}_types.go,
internal/gatewayapi/backendtrafficpolicy.go, internal/xds/translator/route.go. With `mergeType` the policy nearest to a
rule takes from the next what it lacks itself. A timeout that the route sets goes before a policy's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec.structs import replace

from ingress_lint.controllers.envoy_gateway.attachment import BY, KINDS, Attachments
from ingress_lint.controllers.envoy_gateway.refusals import Rejections, refused_backend, refused_filters
from ingress_lint.controllers.envoy_gateway.route_filters import as_translated
from ingress_lint.controllers.shared.policies.fields import Block, first_written
from ingress_lint.controllers.shared.policies.treatment import Treatment
from ingress_lint.controllers.shared.route_facts import RouteFacts
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import HealthCheck, TargetKind
from ingress_lint.routes.verdicts import Verdict
from ingress_lint.values.durations import go_duration

_ACTIVE: Final = ("health_check", "active")
_COVERS_RESETS: Final = frozenset({"reset", "reset-before-request"})
_CLIENT_IDLE: Final = 3600.0
_NOT_SET: Final = "the BackendTrafficPolicy does not set it"


class Policies(Treatment):
    """The policies of one graph."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph
        self._attachments = Attachments(graph)
        self._rejections = Rejections(graph)

    def treat(self, backend: BackendRef, facts: RouteFacts) -> BackendRef:
        """The active health check, timeouts and retries of a rule, and how long clients may stay idle."""
        if not facts.of_requests:
            return backend
        self._attachments.note(facts)
        if backend.refusal is None:
            backend = replace(backend, refusal=refused_backend(self._graph, backend, facts.owner))
        policies = [Block.spec(policy) for policy in self._attachments.nearest("BackendTrafficPolicy", facts)]
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

    def extended(self, route: Route) -> Route:
        """A rule with what its filters come to in Envoy."""
        return as_translated(self._graph, route)

    def refusals(self, facts: RouteFacts) -> Iterable[Verdict]:
        """The policies for a rule that are rejected, and what is rejected of its filters."""
        found = list(refused_filters(facts)) if facts.of_requests else []
        for kind in KINDS:
            for policy in self._attachments.nearest(kind, facts):
                found += self._rejections.of(policy)
        return found

    def verdicts(self) -> list[Verdict]:
        """What is wrong with what policies are for, with their sharing it, and with what they say."""
        rejected = [verdict for policy in self._attachments.policies() for verdict in self._rejections.of(policy)]
        return [*self._attachments.verdicts(), *rejected]

    def _client_idle(self, backend: BackendRef, facts: RouteFacts) -> Sourced[float]:
        clients = [Block.spec(policy) for policy in self._attachments.nearest("ClientTrafficPolicy", facts)]
        written = first_written(clients, ("timeout", "http", "idle_timeout"), _deadline)
        return written or Sourced(_CLIENT_IDLE, Origin.DEFAULT, backend.place, "no ClientTrafficPolicy sets it")


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
        by=BY,
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
