"""From a backend reference to the pods behind it: Service, port, target port, container. Each is worked out once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.objects.core import Service, ServicePort
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.model import Endpoint, ResolvedPort
from ingress_lint.values.ports import number_or_name

_MOST_WORKLOADS: Final = 50
"""Of how many workloads behind one Service the ports are looked at: people have a few, and what holds of fifty is said."""


class BackendResolver:
    """Follows references through one graph."""

    def __init__(self, graph: ObjectGraph) -> None:
        self.graph = graph
        self._ports: dict[tuple[KubernetesObject[Service], int], ResolvedPort] = {}

    def port(
        self, service: KubernetesObject[Service], port: int | str | None, *, by_target: bool = False
    ) -> ResolvedPort | None:
        """The Service port that a number or name means; None where the Service has no such port.

        Without a port, the only one of a Service that has just one. `by_target` for a controller that takes the target
        port for the port as well.
        """
        ports = service.body.spec.ports
        if port is None:
            return self.port_at(service, 0) if len(ports) == 1 else None
        number = number_or_name(port)
        for index, candidate in enumerate(ports):
            if number == candidate.port or (isinstance(number, str) and number == candidate.name):
                return self.port_at(service, index)
            if by_target and number == candidate.target_port:
                return self.port_at(service, index)
        return None

    def port_at(self, service: KubernetesObject[Service], index: int) -> ResolvedPort:
        """The Service port at `index`, with what is behind it."""
        key = service, index
        if key not in self._ports:
            port = service.body.spec.ports[index]
            workloads = self.graph.selected_by(service)[:_MOST_WORKLOADS]
            endpoints = tuple(endpoint for workload in workloads for endpoint in _endpoints(workload, port))
            self._ports[key] = ResolvedPort(service, index, port, endpoints)
        return self._ports[key]


def _endpoints(workload: Workload, port: ServicePort) -> Iterator[Endpoint]:
    target = number_or_name(port.port if port.target_port is None else port.target_port)
    for container in workload.containers:
        declared = (
            container.port_named(target, port.protocol)
            if isinstance(target, str)
            else container.port_numbered(target, port.protocol)
        )
        if declared is not None:
            index, found = declared
            yield Endpoint(workload, found.container_port, container, found, container.at("ports", index))
            return
    if isinstance(target, str):
        yield Endpoint(workload, None)
    else:  # an undeclared number may be open all the same, in the pod's only container
        yield Endpoint(workload, target, workload.containers[0] if len(workload.containers) == 1 else None)
