"""What Argo CD adds to a kustomization: the options of a source's `kustomize`, as a kustomization around it.

Argo CD edits the kustomization itself (argoproj/argo-cd:util/kustomize/kustomize.go, Build); that one around it makes the
same objects but where the two disagree on a prefix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ingress_lint import inputs
from ingress_lint.build.kustomize import Overlay
from ingress_lint.build.sources import Sources
from ingress_lint.load.document import Document, Pointer
from ingress_lint.units.argo_cd.reading import items, mapping, text
from ingress_lint.values.numbers import whole

_PATCHES: Final = ("patches", "patchesStrategicMerge", "patchesJson6902")
_SPARING: Final = frozenset(
    {
        *("apiVersion", "bases", "buildMetadata", "commonAnnotations", "commonLabels", "configMapGenerator", "crds"),
        *("generatorOptions", "generators", "helmCharts", "helmGlobals", "images", "kind", "labels", "metadata"),
        *("namespace", "openapi", "replicas", "resources", "secretGenerator", "sortOptions"),
        *_PATCHES,
    }
)
"""The fields that leave objects of custom kinds as they are, if patches do."""
_TEXTS: Final = ("namePrefix", "nameSuffix", "namespace")


def overlay(
    options: Mapping[str, Any], folder: str, document: Document, pointer: Pointer, sources: Sources
) -> Overlay | None:
    """The kustomization around the one in `folder`, a real path; None where nothing is added.

    `document` has the options at `pointer`.
    """
    fields: dict[str, Any] = {key: text(options, key) for key in _TEXTS if text(options, key)}
    names = dict.fromkeys(fields, "")
    labels = mapping(options, "commonLabels")
    if labels and options.get("labelWithoutSelector") is True:
        templates = options.get("labelIncludeTemplates") is True
        fields["labels"] = [{"pairs": labels, "includeSelectors": False, "includeTemplates": templates}]
        names["labels"] = "commonLabels"
    elif labels:
        fields["commonLabels"] = labels
    if annotations := mapping(options, "commonAnnotations"):
        fields["commonAnnotations"] = annotations
    lists = {
        "images": [_image(str(item)) for item in items(options, "images")],
        "replicas": [found for item in items(options, "replicas") if (found := _replica(item))],
        "patches": [_patch(item, folder, sources) for item in items(options, "patches")],
        "components": _components(options, folder),
    }
    fields |= {key: found for key, found in lists.items() if found}
    if not fields:
        return None
    return Overlay(document, fields, {key: (*pointer, names.get(key) or key) for key in fields})


def replaces(options: Mapping[str, Any], kustomization: Any) -> str:
    """The option that takes the place of the kustomization's own, where one around it would add to that; else empty."""
    both = (key for key in ("namePrefix", "nameSuffix") if text(options, key) and text(kustomization, key))
    return next(both, "")


def spares(value: Any, folder: str, kinds: Sequence[str], sources: Sources) -> bool:
    """Whether a kustomization leaves objects of some kinds as they are written, but for their namespaces and labels."""
    if not isinstance(value, dict) or not _SPARING.issuperset(key for key, item in value.items() if item):
        return False
    return all(
        _patched_kind(patch, folder, sources) not in ("", *kinds) for key in _PATCHES for patch in items(value, key)
    )


def _patched_kind(patch: Any, folder: str, sources: Sources) -> str:
    """The kind that a patch changes, empty where that may be any."""
    target = mapping(patch, "target")
    if target:
        return text(target, "kind")
    written = text(patch, "patch") if isinstance(patch, dict) else str(patch)
    path = text(patch, "path") if isinstance(patch, dict) else ("" if "\n" in written else written)
    file = sources.file(inputs.real_path_in(folder, path)) if path else None
    return text(sources.embedded(written if file is None else file.text), "kind")


def _image(written: str) -> dict[str, str]:
    """`[name=]image[:tag][@digest]` as kustomize has it in its file."""
    name, is_renamed, rest = written.rpartition("=") if "=" in written else ("", "", written)
    image, _, digest = rest.partition("@")
    before, _, tag = image.rpartition(":")
    if not before or "/" in tag:
        before, tag = image, ""
    entry = {"name": name or before}
    if is_renamed:
        entry["newName"] = before
    if tag:
        entry["newTag"] = tag
    if digest:
        entry["digest"] = digest
    return entry


def _replica(item: Any) -> dict[str, Any]:
    count = whole(text(item, "count"))
    return {} if count is None else {"name": text(item, "name"), "count": count}


def _patch(item: Any, folder: str, sources: Sources) -> Any:
    """A patch whose text is in it, as its file is named from the folder of the kustomization."""
    path = text(item, "path")
    file = sources.file(inputs.real_path_in(folder, path)) if path else None
    if file is None:
        return item
    return {key: value for key, value in mapping(item).items() if key != "path"} | {"patch": file.text}


def _components(options: Mapping[str, Any], folder: str) -> list[str]:
    found = []
    for item in items(options, "components"):
        path = inputs.real_path_in(folder, str(item))
        if inputs.is_folder(path):
            found.append(path)
        elif options.get("ignoreMissingComponents") is not True:
            found.append(str(item) if "://" in str(item) else path)
    return found
