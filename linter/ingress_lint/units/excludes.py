"""What a walk passes over: what git ignores, what the configuration and the command line exclude, and some by name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ingress_lint import inputs
from ingress_lint.units.tracked import Tracked

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

DEFAULT_FOLDERS: Final = frozenset(
    {
        ".git",
        ".terraform",
        "__fixtures__",
        "__pycache__",
        "__snapshots__",
        "fixtures",
        "node_modules",
        "testdata",
        "third_party",
        "vendor",
    }
)
"""Folders of others' files, or of files that are wrong on purpose; a pattern such as `!fixtures` takes one in again."""
DEFAULT_SUFFIX: Final = ".golden.yaml"
_SPECIAL: Final = "\\*?[!# "

Layers = tuple[tuple[str, "GitIgnoreSpec"], ...]
"""Folders with what git ignores below them, the outermost first."""


def anchored(pattern: str, folder: str) -> str:
    """A pattern of gitignore's syntax, meant below `folder`, as one below the file system's root."""
    sign, pattern = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    base = os.path.realpath(folder).replace(os.sep, "/").rstrip("/")
    for char in _SPECIAL:
        base = base.replace(char, "\\" + char)
    anywhere = "/" not in pattern.rstrip("/")
    return f"{sign}{base}/{'**/' if anywhere else ''}{pattern.lstrip('/')}"


class Excludes:
    """What is passed over below one folder that the user named, which itself is read in any case.

    `patterns` are `anchored` ones; the last that fits decides, before git and the defaults are asked.
    """

    def __init__(self, patterns: Sequence[str], start: str) -> None:
        start = os.path.realpath(start)
        self._own: Layers = _unless_fitting((("/", spec_of(patterns)),) if patterns else (), start)
        top = inputs.repository(start)
        self._tracked = Tracked(top) if top is not None else None
        layers: Layers = ()
        if top is not None:
            layers = layers_of(os.path.join(top, ".git", "info", "exclude"), top)
            above = [start]
            while above[-1] != top:
                above.append(os.path.dirname(above[-1]))
            for folder in reversed(above[1:]):
                layers += layers_of(os.path.join(folder, ".gitignore"), folder)
        self.top = top or start
        """The top of the repository, or the start where there is none: links may not lead out of it."""
        self.layers: Layers = _unless_fitting(layers, start)
        """What git ignores at the start."""

    def within(self, folder: str, layers: Layers) -> Layers:
        """What git ignores in a folder (a real path) that has a `.gitignore` of its own."""
        return layers + layers_of(os.path.join(folder, ".gitignore"), folder) if self._tracked is not None else layers

    def is_ignored(self, path: str, layers: Layers, *, is_folder: bool) -> bool:
        """Whether git ignores a file or folder (a real path), so that the repository does not hold it."""
        ignored = bool(decision(layers, path, is_folder=is_folder))
        return ignored and not (self._tracked is not None and self._tracked.holds(path))

    def why(self, path: str, layers: Layers, *, is_folder: bool) -> str:
        """Why a file or folder (a real path) is passed over, empty where it is read."""
        own = decision(self._own, path, is_folder=is_folder)
        if own is not None:
            return "excluded by a pattern" if own else ""
        name = os.path.basename(path)
        if name in DEFAULT_FOLDERS if is_folder else name.endswith(DEFAULT_SUFFIX):
            return "left out by default"
        return "ignored by git" if self.is_ignored(path, layers, is_folder=is_folder) else ""


def spec_of(lines: Sequence[str]) -> GitIgnoreSpec:
    """What lines of gitignore's syntax leave out."""
    from pathspec import GitIgnoreSpec

    usable = []
    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:  # git passes over what it cannot read, too
            continue
        usable.append(line)
    return GitIgnoreSpec.from_lines(usable)


def layers_of(file: str, folder: str) -> Layers:
    """What a file of gitignore's syntax leaves out below a folder, nothing where it cannot be read."""
    try:
        text = inputs.read(file).decode(errors="replace")
    except OSError:
        return ()
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return ((folder, spec_of(lines)),) if lines else ()


def decision(layers: Layers, path: str, *, is_folder: bool) -> bool | None:
    """What the innermost pattern that fits a path below all of the folders says: to leave out (True) or to take in; None where none fits."""
    for folder, spec in reversed(layers):
        relative = path[len(folder) :].lstrip(os.sep).replace(os.sep, "/")
        decided = spec.check_file(relative + "/" if is_folder else relative).include
        if decided is not None:
            return decided
    return None


def _unless_fitting(layers: Layers, start: str) -> Layers:
    """Those that do not leave `start` itself out, which the user named all the same."""
    return tuple(
        layer
        for layer in layers
        if start == layer[0] or not decision((layer,), start, is_folder=inputs.is_folder(start))
    )
