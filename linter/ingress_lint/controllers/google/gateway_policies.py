"""HealthCheckPolicy and GCPBackendPolicy of GKE, one of each for a Service, and GCPGatewayPolicy, one for a Gateway.

Sources: GoogleCloudPlatform/gke-networking-recipes:gateway-api/config/servicepolicies/crd/standard, whose field
descriptions give the defaults; docs.cloud.google.com/kubernetes-engine/docs/how-to/configure-gateway-resources: of two
policies for one Service the older counts. A readiness probe is never read. Without a policy the load balancer asks for
`/` (kb.langchain.com/articles/3603461301).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from msgspec.structs import replace

from ingress_lint.controllers.google.health import GOOGLE_RANGES
from ingress_lint.controllers.shared.policies.fields import Block
from ingress_lint.controllers.shared.policies.targets import Claims, Terms, no_such_target, written_claims
from ingress_lint.controllers.shared.policies.treatment import Treatment
from ingress_lint.controllers.shared.route_facts import RouteFacts
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.gateway_policies import GCPBackendPolicy, GCPGatewayPolicy, HealthCheckPolicy
from ingress_lint.objects.model import AnyObject, IntOrString
from ingress_lint.routes.model import BackendRef
from ingress_lint.routes.sourced import Origin, Sourced, as_seconds
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, KeepAlive
from ingress_lint.routes.verdicts import Verdict

_BY: Final = "GKE Gateway"
_NO_POLICY: Final = "no HealthCheckPolicy is for the Service, and readiness probes are not read"
_NOT_SET: Final = "the HealthCheckPolicy does not set it"
_KEPT: Final = "the load balancer keeps its defaults, so that a check for `/` may fail and clients get 502"
_LOST: Final = {
    "HealthCheckPolicy": "pods are checked as the other one says",
    "GCPBackendPolicy": "its timeouts and other settings do not apply",
    "GCPGatewayPolicy": "its settings do not apply",
}
_CLIENT_IDLE: Final = 610.0
_APPLICATION_CLASSES: Final = "gke-l7-"
"""How the classes of application load balancers start; others pass on connections or steer a mesh."""


class Policies(Treatment):
    """The policies of one graph."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph
        policies: Iterator[AnyObject] = graph.of(HealthCheckPolicy, GCPBackendPolicy, GCPGatewayPolicy)
        self._written = [claim for policy in policies for claim in written_claims(policy, policy.body.spec)]
        self._claims = Claims(self._written)

    def treat(self, backend: BackendRef, facts: RouteFacts) -> BackendRef:
        """The health check and the timeouts of a Service; idle connections are kept for a fixed time."""
        class_name = facts.gateway.body.spec.gateway_class_name if facts.gateway else ""
        if backend.kind != "Service" or not facts.of_requests or not class_name.startswith(_APPLICATION_CLASSES):
            return backend
        timeouts = backend.timeouts
        policy = self._policy("GCPBackendPolicy", backend)
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
        check = self._check(backend, self._policy("HealthCheckPolicy", backend))
        return replace(backend, timeouts=timeouts, keep_alive=keep_alive, health_check=check)

    def verdicts(self) -> list[Verdict]:
        """Policies for what does not exist, and those that lose to an older one."""
        missing = (
            no_such_target(self._graph, claim, _KEPT) for claim in self._written if claim.target.kind == "Service"
        )
        terms = Terms("GKE", lambda policy: _LOST[policy.kind])
        return [*(verdict for verdict in missing if verdict), *self._claims.conflicts(terms)]

    def _policy(self, kind: str, backend: BackendRef) -> AnyObject | None:
        """The policy of a kind that counts for a Service."""
        claims = self._claims.of(kind, backend.namespace, ("Service", backend.name))
        return claims[0].policy if claims else None

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
