"""Annotations as controllers read them: a table of what a controller knows, and values with their source."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

from ingress_lint.load.document import Place
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.model import Origin, Sourced

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


@dataclass(frozen=True, slots=True)
class AnnotationSpec:
    """One annotation or setting that a controller knows, by its key without the prefix.

    A key that ends in `.*` stands for all that differ after the dot (`actions.*`). `prefix` is set where the key
    belongs to that one of the table's prefixes only.
    """

    key: str
    type: ValueType = ValueType.TEXT
    scopes: frozenset[Scope] = frozenset({Scope.INGRESS})
    legal: tuple[str, ...] = ()
    """The legal values; compared without case where `any_case`."""
    any_case: bool = False
    prefix: str = ""


class AnnotationTable:
    """All annotations under a controller's prefixes; the first prefix is the one to write.

    Where other software writes under the same prefixes, the controller's own keys all start with `stem`; under the
    `shared` ones of its prefixes nothing tells them from others.
    """

    def __init__(
        self,
        prefixes: tuple[str, ...],
        specs: Iterable[AnnotationSpec],
        stem: str = "",
        shared: frozenset[str] = frozenset(),
    ) -> None:
        self.prefixes = prefixes
        self.own_prefixes = frozenset(prefixes) - shared
        self.stem = stem
        self.specs: Mapping[str, AnnotationSpec] = {spec.key: spec for spec in specs}

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
        found = self.specs.get(key) or self.specs.get(f"{key.partition('.')[0]}.*")
        return found if found is not None and found.prefix in ("", prefix) else None

    def reader(self, *objects: AnyObject) -> AnnotationReader:
        """A reader over `objects`, of which an earlier one wins."""
        return AnnotationReader(self.prefixes, objects)


_TRUE: Final = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "FALSE", "false", "False"})


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
        if found is None:
            return None
        try:
            return Sourced(int(found.value), found.origin, found.place)
        except ValueError:
            return None

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
        try:
            return Sourced(json.loads(found.value), found.origin, found.place)
        except ValueError:
            return None


def or_default(found: Sourced[Value] | None, value: Value, place: Place, why: str) -> Sourced[Value]:
    """What somebody wrote, else the default with its reason."""
    return Sourced(value, Origin.DEFAULT, place, why) if found is None else found
