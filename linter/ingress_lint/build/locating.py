"""Lines and columns of places, those of built documents in the files that a person edits."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ingress_lint.load.document import Document, Place, SourceFile
from ingress_lint.load.positions import Location, Locator

if TYPE_CHECKING:
    from ingress_lint.build.source_place import SourcePlace, SourcePlaces


class SourceLocator(Locator):
    """Locates places in the files that a person edits; `places` leads there from built documents."""

    def __init__(self, places: Mapping[Document, SourcePlaces]) -> None:
        super().__init__()
        self._places = places
        self._sources: dict[Place, SourcePlace] = {}
        self.files: dict[str, SourceFile] = {}
        """The files that something was located in, by path."""

    def prepare(self, documents: Iterable[Document], jobs: int | None = None) -> None:
        """Makes ready to locate places in documents: what several builds need for that is done side by side."""
        several = dict.fromkeys(self._places[document] for document in documents if document in self._places)
        if len(several) > 1:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
                list(pool.map(lambda places: places.prepare(), several))

    def locate(self, place: Place) -> Location:
        """Where a place is in its source."""
        source = self.source(place)
        return self._located(source.place if source is not None else place)

    def rendered(self, place: Place) -> Location | None:
        """Where a place is in the built text, None where nothing was built."""
        return self._located(place) if place.document in self._places else None

    def source(self, place: Place) -> SourcePlace | None:
        """The source of a place in a built document, None where its document is a source itself."""
        places = self._places.get(place.document)
        if places is None:
            return None
        if place not in self._sources:
            self._sources[place] = places.source_place(place)
        return self._sources[place]

    def _located(self, place: Place) -> Location:
        file = place.document.file
        self.files[file.path] = file
        return super().locate(place)
