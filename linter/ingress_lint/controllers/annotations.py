"""Annotations as controllers read them: a table of what a controller knows, and values with their source."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.model import Origin, Sourced


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
    """One annotation or setting that a controller knows, by its key without the prefix."""

    key: str
    type: ValueType = ValueType.TEXT
    scopes: frozenset[Scope] = frozenset({Scope.INGRESS})
    legal: tuple[str, ...] = ()
    """The legal values; compared without case where `any_case`."""
    any_case: bool = False


class AnnotationTable:
    """All annotations under a controller's prefixes; the first prefix is the one to write."""

    def __init__(self, prefixes: tuple[str, ...], specs: Iterable[AnnotationSpec]) -> None:
        self.prefixes = prefixes
        self.specs: Mapping[str, AnnotationSpec] = {spec.key: spec for spec in specs}

    def full_key(self, key: str) -> str:
        """The key as it is written."""
        return f"{self.prefixes[0]}/{key}"

    def spec(self, full_key: str) -> AnnotationSpec | None:
        """What is known of a full key, None where its prefix is another's or the key is unknown."""
        prefix, _, key = full_key.partition("/")
        return self.specs.get(key) if prefix in self.prefixes else None

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

    def json(self, key: str) -> Sourced[Any] | None:
        """A JSON value."""
        found = self.text(key)
        if found is None:
            return None
        try:
            return Sourced(json.loads(found.value), found.origin, found.place)
        except ValueError:
            return None
