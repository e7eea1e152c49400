"""Controllers that serve in another's place: they take its classes and read its annotations.

Traefik does so for ingress-nginx (traefik/traefik:pkg/provider/kubernetes/ingress-nginx, provider
`kubernetesIngressNGINX`): the routes are what ingress-nginx would make of them, without what it or its admission webhook refuses, and
the pods that carry requests are Traefik's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from ingress_lint.controllers.registry import REGISTRY
from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.routes.listeners import Listener
from ingress_lint.routes.model import Route

_OPTIONS: Final = (("traefik", "providers.kubernetesingressnginx", "ingress-nginx"),)
"""Controllers, each with the beginning of the option by which it serves in another's place, and that one."""


def stand_ins(graph: ObjectGraph, containers: Sequence[tuple[str, WorkloadContainer]]) -> Mapping[str, str]:
    """By controller, the one of a set that serves in its place; none for a controller that the set runs itself."""
    running = {name for name, _ in containers}
    return {
        replaced: name
        for name, container in containers
        for owner, option, replaced in _OPTIONS
        if name == owner and replaced not in running and _is_told(container, option, graph)
    }


def _is_told(container: WorkloadContainer, option: str, graph: ObjectGraph) -> bool:
    """Whether an option, or one below it, is given on the command line or in the environment, and not as `false`."""
    evidence = listening_evidence(graph).of(container)
    told = [word.lower().lstrip("-").partition("=")[::2] for word, _ in evidence.words]
    told += [
        (key.lower().replace("_", ".").removeprefix("traefik."), value)
        for key, (value, _) in evidence.variables.items()
    ]
    values = [value.lower() for name, value in told if name == option]
    return "false" not in values if values else any(name.startswith(f"{option}.") for name, _ in told)


def stood_in(routes: Iterable[Route], name: str, graph: ObjectGraph) -> tuple[Route, ...]:
    """Routes as the stand-in of a name serves them."""
    controller = REGISTRY[name].controller
    gateway = controller.title
    renamed: dict[int, Listener] = {}

    def listener(found: Listener) -> Listener:
        return renamed.setdefault(id(found), replace(found, gateway=gateway))

    return tuple(
        replace(
            route,
            listeners=tuple(map(listener, route.listeners)),
            matches=tuple(replace(match, refusal=None) for match in route.matches),
            refusals=(),
        )
        for route in controller.stands_in(routes, graph)
    )
