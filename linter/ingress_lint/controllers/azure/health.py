"""The health probes of Application Gateways: annotations, else a container's probe, else what the Ingress says.

Sources: Azure/application-gateway-kubernetes-ingress, pkg/appgw/health_probes.go (generateHealthProbe,
getProbeForServiceContainer) and internaltypes.go (defaultProbe); docs/features/probes.md. A probe's headers, delay and
success threshold are not taken over. What a gateway of the retired v1 kind leaves out (the port) is not left out here.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from ingress_lint.controllers.shared.annotations import AnnotationReader, or_default
from ingress_lint.controllers.shared.base import PathContext
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.model import IntOrString
from ingress_lint.objects.workloads import HTTPGetAction, Probe
from ingress_lint.routes.model import ResolvedPort
from ingress_lint.routes.sourced import Origin, Sourced, as_seconds
from ingress_lint.routes.traffic import AppProtocol, HealthCheck

HTTPS_PORT: Final = 443
_MOST_FAILURES: Final = 20
_WILDCARDS: Final = frozenset("*?")
_TAKEN: Final = "taken from the container's probe"


class ContainerProbe(Struct, frozen=True):
    """The probe from which the controller takes over what no annotation says; `field` is what it is called."""

    container: WorkloadContainer
    field: str
    probe: Probe
    http: HTTPGetAction

    def at(self, *more: str) -> Place:
        """The place of one of the probe's fields."""
        return self.container.at(self.field, *more)

    @property
    def port(self) -> int | None:
        """The number of the port that it asks."""
        return self.container.port_number(self.http.port)


def resolved_port(port: ResolvedPort | None) -> int | None:
    """The pods' port, the smallest where it is not the same on all (resolveBackendPort)."""
    if port is None:
        return None
    numbers = [endpoint.number for endpoint in port.endpoints if endpoint.number is not None]
    return min(numbers) if numbers else port.pod_port


def container_probe(graph: ObjectGraph, port: ResolvedPort | None) -> ContainerProbe | str:
    """The readiness probe, else the liveness probe, that is an httpGet; else in words why there is none.

    Only the container of the first pod that declares the target port is asked.
    """
    workloads = graph.selected_by(port.service) if port else ()
    if port is None or not workloads:
        return "no pod of these manifests is behind the Service"
    numbers = {endpoint.number for endpoint in port.endpoints}
    for container in workloads[0].containers[: len(workloads[0].pod.containers)]:
        if not any(declared.container_port in numbers for declared in container.container.ports):
            continue
        for field, probe in container.container.probes():
            if field != "startupProbe" and probe.http_get is not None:
                return ContainerProbe(container, field, probe, probe.http_get)
        return f"container `{container.name}` has neither a readiness nor a liveness probe that is an httpGet"
    return f"no container of {workloads[0]} declares port {port.target}, so no probe is taken over"


