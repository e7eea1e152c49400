"""What manifests themselves say about findings that they take: comments beside a line, annotations on an object."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.build.locating import SourceLocator
from ingress_lint.finding import Finding
from ingress_lint.load.document import Document, Place, Problem, ProblemKind, SourceFile
from ingress_lint.load.positions import Location
from ingress_lint.manifests import Manifests
from ingress_lint.objects.model import AnyObject
from ingress_lint.rule import RuleEntry
from ingress_lint.selection import SelectionError, matching, split_selectors
from ingress_lint.values.patterns import deferred

ANNOTATION: Final = "ingress-lint.dev/ignore"
_MARKER: Final = "ingress-lint:"
_COMMENT: Final = deferred(
    r"(?:(?<!\S)#|(?P<template>\{\{(?:-[ \t]+)?/\*))[ \t]*ingress-lint:[ \t]*ignore\b"
    r"(?:\[(?P<selectors>[^\]\n]*)\])?(?(template)(?P<why>.*?)\*/(?:[ \t]+-)?\}\}|(?P<reason>.*))"
)
"""In YAML, or in a template, where it writes nothing."""
_OPENINGS: Final = ("#", "{{/*", "{{- /*")
_MOST_HINTS: Final = 20
"""For how many wrong names of one comment or annotation the nearest ones are told."""
_AROUND: Final = " \t\r-:,;."


class _Suppression(Struct):
    """One selector of a comment or annotation; `codes` are those it means, `fault` is why it means none."""

    selector: str
    codes: frozenset[str]
    place: Place
    scope: str
    """What it is for, as messages name it."""
    reason: str
    fault: str = ""
    used: bool = False


class Suppressions:
    """The suppressions of one run's manifests. Those beside objects that are not reported on count for nothing."""

    def __init__(self, manifests: Manifests, catalogue: Sequence[RuleEntry], locator: SourceLocator) -> None:
        self._catalogue = catalogue
        self._locator = locator
        self._by_line: defaultdict[str, defaultdict[int, list[_Suppression]]] = defaultdict(lambda: defaultdict(list))
        self._by_object: defaultdict[Document, list[tuple[AnyObject, list[_Suppression]]]] = defaultdict(list)
        self._all: list[_Suppression] = []
        reported = [one for one in manifests.loaded.documents if one.reported and one not in manifests.places]
        reported += (Document(file, 0, 0, len(file.text)) for file in manifests.sources)
        marked = {file for file in {document.file for document in reported} if _MARKER in file.text}
        for document in reported if marked else ():
            if document.file in marked:
                self._read_comments(document)
        for held in manifests.sets:
            for item in held.graph.objects:
                if item.document.reported and ANNOTATION in item.annotations:
                    self._read_annotation(item)

    @property
    def codes(self) -> frozenset[str]:
        """The codes of all rules that any of them means."""
        return frozenset().union(*(item.codes for item in self._all))

    def apply(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings, each that is suppressed with the reason for it."""
        if not self._all:
            return list(findings)
        return [self._applied(finding) for finding in findings]

    def unused(self) -> Iterator[Problem]:
        """A problem for each that suppressed nothing of what `apply` was given, in none of the units that have it."""
        used = {self._at(item) for item in self._all if item.used}
        for item in self._all:
            if not item.used and self._at(item) not in used:
                message = item.fault or f"`{item.selector}` is ignored {item.scope}, where it finds nothing"
                yield Problem(ProblemKind.UNUSED_SUPPRESSION, item.place, message, fix="remove it", level="note")

    def _at(self, item: _Suppression) -> tuple[Location, str]:
        return self._locator.locate(item.place), item.selector

    # -- reading ------------------------------------------------------------------------------------------------------

    def _read_comments(self, document: Document) -> None:
        for found in _COMMENT.finditer(document.file.text, document.start, document.end):
            span = found.start(), found.start() + len(found[0].rstrip())
            place = Place(document, span=span)
            line = _line_meant(document.file, *found.span())
            reason = (found["reason"] or found["why"] or "").strip(_AROUND)
            self._by_line[document.file.path][line] += self._made(
                found["selectors"] or "", place, "here", reason or "by a comment"
            )

    def _read_annotation(self, item: AnyObject) -> None:
        made = self._made(
            item.annotations[ANNOTATION],
            item.annotation_place(ANNOTATION),
            f"on {item.kind} `{item.name}`",
            f"by the annotation {ANNOTATION}",
        )
        self._by_object[item.document].append((item, made))

    def _made(self, selectors: str, place: Place, scope: str, reason: str) -> list[_Suppression]:
        made = []
        for index, selector in enumerate(split_selectors([selectors]) or ("",)):
            codes, fault = frozenset[str](), ""
            try:
                codes = frozenset(matching(self._catalogue, selector, hints=index < _MOST_HINTS)) if selector else codes
            except SelectionError as error:
                fault = f"this suppresses nothing: {error}"
            if not selector:
                fault = "this suppresses nothing, as it names no rule; write `ignore[IL201]`, say"
            made.append(_Suppression(selector, codes, place, scope, reason, fault))
        self._all += made
        return made

    # -- applying -----------------------------------------------------------------------------------------------------

    def _applied(self, finding: Finding) -> Finding:
        fitting = [item for item in self._near(finding.place) if finding.code in item.codes]
        for item in fitting:
            item.used = True
        return replace(finding, suppressed=fitting[0].reason) if fitting else finding

    def _near(self, place: Place) -> Iterator[_Suppression]:
        if self._by_line:
            source = self._locator.source(place)
            for one in (place,) if source is None else source.all:
                location = self._locator.locate(one)
                yield from self._by_line[location.file][location.line]
        for item, suppressions in self._by_object.get(place.document, ()):
            if place.pointer[: len(item.base)] == item.base:
                yield from suppressions


def _line_meant(file: SourceFile, start: int, end: int) -> int:
    """The line that a comment from `start` to `end` is for: its own, or the next that is no comment where it stands alone."""
    line, column = file.line_and_column(start)
    if file.line_text(line)[: column - 1].strip() or file.text[end : file.line_span(line)[1]].strip():
        return line
    line += 1
    while file.line_text(line).lstrip().startswith(_OPENINGS):
        line += 1
    return line
