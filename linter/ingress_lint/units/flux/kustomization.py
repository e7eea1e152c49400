"""What one Flux Kustomization builds: its folder, with what it adds to that."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint import inputs
from ingress_lint.build.kustomize import Overlay, Root
from ingress_lint.build.sources import items
from ingress_lint.load.document import Pointer
from ingress_lint.units.flux.folders import Content, Folders
from ingress_lint.units.flux.objects import Applied, mapping, text
from ingress_lint.units.site import Site

KIND: Final = "flux-kustomization"
_TEXTS: Final = {"targetNamespace": "namespace", "namePrefix": "namePrefix", "nameSuffix": "nameSuffix"}
"""Fields of the spec that are texts, and what a kustomization calls them."""
COMMON_METADATA: Final[Mapping[str, Pointer]] = {
    "labels": ("spec", "commonMetadata", "labels"),
    "commonAnnotations": ("spec", "commonMetadata", "annotations"),
}
"""Where the fields of `common_metadata` are written."""
_NOTHING: Final = ("apiVersion", "kind", "metadata", "namespace")
"""The fields of a kustomization that make no object; kustomize refuses one that has no others."""
_SELECTOR: Final = ("group", "version", "kind", "name", "namespace", "labelSelector", "annotationSelector")
_IMAGE: Final = ("name", "newName", "newTag", "digest")
_REMOTE: Final = ("git::", "gh:", "ssh://", "https://", "http://", "git@", "github.com:", "github.com/")


class Source(Struct, frozen=True):
    """What a Flux Kustomization builds of: a folder here (a real path), with what its spec adds; `content` is what that reads."""

    folder: str
    overlay: Overlay | None
    content: Content

    def root(self, site: Site) -> Root:
        """What to build; files may lie anywhere in the repository."""
        return replace(site.builder.root(self.folder), overlay=self.overlay, unrestricted=True)


def source(held: Applied, folder: str, folders: Folders) -> Source:
    """What a Flux Kustomization builds of a folder."""
    fields: dict[str, Any] = {}
    pointers: dict[str, Pointer] = {}
    for field, name in _TEXTS.items():
        if text(held.spec, field):
            fields[name], pointers[name] = text(held.spec, field), ("spec", field)
    components = list(_components(held, folder))
    for name, value, pointer in (
        ("components", components, ("spec", "components")),
        ("patches", list(patches(held.spec)), ("spec", "patches")),
        ("images", list(images(held.spec)), ("spec", "images")),
    ):
        if value:
            fields[name], pointers[name] = value, pointer
    fields |= common_metadata(held)
    pointers |= COMMON_METADATA
    own = folders.kustomization(folder)
    namespace = text(own, "namespace") if components and "namespace" not in fields else ""
    if namespace:  # components of the kustomization itself, as Flux adds them, are moved as well
        fields["namespace"], pointers["namespace"] = namespace, ("spec", "components")
    generated = folders.generated(folder)
    if generated is not None:
        fields["resources"] = generated
    elif components and not any(own.get(key) for key in own if key not in _NOTHING):
        fields["resources"] = []
    overlay = Overlay(held.document, fields, pointers) if fields else None
    content = folders.content(folder, tuple(components))
    return Source(folder, overlay, content)


def why_not(held: Applied) -> str:
    """Why Flux refuses it, or what it names cannot be here; empty where neither is so."""
    remote = next((item for item in items(held.spec, "components") if str(item).lower().startswith(_REMOTE)), None)
    return "" if remote is None else f"its component {remote} lies elsewhere"


def _components(held: Applied, folder: str) -> Iterator[str]:
    for item in items(held.spec, "components"):
        path = os.path.realpath(os.path.join(folder, str(item).replace("\0", "")))
        if inputs.exists(path) or held.spec.get("ignoreMissingComponents") is not True:
            yield path


def patches(spec: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The patches of a Kustomization or a post-renderer, as kustomize has them."""
    for item in items(spec, "patches"):
        if isinstance(item, dict) and isinstance(item.get("patch"), str):
            yield {"patch": item["patch"]} | _target(item)
    for item in items(spec, "patchesStrategicMerge"):  # of API versions before v1
        yield {"patch": json.dumps(item, default=str)}
    for item in items(spec, "patchesJson6902"):
        if isinstance(item, dict):
            yield {"patch": json.dumps(item.get("patch"), default=str)} | _target(item)


def _target(item: dict[str, Any]) -> dict[str, Any]:
    target = mapping(item, "target")
    selector = {key: str(target[key]) for key in _SELECTOR if key in target}
    return {"target": selector} if selector else {}


def images(spec: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The images of a Kustomization or a post-renderer, as kustomize has them."""
    for item in items(spec, "images"):
        if text(item, "name"):
            yield {key: str(item[key]) for key in _IMAGE if key in item}


def common_metadata(held: Applied) -> dict[str, Any]:
    """The `commonMetadata` of a Kustomization or HelmRelease, as kustomize has it; without what it does not set."""
    labels, annotations = _common(held, "labels"), _common(held, "annotations")
    return ({"labels": [{"pairs": labels}]} if labels else {}) | (
        {"commonAnnotations": annotations} if annotations else {}
    )


def _common(held: Applied, key: str) -> Mapping[str, str]:
    return {str(name): str(value) for name, value in mapping(mapping(held.spec, "commonMetadata"), key).items()}
