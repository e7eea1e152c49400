"""What git tracks: that it does not ignore, whatever `.gitignore` says (git-scm.com/docs/gitignore)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from typing import Final

from ingress_lint import inputs

_HEADER: Final = 12
_BEFORE_FLAGS: Final = 60
"""Bytes of an entry before its flags: what `stat` says, and the object's name, by SHA-1."""
_LENGTH: Final = 0xFFF
"""The bits of the flags that tell how long the path is; a longer one has all of them set."""
_EXTENDED: Final = 0x4000
"""The flag that two more bytes of flags follow."""
_READ: Final = (b"DIRC\0\0\0\2", b"DIRC\0\0\0\3")


class Tracked:
    """The index of a repository (git-scm.com/docs/index-format), read when first asked for.

    Of one that compresses its paths (version 4), or that is no index, nothing is known: such a repository tracks nothing.
    """

    def __init__(self, top: str) -> None:
        self._top = top

    def holds(self, path: str) -> bool:
        """Whether git tracks a file, or anything below a folder, by its path."""
        relative = os.fsencode(os.path.relpath(path, self._top).replace(os.sep, "/"))
        return relative in self._paths

    @cached_property
    def _paths(self) -> frozenset[bytes]:
        """What is tracked, with the folders that hold it."""
        try:
            files = set(_files(inputs.read(os.path.join(_git_folder(self._top), "index"))))
        except OSError:
            return frozenset()
        found = set(files)
        for file in files:
            while (folder := os.path.dirname(file)) and folder not in found:
                found.add(folder)
                file = folder  # noqa: PLW2901 - upward
        return frozenset(found)


def _files(index: bytes) -> Iterator[bytes]:
    """The paths of an index's entries, as far as it is what it should be."""
    if not index.startswith(_READ):
        return
    at = _HEADER
    for _ in range(int.from_bytes(index[8:_HEADER])):
        flags = int.from_bytes(index[at + _BEFORE_FLAGS : at + _BEFORE_FLAGS + 2])
        start = at + _BEFORE_FLAGS + (4 if flags & _EXTENDED else 2)
        length = flags & _LENGTH
        end = index.find(b"\0", start) if length == _LENGTH else start + length
        if not start < end < len(index):
            return
        yield index[start:end]
        at += (end - at + 8) // 8 * 8  # one to eight zero bytes follow, so that the next entry is aligned


def _git_folder(top: str) -> str:
    """Where git keeps what it knows of a work tree: `.git`, or the folder that a file of this name leads to."""
    folder = os.path.join(top, ".git")
    if not inputs.is_file(folder):
        return folder
    return os.path.join(top, inputs.read(folder).decode(errors="replace").removeprefix("gitdir:").strip())
