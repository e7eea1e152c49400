"""Plain folders: what lies together is one unit, but for what repeats itself; there each repetition is one.

A folder is one unit unless two of its subfolders define the same object: then each of these is one, and sees the files
above it and beside it that repeat nothing and have to do with it (`Beside`). In one folder, files for different
environments (`service-qa`) and files that repeat most of one another's objects (`install`, `install-ha`), or one object
among three or more of them, stand apart in the same way. Where most of a folder stands apart it is a collection of
examples, and what repeats nothing stands apart as well.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct, field

from ingress_lint.load.document import Document
from ingress_lint.units.beside import Beside, File
from ingress_lint.units.gathered import Gathered
from ingress_lint.units.plan import Identities, Identity, Plan, Unit

KIND: Final = "folder"
_ENVIRONMENTS: Final = frozenset(
    [
        "acc",
        "acceptance",
        "canary",
        "dev",
        "develop",
        "development",
        "int",
        "integration",
        "live",
        "local",
        "preprod",
        "preview",
        "prod",
        "production",
        "qa",
        "sandbox",
        "stage",
        "staging",
        "stg",
        "test",
        "testing",
        "uat",
    ]
)
_SEPARATORS: Final = "-_."
_MOST_SHARED: Final = 20_000
"""How many files the units of a folder may see in sum of what lies beside them; where it were more, they see none."""
_MOST_DUPLICATES: Final = 2
"""In how many files of a folder one object may stand by mistake; more of them are each an example of its own."""
_SHARED_KINDS: Final = frozenset({("", "Namespace")})
"""Whoever puts something into a namespace may bring it along; two that do are no alternatives."""


class _Folder(Struct, eq=False):
    path: str
    files: list[File] = field(default_factory=list)
    folders: dict[str, _Folder] = field(default_factory=dict)
    identities: set[Identity] = field(default_factory=set)
    """What the files in it and below it define."""


class _Part(Struct, frozen=True, eq=False):
    """Files of one folder that stand apart from its others."""

    name: str
    path: str
    files: Sequence[File]
    is_rest: bool = False
    """Whether they are what is left of folders of which others were taken apart."""


def plans(files: Iterable[tuple[Document, ...]], identities: Identities) -> Iterator[Plan]:
    """The plans of plain files, each given as its documents; `identities` tells what a document defines."""
    read = [_file(documents, identities) for documents in files]
    if not read:
        return
    top = _tree(read)
    together, units = _Divider(read).divided(top, (), ())
    if together:
        units.insert(0, _plan(_Part(top.path, top.path, together, is_rest=bool(units)), together))
    yield from units


def _file(documents: tuple[Document, ...], identities: Identities) -> File:
    defined = (identity for document in documents for identity in identities(document))
    own = frozenset(identity for identity in defined if identity[:2] not in _SHARED_KINDS)
    return File(documents[0].file.path, documents, own)


def _plan(part: _Part, files: Iterable[File]) -> Plan:
    """The plan of a part, with the files that it sees."""
    ordered = sorted(files, key=lambda file: file.path)
    documents = tuple(document for file in ordered for document in file.documents)
    own = frozenset(() if part.is_rest else part.files)
    gathered = Gathered(ordered, own) if len(ordered) > len(own) else None
    return Plan(Unit(part.name, KIND, part.path), documents, gathered=gathered)


class _Divider:
    """Takes a tree apart; `used` are the files that a unit sees which they are not of."""

    def __init__(self, files: Iterable[File]) -> None:
        self._defining = Counter(identity for file in files for identity in file.identities)
        self._used: set[File] = set()

    def divided(self, folder: _Folder, above: Sequence[File], users: Sequence[File]) -> tuple[list[File], list[Plan]]:
        """The files of a folder that stand together, and the units that stand apart from them; these see `above`, too.

        `users` are the files above that may refer to what stands apart. Where most of a folder stands apart, it is a
        collection: then all of it does, and nobody can tell to which of its parts' parts a file refers.
        """
        plain, parts = _alternatives(folder)
        apart = _conflicting(folder, plain, parts)
        is_collection = len(apart) + len(parts) > len(folder.folders) - len(apart) + len(plain)
        users = () if is_collection else users
        rest = [_Part(file.path, folder.path, (file,)) for file in plain]
        units: list[Plan] = []
        for child in folder.folders.values():
            if child not in apart:
                files, further = self.divided(child, (*above, *plain), (*users, *plain))
                units += further
                rest.append(_Part(child.path, child.path, files, is_rest=bool(further)))
        together = [file for part in rest for file in part.files]
        if not (apart or parts):
            return together, units
        beside = Beside(folder.path, (*above, *together), self._defining)
        users = (*users, *together)
        for child in apart:
            files, further = self.divided(child, beside.files, () if is_collection else users)
            units += further
            parts.append(_Part(child.path, child.path, files, is_rest=bool(further)))
        units += self._apart(parts, beside, users)
        unused = [part for part in rest if not self._used.issuperset(part.files)]
        if is_collection:
            return [], units + self._apart(unused, beside)
        return (together, units) if unused else ([], units)

    def _apart(self, parts: Iterable[_Part], beside: Beside, users: Iterable[File] = ()) -> list[Plan]:
        """Units of their own, with what is of use to them; there is none where all belongs to further ones."""
        parts = [part for part in parts if part.files]
        seen = beside.of_use([part.files for part in parts], users)
        if sum(map(len, seen)) > _MOST_SHARED:
            seen = [[] for _ in parts]
        self._used.update(file for files in seen for file in files)
        sets = {frozenset((*part.files, *files)): part for part, files in zip(parts, seen, strict=True)}
        return [_plan(part, files) for files, part in sets.items()]


def _conflicting(folder: _Folder, plain: Sequence[File], parts: Sequence[_Part]) -> list[_Folder]:
    """The subfolders that define what another, or a file beside them, defines as well."""
    defined: defaultdict[Identity, list[_Folder | None]] = defaultdict(list)
    for file in (*plain, *(file for part in parts for file in part.files)):
        for identity in file.identities:
            defined[identity].append(None)
    for child in folder.folders.values():
        for identity in child.identities:
            defined[identity].append(child)
    found = {id(child) for owners in defined.values() if len(owners) > 1 for child in owners if child is not None}
    return [child for child in folder.folders.values() if id(child) in found]


def _alternatives(folder: _Folder) -> tuple[list[File], list[_Part]]:
    """The files of a folder that stand together, and those that stand apart as variants of one another."""
    plain, parts = _by_environment(folder)
    repeating = variants(plain)
    parts += [_Part(file.path, folder.path, (file,)) for file in repeating]
    return [file for file in plain if file not in repeating], parts


def _by_environment(folder: _Folder) -> tuple[list[File], list[_Part]]:
    """The files without an environment in their names, and the others by it, where one has twins for another."""
    environments: defaultdict[str, list[File]] = defaultdict(list)
    stems: defaultdict[str, set[str]] = defaultdict(set)
    for file in folder.files:
        stem, environment = _environment(file.path)
        if environment:
            environments[environment].append(file)
            stems[stem].add(environment)
    if not any(len(found) > 1 for found in stems.values()):
        return folder.files, []
    named = {file for files in environments.values() for file in files}
    parts = [_Part(f"{folder.path}:{name}", folder.path, files) for name, files in sorted(environments.items())]
    return [file for file in folder.files if file not in named], parts


def _environment(path: str) -> tuple[str, str]:
    """A file's name without its environment, and the environment, empty where it names none."""
    stem = os.path.basename(path).rpartition(".")[0]
    at = max(stem.rfind(separator) for separator in _SEPARATORS)
    word = stem[at + 1 :].lower()
    return (stem[:at], word) if at > 0 and word in _ENVIRONMENTS else (stem, "")


