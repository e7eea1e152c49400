"""The API groups of custom resources that a set defines or uses in documents which nobody parses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ingress_lint.load.document import Document
from ingress_lint.values.patterns import deferred

_DEFINITION: Final = "CustomResourceDefinition"
_MONITORING: Final = frozenset({"PodMonitor", "PrometheusRule", "ServiceMonitor"})
"""Kinds of the Prometheus operator that are left unparsed."""
_DEFINED: Final = deferred(r"""\bname["']?:[ \t]*["']?[a-z0-9-]{1,63}\.([a-z0-9.-]{1,253})""")
"""A definition's name is its plural and its group."""


def custom_groups(documents: Iterable[Document]) -> frozenset[str]:
    """The groups of the CustomResourceDefinitions and of the monitors among a set's documents, by their text."""
    return frozenset(_groups(documents))


def _groups(documents: Iterable[Document]) -> Iterator[str]:
    for document in documents:
        if document.kind == _DEFINITION and (found := _DEFINED.search(document.text)):
            yield found[1]
        elif document.kind in _MONITORING and "monitoring.coreos.com/" in document.text:
            yield "monitoring.coreos.com"
