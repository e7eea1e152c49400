"""What leads from outside to the proxies of a set: its load balancers, and Services that may be one's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from ingress_lint.controllers.lowering.proxies import Proxies
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.model import Front, Route

_FROM_OUTSIDE = frozenset({"LoadBalancer", "NodePort"})


def with_fronts(
    graph: ObjectGraph, routes: Mapping[str, Sequence[Route]], running: Proxies
) -> dict[str, tuple[Route, ...]]:
    """The routes by controller, those of proxies with what leads to these."""
    proxies = {workload for own in routes.values() for route in own for workload in route.proxies}
    fronts = _fronts(graph, routes, proxies, running) if proxies else {}
    if not fronts:
        return {name: tuple(own) for name, own in routes.items()}
    return {name: tuple(_led_to(route, fronts) for route in own) for name, own in routes.items()}


def _led_to(route: Route, fronts: Mapping[Workload, Sequence[Front]]) -> Route:
    found = tuple(front for proxy in route.proxies for front in fronts.get(proxy, ()))
    return replace(route, fronts=found) if found else route


def _fronts(
    graph: ObjectGraph, routes: Mapping[str, Sequence[Route]], proxies: set[Workload], running: Proxies
) -> dict[Workload, list[Front]]:
    """By proxy; one for each load balancer and Service, whichever of its ports leads there."""
    found: defaultdict[Workload, list[Front]] = defaultdict(list)
    known: set[tuple[Workload, AnyObject, str]] = set()
    for route in (route for own in routes.values() for route in own if route.from_outside):
        for backend in route.backends:
            for workload in (endpoint.workload for endpoint in backend.endpoints if endpoint.workload in proxies):
                assert backend.service_port is not None  # noqa: S101 - it has endpoints
                service = backend.service_port.service
                if (workload, service, route.gateway) not in known:
                    led = service if service.body.spec.type == "NodePort" else route.owner
                    known |= {(workload, service, route.gateway), (workload, led, "")}
                    found[workload].append(Front(service, route.gateway, backend))
    for service in graph.services:
        if service.body.spec.type in _FROM_OUTSIDE:
            for workload in graph.selected_by(service):
                if workload in proxies and (workload, service, "") not in known:
                    found[workload].append(Front(service, ports=running.taken_at(service)))
    return found
