"""The installed rule packs, found by entry point; the built-in one comes in by the same door."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.machinery import PathFinder
from typing import Final, NamedTuple

from ingress_lint import inputs
from ingress_lint.rule import Pack, RuleEntry

GROUP: Final = "ingress_lint.rules"
_METADATA: Final = (".dist-info", ".egg-info")


class PackError(Exception):
    """A pack that cannot be used; the message is one line that names the distribution."""


class _Point(NamedTuple):
    """An entry point, by which the distribution `owner` offers a pack as `module:attribute`."""

    name: str
    value: str
    owner: str


def load_rules() -> tuple[RuleEntry, ...]:
    """The entry of every rule of every pack, ordered by code; raises `PackError`."""
    rules: dict[str, tuple[RuleEntry, str]] = {}
    for point in sorted(_points(), key=lambda point: (point.name != "core", point.name)):
        for rule in _load(point).entries:
            code = rule.code
            if code in rules:
                raise PackError(f"{point.owner}: rule {code} is already defined by {rules[code][1]}")
            rules[code] = rule, point.owner
    if not rules:
        raise PackError(f"no rules are installed: no distribution offers an entry point in the group {GROUP}")
    return tuple(rules[code][0] for code in sorted(rules))


def _load(point: _Point) -> Pack:
    module, _, attributes = point.value.partition("[")[0].partition(":")
    try:
        pack: object = import_module(module.strip())
        for attribute in filter(None, attributes.strip().split(".")):
            pack = getattr(pack, attribute)
    except Exception as error:
        raise PackError(f"{point.owner}: its rule pack cannot be imported: {type(error).__name__}: {error}") from error
    inputs.code(sys.modules[module.strip().partition(".")[0]])
    if not isinstance(pack, Pack):
        raise PackError(f"{point.owner}: {point.value} is no ingress_lint.rule.Pack")
    return pack


# -- entry points -----------------------------------------------------------------------------------------------------


def _points() -> list[_Point]:
    """The entry points of the group.

    What `importlib.metadata` costs to import is a fifth of a short run, so that the usual case goes without it:
    distributions that are folders of metadata beside their modules. Where anything else can hold some, it is asked.
    """
    if any(finder is not PathFinder and hasattr(finder, "find_distributions") for finder in sys.meta_path):
        return _points_of_the_library()
    found: dict[str, list[_Point]] = {}
    for path in dict.fromkeys(sys.path):
        if os.path.isfile(path) or path.lower().endswith(".egg"):
            return _points_of_the_library()
        for name, folder in _metadata_folders(path or "."):
            if name not in found:  # of two distributions with one name, the first on the path is the one imported
                found[name] = list(_points_in(folder))
    return [point for points in found.values() for point in points]


def _points_of_the_library() -> list[_Point]:
    from importlib.metadata import entry_points

    return [
        _Point(point.name, point.value, point.dist.name if point.dist else point.value)
        for point in entry_points(group=GROUP)
    ]


def _metadata_folders(path: str) -> Iterator[tuple[str, str]]:
    """The folders of metadata beside the modules in `path`, each with the normalized name of its distribution."""
    try:
        entries = os.listdir(path)
    except OSError:
        return
    for entry in entries:
        stem, suffix = os.path.splitext(entry)
        if suffix.lower() in _METADATA:
            yield re.sub(r"[-_.]+", "_", stem.partition("-")[0]).lower(), os.path.join(path, entry)


def _points_in(folder: str) -> Iterator[_Point]:
    try:
        with open(os.path.join(folder, "entry_points.txt"), encoding="utf-8") as file:
            text = file.read()
    except (OSError, ValueError):
        return
    if GROUP not in text:
        return
    section = ""
    for line in (line.strip() for line in text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif section == GROUP and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield _Point(name.strip(), value.strip(), _distribution(folder))


def _distribution(folder: str) -> str:
    """The name of the distribution whose metadata a folder holds."""
    for name in ("METADATA", "PKG-INFO"):
        try:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                for line in file:
                    if line.startswith("Name:"):
                        return line.partition(":")[2].strip()
        except (OSError, ValueError):
            continue
    return os.path.basename(folder).partition("-")[0]
