"""Where the lines of a rendered text are written: in a template, in a helper that it includes, or in a file that it reads."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, Literal

from msgspec import Struct

from ingress_lint.build.templates.alignment import aligned
from ingress_lint.build.templates.marking import MARK, Mark
from ingress_lint.build.templates.template import Line, Template
from ingress_lint.load.document import SOURCE_COMMENT
from ingress_lint.values.patterns import deferred

_CHANGING: Final = deferred(r"[0-9a-fA-F]{16,}|[\"']")
"""What may differ between two renderings of one line: hashes, and the quotes of what has a mark in it."""
_KEY: Final = deferred(r"[ \t]*(?:- +)*[^\s:#][^:]*:(?=\s|\Z)")
_HOLE: Final = "\0"


class Written(Struct):
    """Where a line is written.

    `marks` are the lines that had a part, the innermost first: a helper's, then the one that includes it. `number` counts
    the lines that the same marks wrote for the same template, from 0, and `among` says how many there are.
    """

    marks: tuple[Mark, ...]
    certainty: Literal["exact", "likely", "template"] = "exact"
    number: int = 0
    among: int = 1


class _Row(Struct):
    """A line of a rendered text that is not blank, with the numbers of its marks."""

    line: int
    text: str
    marks: tuple[int, ...] = ()


def written(text: str, marked: str, marks: Sequence[Mark]) -> dict[int, Written]:
    """Where each line of a rendered text is written, by its number, as the same text with marks shows it."""
    result: dict[int, Written] = {}
    twins = _rows(marked)
    for source, rows in _rows(text).items():
        others = twins.get(source, [])
        if not any(other.marks for other in others):
            continue
        found = aligned([_plain(row.text) for row in rows], [_plain(other.text) for other in others])
        following = _following(others)
        ranks: defaultdict[tuple[int, ...], list[Written]] = defaultdict(list)
        for row, index in zip(rows, found, strict=True):
            if index is None:
                continue
            other = others[index]
            numbers = tuple(number for number in other.marks if number < len(marks))
            own = bool(numbers)
            numbers = numbers or following[index]
            if not numbers:
                continue
            sure = own and _plain(row.text) == _plain(other.text)
            one = Written(_chain([marks[number] for number in numbers]), "exact" if sure else "likely")
            result[row.line] = one
            one.number = len(ranks[numbers])
            ranks[numbers].append(one)
        for several in ranks.values():
            for one in several:
                one.among = len(several)
        _fill(rows, result)
    return result


def _fill(rows: Sequence[_Row], result: dict[int, Written]) -> None:
    """Takes lines that have no like for written where the one before them is, or the first that is known."""
    known = next((result[row.line] for row in rows if row.line in result), None)
    for row in rows:
        if row.line in result:
            known = result[row.line]
        elif known is not None:
            result[row.line] = Written(known.marks[-1:], "template")


def matched(text: str, source: str, template: Template) -> dict[int, Written]:
    """Where the lines of a rendered text are written that are of one `source`, as far as its template's own text shows it."""
    result: dict[int, Written] = {}
    lines = [*_literal_lines(template)]
    rows = _rows(text).get(source, [])
    found = aligned([_key(row.text) for row in rows], [key for key, _, _ in lines])
    for row, index in zip(rows, found, strict=True):
        if index is not None:
            key, literal, number = lines[index]
            sure = literal.strip() == row.text.strip()
            near = sure or key == _key(row.text)
            mark = Mark(template.file, Line(number, number, [number]), template)
            result[row.line] = Written((mark,), "exact" if sure else "likely" if near else "template")
    _fill(rows, result)
    return result


def _rows(text: str) -> dict[str, list[_Row]]:
    """The lines of each source that are not blank, without their marks."""
    result: defaultdict[str, list[_Row]] = defaultdict(list)
    source = ""
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith(SOURCE_COMMENT):
            source = MARK.sub("", line[len(SOURCE_COMMENT) :]).strip()
        elif line.strip() and not line.startswith("---"):
            found = MARK.findall(line)
            plain = _unmarked(line).rstrip() if found else line.rstrip()
            if plain:
                result[source].append(
                    _Row(number, plain, _marks_of(line) if len(found) > 1 else tuple(map(_number, found)))
                )
    return result


def _unmarked(line: str) -> str:
    return MARK.sub("", line)


def _number(digits: str) -> int:
    return int(digits[:9])


def _marks_of(line: str) -> tuple[int, ...]:
    """The marks of a line; where there is text between them, the last alone, as the line holds what others give."""
    found = [*MARK.finditer(line)]
    start = 0
    for index, (one, following) in enumerate(pairwise(found), 1):
        if line[one.end() : following.start()].strip(" \"'"):
            start = index
    return tuple(_number(one[1]) for one in found[start:])


def _plain(text: str) -> str:
    return _CHANGING.sub("", text).strip()


def _following(rows: Sequence[_Row]) -> list[tuple[int, ...]]:
    """For each row the outermost mark that follows, of the action that wrote it too."""
    result: list[tuple[int, ...]] = []
    following: tuple[int, ...] = ()
    for row in reversed(rows):
        following = row.marks[-1:] or following
        result.append(following)
    return result[::-1]


def _chain(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """The marks without those of lines that only stand behind another of the same text."""
    chain = [marks[0]]
    for mark in marks[1:]:
        last = chain[-1]
        if mark.file is not last.file or mark.line.definition != last.line.definition:
            chain.append(mark)
    return tuple(chain)


def _literal_lines(template: Template) -> Iterator[tuple[str, str, int]]:
    """What each line of a template that writes is told by, its text, and its number."""
    lines = template.file.text.split("\n")
    for line in template.lines:
        for number in line.writing if not line.definition else ():
            text = re.sub(r"\{\{.*?(?:\}\}|\Z)", _HOLE, lines[number - 1]).rstrip()
            yield _key(text), text, number


def _key(text: str) -> str:
    found = _KEY.match(text)
    return found[0] if found is not None else text.strip()
