"""Roots: what nobody applies but itself or a person, and the clusters that they stand for."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from itertools import zip_longest
from typing import Final

from msgspec import Struct, field

from ingress_lint.units.flux.folders import Folders
from ingress_lint.units.flux.objects import Applied, mapping, text
from ingress_lint.units.flux.revisions import BOOTSTRAPPED, synced_source
from ingress_lint.units.site import Site
from ingress_lint.values.placeholders import is_placeholder

_CLUSTERS: Final = "clusters"


class Elsewhere(Enum):
    """Says of a Flux Kustomization that its source is another repository, revision or the like."""

    ELSEWHERE = "elsewhere"


Locate = Callable[[Applied], str | Elsewhere | None]
"""The real path of the folder that a Flux Kustomization builds, None where its source is here and has no such folder."""


class Root(Struct):
    """Where a cluster starts: `folder` is relative to the repository's top.

    `objects` are the Flux Kustomizations that it starts with; where a person applies its files, these are `files`.
    """

    folder: str
    objects: list[Applied] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    """Real paths."""
    folders: frozenset[str] = frozenset()
    """The real paths of the folders that are its own alone."""


class Start(Struct, frozen=True):
    """What is found before anything is built."""

    roots: list[Root]
    loose: list[Applied]
    """The Flux Kustomizations and releases that belong to no root, and that nothing applies as far as it shows."""


class _Kustomization(Struct, frozen=True, eq=False):
    """A Flux Kustomization in a file, and what it applies as far as it shows there."""

    held: Applied
    folder: str | None
    files: frozenset[str]
    is_elsewhere: bool


class _Appliers:
    """Which Flux Kustomizations apply a file, and which have it below their folder."""

    def __init__(self, found: Sequence[_Kustomization]) -> None:
        self._of_file: defaultdict[str, list[_Kustomization]] = defaultdict(list)
        self._of_folder: defaultdict[str, list[_Kustomization]] = defaultdict(list)
        for one in found:
            for path in one.files:
                self._of_file[path].append(one)
            if one.folder is not None:
                self._of_folder[one.folder].append(one)

    def of(self, held: Applied) -> list[_Kustomization]:
        """Those that apply an object, itself among them where it does."""
        return self._of_file.get(held.real, [])

    def applies_file(self, path: str) -> bool:
        """Whether any applies a file."""
        return path in self._of_file

    def has_below(self, held: Applied) -> bool:
        """Whether an object lies below the folder of another, which may pass it over."""
        folder = held.real
        while (parent := os.path.dirname(folder)) != folder:
            folder = parent
            if any(one.held is not held for one in self._of_folder.get(folder, ())):
                return True
        return False


def start(objects: Sequence[Applied], site: Site, folders: Folders, locate: Locate) -> Start:
    """Finds the roots among all Flux objects that files hold."""
    found = {one: _read(one, folders, locate) for one in objects if one.kind == "Kustomization"}
    instances = [
        read
        for one in objects
        if one.kind == "FluxInstance" and mapping(one.spec, "sync")
        if (read := _read(synced(one), folders, locate)).folder is not None
    ]
    appliers = _Appliers([*found.values(), *instances])
    own = [one for one in found.values() if _is_own(one, appliers.of(one.held))]
    roots = [
        Root(_within_clusters(_relative(one.folder, site)), [one.held])
        for one in _once((*instances, *own))
        if one.folder
    ]
    outside = [
        one
        for one in objects
        if one.kind in ("Kustomization", "HelmRelease") and not appliers.of(one) and not appliers.has_below(one)
    ]
    by_hand = [one for one in outside if one in found and _starts(found[one])]
    if not roots and not by_hand:
        by_hand = [one for one in outside if one.kind == "HelmRelease" and not _is_template(one)]
    held_in = {one.real for one in found}
    leading = {one.held for one in (*found.values(), *instances) if not held_in.isdisjoint(one.files)}
    folders_of = [*(root.folder for root in roots), *(_folder_of(one, site) for one in by_hand if one in leading)]
    by_hand = [
        one for one in by_hand if not folders_of or any(_is_like(_folder_of(one, site), of) for of in folders_of)
    ]
    roots += _of_folders(by_hand, site, folders, appliers)
    rooted = {path for root in roots for path in root.files}
    return Start(_merged(roots), [one for one in outside if one.real not in rooted and _is_loose(one, found.get(one))])


def _is_loose(held: Applied, read: _Kustomization | None) -> bool:
    """Whether an object of no root is told of: a release, or what names a folder that is not here, but no unused part."""
    return not _is_template(held) and (read is None or (read.folder is None and "sourceRef" in held.spec))


def _folder_of(held: Applied, site: Site) -> str:
    return _within_clusters(_relative(os.path.dirname(held.real), site))


def _is_like(folder: str, other: str) -> bool:
    """Whether a folder is laid out like that of a root: the same, or one that differs in a single segment."""
    parts, others = folder.split("/"), other.split("/")
    return len(parts) == len(others) and sum(map(str.__ne__, parts, others)) <= 1


def _within_clusters(folder: str) -> str:
    """The folder, or the one of its cluster where it lies below `clusters`."""
    parts = folder.split("/")
    return folder if _below_clusters(parts) is None else "/".join(parts[: parts.index(_CLUSTERS) + 2])


def synced(instance: Applied) -> Applied:
    """The Flux Kustomization that the Flux operator makes of an instance's `sync`."""
    source = synced_source(instance)
    spec = {
        "path": mapping(instance.spec, "sync").get("path"),
        "sourceRef": {"kind": source.kind, "name": source.name},
    }
    value = {"kind": "Kustomization", "metadata": {"name": source.name, "namespace": source.namespace}, "spec": spec}
    return Applied("Kustomization", source.namespace, source.name, value, instance.document, instance.file)


