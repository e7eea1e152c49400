"""Files that lie together and nobody knows why: which of them have to do with one another.

What is left of folders that were taken apart is one unit, though it may be a collection itself: examples, tests and
pages of a manual, each complete without the others. What one file lacks, another that has nothing to do with it does not
show to be missing; and what two such files claim, they claim against each other only if somebody applies both.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Container, Iterable, Sequence, Set
from typing import Protocol

from ingress_lint.load.document import Document


class Naming(Protocol):
    """A file with what it defines and names."""

    @property
    def documents(self) -> Sequence[Document]:
        """Its documents, one at least."""

    @property
    def identities(self) -> Set[tuple[str, str, str, str]]:
        """The group, kind, namespace and name of what it defines."""

    @property
    def names(self) -> Set[str]:
        """What that is called."""

    @property
    def words(self) -> Set[str]:
        """The words that may name an object of another."""


class Gathered:
    """Files by what they have to do with one another: one names an object of another, directly or by others.

    Those of `together` have, whatever they name.
    """

    def __init__(self, files: Sequence[Naming], together: Container[Naming]) -> None:
        self._files = files
        self._together = [number for number, file in enumerate(files) if file in together]
        self._leaders = list(range(len(files)))
        self._naming: defaultdict[str, list[int]] = defaultdict(list)
        for number, file in enumerate(files):
            for word in file.words:
                self._naming[word].append(number)
        for number in self._together:
            self._leaders[number] = self._together[0]
        for number, file in enumerate(files):
            for name in file.names:
                for other in self._naming.get(name, ()):
                    self._leaders[self._leader(other)] = self._leader(number)
        self._kinds: defaultdict[int, set[tuple[str, str]]] = defaultdict(set)
        self._of: dict[Document, int] = {}
        for number, file in enumerate(files):
            leader = self._leader(number)
            self._kinds[leader].update(identity[:2] for identity in file.identities)
            self._of.update(dict.fromkeys(file.documents, number))

    def would_hold(self, group: str, kind: str, name: str) -> bool:
        """Whether a file that names an object has to do with one that holds its like, so that they would hold it as well."""
        naming = self._naming.get(name.partition(".")[0], ())
        return any((group, kind) in self._kinds[self._leader(number)] for number in naming)

    def are_apart(self, document: Document, others: Iterable[Document]) -> bool:
        """Whether others than a document's own file are meant, and no two of them are for one another.

        Those of one folder are where they have to do with one another, those of two folders where one names the other.
        """
        own = self._of.get(document)
        met = [self._of.get(other) for other in others if other.file is not document.file]
        return own is not None and bool(met) and all(one is not None and self._are_two(own, one) for one in met)

    def _are_two(self, one: int, other: int) -> bool:
        if one in self._together and other in self._together:
            return False
        first, second = self._files[one], self._files[other]
        if _folder(first) == _folder(second):
            return self._leader(one) != self._leader(other)
        return first.names.isdisjoint(second.words) and second.names.isdisjoint(first.words)

    def _leader(self, number: int) -> int:
        while (leader := self._leaders[number]) != number:
            self._leaders[number] = self._leaders[leader]
            number = leader
        return number


def _folder(file: Naming) -> str:
    return os.path.dirname(file.documents[0].file.path)
