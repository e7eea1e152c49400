"""Where the objects of Argo CD are applied: in which namespace, by the Argo CD of which cluster."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from ingress_lint.load.document import Document
from ingress_lint.units.argo_cd.application import Application
from ingress_lint.units.argo_cd.destinations import OWN, Cluster, Destinations
from ingress_lint.units.argo_cd.expanding import Expansion, Node, Start
from ingress_lint.units.argo_cd.reading import mapping, text
from ingress_lint.units.argo_cd.sources import Part

NAMESPACE: Final = "argocd"
"""Where Applications are that name no namespace, and that nothing here applies."""


class Home(Struct, frozen=True):
    """Where an object is applied: the namespace if it names none, and the cluster."""

    namespace: str = NAMESPACE
    cluster: Cluster = OWN


class Placed(Struct, frozen=True):
    """An object at its home. `start` is the one from which it follows."""

    node: Node
    home: Home
    start: Start


class Placement:
    """Finds the homes of all objects that are applied. `destinations` tells the clusters that Applications go to."""

    def __init__(self, expansion: Expansion, destinations: Destinations) -> None:
        self._nodes = expansion.nodes
        self._starts = expansion.starts
        self._destinations = destinations

    def placed(self) -> list[Placed]:
        """The objects, each with every home that it has.

        One Argo CD has no two Applications of one name: where there are two, each is of another one, whose cluster goes by
        the folder of the objects that its Applications follow from.
        """
        found = list(self._follow({}))
        named: defaultdict[tuple[str, str, Cluster], dict[str, None]] = defaultdict(dict)
        for placed in found:
            for application, _ in placed.node.applications:
                namespace = application.namespace or placed.home.namespace
                if placed.start.plan is None:
                    named[namespace, application.name, placed.home.cluster][placed.start.folder] = None
        rivals = {folder for folders in named.values() if len(folders) > 1 for folder in folders}
        return list(self._follow(_told_apart(rivals))) if rivals else found

    def cluster(self, application: Application, home: Home) -> Cluster:
        """The cluster that an Application goes to."""
        return self._destinations.cluster(mapping(application.spec, "destination"), home.cluster)

    def _parts(self, document: Document) -> Iterator[Part]:
        node = self._nodes.get(document)
        return iter(()) if node is None else node.parts

    def _follow(self, clusters: Mapping[str, str]) -> Iterator[Placed]:
        """What is applied, from where it starts; `clusters` tells those of some folders.

        First from what nothing here applies, then from what is left, where objects apply one another. A kustomization of
        which an Application takes the folder is not applied otherwise.
        """
        parts = [part for node in self._nodes.values() for part in node.parts]
        applied = {document for part in parts for document in part.applies}
        taken = frozenset[str]().union(*(part.takes for part in parts))
        first = [
            start
            for start in self._starts
            if not (start.document in applied or (start.is_of_root and start.folder in taken))
        ]
        looped = sorted(self._starts, key=lambda start: not any(part.applies for part in self._parts(start.document)))
        seen: set[tuple[Document, Cluster]] = set()
        reached: set[Document] = set()
        folders: set[str] = set()
        for start in (*first, *looped):
            if start.document in reached or (start.is_of_root and start.folder in folders):
                continue
            waiting = [(start.document, _home(start, clusters))]
            while waiting:
                document, home = waiting.pop()
                node = self._nodes.get(document)
                if node is None or (document, home.cluster) in seen:
                    continue
                seen.add((document, home.cluster))
                reached.add(document)
                yield Placed(node, home, start)
                for application, own in node.applications:
                    namespace = text(mapping(application.spec, "destination"), "namespace") or home.namespace
                    below = Home(namespace, self.cluster(application, home))
                    for part in own:
                        folders |= part.takes
                        waiting += ((child, below) for child in part.applies)


def _home(start: Start, clusters: Mapping[str, str]) -> Home:
    if start.plan is not None:
        cluster = Cluster(start.plan.unit.cluster, start.plan.together) if start.plan.together else OWN
        return Home(start.plan.default_namespace or NAMESPACE, cluster)
    above = start.folder
    while above not in clusters and above != os.path.dirname(above):
        above = os.path.dirname(above)
    return Home(cluster=Cluster(clusters[above], clusters[above])) if above in clusters else Home()


def _told_apart(folders: set[str]) -> dict[str, str]:
    """Of folders, what holds each below what holds them all, with its name."""
    shared = os.path.commonpath(folders)
    found = {}
    for folder in sorted(folders - {shared}):
        name = os.path.relpath(folder, shared).split(os.sep)[0]
        found[os.path.join(shared, name)] = name
    return found
