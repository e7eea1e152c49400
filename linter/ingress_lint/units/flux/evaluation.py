"""What Flux applies, from the roots on: builds, variables, and the Flux objects that come of them, until there are no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field
from msgspec.structs import replace

from ingress_lint.build.kustomize import Built, Unbuilt
from ingress_lint.build.origins import Origins
from ingress_lint.load.document import Document
from ingress_lint.load.files import display_path
from ingress_lint.units.building import problems_of
from ingress_lint.units.flux import helm_release, kustomization, listed, variables
from ingress_lint.units.flux.folders import Folders
from ingress_lint.units.flux.kustomization import Source
from ingress_lint.units.flux.listed import Listed
from ingress_lint.units.flux.objects import DATA, GROUPS, Applied, applied, in_file, mapping, nearest, text
from ingress_lint.units.flux.places import FluxPlaces, ReleasePlaces, up
from ingress_lint.units.flux.revisions import BOOTSTRAPPED, Home, artifacts, reference_of
from ingress_lint.units.plan import Plan, Unit
from ingress_lint.units.site import Site

if TYPE_CHECKING:
    from ingress_lint.build.helm import Release
    from ingress_lint.build.source_place import SourcePlaces

_MOST: Final = 20_000
"""How many Flux objects are followed; more are no repository's."""


class Cluster(Struct, eq=False):
    """A cluster, and what is known to be applied to it. `key` tells clusters apart where they have no name."""

    key: str
    name: str | None
    objects: dict[tuple[str, str, str], Applied] = field(default_factory=dict)
    """By kind, namespace and name."""


class Task(Struct, eq=False):
    """A Flux Kustomization or a release on its way: it lives in the cluster `home`, and what it makes in `cluster`."""

    held: Applied
    home: Cluster
    cluster: Cluster
    why_unsure: str = ""
    source: Source | None = None
    listed: Listed | None = None
    """What its files hold, where that is all."""
    result: Built | Unbuilt | None = None
    """None where the files are taken as they are."""


class Made(Struct, frozen=True):
    """A plan whose unit gets its name when all clusters are known."""

    plan: Plan
    cluster: Cluster
    title: str


