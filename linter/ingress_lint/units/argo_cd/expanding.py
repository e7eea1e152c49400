"""Which objects of Argo CD there are, what each stands for, and which further ones that applies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

from ingress_lint.load.document import Document, Place
from ingress_lint.load.kustomization import Kustomization
from ingress_lint.units import kustomization
from ingress_lint.units.argo_cd.application import KINDS, Application, Unexpanded, applications, is_deployer
from ingress_lint.units.argo_cd.reading import mapping, text
from ingress_lint.units.argo_cd.recognizing import known_by
from ingress_lint.units.argo_cd.repository_files import Files
from ingress_lint.units.argo_cd.sources import Part, SourceReader, Unread
from ingress_lint.units.plan import Plan
from ingress_lint.units.repository import address
from ingress_lint.units.site import Site

if TYPE_CHECKING:
    from ingress_lint.build.source_place import SourcePlaces


class Node(Struct, eq=False):
    """An Application or ApplicationSet: what it stands for, and what becomes of the sources of that."""

    namespace: str
    """As written; empty where it is not."""
    file: str
    """The real path of its file, where that holds nothing but such objects."""
    applications: list[tuple[Application, list[Part]]] = field(default_factory=list)
    unexpanded: list[Unexpanded] = field(default_factory=list)

    @property
    def parts(self) -> Iterator[Part]:
        """What becomes of all the sources."""
        for _, parts in self.applications:
            yield from parts


class Start(Struct, frozen=True, eq=False):
    """An object that may be applied by hand, or by another tool."""

    document: Document
    folder: str
    """The real path of the folder of its file, or of the kustomization that it comes of."""
    is_of_root: bool = False
    """Whether it comes of a kustomization."""
    plan: Plan | None = None
    """What another tool deploys it with."""


class Expansion:
    """The objects `written` in files, given with the files' real paths, and those among `deployed`, with all that follows."""

    def __init__(self, site: Site, written: Mapping[Document, str], deployed: Sequence[Plan]) -> None:
        self._site = site
        self._written = {document: path for document, path in written.items() if is_deployer(site.value(document))}
        self._by_name: defaultdict[tuple[str, str], list[Document]] = defaultdict(list)
        for document in self._written:
            self._by_name[self._name(document)].append(document)
        self._files = Files(site.repository.top, site.builder.sources)
        apart = frozenset[str]().union(*(plan.takes for plan in deployed))
        roots = list(self._roots(apart))
        folders = {folder for path in self._written.values() for folder in kustomization.upward(path)}
        self._repository = known_by(
            site.repository,
            {document: site.value(document) for document in self._written},
            self._files,
            folders.union(root.folder for root in roots) - set(kustomization.upward(site.repository.top)),
        )
        self._reader = SourceReader(site, self._files, self._not_here)
        self.nodes: dict[Document, Node] = {}
        """The objects, in the order in which they were met."""
        self.starts = [*self._given(deployed), *self._loose(apart)]
        """Those that need nothing here to apply them."""
        self._expand({start.document: start.plan.places if start.plan else None for start in self.starts})
        parts = self._reader.built([self._reader.kustomization(root.folder, None) for root in roots])
        for root, part in zip(roots, parts, strict=True):
            self.starts += (Start(document, root.folder, is_of_root=True) for document in part.applies)
        self._expand({document: part.places for part in parts for document in part.applies})

    def _name(self, document: Document) -> tuple[str, str]:
        return document.kind, text(mapping(self._site.value(document), "metadata"), "name")

    def _not_here(self, url: str, revision: str) -> str:
        if not self._repository.is_named(url):
            return f"another repository, {address(url)}"
        return "" if self._repository.is_working_tree(revision) else f"another revision, {revision}"

    def _is_deployer(self, document: Document) -> bool:
        return document.kind in KINDS and is_deployer(self._site.value(document))

    def _given(self, deployed: Sequence[Plan]) -> Iterator[Start]:
        """The objects that other tools deploy."""
        for plan in deployed:
            yield from (Start(document, "", plan=plan) for document in plan.documents if self._is_deployer(document))

    def _loose(self, apart: frozenset[str]) -> Iterator[Start]:
        """The objects in files that neither another tool, which takes what is `apart`, nor a kustomization takes."""
        known = self._site.kustomizations
        for document, path in self._written.items():
            file, *folders = kustomization.upward(path)
            if not (known.takes(self._site.files[path]) or file in apart or apart.intersection(folders)):
                yield Start(document, folders[0])

    def _roots(self, apart: frozenset[str]) -> Iterator[Kustomization]:
        """The kustomizations that hold such objects, and that no other tool takes."""
        known = self._site.kustomizations
        files = set(self._written.values())
        for root in known.roots():
            if root.folder not in apart and any(files & one.resources for one in kustomization.included(root, known)):
                yield root

    def _expand(self, waiting: Mapping[Document, SourcePlaces | None]) -> None:
        """Looks at objects, at those that they apply, and so on, each once; what is to be built is built side by side."""
        while waiting:
            read: list[tuple[Node, Application, list[Unread]]] = []
            for document, places in waiting.items():
                if document not in self.nodes and self._is_deployer(document):
                    node = self.nodes[document] = self._node(document)
                    for found in self._stood_for(document, places):
                        if isinstance(found, Unexpanded):
                            node.unexpanded.append(found)
                        else:
                            read.append((node, found, list(self._reader.read(found))))
            parts = iter(self._reader.built([part for _, _, several in read for part in several]))
            waiting = {}
            for node, application, several in read:
                own = [next(parts) for _ in several]
                node.applications.append((application, own))
                waiting |= {document: part.places for part in own for document in part.applies}

    def _node(self, document: Document) -> Node:
        path = self._written.get(document, "")
        is_alone = bool(path) and all(map(self._written.__contains__, self._site.read(path)))
        namespace = text(mapping(self._site.value(document), "metadata"), "namespace")
        return Node(namespace, path if is_alone else "")

    def _stood_for(self, document: Document, places: SourcePlaces | None) -> Iterator[Application | Unexpanded]:
        """What an object stands for; where a build has made it, its places are those of the file that it comes of."""
        where = document
        if document not in self._written:
            named = self._by_name[self._name(document)]
            if named:
                where = named[0]
            elif places is not None:
                where = places.source_place(Place(document, ("metadata", "name"))).place.document
        return applications(self._site.value(document), where, self._files, self._not_here)
