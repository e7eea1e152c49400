"""Paths to plans: what is deployed together, by kind. Each file is read once.

A new kind of unit is a module beside this one that takes what it knows out of the files and yields plans.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from ingress_lint import inputs
from ingress_lint.load.document import Document
from ingress_lint.load.files import STANDARD_INPUT, Found, display_path
from ingress_lint.load.loading import Loader
from ingress_lint.units import folder, kustomization, stdin
from ingress_lint.units.building import Builder, Rendering
from ingress_lint.units.configured import Cluster, ConfiguredUnit
from ingress_lint.units.kustomization import Kustomizations
from ingress_lint.units.plan import Identities, Plan, Unit
from ingress_lint.units.walking import Tree, walk

if TYPE_CHECKING:
    from ingress_lint.units.site import Site

_DEPLOYING: Final = frozenset({"Application", "ApplicationSet", "FluxInstance", "HelmRelease", "Kustomization"})
"""The kinds of what Flux and Argo CD deploy, and of Flux itself."""


class Settings(Struct, frozen=True):
    """What a run says of the units itself: those that it names, in which clusters they run, and how they are built."""

    units: Sequence[ConfiguredUnit] = ()
    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    rendering: Rendering = Rendering()


_NO_CHART: Final = "--values and --set are for the charts among the PATHs, and none of these is a chart"
_SETTINGS: Final = Settings()


class Discovery(Struct):
    """What was found under some paths."""

    plans: list[Plan] = field(default_factory=list)
    """Ordered by path and name."""
    left_out: Counter[str] = field(default_factory=Counter)
    """How many files and folders were passed over, by reason."""
    barren: list[str] = field(default_factory=list)
    """A sentence for each path under which there is nothing to lint."""


def discover(
    paths: Sequence[str],
    loader: Loader,
    identities: Identities,
    patterns: Sequence[str] = (),
    settings: Settings = _SETTINGS,
) -> Discovery:
    """The plans of what lies under `paths`, without what `patterns` and the like exclude; see `Excludes`."""
    trees = _walked(paths, loader, patterns)
    rendering = settings.rendering
    if (rendering.values or rendering.set) and not any(one.named for tree in trees for one in tree.charts):
        loader.loaded.missing_paths.append(_NO_CHART)
    found = _Files(trees, loader, settings)
    plans = sorted(
        _placed(found.plans(identities), settings),
        key=lambda plan: (plan.unit.path, plan.unit.name, plan.unit.kind),
    )
    left_out = sum((tree.left_out for tree in trees), Counter[str]())
    return Discovery(plans, left_out, [line for tree in trees if (line := found.barren(tree))])


def _placed(plans: Iterable[Plan], settings: Settings) -> Iterator[Plan]:
    """The plans in the clusters that the configuration puts them into, by units or by clusters."""
    if not settings.units and not settings.clusters:
        yield from plans
        return
    from ingress_lint.units.named import placed

    for plan in plans:
        yield from placed(plan, settings.clusters)


def context(paths: Sequence[str], loader: Loader) -> list[Document]:
    """The documents under paths that only resolve references, without those that were read to be linted."""
    trees = _walked(paths, loader, ())
    files = [file for tree in trees for file in tree.files]
    known = Kustomizations([folder for tree in trees for folder in tree.kustomizations], files)
    read = [document for file in files if known.is_manifest(file) for document in loader.read(file, reported=False)]
    return [document for document in dict.fromkeys(read) if not document.reported]


def _walked(paths: Sequence[str], loader: Loader, patterns: Sequence[str]) -> list[Tree]:
    """The trees under paths; one that cannot be opened is noted among the loader's `missing_paths`."""
    trees = []
    for path in paths:
        try:
            tree = walk(path, patterns)
            trees.append(tree)
            loader.loaded.missing_paths += (
                f"{folder}: folders are read {inputs.MAX_FOLDERS} levels deep, and this one lies below"
                for folder in tree.too_deep
            )
        except OSError as error:
            loader.loaded.missing_paths.append(f"{path}: {error.strerror or error}")
    loader.expect(sum(len(tree.files) for tree in trees))
    return trees


