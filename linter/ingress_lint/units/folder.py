"""Plain folders: what lies together is one unit, but for what repeats itself; there each repetition is one.

A folder is one unit unless two of its subfolders define the same object: then each of these is one, and sees the files
above it and beside it that repeat nothing. In one folder, files for different environments (`service-qa`) and files that
repeat most of one another's objects (`install`, `install-ha`) stand apart in the same way.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct, field

from ingress_lint.load.document import Document
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
_SHARED_KINDS: Final = frozenset({("", "Namespace")})
"""Whoever puts something into a namespace may bring it along; two that do are no alternatives."""


class _File(Struct, frozen=True, eq=False):
    """A file with what it defines."""

    path: str
    documents: tuple[Document, ...]
    identities: frozenset[Identity]


class _Folder(Struct, eq=False):
    path: str
    files: list[_File] = field(default_factory=list)
    folders: dict[str, _Folder] = field(default_factory=dict)
    identities: set[Identity] = field(default_factory=set)
    """What the files in it and below it define."""


class _Part(Struct, frozen=True, eq=False):
    """Files of one folder that stand apart from its others."""

    name: str
    files: tuple[_File, ...]


def plans(files: Iterable[tuple[Document, ...]], identities: Identities) -> Iterator[Plan]:
    """The plans of plain files, each given as its documents; `identities` tells what a document defines."""
    read = [_file(documents, identities) for documents in files]
    if not read:
        return
    top = _tree(read)
    together, units = _divided(top, ())
    if together:
        units.insert(0, _plan(top.path, top.path, together))
    yield from units


def _file(documents: tuple[Document, ...], identities: Identities) -> _File:
    defined = (identity for document in documents for identity in identities(document))
    own = frozenset(identity for identity in defined if identity[:2] not in _SHARED_KINDS)
    return _File(documents[0].file.path, documents, own)


def _plan(name: str, path: str, files: Iterable[_File]) -> Plan:
    ordered = sorted(files, key=lambda file: file.path)
    return Plan(Unit(name, KIND, path), tuple(document for file in ordered for document in file.documents))


def _divided(folder: _Folder, above: Sequence[_File]) -> tuple[list[_File], list[Plan]]:
    """The files of a folder that stand together, and the units that stand apart from them; these see `above`, too."""
    plain, parts = _alternatives(folder)
    apart = _conflicting(folder, plain, parts)
    together = list(plain)
    units: list[Plan] = []
    for child in folder.folders.values():
        if child not in apart:
            files, further = _divided(child, (*above, *plain))
            together += files
            units += further
    if not (apart or parts):
        return together, units
    beside = (*above, *together)
    if len(beside) * (len(parts) + len(apart)) > _MOST_SHARED:
        beside = ()
    seen: set[_File] = set()
    for part in parts:
        units.append(_apart(part.name, folder.path, part.files, beside, seen))
    for child in apart:
        files, further = _divided(child, beside)
        units += further
        if files:
            units.append(_apart(child.path, child.path, files, beside, seen))
        else:
            seen.update(together)
    return ([], units) if seen.issuperset(together) else (together, units)


def _apart(name: str, path: str, files: Sequence[_File], beside: Sequence[_File], seen: set[_File]) -> Plan:
    """A unit of its own with what lies beside it and repeats nothing of it, which is then `seen`."""
    own = frozenset[Identity]().union(*(file.identities for file in files))
    with_it = [file for file in beside if own.isdisjoint(file.identities)]
    seen.update(with_it)
    return _plan(name, path, (*with_it, *files))


def _conflicting(folder: _Folder, plain: Sequence[_File], parts: Sequence[_Part]) -> list[_Folder]:
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


def _alternatives(folder: _Folder) -> tuple[list[_File], list[_Part]]:
    """The files of a folder that stand together, and those that stand apart as variants of one another."""
    plain, parts = _by_environment(folder)
    variants = _variants(plain)
    parts += [_Part(file.path, (file,)) for file in variants]
    return [file for file in plain if file not in variants], parts


def _by_environment(folder: _Folder) -> tuple[list[_File], list[_Part]]:
    """The files without an environment in their names, and the others by it, where one has twins for another."""
    environments: defaultdict[str, list[_File]] = defaultdict(list)
    stems: defaultdict[str, set[str]] = defaultdict(set)
    for file in folder.files:
        stem, environment = _environment(file.path)
        if environment:
            environments[environment].append(file)
            stems[stem].add(environment)
    if not any(len(found) > 1 for found in stems.values()):
        return folder.files, []
    named = {file for files in environments.values() for file in files}
    parts = [_Part(f"{folder.path}:{name}", tuple(files)) for name, files in sorted(environments.items())]
    return [file for file in folder.files if file not in named], parts


def _environment(path: str) -> tuple[str, str]:
    """A file's name without its environment, and the environment, empty where it names none."""
    stem = os.path.basename(path).rpartition(".")[0]
    at = max(stem.rfind(separator) for separator in _SEPARATORS)
    word = stem[at + 1 :].lower()
    return (stem[:at], word) if at > 0 and word in _ENVIRONMENTS else (stem, "")


def _variants(files: Sequence[_File]) -> set[_File]:
    """The files that repeat most of another's objects, or have most of theirs repeated."""
    defined: defaultdict[Identity, list[_File]] = defaultdict(list)
    for file in files:
        for identity in file.identities:
            defined[identity].append(file)
    shared: defaultdict[tuple[_File, _File], int] = defaultdict(int)
    for owners in defined.values():
        first, *others = owners
        for other in others:
            shared[first, other] += 1
    found: set[_File] = set()
    for pair, number in shared.items():
        few, many = sorted(len(file.identities) for file in pair)
        if 2 * number > few and (number > 1 or many == 1):
            found.update(pair)
    return found


def _tree(files: Sequence[_File]) -> _Folder:
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
