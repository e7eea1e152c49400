"""Block scalars (`|` and `>`): how far they reach, and their value."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from ingress_lint.values.patterns import deferred

HEADER: Final = r"[|>](?:[-+][1-9]?|[1-9][-+]?)?"
"""The regular expression of what opens one: its style, how its last line breaks count, its indentation."""
_MAX_INDENTATION: Final = 200
_LEADING_SPACE: Final = deferred(r"(?: *\n)* *")
_FORBIDDEN: Final = deferred(r"[\x00-\x08\x0b-\x1f\x7f]")


def end_of(header: str, parent: int, text: str, start: int) -> int | None:
    """Where a block scalar of a collection at column `parent` ends; None where that is not certain.

    Its first line starts at `start`.
    """
    indentation = _indentation(header, parent, text, start)
    if indentation is None:
        return None
    following = _line_outside(min(indentation, _MAX_INDENTATION + parent)).search(text, start - 1)
    return following.start() + 1 if following else len(text)


def value_of(header: str, parent: int, lines: str) -> str | None:
    """The value of a block scalar that holds just `lines`; None where that is not certain."""
    indentation = _indentation(header, parent, lines, 0)
    if indentation is None or _FORBIDDEN.search(lines):
        return None
    text = "\n".join(line[indentation:] for line in lines.split("\n"))
    body = text.rstrip("\n")
    breaks = len(text) - len(body)
    if "-" in header or not (body or "+" in header):
        breaks = 0
    elif "+" not in header:
        breaks = min(breaks, 1)
    return (_folded(body) if header[0] == ">" else body) + "\n" * breaks


def length_of(header: str, parent: int, lines: str) -> int:
    """How many characters of `lines` lie before the end that libyaml sees, which leaves out an unfinished empty line."""
    start = lines.rfind("\n") + 1
    unfinished = lines[start:]
    is_content = unfinished.strip(" ") or len(unfinished) > (_indentation(header, parent, lines, 0) or 0)
    return len(lines) if is_content else start


def _indentation(header: str, parent: int, text: str, start: int) -> int | None:
    """How many columns before the content of each line are none of it."""
    if parent > _MAX_INDENTATION:
        return None
    stated = next((int(character) for character in header if character.isdigit()), 0)
    if stated:
        return parent + stated
    match = _LEADING_SPACE.match(text, start)
    space = match.group() if match else ""
    *blank, first = space.split("\n")
    width, blank_width = len(first), max(map(len, blank), default=0)
    next_character = text[start + len(space) : start + len(space) + 1]
    if not next_character or width <= parent:  # there is no content
        return max(width, blank_width, parent + 1)
    if width > _MAX_INDENTATION or next_character == "\t" or blank_width > width:
        return None
    return width


@cache
def _line_outside(indentation: int) -> re.Pattern[str]:
    """Finds the first line with anything left of a column, from the line break before it."""
    return re.compile(rf"\n {{0,{indentation - 1}}}[^ \n]")


def _folded(body: str) -> str:
    """Line breaks between lines of text are spaces, those around indented lines and empty ones stay."""
    folded: list[str] = []
    empty = 0
    was_indented = True  # before the first line, no break is to be folded
    for line in body.split("\n"):
        if not line:
            empty += 1
            continue
        is_indented = line[0] in " \t"
        if was_indented or is_indented:
            folded.append("\n" * (empty + bool(folded)))
        else:
            folded.append("\n" * empty or " ")
        folded.append(line)
        was_indented, empty = is_indented, 0
    return "".join(folded)
