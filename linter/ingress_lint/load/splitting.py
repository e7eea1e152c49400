"""One file's text to documents, and which of them are worth parsing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from ingress_lint.load.document import Document, SourceFile
from ingress_lint.values.patterns import deferred

_SEPARATOR: Final = deferred(r"---(?:[ \t][^\n]*)?\r?$|---(?=[ \t]+\S)|\.\.\.[ \t]*\r?$", re.MULTILINE)
_DASHES: Final = "---"
_BYTE_ORDER_MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
_DOTS: Final = "..."
_OPENING_LINE: Final = deferred(r"---[ \t]*(?:#[^\n]*)?\r?\n?\Z|---[ \t]*(?:#[^\n]*)?\r?\n")
_BREAKS: Final = r"\n\r\x85\u2028\u2029"
_SKIPPED: Final = rf"(?:[ \t]*(?:#[^{_BREAKS}]*)?\r?\n)*"
_KIND_LINE: Final = deferred(r"""kind:[ \t]+(["']?)([A-Za-z0-9.\-]+)""")
_AFTER_KIND: Final = deferred(rf"[ \t]*(?:[ \t]#[^{_BREAKS}]*)?(?:\r?\n{_SKIPPED}(?=[A-Za-z]|\Z)|\Z)")
_BEFORE_KIND: Final = deferred(rf"(?:{_SKIPPED}[A-Za-z]+:[ \t]+[A-Za-z0-9./\-]+)*{_SKIPPED}")
_ANOTHER_KIND: Final = deferred(r"\n(?:kind|[^A-Za-z0-9_\-#\s])")
_KIND_SOMEWHERE: Final = deferred(r"""kind["']?\s*[:#]|\\(?:[xuU]|\r?\n)|\*[^\s*]+\s+:""")
"""A key `kind` in one of its spellings: a comment may follow it, escapes or an alias may stand for it."""
_OF_A_KIND: Final = deferred(
    r"""^(?:\{?[ \t]*)?["']?kind["']?[ \t]*:[ \t]*(?:[&!]\S*[ \t]+)*["']?[A-Za-z0-9.\-]""", re.MULTILINE
)
_OF_A_KIND_IN_JSON: Final = deferred(r"""["']kind["']\s*:\s*["'][A-Za-z0-9.\-]""")
_OF_A_KIND_IN_FLOW: Final = deferred(r"""[{,]\s*kind\s*:\s+["']?[A-Za-z0-9.\-]""")
_FLOW_START: Final = deferred(r"\s*(?:#[^\n]*\n\s*)*(?:---\s+)?[{\[]")
_NEXT_OBJECT: Final = deferred(r"\}\s*\{")
_NO_SPACE: Final = deferred(r"(?=\S)|\Z")
_LOOKED_AT: Final = 200
"""How many characters of white space may stand before a stream of JSON objects."""
_CONTENT: Final = deferred(r"^(?![ \t]*(?:#|\r?$))", re.MULTILINE)


def split(
    file: SourceFile,
    reported: bool,
    wanted: Callable[[str, str], bool],
    *,
    kindless: bool = False,
) -> Iterator[Document]:
    """The documents of a file that may hold Kubernetes objects, in order.

    A stream is cut at every `---` at the start of a line, which YAML forbids inside a document, and where one JSON object
    follows another. `wanted(kind, text)` says
    whether to parse a document of that kind; the others are yielded too, to be counted. What kind a document is of may
    only show when it is parsed: then its `kind` is empty. Text that certainly has no `kind` is no Kubernetes object and is
    passed over; `kindless` keeps it, where there is reason to believe that one is hidden in it.
    """
    text = file.text
    index = 0
    for start, end in _slices(text):
        line = _kind_line(text, start, end)
        kind = line[2] if line else ""
        if line is None and not text.startswith("{", start) and not _CONTENT.search(text, start, end):
            continue
        if line is None and not kindless and not _KIND_SOMEWHERE.search(text, start, end):
            index += 1
            continue
        document = Document(file, index, start, end, kind, parsed=True, reported=reported)
        if line is not None and not wanted(kind, document.text):
            if _is_certain(text, start, end, line):
                document.parsed = False
            else:
                document.kind = ""
        index += 1
        yield document


def seems_of_a_kind(text: str) -> bool:
    """Whether a document that cannot be parsed was to be a Kubernetes object, as it has a key `kind` with a value."""
    if _OF_A_KIND.search(text):
        return True
    opening = _FLOW_START.match(text)
    if opening is None:
        return False
    is_template = text.startswith("{{", opening.end() - 1)
    return bool(_OF_A_KIND_IN_JSON.search(text) or (not is_template and _OF_A_KIND_IN_FLOW.search(text)))


def _kind_line(text: str, start: int, end: int) -> re.Match[str] | None:
    """The first line that gives a kind."""
    at = start if text.startswith("kind:", start) else text.find("\nkind:", start, end) + 1
    return _KIND_LINE.match(text, at, end) if at >= start else None


def _is_certain(text: str, start: int, end: int, line: re.Match[str]) -> bool:
    """Whether a line with a kind says what a document's kind is.

    It does not where it is part of text or of a collection in brackets, where its value goes on, or where another key
    may say `kind` again.
    """
    quote = line[1]
    value_end = line.end() + len(quote)
    return (
        text.startswith(quote, line.end())
        and _BEFORE_KIND.fullmatch(text, start, line.start()) is not None
        and _AFTER_KIND.match(text, value_end, end) is not None
        and _ANOTHER_KIND.search(text, value_end, end) is None
    )


def _slices(text: str) -> Iterator[tuple[int, int]]:
    for start, end in _yaml_slices(text):
        while text.startswith(_BYTE_ORDER_MARK, start, end):  # YAML allows one before every document
            start += 1  # noqa: PLW2901
        yield from _json_slices(text, start, end)


def _json_slices(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The JSON objects of a stream, as `jq` writes one after another; the whole slice where it is none."""
    opened = text[start : start + _LOOKED_AT].lstrip().startswith("{")
    if not opened or _NEXT_OBJECT.search(text, start, end) is None:
        yield start, end
        return
    from json import JSONDecodeError, JSONDecoder

    decode = JSONDecoder().raw_decode
    found: list[tuple[int, int]] = []
    at = start
    try:
        while (at := _NO_SPACE.search(text, at, end).start()) < end:  # type: ignore[union-attr]
            _, closed = decode(text, at)
            found.append((at, closed))
            at = closed
    except (JSONDecodeError, RecursionError):
        found = []
    yield from found if len(found) > 1 and found[-1][1] <= end else [(start, end)]


def _yaml_slices(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for at in sorted([*_lines_with(_DASHES, text), *_lines_with(_DOTS, text)]):
        separator = _SEPARATOR.match(text, at)
        if separator is None:
            continue
        yield start, at
        opening = _OPENING_LINE.match(text, at)
        # `--- {"a": 1}` opens a document with content on its own line; libyaml reads the dashes itself
        start = opening.end() if opening else at if text.startswith(_DASHES, at) else separator.end()
    yield start, len(text)


def _lines_with(beginning: str, text: str) -> Iterator[int]:
    """Where the lines start that begin so."""
    if text.startswith(beginning):
        yield 0
    line_break = f"\n{beginning}"
    at = text.find(line_break)
    while at >= 0:
        yield at + 1
        at = text.find(line_break, at + 1)
