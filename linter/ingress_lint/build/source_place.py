"""Where a place of a built document comes from, whatever built it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol

from msgspec import Struct

from ingress_lint.load.document import Place, SourceFile

Certainty = Literal["exact", "likely", "template"]
"""How sure a source is: that very text, what is next to it as far as can be told, or no more than the file of a template."""


class SourcePlace(Struct, frozen=True):
    """Where what stands at a rendered place is written.

    `related` holds further places that had a part, each with its caption; `values` those of the values that decide what
    is written there.
    """

    place: Place
    certainty: Certainty = "exact"
    related: tuple[tuple[str, Place], ...] = ()
    values: tuple[Place, ...] = ()

    @property
    def all(self) -> tuple[Place, ...]:
        """All of these places, its own first."""
        return (self.place, *(place for _, place in self.related), *self.values)


class SourcePlaces(Protocol):
    """Leads from places of one build's documents to those that a person edits."""

    @property
    def files(self) -> Iterator[SourceFile]:
        """The files that the build reads besides manifests."""

    def prepare(self) -> None:
        """Does what takes long, for all places at once; else that is done when a place is first asked for."""

    def source_place(self, rendered: Place) -> SourcePlace:
        """The source of a place in a built document."""
