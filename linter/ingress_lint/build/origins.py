"""Where built objects come from: kustomize's own annotations, read from a second build of the same root."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from ingress_lint.build.identity import Identity, group_of, identity_of, mapping
from ingress_lint.build.kustomize import Built, wrapped
from ingress_lint.build.running import Failure
from ingress_lint.build.sources import items
from ingress_lint.build.tree import GENERATORS, Layer
from ingress_lint.load.document import Document, Place, Pointer, SourceFile

_ORIGIN: Final = "config.kubernetes.io/origin"
_TRANSFORMATIONS: Final = "alpha.config.kubernetes.io/transformations"
_NOTED: Final = {"buildMetadata": ["originAnnotations", "transformerAnnotations"]}

_MAKERS: Final = ("helmCharts", "helmChartInflationGenerator", "generators", *GENERATORS.values())


class SourceObject(Struct, frozen=True):
    """An object as a file has it: a document, or an item of its List, at `pointer`."""

    document: Document
    pointer: Pointer
    value: dict[str, Any]

    def place(self, pointer: Pointer) -> Place:
        """The place `pointer` leads to in the object."""
        return Place(self.document, (*self.pointer, *pointer))


class Origin(Struct):
    """Where one built object comes from, and what changed it."""

    source: SourceObject | None
    known: Place | None
    """What is known where there is no such source: the kustomization that generates it, or a file that does not parse."""
    layers: list[Layer]
    """The last to change it first."""


class Origins:
    """The origins of what one root builds; kustomize is asked for them when the first is wanted.

    The build itself is made without them: what is linted is the tool's own output, in its order, and most units have no
    finding to look up.
    """

    def __init__(self, built: Built) -> None:
        self._built = built
        self._noted: dict[Identity, tuple[Any, Any]] | None = None
        self._wrapper = ""
        self._known: dict[Identity, Origin] = {}
        self._objects: dict[str, list[SourceObject]] = {}

    def of(self, value: dict[str, Any]) -> Origin:
        """The origin of a built object."""
        identity = identity_of(value)
        if identity not in self._known:
            self._known[identity] = self._origin(identity)
        return self._known[identity]

    def prepare(self) -> None:
        """Builds a second time, with notes of where everything comes from; `of` does so else."""
        if self._noted is None:
            self._noted = self._note()

    def _origin(self, identity: Identity) -> Origin:
        self.prepare()
        origin, transformations = (self._noted or {}).get(identity, (None, None))
        layers = self._layers(transformations)
        if not isinstance(origin, dict):
            return Origin(self._find(identity, self._built.tree.manifests), None, layers)
        if "path" in origin:
            path = self._path(origin["path"])
            source = self._find(identity, [path])
            documents = self._built.sources.documents(path) if source is None else []
            return Origin(source, Place(documents[0]) if documents else None, layers)
        configured_by = origin.get("configuredBy")
        maker = str(configured_by.get("kind")) if isinstance(configured_by, dict) else ""
        generated = maker.endswith(("Generator", "Inflator"))  # else a patch has replaced what was noted before
        source = None if generated else self._find(identity, self._built.tree.manifests)
        layer = self._layer(origin.get("configuredIn"))
        return Origin(source, None if layer is None else _maker_in(layer), layers)

    def _note(self) -> dict[Identity, tuple[Any, Any]]:
        built = self._built
        if built.tool is None:
            return {}
        self._wrapper, result = wrapped(built.root, built.tool, built.tree, _NOTED)
        if isinstance(result, Failure):
            return {}
        noted: dict[Identity, tuple[Any, Any]] = {}
        for document in built.sources.split(SourceFile("", result.stdout)):
            if isinstance(document.value, dict):
                annotations = mapping(mapping(document.value, "metadata"), "annotations")
                noted[identity_of(document.value)] = (
                    built.sources.value(str(annotations.get(_ORIGIN, ""))),
                    built.sources.value(str(annotations.get(_TRANSFORMATIONS, ""))),
                )
        return noted

    def _path(self, noted: Any) -> str:
        return os.path.realpath(os.path.join(os.path.dirname(self._wrapper), str(noted)))

    def _layer(self, noted: Any) -> Layer | None:
        path = self._path(noted)
        if path == self._wrapper:
            path = ""
        return next((layer for layer in self._built.tree.layers if layer.path == path), None)

    def _layers(self, transformations: Any) -> list[Layer]:
        """The layers that changed an object, the last first; then the others, as kustomize does not tell of all of them."""
        noted = transformations if isinstance(transformations, list) else []
        found = [
            layer
            for item in reversed(noted)
            if isinstance(item, dict) and (layer := self._layer(item.get("configuredIn"))) is not None
        ]
        return list(dict.fromkeys((*found, *self._built.tree.layers)))

    def _find(self, identity: Identity, paths: list[str]) -> SourceObject | None:
        """The object of some files that became the one of this identity: of its kind, and of its name but for affixes."""
        candidates = [
            item
            for path in paths
            for item in self._of_file(path)
            if item.value.get("kind") == identity.kind and group_of(item.value) == group_of(identity.api_version)
        ]

        def likeness(item: SourceObject) -> tuple[bool, bool, int]:
            found = identity_of(item.value)
            return found.name == identity.name, found.namespace == identity.namespace, len(found.name)

        named = [item for item in candidates if identity_of(item.value).name in identity.name]
        if named:
            return max(named, key=likeness)
        return candidates[0] if len(candidates) == 1 else None

    def _of_file(self, path: str) -> list[SourceObject]:
        if path not in self._objects:
            documents = self._built.sources.documents(path)
            self._objects[path] = [item for document in documents for item in _objects(document, (), document.value)]
        return self._objects[path]


def _maker_in(layer: Layer) -> Place:
    """The first field of a layer that makes objects."""
    made_by = next((key for key in _MAKERS if key in layer.value), None)
    return Place(layer.document) if made_by is None else layer.place(made_by)


def _objects(document: Document, pointer: Pointer, value: Any) -> Iterator[SourceObject]:
    if not isinstance(value, dict):
        return
    if str(value.get("kind", "")).endswith("List") and isinstance(value.get("items"), list):
        for index, item in enumerate(items(value, "items")):
            if isinstance(item, dict):
                yield SourceObject(document, (*pointer, "items", index), item)
    elif "kind" in value:
        yield SourceObject(document, pointer, value)
