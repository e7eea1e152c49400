"""The files and folders of the repository as git generators and sources see them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, Final

from ingress_lint import inputs
from ingress_lint.build.sources import Sources
from ingress_lint.values import globs

_MOST: Final = 100_000
"""How many files are looked at below one folder."""


class Files:
    """Looks into a repository, whose `top` is a real path; what was looked up is not looked up again."""

    def __init__(self, top: str, sources: Sources) -> None:
        self._top = top
        self._sources = sources
        self._below: dict[str, list[str]] = {}
        self._folders: dict[str, list[str]] = {}
        self._paths: dict[str, str | None] = {}

    def path(self, path: str) -> str | None:
        """The real path of a path of the repository, None where it leads out of it."""
        if path not in self._paths:
            try:
                real = os.path.realpath(os.path.join(self._top, path.strip("/")))
            except ValueError:
                real = ""
            is_inside = real == self._top or real.startswith(os.path.join(self._top, ""))
            self._paths[path] = real if is_inside else None
        return self._paths[path]

    def is_folder(self, path: str) -> bool:
        """Whether a path of the repository is a folder."""
        real = self.path(path)
        return real is not None and inputs.is_folder(real)

    def folders(self, wanted: Iterable[str], unwanted: Iterable[str]) -> list[str]:
        """The folders that fit a pattern wanted and none unwanted, from the top; hidden ones are none.

        Patterns are `path.Match`'s (argoproj/argo-cd:reposerver/repository/repository.go, GetGitDirectories).
        """
        out = [globs.segmented(pattern) for pattern in unwanted]
        found = {path for pattern in wanted for path in self._fitting(pattern)}
        return sorted(path for path in found if not any(pattern.match(path) for pattern in out))

    def _fitting(self, pattern: str) -> list[str]:
        if pattern not in self._folders:
            found = [""]
            for segment in pattern.split("/"):
                fits = globs.segmented(segment)
                found = [
                    path for above in found for path in self._subfolders(above) if fits.match(os.path.basename(path))
                ]
            self._folders[pattern] = found
        return self._folders[pattern]

    def _subfolders(self, folder: str) -> Iterator[str]:
        try:
            entries = inputs.entries(os.path.join(self._top, folder))
        except OSError:
            return
        for entry in entries:
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                yield f"{folder}/{entry.name}" if folder else entry.name

    def files(self, wanted: Iterable[str], unwanted: Iterable[str]) -> list[str]:
        """The files that fit a pattern wanted and none unwanted, from the top.

        Patterns are those of `git ls-files`, whose stars cross slashes and which take a folder for all below it
        (argoproj/argo-cd:util/git/client.go, LsFiles).
        """
        out = {path for pattern in unwanted for path in self._listed(pattern)}
        return sorted({path for pattern in wanted for path in self._listed(pattern)} - out)

    def _listed(self, pattern: str) -> list[str]:
        pattern = pattern.removeprefix("./")
        if self.path(globs.literal_folder(pattern)) is None:
            return []
        fits = globs.free(pattern.replace("{", "\\{"))
        below = os.path.join(pattern, "")
        folder = globs.literal_folder(pattern)
        return [path for path in self._all_below(folder) if fits.match(path) or path.startswith(below)]

    def _all_below(self, folder: str) -> list[str]:
        if folder not in self._below:
            found: list[str] = []
            for path, folders, names in inputs.walk(os.path.join(self._top, folder.strip("/"))):
                folders[:] = sorted(name for name in folders if name != ".git")
                shown = os.path.relpath(path, self._top).replace(os.sep, "/")
                found += (name if shown == "." else f"{shown}/{name}" for name in names)
                if len(found) > _MOST:
                    break
            self._below[folder] = found
        return self._below[folder]

    def content(self, path: str) -> Any:
        """What a YAML or JSON file holds, None where that is nothing, or cannot be read."""
        real = self.path(path)
        file = None if real is None else self._sources.file(real)
        return None if file is None else self._sources.value(file.text)

    def value_of(self, yaml: str) -> Any:
        """What a YAML text holds."""
        return self._sources.value(yaml)
