"""The folders of the repository as plain directories: which files Argo CD takes manifests from."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from ingress_lint import inputs
from ingress_lint.load.document import Document
from ingress_lint.load.kustomization import FILE_NAMES
from ingress_lint.units.argo_cd.reading import text
from ingress_lint.units.site import Site
from ingress_lint.units.walking import SUFFIXES
from ingress_lint.values import globs

JSONNET: Final = ".jsonnet"


class Folders:
    """Lists folders, each once. What was left out of the run is not in them."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._listed: dict[tuple[str, bool], list[str]] = {}

    def chosen(self, options: Mapping[str, Any], folder: str) -> Iterator[str]:
        """The files in a folder, a real path, that the options of a source's `directory` choose, by their paths from there.

        Stars of `include` and `exclude` cross slashes; the latter wins. Raises `PatternError`.
        """
        include, exclude = (
            globs.free(pattern) if (pattern := text(options, key)) else None for key in ("include", "exclude")
        )
        for name in self._names(options, folder):
            if not (exclude and exclude.match(name)) and (include is None or include.match(name)):
                yield name

    def all(self, options: Mapping[str, Any], folder: str) -> Iterator[str]:
        """The real paths of the files in a folder that patterns may choose from."""
        return (os.path.realpath(os.path.join(folder, name)) for name in self._names(options, folder))

    def _names(self, options: Mapping[str, Any], folder: str) -> list[str]:
        recurse = options.get("recurse") is True
        if (folder, recurse) not in self._listed:
            found = self._listed[folder, recurse] = []
            for path, folders, names in inputs.walk(folder):
                folders[:] = sorted(name for name in folders if not name.startswith(".")) if recurse else []
                for name in sorted(names):
                    full = os.path.join(path, name)
                    if name.endswith(JSONNET) or (name.endswith(SUFFIXES) and self._is_read(full)):
                        found.append(os.path.relpath(full, folder).replace(os.sep, "/"))
        return self._listed[folder, recurse]

    def _is_read(self, path: str) -> bool:
        if os.path.basename(path) in FILE_NAMES:
            return False
        real = os.path.realpath(path)
        found = self._site.files.get(real)
        if found is not None:
            return self._site.kustomizations.is_manifest(found)
        return not (self._walked and real.startswith(self._walked)) and real.startswith(
            os.path.join(self._site.repository.top, "")
        )

    @cached_property
    def _walked(self) -> str:
        """The folder that was searched for files, with a slash; empty where there was none."""
        folders = {os.path.dirname(path) for path in self._sorted}
        return os.path.join(os.path.commonpath(folders), "") if folders else ""

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(path for path in self._site.files if os.path.isabs(path))

    def below(self, folder: str) -> Iterator[str]:
        """The files found below a folder, both by real paths."""
        start = os.path.join(folder, "")
        for index in range(bisect_left(self._sorted, start), len(self._sorted)):
            if not self._sorted[index].startswith(start):
                return
            yield self._sorted[index]


def is_manifest(documents: Sequence[Document]) -> bool:
    """Whether a file of these documents is a manifest, or could not be read to say."""
    return any(document.kind or not document.parsed for document in documents)
