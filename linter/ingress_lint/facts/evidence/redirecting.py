"""Programs that send plain HTTP to HTTPS by themselves, whatever a proxy in front says of the client's connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from ingress_lint.facts.evidence.container import ContainerEvidence
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place

_TRUE: Final = frozenset({"1", "t", "true"})


class _Program(Struct, frozen=True):
    """A program, the option and the variable that make it serve plain HTTP, and the status of its redirect."""

    title: str
    option: str
    variable: str
    status: int


_PROGRAMS: Final = {"argocd-server": _Program("Argo CD's server", "--insecure", "ARGOCD_SERVER_INSECURE", 307)}
"""argoproj/argo-cd:server/server.go (newRedirectServer), cmd/argocd-server/commands/argocd_server.go"""


class Redirecting(Struct, frozen=True):
    """A program that redirects: its name, where it is started, what would stop it, and the status that it answers."""

    title: str
    place: Place
    option: str
    status: int


def redirecting(evidence: ContainerEvidence, graph: ObjectGraph) -> Redirecting | None:
    """The program of a container that redirects plain HTTP; None where it does not, or where something may stop it."""
    for word, place in evidence.words:
        program = _PROGRAMS.get(word.rpartition("/")[2])
        if program is not None:
            off = _told(evidence, program) or _may_be_told(evidence, program, graph)
            return None if off else Redirecting(program.title, place, program.option, program.status)
    return None


def _told(evidence: ContainerEvidence, program: _Program) -> bool:
    value = evidence.variables.get(program.variable, ("", None))[0]
    return value.lower() in _TRUE or any(
        word.partition("=")[0] == program.option and word.partition("=")[2] != "false" for word, _ in evidence.words
    )


def _may_be_told(evidence: ContainerEvidence, program: _Program, graph: ObjectGraph) -> bool:
    """Whether its variable comes from where the set does not show; a ConfigMap that lacks the key leaves it unset."""
    unknown = evidence.unknown_variables
    if unknown is None or program.variable not in unknown:
        return unknown is None
    container = evidence.container
    written = next((item for item in container.container.env if item.name == program.variable), None)
    source: Any = written.value_from if written is not None else None
    reference = source.get("configMapKeyRef") if isinstance(source, Mapping) else None
    name = reference.get("name") if isinstance(reference, Mapping) else None
    return graph.config_map(container.workload.object.namespace, str(name)) is None
