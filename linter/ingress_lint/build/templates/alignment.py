"""Lines of two texts that are much the same, paired in n log n."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence


def aligned(lines: Sequence[str], others: Sequence[str]) -> list[int | None]:
    """For each of `lines` the index of its like among `others`, None where it has none.

    Lines between likes that are as many on both sides are paired by their order, though they differ. Those that stand
    only once on both sides part the texts, and what lies between is compared from both ends (patience diff).
    """
    result: list[int | None] = [None] * len(lines)
    start, other = 0, 0
    for index, like in (*_anchors(lines, others), (len(lines), len(others))):
        _pair(lines, others, (start, index), (other, like), result)
        if index < len(lines):
            result[index] = like
        start, other = index + 1, like + 1
    return result


def _pair(
    lines: Sequence[str], others: Sequence[str], span: tuple[int, int], other: tuple[int, int], result: list[int | None]
) -> None:
    """Pairs what two spans have in common at their ends, and all the rest where it is as much."""
    (start, end), (first, last) = span, other
    if end - start == last - first:
        result[start:end] = range(first, last)
        return
    while start < end and first < last and lines[start] == others[first]:
        result[start] = first
        start, first = start + 1, first + 1
    while start < end and first < last and lines[end - 1] == others[last - 1]:
        end, last = end - 1, last - 1
        result[end] = last


def _anchors(lines: Sequence[str], others: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The longest run, in order on both sides, of lines that stand once on each."""
    counts, other_counts = Counter(lines), Counter(others)
    where = {line: index for index, line in enumerate(others) if other_counts[line] == 1}
    pairs = [(index, where[line]) for index, line in enumerate(lines) if counts[line] == 1 and line in where]
    tails: list[int] = []  # the least end of a run of each length, as patience sorting keeps it
    at: list[int] = []
    before: list[int | None] = []
    for number, (_, other) in enumerate(pairs):
        length = bisect_left(tails, other)
        before.append(at[length - 1] if length else None)
        if length == len(tails):
            tails.append(other)
            at.append(number)
        else:
            tails[length], at[length] = other, number
    chain: list[tuple[int, int]] = []
    number_of = at[-1] if at else None
    while number_of is not None:
        chain.append(pairs[number_of])
        number_of = before[number_of]
    yield from reversed(chain)
