"""What a run looks at besides its options: files, folders, tools and the clock.

Whatever can change what a run says is looked at through these functions, in whatever stage that happens. Where somebody
is `noting`, they note what they saw, so that a later run can tell whether it would see the same.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from types import ModuleType
from typing import Final, Literal, TypeVar

from msgspec import Struct, field

MAX_BYTES: Final = 32 * 1024 * 1024
"""A larger file is no manifest: the API server refuses objects over 3 MiB (etcd's limit is 1.5 MiB)."""
MAX_FOLDERS: Final = 100
"""How deep folders are walked; every repository is far from it."""
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_DESCRIPTORS: Final = "/dev/fd/"
"""Where the output of a command stands for a file, as in `ingress-lint <(kustomize build)`."""
_CHUNK: Final = 1 << 20
_UNREADABLE: Final = b""
_COMPILED: Final = "__pycache__"
_NEVER: Final = datetime.max.replace(tzinfo=UTC)

Kind = Literal["", "file", "folder", "other"]
"""What stands at a path, links followed; empty where nothing does."""
Code = tuple[tuple[str, int, int], ...]
"""The path, the time of change in nanoseconds and the size of each file of a package."""
ToolState = tuple[str, int, int]
"""The path, the time of change in nanoseconds and the size of a binary."""
Seen = TypeVar("Seen")


class Noted(Struct):
    """What a run saw, by path. Digests are empty for what could not be read."""

    now: datetime | None = None
    """When the run takes place, None where its options say at what time certificates must be valid."""
    files: dict[str, bytes] = field(default_factory=dict)
    """The digest of each file's content."""
    folders: dict[str, bytes] = field(default_factory=dict)
    """The digest of each folder's entries: their names, and what each is."""
    kinds: dict[str, Kind] = field(default_factory=dict)
    """What stood at paths of which nothing else was asked."""
    matches: dict[str, bytes] = field(default_factory=dict)
    """The digest of the paths that fit each pattern."""
    links: dict[str, str] = field(default_factory=dict)
    """Where paths lead to."""
    tools: dict[str, ToolState] = field(default_factory=dict)
    """The binary behind each command."""
    code: dict[str, Code] = field(default_factory=dict)
    """The files of the packages whose code ran, by where each package lies."""
    since: datetime | None = None
    until: datetime | None = None
    """The moments between which the clock says nothing else."""
    repeatable: bool = True
    """False where the run saw what no other run will: standard input, a file as it changed, a time limit."""


_noted: Noted | None = None


@contextmanager
def noting(now: datetime | None) -> Iterator[Noted]:
    """Notes what this process sees until the end of the block; whoever was noting before notes it, too."""
    global _noted  # noqa: PLW0603
    outer = _noted
    _noted = noted = Noted(now)
    try:
        yield noted
    finally:
        _noted = outer
    note_all(noted)
    _condense(noted)


def noting_within() -> AbstractContextManager[Noted]:
    """Notes what a part of the run sees, at the time of the whole."""
    return noting(_noted.now if _noted is not None else None)


# -- looking ----------------------------------------------------------------------------------------------------------


def read(path: str) -> bytes:
    """What a file holds, of one that is larger than `MAX_BYTES` so many and one more.

    Raises `OSError`, also for a pipe, a device or a socket.
    """
    if _noted is None:
        return _content(path)
    try:
        data = _content(path)
    except OSError:
        _note(_noted.files, path, _UNREADABLE)
        raise
    _note(_noted.files, path, _digest(data))
    return data


def look_at(path: str) -> bytes:
    """The digest of a file that another program reads, empty where it cannot be read; noted files are not read again."""
    known = _noted.files.get(path) if _noted is not None else None
    digest = _digest_again(path) if known is None else known
    if _noted is not None:
        _note(_noted.files, path, digest)
    return digest


def entries(folder: str) -> list[os.DirEntry[str]]:
    """The entries of a folder, by name. Raises `OSError`."""
    if _noted is None:
        return _entries(folder)
    try:
        found = _entries(folder)
    except OSError:
        _note(_noted.folders, folder, _UNREADABLE)
        raise
    _note(_noted.folders, folder, _listing(found))
    return found


def walk(folder: str, depth: int = 0) -> Iterator[tuple[str, list[str], list[str]]]:
    """Each folder from here down, with the names of the folders and of the other entries in it, as `os.walk` has them.

    Links to folders are among the folders, and not followed; nor is what the caller takes out of the list, or what lies
    more than `MAX_FOLDERS` deep.
    """
    try:
        found = entries(folder)
    except OSError:
        return
    within = {entry.name: entry for entry in found if entry.is_dir()}
    names = list(within)
    yield folder, names, [entry.name for entry in found if entry.name not in within]
    for name in names:
        if depth < MAX_FOLDERS and not within[name].is_symlink():
            yield from walk(within[name].path, depth + 1)


def matching(pattern: str) -> list[str]:
    """The paths that fit a pattern as `glob` has them, hidden ones aside, ordered."""
    found = _matching(pattern)
    if _noted is not None:
        _note(_noted.matches, pattern, _names(found))
    return found


def exists(path: str) -> bool:
    """Whether anything stands at a path."""
    return _kind_of(path) != ""


def is_file(path: str) -> bool:
    """Whether a path leads to a file."""
    return _kind_of(path) == "file"


def is_folder(path: str) -> bool:
    """Whether a path leads to a folder."""
    return _kind_of(path) == "folder"


def real_path(path: str) -> str:
    """Where a path leads to, all links followed."""
    found = os.path.realpath(path)
    if _noted is not None:
        _note(_noted.links, path, found)
    return found


def real_path_in(folder: str, path: str) -> str:
    """Where a path leads to from a folder, which is a real path itself; looks only at what the path adds to that."""
    if os.path.isabs(path):
        return real_path(path)
    real = folder
    for part in path.split(os.sep):
        if part == os.pardir:
            real = os.path.dirname(real)
        elif part not in ("", os.curdir):
            real = os.path.join(real, part)
            if os.path.islink(real):
                return real_path(os.path.join(folder, path))
    return real


def tool(command: str) -> str | None:
    """The binary that a command runs, None where it is not on PATH."""
    return tool_state(command)[0] or None


def tool_state(command: str) -> ToolState:
    """What tells the binary that a command runs from another; its path is empty where it is not on PATH."""
    found = _tool(command)
    if _noted is not None:
        _note(_noted.tools, command, found)
    return found


def code(module: ModuleType) -> None:
    """Notes the code of a package or a module, which may be edited where it lies."""
    if _noted is not None:
        for place in getattr(module, "__path__", None) or [module.__file__ or ""]:
            _note(_noted.code, place, _code_at(place))


def moments(*changes: datetime) -> None:
    """Notes moments at which what the clock says changes."""
    if _noted is not None and _noted.now is not None:
        for change in changes:
            if change < _noted.now:
                _noted.since = max(change, _noted.since or change)
            else:
                _noted.until = min(change, _noted.until or change)


def note_all(noted: Noted) -> None:
    """Notes all that was noted elsewhere."""
    if _noted is not None:
        for name in ("files", "folders", "kinds", "matches", "links", "tools", "code"):
            for path, state in getattr(noted, name).items():
                _note(getattr(_noted, name), path, state)
        moments(*(moment for moment in (noted.since, noted.until) if moment is not None))
        _noted.repeatable = _noted.repeatable and noted.repeatable


def unrepeatable() -> None:
    """Notes that this run saw what no other one will."""
    if _noted is not None:
        _noted.repeatable = False


def _kind_of(path: str) -> Kind:
    found = _kind(path)
    if _noted is not None:
        _note(_noted.kinds, path, found)
    return found


def _condense(noted: Noted) -> None:
    """Drops what is noted twice: of a file by two paths, of what stands in a folder by the folder's listing."""
    listed = {os.path.abspath(folder) for folder, listing in noted.folders.items() if listing}
    noted.kinds = {path: found for path, found in noted.kinds.items() if os.path.dirname(path) not in listed}
    relative = {os.path.abspath(path) for path in noted.files if not os.path.isabs(path)}
    noted.files = {path: digest for path, digest in noted.files.items() if path not in relative}


def _note(seen: dict[str, Seen], path: str, state: Seen) -> None:
    if seen.setdefault(path, state) != state:
        unrepeatable()


def lies_in(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it; both are real ones."""
    return f"{path}{os.sep}".startswith(folder.rstrip(os.sep) + os.sep)


def repository(folder: str) -> str | None:
    """The top folder of the git repository around a folder."""
    while not exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


# -- looking again ----------------------------------------------------------------------------------------------------


def holds(noted: Noted, now: datetime | None) -> bool:
    """Whether a run at the time `now` would see what was noted; None for one whose options name the time."""
    if now is not None and not ((noted.since or datetime.min.replace(tzinfo=UTC)) < now < (noted.until or _NEVER)):
        return False
    return (
        all(os.path.realpath(path) == led for path, led in noted.links.items())
        and all(_code_at(place) == files for place, files in noted.code.items())
        and all(_tool(command) == found for command, found in noted.tools.items())
        and all(_listing_again(folder) == listing for folder, listing in noted.folders.items())
        and all(_names(_matching(pattern)) == names for pattern, names in noted.matches.items())
        and all(_kind(path) == found for path, found in noted.kinds.items())
        and all(_digest_again(path) == digest for path, digest in noted.files.items())
    )


def _listing_again(folder: str) -> bytes:
    try:
        return _listing(_entries(folder))
    except OSError:
        return _UNREADABLE


def _digest_again(path: str) -> bytes:
    try:
        return _digest(_content(path))
    except OSError:
        return _UNREADABLE


# -- what is seen -----------------------------------------------------------------------------------------------------


def _content(path: str) -> bytes:
    descriptor = os.open(path, _FLAGS)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISFIFO(status.st_mode) and path.startswith(_DESCRIPTORS):
            os.set_blocking(descriptor, True)
        elif not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            raise OSError(errno.EINVAL, "no regular file")  # what a pipe or a device holds may never end
        data = os.read(descriptor, min(status.st_size, MAX_BYTES) + 1)
        while data and len(data) != status.st_size and len(data) <= MAX_BYTES:  # it grew, or it is of `/proc`
            more = os.read(descriptor, _CHUNK)
            if not more:
                break
            data += more
    finally:
        os.close(descriptor)
    return data


def _digest(data: bytes) -> bytes:
    from hashlib import sha256

    return sha256(data).digest()


def _entries(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as scan:
        return sorted(scan, key=lambda entry: entry.name)


def _listing(found: Sequence[os.DirEntry[str]]) -> bytes:
    return _digest(os.fsencode("\0".join(entry.name + _what(entry) for entry in found)))


def _what(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return f"/{_kind(entry.path)}/{os.path.realpath(entry.path)}"
    if entry.is_dir(follow_symlinks=False):
        return "/folder"
    return "/file" if entry.is_file(follow_symlinks=False) else "/other"


def _matching(pattern: str) -> list[str]:
    from glob import glob

    return sorted(glob(pattern, recursive=True))


def _names(paths: Sequence[str]) -> bytes:
    return _digest(os.fsencode("\0".join(paths)))


def _kind(path: str) -> Kind:
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return ""
    if stat.S_ISREG(mode):
        return "file"
    return "folder" if stat.S_ISDIR(mode) else "other"


def _tool(command: str) -> ToolState:
    import shutil

    path = shutil.which(command)
    try:
        status = os.stat(path) if path else None
    except OSError:
        status = None
    return (path, status.st_mtime_ns, status.st_size) if path and status else ("", 0, 0)


def _code_at(place: str) -> Code:
    """The files of a package's folder, or of a module alone; none where they cannot be looked at."""
    try:
        return tuple(sorted(_code_files(place)))
    except OSError:
        return ()


def _code_files(place: str) -> Iterator[tuple[str, int, int]]:
    if not os.path.isdir(place):
        status = os.stat(place)
        yield "", status.st_mtime_ns, status.st_size
        return
    with os.scandir(place) as scan:
        for entry in scan:
            if not entry.is_dir():
                status = entry.stat()
                yield entry.name, status.st_mtime_ns, status.st_size
            elif entry.name != _COMPILED:
                yield from ((f"{entry.name}/{path}", changed, size) for path, changed, size in _code_files(entry.path))
