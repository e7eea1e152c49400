"""What a Kustomize folder says of its files: which are manifests, which are patches, what lies elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct, field

from ingress_lint import inputs
from ingress_lint.load.faults import YAMLError
from ingress_lint.load.values import ValueReader

FILE_NAMES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_API_PREFIX: Final = "kustomize.config.k8s.io/"
_PATCH_LISTS: Final = ("patches", "patchesStrategicMerge", "patchesJson6902", "replacements")
_CONFIGURATION_LISTS: Final = ("transformers", "configurations", "generators", "validators", "crds")
_FOLDER_LISTS: Final = ("resources", "bases", "components")
_MADE_ELSEWHERE: Final = ("helmCharts", "helmChartInflationGenerator", "generators")
_PLAIN_FIELDS: Final = frozenset(
    {
        "apiVersion",
        "bases",
        "buildMetadata",
        "configMapGenerator",
        "generatorOptions",
        "kind",
        "metadata",
        "namespace",
        "openapi",
        "resources",
        "secretGenerator",
        "sortOptions",
    }
)
"""Fields that change no object of the files but for its namespace."""
_LISTING_FIELDS: Final = frozenset({"apiVersion", "kind", "metadata", "resources"})
_GENERATED: Final = {"configMapGenerator": "ConfigMap", "secretGenerator": "Secret"}


class Kustomization(Struct, frozen=True):
    """One Kustomize root (kubernetes-sigs/kustomize:api/types/kustomization.go). Paths are real paths."""

    folder: str
    resources: frozenset[str] = frozenset()
    """The files that it lists as manifests."""
    not_manifests: frozenset[str] = frozenset()
    """The files and folders that it lists as patches, configuration or data."""
    namespace: str = ""
    """Where it moves every object, empty for nowhere."""
    incomplete: str = ""
    """Why objects may be in the build that no file of it or of its folders shows, empty where they all do."""
    generated: frozenset[tuple[str, str]] = field(default=frozenset())
    """Kind and name of what it generates."""
    file: str = ""
    folders: tuple[str, ...] = ()
    """The folders that it takes objects from, in their order."""
    component: bool = False
    """Whether it is a part for others to include, and nothing by itself."""
    changes: str = ""
    """The first of its fields that does more than to list resources or to generate, empty where none does."""
    only_lists: bool = False
    """Whether it does no more than to list files below it and folders, so that its build is what they hold."""


def find_file(folder: str) -> str | None:
    """The kustomization file of a folder."""
    paths = (os.path.join(folder, name) for name in FILE_NAMES)
    return next((path for path in paths if inputs.is_file(path)), None)


def read(path: str) -> Kustomization | None:
    """The kustomization in a file; None where the file is for another program (Flux has a kind of the same name)."""
    folder = os.path.dirname(os.path.realpath(path))
    try:
        text = inputs.read(path).decode("utf-8-sig", "replace").replace("\r\n", "\n")
        value, _ = ValueReader().read(text.removeprefix("---\n"))
    except (OSError, YAMLError):
        return Kustomization(folder, incomplete=f"{os.path.basename(path)} could not be read", file=path)
    if value is None:
        return Kustomization(folder, file=path)
    if not isinstance(value, dict) or not str(value.get("apiVersion", _API_PREFIX)).startswith(_API_PREFIX):
        return None
    taken = [
        inputs.real_path_in(folder, item)
        for key in _FOLDER_LISTS
        for item in _items(value, key)
        if isinstance(item, str)
    ]
    return Kustomization(
        folder,
        resources=frozenset(file for file in taken if inputs.is_file(file) and _may_be_read(file, folder)),
        not_manifests=frozenset(inputs.real_path_in(folder, item) for item in _listed_files(value)),
        namespace=value["namespace"] if isinstance(value.get("namespace"), str) else "",
        incomplete=_incomplete(folder, value),
        generated=frozenset(
            (kind, str(item["name"]))
            for key, kind in _GENERATED.items()
            for item in _items(value, key)
            if isinstance(item, dict) and "name" in item
        ),
        file=path,
        folders=tuple(filter(inputs.is_folder, taken)),
        component=value.get("kind") == "Component",
        changes=next((str(key) for key, item in value.items() if item and key not in _PLAIN_FIELDS), ""),
        only_lists=_only_lists(folder, value),
    )


def _may_be_read(file: str, folder: str) -> bool:
    """Whether a file lies in the folder of the kustomization that lists it, as kustomize wants, or in its repository."""
    return inputs.lies_in(file, folder) or inputs.lies_in(file, inputs.repository(folder) or folder)


def has_circle(below: Mapping[str, frozenset[str]]) -> bool:
    """Whether a folder includes itself, by way of others or not, where each is given with those that it includes."""
    left = dict(below)
    while ends := [folder for folder, folders in left.items() if folders.isdisjoint(left)]:
        for folder in ends:
            del left[folder]
    return bool(left)


def _only_lists(folder: str, value: dict[str, Any]) -> bool:
    if not value.keys() <= _LISTING_FIELDS:
        return False
    inside = os.path.join(folder, "")
    paths = [inputs.real_path_in(folder, item) if isinstance(item, str) else "" for item in _items(value, "resources")]
    return all(inputs.is_folder(path) or (inputs.is_file(path) and path.startswith(inside)) for path in paths)


def _incomplete(folder: str, value: dict[str, Any]) -> str:
    for key in _MADE_ELSEWHERE:
        if value.get(key):
            return f"the kustomization takes objects from its `{key}`"
    for key in _FOLDER_LISTS:
        for item in _items(value, key):
            if not (isinstance(item, str) and inputs.exists(inputs.real_path_in(folder, item))):
                return f"the kustomization takes objects from `{item}`"
    return ""


def _listed_files(value: dict[str, Any]) -> Iterator[str]:
    for key in _PATCH_LISTS:
        for item in _items(value, key):
            path = item.get("path") if isinstance(item, dict) else item
            if isinstance(path, str) and "\n" not in path:
                yield path
    for key in _CONFIGURATION_LISTS:
        yield from (item for item in _items(value, key) if isinstance(item, str) and "\n" not in item)
    for key in _GENERATED:
        for item in _items(value, key):
            for source in (*_items(item, "files"), *_items(item, "envs"), *_items(item, "env")):
                if isinstance(source, str):
                    yield source.rpartition("=")[2]
    for chart in _items(value, "helmCharts"):
        yield from (
            f for f in (*_items(chart, "valuesFile"), *_items(chart, "additionalValuesFiles")) if isinstance(f, str)
        )
    openapi = value.get("openapi")
    if isinstance(openapi, dict) and isinstance(openapi.get("path"), str):
        yield openapi["path"]


def _items(value: Any, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, dict) else None
    if isinstance(found, list):
        return found
    return [found] if isinstance(found, str) else []
