"""The values that a chart's templates see, and where each is written that counts in the end."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from ingress_lint.build.charts import VALUES_FILE, Chart
from ingress_lint.build.helm import Rendered, Values
from ingress_lint.load.document import Place, SourceFile
from ingress_lint.values.numbers import whole

Keys = tuple[str | int | None, ...]
"""The way into values; None stands for every item of a list or mapping."""
Scope = tuple[str, ...]
"""Which of the charts below the one that is rendered, by the names that lead there."""
_GLOBAL: Final = "global"
_ABSENT: Final = object()
_DEEPEST: Final = 5
_MOST: Final = 1000
"""More items than that of one list or mapping are not looked at."""


class _Layer(Struct, frozen=True):
    values: Values
    prefix: tuple[str, ...]
    """What stands before the keys of the scope."""


class ValuesOf:
    """The values of one release."""

    def __init__(self, rendered: Rendered) -> None:
        self._rendered = rendered
        self._layers: dict[tuple[Scope, bool], list[_Layer]] = {}
        self._values: dict[Scope, Any] = {}

    def chart(self, scope: Scope) -> Chart | None:
        """The chart that a scope means."""
        chart: Chart | None = self._rendered.chart
        for name in scope:
            chart = chart.parts.get(name) if chart is not None else None
        return chart

    @property
    def files(self) -> Iterator[SourceFile]:
        """The values files of the chart and its parts."""
        scopes: list[Scope] = [()]
        for scope in scopes:
            chart, values = self.chart(scope), self._defaults(scope)
            if values is not None and values.document is not None:
                yield values.document.file
            if chart is not None and len(scope) < _DEEPEST:
                scopes += ((*scope, name) for name in chart.parts)

    def expanded(self, scope: Scope, keys: Keys) -> list[tuple[tuple[str | int, ...], Any]]:
        """What stands at keys in the order in which templates range over it, with the keys that lead to each."""
        found: list[tuple[tuple[str | int, ...], Any]] = [((), self._merged(scope))]
        for key in keys:
            found = [
                ((*there, step), value)
                for there, holder in found[:_MOST]
                for step, value in (_items(holder) if key is None else _at(holder, key))
            ]
        return found

    def scalars(self, scope: Scope) -> Iterator[tuple[tuple[str | int, ...], Any]]:
        """Every value of a scope that is no mapping or list, with the keys that lead to it."""
        stack: list[tuple[tuple[str | int, ...], Any]] = [((), self._merged(scope))]
        while stack:
            keys, value = stack.pop()
            if isinstance(value, Mapping | list):
                stack += (((*keys, step), item) for step, item in _items(value))
            else:
                yield keys, value

    def place(self, scope: Scope, keys: tuple[str | int, ...]) -> Place | None:
        """Where the value is written that counts; None where that is no file, or it is not set."""
        for layer in self._of(scope, keys[:1] == (_GLOBAL,)):
            value: Any = layer.values.value
            for key in (*layer.prefix, *keys):
                value = next((value for _, value in _at(value, key)), _ABSENT) if value is not _ABSENT else value
            if value is not _ABSENT:
                document = layer.values.document
                return None if document is None else Place(document, (*layer.values.pointer, *layer.prefix, *keys))
        return None

    def _merged(self, scope: Scope) -> Any:
        if scope not in self._values:
            merged: Any = {}
            for is_global in (False, True):
                for layer in reversed(self._of(scope, is_global)):
                    value: Any = layer.values.value
                    for key in layer.prefix:
                        value = next((value for _, value in _at(value, key)), {})
                    if is_global and isinstance(value, Mapping):
                        value = {key: item for key, item in value.items() if key == _GLOBAL}
                    merged = _over(merged, value)
            self._values[scope] = merged
        return self._values[scope]

    def _of(self, scope: Scope, is_global: bool) -> list[_Layer]:
        """The layers in which a value of a scope may be set, the one that counts first."""
        if (scope, is_global) not in self._layers:
            self._layers[scope, is_global] = [*self._layers_of(scope, is_global)]
        return self._layers[scope, is_global]

    def _layers_of(self, scope: Scope, is_global: bool) -> Iterator[_Layer]:
        """A parent's values win over its part's; what is global is handed down and may stand at any height."""
        for depth in range(len(scope) + 1):
            below = scope[depth:]
            above = [*reversed(self._rendered.release.values)] if depth == 0 else []
            own = self._defaults(scope[:depth])
            sets = [*above, *([own] if own is not None else [])]
            for length in range(len(below) + 1) if is_global else (len(below),):
                yield from (_Layer(values, below[:length]) for values in sets)

    def _defaults(self, scope: Scope) -> Values | None:
        chart = self.chart(scope)
        if chart is None or chart.is_archive or (not scope and self._rendered.release.without_defaults):
            return None
        documents = self._rendered.sources.documents(os.path.join(chart.path, VALUES_FILE))
        value = documents[0].value if documents else None
        return Values(documents[0], (), value) if isinstance(value, dict) else None


def _at(holder: Any, key: str | int) -> Iterator[tuple[str | int, Any]]:
    if isinstance(holder, Mapping):
        if key in holder and holder[key] is not None:
            yield key, holder[key]
    elif isinstance(holder, list):
        index = key if isinstance(key, int) else whole(key)
        if index is not None and 0 <= index < len(holder):
            yield index, holder[index]


def _items(holder: Any) -> Iterator[tuple[str | int, Any]]:
    """The items as `range` goes through them: a mapping's by their keys, sorted."""
    if isinstance(holder, Mapping):
        yield from ((key, holder[key]) for key in sorted(holder, key=str)[:_MOST])
    elif isinstance(holder, list):
        yield from enumerate(holder[:_MOST])


def _over(below: Any, value: Any) -> Any:
    """Values laid over others, as helm does: mappings key by key, all else whole; null takes a default away."""
    if not isinstance(below, dict) or not isinstance(value, Mapping):
        return value
    result = dict(below)
    for key, item in value.items():
        result[key] = _over(result.get(key), item)
    return result
