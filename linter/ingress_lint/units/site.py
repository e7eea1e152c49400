"""What the tools that deploy from a repository see of it: its files, its kustomizations, what they build."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.load.document import Document
from ingress_lint.load.files import Found
from ingress_lint.units.building import Builder
from ingress_lint.units.kustomization import Kustomizations
from ingress_lint.units.repository import Repository
from ingress_lint.values.patterns import deferred

if TYPE_CHECKING:
    from ingress_lint.build.helm import Release

_DEFINITION: Final = "CustomResourceDefinition"
_GROUP: Final = deferred(r"^ {2}group: *[\"']?([a-z0-9.-]+)", re.MULTILINE)
_KIND: Final = deferred(r"^ {2}names: *\n(?: {4}.*\n)*? {4}kind: *[\"']?(\w+)", re.MULTILINE)
_VERSION: Final = deferred(r"^ {2}(?:(?:-| ) name|version): *[\"']?(v[0-9]\w*)[\"']?[ \t]*$", re.MULTILINE)
Read = Callable[[str], tuple[Document, ...]]
"""The documents of a file, by its real path."""


class Site(Struct, frozen=True, eq=False, dict=True):
    """A repository at hand. `files` are by their real paths, `charts` the folders of charts, likewise."""

    repository: Repository
    files: Mapping[str, Found]
    charts: Mapping[str, Found]
    kustomizations: Kustomizations
    read: Read
    builder: Builder

    @cached_property
    def api_versions(self) -> tuple[str, ...]:
        """What the cluster offers besides, as charts ask for it: what the CustomResourceDefinitions of the files define."""
        found = (defined for one in self.documents(_DEFINITION) for defined in _defined(one.text))
        return tuple(sorted(set(found)))

    def release(self, chart: str) -> Release:
        """What to render of a chart's folder, a real path."""
        return replace(self.builder.release(chart), api_versions=self.api_versions)

    def documents(self, *kinds: str) -> Iterator[Document]:
        """The documents of some kinds in all files, also of kinds that the linter itself does not read."""
        for path in self.files:
            yield from (document for document in self.read(path) if document.kind in kinds)

    def value(self, document: Document) -> dict[str, Any]:
        """What a document holds, whatever its kind; an empty mapping where it does not parse."""
        value = document.whole() if document.parsed else self.builder.sources.value(document.text)
        return value if isinstance(value, dict) else {}


def _defined(text: str) -> Iterator[str]:
    """What a definition, as generators write it, offers in the words of helm's `--api-versions`."""
    group, kind = _GROUP.search(text), _KIND.search(text)
    for version in _VERSION.findall(text) if group and kind else ():
        yield f"{group[1]}/{version}"  # type: ignore[index]
        yield f"{group[1]}/{version}/{kind[1]}"  # type: ignore[index]
