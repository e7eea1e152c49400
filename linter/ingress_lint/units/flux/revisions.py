"""Whether a Flux source gives the files at hand: which repository it names, and which revision of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from ingress_lint.units.flux.objects import Applied, mapping, text
from ingress_lint.units.flux.variables import Find
from ingress_lint.units.repository import Repository, address

BOOTSTRAPPED: Final = "flux-system"
"""What `flux bootstrap` and the Flux operator call the source of a cluster's own repository."""
_FIXED: Final = ("commit", "name", "semver", "tag")
"""What takes the place of a branch in a GitRepository's `ref`, the first in force (fluxcd/source-controller:api/v1)."""


class Reference(Struct, frozen=True):
    """A reference to a source, with its kind, namespace and name."""

    kind: str
    namespace: str
    name: str

    @property
    def title(self) -> str:
        """How sentences name it."""
        return f"{self.kind} {self.namespace}/{self.name}"


class Home(Struct, frozen=True):
    """What stands for the files at hand: the repository, and sources that are not here, as so many objects name them."""

    repository: Repository
    sources: frozenset[Reference] = frozenset()

    def why_elsewhere(self, reference: Reference, find: Find) -> str:
        """Why the content of a source is not at hand, empty where it is."""
        source = find(reference.kind, reference.namespace, reference.name)
        if source is None:
            at_hand = reference.name == BOOTSTRAPPED or reference in self.sources
            return "" if at_hand else f"its source {reference.title} is not here"
        url = text(source.spec, "url")
        if not self.repository.is_named(url):
            what = url or source.kind
            return f"its source {reference.title} is not this repository: {what}"
        return self._why_other_revision(reference, source)

    def _why_other_revision(self, reference: Reference, source: Applied) -> str:
        if source.kind != "GitRepository":
            return ""
        given = mapping(source.spec, "ref")
        key = next((key for key in _FIXED if text(given, key)), "branch")
        revision = text(given, key)
        if key in ("branch", "name") and self.repository.is_working_tree(revision):
            return ""
        return f"its source {reference.title} is at the {key} {revision}, not at what is here"


def reference_of(value: object, namespace: str) -> Reference:
    """The source that a `sourceRef` names in an object of a namespace."""
    held = value if isinstance(value, dict) else {}
    return Reference(text(held, "kind"), text(held, "namespace") or namespace, text(held, "name"))


def home(repository: Repository, told: Iterable[Applied], uses: Iterable[tuple[Reference, bool]], find: Find) -> Home:
    """The repository as its roots tell of it: sources that are `told` to be this repository, and instances.

    Where none is, it is what most of the `uses` name, each of which says whether its path exists here, if all of these do.
    """
    urls, branches = set(), set()
    for instance in told:
        sync = mapping(instance.spec, "sync") or instance.spec
        urls.add(text(sync, "url"))
        branches.add(text(sync, "ref").removeprefix("refs/heads/") or text(mapping(sync, "ref"), "branch"))
    if urls - {""}:
        return Home(repository.also(urls, branches))
    found: defaultdict[Reference | str, list[bool]] = defaultdict(list)
    for reference, exists in uses:
        source = find(reference.kind, reference.namespace, reference.name)
        found[reference if source is None else address(text(source.spec, "url"))].append(exists)
    whole = [(len(exist), str(key), key) for key, exist in found.items() if key and all(exist)]
    if not whole:
        return Home(repository)
    best = max(whole, key=lambda item: item[:2])[2]
    return Home(repository.also([best])) if isinstance(best, str) else Home(repository, frozenset({best}))
