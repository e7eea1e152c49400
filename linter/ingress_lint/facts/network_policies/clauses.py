"""What policies of every kind say of one connection, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.labels import selects
from ingress_lint.graph.workload import Workload
from ingress_lint.load.document import Place
from ingress_lint.objects.model import AnyObject, LabelSelector

Action = Literal["Allow", "Deny", "Pass"]
NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name"


class Visit(Struct, frozen=True):
    """A connection to a port of a pod. `visitor` is None for who is no pod of the set."""

    visitor: Workload | None
    workload: Workload
    number: int
    protocol: str
    entity: str = ""
    """What Cilium calls a visitor that is no pod, such as `world` and `ingress`; empty where that is not known."""


class Clause(Struct, frozen=True):
    """One rule of a policy, and whether it means the connection; None is unknown.

    `place` is what a person would change for it to mean another, and `wants` whom it means, in words.
    """

    policy: AnyObject
    place: Place
    action: Action
    means: bool | None
    wants: str = ""


class Stage(Struct, frozen=True):
    """Policies that are asked together: the first clause that means the connection decides.

    Where none does, the connection is refused if one of the policies is there to isolate the pod.
    """

    clauses: Sequence[Clause]
    isolating: Sequence[AnyObject] = ()


class Decision(Struct, frozen=True):
    """Whether a connection is let in; None is unknown. Where it is refused, by which clause, or else by which stage."""

    admits: bool | None
    clause: Clause | None = None
    stage: Stage | None = None


def decide(stages: Iterable[Stage]) -> Decision:
    """What the policies come to."""
    may_be: set[Action] = set()
    for stage in stages:
        for clause in stage.clauses:
            if clause.means is None:
                may_be.add(clause.action)
            if clause.means and clause.action == "Pass":
                break
            if clause.means:
                admits = clause.action == "Allow"
                return Decision(None if may_be - {clause.action} else admits, clause, stage)
        else:
            if stage.isolating:
                return Decision(None if may_be - {"Deny"} else False, None, stage)
    return Decision(None if may_be & {"Deny", "Pass"} else True)


def pods_match(selector: LabelSelector, workload: Workload, control_plane: frozenset[str]) -> bool | None:
    """Whether a selector means a workload's pods, whose labels the control plane may add to."""
    keys = {*selector.match_labels, *(term.key for term in selector.match_expressions)}
    return None if keys & control_plane else selects(selector, workload.labels)


def namespace_matches(selector: LabelSelector, name: str, graph: ObjectGraph) -> bool | None:
    """Whether a selector means a namespace; None where the set does not hold its labels."""
    item = graph.namespace(name)
    labels = {**(item.labels if item else {}), NAMESPACE_NAME_LABEL: name}
    keys = {*selector.match_labels, *(term.key for term in selector.match_expressions)}
    return selects(selector, labels) if item is not None or keys <= {NAMESPACE_NAME_LABEL} else None


def port_number(written: int | str, workload: Workload, protocol: str) -> set[int]:
    """The numbers behind a port as a policy has it: a number, or a name on the pods."""
    found = (container.port_number(written, protocol) for container in workload.containers)
    return {number for number in found if number is not None}