def variants(files: Sequence[File]) -> set[File]:
    """The files that repeat one another's objects, where some repeat most of another's, or several of them the same."""
    defined: defaultdict[Identity, list[File]] = defaultdict(list)
    for file in files:
        for identity in file.identities:
            defined[identity].append(file)
    shared: defaultdict[tuple[File, File], int] = defaultdict(int)
    found: set[File] = set()
    for owners in defined.values():
        if len(owners) > _MOST_DUPLICATES:
            found.update(owners)
        first, *others = owners
        for other in others:
            shared[first, other] += 1
    for pair, number in shared.items():
        few, many = sorted(len(file.identities) for file in pair)
        if 2 * number > few and (number > 1 or many == 1):
            found.update(pair)
    return {file for owners in defined.values() if len(owners) > 1 for file in owners} if found else found


def _tree(files: Sequence[File]) -> _Folder:
    """The files by their folders, below the innermost folder that holds them all."""
    folders = [os.path.dirname(file.path) for file in files]
    absolute = {os.path.isabs(folder) for folder in folders}
    outside = any(folder.split("/")[0] == ".." for folder in folders)
    shared = "/" if len(absolute) > 1 or outside else os.path.commonpath(folders)
    top = _Folder(shared or ".")
    for file, folder in zip(files, folders, strict=True):
        at = top
        at.identities |= file.identities
        rest = folder[len(shared) :].strip("/") if folder.startswith(shared) else folder
        for name in rest.split("/") if rest else ():
            at = at.folders.setdefault(name, _Folder(name if at.path == "." else f"{at.path}/{name}"))
            at.identities |= file.identities
        at.files.append(file)
    return top
