"""The values that decide what a template's line writes, with the lines where they are set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from ingress_lint.build.following import ABSENT, value_at
from ingress_lint.build.sought import same
from ingress_lint.build.templates.lines import Written
from ingress_lint.build.templates.marking import Mark
from ingress_lint.build.templates.scopes import Scope, ValuesOf
from ingress_lint.build.templates.template import Block, Template
from ingress_lint.build.templates.tracing import Known, Path, Printed, Tracer, union
from ingress_lint.load.document import Place, Pointer, SourceFile

_MOST: Final = 3
"""As many values as are shown of one place."""
_TEMPLATE: Final = "{{"
_EQUAL, _PART, _TEMPLATED, _OTHER = range(4)
"""How well a value fits what was rendered: it is that, it stands in it, it is a template itself, or nobody can tell."""


class _Fitting(Struct, frozen=True):
    fit: int
    path: Path
    keys: tuple[str | int, ...]


class Deciding:
    """Finds the values behind lines of one release's templates."""

    def __init__(self, values: ValuesOf, definitions: Mapping[str, Block]) -> None:
        self._values = values
        self._tracer = Tracer(definitions, self._texts_at)
        self._printed: dict[tuple[SourceFile, tuple[int, ...], Scope], list[Printed]] = {}

    def values(self, written: Written, scope: Scope, rendered: Place, sought: Any) -> tuple[Place, ...]:
        """The values that decide what is sought at a rendered place, as far as they are set."""
        paths = dict.fromkeys(path for one in self._of(written.marks, scope) for path in one.known.all)
        found = [one for path in paths if (one := self._best(path, written, rendered, sought)) is not None]
        if not found:
            return ()
        best = min(one.fit for one in found)
        chosen = [one for one in found if one.fit == best or (best == _TEMPLATED and one.fit < _OTHER)]
        places: dict[Place, None] = {}
        for one in chosen:
            place = self._values.place(one.path.scope, one.keys)
            if place is not None:
                inner = rendered.inner if one.fit == _EQUAL else None
                places[Place(place.document, place.pointer, inner=inner)] = None
        return tuple(places)[:_MOST]

    # -- the actions behind a line ------------------------------------------------------------------------------------

    def _of(self, marks: Sequence[Mark], scope: Scope) -> list[Printed]:
        """What prints the innermost of the lines, run as the lines around it say."""
        inner = marks[0]
        key = inner.file, tuple(mark.line.first for mark in marks), scope
        if key not in self._printed:
            self._printed[key] = [*self._on(inner, self._dot(marks, scope))]
        return self._printed[key]

    def _dot(self, marks: Sequence[Mark], scope: Scope) -> Known:
        """What the innermost of the lines is run with."""
        dot = Known(root=scope)
        for outer, inner in zip(marks[:0:-1], marks[-2::-1], strict=True):
            if outer.template is None or inner.template is None:
                continue
            block = _block(outer.template, outer)
            found = [
                known
                for action in outer.actions
                for known in self._tracer.calls(block, dot, action, inner.line.definition)
            ]
            dot = union(found) if found else Known(root=scope)
        return dot

    def _on(self, mark: Mark, dot: Known) -> Iterator[Printed]:
        template = mark.template
        if template is None:
            return
        there = set(map(id, mark.actions))
        if there:
            yield from (one for one in self._tracer.printed(_block(template, mark), dot) if id(one.action) in there)

    def _texts_at(self, path: Path) -> list[str]:
        """The templates that stand at a value, in it or below it."""
        found: list[str] = []
        stack = [value for _, value in self._values.expanded(path.scope, path.keys)]
        for value in stack:
            if isinstance(value, str):
                if _TEMPLATE in value:
                    found.append(value)
            elif isinstance(value, Mapping | list) and len(stack) < 1000:
                stack += value.values() if isinstance(value, Mapping) else value
        return found[:20]

    # -- the values of those ------------------------------------------------------------------------------------------

    def _best(self, path: Path, written: Written, rendered: Place, sought: Any) -> _Fitting | None:
        """The value at a path that fits best; of items of a list the one whose turn it is."""
        expanded = self._values.expanded(path.scope, path.keys)
        whole = rendered.document.whole()
        found = [
            one
            for keys, value in expanded
            if (one := _fitting(path, keys, value, whole, rendered.pointer, sought)) is not None
        ]
        if not found:
            return None
        best = min(one.fit for one in found)
        if None in path.keys and len(expanded) == written.among:
            keys = expanded[written.number][0]
            turn = next((one for one in found if one.keys[: len(keys)] == keys and one.fit == best), None)
            if turn is not None:
                return turn
        fitting = [one for one in found if one.fit == best]
        return next((one for one in fitting if {*rendered.pointer[-1:]} & {*one.keys}), fitting[0])


def _block(template: Template, mark: Mark) -> Block:
    name = mark.line.definition
    return (
        next((block for block in template.definitions if block.name == name), template.root) if name else template.root
    )


def _fitting(
    path: Path, keys: tuple[str | int, ...], value: Any, whole: Any, pointer: Pointer, sought: Any
) -> _Fitting | None:
    """How a value fits what is sought; one that is empty decides nothing that anybody could see."""
    if isinstance(value, Mapping | list):
        for start in range(len(pointer)):
            there = _moved(value, pointer[start:], value_at(whole, pointer[: start + 1]))
            found = value_at(value, there)
            if found is not ABSENT and (same(found, sought) or _is_template(found)):
                return _Fitting(_EQUAL, path, (*keys, *there))
        if same(value, sought):
            return _Fitting(_EQUAL, path, keys)
        return _Fitting(_OTHER, path, keys) if value else None
    if value is None or value == "":
        return None
    if sought is ABSENT or isinstance(sought, Mapping | list):
        return _Fitting(_OTHER, path, keys)
    if same(value, sought):
        return _Fitting(_EQUAL, path, keys)
    if not isinstance(value, bool) and str(value) in str(sought):
        return _Fitting(_PART, path, keys)
    return _Fitting(_TEMPLATED if _is_template(value) else _OTHER, path, keys)


def _moved(value: Any, pointer: Pointer, item: Any) -> Pointer:
    """A pointer into a list of values, whose item of the rendered list may stand at another place there."""
    if isinstance(value, list) and not same(value_at(value, pointer[:1]), item) and item in value:
        return (value.index(item), *pointer[1:])
    return pointer


def _is_template(value: Any) -> bool:
    return isinstance(value, str) and _TEMPLATE in value
