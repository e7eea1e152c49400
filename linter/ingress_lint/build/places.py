"""A place in a built document, and the place in a file that a person edits to change what stands there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ingress_lint.build import patches, transformers
from ingress_lint.build.following import ABSENT, Followed, existing, follow, value_at
from ingress_lint.build.identity import group_of, identity_of
from ingress_lint.build.kustomize import Built
from ingress_lint.build.origins import Origin, Origins
from ingress_lint.build.sought import Setter, Sought, same
from ingress_lint.build.source_place import SourcePlace
from ingress_lint.build.sources import items
from ingress_lint.build.tree import GENERATORS, Layer
from ingress_lint.load.document import Document, Place, Pointer, SourceFile
from ingress_lint.values.patterns import deferred

_FILLED_IN: Final = deferred(r"\$\([^)]*\)|\$\{[^}]*\}")
"""A variable of kustomize's, or of Flux's substitution."""
_HASH: Final = deferred(r"-[0-9a-z]{10}\Z")
_VARIABLE: Final = deferred(r"\$\(([^)]*)\)")
_AFFIXES: Final = ("namePrefix", "nameSuffix")


class Places:
    """Maps places of one root's built documents to their sources; costs a second build when first asked."""

    def __init__(self, built: Built) -> None:
        self._built = built
        self._origins = Origins(built)

    @property
    def files(self) -> Iterator[SourceFile]:
        """The files that the build reads besides manifests: kustomizations, patches, configuration, data."""
        tree, sources = self._built.tree, self._built.sources
        for path in sorted(tree.files.difference(tree.manifests)):
            if (file := sources.file(path)) is not None:
                yield file

    def prepare(self) -> None:
        """Builds a second time; else that is done when a place is first asked for."""
        self._origins.prepare()

    def source_place(self, rendered: Place) -> SourcePlace:
        """The source of a place in a built document, or in what became of that document by substitution since.

        A value that its source has stands there; else the patch or the kustomization's field that set it. What is not
        found stands at the nearest parent that is, `likely`.
        """
        value = rendered.document.whole()
        if not isinstance(value, dict):
            return SourcePlace(self._root_place(), "likely")
        origin = self._origins.of(self._as_built(rendered.document))
        pointer = rendered.pointer
        found = value_at(value, pointer)
        sought = _sought(value, pointer, found, origin)
        if origin.source is None:
            return self._of_generated(sought, origin, rendered)
        there = follow(pointer, value, origin.source.value)
        if there.complete and same(found, there.value):
            return SourcePlace(_like(origin.source.place(there.pointer), rendered))
        if found is ABSENT:
            return self._of_absent(sought, origin, rendered)
        if isinstance(found, dict | list):
            return self._of_collection(sought, origin, rendered, there)
        return self._of_scalar(sought, origin, rendered, there)

    def _as_built(self, document: Document) -> dict[str, Any]:
        """The object before it was substituted into, which is what the build knows it by."""
        built = self._built.documents
        value = built[document.index].whole() if document.index < len(built) else None
        if not isinstance(value, dict):
            value = document.whole()
        return value if isinstance(value, dict) else {}

    def _of_scalar(self, sought: Sought, origin: Origin, rendered: Place, there: Followed) -> SourcePlace:
        source = origin.source
        found = [*self._setters(sought, origin)]
        setter = _setting(found, sought.value)
        if setter is not None:
            return SourcePlace(setter.place, setter.certainty, _changed_from(origin, there))
        if source is not None and there.complete:
            related = _derivation(origin.layers, sought.value, there.value)
            if related is not None:
                return SourcePlace(_like(source.place(there.pointer), rendered), "exact", related)
        for item in found:
            related = _derivation(origin.layers, sought.value, item.value)
            if related is not None:
                return SourcePlace(item.place, item.certainty, (*related, *_changed_from(origin, there)))
        related = _namespaces(sought, origin)
        if source is not None and related:
            return SourcePlace(source.place(there.pointer), "exact", related)
        return self._nearest(origin, there.pointer)

    def _of_collection(self, sought: Sought, origin: Origin, rendered: Place, there: Followed) -> SourcePlace:
        """The source of a mapping or list: its own, unless it is new there or a patch changes what it holds itself."""
        source = origin.source
        if source is None or not there.complete:
            found = [*self._setters(sought, origin)]
            setter = _setting(found, sought.value)
            if setter is not None:
                return SourcePlace(setter.place, setter.certainty)
            return SourcePlace(found[0].place, "likely") if found else self._nearest(origin, there.pointer)
        changed = _changed_items(sought.value, there.value) if len(sought.pointer) > 1 else []
        for layer in origin.layers if changed else ():
            for setter in patches.setters(layer, sought, self._built.sources):
                if setter.value is ABSENT or any(_holds(setter.value, item) for item in changed):
                    return SourcePlace(setter.place, "likely", _changed_from(origin, there))
        return SourcePlace(_like(source.place(there.pointer), rendered))

    def _of_absent(self, sought: Sought, origin: Origin, rendered: Place) -> SourcePlace:
        """The source of something that is not there: what took it away, else what should hold it."""
        source = origin.source
        holder = existing(sought.pointer, sought.built)
        if source is not None:
            there = follow(holder, sought.built, source.value)
            wanted = sought.pointer[len(holder) :]
            if there.complete and existing(wanted, there.value):
                for layer in origin.layers:
                    place = next(patches.removers(layer, sought, self._built.sources), None)
                    if place is not None:
                        return SourcePlace(place, "exact", _changed_from(origin, there))
            if there.complete:
                return SourcePlace(_like(source.place((*there.pointer, *wanted)), rendered))
        return self.source_place(Place(rendered.document, holder)) if holder else self._nearest(origin, ())

    def _of_generated(self, sought: Sought, origin: Origin, rendered: Place) -> SourcePlace:
        setter = _setting([*self._setters(sought, origin)], sought.value)
        if setter is not None:
            return SourcePlace(setter.place, setter.certainty)
        generated = transformers.generated(origin.layers, sought, self._built.sources)
        if generated is None:
            return self._nearest(origin, ())
        related = _namespaces(sought, origin)
        if sought.pointer == ("metadata", "name"):
            related = _derivation(origin.layers, sought.value, generated.name) or ()
        return SourcePlace(_within(generated.place, rendered), "exact", related)

    def _setters(self, sought: Sought, origin: Origin) -> Iterator[Setter]:
        for layer in origin.layers:
            yield from transformers.setters(layer, sought, self._built.sources)
            yield from patches.setters(layer, sought, self._built.sources)

    def _nearest(self, origin: Origin, pointer: Pointer) -> SourcePlace:
        if origin.source is not None:
            return SourcePlace(origin.source.place(pointer), "likely")
        return SourcePlace(origin.known or self._root_place(), "likely")

    def _root_place(self) -> Place:
        return Place(self._built.tree.layers[0].document)


