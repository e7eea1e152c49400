"""Graph to routes: finds which controller serves each object, and lets that controller lower what it claims."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.controllers.lowering.claiming import Chooser
from ingress_lint.controllers.lowering.fronts import with_fronts
from ingress_lint.controllers.lowering.proxies import Proxies
from ingress_lint.controllers.lowering.stand_ins import stand_ins, stood_in
from ingress_lint.controllers.refusals.annotation_owners import AnnotationOwners
from ingress_lint.controllers.refusals.annotations import AnnotationVerdicts
from ingress_lint.controllers.refusals.ingress_classes import IngressClasses
from ingress_lint.controllers.refusals.misplaced_settings import MisplacedSettings
from ingress_lint.controllers.refusals.resource_backends import resource_verdicts
from ingress_lint.controllers.refusals.retirement import retirement_verdicts
from ingress_lint.controllers.registry import GATEWAY_API, REGISTRY
from ingress_lint.controllers.shared.base import Claim, Controller
from ingress_lint.controllers.shared.certificates import certificate_verdicts
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.broken_backends import SPECIFIED
from ingress_lint.routes.listeners import Frontend
from ingress_lint.routes.model import Route
from ingress_lint.routes.verdicts import Verdict

_OWNERS: Final = AnnotationOwners()


class Lowered(Struct, frozen=True):
    """What all controllers together make of a set."""

    routes: tuple[Route, ...]
    verdicts: tuple[Verdict, ...]
    frontends: tuple[Frontend, ...]


def lower(graph: ObjectGraph, preferred: str | None = None) -> Lowered:
    """Every route of a set. `preferred` names the controller of objects whose class says nothing."""
    lowered = _once(graph, preferred)
    return _once(graph, preferred) if graph.lacks_more_than_told() else lowered


def _once(graph: ObjectGraph, preferred: str | None) -> Lowered:
    claims: defaultdict[str, list[Claim]] = defaultdict(list)
    chooser = Chooser(graph, preferred)
    for ingress in graph.ingresses:
        controller = chooser.choose(ingress)
        claims[controller.value].append(Claim(ingress, controller, chooser.rivals(ingress, controller.value)))
    backends = BackendResolver(graph)
    controllers = {
        name: registered.controller
        for name, registered in REGISTRY.items()
        if name in claims or registered.concerned(graph)
    }
    proxies = Proxies(graph, chooser.containers, backends)
    standing_in = stand_ins(graph, chooser.containers)
    lowered = {
        name: _lowered(found, graph, claims.get(name, ()), backends, proxies, standing_in.get(name))
        for name, found in controllers.items()
    }
    routes = with_fronts(graph, lowered, proxies)
    classes = IngressClasses(graph, chooser.running)
    claimed = [claim for own in claims.values() for claim in own]
    every_route = tuple(route for own in routes.values() for route in own)
    verdicts = (
        *classes.verdicts(claimed, preferred),
        *AnnotationVerdicts(graph, _OWNERS).verdicts(claimed, every_route),
        *MisplacedSettings(graph, _OWNERS).verdicts(),
        *_solver_verdicts(graph, classes, claimed, every_route),
        *_definition_verdicts(graph),
        *retirement_verdicts((controllers[name], own) for name, own in claims.items() if name not in standing_in),
        *resource_verdicts((controllers[name], claim) for name, own in claims.items() for claim in own),
        *(verdict for found in controllers.values() for verdict in found.verdicts(graph, backends)),
        *certificate_verdicts(graph, (route for name, own in routes.items() if name != GATEWAY_API for route in own)),
    )
    return Lowered(
        every_route,
        (*verdicts, *_of_routes(every_route, verdicts)),
        tuple(frontend for found in controllers.values() for frontend in found.frontends(graph, backends)),
    )


def _lowered(
    controller: Controller,
    graph: ObjectGraph,
    claims: Sequence[Claim],
    backends: BackendResolver,
    proxies: Proxies,
    stand_in: str | None,
) -> tuple[Route, ...]:
    """What a controller makes of its claims, with the pods that carry the requests: its own, or those of its stand-in."""
    routes: Iterable[Route] = controller.lower(graph, claims, backends)
    if controller.name != GATEWAY_API:
        routes = (replace(route, broken=controller.broken) if route.broken is SPECIFIED else route for route in routes)
    if stand_in is None:
        return proxies.behind(controller, routes)
    return proxies.behind(REGISTRY[stand_in].controller, stood_in(routes, stand_in, graph))


def _of_routes(routes: Iterable[Route], told: Iterable[Verdict]) -> Iterable[Verdict]:
    """What is refused of routes and of what hangs on them, each once, without what is told already."""
    known = {(verdict.reason, verdict.place) for verdict in told}
    found = {(refusal.reason, refusal.place): refusal for route in routes for refusal in route.refusals}
    return [refusal for key, refusal in found.items() if key not in known]


def _definition_verdicts(graph: ObjectGraph) -> Iterator[Verdict]:
    """What the Gateway API's definitions lack, where the set has any."""
    if graph.context.definitions:
        from ingress_lint.controllers.refusals.definitions import definition_verdicts

        yield from definition_verdicts(graph)


def _solver_verdicts(
    graph: ObjectGraph, classes: IngressClasses, claims: Sequence[Claim], routes: Sequence[Route]
) -> Iterator[Verdict]:
    """What keeps ACME challenges from being answered, where the set has issuers."""
    if "cert-manager.io" in graph.groups:
        from ingress_lint.controllers.refusals.acme import Solvers

        yield from Solvers(graph, classes).verdicts(claims, routes)
