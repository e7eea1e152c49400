"""Roots: what nobody applies but itself or a person, and the clusters that they stand for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Final

from msgspec import Struct, field

from ingress_lint.units.flux.folders import Folders
from ingress_lint.units.flux.objects import Applied, mapping, text
from ingress_lint.units.flux.revisions import BOOTSTRAPPED, reference_of
from ingress_lint.units.site import Site
from ingress_lint.values.placeholders import is_placeholder

_CLUSTERS: Final = "clusters"


class Root(Struct):
    """Where a cluster starts: `folder` is relative to the repository's top.

    `objects` are the Flux Kustomizations that it starts with; where a person applies its files, these are `files`.
    """

    folder: str
    objects: list[Applied] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    """Real paths."""


class Start(Struct, frozen=True):
    """What is found before anything is built: the roots, and the sources and instances that tell which repository this is."""

    roots: list[Root]
    told: list[Applied]
    loose: list[Applied]
    """Releases, and Kustomizations of what does not exist here, that belong to no root."""


class _Kustomization(Struct, frozen=True, eq=False):
    """A Flux Kustomization in a file, and what it applies as far as it shows there."""

    held: Applied
    folder: str | None
    files: frozenset[str]
    is_template: bool

    def applies(self, other: Applied) -> bool:
        return other.real in self.files

    def has_below(self, other: Applied) -> bool:
        """Whether an object lies below the folder, applied or not."""
        return self.folder is not None and other.real.startswith(os.path.join(self.folder, ""))


def start(objects: Sequence[Applied], site: Site, folders: Folders) -> Start:
    """Finds the roots among all Flux objects that files hold."""
    found = [_read(one, folders) for one in objects if one.kind == "Kustomization"]
    instances = [
        _read(synced(one), folders) for one in objects if one.kind == "FluxInstance" and mapping(one.spec, "sync")
    ]
    instances = [one for one in instances if one.folder is not None]
    own = [one for one in found if _is_own(one, found) and not any(other.applies(one.held) for other in instances)]
    roots = [
        Root(_relative(one.folder, site), [one.held]) for one in _once((*instances, *own)) if one.folder is not None
    ]
    starting = [*instances, *own]
    told = [one for one in objects if one.kind == "FluxInstance"]
    told += _sources_of([one.held for one in own], objects)
    outside = [
        one
        for one in objects
        if one.kind in ("Kustomization", "HelmRelease")
        and not any(
            other.held is not one and (other.applies(one) or other.has_below(one)) for other in (*found, *instances)
        )
        and not any(other.held is one for other in starting)
    ]
    known = {one.held: one for one in found}
    by_hand = [
        one for one in outside if (read := known.get(one)) is not None and not read.is_template and _starts(read)
    ]
    if not roots and not by_hand:
        by_hand = [one for one in outside if one not in known]
    roots += _of_folders(by_hand, site, folders, found)
    rooted = {path for root in roots for path in root.files}
    loose = [one for one in outside if one.real not in rooted and not (one in known and known[one].is_template)]
    return Start(_merged(roots), told, loose)


def synced(instance: Applied) -> Applied:
    """The Flux Kustomization that the Flux operator makes of an instance (controlplaneio-fluxcd/flux-operator)."""
    sync = mapping(instance.spec, "sync")
    name = text(sync, "name") or instance.namespace
    spec = {"path": sync.get("path"), "sourceRef": {"kind": sync.get("kind", "GitRepository"), "name": name}}
    value = {"kind": "Kustomization", "metadata": {"name": name, "namespace": instance.namespace}, "spec": spec}
    return Applied("Kustomization", instance.namespace, name, value, instance.document, instance.file)


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


def _read(held: Applied, folders: Folders) -> _Kustomization:
    path = text(held.spec, "path")
    is_template = is_placeholder(held.name) or is_placeholder(path)
    folder = None if is_template else folders.find(path)
    files = frozenset[str]() if folder is None else folders.content(folder).files
    return _Kustomization(held, folder, files, is_template)


def _is_own(one: _Kustomization, found: Sequence[_Kustomization]) -> bool:
    """Whether a Flux Kustomization applies itself, and no other applies it that it does not apply as well."""
    if not one.applies(one.held):
        return False
    others = [other for other in found if other is not one and other.applies(one.held)]
    return all(one.applies(other.held) for other in others)


def _once(found: Iterable[_Kustomization]) -> list[_Kustomization]:
    """Without those of a folder and name that was met before."""
    return list({(one.folder, one.held.title): one for one in reversed(list(found))}.values())[::-1]


def _starts(one: _Kustomization) -> bool:
    """Whether a Flux Kustomization that a person applies is more than an example: its folder is here, or its source elsewhere."""
    reference = reference_of(one.held.spec.get("sourceRef"), one.held.namespace)
    return one.folder is not None or reference.name != BOOTSTRAPPED


def _of_folders(
    by_hand: Sequence[Applied], site: Site, folders: Folders, found: Sequence[_Kustomization]
) -> Iterator[Root]:
    """The roots whose files a person applies."""
    top = site.repository.top
    for folder in dict.fromkeys(os.path.dirname(one.real) for one in by_hand):
        content = folders.content(folder)
        held = [path for path in content.manifests if not any(path in one.files for one in found)]
        if folder == top:  # what else lies below may be anything
            held = [path for path in held if os.path.dirname(path) == top]
        own = [one.real for one in by_hand if os.path.dirname(one.real) == folder]
        yield Root(_relative(folder, site), files=list(dict.fromkeys((*own, *held))))


def _merged(roots: Sequence[Root]) -> list[Root]:
    """The roots with those below another taken into it, and with those of one folder below `clusters`."""
    merged: dict[str, Root] = {}
    for root in sorted(roots, key=lambda root: (root.folder.count("/"), root.folder)):
        parts = root.folder.split("/")
        name = _below_clusters(parts)
        folder = "/".join(parts[: parts.index(_CLUSTERS) + 2]) if name is not None else root.folder
        above = next((known for known in merged if folder == known or folder.startswith(f"{known}/")), folder)
        into = merged.setdefault(above, Root(above))
        into.objects += root.objects
        into.files = list(dict.fromkeys((*into.files, *root.files)))
    return list(merged.values())


def _relative(folder: str | None, site: Site) -> str:
    relative = os.path.relpath(folder or "", site.repository.top)
    return relative.replace(os.sep, "/")


def _sources_of(kustomizations: Sequence[Applied], objects: Sequence[Applied]) -> Iterator[Applied]:
    """The sources of roots, else what is called as `flux bootstrap` calls them."""
    wanted = {
        (reference.kind, reference.namespace, reference.name)
        for one in kustomizations
        for reference in (reference_of(one.spec.get("sourceRef"), one.namespace),)
    }
    for one in objects:
        if (one.kind, one.namespace, one.name) in wanted or (one.kind, one.name) == ("GitRepository", BOOTSTRAPPED):
            yield one
