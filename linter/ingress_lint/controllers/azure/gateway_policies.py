"""HealthCheckPolicy and RoutePolicy of Azure Application Gateway for Containers, one for a Service or a route.

Source: MicrosoftDocs/azure-docs:articles/application-gateway/for-containers/custom-health-probe.md. Probes go by the
policy, else by the readiness probe, else to `/` at the port of the backend. Releases were seen to skip the readiness
probe (Azure/AKS: issue 5644).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from ingress_lint.controllers.shared.policies.fields import Block
from ingress_lint.controllers.shared.policies.targets import Claim, Claims, Terms, no_such_target
from ingress_lint.controllers.shared.policies.treatment import Treatment
from ingress_lint.controllers.shared.route_facts import RouteFacts
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.objects.azure import FrontendTLSPolicy, HealthCheckPolicy, HTTPMatch, RoutePolicy
from ingress_lint.objects.model import AnyObject
from ingress_lint.objects.workloads import HTTPGetAction
from ingress_lint.routes.model import BackendRef
from ingress_lint.routes.sourced import Origin, Sourced, as_seconds
from ingress_lint.routes.traffic import AppProtocol, HealthCheck
from ingress_lint.routes.verdicts import Verdict
from ingress_lint.values.durations import go_duration

_BY: Final = "Application Gateway for Containers"
_PROBED: Final = "no HealthCheckPolicy is for the Service, so that the readiness probe counts"
_NOTHING: Final = "neither a HealthCheckPolicy nor a readiness probe says otherwise"
_SKIPPED: Final = "no HealthCheckPolicy is for the Service, and releases were seen that skip the readiness probe"
_CODES: Final = "200-399"
_LOST: Final = {
    "HealthCheckPolicy": "pods are checked as the other one says",
    "RoutePolicy": "its time-outs do not apply",
    "FrontendTLSPolicy": "its settings do not apply",
}
_PLAIN: Final = frozenset({AppProtocol.HTTP, AppProtocol.HTTPS})


class Policies(Treatment):
    """The policies of one graph."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph
        self._written = list(_claims(graph))
        self._claims = Claims(self._written)

    def treat(self, backend: BackendRef, facts: RouteFacts) -> BackendRef:
        """The health check of a Service, and the time-out of the route."""
        if backend.kind != "Service" or not facts.of_requests:
            return backend
        policy = self._policy("RoutePolicy", facts.owner.namespace, (facts.owner.kind, facts.owner.name))
        found = Block.spec(policy).block("default", "timeouts") if policy else None
        written = found.value("route_timeout", go_duration) if found else None
        if written is not None:
            backend = replace(backend, timeouts=replace(backend.timeouts, request=written))
        checked = self._policy("HealthCheckPolicy", backend.namespace, ("Service", backend.name))
        config = Block.spec(checked).block("default") if checked else None
        check = _checked(backend, config) if config is not None else _unwritten(backend)
        return replace(backend, health_check=check)

    def verdicts(self) -> list[Verdict]:
        """Policies for what does not exist, and those that lose to an older one."""
        consequence = "the gateway keeps its defaults"
        missing = (no_such_target(self._graph, claim, consequence) for claim in self._written)
        terms = Terms(_BY, lambda policy: _LOST[policy.kind])
        return [*(verdict for verdict in missing if verdict), *self._claims.conflicts(terms)]

    def _policy(self, kind: str, namespace: str, target: tuple[str, str]) -> AnyObject | None:
        claims = self._claims.of(kind, namespace, target)
        return claims[0].policy if claims else None


def _claims(graph: ObjectGraph) -> Iterator[Claim]:
    policies: Iterator[AnyObject] = graph.of(HealthCheckPolicy, RoutePolicy, FrontendTLSPolicy)
    for policy in policies:
        yield Claim(policy, policy.body.spec.target_ref, policy.at("spec", "targetRef"))


