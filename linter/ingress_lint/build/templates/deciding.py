"""The values that decide what a template's line writes, with the lines where they are set."""

from __future__ import annotations

from collections import defaultdict
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
_PORTS: Final = frozenset(("number", "name"))
"""What a field is called below `port`."""
_EQUAL, _PART, _TEMPLATED, _OTHER = range(4)
"""How well a value fits what was rendered: it is that, it stands in it, it is a template itself, or nobody can tell."""


class _Fitting(Struct, frozen=True):
    fit: int
    path: Path
    keys: tuple[str | int, ...]


class Deciding:
    """Finds the values behind lines of one release's templates; `known` says whether they are those that it was rendered with."""

    def __init__(self, values: ValuesOf, definitions: Mapping[str, Block], *, known: bool = True) -> None:
        self._values = values
        self._known = known
        self._tracer = Tracer(definitions, self._texts_at)
        self._scalars: dict[Scope, defaultdict[str, list[tuple[str | int, ...]]]] = {}
        self._printed: dict[tuple[SourceFile, tuple[int, ...], Scope], list[Printed]] = {}

    def values(self, written: Written, scope: Scope, rendered: Place, sought: Any) -> tuple[Place, ...]:
        """The values that decide what is sought at a rendered place, as far as they are set."""
        printed = self._of(written.marks, scope)
        if not printed:
            return ()
        paths = dict.fromkeys(path for one in printed for path in one.known.all)
        found = [one for path in paths if (one := self._best(path, written, rendered, sought)) is not None]
        best = min((one.fit for one in found), default=_OTHER)
        if best == _OTHER and (alike := self._alike(scope, rendered.pointer, sought)) is not None:
            found, best = [alike], alike.fit
        if best > _PART and not self._known:
            return ()  # another value was given, which stands elsewhere
        places: dict[Place, None] = {}
        for one in (one for one in found if one.fit == best):
            place = self._values.place(one.path.scope, one.keys)
            if place is not None:
                inner = rendered.inner if one.fit == _EQUAL else None
                places[Place(place.document, place.pointer, inner=inner)] = None
        return tuple(places)[:_MOST]

    def alike(self, scope: Scope, pointer: Pointer, sought: Any) -> tuple[Place, ...]:
        """The value that is what is sought and is called alike, where the template is not known and no other value is."""
        found = self._alike(scope, pointer, sought)
        place = self._values.place(scope, found.keys) if found is not None else None
        return () if place is None else (place,)

    def _alike(self, scope: Scope, pointer: Pointer, sought: Any) -> _Fitting | None:
        """The only value of all that is what is sought and is called alike, where nobody can tell what a template does with it."""
        if sought is ABSENT or isinstance(sought, Mapping | list | bool) or not pointer:
            return None
        if scope not in self._scalars:
            self._scalars[scope] = defaultdict(list)
            for keys, value in self._values.scalars(scope):
                self._scalars[scope][str(value)].append(keys)
        named = [keys for keys in self._scalars[scope].get(str(sought), ()) if _is_called_alike(keys, pointer)]
        return _Fitting(_EQUAL, Path(scope), named[0]) if len(named) == 1 else None

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


def _is_called_alike(keys: tuple[str | int, ...], pointer: Pointer) -> bool:
    name, wanted = (_name(steps) for steps in (keys, pointer))
    return name == wanted or (name.endswith("port") and (wanted in _PORTS or wanted.endswith("port")))


def _name(steps: Sequence[str | int]) -> str:
    return next((step.lower() for step in reversed(steps) if isinstance(step, str)), "")


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
