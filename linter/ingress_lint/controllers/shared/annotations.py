"""Annotations as controllers read them: a table of what a controller knows, and values with their source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

from msgspec import Struct

from ingress_lint.load.document import Place
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.values.numbers import decimal, integer
from ingress_lint.values.sizes import is_ingress_nginx_size
from ingress_lint.values.spelling import close_matches

Value = TypeVar("Value")


class ValueType(StrEnum):
    """What form an annotation's value has."""

    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    SIZE = "size"
    """As nginx writes it: 8k, 1m."""
    DURATION = "duration"
    LIST = "list"
    """Comma-separated."""
    JSON = "json"
    ENUM = "enum"
    """One of the legal values."""


class Scope(StrEnum):
    """The kind of object on which a controller looks for an annotation or setting."""

    INGRESS = "Ingress"
    SERVICE = "Service"
    CONFIG_MAP = "ConfigMap"


_TRUE: Final = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_SHAPES: Final[Mapping[ValueType, tuple[Callable[[str], bool], str]]] = {
    ValueType.INTEGER: (lambda text: integer(text) is not None, "a whole number"),
    ValueType.NUMBER: (lambda text: decimal(text) is not None, "a number"),
    ValueType.SIZE: (is_ingress_nginx_size, "a size such as `8m`"),
    ValueType.BOOLEAN: ((_TRUE | _FALSE).__contains__, "`true` or `false`"),
}


class AnnotationSpec(Struct, frozen=True):
    """One annotation or setting that a controller knows, by its key without the prefix.

    A key that ends in `.*` stands for all that differ after the dot (`actions.*`). `prefix` is set where the key
    belongs to that one of the table's prefixes only.
    """

    key: str
    type: ValueType = ValueType.TEXT
    scopes: frozenset[Scope] = frozenset({Scope.INGRESS})
    legal: tuple[str, ...] = ()
    """The legal values, beside those of its type; compared without case where `any_case`."""
    any_case: bool = False
    prefix: str = ""
    dropped: str = ""
    """The first release that no longer reads it."""
    successor: str = ""
    """The key to write instead of a dropped one."""

    def wanted(self, value: str) -> str | None:
        """What its value must be, where `value` is not that."""
        if self.type is ValueType.JSON:
            return None if _is_json(value) else "JSON"
        value = value.strip()
        if value in self.legal or (self.any_case and value.lower() in {item.lower() for item in self.legal}):
            return None
        if self.type is ValueType.ENUM:
            *others, last = (f"`{item}`" for item in self.legal)
            return f"{', '.join(others)} or {last}" if others else last
        taken, form = _SHAPES.get(self.type, (None, ""))
        return form if taken is not None and not taken(value) else None


def _is_json(text: str) -> bool:
    import json

    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


