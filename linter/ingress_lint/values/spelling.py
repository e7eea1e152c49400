"""Which of the known words was meant by one that is not among them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_LONGEST: Final = 300
"""In characters: names are shorter, and comparing longer texts takes too long."""


def close_matches(word: str, known: Iterable[str], most: int = 1, least: float = 0.6) -> list[str]:
    """At most `most` of the words, the likest first, that are at least as like as `least` (from 0 to 1)."""
    from difflib import get_close_matches

    if len(word) > _LONGEST:
        return []
    return get_close_matches(word, [other for other in known if len(other) <= _LONGEST], most, least)


def likeness(one: str, other: str) -> float:
    """How like two words are, from 0 for nothing in common to 1 for the same."""
    from difflib import SequenceMatcher

    return SequenceMatcher(None, one[:_LONGEST], other[:_LONGEST]).ratio()
