"""A place in a rendered document, and the line of a template that writes it, with the values that decide it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Final

from ingress_lint.build.charts import metadata_document
from ingress_lint.build.following import ABSENT, value_at
from ingress_lint.build.helm import Rendered
from ingress_lint.build.source_place import SourcePlace
from ingress_lint.build.templates.deciding import Deciding
from ingress_lint.build.templates.marking import Mark
from ingress_lint.build.templates.rendering import Rerendering, scope_of
from ingress_lint.build.templates.scopes import ValuesOf
from ingress_lint.load.document import Document, Place, Pointer, SourceFile
from ingress_lint.load.files import CHART_FILE
from ingress_lint.load.positions import Locator

INCLUDED: Final = "included here"
WRITTEN: Final = "written here"
ARCHIVED: Final = "written by {} in the archive of this chart"
_SHARED: Final = ("labels", "matchLabels", "selector")
"""What charts have helpers for that many objects include, so that another one may be the right one."""


class TemplatePlaces:
    """Maps places of one release's documents to its templates; costs a second rendering when first asked.

    Of a text that was at hand rendered it costs none, and is less sure.
    """

    def __init__(self, rendered: Rendered) -> None:
        self._rendered = rendered
        self._rerendering = Rerendering(rendered)
        self._values = ValuesOf(rendered)
        self._locator = Locator()
        self._documents: dict[SourceFile, Document] = {}

    @property
    def files(self) -> Iterator[SourceFile]:
        """The templates and values files that it is rendered from."""
        found = [template.file for template in self._rerendering.templates.values()]
        found += (one.document.file for one in self._rendered.release.values if one.document and not one.pointer)
        found += self._values.files
        yield from dict.fromkeys(found)

    def prepare(self) -> None:
        """Renders a second time; else that is done when a place is first asked for."""
        self._rerendering.prepare()

    def source_place(self, rendered: Place) -> SourcePlace:
        """Where what stands at a place of a rendered document is written.

        `exact` where the line marks itself, `likely` where a line beside it does, `template` where only the file is known.
        """
        document = rendered.document
        source = document.template
        start = (rendered.span or self._locator.span(rendered))[0]
        line, _ = document.file.line_and_column(start)
        written = self._rerendering.written(document, line)
        sought = value_at(document.whole(), rendered.pointer) if rendered.span is None else ABSENT
        if written is None:
            values = self._deciding.alike(scope_of(source), rendered.pointer, sought)
            place = self._file_place(source, rendered)
            if self._rendered.chart.file(source) is None:
                archived = (ARCHIVED.format("/".join(source.split("/")[1:])), place)
                return SourcePlace(values[0] if values else place, "likely" if values else "template", (archived,))
            return _editable(SourcePlace(place, "template", values=values))
        chosen = _chosen(written.marks, rendered.pointer)
        place = self._place(written.marks[chosen], rendered, sought, document.file.line_text(line))
        if chosen:
            related = [(WRITTEN, self._whole(written.marks[0]))]
        else:
            related = [(INCLUDED, self._whole(mark)) for mark in written.marks[1:2]]
        values = self._deciding.values(written, scope_of(source), rendered, sought)
        return _editable(SourcePlace(place, written.certainty, tuple(related), values))

    @cached_property
    def _deciding(self) -> Deciding:
        known = self._rendered.tool is not None
        return Deciding(self._values, self._rerendering.definitions, known=known)

    def _file_place(self, source: str, rendered: Place) -> Place:
        """The template that a document is of; of one in an archive the dependency that names it."""
        file = self._rerendering.file(source)
        if file is not None:
            return Place(self._document(file), rendered.pointer, span=(0, 0))
        chart, scope = self._rendered.chart, scope_of(source)
        for dependency in chart.dependencies:
            if scope and dependency.called == scope[0]:
                return dependency.place
        if self._rendered.release.named_at is not None:
            return self._rendered.release.named_at
        document = metadata_document(self._rendered.release.chart, self._rendered.sources)
        return Place(document or Document(SourceFile(CHART_FILE, ""), 0, 0, 0), span=None if document else (0, 0))

    def _place(self, mark: Mark, rendered: Place, sought: Any, line: str) -> Place:
        """The part of a marked line that is about what is sought."""
        text = _best_line(mark, line)
        start, end = mark.file.line_span(text)
        words = mark.file.text[start:end]
        found = [action for action in mark.actions if start <= action.start < end and action.prints]
        for part in _parts(rendered, sought):
            if (at := words.find(part)) >= 0:
                start, end = start + at, start + at + len(part)
                break
        else:
            if len(found) == 1 and found[0].end <= end and not isinstance(sought, dict | list):
                start, end = found[0].start, found[0].end
        return Place(self._document(mark.file), rendered.pointer, rendered.part, span=(start, end))

    def _whole(self, mark: Mark) -> Place:
        return Place(self._document(mark.file), span=mark.file.line_span(mark.line.writing[0]))

    def _document(self, file: SourceFile) -> Document:
        if file not in self._documents:
            self._documents[file] = Document(file, 0, 0, len(file.text), template_language=True)
        return self._documents[file]


def _editable(source: SourcePlace) -> SourcePlace:
    """The value that decides what a template writes that lies elsewhere than the values, as those of fetched charts do."""
    values = [place for place in source.values if not os.path.isabs(place.document.file.path)]
    if not values or not os.path.isabs(source.place.document.file.path):
        return source
    return SourcePlace(values[0], source.certainty, ((WRITTEN, source.place), *source.related), tuple(values[1:]))


def _chosen(marks: Sequence[Mark], pointer: Pointer) -> int:
    """Which of the lines that had a part is the one to edit: the innermost, but of labels the one that includes them in an object."""
    if len(pointer) < 2 or pointer[-2] not in _SHARED:
        return 0
    return next((index for index, mark in enumerate(marks) if mark.is_in_object), 0)


def _best_line(mark: Mark, rendered: str) -> int:
    """The line of those that are written as one which holds most of the words before the first action."""
    lines = mark.line.writing
    for number in lines if len(lines) > 1 else ():
        literal = mark.file.line_text(number).partition("{{")[0].strip()
        if literal and literal in rendered:
            return number
    return lines[0]


def _parts(rendered: Place, sought: Any) -> Iterator[str]:
    """What to point at in a line, the best first."""
    if isinstance(rendered.inner, str):
        yield rendered.inner
    key = rendered.pointer[-1] if rendered.pointer else None
    if rendered.part != "key" and not isinstance(sought, dict | list) and sought is not ABSENT and str(sought):
        yield "true" if sought is True else "false" if sought is False else str(sought)
    elif isinstance(key, str):
        yield key
