"""One file's text to documents, and which of them are worth parsing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from ingress_lint.load.document import Document, SourceFile

_SEPARATOR: Final = re.compile(r"^---(?:[ \t][^\n]*)?\r?$|^---(?=[ \t]+\S)|^\.\.\.[ \t]*\r?$", re.MULTILINE)
_OPENING_LINE: Final = re.compile(r"---[ \t]*(?:#[^\n]*)?\r?\n?\Z|---[ \t]*(?:#[^\n]*)?\r?\n")
_KIND: Final = re.compile(r"""^(?:\{?[ \t]*)?["']?kind["']?[ \t]*:[ \t]*["']?([A-Za-z0-9.\-]+)""", re.MULTILINE)
_ANY_KIND: Final = re.compile(r"""["']kind["']\s*:\s*["']([A-Za-z0-9.\-]+)["']""")
_FLOW_START: Final = re.compile(r"\s*(?:#[^\n]*\n\s*)*[{\[]")
_CONTENT: Final = re.compile(r"^(?![ \t]*(?:#|\r?$))", re.MULTILINE)


def split(
    file: SourceFile,
    set_name: str,
    reported: bool,
    wanted: Callable[[str, str], bool],
    *,
    kindless: bool = False,
) -> Iterator[Document]:
    """The documents of a file that may hold Kubernetes objects, in order.

    A stream is cut at every `---` at the start of a line, which YAML forbids inside a document. Text without a
    `kind` is no Kubernetes object and is passed over, unless it may hide one in flow style. `wanted(kind, text)` says
    whether to parse a document of that kind; the others are yielded too, to be counted. `kindless` keeps the text
    without a kind too, where there is reason to believe that one is hidden in it.
    """
    text = file.text
    index = 0
    for start, end in _slices(text):
        kind = _kind(text, start, end)
        if kind is None:
            if not _CONTENT.search(text, start, end):
                continue
            if not kindless:
                index += 1
                continue
        document = Document(file, index, start, end, kind or "", set_name=set_name, reported=reported)
        document.parsed = kind is None or wanted(kind, document.text)
        index += 1
        yield document


def _slices(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for separator in _SEPARATOR.finditer(text):
        yield start, separator.start()
        opening = _OPENING_LINE.match(text, separator.start())
        # `--- {"a": 1}` opens a document with content on its own line; libyaml reads the dashes itself
        start = (
            opening.end()
            if opening
            else separator.start()
            if text.startswith("---", separator.start())
            else separator.end()
        )
    yield start, len(text)


def _kind(text: str, start: int, end: int) -> str | None:
    match = _KIND.search(text, start, end)
    if match:
        return match.group(1)
    if _FLOW_START.match(text, start, end):
        match = _ANY_KIND.search(text, start, end)
        return match.group(1) if match else None
    return None
