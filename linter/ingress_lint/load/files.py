"""Paths to source files: walks folders, reads bytes, decodes them; what cannot be read becomes a problem."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingress_lint.load.document import SourceFile

SUFFIXES: Final = (".yaml", ".yml", ".json")
MAX_BYTES: Final = 32 * 1024 * 1024
"""A larger file is no manifest: the API server refuses objects over 3 MiB (etcd's limit is 1.5 MiB)."""
STANDARD_INPUT: Final = "-"
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SKIPPED_FOLDERS: Final = frozenset({"node_modules", "__pycache__"})


class UnreadableError(Exception):
    """A file that cannot be read as text; the message says why."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read, or a chart folder (`chart` True) whose templates must be rendered first."""

    path: str
    chart: bool = False
    named: bool = False
    """Whether the user named this very file, rather than a folder that holds it."""


def find(path: str) -> Iterator[Found]:
    """The manifests under `path`, sorted; raises `OSError` where `path` itself cannot be opened.

    Symbolic links to files are followed; a folder reached twice, by a loop of links or otherwise, is walked once.
    """
    if path == STANDARD_INPUT:
        yield Found(path, named=True)
    elif os.path.isdir(path):
        os.listdir(path)
        folder = os.path.realpath(path)
        if os.path.basename(folder) == "templates" and os.path.exists(os.path.join(folder, "..", "Chart.yaml")):
            yield Found(os.path.join(path, ".."), chart=True, named=True)
            return
        yield from _walk(path, set(), named=True)
    else:
        with open(path, "rb"):
            yield Found(path, named=True)


def _walk(folder: str, visited: set[tuple[int, int]], *, named: bool = False) -> Iterator[Found]:
    status = os.stat(folder)
    identity = status.st_dev, status.st_ino
    if identity in visited:
        return
    visited.add(identity)
    try:
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError:
        yield Found(folder)
        return
    is_chart = any(entry.name == "Chart.yaml" for entry in entries)
    if is_chart and any(entry.name == "templates" for entry in entries):
        yield Found(folder, chart=True, named=named)
        return
    for entry in entries:
        path = os.path.join(folder, entry.name)
        if entry.name.startswith(".") or entry.name in _SKIPPED_FOLDERS:
            continue
        try:
            is_folder = entry.is_dir()
        except OSError:
            is_folder = False
        if is_folder:
            yield from _walk(path, visited)
        elif entry.name.endswith(SUFFIXES):
            yield Found(path)


def read(path: str) -> SourceFile:
    """The text of a file or of standard input; raises `UnreadableError`."""
    try:
        if path == STANDARD_INPUT:
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with open(path, "rb") as stream:
                data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_BYTES:
        raise UnreadableError(f"larger than {MAX_BYTES // 1024**2} MiB, which no Kubernetes manifest is")
    return SourceFile(display_path(path), decode(data))


def decode(data: bytes) -> str:
    """The text of a manifest: UTF-8, or UTF-16 or UTF-32 with a byte order mark; raises `UnreadableError`.

    A byte that is not UTF-8 becomes U+FFFD, which the loader reports.
    """
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8-sig")
    text = data.decode(encoding, "replace")
    if "\0" in text:
        raise UnreadableError("binary data, not a manifest")
    return text


def display_path(path: str) -> str:
    """`path` relative to the working directory where it lies inside it, with forward slashes."""
    if path == STANDARD_INPUT:
        return path
    relative = os.path.relpath(path) if os.path.isabs(path) else os.path.normpath(path)
    if relative.startswith(".." + os.sep) and os.path.isabs(path):
        relative = path
    return Path(relative).as_posix()
