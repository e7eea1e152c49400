"""Kustomizations: which of them are roots, and what a root puts into the cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ingress_lint import inputs
from ingress_lint.load import kustomization
from ingress_lint.load.document import Document
from ingress_lint.load.files import Found, display_path
from ingress_lint.load.kustomization import Kustomization
from ingress_lint.units.building import Builder, problems_of
from ingress_lint.units.plan import Plan, Unit

if TYPE_CHECKING:
    from ingress_lint.build.kustomize import Built, Unbuilt

Read = Callable[[str], tuple[Document, ...]]
"""The documents of a file, by its real path."""
KIND: Final = "kustomization"


class Kustomizations:
    """The kustomizations of the folders found, and of those above them and above the files found."""

    def __init__(self, folders: Iterable[Found], files: Iterable[Found]) -> None:
        self._own: dict[str, Kustomization | None] = {}
        self._nearest: dict[str, tuple[Kustomization, ...]] = {}
        self._manifests: set[str] = set()
        self._not_manifests: set[str] = set()
        self._met = {folder.real: folder.named for folder in folders}
        """The folders found, and whether the user named them."""
        for folder in (*self._met, *dict.fromkeys(os.path.dirname(file.real) for file in files)):
            self._around(folder)

    def roots(self) -> list[Kustomization]:
        """Those of the folders found that no other includes. A component is none, but where it is named outright."""
        own = [one for folder in self._met if (one := self.of(folder)) is not None]
        included = {folder for one in own for folder in one.folders if folder != one.folder}
        return [one for one in own if self._met[one.folder] or not (one.component or one.folder in included)]

    def of(self, folder: str) -> Kustomization | None:
        """The kustomization of a folder, a real path; it is read once."""
        if folder not in self._own:
            file = kustomization.find_file(folder)
            own = self._own[folder] = kustomization.read(file) if file else None
            if own is not None:
                self._manifests |= own.resources
                self._not_manifests |= own.not_manifests
        return self._own[folder]

    def takes(self, file: Found) -> bool:
        """Whether a file is a kustomization's, which lists it, as a manifest or otherwise, or lies in its folder.

        One that only lies there is not, where the user named it.
        """
        if file.real in self._manifests or not self.is_manifest(file):
            return True
        folder, name = os.path.split(file.real)
        return self.of(folder) is not None and (not file.named or name in kustomization.FILE_NAMES)

    def lists(self, path: str) -> bool:
        """Whether a kustomization lists a file, by its real path, as a manifest."""
        return path in self._manifests

    def is_manifest(self, file: Found) -> bool:
        """Whether no kustomization lists a file as a patch, as configuration or as data."""
        return self._not_manifests.isdisjoint(upward(file.real))

    def named_parts(self, files: Iterable[Found]) -> list[tuple[Kustomization, list[Found]]]:
        """The kustomizations above all of the folders found, each with those of `files` that it lists."""
        parts: dict[str, tuple[Kustomization, list[Found]]] = {}
        for file in files:
            around = self._around(os.path.dirname(file.real))
            one = next((one for one in around if file.real in one.resources), None)
            if one is not None and one.folder not in self._met:
                parts.setdefault(one.folder, (one, []))[1].append(file)
        return list(parts.values())

    def _around(self, folder: str) -> tuple[Kustomization, ...]:
        """The kustomizations of a folder and those above it up to the repository's root, the nearest first."""
        if folder not in self._nearest:
            own = self.of(folder)
            parent = os.path.dirname(folder)
            top = parent == folder or inputs.exists(os.path.join(folder, ".git"))
            above = () if top else self._around(parent)
            self._nearest[folder] = (own, *above) if own is not None else above
        return self._nearest[folder]


def plans(known: Kustomizations, builder: Builder, read: Read, apart: Container[str] = frozenset()) -> Iterator[Plan]:
    """The plans of the roots, without those whose folders are `apart`, as something else deploys them.

    What only lists files is built of the files as they are. Anything else is built by its tool; where it cannot be, it
    is `unchecked`, and nothing of it is looked at.
    """
    roots = [one for one in known.roots() if one.folder not in apart]
    parts = {root.folder: list(included(root, known)) for root in roots}
    built = [root for root in roots if not is_plain(parts[root.folder])]
    results = builder.build([replace(builder.root(root.folder), inflates=True) for root in built]) if built else []
    by_folder = {root.folder: result for root, result in zip(built, results, strict=True)}
    for root in roots:
        folder = display_path(root.folder)
        unit = Unit(folder, KIND, folder, display_path(root.file))
        result = by_folder.get(root.folder)
        paths = sorted({path for one in parts[root.folder] for path in one.resources})
        documents = tuple(document for path in paths for document in read(path))
        if result is None:
            yield Plan(unit, documents, built=True)
        else:
            plan = of_build(unit, result, builder)
            yield plan if builder.is_parsed(paths) else replace(plan, problems=())


def of_build(unit: Unit, result: Built | Unbuilt, builder: Builder) -> Plan:
    """The plan of a root that was built, or that was to be."""
    from ingress_lint.build.kustomize import Built

    if isinstance(result, Built):
        from ingress_lint.build.places import Places

        return Plan(
            unit,
            builder.documents(result.documents),
            built=True,
            places=result.places or Places(result),
            takes=frozenset(one.chart for one in result.tree.inflations if one.chart is not None),
        )
    return Plan(replace(unit, state="unchecked", reason=builder.why(result)), problems=problems_of(result))


def part(one: Kustomization, files: Iterable[Found], read: Read) -> Plan:
    """The plan of a kustomization of which the user named only some files."""
    folder = display_path(one.folder)
    documents = tuple(document for file in files for document in read(file.real))
    unit = Unit(
        folder, KIND, folder, display_path(one.file), state="partial", reason="only files that were named are read"
    )
    namespaces = dict.fromkeys(documents, one.namespace)
    return Plan(unit, documents, namespaces, incomplete=_incomplete(one), generated=one.generated, built=True)


def included(root: Kustomization, known: Kustomizations) -> Iterator[Kustomization]:
    """A root and what it includes, each once."""
    waiting, seen = [root], {root.folder}
    while waiting:
        one = waiting.pop()
        yield one
        for folder in reversed(one.folders):
            child = known.of(folder)
            if child is not None and folder not in seen:
                seen.add(folder)
                waiting.append(child)


def is_plain(parts: Sequence[Kustomization]) -> bool:
    """Whether parts of a root only list files, and none of them includes itself."""
    below = {one.folder: frozenset(one.folders) for one in parts}
    return all(one.only_lists for one in parts) and not kustomization.has_circle(below)


def _incomplete(one: Kustomization) -> str:
    if one.incomplete:
        return one.incomplete
    return f"what its `{one.changes}` do to its objects is not known without kustomize" if one.changes else ""


def upward(path: str) -> Iterator[str]:
    """A path and the folders that hold it."""
    yield path
    while (parent := os.path.dirname(path)) != path:
        yield (path := parent)