class Evaluation:
    """Follows Flux through one repository. `raw` has the objects of files, by kind, namespace and name."""

    def __init__(self, site: Site, home: Home, folders: Folders, raw: Callable[[str, str, str], list[Applied]]) -> None:
        self._site = site
        self._home = home
        self._folders = folders
        self._raw = raw
        self._clusters: dict[str, Cluster] = {}
        self._seen: set[tuple[str, str, str, str]] = set()
        self._new: list[Task] = []
        self._built: list[Task] = []
        self._releases: list[Task] = []
        self._places: dict[Document, SourcePlaces] = {}
        self.made: list[Made] = []

    def cluster(self, key: str, name: str | None) -> Cluster:
        """The cluster of a key, made where it is new."""
        return self._clusters.setdefault(key, Cluster(key, name))

    def add(self, held: Applied, home: Cluster, why_unsure: str = "") -> None:
        """Takes in an object that is applied to a cluster; each is followed once.

        `why_unsure` says why nobody knows what it is when it is applied: then what it makes is not checked.
        """
        identity = (held.kind, held.namespace, held.name)
        home.objects.setdefault(identity, held)
        if held.kind == "ArtifactGenerator":
            home.objects |= dict.fromkeys(artifacts(held), held)
        if held.kind not in ("Kustomization", "HelmRelease") or (home.key, *identity) in self._seen:
            return
        if len(self._seen) >= _MOST:
            return
        self._seen.add((home.key, *identity))
        cluster = self._reached(_remote(held), held.namespace) or home
        if held.kind == "Kustomization":
            self._new.append(Task(held, home, cluster, why_unsure))
        else:
            self._releases.append(Task(held, home, cluster, why_unsure))

    def _reached(self, config: str, namespace: str) -> Cluster | None:
        """The cluster that a `kubeConfig` of a namespace leads to; one of that name in another namespace is another's."""
        if not config:
            return None
        key = f"{namespace}/{config}"
        names = {cluster.name for cluster in self._clusters.values() if cluster.key != key}
        return self.cluster(key, key if config in names else config)

    def add_files(self, paths: Sequence[str], folder: str, apart: frozenset[str], cluster: Cluster) -> None:
        """Takes in files that a person applies, as the unit of the cluster's root; no other has the folders `apart`."""
        documents = tuple(document for path in paths for document in self._site.read(path))
        shown = display_path(folder)
        unit = Unit(shown, "folder", shown, cluster=cluster.name)
        self.made.append(Made(Plan(unit, documents, takes=apart.union(paths), together=cluster.key), cluster, ""))
        self._take(documents, cluster, "")

    def run(self) -> None:
        """Follows all that was added, and what comes of it."""
        while self._new or self._built or self._releases:
            while self._new or self._built:
                if self._new:
                    self._build(self._new)
                ready = [task for task in self._built if not self._missing(task)] or self._stuck()
                self._built = [task for task in self._built if task not in ready]
                for task in ready:
                    self._finish(task)
            self._render(self._releases)

    def _render(self, tasks: Sequence[Task]) -> None:
        """Makes the plans of HelmReleases, whose charts are rendered side by side, and takes in the Flux objects in them."""
        self._releases = []
        site, sources = self._site, self._site.builder.sources
        wanted: dict[Task, helm_release.Wanted] = {}
        waiting: dict[Task, Release] = {}
        for task in tasks:
            find = self._find(task.home, task.held)
            found = helm_release.found(task.held, self._home, self._folders, find, sources)
            wanted[task] = found = replace(found, reason=task.why_unsure or found.reason)
            if not found.reason:
                waiting[task] = helm_release.release(task.held, task.cluster.name, found, site)
        results = dict(zip(waiting, site.builder.render(list(waiting.values())), strict=True))
        for task, found in wanted.items():
            held, cluster = task.held, task.cluster
            plan = (
                helm_release.rendered(held, cluster.name, found, results[task], site)
                if task in results
                else helm_release.unchecked(held, cluster.name, found)
            )
            places = None if plan.places is None else ReleasePlaces(plan.places, self._places)
            self.made.append(Made(replace(plan, together=cluster.key, places=places), cluster, held.title))
            self._take(plan.documents, cluster, "")

    def _build(self, tasks: Sequence[Task]) -> None:
        """Builds what can be built of new tasks, side by side."""
        self._new = []
        to_build: list[Task] = []
        for task in tasks:
            why = self._prepare(task)
            if why:
                self._give_up(task, why)
            else:
                self._built.append(task)
                if task.source is not None and not self._as_files(task, task.source):
                    to_build.append(task)
        roots = [task.source.root(self._site) for task in to_build if task.source is not None]
        for task, result in zip(to_build, self._site.builder.build(roots) if roots else (), strict=True):
            task.result = result

    def _prepare(self, task: Task) -> str:
        """Finds what a task builds; why that is not to be had, else nothing."""
        held = task.held
        reference = reference_of(held.spec.get("sourceRef"), held.namespace)
        if task.why_unsure and not reference.name:
            reference = replace(reference, name=BOOTSTRAPPED)
        content = self._home.content(reference, self._find(task.home, held))
        why = content.why or kustomization.why_not(held)
        if why:
            return why
        path = text(held.spec, "path")
        folder = self._folders.find(content.path(path))
        if folder is None:
            return f"there is no folder {path} here"
        task.source = kustomization.source(held, folder, self._folders)
        return task.why_unsure

    def _as_files(self, task: Task, source: Source) -> bool:
        """Whether no tool is needed to tell what is applied."""
        found = listed.listed(source, self._folders, self._site)
        filled = found is not None and found.has_variables and bool(mapping(task.held.spec, "postBuild"))
        if found is not None and (filled or found.is_moved):
            built = found.built(source, self._site)
            whole = len(built.documents) == len(found.documents) and all(
                document.value is not None for document in built.documents
            )
            task.result = built if whole else None
            found = found if whole or not filled else None
        task.listed = found
        return found is not None

    def _missing(self, task: Task) -> list[tuple[str, str, str]]:
        """The sources of variables that nothing has applied yet."""
        return [source for source in variables.sources(task.held) if source not in task.home.objects]

    def _stuck(self) -> list[Task]:
        """Those to go on with where all wait: for what no file defines, if there are such."""
        if self._new:
            return []
        hopeless = [task for task in self._built if not all(self._raw(*source) for source in self._missing(task))]
        return hopeless or list(self._built)

    def _find(self, cluster: Cluster, asking: Applied) -> variables.Find:
        """Looks an object up in a cluster, else in files, the one that lies nearest to who asks."""

        def find(kind: str, namespace: str, name: str) -> Applied | None:
            identity = (kind, namespace, name)
            if identity in cluster.objects:
                return cluster.objects[identity]
            others = self._raw(*identity)
            if kind in DATA and (len(others) > 1 or any(identity in one.objects for one in self._clusters.values())):
                return None  # another cluster's
            return nearest(others, asking)

        return find

    def _give_up(self, task: Task, why: str, unbuilt: Unbuilt | None = None) -> None:
        held, builder = task.held, self._site.builder
        path = held.file if task.source is None else display_path(task.source.folder)
        unit = Unit(held.title, kustomization.KIND, path, held.file, task.cluster.name, state="unchecked", reason=why)
        plan = Plan(unit, built=True, makes_in=text(held.spec, "targetNamespace") or None, together=task.cluster.key)
        if task.source is not None:
            content = task.source.content
            plan = replace(plan, takes=content.files | content.folders)
            readable = builder.is_parsed(content.files) and all(
                builder.sources.file(path) is not None for path in content.files
            )
            if unbuilt is not None and readable:
                problems = problems_of(unbuilt)
                plan = replace(
                    plan, problems=tuple(replace(one, place=up(one.place, self._places)) for one in problems)
                )
            self._take_unsure(task, content.manifests)
        self.made.append(Made(plan, task.cluster, held.title))

    def _take_unsure(self, task: Task, manifests: Iterable[str]) -> None:
        """Takes in the Flux objects of files that could not be built: what becomes of them there is not known."""
        for path in manifests:
            for found in in_file(self._site, path):
                self.add(found, task.cluster, f"what applies it could not be built: {task.held.title}")

    def _finish(self, task: Task) -> None:
        """Makes the plan of what was built, and takes in the Flux objects in it."""
        source, result, held = task.source, task.result, task.held
        if source is None:
            return
        if isinstance(result, Unbuilt):
            self._give_up(task, self._site.builder.why(result), result)
            return
        shown = display_path(source.folder)
        unit = Unit(held.title, kustomization.KIND, shown, held.file, task.cluster.name)
        takes = source.content.files | source.content.folders
        plan = Plan(unit, built=True, takes=takes, together=task.cluster.key)
        if isinstance(result, Built):
            plan = self._of_build(plan, task, result)
        elif task.listed is not None:
            found = task.listed
            plan = replace(plan, documents=found.documents, namespaces=found.namespaces(found.documents))
            for entry in found.entries:
                document = entry.document
                if document.kind in GROUPS:
                    value = entry.patched(self._site.value(document))
                    self._take_one(value, document, document.file.path, task.cluster, entry.namespace)
        self.made.append(Made(plan, task.cluster, held.title))

    def _of_build(self, plan: Plan, task: Task, result: Built) -> Plan:
        held, found = task.held, task.listed
        filled = variables.variables(held, self._find(task.home, held)) if mapping(held.spec, "postBuild") else None
        documents: Sequence[Document] = result.documents
        if filled is not None:
            documents = result.sources.split(variables.fill_in(result.file, result.documents, filled))
        moved = held.place("spec", "targetNamespace") if text(held.spec, "targetNamespace") else None
        places = FluxPlaces(result, filled, self._places, moved)
        self._places |= dict.fromkeys(documents, places)
        origins = Origins(replace(result, tool=None))  # as far as it shows without another build
        for document in documents:
            if isinstance(document.value, dict) and document.value.get("kind") in GROUPS:
                value, built = document.value, document.value
                if document.index < len(result.documents) and isinstance(result.documents[document.index].value, dict):
                    built = result.documents[document.index].value
                namespace = ""
                if found is not None and document.index < len(found.entries):
                    entry = found.entries[document.index]
                    value, namespace = entry.patched(value), entry.namespace
                origin = origins.of(built)
                file = origin.source.document.file.path if origin.source is not None else held.file
                self._take_one(value, document, file, task.cluster, namespace)
        namespaces = {} if found is None else found.namespaces(documents)
        adopted = self._site.builder.documents(documents)
        return replace(plan, documents=adopted, namespaces=namespaces, places=places)

    def _take(self, documents: Iterable[Document], cluster: Cluster, namespace: str) -> None:
        """Takes in what documents of files apply to a cluster, all moved to `namespace` where that is given."""
        for document in documents:
            if document.kind in GROUPS:
                self._take_one(self._site.value(document), document, document.file.path, cluster, namespace)

    def _take_one(self, value: object, document: Document, file: str, cluster: Cluster, namespace: str) -> None:
        held = applied(value, document, file, namespace=namespace)
        if held is not None:
            self.add(held, cluster)


def _remote(held: Applied) -> str:
    """The name of the cluster that `kubeConfig` leads to: its Secret's; empty where there is none."""
    given = mapping(held.spec, "kubeConfig")
    return text(mapping(given, "secretRef"), "name") or text(mapping(given, "configMapRef"), "name")


def named(made: Sequence[Made]) -> Iterator[Plan]:
    """The plans, each unit's name with its cluster in front where there are several."""
    several = len({one.cluster.key for one in made}) > 1
    for one in made:
        prefix = f"{one.cluster.name}/" if several and one.cluster.name and one.title else ""
        yield replace(one.plan, unit=replace(one.plan.unit, name=f"{prefix}{one.title}")) if prefix else one.plan
