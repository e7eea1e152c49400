"""The plans of Applications, and of ApplicationSets that cannot be expanded."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from ingress_lint.load.document import Document, Problem
from ingress_lint.load.files import display_path
from ingress_lint.units.argo_cd.application import Application, Unexpanded
from ingress_lint.units.argo_cd.destinations import Cluster, Destinations
from ingress_lint.units.argo_cd.expanding import Expansion
from ingress_lint.units.argo_cd.placing import Home, Placed, Placement
from ingress_lint.units.argo_cd.reading import mapping, text
from ingress_lint.units.argo_cd.sources import Part
from ingress_lint.units.beside import File
from ingress_lint.units.folder import variants
from ingress_lint.units.plan import Plan, Unit
from ingress_lint.units.site import Site

_KIND: Final = "application"
_KIND_OF_SETS: Final = "application-set"


def planned(site: Site, written: Mapping[Document, str], deployed: Sequence[Plan]) -> list[Plan]:
    """The plans of what the objects `written` in files, and those among `deployed`, deploy; arguments as `Expansion`'s."""
    keys = {plan.unit.cluster: plan.together for plan in deployed if plan.unit.cluster and plan.together}
    placement = Placement(Expansion(site, written, deployed), Destinations(site, keys))
    placed = placement.placed()
    clusters = {plan.unit.cluster for plan in deployed}
    clusters.update(placement.cluster(made, one.home).name for one in placed for made, _ in one.node.applications)
    several = len(clusters - {None}) > 1
    told: set[Part] = set()
    plans: list[Plan] = []
    for one in placed:
        for application, parts in one.node.applications:
            cluster = placement.cluster(application, one.home)
            for part in _joined(parts):
                problems = () if part in told else part.problems
                told.add(part)
                plans.append(_plan(application, one.home, cluster, part, problems, prefixed=several))
        plans += (_plan_of_set(unexpanded, one.home) for unexpanded in one.node.unexpanded)
    return [*plans, *_of_files(placed, site)]


def _of_files(placed: Sequence[Placed], site: Site) -> Iterator[Plan]:
    """The plans of files that hold Argo CD's own objects and nothing else: by folder, in the cluster of Argo CD itself.

    Files that repeat one another's are alternatives, of which nobody can tell which one is applied.
    """
    folders: defaultdict[tuple[str, Cluster], dict[str, None]] = defaultdict(dict)
    for one in placed:
        if one.node.file:
            folders[os.path.dirname(one.node.file), one.home.cluster][one.node.file] = None
    for (folder, cluster), paths in folders.items():
        shown = display_path(folder)
        files = {path: _file(site.read(path)) for path in paths}
        alternatives = variants([file for file in files.values() if file.documents])
        for path, file in files.items():
            if file in alternatives:
                yield Plan(Unit(file.path, "folder", shown), file.documents, takes=frozenset({path}))
        rest = {path: file for path, file in files.items() if file not in alternatives}
        if rest:
            documents = tuple(document for file in rest.values() for document in file.documents)
            unit = Unit(shown, "folder", shown, cluster=cluster.name)
            yield Plan(unit, documents, takes=frozenset(rest), together=cluster.key)


def _file(documents: tuple[Document, ...]) -> File:
    """A file with the objects of Argo CD that it defines."""
    metadata = [(document, mapping(document.whole(), "metadata")) for document in documents]
    own = frozenset(("", document.kind, text(found, "namespace"), text(found, "name")) for document, found in metadata)
    return File(documents[0].file.path if documents else "", documents, own)


def _joined(parts: Sequence[Part]) -> list[Part]:
    """The sources of an Application, those together that are not here."""
    here = [part for part in parts if not part.is_elsewhere]
    elsewhere = [part for part in parts if part.is_elsewhere]
    if len(elsewhere) < 2:
        return [*here, *elsewhere]
    together = replace(
        elsewhere[0],
        reason="; ".join(dict.fromkeys(part.reason for part in elsewhere)),
        routes=sum(part.routes for part in elsewhere),
        fills_any=any(part.fills_any for part in elsewhere),
    )
    return [*here, together]


def _plan(
    application: Application,
    home: Home,
    cluster: Cluster,
    part: Part,
    problems: tuple[Problem, ...],
    *,
    prefixed: bool,
) -> Plan:
    namespace = application.namespace or home.namespace
    name = f"{namespace}/{application.name}"
    target = text(mapping(application.spec, "destination"), "namespace")
    unit = Unit(
        f"{cluster.name}/{name}" if prefixed and cluster.name else name,
        _KIND,
        part.path,
        application.document.file.path,
        cluster.name,
        part.state,
        part.reason,
        routes=part.routes,
    )
    return Plan(
        unit,
        part.documents,
        default_namespace=target,
        built=True,
        places=part.places,
        takes=part.takes,
        together=cluster.key,
        makes_in=None if part.fills_any or target == namespace else target or None,
        problems=problems,
    )


def _plan_of_set(found: Unexpanded, home: Home) -> Plan:
    path = found.document.file.path
    name = f"{found.namespace or home.namespace}/{found.name}"
    unit = Unit(name, _KIND_OF_SETS, path, path, state="unchecked", reason=found.reason)
    return Plan(unit, makes_in=found.makes_in)
