"""The vocabulary of the units stage: what is deployed together, and the documents that it puts into a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct, field

from ingress_lint.load.document import Document, Problem

if TYPE_CHECKING:
    from ingress_lint.build.source_place import SourcePlaces
    from ingress_lint.units.gathered import Gathered

State = Literal["checked", "partial", "unchecked"]
CHART: Final = "chart"
"""The kind of unit that a chart is which nobody installs."""
NOT_FETCHED: Final = "its chart is not here: --network fetches it"
"""Why a release is not checked whose chart may not be fetched; which that is follows in brackets."""
Identity = tuple[str, str, str, str]
"""What an object is: group, kind, namespace (as written) and name."""
Identities = Callable[[Document], Iterable[Identity]]
"""Tells of a document what its objects are."""


class Unit(Struct, frozen=True):
    """What one build puts into a cluster, and whether it was looked at.

    `path` is the folder or chart that is built, `file` the file that defines the unit, where there is one.
    """

    name: str
    kind: str
    path: str
    file: str = ""
    cluster: str | None = None
    """None where none is known by name."""
    state: State = "checked"
    reason: str = ""
    """Why not all of it was looked at."""
    objects: int = 0
    routes: int = 0
    """How many routes it makes; of one that is unchecked, as many as its values switch on, as far as they show."""


class Plan(Struct, frozen=True):
    """A unit with the documents that its build gives."""

    unit: Unit
    documents: tuple[Document, ...] = ()
    namespaces: Mapping[Document, str] = field(default_factory=dict)
    """Where the build moves the objects of a document; those of others stay where they say."""
    default_namespace: str = ""
    """The namespace of objects that name none; empty where nothing but the run itself says."""
    incomplete: str = ""
    """Why the build may hold more than these documents, empty where they are all."""
    generated: frozenset[tuple[str, str]] = frozenset()
    """Kind and name of the objects that the build generates."""
    built: bool = False
    """Whether the documents are one build, rather than files that happen to lie together."""
    places: SourcePlaces | None = None
    """Leads from places in built documents to those that a person edits; None where the documents are the files themselves."""
    as_written: frozenset[Document] = frozenset()
    """The documents that are files themselves, whatever `places` there are for others."""
    takes: frozenset[str] = frozenset()
    """The real paths of files and folders that belong to this unit and, but for builds that include them, to no other."""
    together: str = ""
    """What all units that run in one cluster have in common, whether it has a name or not; empty where none is known."""
    release: str = ""
    """The name of the release that helm makes of a chart, which what it makes is called by; empty for any other unit."""
    makes_in: str | None = None
    """Of a unit that is not checked, the namespace of what it would make; None where it may be any."""
    problems: tuple[Problem, ...] = ()
    """What is wrong with the unit itself."""
    gathered: Gathered | None = None
    """Which of its files have to do with one another, where they are what is left of folders that were taken apart."""