def names(folders: Iterable[str]) -> dict[str, str | None]:
    """The names of the clusters of roots' folders: the first segment in which they differ, of a single one that below `clusters`."""
    split = {folder: folder.split("/") for folder in folders}
    if len(split) == 1:
        return {folder: _below_clusters(parts) for folder, parts in split.items()}
    columns = zip_longest(*split.values())
    at = next((index for index, column in enumerate(columns) if len(set(column)) > 1), 0)
    return {folder: parts[at] if at < len(parts) else parts[-1] for folder, parts in split.items()}


def _below_clusters(parts: Sequence[str]) -> str | None:
    at = parts.index(_CLUSTERS) + 1 if _CLUSTERS in parts else len(parts)
    return parts[at] if at < len(parts) else None


def _read(held: Applied, folders: Folders, locate: Locate) -> _Kustomization:
    folder = locate(held)
    files = frozenset[str]() if not isinstance(folder, str) else folders.content(folder).files
    return _Kustomization(held, folder if isinstance(folder, str) else None, files, folder is Elsewhere.ELSEWHERE)


def _is_own(one: _Kustomization, appliers: Sequence[_Kustomization]) -> bool:
    """Whether a Flux Kustomization applies itself, and no other applies it but one of its folder, or that it leads."""
    return one in appliers and all(
        other.held.real in one.files and (other.folder == one.folder or _rank(one) < _rank(other))
        for other in appliers
        if other is not one
    )


def _rank(one: _Kustomization) -> tuple[bool, str, str]:
    """Which of those that apply one another leads."""
    return one.held.name != BOOTSTRAPPED, one.held.real, one.held.title


def _once(found: Iterable[_Kustomization]) -> list[_Kustomization]:
    """Without those of a folder and name that was met before."""
    return list({(one.folder, one.held.title): one for one in reversed(list(found))}.values())[::-1]


def _is_template(held: Applied) -> bool:
    """Whether somebody is to fill in what an object is called."""
    return is_placeholder(held.name) or is_placeholder(text(held.spec, "path"))


def _starts(one: _Kustomization) -> bool:
    """Whether a Flux Kustomization that a person applies is more than an example: its folder is here, or its source elsewhere."""
    whole = "sourceRef" in one.held.spec and not _is_template(one.held)
    return whole and (one.folder is not None or one.is_elsewhere)


def _of_folders(by_hand: Sequence[Applied], site: Site, folders: Folders, appliers: _Appliers) -> Iterator[Root]:
    """The roots whose files a person applies."""
    top = site.repository.top
    for folder in dict.fromkeys(os.path.dirname(one.real) for one in by_hand):
        content = folders.content(folder)
        held = [path for path in content.manifests if not appliers.applies_file(path)]
        if folder == top:  # what else lies below may be anything
            held = [path for path in held if os.path.dirname(path) == top]
        own = [one.real for one in by_hand if os.path.dirname(one.real) == folder]
        apart = content.folders if folder != top else frozenset[str]()
        yield Root(_relative(folder, site), files=list(dict.fromkeys((*own, *held))), folders=apart)


def _merged(roots: Sequence[Root]) -> list[Root]:
    """The roots with those below another taken into it, and with those of one folder below `clusters`."""
    merged: dict[str, Root] = {}
    for root in sorted(roots, key=lambda root: (root.folder.count("/"), root.folder)):
        folder = _within_clusters(root.folder)
        above = next((known for known in merged if folder == known or folder.startswith(f"{known}/")), folder)
        into = merged.setdefault(above, Root(above))
        into.objects += root.objects
        into.files = list(dict.fromkeys((*into.files, *root.files)))
        into.folders |= root.folders
    return list(merged.values())


def _relative(folder: str | None, site: Site) -> str:
    relative = os.path.relpath(folder or "", site.repository.top)
    return relative.replace(os.sep, "/")
