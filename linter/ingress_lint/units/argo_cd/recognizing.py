"""Which of the addresses that Applications and ApplicationSets name is this repository's."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ingress_lint.load.document import Document
from ingress_lint.units.argo_cd.application import Application, applications, sources_of
from ingress_lint.units.argo_cd.reading import items, mapping, text
from ingress_lint.units.argo_cd.repository_files import Files
from ingress_lint.units.repository import Repository, address
from ingress_lint.values.globs import literal_folder

_TEMPLATE: Final = "{{"

Named = Iterator[tuple[str, str]]
"""Addresses, each with a path there."""


def known_by(
    repository: Repository, values: Mapping[Document, Mapping[str, Any]], files: Files, roots: set[str]
) -> Repository:
    """The repository with the addresses by which objects name it.

    `roots` are the real paths of the folders that hold such objects: who deploys one of them names this repository. Where
    nobody does, and none of the known addresses is named, it is the one that most objects name whose paths are all here.
    """
    named = [(url, path) for value in values.values() for url, path in _written(value)]
    repository = repository.also(url for url, path in named if path.strip("./") and files.path(path) in roots)
    if any(repository.is_named(url) for url, _ in named):
        return repository
    votes: Counter[str] = Counter()
    for document, value in values.items():
        paths: defaultdict[str, set[str]] = defaultdict(set)
        for url, path in (*_deployed(value, document, files), *_searched(value)):
            paths[address(url)].add(path)
        votes.update(url for url, own in paths.items() if _are_here(own, files))
    return repository.also([max(votes, key=lambda url: (votes[url], url), default="")])


def _are_here(paths: set[str], files: Files) -> bool:
    return any(path.strip("./") for path in paths) and all(map(files.is_folder, paths))


def _written(value: Mapping[str, Any]) -> Named:
    """The sources as they are written."""
    spec = mapping(value, "spec")
    yield from _sources(spec)
    yield from _sources(mapping(spec, "template", "spec"))


def _sources(spec: Mapping[str, Any]) -> Named:
    for source in sources_of(spec):
        url, path = text(source.value, "repoURL"), text(source.value, "path")
        if url and path and not text(source.value, "chart"):
            yield url, path


def _deployed(value: Mapping[str, Any], document: Document, files: Files) -> Named:
    """The sources of what an object stands for, were each address this repository's; what is not filled in cannot count."""
    for found in applications(value, document, files, lambda _url, _revision: ""):
        if isinstance(found, Application):
            yield from ((url, path) for url, path in _sources(found.spec) if _TEMPLATE not in path)
        else:
            template = _sources(mapping(value, "spec", "template", "spec"))
            yield from ((url, path.partition(_TEMPLATE)[0].rpartition("/")[0]) for url, path in template)


def _searched(value: Mapping[str, Any]) -> Named:
    """The addresses that git generators search, each with the folder that holds what they look for."""
    waiting = list(items(value, "spec", "generators"))
    while waiting:
        generator = waiting.pop()
        git = mapping(generator, "git")
        if url := text(git, "repoURL"):
            for item in (*items(git, "directories"), *items(git, "files")):
                yield url, literal_folder(text(item, "path").partition(_TEMPLATE)[0])
        for kind in ("matrix", "merge"):
            waiting += items(generator, kind, "generators")
