"""From the Flux objects in files to plans: roots, clusters, and what is followed from there."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache, partial

from msgspec.structs import replace

from ingress_lint.load.document import Document
from ingress_lint.units.flux import clusters
from ingress_lint.units.flux.evaluation import Evaluation, named
from ingress_lint.units.flux.folders import Folders, find_folder
from ingress_lint.units.flux.objects import DATA, Applied, applied, nearest, text
from ingress_lint.units.flux.revisions import artifacts, home, reference_of
from ingress_lint.units.flux.variables import Find
from ingress_lint.units.plan import Plan
from ingress_lint.units.site import Site


def follow(objects: Sequence[Applied], site: Site) -> list[Plan]:
    """The plans of all that is applied, of the Flux objects that files hold."""
    raw = _Raw(objects, site)
    top = site.repository.top
    find = cache(partial(find_folder, top))
    at_hand = home(site.repository, objects, raw.first, lambda path: find(path) is not None)
    ignored = [line for one in objects if at_hand.is_source(one) for line in text(one.spec, "ignore").splitlines()]
    folders = Folders(site, find, ignored)

    def locate(held: Applied) -> str | clusters.Elsewhere | None:
        content = at_hand.content(reference_of(held.spec.get("sourceRef"), held.namespace), raw.near(held))
        if content.why:
            return clusters.Elsewhere.ELSEWHERE
        return folders.find(content.path(text(held.spec, "path")))

    start = clusters.start(objects, site, folders, locate)
    evaluation = Evaluation(site, at_hand, folders, raw.all)
    names = clusters.names(root.folder for root in start.roots) if start.roots else {}
    for root in start.roots:
        name = names[root.folder]
        cluster = evaluation.cluster(name or root.folder, name)
        if root.files:
            evaluation.add_files(root.files, os.path.join(top, root.folder), root.folders, cluster)
        for one in root.objects:
            evaluation.add(one, cluster)
    evaluation.run()
    plans = list(named(evaluation.made))
    taken = {path for plan in plans for path in plan.takes}
    apart = Evaluation(site, at_hand, folders, raw.all)
    for index, one in enumerate(start.loose):
        if one.real not in taken:
            apart.add(one, apart.cluster(str(index), None))
    apart.run()
    return [*plans, *(replace(made.plan, together="") for made in apart.made)]


class _Raw:
    """The objects that files hold, by kind, namespace and name; what is no object of Flux is read when it is asked for."""

    def __init__(self, objects: Sequence[Applied], site: Site) -> None:
        self._site = site
        self._known: defaultdict[tuple[str, str, str], list[Applied]] = defaultdict(list)
        for one in objects:
            for identity in ((one.kind, one.namespace, one.name), *artifacts(one)):
                self._known[identity].append(one)
        self._data: dict[str, list[Document]] = {}

    def first(self, kind: str, namespace: str, name: str) -> Applied | None:
        """The first of a kind, namespace and name."""
        return next(iter(self.all(kind, namespace, name)), None)

    def near(self, asking: Applied) -> Find:
        """Finds the one that lies nearest to who asks."""
        return lambda kind, namespace, name: nearest(self.all(kind, namespace, name), asking)

    def all(self, kind: str, namespace: str, name: str) -> list[Applied]:
        """All of a kind, namespace and name; a ConfigMap or Secret that names no namespace may be of any."""
        identity = (kind, namespace, name)
        if identity not in self._known and kind in DATA:
            self._known[identity] = [one for one in self._named(kind, name) if _may_be_in(one, namespace)]
        return self._known.get(identity, [])

    def _named(self, kind: str, name: str) -> Iterator[Applied]:
        if kind not in self._data:
            self._data[kind] = list(self._site.documents(kind))
        for document in self._data[kind]:
            if name in document.text:
                found = applied(self._site.value(document), document, document.file.path)
                if found is not None and found.name == name:
                    yield found


def _may_be_in(one: Applied, namespace: str) -> bool:
    return one.namespace == namespace or not text(one.value.get("metadata"), "namespace")
