"""What a run reads, and what it has read when every stage but the rules is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct, field

from ingress_lint.finding import Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.set_context import Assumption
from ingress_lint.load.document import Document, Problem, SourceFile
from ingress_lint.load.loading import Loaded
from ingress_lint.objects.foreign_kinds import routes_unread
from ingress_lint.routes.listeners import Frontend
from ingress_lint.routes.model import Route
from ingress_lint.routes.verdicts import Verdict
from ingress_lint.units.configured import Cluster, ConfiguredUnit, Declared, Installed, Render
from ingress_lint.units.plan import Unit

if TYPE_CHECKING:
    from ingress_lint.build.source_place import SourcePlaces


class Options(Struct, frozen=True):
    """What to read and how to take it. `namespace` None means `default`, or a rendered chart's own namespace."""

    paths: Sequence[str]
    exclude: Sequence[str] = ()
    """Patterns of what to pass over, in gitignore's syntax, below the root of the file system."""
    units: Sequence[str] = ()
    """Glob patterns of the names of units that alone are looked at, empty for all."""
    context_paths: Sequence[str] = ()
    controller: str | None = None
    namespace: str | None = None
    assume: Assumption = "auto"
    externals: frozenset[tuple[str, str, str]] = frozenset()
    """Kind, namespace and name of objects known to exist elsewhere."""
    keeps: bool = False
    """Whether what is built is kept for later runs, and taken from earlier ones."""
    jobs: int | None = None
    """How many processes may build and lint side by side, None for as many as there are processors."""
    now: datetime | None = None
    """When certificates must be valid, None for the time of the run."""
    severities: Mapping[str, Severity] = field(default_factory=dict)
    """Severities that the findings of some rules get instead of their own, by code."""
    baseline: frozenset[str] = frozenset()
    """The fingerprints of findings that are known and not shown."""
    per_path_ignores: tuple[tuple[str, frozenset[str]], ...] = ()
    """Glob patterns of files with the codes that are hidden there."""
    ignored: frozenset[str] = frozenset()
    """The codes that the configuration hides everywhere."""
    min_severity: Severity = Severity.NOTE
    """Findings below it are hidden."""
    configured: tuple[ConfiguredUnit, ...] = ()
    """Units that stand for whatever would be found at their paths."""
    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    """What holds for all units of a cluster, by its name."""
    controllers: Mapping[str, Installed] = field(default_factory=dict)
    """Who serves a class, in every cluster that says nothing else."""
    configuration: Document | None = None
    """What the three above were read from, where that is a file."""
    renders: bool = True
    """Whether helm and kustomize are run at all."""
    render: Render = Render()
    """How kustomizations and charts are built."""
    values: tuple[str, ...] = ()
    """Values files of the charts that `paths` name outright."""
    set: tuple[str, ...] = ()
    """Values of these, as helm's `--set` takes them."""
    kube_version: str | None = None
    """The version of Kubernetes to render and judge for, None for the newest."""
    doubts: tuple[str, ...] = ()
    """One line for each thing that the configuration speaks of and that is not there."""

    def declared_in(self, cluster: str | None) -> Mapping[str, Declared]:
        """Who serves each class in a cluster, None for one that is not known, as the configuration says."""
        if self.configuration is None:
            return {}
        own = self.clusters.get(cluster or "", Cluster()).controllers
        return {
            name: Declared(found, self.configuration, (*base, "controllers", name))
            for controllers, base in ((self.controllers, ()), (own, ("clusters", cluster or "")))
            for name, found in controllers.items()
        }


class ManifestSet(Struct, frozen=True):
    """One scope after all stages but the rules: what runs together, a cluster, or a unit of which none is known."""

    units: tuple[Unit, ...]
    """Those of it that are looked at."""
    graph: ObjectGraph
    routes: tuple[Route, ...]
    holders: Mapping[Document, tuple[str, ...]]
    """The names of the units that hold each document, of those that are looked at."""
    beside: frozenset[Document]
    """The documents of its other units alone: they take part, and nothing is reported on them."""
    verdicts: tuple[Verdict, ...] = ()
    """What controllers refuse of the set's objects."""
    frontends: tuple[Frontend, ...] = ()
    """The gateways that the set's own objects describe."""

    @property
    def cluster(self) -> str | None:
        """The cluster that it runs in, None where that is not known."""
        return self.units[0].cluster

    def unit_of(self, document: Document) -> Unit:
        """The unit that holds a document, the first of several."""
        names = self.holders.get(document, ())
        return next((unit for unit in self.units if unit.name in names), self.units[0])

    def names_of(self, document: Document) -> tuple[str, ...]:
        """The names of the units that hold a document; of what none holds, such as a configuration, those of all."""
        return self.holders.get(document) or tuple(unit.name for unit in self.units)

    def shows(self, document: Document) -> bool:
        """Whether a document is reported on: it is in a unit that is looked at, and no context."""
        return document.reported and document not in self.beside


class Manifests(Struct):
    """Everything that was read."""

    loaded: Loaded
    sets: list[ManifestSet] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    """All that was found, also what was not looked at."""
    left_out: Counter[str] = field(default_factory=Counter)
    """How many files and folders were passed over, by reason."""
    barren: list[str] = field(default_factory=list)
    """A sentence for each path under which there is nothing to lint."""
    context: frozenset[Document] = frozenset()
    """The documents that only resolve references."""
    places: dict[Document, SourcePlaces] = field(default_factory=dict)
    """For built documents, what leads from places in them to those that a person edits."""
    problems: list[Problem] = field(default_factory=list)
    placeholders: int = 0
    """How many values stand for others that are not known."""

    def documents(self) -> list[Document]:
        """All documents, those of builds and of the context among them."""
        return list(dict.fromkeys(item.document for held in self.sets for item in held.graph.objects))

    @property
    def sources(self) -> Iterator[SourceFile]:
        """The files that builds read besides manifests, each once."""
        found = {file.path: file for places in dict.fromkeys(self.places.values()) for file in places.files}
        yield from found.values()

    @property
    def routing_unread(self) -> Counter[str]:
        """How many objects there are of kinds that take requests and are not read, by kind with its group."""
        return Counter(
            f"{item.kind} ({item.group})"
            for held in self.sets
            for item in held.graph.objects
            if item.document.reported and routes_unread(item.group, item.kind)
        )
