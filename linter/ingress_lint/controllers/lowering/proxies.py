"""Which workloads of a set run the controllers, and what their pods take from load balancers in front of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from ingress_lint.controllers.registry import REGISTRY
from ingress_lint.controllers.shared.base import Controller
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload, WorkloadContainer
from ingress_lint.objects.core import Service
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.listeners import ProxyPort
from ingress_lint.routes.model import Endpoint, Route


class Proxies:
    """The containers of a graph that run controllers, each with the controller's name."""

    def __init__(
        self, graph: ObjectGraph, containers: Sequence[tuple[str, WorkloadContainer]], backends: BackendResolver
    ) -> None:
        self._graph = graph
        self._backends = backends
        self._containers = containers

    def behind(self, controller: Controller, routes: Iterable[Route]) -> tuple[Route, ...]:
        """The routes of a controller with the workloads that run it, where these carry the requests."""
        routes = map(self._in_front, routes) if self._containers else routes
        if controller.outside:
            refused = controller.external_names_refused
            return tuple(
                replace(
                    route,
                    from_outside=True,
                    external_names_refused=refused
                    and f"has no endpoints, and the {route.gateway} sends to nothing else: {refused}",
                )
                for route in routes
            )
        proxies = self._carrying(controller.name)
        return tuple(replace(route, proxies=proxies) for route in routes) if proxies else tuple(routes)

    def _carrying(self, name: str) -> tuple[Workload, ...]:
        """The workloads that carry the requests: those that run the controller, else the one beside them that it tells how to."""
        running = [container for own, container in self._containers if own == name]
        carries = REGISTRY[name].proxies_by
        itself = dict.fromkeys(item.workload for item in running if carries(item.container.image))
        if itself or not running:
            return tuple(itself)
        namespaces = {item.workload.object.namespace for item in running}
        told = [
            workload
            for namespace in sorted(namespaces)
            for workload in self._graph.pods(namespace).matching({})
            if any(carries(item.container.image) for item in workload.containers)
        ]
        return tuple(told) if len(told) == 1 else ()

    def taken_at(self, service: KubernetesObject[Service]) -> tuple[ProxyPort, ...]:
        """What the proxies behind a Service take, by port, as far as that is known."""
        ports = (self._backends.port_at(service, index) for index in range(len(service.body.spec.ports)))
        taken = (self._taken(port.endpoints) for port in ports if port is not None)
        return tuple([port for port in taken if port is not None])

    def _in_front(self, route: Route) -> Route:
        """A route with what the proxies take that its backends lead to."""
        backends = tuple(replace(backend, proxy_port=self._taken(backend.endpoints)) for backend in route.backends)
        return route if all(backend.proxy_port is None for backend in backends) else replace(route, backends=backends)

    def _taken(self, endpoints: Sequence[Endpoint]) -> ProxyPort | None:
        if len(endpoints) != 1 or (number := endpoints[0].number) is None:
            return None
        for name, container in self._containers:
            if container.workload == endpoints[0].workload:
                return REGISTRY[name].controller.proxy_port(container, number, self._graph)
        return None
