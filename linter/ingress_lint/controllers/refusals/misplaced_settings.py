"""Settings that stand where no controller looks for them: annotations among labels, on the wrong kind, in a ConfigMap.

Kubernetes keeps labels and annotations of any key on any object, and controllers read no labels at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final

from ingress_lint.controllers.refusals.annotation_owners import AnnotationOwners, Owner
from ingress_lint.controllers.refusals.consequences import consequence
from ingress_lint.controllers.shared.annotations import AnnotationSpec, Scope
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.core import ConfigMap
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict

_WHERE: Final = {
    Scope.INGRESS: "on Ingresses",
    Scope.SERVICE: "on Services",
    Scope.CONFIG_MAP: "in its ConfigMap",
}
_MOVES: Final = {
    Scope.INGRESS: "move it to the Ingress",
    Scope.SERVICE: "move it to the Service behind it",
    Scope.CONFIG_MAP: "write `{key}` under `data` of the controller's ConfigMap",
}


def on_wrong_kind(item: AnyObject, key: str, owner: Owner, spec: AnnotationSpec, certainty: Certainty) -> Verdict:
    """An annotation of an Ingress or a Service that counts on other kinds only."""
    found = f"`{key}` is an annotation of {item.kind} `{item.name}`"
    return _misplaced(item, key, found, owner, spec, certainty)


class MisplacedSettings:
    """What stands among the labels of Ingresses and Services, and in the metadata of ConfigMaps."""

    def __init__(self, graph: ObjectGraph, owners: AnnotationOwners) -> None:
        self._graph = graph
        self._owners = owners

    def verdicts(self) -> Iterator[Verdict]:
        """One for each key."""
        routing: Iterable[AnyObject] = (*self._graph.ingresses, *self._graph.services)
        for item in routing:
            for key in item.labels:
                if "/" in key and key not in item.annotations and (known := self._owners.knowing(key)):
                    yield _label(item, key, known[0])
        for config in self._graph.of(ConfigMap):
            for key in config.annotations:
                if (known := self._owners.knowing(key)) and key not in self._annotated:
                    found = f"`{key}` is an annotation of ConfigMap `{config.name}` itself"
                    yield _misplaced(config, key, found, *known, Certainty.KNOWN)

    @cached_property
    def _annotated(self) -> frozenset[str]:
        """The annotations of Ingresses and Services: what a whole set carries is no setting of its ConfigMaps."""
        routing: Iterable[AnyObject] = (*self._graph.ingresses, *self._graph.services)
        return frozenset(key for item in routing for key in item.annotations)


def _label(item: AnyObject, key: str, owner: Owner) -> Verdict:
    return Verdict(
        Reason.MISPLACED_SETTING,
        item,
        item.at("metadata", "labels", key).key(),
        f"`{key}` is among the labels of {item.kind} `{item.name}`, and {owner.title} reads it among annotations "
        f"only; {consequence(key)}",
        fix="move it from `labels` to `annotations`",
    )


def _misplaced(
    item: AnyObject, key: str, found: str, owner: Owner, spec: AnnotationSpec, certainty: Certainty
) -> Verdict:
    name = key.partition("/")[2]
    scopes = [scope for scope in _WHERE if scope in spec.scopes]
    moves = [_MOVES[scope].format(key=name) for scope in scopes]
    if owner.of_load_balancers:
        moves = ["move it to the Service of type LoadBalancer that it is meant for"]
    return Verdict(
        Reason.MISPLACED_SETTING,
        item,
        item.annotation_place(key).key(),
        f"{found}, and {owner.title} reads it {' and '.join(_WHERE[scope] for scope in scopes)} only; {consequence(key)}",
        certainty,
        fix=" or ".join(moves),
    )