class AnnotationTable:
    """All annotations under a controller's prefixes; the first prefix is the one to write.

    Where other software writes under the same prefixes, the controller's own keys all start with `stem`; under the
    `shared` ones of its prefixes nothing tells them from others. `namesakes` are keys that another project reads under
    the same prefixes. A table that is not `closed` lacks keys which other parts of the same system read. `any_case`
    holds for keys that are compared without case. `as_of` is the release or commit that the keys were read from, or the
    month of the documentation.
    """

    def __init__(
        self,
        prefixes: tuple[str, ...],
        specs: Iterable[AnnotationSpec],
        stem: str = "",
        shared: frozenset[str] = frozenset(),
        namesakes: frozenset[str] = frozenset(),
        *,
        closed: bool = True,
        any_case: bool = False,
        as_of: str = "",
    ) -> None:
        self.prefixes = prefixes
        self.as_of = as_of
        self.own_prefixes = frozenset(prefixes) - shared
        self.stem = stem
        self.specs: Mapping[str, AnnotationSpec] = {spec.key: spec for spec in specs}
        self.namesakes = namesakes
        self.closed = closed
        self._any_case = any_case

    def full_key(self, key: str) -> str:
        """The key as it is written."""
        spec = self.specs.get(key)
        return f"{spec.prefix if spec and spec.prefix else self.prefixes[0]}/{key}"

    def covers(self, full_key: str) -> bool:
        """Whether a full key lies where only this controller's keys are, known or not."""
        prefix, _, key = full_key.partition("/")
        return prefix in self.own_prefixes and key.startswith(self.stem)

    def spec(self, full_key: str) -> AnnotationSpec | None:
        """What is known of a full key, None where its prefix is another's or the key is unknown."""
        prefix, _, key = full_key.partition("/")
        if prefix not in self.prefixes:
            return None
        found = self._known(key.lower() if self._any_case else key)
        return found if found is not None and found.prefix in ("", prefix) else None

    def _known(self, key: str) -> AnnotationSpec | None:
        found = self.specs.get(key)
        while found is None and "." in key:
            key = key.rpartition(".")[0]
            found = self.specs.get(f"{key}.*")
        return found

    def nearest(self, full_key: str, scope: Scope) -> str | None:
        """The full key most like one that is not known, among those that count on such an object."""
        key = full_key.partition("/")[2]
        known = [spec.key for spec in self.specs.values() if scope in spec.scopes and not spec.dropped]
        near = close_matches(key.lower(), known, 1, 0.75)
        return self.full_key(near[0]) if near else None

    def reader(self, *objects: AnyObject) -> AnnotationReader:
        """A reader over `objects`, of which an earlier one wins."""
        return AnnotationReader(self.prefixes, objects)


class AnnotationReader:
    """Reads annotations with their source. What does not have the form asked for reads as absent."""

    __slots__ = ("_objects", "_prefixes")

    def __init__(self, prefixes: tuple[str, ...], objects: tuple[AnyObject, ...]) -> None:
        self._prefixes = prefixes
        self._objects = tuple(item for item in objects if item.annotations)

    def text(self, key: str) -> Sourced[str] | None:
        """The annotation's text."""
        for item in self._objects:
            for prefix in self._prefixes:
                full = f"{prefix}/{key}"
                value = item.annotations.get(full)
                if value is not None:
                    return Sourced(value, Origin.EXPLICIT, item.annotation_place(full))
        return None

    def boolean(self, key: str) -> Sourced[bool] | None:
        """A boolean, by Go's strconv.ParseBool, which controllers use."""
        found = self.text(key)
        if found is None or found.value not in _TRUE | _FALSE:
            return None
        return Sourced(found.value in _TRUE, found.origin, found.place)

    def integer(self, key: str) -> Sourced[int] | None:
        """A whole number."""
        found = self.text(key)
        number = integer(found.value.strip()) if found else None
        return Sourced(number, found.origin, found.place) if found and number is not None else None

    def items(self, key: str) -> tuple[Sourced[str], ...]:
        """The items of a comma-separated list, without the empty ones."""
        found = self.text(key)
        if found is None:
            return ()
        items = (item.strip() for item in found.value.split(","))
        return tuple(Sourced(item, found.origin, found.place) for item in items if item)

    def pairs(self, key: str) -> dict[str, Sourced[str]]:
        """The entries of a comma-separated list of `key=value`."""
        entries = (item.value.partition("=") for item in self.items(key))
        found = self.text(key)
        if found is None:
            return {}
        return {name.strip(): Sourced(value.strip(), found.origin, found.place) for name, _, value in entries}

    def json(self, key: str) -> Sourced[Any] | None:
        """A JSON value."""
        found = self.text(key)
        if found is None:
            return None
        import json

        try:
            return Sourced(json.loads(found.value), found.origin, found.place)
        except (ValueError, RecursionError):
            return None


def or_default(found: Sourced[Value] | None, value: Value, place: Place, why: str) -> Sourced[Value]:
    """What somebody wrote, else the default with its reason."""
    return Sourced(value, Origin.DEFAULT, place, why) if found is None else found