def _checked(backend: BackendRef, config: Block) -> HealthCheck:
    """The probe that a policy asks for; TLS as to the pods where it asks their port, unless `useTLS` says so."""
    http, grpc = config.block("http"), config.block("grpc")
    absent = (http or config).place

    def default(value: str) -> Sourced[str]:
        return Sourced(value, Origin.DEFAULT, absent, "the HealthCheckPolicy does not set it")

    written = config.value("port", int)
    tls = config.value("use_tls", bool)
    traffic = backend.service_port.pod_port if backend.service_port else None
    protocol = default(_spoken(backend) if written is None or written.value == traffic else "HTTP")
    if grpc is not None:
        protocol = Sourced("GRPC", Origin.EXPLICIT, grpc.place)
    elif tls is not None:
        protocol = Sourced("HTTPS" if tls.value else "HTTP", tls.origin, tls.place)
    path = (http.value("path", _given) if http else None) or default("/")
    return HealthCheck(
        by=_BY,
        protocol=protocol,
        path=path if grpc is None else None,
        port=Sourced(written.value, written.origin, written.place) if written else None,
        codes=(http.value("match", _codes) if http else None) or default(_CODES),
        interval=config.value("interval", go_duration),
        timeout=config.value("timeout", go_duration),
        healthy_threshold=config.value("healthy_threshold", int),
        unhealthy_threshold=config.value("unhealthy_threshold", int),
        host=http.value("host", _given) if http else None,
        resolved_port=written.value if written else traffic,
    )


def _unwritten(backend: BackendRef) -> HealthCheck | None:
    """The readiness probe, else the default; None where the pods are not known, or speak gRPC."""
    if backend.protocol.value not in _PLAIN or not backend.endpoints:
        return None
    place, port = backend.place, backend.service_port
    default = HealthCheck(
        by=_BY,
        protocol=Sourced(_spoken(backend), Origin.DEFAULT, place, _NOTHING),
        path=Sourced("/", Origin.DEFAULT, place, _NOTHING),
        port=None,
        codes=Sourced(_CODES, Origin.DEFAULT, place, _NOTHING),
        interval=as_seconds(Sourced(5, Origin.DEFAULT, place, _NOTHING)),
        timeout=as_seconds(Sourced(30, Origin.DEFAULT, place, _NOTHING)),
        healthy_threshold=Sourced(1, Origin.DEFAULT, place, _NOTHING),
        unhealthy_threshold=Sourced(3, Origin.DEFAULT, place, _NOTHING),
        resolved_port=port.pod_port if port else None,
    )
    probe = next((found for endpoint in backend.endpoints if (found := _readiness(endpoint.container))), None)
    if probe is None:
        return default
    container, http = probe
    asked, number = container.at("readinessProbe", "httpGet"), container.port_number(http.port)
    traffic = port.pod_port if port else None
    return replace(
        default,
        protocol=Sourced(http.scheme, Origin.DERIVED, asked, _PROBED),
        path=Sourced(http.path or "/", Origin.DERIVED, asked.at("path"), _PROBED),
        port=None if number == traffic else Sourced(http.port, Origin.DERIVED, asked.at("port"), _PROBED),
        resolved_port=number,
        skipped=Sourced("/", Origin.DEFAULT, place, _SKIPPED),
    )


def _readiness(container: WorkloadContainer | None) -> tuple[WorkloadContainer, HTTPGetAction] | None:
    for field, probe in container.container.probes() if container else ():
        if container is not None and field == "readinessProbe" and probe.http_get is not None:
            return container, probe.http_get
    return None


def _spoken(backend: BackendRef) -> str:
    return "HTTPS" if backend.protocol.value.over_tls else "HTTP"


def _codes(match: HTTPMatch) -> str | None:
    ranges = [f"{item.start}-{item.end}" for item in match.status_codes if item.start and item.end]
    return ",".join(ranges) or None


def _given(text: str) -> str | None:
    return text or None
