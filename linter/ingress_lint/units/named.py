"""Units that the configuration names, in place of what would be found at their paths."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ingress_lint.load.files import display_path
from ingress_lint.units import chart, folder, kustomization
from ingress_lint.units.configured import Cluster, ConfiguredUnit, clusters_of
from ingress_lint.units.plan import Plan, Unit
from ingress_lint.units.site import Site

if TYPE_CHECKING:
    from ingress_lint.build.helm import Release, Rendered, Unrendered
    from ingress_lint.build.kustomize import Built, Unbuilt

_OF_A_CLUSTER: Final = "cluster "


def plans(units: Sequence[ConfiguredUnit], site: Site, clusters: Mapping[str, Cluster]) -> Iterator[Plan]:
    """The plans of those units whose paths lie under what is linted."""
    kinds = [(one, _kind(one, os.path.realpath(one.path), site)) for one in units]
    kinds = [(one, kind) for one, kind in kinds if kind != chart.KIND or os.path.realpath(one.path) in site.charts]
    roots = [site.builder.root(one.path) for one, kind in kinds if kind == kustomization.KIND]
    releases = [_release(one, site, clusters) for one, kind in kinds if kind == chart.KIND]
    built = iter(site.builder.build(roots) if roots else ())
    rendered = iter(site.builder.render(releases) if releases else ())
    for one, kind in kinds:
        if kind == chart.KIND:
            plan = _of_chart(one, next(rendered), site)
        elif kind == kustomization.KIND:
            plan = _of_kustomization(one, next(built), site)
        else:
            plan = _of_folder(one, site)
        if plan.documents or kind != folder.KIND:
            yield replace(plan, default_namespace=plan.default_namespace or one.namespace or "")


def _kind(one: ConfiguredUnit, real: str, site: Site) -> str:
    if one.kind is not None:
        return one.kind
    if real in site.charts:
        return chart.KIND
    return folder.KIND if site.kustomizations.of(real) is None else kustomization.KIND


def _release(one: ConfiguredUnit, site: Site, clusters: Mapping[str, Cluster]) -> Release | Unrendered:
    """What to render of a chart; what its cluster says counts where it says nothing itself."""
    release = site.release(os.path.realpath(one.path))
    names = clusters_of(one.name, one.cluster, clusters)
    cluster = clusters.get(names[0], Cluster()) if names else Cluster()
    release = replace(
        release,
        title=one.name,
        name=one.release or release.name,
        namespace=one.namespace or cluster.namespace or release.namespace,
        settings=tuple(one.helm_settings()),
        kube_version=one.kube_version or cluster.kube_version or release.kube_version,
        api_versions=(*release.api_versions, *cluster.api_versions, *one.api_versions),
    )
    return chart.with_files(release, one.values, site.builder)


def _of_chart(one: ConfiguredUnit, result: Rendered | Unrendered, site: Site) -> Plan:
    real, shown = os.path.realpath(one.path), display_path(one.path)
    routes = chart.routes_of(real, one.values, site.builder)
    unit = Unit(one.name, chart.KIND, shown, chart.chart_file(shown), one.cluster, routes=routes)
    plan = chart.of_release(unit, result, site.builder, named=site.charts[real].named)
    return replace(plan, takes=frozenset({real}), makes_in=one.namespace)


def _of_kustomization(one: ConfiguredUnit, result: Built | Unbuilt, site: Site) -> Plan:
    real = os.path.realpath(one.path)
    own = site.kustomizations.of(real)
    file = display_path(own.file) if own is not None else ""
    unit = Unit(one.name, kustomization.KIND, display_path(one.path), file, one.cluster)
    return replace(kustomization.of_build(unit, result, site.builder), takes=frozenset({real}))


def _of_folder(one: ConfiguredUnit, site: Site) -> Plan:
    real = os.path.realpath(one.path)
    inside = os.path.join(real, "")
    paths = [path for path in site.files if path == real or path.startswith(inside)]
    documents = tuple(document for path in paths for document in site.read(path))
    unit = Unit(one.name, folder.KIND, display_path(one.path), cluster=one.cluster)
    return Plan(unit, documents, takes=frozenset(paths))


def placed(plan: Plan, clusters: Mapping[str, Cluster]) -> Iterator[Plan]:
    """A plan in each cluster in which it runs by what the configuration says; as it is where that says nothing."""
    names = clusters_of(plan.unit.name, None if plan.together else plan.unit.cluster, clusters)
    if not names:
        yield plan
    for name in names:
        shown = f"{name}/{plan.unit.name}" if len(names) > 1 else plan.unit.name
        yield replace(
            plan,
            unit=replace(plan.unit, name=shown, cluster=name),
            together=f"{_OF_A_CLUSTER}{name}",
            default_namespace=plan.default_namespace or clusters.get(name, Cluster()).namespace or "",
        )
