"""Three answers to "does it exist?", because what is not in the manifests may still be in the cluster."""

from __future__ import annotations

from collections import defaultdict
from enum import Enum
from typing import Final, Generic

from msgspec import Struct

from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.model import Body_co, KubernetesObject

_MISTAKES: Final = 2
"""Up to so many names of one kind may be missing by mistake in a set that holds no other that is referred to."""


class Existence(Enum):
    """What is known of an object that something refers to."""

    FOUND = "found"
    MISSING = "missing"
    """It is not in a set that holds its like, so the cluster will not have it either."""
    PARTIAL = "partial"
    """Unknown: the set holds nothing of that kind in that namespace, so it may well be applied from elsewhere."""
    EXTERNAL = "external"
    """Unknown: something may make it (an operator, cert-manager), it is declared external, a file did not parse, or it is
    there and too broken to read."""


class Resolution(Struct, Generic[Body_co], frozen=True):
    """The answer of `ObjectGraph.resolve`; `why` says what an answer other than found rests on."""

    existence: Existence
    object: KubernetesObject[Body_co] | None = None
    why: str = ""

    @property
    def missing(self) -> bool:
        """Whether it is known not to exist."""
        return self.existence is Existence.MISSING


class Inquiries:
    """What was asked for, by kind and namespace: a set that lacks most of what it refers to is not all of its cluster."""

    def __init__(self) -> None:
        self._found: defaultdict[tuple[GroupKind, str], set[str]] = defaultdict(set)
        self._missed: defaultdict[tuple[GroupKind, str], set[str]] = defaultdict(set)
        self._doubted: frozenset[tuple[GroupKind, str]] = frozenset()

    def found(self, kind: GroupKind, namespace: str, name: str) -> None:
        """Takes down that the set has what was asked for."""
        self._found[kind, namespace].add(name)

    def missing(self, kind: GroupKind, namespace: str, name: str) -> bool:
        """Whether what the set does not have is missing, as far as the others of its kind tell; takes it down."""
        self._missed[kind, namespace].add(name)
        return (kind, namespace) not in self._doubted

    def settle(self) -> bool:
        """Whether the answers that were given cannot be trusted, now that all were asked; from here on they can."""
        before, self._doubted = (
            self._doubted,
            frozenset(
                asked
                for asked, missed in self._missed.items()
                if len(missed) > max(_MISTAKES, len(self._found.get(asked, ())))
            ),
        )
        return self._doubted != before
