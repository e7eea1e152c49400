"""Files to text: reads bytes, decodes them; what cannot be read becomes a problem."""

from __future__ import annotations

import codecs
import os
import sys
from typing import Final

from msgspec import Struct

from ingress_lint import inputs
from ingress_lint.inputs import MAX_BYTES
from ingress_lint.load.document import SourceFile
from ingress_lint.values.patterns import deferred
from ingress_lint.values.placeholders import GIT_CRYPT

CHART_FILE: Final = "Chart.yaml"
"""What makes a folder a chart."""
STANDARD_INPUT: Final = "-"
_LONE_RETURN: Final = deferred(r"\r(?!\n)")
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class UnreadableError(Exception):
    """A file that cannot be read as text; the message says why."""


class BinaryError(UnreadableError):
    """A file that is no text; `encrypted` where git-crypt has made it so."""

    def __init__(self, message: str, *, encrypted: bool) -> None:
        super().__init__(message)
        self.encrypted = encrypted


class Found(Struct, frozen=True):
    """A file to read, or a folder that something is built from."""

    path: str
    display: str
    """The path as findings show it."""
    real: str
    """The path without symbolic links, which tells files apart; both are worked out once a folder."""
    named: bool = False
    """Whether the user named this very path, rather than a folder that holds it."""

    @classmethod
    def at(cls, path: str, *, named: bool = False) -> Found:
        """What stands at a path."""
        real = path if path == STANDARD_INPUT else os.path.realpath(path)
        return cls(path, display_path(path), real, named)


def read(found: Found) -> SourceFile:
    """The text of a file or of standard input; raises `UnreadableError`."""
    try:
        if found.path == STANDARD_INPUT:
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
            inputs.unrepeatable()
        else:
            data = inputs.read(found.path)
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_BYTES:
        raise UnreadableError(f"larger than {MAX_BYTES // 1024**2} MiB, which no Kubernetes manifest is")
    return SourceFile(found.display, decode(data))


def decode(data: bytes) -> str:
    """The text of a manifest: UTF-8, or UTF-16 or UTF-32 with a byte order mark; raises `UnreadableError`.

    A byte that is not UTF-8 becomes U+FFFD, which the loader reports. A carriage return that ends a line of itself, as
    YAML has it, becomes a line feed.
    """
    if data.startswith(GIT_CRYPT.encode()):
        raise BinaryError("encrypted by git-crypt", encrypted=True)
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8-sig")
    text = data.decode(encoding, "replace")
    if "\0" in text:
        raise BinaryError("binary data, not a manifest", encrypted=False)
    return _LONE_RETURN.sub("\n", text) if "\r" in text else text


def display_path(path: str) -> str:
    """`path` relative to the working directory where it lies inside it, with forward slashes."""
    if path == STANDARD_INPUT:
        return path
    relative = os.path.relpath(path) if os.path.isabs(path) else os.path.normpath(path)
    if relative.startswith(".." + os.sep) and os.path.isabs(path):
        relative = path
    return relative.replace(os.sep, "/")
