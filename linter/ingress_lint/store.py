"""A folder of entries, bounded in size, that several processes use at once. Nothing here raises `OSError`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from msgspec import Struct

FOLDER: Final = "INGRESS_LINT_CACHE_DIR"
"""The environment variable that names another folder than that for caches of the user."""
MAX_BYTES: Final = 64 * 1024 * 1024
_LARGEST: Final = MAX_BYTES // 4
_HEADING: Final = b"ingress-lint 1\n"
_SUFFIX: Final = ".entry"
_UNFINISHED: Final = ".unfinished"
_DIGEST_BYTES: Final = 32


def user_folder() -> str:
    """Where caches lie: what `INGRESS_LINT_CACHE_DIR` names, else what the system has for them."""
    named = os.environ.get(FOLDER)
    if named:
        return os.path.abspath(named)
    from platformdirs import user_cache_path

    return str(user_cache_path("ingress-lint", appauthor=False))


class Store(Struct, frozen=True):
    """The entries in a folder, by keys that are names of files. Only its owner may read it."""

    folder: str
    max_bytes: int = MAX_BYTES

    def get(self, key: str) -> bytes | None:
        """What was put under a key; None where that is nothing, or damaged, or another user's."""
        path = self.path(key)
        try:
            with open(path, "rb") as stream:
                if not _is_own(os.fstat(stream.fileno())):
                    return None
                written = stream.read()
        except OSError:
            return None
        with suppress(OSError):
            os.utime(path)
        start = len(_HEADING) + _DIGEST_BYTES
        content = written[start:]
        return content if written[:start] == _HEADING + _digest(content) else None

    def put(self, key: str, content: bytes) -> None:
        """Keeps `content`, and forgets what was not used for the longest time where there is too much."""
        if len(content) > min(_LARGEST, self.max_bytes):
            return
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            if not _is_own(os.stat(self.folder)):
                return
            self._write(self.path(key), _HEADING + _digest(content) + content)
        except OSError:
            return
        self._shrink()

    def clear(self) -> int:
        """Removes all entries and tells how many there were; the folder's other files are left alone."""
        removed = sum(_remove(entry.path) for entry in self._entries())
        with suppress(OSError):
            os.rmdir(self.folder)
        return removed

    def path(self, key: str) -> str:
        """The file that an entry is in, if it is there."""
        return os.path.join(self.folder, key + _SUFFIX)

    def _write(self, path: str, content: bytes) -> None:
        """Writes a file that nobody sees before it is whole."""
        unfinished = f"{path}.{os.urandom(8).hex()}{_UNFINISHED}"
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        try:
            with open(descriptor, "wb") as stream:
                stream.write(content)
            os.replace(unfinished, path)
        except OSError:
            _remove(unfinished)
            raise

    def _shrink(self) -> None:
        used = sorted((status.st_mtime_ns, status.st_size, entry.path) for entry, status in self._sized())
        total = sum(size for _, size, _ in used)
        for _, size, path in used:
            if total <= self.max_bytes:
                return
            _remove(path)
            total -= size

    def _sized(self) -> Iterator[tuple[os.DirEntry[str], os.stat_result]]:
        for entry in self._entries():
            try:
                yield entry, entry.stat(follow_symlinks=False)
            except OSError:  # another process has removed it
                continue

    def _entries(self) -> list[os.DirEntry[str]]:
        """The entries, among them those that processes which died have left unfinished."""
        try:
            with os.scandir(self.folder) as scan:
                return [entry for entry in scan if entry.name.endswith((_SUFFIX, _UNFINISHED))]
        except OSError:
            return []


def _digest(content: bytes) -> bytes:
    from hashlib import sha256

    return sha256(content).digest()


def _is_own(status: os.stat_result) -> bool:
    """Whether a file or folder is this user's, and nobody else may write to it; always where there is no such thing."""
    return not hasattr(os, "geteuid") or (status.st_uid == os.geteuid() and not status.st_mode & 0o022)


def _remove(path: str) -> bool:
    try:
        os.unlink(path)
    except OSError:
        return False
    return True
