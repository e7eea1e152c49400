"""Which namespaces a `from` with its selector takes."""

from __future__ import annotations

from enum import Enum
from typing import Final

from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.labels import selects
from ingress_lint.objects.model import LabelSelector

NAME_LABEL: Final = "kubernetes.io/metadata.name"
"""The label that the API server puts on every namespace."""


class Answer(Enum):
    """Whether a namespace is taken; unknown where the set does not hold its labels."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def namespace_selected(
    graph: ObjectGraph, from_: str, selector: LabelSelector | None, own: str, namespace: str
) -> Answer:
    """Whether `from_` of an object in namespace `own` takes objects of `namespace`."""
    if from_ in ("All", "Same", "None"):
        taken = from_ == "All" or (from_ == "Same" and own == namespace)
        return Answer.YES if taken else Answer.NO
    if selector is None:
        return Answer.NO
    item = graph.namespace(namespace)
    labels = {**(item.labels if item else {}), NAME_LABEL: namespace}
    if item is None and not _uses_only_name(selector):
        return Answer.UNKNOWN
    return Answer.YES if selects(selector, labels) else Answer.NO


def _uses_only_name(selector: LabelSelector) -> bool:
    keys = {*selector.match_labels, *(requirement.key for requirement in selector.match_expressions)}
    return keys <= {NAME_LABEL}
