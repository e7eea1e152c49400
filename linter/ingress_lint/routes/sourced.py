"""A value of a route, and who decided it."""

from __future__ import annotations

from enum import StrEnum
from typing import Generic, TypeVar

from msgspec import Struct

from ingress_lint.load.document import Place

T_co = TypeVar("T_co", covariant=True)


class Origin(StrEnum):
    """Who decided a value."""

    EXPLICIT = "explicit"
    """Somebody wrote it."""
    DERIVED = "derived"
    """The controller computes it from another field."""
    DEFAULT = "default"
    """Nobody wrote it."""


class Sourced(Struct, Generic[T_co], frozen=True, gc=False):
    """A value, who decided it, the text that decides it, and in words why (for `default` and `derived`).

    `place` of a default is where it would be set: the object whose annotation or field is absent.
    """

    value: T_co
    origin: Origin
    place: Place
    why: str = ""

    @property
    def explicit(self) -> bool:
        """Whether somebody wrote it."""
        return self.origin is Origin.EXPLICIT


def as_seconds(whole: Sourced[int]) -> Sourced[float]:
    """A whole number of seconds as a time."""
    return Sourced(float(whole.value), whole.origin, whole.place, whole.why)
