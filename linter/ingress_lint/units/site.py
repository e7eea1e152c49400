"""What the tools that deploy from a repository see of it: its files, its kustomizations, what they build."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from ingress_lint.load.document import Document
from ingress_lint.load.files import Found
from ingress_lint.units.building import Builder
from ingress_lint.units.kustomization import Kustomizations
from ingress_lint.units.repository import Repository

Read = Callable[[str], tuple[Document, ...]]
"""The documents of a file, by its real path."""


class Site(Struct, frozen=True):
    """A repository at hand. `files` are by their real paths, `charts` the folders of charts, likewise."""

    repository: Repository
    files: Mapping[str, Found]
    charts: Mapping[str, Found]
    kustomizations: Kustomizations
    read: Read
    builder: Builder

    def documents(self, *kinds: str) -> Iterator[Document]:
        """The documents of some kinds in all files, also of kinds that the linter itself does not read."""
        for path in self.files:
            yield from (document for document in self.read(path) if document.kind in kinds)

    def value(self, document: Document) -> dict[str, Any]:
        """What a document holds, whatever its kind; an empty mapping where it does not parse."""
        value = document.whole() if document.parsed else self.builder.sources.value(document.text)
        return value if isinstance(value, dict) else {}
