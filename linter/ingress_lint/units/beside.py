"""Plain files, and which of those that lie beside some others are of use to them.

Files that stand apart see no more of what lies beside them than what one of the two refers to: of a collection of examples
each is complete by itself, and what environments share is called by name. Names are looked for in the text, so that every
field that refers counts, annotations and arguments among them.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final

from msgspec import Struct

from ingress_lint.load.document import Document
from ingress_lint.units.plan import Identity
from ingress_lint.values.patterns import deferred

_NAMELESS: Final = deferred(
    r"^[ \t-]*(?:apiGroup|apiVersion|controller|controllerName|group|image|kind|namespace):.*$|^[ \t]*#.*$"
    r"|^[ \t-]*[\"']?[\w.-]+\.[\w-]+/[\w./-]+[\"']?:(?=\s)",
    8,
)
"""Lines whose words name no object, and the keys of annotations and labels, which begin with a domain."""
_WORD: Final = deferred(r"[A-Za-z0-9-]+")
_OF_CLASS: Final = deferred(r"(?i)(?:ingress|gateway)[-.]?class(?:name)?[\"']?[ \t]*[:=][ \t]*[\"']?([a-z0-9-]+)")
"""Names a class: a Service or workload of that name is not meant."""
_CLASS: Final = "class "
"""Stands before what classes are called, which no word of a text has."""
_SETTINGS: Final = frozenset({("", "ConfigMap"), ("apiextensions.k8s.io", "CustomResourceDefinition")})
"""Kinds that are of use to whoever runs beside them, and send no request anywhere."""


class File(Struct, frozen=True, eq=False, dict=True):
    """A file with what it defines."""

    path: str
    documents: tuple[Document, ...]
    identities: frozenset[Identity]

    @cached_property
    def names(self) -> frozenset[str]:
        """What the objects of the file are called, as far as a word of a text can tell."""
        return frozenset(map(called, self.identities))

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of the file that may name an object of another."""
        texts = [document.text for document in self.documents]
        classes = (f"{_CLASS}{name}" for text in texts for name in _OF_CLASS.findall(text))
        words = (word for text in texts for word in _WORD.findall(_NAMELESS.sub("", _OF_CLASS.sub("", text))))
        return frozenset((*words, *classes)) - self.names


def called(identity: Identity) -> str:
    """The word of a text by which an object may be meant."""
    name = identity[-1].partition(".")[0]
    return f"{_CLASS}{name}" if identity[1].endswith("Class") else name


class Beside:
    """The files that stand together in a folder and above it, in groups: those of one folder below it are of use as one."""

    def __init__(self, folder: str, files: Sequence[File], defining: Counter[Identity]) -> None:
        """`defining` counts the files of the run that define each object; of those that repeat one, the nearest are seen."""
        nearer = frozenset[Identity]().union(*(file.identities for file in files if not _above(file.path, folder)))
        files = [file for file in files if not _above(file.path, folder) or file.identities.isdisjoint(nearer)]
        groups: defaultdict[str, list[File]] = defaultdict(list)
        for file in files:
            groups[_place(file.path, folder)].append(file)
        self.files = files
        self._folder = folder
        self._defining = defining
        self._groups = list(groups.values())
        self._named: defaultdict[str, set[int]] = defaultdict(set)
        self._settings: list[File] = []
        for number, group in enumerate(self._groups):
            for file in group:
                if file.identities and all(identity[:2] in _SETTINGS for identity in file.identities):
                    self._settings.append(file)
                for name in file.names:
                    self._named[name].add(number)

    def of_use(self, parts: Sequence[Sequence[File]], users: Iterable[File] = ()) -> list[list[File]]:
        """For each of some parts the files that it refers to, directly or by others, but for those that repeat it.

        Also those of `users` that refer to it, and to none of the others more.
        """
        using = self._users(parts, frozenset(users))
        return [self._opened(part, groups) for part, groups in zip(parts, using, strict=True)]

    def _opened(self, own: Sequence[File], groups: set[int]) -> list[File]:
        defined = frozenset[Identity]().union(*(file.identities for file in own))
        found = dict.fromkeys(file for file in self._settings if file.identities.isdisjoint(defined))
        fresh = [*own, *self._open(groups, defined, found)]
        while fresh:
            words = frozenset[str]().union(*(file.words for file in fresh))
            further = {number for word in words for number in self._named.get(word, ())} - groups
            groups |= further
            fresh = self._open(further, defined, found)
        return list(found)

    def _open(self, groups: Iterable[int], defined: frozenset[Identity], found: dict[File, None]) -> list[File]:
        """The files of groups that repeat nothing of what is defined, which are then found."""
        files = [file for number in sorted(groups) for file in self._groups[number]]
        fresh = [file for file in files if file not in found and file.identities.isdisjoint(defined)]
        found.update(dict.fromkeys(fresh))
        return fresh

    def _users(self, parts: Sequence[Sequence[File]], users: frozenset[File]) -> list[set[int]]:
        """The groups that refer to each of the parts, where it is clear to which they do.

        That are those of whose names they use most, and which define the same. A name that others than the parts define
        tells nothing, unless it is used in the folder of the parts itself.
        """
        defined = [frozenset[Identity]().union(*(file.identities for file in part)) for part in parts]
        times = Counter(identity for part in parts for file in part for identity in file.identities)
        named: defaultdict[str, set[int]] = defaultdict(set)
        named_here: defaultdict[str, set[int]] = defaultdict(set)
        for at, identities in enumerate(defined):
            for identity in identities:
                named_here[called(identity)].add(at)
                if times[identity] == self._defining[identity]:
                    named[called(identity)].add(at)
        found: list[set[int]] = [set() for _ in parts]
        for number, group in enumerate(self._groups):
            words = frozenset[str]().union(*(file.words for file in group if file in users))
            here = (os.path.dirname(group[0].path) or ".") == self._folder
            used = Counter(at for word in words for at in (named_here if here else named).get(word, ()))
            best = [at for at, uses in used.items() if uses == max(used.values())]
            if len({defined[at] for at in best}) == 1:
                for at in best:
                    found[at].add(number)
        return found


def _place(path: str, folder: str) -> str:
    """What a file is in one group with: those of its folder, where that lies below `folder`; else it is alone."""
    lies = os.path.dirname(path) or "."
    return path if lies == folder or _above(path, folder) else lies


def _above(path: str, folder: str) -> bool:
    """Whether a file lies outside of a folder."""
    return folder != "." and not path.startswith(f"{folder}/")