def _derivation(layers: list[Layer], value: Any, text: Any) -> tuple[tuple[str, Place], ...] | None:
    """What made a value of a text: variables filled in, or affixes added to a name. None where it was not made of that."""
    if isinstance(value, dict | list) or not isinstance(text, str) or not text:
        return None
    value = str(value)  # a variable's may be a number
    if _FILLED_IN.search(text):
        parts = _FILLED_IN.split(text)
        if not (value.startswith(parts[0]) and value.endswith(parts[-1])):
            return None
        at = 0
        for part in parts:
            found = value.find(part, at)
            if found < 0:
                return None
            at = found + len(part)
        return tuple(_variables(layers, set(_VARIABLE.findall(text))))
    before, named, after = value.partition(text)
    return _affixes(layers, text, before, after) if named else None


def _variables(layers: list[Layer], names: set[str]) -> Iterator[tuple[str, Place]]:
    for layer in layers:
        for index, item in enumerate(items(layer.value, "vars")):
            if isinstance(item, dict) and item.get("name") in names:
                yield f"`{item['name']}` is defined here", layer.place("vars", index, "name")


def _affixes(layers: list[Layer], text: str, before: str, after: str) -> tuple[tuple[str, Place], ...] | None:
    """The fields that put something before and after a name; the layers are given the last applied first."""
    related: list[tuple[str, Place]] = []
    hashed = _HASH.search(after)
    if hashed is not None:
        generators = [
            (f"`{text}` is generated here, and a hash of what it holds ends its name", layer.place(key, index, "name"))
            for layer in layers
            for key in GENERATORS.values()
            for index, item in enumerate(items(layer.value, key))
            if isinstance(item, dict) and item.get("name") == text
        ]
        if generators:
            related.append(generators[0])
            after = after[: hashed.start()]
    for layer in layers:
        prefix, suffix = (layer.value.get(key) for key in _AFFIXES)
        if isinstance(prefix, str) and prefix and before.startswith(prefix):
            before = before.removeprefix(prefix)
            related.append((f"`{prefix}` is put before the name here", layer.place("namePrefix")))
        if isinstance(suffix, str) and suffix and after.endswith(suffix):
            after = after.removesuffix(suffix)
            related.append((f"`{suffix}` is put after the name here", layer.place("nameSuffix")))
    return None if before or after else tuple(related)


