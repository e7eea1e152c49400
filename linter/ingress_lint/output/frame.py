"""Code frames: lines of a file with what they are about underlined, as wide as a terminal shows them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Final, Literal
from unicodedata import category, east_asian_width

from msgspec import Struct

from ingress_lint.load.document import SourceFile
from ingress_lint.load.positions import Location
from ingress_lint.output.sanitize import RUNNER, RUNNER_CELLS, visible

_TAB: Final = "    "
_CUT: Final = "…"
_LONGEST: Final = 6
"""How many lines of a longer span are shown."""
_SEPARATORS: Final = ("---", "...")


class FrameLine(Struct, frozen=True):
    """A line of a frame. `number` is None for the line that underlines and where lines are left out."""

    number: int | None
    text: str
    role: Literal["source", "context", "mark"]


def frame(file: SourceFile, location: Location, mark: str, width: int, context: int = 0) -> list[FrameLine]:
    """The lines at `location`, each about `width` columns wide at most, underlined with `mark`.

    `context` lines stand before and after them, as far as the document reaches and they are not blank.
    """
    line, end_line, end_column = location.line, location.end_line, location.end_column
    if end_column == 1 and end_line > line:
        end_line -= 1
        end_column = len(file.line_text(end_line)) + 1
    before = list(_around(file, range(line - 1, line - 1 - context, -1), width))
    if line == end_line:
        text, left, under = _clip(file.line_text(line), location.column - 1, end_column - 1, width)
        spanned = [FrameLine(line, text, "source"), FrameLine(None, " " * left + mark * under, "mark")]
    else:
        spanned = list(_several(file, line, end_line, end_column, mark, width))
    return [*reversed(before), *spanned, *_around(file, range(end_line + 1, end_line + 1 + context), width)]


def columns(text: str) -> int:
    """How many columns a terminal gives `text`."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(char: str) -> int:
    if category(char) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(char) in ("W", "F") else 1


def _around(file: SourceFile, numbers: Iterable[int], width: int) -> Iterator[FrameLine]:
    for number in numbers:
        line = file.line_text(number)
        if not line.strip() or line.startswith(_SEPARATORS):
            return
        yield FrameLine(number, _clip(line, 0, 0, width)[0], "context")


def _several(file: SourceFile, line: int, end_line: int, end_column: int, mark: str, width: int) -> Iterator[FrameLine]:
    """The lines of a span of several, tied together by a bar."""
    head = _LONGEST - 2 if end_line - line >= _LONGEST else end_line - line
    for number in range(line, line + head):
        text = _clip(file.line_text(number), 0, 0, width - 2)[0]
        yield FrameLine(number, f"{'/' if number == line else '|'} {text}", "source")
    if line + head < end_line:
        yield FrameLine(None, "| ...", "source")
    text, _, under = _clip(file.line_text(end_line), 0, end_column - 1, width - 2)
    yield FrameLine(end_line, f"| {text}", "source")
    yield FrameLine(None, f"|{'_' * under}{mark}", "mark")


def _clip(line: str, start: int, end: int, width: int) -> tuple[str, int, int]:
    """What of `line` to show, and the columns before and of the marks under its characters from `start` to `end`.

    A line that is too long is cut so that it shows where the span starts.
    """
    base = max(0, start - width)
    shown = line[base : base + 4 * width]
    cells = [_TAB if char == "\t" else visible(char) for char in shown]
    for found in RUNNER.finditer(shown):
        cells[found.start() : found.end()] = RUNNER_CELLS
    start, end, rest = min(start - base, len(cells)), min(end - base, len(cells)), len(line) > base + 4 * width
    offsets = list(accumulate(map(columns, cells), initial=0))
    first, last = 0, len(cells)
    if base or offsets[max(start, end)] >= width:
        first = bisect_left(offsets, offsets[start] - width // 3)
    cut_left = bool(base or first)
    room = offsets[first] + width - cut_left
    if rest or offsets[last] > room:
        last, rest = max(start, bisect_right(offsets, room - 1) - 1), True
    text = _CUT * cut_left + "".join(cells[first:last]) + _CUT * rest
    left = offsets[start] - offsets[first] + cut_left
    under = offsets[min(end, last)] - offsets[start] + (end > last)
    return text, left, max(1, under)
