"""What a kustomization's patches set: strategic merges and JSON6902 operations, in files and written there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from ingress_lint.build.following import ABSENT, child, follow, value_at
from ingress_lint.build.identity import group_of, identity_of
from ingress_lint.build.sought import Setter, Sought
from ingress_lint.build.source_place import Certainty
from ingress_lint.build.sources import Sources, items
from ingress_lint.build.tree import Layer
from ingress_lint.load.document import Place, Pointer
from ingress_lint.values.numbers import whole

_FIELDS: Final = ("patchesJson6902", "patches", "patchesStrategicMerge")
"""The last applied first."""


class Patch(Struct, frozen=True):
    """One patch: where its root stands, its value, and which objects it is for (None: the one that it names itself)."""

    base: Place
    value: Any
    target: Any

    def place(self, pointer: Pointer) -> Place:
        """The place of a part of the patch; an item of a list stands where its first key does."""
        part = value_at(self.value, pointer)
        if pointer and isinstance(pointer[-1], int) and isinstance(part, dict) and part:
            pointer = (*pointer, next(iter(part)))
        return self.base.at(*pointer)


def setters(layer: Layer, sought: Sought, sources: Sources) -> Iterator[Setter]:
    """The places in a layer's patches that set a field, or a part of it where it is a mapping or list; the last first."""
    for patch in patches_of(layer, sources):
        if isinstance(patch.value, list):
            if patch.target is None or sought.is_selected(patch.target):
                yield from _operations(patch, sought)
        elif isinstance(patch.value, dict) and _is_meant(patch, sought):
            found = follow(sought.pointer, sought.built, patch.value)
            if found.complete and found.pointer:
                yield Setter(patch.place(found.pointer), found.value)


def removers(layer: Layer, sought: Sought, sources: Sources) -> Iterator[Place]:
    """The places in a layer's patches that take a field away."""
    for patch in patches_of(layer, sources):
        if isinstance(patch.value, list):
            if patch.target is None or sought.is_selected(patch.target):
                for index, operation in _in_reverse(patch.value):
                    path = _path(operation)
                    if operation.get("op") == "remove" and path and _fit(path, sought.pointer[: len(path)]) is not None:
                        yield patch.place((index, "path"))
        elif isinstance(patch.value, dict) and _is_meant(patch, sought):
            yield from _removal(patch, sought)


def _removal(patch: Patch, sought: Sought) -> Iterator[Place]:
    """Where a strategic merge says null, `$patch`, or replaces a list that the pointer leads into."""
    reached = follow(sought.pointer, sought.built, patch.value)
    if reached.complete:
        return
    step = sought.pointer[len(reached.pointer)]
    if isinstance(reached.value, list):
        yield patch.place(reached.pointer)
    elif child(reached.value, "$patch") is not ABSENT:
        yield patch.place((*reached.pointer, "$patch"))
    elif child(reached.value, step) is None:
        yield patch.place((*reached.pointer, step))


def patches_of(layer: Layer, sources: Sources) -> Iterator[Patch]:
    """The patches of a layer, the last applied first."""
    for key in _FIELDS:
        for index, item in _in_reverse(items(layer.value, key), of=object):
            target = item.get("target") if isinstance(item, dict) else None
            steps: tuple[str | int, ...] = (index,)
            text, path = (item, item) if isinstance(item, str) else (None, None)
            if isinstance(item, dict):
                text, path, steps = item.get("patch"), item.get("path"), (index, "patch")
            if isinstance(text, str) and ("\n" in text or "{" in text or path is not text):
                yield Patch(layer.place(key, *steps).inside(()), sources.embedded(text), target)
            elif isinstance(path, str):
                for document in reversed(sources.documents(layer.file(path))):
                    yield Patch(Place(document), document.value, target)


def _is_meant(patch: Patch, sought: Sought) -> bool:
    """Whether a strategic merge is for the object: by its target, else by the kind and name that it has itself."""
    if patch.target is not None:
        return sought.is_selected(patch.target)
    identity = identity_of(patch.value)
    return identity.kind == sought.kind and group_of(patch.value) == sought.group and sought.is_named(identity.name)


def _operations(patch: Patch, sought: Sought) -> Iterator[Setter]:
    for index, operation in _in_reverse(patch.value):
        path = _path(operation)
        if operation.get("op") not in ("add", "replace") or "value" not in operation or not path:
            continue
        length = len(path)
        if length <= len(sought.pointer):
            certainty = _fit(path, sought.pointer[:length])
            if certainty is None:
                continue
            within = value_at(sought.built, sought.pointer[:length])
            found = follow(sought.pointer[length:], within, operation["value"])
            if found.complete:
                yield Setter(patch.place((index, "value", *found.pointer)), found.value, certainty)
        elif _fit(path[: len(sought.pointer)], sought.pointer) is not None:
            yield Setter(patch.place((index, "value")), ABSENT, "likely")


def _path(operation: Any) -> tuple[str, ...]:
    path = operation.get("path")
    if not isinstance(path, str) or not path.startswith("/"):
        return ()
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/"))


def _fit(path: tuple[str, ...], pointer: Pointer) -> Certainty | None:
    """Whether an operation's path may be what became `pointer`: items may have moved since, or have been appended (`-`)."""
    certainty: Certainty = "exact"
    for step, wanted in zip(path, pointer, strict=True):
        if step == str(wanted):
            continue
        if not isinstance(wanted, int) or not (step == "-" or whole(step) is not None):
            return None
        if step != "-":
            certainty = "likely"
    return certainty


def _in_reverse(values: list[Any], of: type = dict) -> Iterator[tuple[int, Any]]:
    return ((index, values[index]) for index in reversed(range(len(values))) if isinstance(values[index], of))
