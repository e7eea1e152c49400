"""Paths to what lies there: files that may be manifests, kustomizations, charts and what other generators read."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct, field

from ingress_lint import inputs
from ingress_lint.load.files import CHART_FILE, STANDARD_INPUT, Found, display_path
from ingress_lint.load.kustomization import FILE_NAMES
from ingress_lint.units import generators
from ingress_lint.units.excludes import Excludes, Layers

SUFFIXES: Final = (".yaml", ".yml", ".json")
_MAKING: Final = ("templates", "charts")
"""The folders of which a chart has one, unless it only puts other charts together."""
_OF_A_CHART: Final = frozenset({"templates", "charts", "ci", "crds"})
"""The folders of a chart that helm reads, or that hold its values."""


class Tree(Struct):
    """What lies under one path that the user named."""

    path: str
    files: list[Found] = field(default_factory=list)
    """The YAML and JSON files that are no chart's and no generator's."""
    kustomizations: list[Found] = field(default_factory=list)
    """The folders with a kustomization file."""
    charts: list[Found] = field(default_factory=list)
    """The folders of charts."""
    generators: list[Found] = field(default_factory=list)
    """The files from which another program makes manifests."""
    left_out: Counter[str] = field(default_factory=Counter)
    """How many files and folders are passed over, by reason."""
    too_deep: list[str] = field(default_factory=list)
    """The folders that lie more than `inputs.MAX_FOLDERS` deep, which are not looked into."""


def walk(path: str, patterns: Sequence[str] = ()) -> Tree:
    """What lies under `path`, sorted, without what `Excludes` leaves out; `OSError` where it cannot be opened.

    Symbolic links are followed where they lead to what lies in the repository, or without one below `path`; a folder reached twice, by a loop of links or otherwise, is walked once.
    """
    tree = Tree(path)
    if path == STANDARD_INPUT:
        tree.files.append(Found.at(path, named=True))
    elif inputs.is_folder(path):
        inputs.entries(path)
        above = os.path.join(path, "..")
        is_templates = os.path.basename(inputs.real_path(path)) == "templates"
        if is_templates and inputs.exists(os.path.join(above, CHART_FILE)):
            tree.charts.append(Found.at(above, named=True))
        else:
            excludes = Excludes(patterns, path)
            _Walk(tree, excludes).folder(path, excludes.layers, named=True)
    else:
        os.stat(path)
        inputs.real_path(path)
        _file(tree, Found.at(path, named=True))
    return tree


class _Walk:
    def __init__(self, tree: Tree, excludes: Excludes) -> None:
        self._tree = tree
        self._excludes = excludes
        self._visited: set[tuple[int, int]] = set()

    def folder(self, folder: str, layers: Layers, *, named: bool = False, depth: int = 0) -> None:
        status = os.stat(folder)
        identity = status.st_dev, status.st_ino
        if identity in self._visited:
            return
        self._visited.add(identity)
        here = Found(folder, display_path(folder), os.path.realpath(folder), named)
        try:
            entries = inputs.entries(folder)
        except OSError:
            self._tree.files.append(here)  # where reading it will tell what is wrong
            return
        names = {entry.name for entry in entries}
        if ".gitignore" in names:
            layers = self._excludes.within(here.real, layers)
        is_chart = CHART_FILE in names and (not names.isdisjoint(_MAKING) or _depends(here))
        if is_chart:
            self._tree.charts.append(here)
        elif not names.isdisjoint(FILE_NAMES):
            self._tree.kustomizations.append(here)
        shown = "" if here.display == "." else f"{here.display.rstrip('/')}/"
        for entry, is_folder in self._read(entries, here.real, layers):
            if is_folder:
                if is_chart and entry.name in _OF_A_CHART:
                    continue
                if depth == inputs.MAX_FOLDERS:
                    self._tree.too_deep.append(shown + entry.name)
                else:
                    self.folder(entry.path, layers, depth=depth + 1)
            elif not is_chart:
                real = os.path.realpath(entry.path) if entry.is_symlink() else os.path.join(here.real, entry.name)
                _file(self._tree, Found(entry.path, shown + entry.name, real))

    def _read(
        self, entries: Sequence[os.DirEntry[str]], real: str, layers: Layers
    ) -> Iterator[tuple[os.DirEntry[str], bool]]:
        """The entries that are not passed over, each with whether it is a folder."""
        for entry in entries:
            try:
                is_folder = entry.is_dir()
            except OSError:
                is_folder = False
            if entry.name.startswith(".") or not (is_folder or _concerns(entry)):
                continue
            if entry.is_symlink() and not inputs.lies_in(inputs.real_path(entry.path), self._excludes.top):
                self._tree.left_out["linked from outside of the repository"] += 1
                continue
            why = self._excludes.why(os.path.join(real, entry.name), layers, is_folder=is_folder)
            if why:
                self._tree.left_out[why] += 1
            else:
                yield entry, is_folder


def _depends(folder: Found) -> bool:
    """Whether a chart names others that it puts together."""
    try:
        return b"\ndependencies:" in inputs.read(os.path.join(folder.real, CHART_FILE))
    except OSError:
        return False


def _concerns(entry: os.DirEntry[str]) -> bool:
    return entry.name.endswith(SUFFIXES) or generators.may_be(entry.path)


def _file(tree: Tree, found: Found) -> None:
    if generators.may_be(found.path):
        tree.generators.append(found)
    else:
        tree.files.append(found)
