"""Whether a Flux source gives the files at hand: which repository it names, which revision of it, and which part."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.build.sources import items
from ingress_lint.units.flux.objects import GROUPS, SOURCE, Applied, mapping, text
from ingress_lint.units.flux.variables import Find
from ingress_lint.units.repository import Repository, address

BOOTSTRAPPED: Final = "flux-system"
"""What `flux bootstrap` and the Flux operator call the source of a cluster's own repository."""
_FIXED: Final = ("commit", "name", "semver", "tag")
"""What takes the place of a branch in a GitRepository's `ref`, the first in force (fluxcd/source-controller:api/v1)."""
_ARTIFACT: Final = "@artifact"
_DEEPEST: Final = 5
"""How many artifacts may be made of one another; a circle ends there."""


class Reference(Struct, frozen=True):
    """A reference to a source, with its kind, namespace and name."""

    kind: str
    namespace: str
    name: str

    @property
    def title(self) -> str:
        """How sentences name it."""
        return f"{self.kind} {self.namespace}/{self.name}"


class Content(Struct, frozen=True):
    """What a source gives: the folder at `base`, relative to the repository's top, unless it is not here for the reason `why`."""

    base: str = ""
    why: str = ""

    def path(self, path: str) -> str:
        """A path within the source as one within the repository."""
        return posixpath.join(self.base, path.lstrip("/"))


class Home(Struct, frozen=True):
    """What stands for the files at hand: the repository, and sources that are not here, as so many objects name them."""

    repository: Repository
    base: str = ""
    """The folder, relative to the repository's top, that paths start at."""
    sources: frozenset[Reference] = frozenset()

    def content(self, reference: Reference, find: Find, depth: int = 0) -> Content:
        """What a source gives; `depth` is how many artifacts were gone through on the way to it."""
        source = find(reference.kind, reference.namespace, reference.name)
        if source is None:
            at_hand = reference.name == BOOTSTRAPPED or reference in self.sources
            return Content(self.base) if at_hand else Content(why=f"its source {reference.title} is not here")
        if source.kind == "ArtifactGenerator" and depth < _DEEPEST:
            return self._of_artifact(source, reference, find, depth)
        url = text(source.spec, "url")
        if not self.repository.is_named(url):
            return Content(why=f"its source {reference.title} is not this repository: {url or 'it has no address'}")
        return Content(self.base, self._why_other_revision(reference, source))

    def is_source(self, source: Applied) -> bool:
        """Whether a source is one of this repository, at whatever revision."""
        return GROUPS.get(source.kind) == SOURCE and self.repository.is_named(text(source.spec, "url"))

    def _why_other_revision(self, reference: Reference, source: Applied) -> str:
        if source.kind != "GitRepository":
            return ""
        given = mapping(source.spec, "ref")
        key = next((key for key in _FIXED if text(given, key)), "branch")
        revision = text(given, key)
        if key in ("branch", "name") and self.repository.is_working_tree(revision):
            return ""
        return f"its source {reference.title} is at the {key} {revision}, not at what is here"

    def _of_artifact(self, generator: Applied, reference: Reference, find: Find, depth: int) -> Content:
        """What an artifact gives that is copied together of sources, where that is one folder of this repository."""
        artifact = next(one for one in items(generator.spec, "artifacts") if text(one, "name") == reference.name)
        sources = {
            text(one, "alias"): reference_of(one, generator.namespace) for one in items(generator.spec, "sources")
        }
        bases: set[str | None] = set()
        for copy in items(artifact, "copy"):
            alias, _, from_path = text(copy, "from").removeprefix("@").partition("/")
            source = sources.get(alias)
            if source is None:
                return Content(why=f"its artifact {reference.title} has no source {alias}")
            given = self.content(source, find, depth + 1)
            if given.why:
                return given
            bases.add(_base(posixpath.join(given.base, from_path), text(copy, "to")))
        if len(bases) != 1 or None in bases:
            return Content(why=f"its artifact {reference.title} is put together of several folders")
        return Content(base=next(iter(bases)) or "")


def _base(from_path: str, to_path: str) -> str | None:
    """The folder that an artifact starts at, to which files of `from_path` keep their places; None where they do not."""
    start = from_path.partition("*")[0].rpartition("/")[0]
    inside = to_path.removeprefix(_ARTIFACT).strip("/")
    if not inside:
        return start
    return start[: -len(inside)].rstrip("/") if start == inside or start.endswith(f"/{inside}") else None


