"""Which few of many names to compare with one that was probably misspelt."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, Generic, TypeVar

from ingress_lint.values.patterns import deferred

_COMPARED: Final = 60
"""With so many names or fewer, all are worth comparing."""
_EACH_WAY: Final = 10
_WORD: Final = deferred(r"[a-z0-9]+")
Named = TypeVar("Named")


class LikenessIndex(Generic[Named]):
    """Finds what has a similar name: the same rare word, or the same beginning or end."""

    def __init__(self, named: Iterable[tuple[str, Named]]) -> None:
        self._named: list[tuple[str, Named]] = sorted(named, key=lambda pair: pair[0])
        self._names = [name for name, _ in self._named]
        backwards = sorted((name[::-1], number) for number, name in enumerate(self._names))
        self._backwards = [name for name, _ in backwards]
        self._from_backwards = [number for _, number in backwards]
        self._by_word: defaultdict[str, list[int]] = defaultdict(list)
        for number, name in enumerate(self._names):
            for word in set(_WORD.findall(name)):
                self._by_word[word].append(number)

    def candidates(self, name: str) -> list[Named]:
        """Everything where that is little, else what is likely to have the most similar names."""
        if len(self._named) <= _COMPARED:
            return [found for _, found in self._named]
        return [self._named[number][1] for number in dict.fromkeys(self._likely(name))]

    def _likely(self, name: str) -> Iterator[int]:
        at = bisect_left(self._names, name)
        yield from range(max(0, at - _EACH_WAY), min(len(self._names), at + _EACH_WAY))
        at = bisect_left(self._backwards, name[::-1])
        yield from self._from_backwards[max(0, at - _EACH_WAY) : at + _EACH_WAY]
        known = [self._by_word[word] for word in set(_WORD.findall(name)) if word in self._by_word]
        for numbers in sorted(known, key=len):
            yield from numbers[:_EACH_WAY]
