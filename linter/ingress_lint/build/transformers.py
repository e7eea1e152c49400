"""What a kustomization's own fields set: labels, annotations, replicas, images, replacements, generated data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from ingress_lint.build.following import child
from ingress_lint.build.sought import Setter, Sought
from ingress_lint.build.sources import Sources, items
from ingress_lint.build.tree import GENERATORS, Layer
from ingress_lint.load.document import Document, Place, Pointer, SourceFile
from ingress_lint.values.patterns import deferred

_LABELLED: Final = ("labels", "matchLabels", "selector")
_DATA: Final = ("data", "binaryData", "stringData")
_FIELD_PATH: Final = deferred(r"\[([^\]]*)\]|((?:\\.|[^.\[])+)")


def setters(layer: Layer, sought: Sought, sources: Sources) -> Iterator[Setter]:
    """The places in a layer's own fields that set a field, the last applied first; patches aside."""
    yield from _replacements(layer, sought, sources)
    yield from _images(layer, sought)
    yield from _replicas(layer, sought)
    yield from _labels(layer, sought)


def _replicas(layer: Layer, sought: Sought) -> Iterator[Setter]:
    if sought.pointer[-1:] == ("replicas",):
        for index, item in enumerate(items(layer.value, "replicas")):
            if isinstance(item, dict) and sought.is_named(item.get("name")):
                yield Setter(layer.place("replicas", index, "count"), item.get("count"))


def _images(layer: Layer, sought: Sought) -> Iterator[Setter]:
    if sought.pointer[-1:] != ("image",) or not isinstance(sought.value, str):
        return
    for index, item in enumerate(items(layer.value, "images")):
        if not isinstance(item, dict):
            continue
        image = str(item.get("newName", item.get("name")))
        if sought.value == image or sought.value.startswith((f"{image}:", f"{image}@")):
            key = next((key for key in ("digest", "newTag", "newName") if key in item), "name")
            yield Setter(layer.place("images", index, key), sought.value)


def _labels(layer: Layer, sought: Sought) -> Iterator[Setter]:
    if len(sought.pointer) < 2:
        return
    parent, key = sought.pointer[-2:]
    if parent == "annotations":
        yield from _pairs(layer, "commonAnnotations", key)
    elif parent in _LABELLED:
        yield from _pairs(layer, "commonLabels", key)
        for index, item in enumerate(items(layer.value, "labels")):
            pairs = item.get("pairs") if isinstance(item, dict) else None
            if isinstance(pairs, dict) and key in pairs and _reaches(item, sought.pointer):
                yield Setter(layer.place("labels", index, "pairs", key), pairs[key])


def _reaches(item: dict[str, Any], pointer: Pointer) -> bool:
    """Whether an entry of `labels` labels more than the object itself where the pointer leads to more."""
    if pointer[:-1] == ("metadata", "labels") or item.get("includeSelectors") or item.get("fields"):
        return True
    return bool(item.get("includeTemplates")) and pointer[-2] == "labels"


def _pairs(layer: Layer, name: str, key: str | int) -> Iterator[Setter]:
    pairs = layer.value.get(name)
    if isinstance(pairs, dict) and key in pairs:
        yield Setter(layer.place(name, key), pairs[key])


class _Replacement(Struct, frozen=True):
    base: Place
    value: dict[str, Any]


def _replacements(layer: Layer, sought: Sought, sources: Sources) -> Iterator[Setter]:
    """A replacement's field path that means the field; its value is taken to be what the field has."""
    for replacement in _all_replacements(layer, sources):
        for at, target in enumerate(items(replacement.value, "targets")):
            if not isinstance(target, dict) or not sought.is_selected(target.get("select", {})):
                continue
            for index, path in enumerate(items(target, "fieldPaths")):
                if isinstance(path, str) and _leads_to(path, sought.pointer, sought.built):
                    yield Setter(replacement.base.at("targets", at, "fieldPaths", index), sought.value)


def _all_replacements(layer: Layer, sources: Sources) -> Iterator[_Replacement]:
    for index, item in enumerate(items(layer.value, "replacements")):
        path = item.get("path") if isinstance(item, dict) else None
        if isinstance(path, str):
            for document in sources.documents(layer.file(path)):
                many = document.value if isinstance(document.value, list) else [document.value]
                for at, value in enumerate(many):
                    base = Place(document, (at,) if isinstance(document.value, list) else ())
                    if isinstance(value, dict):
                        yield _Replacement(base, value)
        elif isinstance(item, dict):
            yield _Replacement(layer.place("replacements", index), item)


def _leads_to(path: str, pointer: Pointer, value: Any) -> bool:
    """Whether a field path (`spec.tls.[secretName=web].hosts.0`, `*` for any) leads to a pointer into a built object."""
    steps = list(_FIELD_PATH.finditer(path))
    if len(steps) != len(pointer):
        return False
    for found, step in zip(steps, pointer, strict=True):
        value = child(value, step)
        bracketed, plain = found[1], found[2]
        if bracketed is not None and "=" in bracketed and isinstance(step, int):
            key, _, wanted = bracketed.partition("=")
            if str(value.get(key) if isinstance(value, dict) else value) != wanted:
                return False
        elif (plain or bracketed or "").replace("\\.", ".") not in (str(step), "*"):
            return False
    return True


class Generated(Struct, frozen=True):
    """What generates an object: the place that gives it the sought field, and the name that it has there."""

    place: Place
    name: str


def generated(layers: list[Layer], sought: Sought, sources: Sources) -> Generated | None:
    """Where a generated object's field is given: a literal, a line of a file of variables, a file; else the entry's name."""
    key = GENERATORS.get(sought.kind)
    entry: Generated | None = None
    for layer in layers if key else ():
        for index, item in enumerate(items(layer.value, str(key))):
            name = item.get("name") if isinstance(item, dict) else None
            if not isinstance(name, str) or not sought.is_named(name):
                continue
            at = (str(key), index)
            entry = entry or Generated(layer.place(*at, "name"), name)
            place = layer.place(*at, "type") if sought.pointer == ("type",) and "type" in item else None
            if len(sought.pointer) == 2 and sought.pointer[0] in _DATA:
                place = _datum(layer, at, item, str(sought.pointer[1]), sources)
            if place is not None:
                return Generated(place, name)
    return entry


def _datum(layer: Layer, at: tuple[str, int], item: dict[str, Any], key: str, sources: Sources) -> Place | None:
    for index, literal in enumerate(items(item, "literals")):
        if isinstance(literal, str) and literal.partition("=")[0] == key:
            return layer.place(*at, "literals", index)
    variables = [*items(item, "envs"), *([item["env"]] if isinstance(item.get("env"), str) else [])]
    for path in variables:
        place = _variable(sources.file(layer.file(str(path))), key)
        if place is not None:
            return place
    for index, source in enumerate(items(item, "files")):
        name, _, path = str(source).rpartition("=")
        if (name or os.path.basename(path)) == key:
            file = sources.file(layer.file(path))
            return layer.place(*at, "files", index) if file is None else Place(_whole(file), span=(0, 0))
    return None


def _variable(file: SourceFile | None, key: str) -> Place | None:
    start = 0
    for line in file.text.splitlines(keepends=True) if file is not None else ():
        if file is not None and line.lstrip().partition("=")[0] == key:
            return Place(_whole(file), span=(start, start + len(line.rstrip())))
        start += len(line)
    return None


def _whole(file: SourceFile) -> Document:
    return Document(file, 0, 0, len(file.text))
