"""Where the lines of a rendered text are written: in a template, in a helper that it includes, or in a file that it reads."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Final, Literal

from msgspec import Struct

from ingress_lint.build.templates.alignment import aligned
from ingress_lint.build.templates.marking import MARK, Mark
from ingress_lint.load.document import SOURCE_COMMENT
from ingress_lint.values.numbers import whole
from ingress_lint.values.patterns import deferred

_CHANGING: Final = deferred(r"[0-9a-fA-F]{16,}|[\"']")
"""What may differ between two renderings of one line: hashes, and the quotes of what has a mark in it."""
_KEY: Final = deferred(r"[ \t]*(?:- +)*[^\s:#][^:]*:(?=\s|\Z)")


class Written(Struct):
    """Where a line is written, and how sure that is.

    `marks` are the lines that had a part, the innermost first: a helper's, then the one that includes it. `number` counts
    the lines that the same marks wrote for the same template, from 0, and `among` says how many there are.
    """

    marks: tuple[Mark, ...]
    certainty: Literal["exact", "likely", "template"] = "exact"
    number: int = 0
    among: int = 1


class Row(Struct):
    """A line of a rendered text that is not blank, with the numbers of its marks, and of the line where its document begins."""

    line: int
    document: int
    text: str
    marks: tuple[int, ...] = ()


Rows = Mapping[str, Sequence[Row]]


def written(text: Rows, marked: Rows, marks: Sequence[Mark]) -> dict[int, Written]:
    """Where each line of a rendered text is written, by its number, as the same text with marks shows it."""
    result: dict[int, Written] = {}
    for source, rows in text.items():
        ranks: defaultdict[tuple[int, ...], list[Written]] = defaultdict(list)
        for own, twins in _paired(rows, marked.get(source, ())):
            _align(own, twins, marks, ranks, result)
        for several in ranks.values():
            for number, one in enumerate(several):
                one.number, one.among = number, len(several)
        fill(rows, result)
    return result


def _paired(rows: Sequence[Row], twins: Sequence[Row]) -> Iterator[tuple[list[Row], list[Row]]]:
    """The documents of one source in two renderings, which need not have them in one order: by kind and name, then by order."""
    waiting: defaultdict[tuple[str, ...], deque[list[Row]]] = defaultdict(deque)
    for document in _documents(twins):
        waiting[_identity(document)].append(document)
    unpaired = []
    for document in _documents(rows):
        known = waiting.get(_identity(document))
        if known:
            yield document, known.popleft()
        else:
            unpaired.append(document)
    yield from zip(unpaired, (document for known in waiting.values() for document in known), strict=False)


def _documents(rows: Sequence[Row]) -> list[list[Row]]:
    return [list(own) for _, own in groupby(rows, key=lambda row: row.document)]


def _identity(document: Sequence[Row]) -> tuple[str, ...]:
    """What tells a document from others: its kind and name, as they are written at its top."""
    kind = next((row.text for row in document if row.text.startswith("kind:")), "")
    name = next((row.text for row in document if row.text.startswith("  name:")), "")
    return _plain(kind), _plain(name)


def _align(
    rows: Sequence[Row],
    twins: Sequence[Row],
    marks: Sequence[Mark],
    ranks: defaultdict[tuple[int, ...], list[Written]],
    result: dict[int, Written],
) -> None:
    """Finds where the lines of one document are written; `ranks` gets them by their marks."""
    owns = [tuple(number for number in twin.marks if number < len(marks)) for twin in twins]
    beside = _beside(owns)
    found = aligned([_plain(row.text) for row in rows], [_plain(twin.text) for twin in twins])
    for row, index in zip(rows, found, strict=True):
        if index is None:
            continue
        own = owns[index]
        numbers = own or beside[index]
        if numbers:
            # a value may be made anew each time
            sure = own and _key(_plain(row.text)) == _key(_plain(twins[index].text))
            one = Written(_chain([marks[number] for number in numbers]), "exact" if sure else "likely")
            result[row.line] = one
            if own:
                ranks[own].append(one)


def fill(rows: Sequence[Row], result: dict[int, Written]) -> None:
    """Takes lines that have no like for written where the one before them is, or the first that is known."""
    known = next((result[row.line] for row in rows if row.line in result), None)
    for row in rows:
        if row.line in result:
            known = result[row.line]
        elif known is not None:
            result[row.line] = Written(known.marks[-1:], "template")


def rows_of(text: str, first: int = 1) -> Rows:
    """The lines, numbered from `first`, of a rendered text that are not blank, by the template that helm says wrote them."""
    result: defaultdict[str, list[Row]] = defaultdict(list)
    source, document = "", first - 1
    for number, line in enumerate(text.split("\n"), first):
        if line.startswith(SOURCE_COMMENT):
            source = MARK.sub("", line[len(SOURCE_COMMENT) :]).strip()
        elif line.startswith("---"):
            document = number
        else:
            found = [*MARK.finditer(line)]
            plain = (MARK.sub("", line) if found else line).rstrip()
            if plain:
                result[source].append(Row(number, document, plain, _marks_of(line, found)))
    return result


def _marks_of(line: str, found: Sequence[re.Match[str]]) -> tuple[int, ...]:
    """The marks of a line; where there is text between them, the last alone, as the line holds what others give."""
    start = 0
    for index, (one, following) in enumerate(pairwise(found), 1):
        if line[one.end() : following.start()].strip(" \"'"):
            start = index
    return tuple(number for one in found[start:] if (number := whole(one[1])) is not None)


def _plain(text: str) -> str:
    return _CHANGING.sub("", text).strip()


def _beside(owns: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """For each line of a document the outermost mark that follows, of the action that wrote it too, else the last before it."""
    result: list[tuple[int, ...]] = [()] * len(owns)
    for order in (range(len(owns) - 1, -1, -1), range(len(owns))):
        known: tuple[int, ...] = ()
        for index in order:
            known = owns[index][-1:] or known
            result[index] = result[index] or known
    return result


def _chain(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """The marks without those of lines that only stand behind another of the same text."""
    chain = [marks[0]]
    for mark in marks[1:]:
        last = chain[-1]
        if mark.file is not last.file or mark.line.definition != last.line.definition:
            chain.append(mark)
    return tuple(chain)


def _key(text: str) -> str:
    found = _KEY.match(text)
    return found[0] if found is not None else text.strip()
