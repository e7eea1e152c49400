"""Which set a file belongs to: its kustomization's, its chart rendering's, or the loose one."""

from __future__ import annotations

import os
import re
from typing import Final

from ingress_lint.load import kustomization
from ingress_lint.load.document import SOURCE_COMMENT
from ingress_lint.load.kustomization import Kustomization
from ingress_lint.values.patterns import deferred

LOOSE: Final = ""
"""The set of everything that belongs to no build."""
_SOURCE: Final = deferred(rf"^{SOURCE_COMMENT}(\S+)", re.MULTILINE)


class Membership:
    """Knows the Kustomize folders around the files it is asked about; each folder is looked at once.

    It takes real paths, without symbolic links.
    """

    def __init__(self) -> None:
        self._nearest: dict[str, tuple[Kustomization, ...]] = {}
        self._not_manifests: set[str] = set()

    def learn(self, path: str) -> None:
        """Looks for the kustomizations around a file, which may say of other files that they are no manifests."""
        self._around(os.path.dirname(path))

    def is_manifest(self, path: str) -> bool:
        """Whether no kustomization learnt so far lists the file as a patch, as configuration or as data."""
        if not self._not_manifests:
            return True
        while path not in self._not_manifests:
            parent = os.path.dirname(path)
            if parent == path:
                return True
            path = parent
        return False

    def kustomization(self, path: str) -> Kustomization | None:
        """The kustomization that a file belongs to: one of its own folder, or one above that lists it."""
        folder = os.path.dirname(path)
        return next(
            (found for found in self._around(folder) if found.folder == folder or path in found.resources), None
        )

    def _around(self, folder: str) -> tuple[Kustomization, ...]:
        """The kustomizations of a folder and those above it up to the repository's root, the nearest first."""
        if folder not in self._nearest:
            self._nearest[folder] = ()
            file = kustomization.find_file(folder)
            own = kustomization.read(file) if file else None
            if own is not None:
                self._not_manifests |= own.not_manifests
            parent = os.path.dirname(folder)
            top = parent == folder or os.path.exists(os.path.join(folder, ".git"))
            above = () if top else self._around(parent)
            self._nearest[folder] = (own, *above) if own is not None else above
        return self._nearest[folder]


def rendering_of(display_path: str, text: str) -> str | None:
    """The set of a file that helm rendered, None where helm left no `# Source:` comment.

    The files of one `helm template --output-dir` belong together: there each file's path ends with its source's.
    """
    match = _SOURCE.search(text) if SOURCE_COMMENT in text else None
    if match is None:
        return None
    source = match.group(1)
    if display_path == source or display_path.endswith("/" + source):
        return display_path.removesuffix(source) + source.partition("/")[0]
    return display_path