class _Files:
    """What the trees hold, and the plans of each kind; a file is read when the first of them asks for it."""

    def __init__(self, trees: Sequence[Tree], loader: Loader, settings: Settings) -> None:
        self._trees = trees
        self._loader = loader
        self._settings = settings
        self._builder = Builder(loader, settings.rendering)
        self._files = {file.real: file for tree in reversed(trees) for file in reversed(tree.files)}
        folders = [folder for tree in trees for folder in tree.kustomizations]
        self._known = Kustomizations(folders, self._files.values())
        plain = [file for file in self._files.values() if not self._known.takes(file)]
        plain.sort(key=lambda file: file.display)
        self._plain = {file.real: documents for file in plain if (documents := self._manifests(file))}
        self._parts = self._known.named_parts(self._files.values())

    def plans(self, identities: Identities) -> Iterator[Plan]:
        """The plans of all kinds."""
        own = self._named()
        replaced = {plan.unit.path for plan in own}
        taken: set[str] = set()
        for plan in (*own, *(plan for plan in self._deployed() if plan.unit.path not in replaced)):
            taken |= plan.takes
            yield plan
        for plan in kustomization.plans(self._known, self._builder, self._read, taken):
            taken |= plan.takes
            yield plan
        for one, files in self._parts:
            yield kustomization.part(one, files, self._read)
        charts = {one.real: one for tree in self._trees for one in tree.charts if one.real not in taken}
        if charts:
            from ingress_lint.units import chart

            yield from chart.plans(charts.values(), self._site)
        yield from map(Plan, self._generators(self._trees, taken))
        streams: list[tuple[Document, ...]] = []
        loose: list[tuple[Document, ...]] = []
        for path, documents in self._plain.items():
            if path in taken or os.path.dirname(path) in taken:
                continue
            is_stream = path == STANDARD_INPUT or stdin.is_rendered(documents)
            (streams if is_stream else loose).append(documents)
        yield from stdin.plans(streams, self._site) if streams else ()
        yield from folder.plans(loose, identities)

    def barren(self, tree: Tree) -> str:
        """Why there is nothing to lint in a tree, in a sentence; empty where there is something."""
        parts = {file.real for _, files in self._parts for file in files}
        if (
            tree.kustomizations
            or any(True for _ in self._generators([tree], ()))
            or any(not self._is_library(one) for one in tree.charts)
            or any(file.real in self._plain or file.real in parts for file in tree.files)
        ):
            return ""
        return f"nothing to lint in {display_path(tree.path)}{_why_barren(tree)}"

    @cached_property
    def _manifest_files(self) -> dict[str, Found]:
        """The files with manifests that are deployed as they are, or by a kustomization that lists them."""
        return {path: file for path, file in self._files.items() if path in self._plain or self._known.lists(path)}

    def _is_library(self, one: Found) -> bool:
        from ingress_lint.units.chart import is_library

        return is_library(one, self._builder)

    @cached_property
    def _site(self) -> Site:
        from ingress_lint.units.repository import Repository
        from ingress_lint.units.site import Site

        charts = {one.real: one for tree in self._trees for one in tree.charts}
        repository = Repository.around(self._trees[0].path if self._trees else ".")
        return Site(repository, self._manifest_files, charts, self._known, self._read, self._builder)

    def _named(self) -> list[Plan]:
        """The plans of the units that the configuration names."""
        if not self._settings.units:
            return []
        from ingress_lint.units import named

        return list(named.plans(self._settings.units, self._site, self._settings.clusters))

    def _deployed(self) -> list[Plan]:
        """The plans of what GitOps objects deploy, where there are any."""
        if not any(document.kind in _DEPLOYING for path in self._manifest_files for document in self._read(path)):
            return []
        from ingress_lint.units import argo_cd, flux

        deployed = flux.plans(self._site)
        return [*deployed, *argo_cd.plans(self._site, deployed)]

    def _generators(self, trees: Sequence[Tree], taken: Container[str]) -> Iterator[Unit]:
        """What is never checked: what other generators read."""
        found = {file.real: file for tree in trees for file in tree.generators if file.real not in taken}
        if found:
            from ingress_lint.units import generators

            yield from generators.units(found.values())

    def _read(self, path: str) -> tuple[Document, ...]:
        return self._loader.read(self._files.get(path) or Found.at(path))

    def _manifests(self, file: Found) -> tuple[Document, ...]:
        """The documents of a file, none where it holds no manifest."""
        documents = self._loader.read(file)
        return documents if any(map(_is_manifest, documents)) else ()


def _is_manifest(document: Document) -> bool:
    """Whether a document is a Kubernetes object, or could not be read to say."""
    if document.kind or not document.parsed:
        return True
    return isinstance(document.value, dict) and not document.value.keys().isdisjoint(("apiVersion", "kind"))


def _why_barren(tree: Tree) -> str:
    if tree.path == STANDARD_INPUT or not inputs.is_folder(tree.path):
        return ": it holds no manifest"
    left_out = ", ".join(f"{number} {why}" for why, number in sorted(tree.left_out.items()))
    besides = f" ({left_out})" if left_out else ""
    kinds = ("YAML", (".yaml", ".yml")), ("JSON", (".json",))
    counted = [(name, sum(file.path.endswith(suffixes) for file in tree.files)) for name, suffixes in kinds]
    told = [f"{number} {name} file{'s' if number > 1 else ''}" for name, number in counted if number]
    return f"/: {' and '.join(told) or 'no YAML or JSON file'}{', none is a manifest' if told else ''}{besides}"