def artifacts(generator: Applied) -> Iterator[tuple[str, str, str]]:
    """The identities of the artifacts that an ArtifactGenerator makes (fluxcd/source-watcher:api/v1beta1)."""
    for one in items(generator.spec, "artifacts"):
        if text(one, "name"):
            yield "ExternalArtifact", generator.namespace, text(one, "name")


def reference_of(value: object, namespace: str) -> Reference:
    """The source that a `sourceRef` names in an object of a namespace."""
    held = value if isinstance(value, dict) else {}
    return Reference(text(held, "kind"), text(held, "namespace") or namespace, text(held, "name"))


def synced_source(instance: Applied) -> Reference:
    """The source that the Flux operator makes of an instance's `sync` (controlplaneio-fluxcd/flux-operator)."""
    sync = mapping(instance.spec, "sync")
    return Reference(
        text(sync, "kind") or "GitRepository", instance.namespace, text(sync, "name") or instance.namespace
    )


def home(repository: Repository, objects: Sequence[Applied], find: Find, is_here: Callable[[str], bool]) -> Home:
    """The repository as the Flux objects in its files tell of it; `is_here` says whether a path leads to a folder here.

    Sources tell that are called as `flux bootstrap` calls them, instances, and the sources of what applies itself. Where
    there are none, it is what most Flux Kustomizations name of which all paths exist here.
    """
    kustomizations = [one for one in objects if one.kind == "Kustomization"]
    bases = _bases([one.real for one in kustomizations], repository)
    base = max(bases, key=lambda base: sum(is_here(path) for path in _paths(kustomizations, base)))
    told = [one for one in objects if _is_bootstrapped(one)] or [
        source
        for one in kustomizations
        if _lies_in(one, base, repository) and (source := _source(one, find)) is not None
    ]
    urls, branches = set(), set()
    for source in told:
        sync = mapping(source.spec, "sync") or source.spec
        urls.add(text(sync, "url"))
        branches.add(text(sync, "ref").removeprefix("refs/heads/") or text(mapping(sync, "ref"), "branch"))
    if not urls - {""}:
        return _voted(Home(repository, base), kustomizations, find, is_here)
    made = frozenset(synced_source(one) for one in told if one.kind == "FluxInstance")
    return Home(repository.also(urls, branches), base, made)


def _bases(files: Sequence[str], repository: Repository) -> list[str]:
    """The folders that paths may start at: the top, and those on the way from there to all files."""
    common = posixpath.commonpath([posixpath.relpath(file, repository.top) for file in files]) if files else ""
    parts = posixpath.dirname(common).split("/") if len(files) == 1 else common.split("/")
    return ["", *("/".join(parts[:count]) for count in range(1, len(parts) + 1) if parts[0] not in ("", ".."))]


def _paths(kustomizations: Iterable[Applied], base: str) -> Iterator[str]:
    """The paths that tell where they start: that of a whole repository does not."""
    for one in kustomizations:
        path = posixpath.normpath(text(one.spec, "path")).lstrip("/")
        if path != ".":
            yield posixpath.join(base, path)


def _voted(home: Home, kustomizations: Iterable[Applied], find: Find, is_here: Callable[[str], bool]) -> Home:
    repository = home.repository
    found: defaultdict[Reference | str, list[bool]] = defaultdict(list)
    for one in kustomizations:
        source = _source(one, find)
        reference = reference_of(one.spec.get("sourceRef"), one.namespace)
        key = reference if source is None else address(text(source.spec, "url"))
        found[key].append(is_here(posixpath.join(home.base, text(one.spec, "path").lstrip("/"))))
    whole = [(len(exist), str(key), key) for key, exist in found.items() if key and all(exist)]
    if not whole:
        return home
    best = max(whole, key=lambda item: item[:2])[2]
    if isinstance(best, str):
        return replace(home, repository=repository.also([best]))
    return replace(home, sources=frozenset({best}))


def _is_bootstrapped(one: Applied) -> bool:
    return one.kind == "FluxInstance" or (one.kind, one.name) == ("GitRepository", BOOTSTRAPPED)


def _lies_in(one: Applied, base: str, repository: Repository) -> bool:
    """Whether a file lies in the folder that it names, which is not the whole repository: any may have that."""
    path = next(_paths([one], posixpath.join(repository.top, base)), "")
    return bool(path) and one.real.startswith(f"{path}/")


def _source(one: Applied, find: Find) -> Applied | None:
    reference = reference_of(one.spec.get("sourceRef"), one.namespace)
    return find(reference.kind, reference.namespace, reference.name)
