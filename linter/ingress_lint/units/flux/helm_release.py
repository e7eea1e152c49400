"""HelmReleases: where their chart is, what their values switch on, and why they are not checked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from ingress_lint import inputs
from ingress_lint.build.sources import Sources, items
from ingress_lint.load.files import display_path
from ingress_lint.units.chart import NOT_RENDERED, merged, switched_on
from ingress_lint.units.flux.folders import Folders
from ingress_lint.units.flux.objects import Applied, mapping, text
from ingress_lint.units.flux.revisions import Home, reference_of
from ingress_lint.units.flux.variables import Find
from ingress_lint.units.plan import Plan, Unit
from ingress_lint.units.walking import CHART_FILE
from ingress_lint.values.placeholders import ENCRYPTED

KIND: Final = "helm-release"
_VALUES_KEY: Final = "values.yaml"
_DEEPEST: Final = 50


class Release(Struct, frozen=True):
    """What a HelmRelease would install. `chart` is the real path of a chart that is here."""

    chart: str | None
    values: Mapping[str, Any]
    """As far as they are known: those of `valuesFrom`, with its own over them."""
    reason: str
    """Why it is not known what it makes, empty where it is."""


def plan(held: Applied, name: str, cluster: str | None, release: Release) -> Plan:
    """The plan of a HelmRelease, which is not checked."""
    path = display_path(release.chart) if release.chart else held.file
    unit = Unit(
        name,
        KIND,
        path,
        held.file,
        cluster,
        state="unchecked",
        reason=release.reason or NOT_RENDERED,
        routes=switched_on(release.values),
    )
    takes = frozenset({release.chart} if release.chart else ())
    makes_in = text(held.spec, "targetNamespace") or held.namespace
    return Plan(unit, built=True, takes=takes, makes_in=makes_in)


def found(held: Applied, home: Home, folders: Folders, find: Find, sources: Sources) -> Release:
    """What a HelmRelease would install, of what is here."""
    chart, why = _chart(held, home, folders, find)
    values: dict[str, Any] = {}
    for known, why_not in _values_from(held, find, sources):
        values = merged(values, known)
        why = why or why_not
    return Release(chart, merged(values, mapping(held.spec, "values")), why)


def _chart(held: Applied, home: Home, folders: Folders, find: Find) -> tuple[str | None, str]:
    """The chart where it is here, else why it is not."""
    spec = mapping(mapping(held.spec, "chart"), "spec")
    namespace = held.namespace
    if "chartRef" in held.spec:
        reference = reference_of(held.spec["chartRef"], namespace)
        source = find(reference.kind, reference.namespace, reference.name)
        if reference.kind != "HelmChart" or source is None:
            return None, f"its chart is not here: {_address(source) or reference.title}"
        spec, namespace = source.spec, source.namespace
    chart = text(spec, "chart")
    reference = reference_of(spec.get("sourceRef"), namespace)
    if reference.kind not in ("GitRepository", "Bucket"):
        source = find(reference.kind, reference.namespace, reference.name)
        return None, f"its chart is not here: {chart} of {_address(source) or reference.title}"
    content = home.content(reference, find)
    if content.why:
        return None, f"its chart {chart} is not here: {content.why}"
    folder = folders.find(content.path(chart))
    if folder is None or not inputs.is_file(os.path.join(folder, CHART_FILE)):
        return None, f"there is no chart {chart} here"
    return folder, ""


def _address(source: Applied | None) -> str:
    return "" if source is None else text(source.spec, "url")


def _values_from(held: Applied, find: Find, sources: Sources) -> Iterator[tuple[dict[str, Any], str]]:
    """The values of each source of `valuesFrom`, and why they are not known (fluxcd/helm-controller:docs/spec/v2)."""
    for item in items(held.spec, "valuesFrom"):
        kind, name = text(item, "kind"), text(item, "name")
        source = find(kind, held.namespace, name)
        key = text(item, "valuesKey") or _VALUES_KEY
        if source is None:
            yield {}, f"its values are in the {kind} {held.namespace}/{name}, which is not here"
            continue
        found = _datum(source, key)
        if found is None or found.startswith(ENCRYPTED):
            yield {}, f"its values are in the {kind} {held.namespace}/{name}, which cannot be read"
        elif "targetPath" in item:
            yield _at(text(item, "targetPath"), found), ""
        else:
            value = sources.value(found)
            yield value if isinstance(value, dict) else {}, ""


def _datum(source: Applied, key: str) -> str | None:
    """What a ConfigMap or Secret holds at a key, as text; None where that is not known."""
    for field in ("stringData", "data") if source.kind == "Secret" else ("data",):
        found = mapping(source.value, field).get(key)
        if isinstance(found, str):
            return _decoded(found) if (source.kind, field) == ("Secret", "data") else found
    return None


def _decoded(text: str) -> str | None:
    from base64 import b64decode

    try:
        return text if text.startswith(ENCRYPTED) else b64decode(text, validate=False).decode()
    except ValueError:
        return None


def _at(path: str, value: str) -> dict[str, Any]:
    """One value at a path of dots, as far as it says which block is switched on."""
    found: Any = {"true": True, "false": False}.get(value, value)
    for key in reversed(path.split(".")[:_DEEPEST]):
        found = {key: found}
    return found if isinstance(found, dict) else {}
