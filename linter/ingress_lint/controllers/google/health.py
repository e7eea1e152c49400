"""The health checks of GKE Ingress: a BackendConfig's fields, else a readiness probe's, else defaults.

Sources: kubernetes/ingress-gce:pkg/translator/healthchecks.go, pkg/controller/translator/translator.go (getHTTPProbe),
pkg/healthchecks/healthchecks.go.
"""

from __future__ import annotations

from typing import Final, TypeVar

from msgspec import Struct

from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.gke import BackendConfig
from ingress_lint.objects.model import IntOrString, KubernetesObject, camel_case
from ingress_lint.objects.workloads import ContainerPort, HTTPGetAction, Probe
from ingress_lint.routes.model import ResolvedPort
from ingress_lint.routes.sourced import Origin, Sourced, as_seconds
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, TargetKind

Value = TypeVar("Value")

GOOGLE_RANGES: Final = ("35.191.0.0/16", "130.211.0.0/22")
"""Where Google's load balancers ask and send from (docs.cloud.google.com/load-balancing/docs/firewall-rules)."""
_PROBE: Final = "readinessProbe"
_NO_CONFIG: Final = "no BackendConfig sets it"


class Inferred(Struct, frozen=True):
    """A readiness probe from which the controller takes the health check."""

    container: WorkloadContainer
    probe: Probe
    http: HTTPGetAction

    def at(self, *more: str) -> Place:
        """The place of one of the probe's fields."""
        return self.container.at(_PROBE, *more)


def inferred_probe(graph: ObjectGraph, port: ResolvedPort, protocol: AppProtocol) -> Inferred | str:
    """The probe that the controller uses for a Service port, else which condition does not hold, in words.

    All must hold: a pod that the Service selects has a container that declares the target port, by number or name, with
    a readiness probe that is an httpGet of that same port, without `host` and without headers except one `Host`, and
    whose scheme is the backend's protocol (HTTPS for HTTP2).
    """
    reasons: list[tuple[int, str]] = []
    for workload in graph.selected_by(port.service):
        for container in workload.containers[: len(workload.pod.containers)]:
            found = _probe_of(container, port.target, protocol)
            if isinstance(found, Inferred):
                return found
            reasons.append(found)
    if not reasons:
        return "no pod of these manifests is behind the Service"
    return max(reasons, key=lambda reason: reason[0])[1]


def _probe_of(container: WorkloadContainer, target: IntOrString, protocol: AppProtocol) -> Inferred | tuple[int, str]:
    """The probe of one container, else why not, with how many conditions did hold."""
    declared = _declared(container, target)
    if declared is None:
        which = f"no container port named `{target}`" if isinstance(target, str) else f"no containerPort {target}"
        return 0, f"container `{container.name}` declares {which}, so its readiness probe is not taken over"
    probe = container.container.readiness_probe
    if probe is None:
        return 1, f"container `{container.name}` has no readiness probe to take it from"
    http = probe.http_get
    if http is None:
        return 2, f"the readiness probe of container `{container.name}` is no httpGet, and only those are taken over"
    if http.host:
        return 3, "the readiness probe sets `host`, and such a probe is not taken over"
    if any(header.name != "Host" for header in http.http_headers) or len(http.http_headers) > 1:
        return 3, "the readiness probe sends headers other than one `Host`, and such a probe is not taken over"
    scheme = "HTTPS" if protocol in (AppProtocol.HTTPS, AppProtocol.HTTP2) else "HTTP"
    if http.scheme != scheme:
        return 3, f"the readiness probe speaks {http.scheme} and the backend {scheme}, so it is not taken over"
    if http.port not in (declared.container_port, declared.name):
        return 3, f"the readiness probe asks port {http.port} instead of {target}, so it is not taken over"
    return Inferred(container, probe, http)


def _declared(container: WorkloadContainer, target: IntOrString) -> ContainerPort | None:
    found = container.port_named(target) if isinstance(target, str) else container.port_numbered(target)
    return found[1] if found else None


