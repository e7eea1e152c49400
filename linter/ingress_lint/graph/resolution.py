"""Three answers to "does it exist?", because what is not in the manifests may still be in the cluster."""

from __future__ import annotations

from enum import Enum
from typing import Generic

from msgspec import Struct

from ingress_lint.objects.model import Body_co, KubernetesObject


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
