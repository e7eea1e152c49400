"""Places in what kustomize made of what helm had rendered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingress_lint.build.helm import Rendered
from ingress_lint.build.kustomize import Built
from ingress_lint.build.places import Places
from ingress_lint.build.source_place import SourcePlace
from ingress_lint.build.templates.places import TemplatePlaces
from ingress_lint.load.document import Place, SourceFile


class LaidOverPlaces:
    """Maps places of what a build made: what a kustomization sets stands there, what a chart makes at its template's line.

    `rendered` are the releases among the build's manifests, also those whose documents it left alone.
    """

    def __init__(self, changed: Built, rendered: Iterable[Rendered]) -> None:
        self._file = changed.file
        self._changed = Places(changed)
        self._templates = {one.file: TemplatePlaces(one) for one in rendered}

    @property
    def files(self) -> Iterator[SourceFile]:
        """The files that it is made of, manifests aside."""
        yield from self._changed.files
        for templates in self._templates.values():
            yield from templates.files

    def prepare(self) -> None:
        """Renders a second time; else that is done when a place is first asked for."""
        for templates in self._templates.values():
            templates.prepare()

    def source_place(self, rendered: Place) -> SourcePlace:
        """Where what stands at a place is written, or set by a kustomization."""
        if rendered.document.file is not self._file:
            return self._below(rendered)
        found = self._changed.source_place(rendered)
        related = tuple((caption, self._below(place).place) for caption, place in found.related)
        below = self._below(found.place)
        certainty = below.certainty if found.certainty == "exact" else found.certainty
        return SourcePlace(below.place, certainty, (*related, *below.related), below.values)

    def _below(self, place: Place) -> SourcePlace:
        """A place in what helm made where it is written, any other as it is."""
        templates = self._templates.get(place.document.file)
        return SourcePlace(place) if templates is None else templates.source_place(place)