class HealthCheckSources(Struct, frozen=True):
    """What decides the health check of one Service port."""

    config: KubernetesObject[BackendConfig] | None
    inferred: Inferred | str
    protocol: Sourced[AppProtocol]
    target: TargetKind
    port: ResolvedPort
    default_place: Place

    def health_check(self, by: str) -> HealthCheck:
        """The check; every field on its own from the first source that has it.

        What differs between instance groups and NEGs is left out where the manifests do not tell which it will be.
        """
        nodes, pods = self.target is TargetKind.NODE, self.target is TargetKind.POD
        inferred = self.inferred if isinstance(self.inferred, Inferred) else None
        period = inferred.probe.period_seconds + (60 if nodes else 0) if inferred and (nodes or pods) else None
        timeout = inferred.probe.timeout_seconds if inferred else None
        port = self._written("port", int)

        def each(by_node: int, by_pod: int) -> int | None:
            return by_node if nodes else by_pod if pods else None

        return HealthCheck(
            by=by,
            protocol=self._protocol(),
            path=self._path(inferred),
            port=port,
            codes=Sourced("200", Origin.DEFAULT, self.default_place, "Google's health checks take nothing else"),
            interval=self._seconds("check_interval_sec", period, "periodSeconds", each(60, 15)),
            timeout=self._seconds("timeout_sec", timeout, "timeoutSeconds", each(60, 15)),
            healthy_threshold=self._count("healthy_threshold", 1),
            unhealthy_threshold=self._count("unhealthy_threshold", each(10, 2)),
            host=self._host(inferred),
            target=self.target,
            resolved_port=port.value if port else (self.port.port.node_port if nodes else self.port.pod_port),
            read_once=inferred is not None,
            sources=GOOGLE_RANGES,
        )

    def _written(self, field: str, kind: type[Value]) -> Sourced[Value] | None:
        """A field of the BackendConfig's healthCheck."""
        check = self.config.body.spec.health_check if self.config else None
        value = getattr(check, field) if check else None
        if not self.config or not isinstance(value, kind):
            return None
        return Sourced(value, Origin.EXPLICIT, self.config.at("spec", "healthCheck", camel_case(field)))

    def _protocol(self) -> Sourced[str]:
        written = self._written("type", str)
        if written:
            return written
        if self.protocol.explicit:
            return Sourced(self.protocol.value.value, Origin.DERIVED, self.protocol.place, "the backend's protocol")
        return Sourced("HTTP", Origin.DEFAULT, self.default_place, "neither a BackendConfig nor app-protocols sets it")

    def _path(self, inferred: Inferred | None) -> Sourced[str]:
        written = self._written("request_path", str)
        if written:
            return written
        if inferred is None:
            return Sourced("/", Origin.DEFAULT, self.default_place, f"{_NO_CONFIG}, and {self.inferred}")
        path = inferred.http.path if inferred.http.path.startswith("/") else f"/{inferred.http.path}"
        return Sourced(path, Origin.DERIVED, inferred.at("httpGet", "path"), "taken from the readiness probe")

    def _host(self, inferred: Inferred | None) -> Sourced[str] | None:
        if inferred is None or not inferred.http.http_headers:
            return None
        header = inferred.http.http_headers[0]
        return Sourced(header.value, Origin.DERIVED, inferred.at("httpGet", "httpHeaders"), "taken from the probe")

    def _seconds(self, field: str, probed: int | None, probe_field: str, default: int | None) -> Sourced[float] | None:
        written = self._written(field, int)
        if written:
            return as_seconds(written)
        if probed is not None and isinstance(self.inferred, Inferred):
            place = self.inferred.at(probe_field)
            return as_seconds(Sourced(probed, Origin.DERIVED, place, "taken from the readiness probe"))
        if default is None:
            return None
        return as_seconds(Sourced(default, Origin.DEFAULT, self.default_place, _NO_CONFIG))

    def _count(self, field: str, default: int | None) -> Sourced[int] | None:
        written = self._written(field, int)
        if written or default is None:
            return written
        return Sourced(default, Origin.DEFAULT, self.default_place, _NO_CONFIG)
