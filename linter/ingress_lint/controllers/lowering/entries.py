"""Where requests enter a set: a Gateway, a class of Ingresses that one controller serves, a load balancer of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Final

from msgspec import Struct

from ingress_lint.controllers.lowering.conducts import conduct_of
from ingress_lint.controllers.refusals.ingress_classes import CLASS_ANNOTATION
from ingress_lint.controllers.registry import INGRESS, REGISTRY, class_controller
from ingress_lint.controllers.shared.base import Controller
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.objects.model import AnyObject
from ingress_lint.objects.networking import Ingress, LegacyIngress
from ingress_lint.routes.choosing import RouteTable
from ingress_lint.routes.listeners import Frontend, Listener
from ingress_lint.routes.matching import SPECIFIED_CONDUCT, Conduct
from ingress_lint.routes.model import Route
from ingress_lint.routes.sourced import Origin, Sourced

_GATEWAY_GROUP: Final = "gateway.networking.k8s.io"
_INGRESS_CLASS: Final = "IngressClass"
_GROUP: Final = "IngressGroup"


class Entry(Struct, frozen=True, dict=True):
    """One place where requests enter, and the routes that they may take from there."""

    kind: str
    namespace: str
    name: str
    title: str
    """What listens there, as people call it."""
    frontend: Frontend
    routes: tuple[Route, ...]
    conduct: Conduct

    @cached_property
    def table(self) -> RouteTable:
        """The routes, ready to be asked."""
        return RouteTable(self.frontend, self.routes, self.conduct)

    @cached_property
    def proxies(self) -> frozenset[Workload]:
        """The workloads whose pods carry the requests of its routes, as far as they are known."""
        return frozenset(proxy for route in self.routes for proxy in route.proxies)

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


def entries(graph: ObjectGraph, routes: Sequence[Route], frontends: Iterable[Frontend]) -> list[Entry]:
    """Every entry of a set, those with objects of their own first."""
    found: list[Entry] = []
    taken: set[int] = set()
    for frontend in frontends:
        mine = {id(listener) for listener in frontend.listeners}
        taken |= mine
        own = tuple(route for route in routes if any(id(listener) in mine for listener in route.listeners))
        owner = frontend.owner
        title = next((listener.gateway for listener in frontend.listeners), owner.kind)
        conduct = next(map(conduct_of, own), SPECIFIED_CONDUCT)
        found.append(Entry(owner.kind, owner.namespace, owner.name, title, frontend, own, conduct))
    left = [
        route
        for route in routes
        if route.controller.value in REGISTRY
        and route.listeners
        and not any(id(item) in taken for item in route.listeners)
    ]
    found += _balancers(route for route in left if route.listeners[0].instance)
    found += _classes(graph, [route for route in left if not route.listeners[0].instance])
    return found


def _balancers(routes: Iterable[Route]) -> Iterator[Entry]:
    """A load balancer for each Service, each Ingress, or each group of Ingresses."""
    groups: dict[tuple[str, str, str], list[Route]] = {}
    for route in routes:
        instance = route.listeners[0].instance
        groups.setdefault((route.controller.value, route.owner.kind, instance), []).append(route)
    for (name, kind, instance), own in groups.items():
        owner = own[0].owner
        alone = instance == f"{owner.namespace}/{owner.name}"
        yield Entry(
            kind if alone else _GROUP,
            owner.namespace if alone else "",
            owner.name if alone else instance,
            own[0].gateway,
            Frontend(owner, _listeners(own), isolated=False),
            tuple(own),
            REGISTRY[name].controller.conduct,
        )


def _classes(graph: ObjectGraph, routes: Sequence[Route]) -> Iterator[Entry]:
    """What serves all objects of a class. Objects without one belong to every class of their controller."""
    groups: dict[str, dict[str, list[Route]]] = {}
    for name, registered in REGISTRY.items():
        for class_name, item in graph.ingress_classes.items():
            if name != INGRESS and class_controller(graph, item) == name and registered.controller.shared:
                groups.setdefault(name, {})[class_name] = []
    for route in routes:
        groups.setdefault(route.controller.value, {}).setdefault(_class_name(route.owner), [])
    for name, classes in groups.items():
        named = [class_name for class_name in classes if class_name]
        for class_name in named or [""]:
            own = [
                route
                for route in routes
                if route.controller.value == name and _class_name(route.owner) in (class_name, "")
            ]
            owner: AnyObject = graph.ingress_classes.get(class_name) or own[0].owner
            yield _class_entry(REGISTRY[name].controller, class_name, owner, own)


def _class_entry(controller: Controller, class_name: str, owner: AnyObject, routes: Sequence[Route]) -> Entry:
    listeners = _listeners(route for route in routes if not route.dropped)
    title = routes[0].gateway if routes else controller.gateway  # another may serve in its place
    by_tls = controller.conduct.own_certificate or controller.conduct.opens_tls
    opened = [("HTTP", 80), *([("HTTPS", 443)] if by_tls else [])]
    for protocol, port in opened:
        if not any(item.protocol.value == protocol and item.port.value == port for item in listeners):
            listeners = (
                *listeners,
                Listener(
                    title,
                    Sourced(port, Origin.DEFAULT, owner.name_place),
                    Sourced(protocol, Origin.DEFAULT, owner.name_place),
                ),
            )
    return Entry(
        _INGRESS_CLASS,
        "",
        class_name or controller.name,
        title,
        Frontend(owner, listeners, isolated=False),
        tuple(routes),
        controller.conduct,
    )


def _class_name(owner: AnyObject) -> str:
    if not isinstance(owner.body, Ingress | LegacyIngress):
        return ""
    return owner.body.spec.ingress_class_name or owner.annotations.get(CLASS_ANNOTATION, "")


def _listeners(routes: Iterable[Route]) -> tuple[Listener, ...]:
    return tuple({id(item): item for route in routes for item in route.listeners}.values())
