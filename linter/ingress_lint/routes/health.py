"""Where a load balancer's health check arrives in the pods, and what is known of the answer it gets there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from msgspec import Struct

from ingress_lint.facts.answers import KnownAnswer, answers
from ingress_lint.graph.workload import Workload, WorkloadContainer
from ingress_lint.objects.core import ServicePort
from ingress_lint.routes.model import BackendRef, Endpoint, ResolvedPort, Route
from ingress_lint.routes.traffic import HealthCheck, TargetKind
from ingress_lint.values.numbers import whole
from ingress_lint.values.patterns import deferred

KUBE_PROXY_HEALTH: Final = 10256
"""Where kube-proxy answers for the node as a whole, whatever Service is asked for."""


class Landing(Struct, frozen=True):
    """Where the check arrives in the pods of one workload: at port `number` of `container`, with all that is known."""

    endpoint: Endpoint
    number: int
    container: WorkloadContainer | None
    answers: tuple[KnownAnswer, ...]
    """What the pod's probes tell, on whatever port."""

    @property
    def workload(self) -> Workload:
        """The workload."""
        return self.endpoint.workload

    @property
    def on_traffic_port(self) -> bool:
        """Whether the check asks the port that gets the traffic."""
        return self.number == self.endpoint.number

    @property
    def here(self) -> Iterator[KnownAnswer]:
        """What the probes tell of the port that the check asks."""
        return (answer for answer in self.answers if answer.port == self.number)

    @property
    def elsewhere(self) -> Iterator[KnownAnswer]:
        """The paths that the same container is known to answer on its other ports."""
        return (
            answer
            for answer in self.answers
            if answer.path and answer.port not in (None, self.number) and answer.container is self.container
        )

    @property
    def port_known(self) -> bool:
        """Whether something says that the pod listens there: traffic, a declared port or a probe."""
        return (
            self.on_traffic_port
            or any(self.here)
            or any(container.port_numbered(self.number) for container in self.workload.containers)
        )


def landings(backend: BackendRef) -> tuple[Landing, ...]:
    """Where the backend's health check arrives, one for each workload for which that is known.

    None where the check has no way there: it asks nodes, and the Service has no NodePort.
    """
    check, port = backend.health_check, backend.service_port
    if check is None or port is None or lacks_node_port(check, port):
        return ()
    return tuple(
        Landing(endpoint, number, _serving(endpoint, number), answers(endpoint.workload))
        for endpoint in port.endpoints
        if (number := _number(check, port, endpoint)) is not None
    )


def lacks_node_port(check: HealthCheck, port: ResolvedPort) -> bool:
    """Whether the check asks nodes for a Service that opens no port on them."""
    return check.target is TargetKind.NODE and port.service.body.spec.type in ("ClusterIP", "ExternalName")


def sees_pods_of_node(check: HealthCheck, port: ResolvedPort) -> bool | None:
    """Whether a check of nodes fails at those without a pod, for a Service that is local to nodes; None is unknown.

    There kube-proxy drops packets to the Service's NodePorts, and answers at its `healthCheckNodePort` with 503.
    """
    spec = port.service.body.spec
    if check.target is not TargetKind.NODE or spec.external_traffic_policy != "Local":
        return None
    asked = check.port
    if asked is None or asked.place.pointer[-1:] == ("healthCheckNodePort",):
        return True
    if check.resolved_port == KUBE_PROXY_HEALTH:
        return False
    opened = (spec.health_check_node_port, *(item.node_port for item in spec.ports))
    return True if check.resolved_port is not None and check.resolved_port in opened else None


def _number(check: HealthCheck, port: ResolvedPort, endpoint: Endpoint) -> int | None:
    """The pod's port that the check reaches in the end."""
    if check.port is None:
        return endpoint.number
    number = check.resolved_port
    if check.target in (TargetKind.NODE, TargetKind.NODE_OR_POD):
        for through in port.service.body.spec.ports:
            if number is not None and through.node_port == number:
                return endpoint.number if through is port.port else _target_number(through, endpoint.workload)
    return None if check.target is TargetKind.NODE else number


def _target_number(port: ServicePort, workload: Workload) -> int | None:
    target = port.port if port.target_port is None else port.target_port
    numbers = (container.port_number(target, port.protocol) for container in workload.containers)
    return next((number for number in numbers if number is not None), None)


def _serving(endpoint: Endpoint, number: int) -> WorkloadContainer | None:
    """The container that serves a port: the one that declares it, or whose probe asks it, or the pod's only one."""
    containers = endpoint.workload.containers
    declaring = next((container for container in containers if container.port_numbered(number)), None)
    if declaring is not None:
        return declaring
    probing = next((a.container for a in answers(endpoint.workload) if a.port == number), None)
    return probing or (containers[0] if len(containers) == 1 else None)


_CODES: Final = deferred(r"\s*([0-9]{1,3})\s*(?:-\s*([0-9]{1,3})\s*)?")


@lru_cache(64)
def code_ranges(codes: str) -> tuple[tuple[int, int], ...] | None:
    """The status codes that count as healthy, as ranges; None where the text is no list of codes."""
    ranges = []
    for part in codes.split(","):
        found = _CODES.fullmatch(part)
        first, last = (whole(found[1]), whole(found[2] or found[1])) if found else (None, None)
        if first is None or last is None:
            return None
        ranges.append((first, last))
    return tuple(ranges)


def accepts(check: HealthCheck, *statuses: int) -> bool:
    """Whether the check counts any of these codes as healthy; without a list of codes, 200 alone."""
    ranges = code_ranges(check.codes.value) if check.codes else None
    return any(first <= status <= last for first, last in ranges or ((200, 200),) for status in statuses)


def without_healthy_targets(route: Route) -> str:
    """What comes of a check that passes nowhere: a balancer of requests answers them, one of connections cannot."""
    listeners = route.listeners
    if listeners and all(listener.protocol.value in ("TCP", "UDP", "TLS") for listener in listeners):
        return "the targets count as unhealthy and connections of clients time out or are closed"
    return "the targets count as unhealthy and clients get 502 or 503"