class HealthCheckSources(Struct, frozen=True):
    """What decides the health check of one path's backend."""

    reader: AnnotationReader
    context: PathContext
    traffic: Sourced[AppProtocol]
    probe: ContainerProbe | str

    def health_check(self, by: str) -> HealthCheck:
        """The check; every field on its own from the first source that has it."""
        if self.context.is_default:
            return self._of_default_backend(by)
        probe = self._probe
        port, number = self._port()
        threshold = min(probe.probe.failure_threshold, _MOST_FAILURES) if probe else None
        return HealthCheck(
            by=by,
            protocol=self._protocol(),
            path=self._path(),
            port=port,
            codes=self._codes(),
            interval=self._seconds("interval", probe.probe.period_seconds if probe else None, "periodSeconds"),
            timeout=self._seconds("timeout", probe.probe.timeout_seconds if probe else None, "timeoutSeconds"),
            unhealthy_threshold=self._number("unhealthy-threshold", threshold, "failureThreshold", 3),
            host=self._host(),
            resolved_port=number,
        )

    def _of_default_backend(self, by: str) -> HealthCheck:
        """The gateway's stock probe; only `backend-protocol` counts."""
        place, why = self._place, "the stock probe, which the default backend gets"
        protocol = Sourced("HTTP", Origin.DEFAULT, place, why)
        if self.traffic.explicit and self.traffic.value is AppProtocol.HTTPS:
            protocol = Sourced("HTTPS", Origin.DERIVED, self.traffic.place, "backend-protocol")
        return HealthCheck(
            by=by,
            protocol=protocol,
            path=Sourced("/", Origin.DEFAULT, place, why),
            port=None,
            codes=Sourced("200-399", Origin.DEFAULT, place, why),
            interval=Sourced(30.0, Origin.DEFAULT, place, why),
            timeout=Sourced(30.0, Origin.DEFAULT, place, why),
            unhealthy_threshold=Sourced(3, Origin.DEFAULT, place, why),
            host=Sourced("localhost", Origin.DEFAULT, place, why),
            resolved_port=resolved_port(self.context.service_port),
        )

    @property
    def _probe(self) -> ContainerProbe | None:
        return self.probe if isinstance(self.probe, ContainerProbe) else None

    @property
    def _place(self) -> Place:
        return self.context.default_place()

    def _protocol(self) -> Sourced[str]:
        """`backend-protocol`, else the probe's scheme, else HTTPS for port 443 of the Service or the pods."""
        if self.traffic.explicit:
            return Sourced(self.traffic.value.value, Origin.DERIVED, self.traffic.place, "backend-protocol")
        if (probe := self._probe) is not None:
            if probe.http.scheme == "HTTP" and probe.port == HTTPS_PORT:
                return Sourced("HTTPS", Origin.DERIVED, probe.at("httpGet", "port"), "the probe asks port 443")
            return Sourced(probe.http.scheme, Origin.DERIVED, probe.at("httpGet", "scheme"), _TAKEN)
        reference, port = self.context.reference, self.context.service_port
        if str(reference.port) == str(HTTPS_PORT):
            place = self.context.backend_place.at(*reference.port_pointer)
            return Sourced("HTTPS", Origin.DERIVED, place, "the backend's port is 443")
        if port is not None and resolved_port(port) == HTTPS_PORT:
            return Sourced("HTTPS", Origin.DERIVED, port.at("targetPort"), "the pods' port is 443")
        return Sourced("HTTP", Origin.DEFAULT, self._place, "nothing sets backend-protocol, and the port is not 443")

    def _path(self) -> Sourced[str]:
        """`health-probe-path`, else the probe's, else `backend-path-prefix`, else the Ingress's path; without a `*`."""
        found = self._any_path()
        return Sourced(found.value.rstrip("*"), found.origin, found.place, found.why)

    def _any_path(self) -> Sourced[str]:
        written = self.reader.text("health-probe-path")
        if written and written.value:
            return written
        if (probe := self._probe) is not None and probe.http.path:
            return Sourced(probe.http.path, Origin.DERIVED, probe.at("httpGet", "path"), _TAKEN)
        rest = f"nothing sets health-probe-path, and {self.probe}"
        prefix = self.reader.text("backend-path-prefix")
        if prefix:
            return Sourced(prefix.value, Origin.DERIVED, prefix.place, f"from backend-path-prefix; {rest}")
        if self.context.path_value:
            place = self.context.place.at("path")
            return Sourced(self.context.path_value, Origin.DERIVED, place, f"the path of the Ingress; {rest}")
        return Sourced("/", Origin.DEFAULT, self._place, rest)

    def _port(self) -> tuple[Sourced[IntOrString] | None, int | None]:
        """`health-probe-port`, else the probe's where that is not the traffic port."""
        written = self.reader.integer("health-probe-port")
        if written and 0 < written.value < 65536:
            return Sourced(written.value, written.origin, written.place), written.value
        traffic, probe = resolved_port(self.context.service_port), self._probe
        number = probe.port if probe else None
        if probe is None or number is None or number == traffic:
            return None, traffic
        return Sourced(number, Origin.DERIVED, probe.at("httpGet", "port"), _TAKEN), number

    def _codes(self) -> Sourced[str]:
        """learn.microsoft.com/azure/application-gateway/application-gateway-probe-overview: 200 to 399."""
        written = self.reader.text("health-probe-status-codes")
        found = written if written and written.value else None
        return or_default(found, "200-399", self._place, "nothing sets health-probe-status-codes")

    def _host(self) -> Sourced[str]:
        """`health-probe-hostname`, the probe's, `backend-hostname`, the first host without a wildcard, `localhost`."""
        written = self.reader.text("health-probe-hostname")
        if written and written.value:
            return written
        if (probe := self._probe) is not None and probe.http.host:
            return Sourced(probe.http.host, Origin.DERIVED, probe.at("httpGet", "host"), _TAKEN)
        backend = self.reader.text("backend-hostname")
        if backend:
            return Sourced(backend.value, Origin.DERIVED, backend.place, "from backend-hostname")
        own = (self.context.host,) if self.context.host else ()
        for host in (*own, *self.reader.items("hostname-extension")):
            if not _WILDCARDS & set(host.value):
                return Sourced(host.value, Origin.DERIVED, host.place, "the first host of the rule")
        return Sourced("localhost", Origin.DEFAULT, self._place, "nothing sets health-probe-hostname")

    def _seconds(self, key: str, probed: int | None, field: str) -> Sourced[float]:
        return as_seconds(self._number(key, probed, field, 30))

    def _number(self, key: str, probed: int | None, field: str, default: int) -> Sourced[int]:
        written = self.reader.integer(f"health-probe-{key}")
        if written and written.value > 0:
            return written
        if probed and (probe := self._probe) is not None:
            return Sourced(probed, Origin.DERIVED, probe.at(field), _TAKEN)
        return Sourced(default, Origin.DEFAULT, self._place, f"nothing sets health-probe-{key}")
