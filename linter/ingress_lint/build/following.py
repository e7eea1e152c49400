"""One pointer in two versions of an object: lists are matched by what their items are called, not by where they stand."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

from msgspec import Struct

from ingress_lint.load.document import Pointer

_NAMING: Final = (
    "name", "containerPort", "port", "mountPath", "devicePath", "topologyKey", "ip", "key", "host", "path", "secretName"
)  # fmt: skip
"""The keys that tell the items of a list apart: Kubernetes' merge keys, and what Ingresses' lists go by."""


class _Absent(Enum):
    ABSENT = "absent"


ABSENT: Final = _Absent.ABSENT
"""Stands for the value of a field that is not there."""


class Followed(Struct, frozen=True):
    """How far a pointer leads in another version: `pointer` there, the `value` at its end, and whether that is all of it."""

    pointer: Pointer
    value: Any
    complete: bool


def follow(pointer: Pointer, value: Any, other: Any) -> Followed:
    """Follows a pointer into `value` through the `other` version of it, as far as that goes."""
    path: list[str | int] = []
    for step in pointer:
        following = _step(step, value, other)
        if following is None:
            return Followed(tuple(path), other, False)
        value = value[step]
        other = other[following]
        path.append(following)
    return Followed(tuple(path), other, True)


def child(value: Any, step: str | int) -> Any:
    """What a value holds at one step of a pointer, `ABSENT` where it holds nothing there."""
    if isinstance(value, dict):
        return value.get(step, ABSENT)
    if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
        return value[step]
    return ABSENT


def value_at(value: Any, pointer: Pointer) -> Any:
    """What a pointer leads to, `ABSENT` where that is nothing."""
    for step in pointer:
        value = child(value, step)
    return value


def existing(pointer: Pointer, value: Any) -> Pointer:
    """The longest part of a pointer that exists in a value."""
    for length, step in enumerate(pointer):
        value = child(value, step)
        if value is ABSENT:
            return pointer[:length]
    return pointer


def _step(step: str | int, value: Any, other: Any) -> str | int | None:
    if isinstance(value, dict) and isinstance(other, dict):
        return step if step in value and step in other else None
    if isinstance(value, list) and isinstance(other, list) and isinstance(step, int) and 0 <= step < len(value):
        return counterpart(value, step, other)
    return None


def counterpart(items: list[Any], index: int, others: list[Any]) -> int | None:
    """The index in `others` of what `items` has at `index`, None where it has no counterpart there.

    That is an equal item, else one of the same name, else the one at the same index where that is no other's.
    """
    if index < len(others) and others[index] == items[index]:
        return index
    found = _namesake(items[index], others, index)
    if (
        found is not None
        or len(items) != len(others)
        or isinstance(items[index], dict) ^ isinstance(others[index], dict)
    ):
        return found
    return index if _namesake(others[index], items, index) is None else None


def _namesake(item: Any, others: list[Any], index: int) -> int | None:
    if item in others:
        return others.index(item)
    for key in _NAMING if isinstance(item, dict) else ():
        name = item.get(key)
        if name is None or isinstance(name, dict | list):
            continue
        found = [at for at, other in enumerate(others) if isinstance(other, dict) and other.get(key) == name]
        if found:
            return index if index in found else found[0]
    return None