def _setting(setters: list[Setter], value: Any) -> Setter | None:
    """The last that gives the value, one that is `exact` before others."""
    giving = [item for item in setters if same(item.value, value)]
    return next((item for item in giving if item.certainty == "exact"), giving[0] if giving else None)


def _namespaces(sought: Sought, origin: Origin) -> tuple[tuple[str, Place], ...]:
    """The kustomization's `namespace` that decides a namespace."""
    if sought.pointer[-1:] != ("namespace",) and (sought.kind, sought.pointer) != ("Namespace", ("metadata", "name")):
        return ()
    setting = (layer for layer in origin.layers if layer.value.get("namespace") == sought.value)
    return tuple(("the namespace is set here", layer.place("namespace")) for layer in setting)[:1]


def _sought(value: dict[str, Any], pointer: Pointer, found: Any, origin: Origin) -> Sought:
    identity = identity_of(value)
    first_name = "" if origin.source is None else identity_of(origin.source.value).name
    return Sought(value, pointer, found, identity.kind, group_of(value), identity.name, first_name)


def _changed_items(value: Any, before: Any) -> list[Any]:
    """The keys of a mapping whose scalars changed, or the items of a list that are new."""
    if isinstance(value, dict) and isinstance(before, dict):
        return [
            key
            for key in (*value, *(key for key in before if key not in value))
            if not isinstance(value.get(key), dict | list) and not same(value.get(key, ABSENT), before.get(key, ABSENT))
        ]
    if isinstance(value, list) and isinstance(before, list):
        return [item for index, item in enumerate(value) if not follow((index,), value, before).complete]
    return [value]


def _holds(value: Any, item: Any) -> bool:
    """Whether a patch's mapping has a key, or its list an item."""
    if isinstance(value, dict):
        return isinstance(item, str) and item in value
    return isinstance(value, list) and item in value


def _changed_from(origin: Origin, there: Followed) -> tuple[tuple[str, Place], ...]:
    if origin.source is None or not there.complete:
        return ()
    return (("changed from what stands here", origin.source.place(there.pointer)),)


def _like(place: Place, rendered: Place) -> Place:
    """A place that points at the same part of its field as the rendered one."""
    return Place(place.document, place.pointer, rendered.part, inner=rendered.inner)


def _within(place: Place, rendered: Place) -> Place:
    """The place in a generated object's file of what `rendered` names in the text there."""
    inner, document = rendered.inner, place.document
    if place.span != (0, 0) or inner is None:
        return place
    if isinstance(inner, tuple):
        return Place(document, inner)
    start = document.file.text.find(inner)
    return Place(document, span=(start, start + len(inner))) if start >= 0 else place
