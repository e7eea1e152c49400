"""Places in what a Flux Kustomization built, and the lines that a person edits: of its source, or of the Flux objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ingress_lint.build.following import ABSENT, value_at
from ingress_lint.build.kustomize import Built
from ingress_lint.build.places import Places
from ingress_lint.build.source_place import SourcePlace, SourcePlaces
from ingress_lint.load.document import Document, Place, SourceFile
from ingress_lint.units.flux.envsubst import USED
from ingress_lint.units.flux.variables import Variables

_NAMES: Final = ("name", "namespace", "secretName", "serviceName")
"""The fields whose meaning depends on the namespace that they stand in."""
_HIGHEST: Final = 20


class FluxPlaces(Places):
    """Places of one Flux Kustomization's documents.

    `above` has the places of all documents that were built in the cluster: the Flux object itself, or a ConfigMap of
    variables, may be one of them. `moved` is the place of the `targetNamespace`, where there is one.
    """

    def __init__(
        self, built: Built, variables: Variables | None, above: Mapping[Document, SourcePlaces], moved: Place | None
    ) -> None:
        super().__init__(built)
        self._variables = variables
        self._above = above
        self._moved = moved

    def source_place(self, rendered: Place) -> SourcePlace:
        """The source of a place, with the variables and the `targetNamespace` that had a part in it."""
        found = super().source_place(rendered)
        related = dict.fromkeys((*found.related, *self._filled_in(found.place), *self._moved_by(rendered)))
        return SourcePlace(
            up(found.place, self._above),
            found.certainty,
            tuple(dict.fromkeys((caption, up(place, self._above)) for caption, place in related)),
        )

    def _filled_in(self, place: Place) -> Iterator[tuple[str, Place]]:
        value = value_at(place.document.whole(), place.pointer) if self._variables is not None else ABSENT
        if isinstance(value, str) and self._variables is not None:
            for name in dict.fromkeys(USED.findall(value)):
                variable = self._variables.known.get(name)
                if variable is not None:
                    yield f"`{name}` is set here", variable.place

    def _moved_by(self, rendered: Place) -> Iterator[tuple[str, Place]]:
        if self._moved is not None and rendered.pointer[-1:] and rendered.pointer[-1] in _NAMES:
            yield "the namespace is set here", self._moved


class ReleasePlaces:
    """Places of one HelmRelease's documents; `above` as in `FluxPlaces`."""

    def __init__(self, places: SourcePlaces, above: Mapping[Document, SourcePlaces]) -> None:
        self._places = places
        self._above = above

    @property
    def files(self) -> Iterator[SourceFile]:
        """The files that it is rendered from."""
        return self._places.files

    def prepare(self) -> None:
        """Renders a second time; else that is done when a place is first asked for."""
        self._places.prepare()

    def source_place(self, rendered: Place) -> SourcePlace:
        """The source of a place, each in a file."""
        found = self._places.source_place(rendered)
        return SourcePlace(
            up(found.place, self._above),
            found.certainty,
            tuple((caption, up(place, self._above)) for caption, place in found.related),
            tuple(up(place, self._above) for place in found.values),
        )


def up(place: Place, above: Mapping[Document, SourcePlaces]) -> Place:
    """The place in a file of what may stand in a built document."""
    for _ in range(_HIGHEST):
        places = above.get(place.document)
        if places is None:
            break
        place = places.source_place(place).place
    return place
