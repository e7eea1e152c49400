"""Which of the known words was meant by one that is not among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

_LONGEST: Final = 300
"""In characters: names are shorter, and comparing longer texts takes too long."""


def close_matches(word: str, known: Iterable[str], most: int = 1, least: float = 0.6) -> list[str]:
    """At most `most` of the words, the likest first, that are at least as like as `least` (from 0 to 1)."""
    if len(word) > _LONGEST:
        return []
    letters = _letters(word)
    near = [other for other in known if len(other) <= _LONGEST and _likest(letters, other) >= least]
    if not near:
        return []
    from difflib import get_close_matches

    return get_close_matches(word, near, most, least)


def _likest(letters: frozenset[tuple[str, int]], other: str) -> float:
    """How like a word of these letters can be to another one at most, in whatever order they stand."""
    length = len(letters) + len(other)
    return 2 * len(letters & _letters(other)) / length if length else 1.0


@lru_cache(maxsize=4096)
def _letters(word: str) -> frozenset[tuple[str, int]]:
    """The letters of a word, each with how many of them stand before it."""
    seen: Counter[str] = Counter()
    found = []
    for letter in word:
        found.append((letter, seen[letter]))
        seen[letter] += 1
    return frozenset(found)


def likeness(one: str, other: str, least: float = 0.0) -> float:
    """How like two words are, from 0 for nothing in common to 1 for the same; 0 also where it is no more than `least`."""
    if one == other:
        return 1.0
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(None, one[:_LONGEST], other[:_LONGEST])
    if least and (matcher.real_quick_ratio() <= least or matcher.quick_ratio() <= least):  # upper bounds of the ratio
        return 0.0
    ratio = matcher.ratio()
    return ratio if ratio > least else 0.0
