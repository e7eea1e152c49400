"""HealthCheckPolicy and GCPBackendPolicy of GKE, one of each for a Service of their own namespace.

Sources: GoogleCloudPlatform/gke-networking-recipes:gateway-api/config/servicepolicies/crd/standard, whose field
descriptions give the defaults; docs.cloud.google.com/kubernetes-engine/docs/how-to/configure-gateway-resources: of two
policies for one Service the older counts. A readiness probe is never read. Without a policy the load balancer asks for
`/` (kb.langchain.com/articles/3603461301).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec.structs import replace

from ingress_lint.controllers.google.health import GOOGLE_RANGES
from ingress_lint.controllers.shared.policies import Block, no_such_target
from ingress_lint.controllers.shared.route_facts import RouteFacts
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.gateway_policies import GCPBackendPolicy, HealthCheckPolicy
from ingress_lint.objects.model import AnyObject, IntOrString
from ingress_lint.routes.matching import age
from ingress_lint.routes.model import BackendRef
from ingress_lint.routes.sourced import Origin, Sourced, as_seconds
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, KeepAlive
from ingress_lint.routes.verdicts import Verdict

_BY: Final = "GKE Gateway"
_NO_POLICY: Final = "no HealthCheckPolicy is for the Service, and readiness probes are not read"
_NOT_SET: Final = "the HealthCheckPolicy does not set it"
_CLIENT_IDLE: Final = 610.0
_APPLICATION_CLASSES: Final = "gke-l7-"
"""How the classes of application load balancers start; others pass on connections or steer a mesh."""


class Policies:
    """The policies of one graph."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph
        self._health = _by_service(graph.of(HealthCheckPolicy))
        self._backend = _by_service(graph.of(GCPBackendPolicy))

    def treat(self, backend: BackendRef, facts: RouteFacts) -> BackendRef:
        """The health check and the timeouts of a Service; idle connections are kept for a fixed time."""
        class_name = facts.gateway.body.spec.gateway_class_name if facts.gateway else ""
        if backend.kind != "Service" or not facts.of_requests or not class_name.startswith(_APPLICATION_CLASSES):
            return backend
        key = backend.namespace, backend.name
        timeouts = backend.timeouts
        policy = self._backend.get(key)
        settings = Block.spec(policy).block("default") if policy else None
        written = settings.value("timeout_sec", float) if settings else None
        if written is not None:
            timeouts = replace(timeouts, request=written)
        draining = settings.block("connection_draining") if settings else None
        if draining is not None:
            timeouts = replace(timeouts, drain=draining.value("draining_timeout_sec", float))
        why = "fixed by Google's load balancer"
        idle = backend.keep_alive.upstream_idle
        keep_alive = KeepAlive(
            upstream_idle=replace(idle, why=why) if idle else None,
            client_idle=Sourced(_CLIENT_IDLE, Origin.DEFAULT, backend.place, why),
        )
        check = self._check(backend, self._health.get(key))
        return replace(backend, timeouts=timeouts, keep_alive=keep_alive, health_check=check)

    def verdicts(self) -> list[Verdict]:
        """Policies for Services that do not exist."""
        consequence = "the load balancer keeps its defaults, so that a check for `/` may fail and clients get 502"
        policies: tuple[AnyObject, ...] = (*self._graph.of(HealthCheckPolicy), *self._graph.of(GCPBackendPolicy))
        found = []
        for policy in policies:
            target = policy.body.spec.target_ref
            if target.kind == "Service":
                found.append(no_such_target(self._graph, policy, target, policy.at("spec", "targetRef"), consequence))
        return [verdict for verdict in found if verdict]

    def _check(self, backend: BackendRef, policy: AnyObject | None) -> HealthCheck | None:
        if policy is not None:
            return _checked(backend, policy)
        if backend.protocol.value is not AppProtocol.HTTP:
            return None
        place, port = backend.place, backend.service_port
        return HealthCheck(
            by=_BY,
            protocol=Sourced("HTTP", Origin.DEFAULT, place, _NO_POLICY),
            path=Sourced("/", Origin.DEFAULT, place, _NO_POLICY),
            port=None,
            codes=_codes(backend),
            resolved_port=port.pod_port if port else None,
            sources=GOOGLE_RANGES,
        )


def _by_service(policies: Iterable[AnyObject]) -> Mapping[tuple[str, str], AnyObject]:
    found: dict[tuple[str, str], AnyObject] = {}
    for policy in sorted(policies, key=age):
        target = policy.body.spec.target_ref
        if target.kind == "Service":
            found.setdefault((policy.namespace, target.name), policy)
    return found


def _codes(backend: BackendRef) -> Sourced[str]:
    return Sourced("200", Origin.DEFAULT, backend.place, "Google's health checks take nothing else")


def _checked(backend: BackendRef, policy: AnyObject) -> HealthCheck:
    """The check that a policy asks for, each field it leaves out with its default."""
    spec = Block.spec(policy)
    settings = spec.block("default")
    config = settings.block("config") if settings else None
    absent = (config or settings or spec).place
    protocol = config.value("type", str) if config else None
    name = protocol.value if protocol else "HTTP"
    known = name.lower() in ("http", "https", "http2", "tcp", "grpc")
    asked = config.block(f"{name.lower()}_health_check") if config and known else None

    def number(field: str, default: int) -> Sourced[int]:
        found = settings.value(field, int) if settings else None
        return found or Sourced(default, Origin.DEFAULT, absent, _NOT_SET)

    def seconds(field: str, default: int) -> Sourced[float]:
        return as_seconds(number(field, default))

    path = asked.value("request_path", _unless_empty) if asked else None
    port: Sourced[IntOrString] | None = None
    if asked is not None and getattr(asked.body, "port_specification", None) != "USE_SERVING_PORT":
        port = asked.value("port", _number)
    traffic = backend.service_port
    return HealthCheck(
        by=_BY,
        protocol=protocol or Sourced("HTTP", Origin.DEFAULT, absent, _NOT_SET),
        path=(path or Sourced("/", Origin.DEFAULT, (asked or config or settings or spec).place, _NOT_SET))
        if name in ("HTTP", "HTTPS", "HTTP2")
        else None,
        port=port,
        codes=_codes(backend),
        interval=seconds("check_interval_sec", 5),
        timeout=seconds("timeout_sec", 5),
        healthy_threshold=number("healthy_threshold", 2),
        unhealthy_threshold=number("unhealthy_threshold", 2),
        host=asked.value("host", _unless_empty) if asked else None,
        sources=GOOGLE_RANGES,
        resolved_port=(
            port.value if port and isinstance(port.value, int) else traffic.pod_port if traffic and not port else None
        ),
    )


def _unless_empty(text: str) -> str | None:
    return text or None


def _number(value: Any) -> IntOrString | None:
    return value if isinstance(value, int) else None
