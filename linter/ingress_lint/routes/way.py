"""The packet's way along a route, up to where it stops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from ingress_lint.facts.once_per_graph import once_per_graph
from ingress_lint.finding import Hop, Step
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.core import Service
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes import hostnames
from ingress_lint.routes.matches import PathMatchType
from ingress_lint.routes.model import BackendRef, Endpoint, Route
from ingress_lint.routes.traffic import TargetKind

_ORDER = list(Hop)
_SCHEMES: Final = {"HTTP": "http", "HTTPS": "https"}
_WELL_KNOWN: Final = {"http": 80, "https": 443}
_BARE_ADDRESS: Final = "192.0.2.10"
"""Stands for the gateway's own address, where a route is for any host."""
_PATH_SAFE: Final = "/%:@!$&'()*+,;=~"


def way(route: Route, backend: BackendRef, broken: Hop, endpoint: Endpoint | None = None) -> tuple[Step, ...]:
    """The stations from the client to `broken`, the one that the packet does not get past.

    `endpoint` chooses among several workloads behind the backend; the first otherwise.
    """
    limit = _ORDER.index(broken)
    steps = [step for step in _stations(route, backend, endpoint) if _ORDER.index(step.hop) <= limit]
    if steps[-1].hop is not broken:
        return tuple(steps)
    last = steps[-1]
    return (*steps[:-1], Step(last.hop, last.label, last.message, last.place, broken=True))


def way_in(route: Route, why: str) -> tuple[Step, ...]:
    """The stations from the client to the gateway, which the packet does not get past, and why."""
    client, gateway = _entry(route)
    return client, replace(gateway, message=why, broken=True)


def first_way(
    graph: ObjectGraph, routes: Iterable[Route], service: KubernetesObject[Service], broken: Hop
) -> tuple[Step, ...]:
    """The way of the first of the graph's routes that leads to a Service, empty where none does."""
    first = _first_leading(graph, routes).get(service)
    return way(*first, broken) if first is not None else ()


def first_route(graph: ObjectGraph, routes: Iterable[Route], service: KubernetesObject[Service]) -> Route | None:
    """The first of the graph's routes that leads to a Service."""
    first = _first_leading(graph, routes).get(service)
    return first[0] if first is not None else None


@once_per_graph
def _first_leading(
    _graph: ObjectGraph, routes: Iterable[Route]
) -> Mapping[KubernetesObject[Service], tuple[Route, BackendRef]]:
    """The first route to each Service, with the backend."""
    found: dict[KubernetesObject[Service], tuple[Route, BackendRef]] = {}
    for route in routes:
        for backend in route.backends:
            if backend.service.object is not None:
                found.setdefault(backend.service.object, (route, backend))
    return found


def _entry(route: Route) -> tuple[Step, Step]:
    owner = route.owner
    host = route.hostnames[0].value if route.hostnames else "any host"
    path = route.matches[0].path if route.matches else None
    client = Step(
        Hop.CLIENT,
        "client",
        f"a client asks for {host}{path.value.value if path else ''}",
        route.hostnames[0].place if route.hostnames else route.place,
        url=_url(route),
    )
    gateway = Step(
        Hop.LOAD_BALANCER,
        route.gateway,
        f"{route.gateway} matches {owner.kind} {owner.namespace}/{owner.name}",
        path.place if path else route.place,
    )
    return client, gateway


def _url(route: Route) -> str:
    """A URL that the route answers, empty where that is no matter of HTTP or of one path."""
    listener = next((item for item in route.listeners if item.protocol.value in _SCHEMES), None)
    match = route.matches[0].path.value if route.matches else None
    if (
        listener is None
        or match is None
        or match.type is PathMatchType.REGULAR_EXPRESSION
        or not match.value.startswith("/")
    ):
        return ""
    scheme, port = _SCHEMES[listener.protocol.value], listener.port.value
    named = [host.value for host in route.hostnames if not hostnames.is_expression(host.value)]
    if route.hostnames and not named:
        return ""
    host = named[0].replace("*", "www") if named else _BARE_ADDRESS
    number = "" if port == _WELL_KNOWN[scheme] else f":{port}"
    from urllib.parse import quote

    return f"{scheme}://{host}{number}{quote(match.value.rstrip('*'), safe=_PATH_SAFE)}"


def _stations(route: Route, backend: BackendRef, endpoint: Endpoint | None) -> list[Step]:
    steps = [*_entry(route)]
    port = backend.service_port
    if backend.target.value is TargetKind.NODE:
        node_port = port.port.node_port if port and port.port.node_port else None
        label = f"NodePort {node_port}" if node_port else "NodePort"
        steps.append(Step(Hop.NODE, label, "it sends the packet to a node", backend.place))
    elif backend.target.value is TargetKind.PASSED_THROUGH:
        steps.append(Step(Hop.NODE, "kube-proxy", "it passes the packet on to a node as it is", backend.place))
    elif backend.target.value is TargetKind.CLUSTER_IP:
        steps.append(Step(Hop.NODE, "kube-proxy", "it sends the packet to the cluster IP", backend.place))
    named = f"{backend.name}:{backend.port.value}" if backend.port else backend.name
    steps.append(
        Step(
            Hop.SERVICE,
            f"{backend.kind} {named}",
            f"the backend is {backend}",
            port.at("port") if port else backend.place,
        )
    )
    endpoint = endpoint or next(iter(backend.endpoints), None)
    if endpoint is None:
        place = port.service.at("spec", "selector") if port else backend.place
        steps.append(Step(Hop.POD, "pod", "no pod is known behind it", place))
    else:
        number = f":{endpoint.number}" if endpoint.number else ""
        item = endpoint.workload.object
        steps.append(
            Step(
                Hop.POD,
                f"pod {item.name}{number}",
                f"a pod of {item.kind} {item.namespace}/{item.name} answers",
                endpoint.port_place or endpoint.workload.object.name_place,
            )
        )
    return steps
