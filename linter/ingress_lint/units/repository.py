"""The git repository around the files, as the objects that deploy from it name it: its address and its revisions."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from ingress_lint import inputs
from ingress_lint.values.patterns import deferred

_ORIGIN: Final = deferred(r'^[ \t]*\[remote "origin"\][^\[]*?^[ \t]*url[ \t]*=[ \t]*(\S+)', re.MULTILINE)
_SCHEME: Final = deferred(r"\A[a-z][a-z0-9+.-]*://(?:[^/@]*@)?|\A[^/@:]+@")
_WORKING_TREE: Final = frozenset({"", "HEAD", "main", "master"})


class Repository(Struct, frozen=True):
    """What stands for the files at hand. `top` is a real path; `addresses` are `address`es, `branches` names of branches."""

    top: str
    addresses: frozenset[str] = frozenset()
    branches: frozenset[str] = frozenset()

    @classmethod
    def around(cls, folder: str) -> Repository:
        """The repository that holds a folder, else the folder itself; what git calls `origin` is its address."""
        start = top = inputs.real_path(folder)
        while not inputs.exists(os.path.join(top, ".git")):
            parent = os.path.dirname(top)
            if parent == top:
                return cls(start)
            top = parent
        return cls(top, frozenset(filter(None, (_origin(top),))))

    def also(self, addresses: Iterable[str], branches: Iterable[str] = ()) -> Repository:
        """The repository, known by more addresses and branches."""
        return Repository(
            self.top, self.addresses.union(map(address, addresses)) - {""}, self.branches.union(branches) - {""}
        )

    def is_named(self, url: str) -> bool:
        """Whether a URL means this repository."""
        return address(url) in self.addresses

    def is_working_tree(self, revision: str) -> bool:
        """Whether a branch, tag or commit is taken to be the files at hand; any other has a content that is not known."""
        return revision in _WORKING_TREE or revision.removeprefix("refs/heads/") in self.branches | _WORKING_TREE


def address(url: str) -> str:
    """What is left of a repository's URL without scheme, user, closing `/` and `.git`: `github.com/owner/name`."""
    bare = _SCHEME.sub("", url.strip())
    if "://" not in url:  # git@host:path, as scp writes it
        bare = bare.replace(":", "/", 1)
    return bare.rstrip("/").removesuffix(".git").rstrip("/").lower()


def _origin(top: str) -> str:
    try:
        found = _ORIGIN.search(inputs.read(os.path.join(top, ".git", "config")).decode(errors="replace"))
    except OSError:
        return ""
    return address(found[1]) if found else ""
