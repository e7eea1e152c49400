"""HelmReleases: where their chart and its values are, what they make, and why that is not known."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint import inputs
from ingress_lint.build.charts import VALUES_FILE
from ingress_lint.build.helm import Release, Rendered, Unrendered, Values, merged, read_values
from ingress_lint.build.sources import Sources, items
from ingress_lint.load.files import CHART_FILE, display_path
from ingress_lint.units.chart import of_release, switched_on
from ingress_lint.units.flux.folders import Folders
from ingress_lint.units.flux.objects import Applied, mapping, text
from ingress_lint.units.flux.revisions import Home, reference_of
from ingress_lint.units.flux.variables import Find
from ingress_lint.units.plan import Plan, Unit
from ingress_lint.units.site import Site
from ingress_lint.values.numbers import integer
from ingress_lint.values.patterns import deferred
from ingress_lint.values.placeholders import ENCRYPTED

KIND: Final = "helm-release"
_PATH: Final = deferred(r"[\w-]+(?:\.[\w-]+){0,50}")
_PADDED: Final = deferred(r"\+|-?0[0-9]")
"""What `--set` leaves a text, as leading zeros would be lost (helm/helm:pkg/strvals/parser.go)."""
_LONGEST_NAME: Final = 53
_DIGEST: Final = 12


class Wanted(Struct, frozen=True):
    """What a HelmRelease would install. `chart` is the real path of a chart that is here."""

    chart: str | None
    values: tuple[Values, ...]
    """As far as they are known: those of `valuesFiles` and `valuesFrom`, with its own over them."""
    reason: str
    """Why it is not known what it makes, empty where it is."""


def unchecked(held: Applied, cluster: str | None, wanted: Wanted) -> Plan:
    """The plan of a HelmRelease of which nobody knows what it makes."""
    values: Mapping[str, Any] = {}
    for layer in wanted.values:
        values = merged(values, layer.value)
    unit = replace(_unit(held, cluster, wanted), state="unchecked", reason=wanted.reason, routes=switched_on(values))
    return Plan(unit, built=True, takes=_takes(wanted), makes_in=_namespace(held))


def release(held: Applied, cluster: str | None, wanted: Wanted, chart: str, site: Site) -> Release:
    """What helm is to render for a HelmRelease whose chart, a real path, is here (fluxcd/helm-controller:api/v2)."""
    target = text(held.spec, "targetNamespace")
    return replace(
        site.release(chart),
        title="/".join(filter(None, (cluster, held.title))),
        name=text(held.spec, "releaseName") or _shortened("-".join(filter(None, (target, held.name)))),
        namespace=_namespace(held),
        values=wanted.values,
    )


def rendered(held: Applied, cluster: str | None, wanted: Wanted, result: Rendered | Unrendered, site: Site) -> Plan:
    """The plan of a HelmRelease whose chart was rendered, or was to be."""
    plan = of_release(_unit(held, cluster, wanted), result, site.builder, deployed=True)
    if plan.unit.state == "unchecked":
        why = unchecked(held, cluster, replace(wanted, reason=plan.unit.reason))
        return replace(why, problems=plan.problems)
    return replace(plan, takes=_takes(wanted))


def _unit(held: Applied, cluster: str | None, wanted: Wanted) -> Unit:
    path = display_path(wanted.chart) if wanted.chart else held.file
    return Unit(held.title, KIND, path, held.file, cluster)


def _takes(wanted: Wanted) -> frozenset[str]:
    return frozenset({wanted.chart} if wanted.chart else ())


def _namespace(held: Applied) -> str:
    return text(held.spec, "targetNamespace") or held.namespace


def _shortened(name: str) -> str:
    """The name of a release that names none, as Flux cuts it (fluxcd/helm-controller:internal/release/name.go)."""
    if len(name) <= _LONGEST_NAME:
        return name
    digest = sha256(name.encode()).hexdigest()
    return f"{name[: _LONGEST_NAME - 1 - _DIGEST]}-{digest[:_DIGEST]}"


def found(held: Applied, home: Home, folders: Folders, find: Find, sources: Sources) -> Wanted:
    """What a HelmRelease would install, of what is here."""
    chart, why = _chart(held, home, folders, find)
    values: list[Values] = []
    for known, why_not in (*_values_files(held, chart, folders, sources), *_values_from(held, find, sources)):
        values += [known] if known is not None else []
        why = why or why_not
    if held.spec.get("postRenderers"):
        why = why or "its postRenderers change what helm makes, which is not done here"
    own = mapping(held.spec, "values")
    return Wanted(chart, (*values, Values(held.document, ("spec", "values"), own)) if own else tuple(values), why)


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


def _values_files(
    held: Applied, chart: str | None, folders: Folders, sources: Sources
) -> Iterator[tuple[Values | None, str]]:
    """The files that take the place of the chart's `values.yaml`, by their paths in the repository."""
    spec = mapping(mapping(held.spec, "chart"), "spec")
    names = [name for name in items(spec, "valuesFiles") if isinstance(name, str)]
    if chart is None or not names:
        return
    paths = [_file(name, folders) for name in names]
    if paths[0] != os.path.join(chart, VALUES_FILE):
        yield None, "its valuesFiles take the place of the chart's own values, which is not done here"
        return
    for name, path in zip(names[1:], paths[1:], strict=True):
        if not inputs.is_file(path):
            lenient = spec.get("ignoreMissingValuesFiles") is True
            yield None, "" if lenient else f"its values file {name} is not here"
            continue
        values = read_values(path, sources)
        yield (values, "") if isinstance(values, Values) else (None, values.message)


def _file(path: str, folders: Folders) -> str:
    """The file of the repository that a path names; it need not be there."""
    folder, name = os.path.split(path)
    return os.path.join(folders.find(folder) or "", name)


def _values_from(held: Applied, find: Find, sources: Sources) -> Iterator[tuple[Values | None, str]]:
    """The values of each source of `valuesFrom`, and why they are not known (fluxcd/helm-controller:docs/spec/v2)."""
    for item in items(held.spec, "valuesFrom"):
        kind, name = text(item, "kind"), text(item, "name")
        source = find(kind, held.namespace, name)
        key = text(item, "valuesKey") or VALUES_FILE
        if source is None:
            yield None, f"its values are in the {kind} {held.namespace}/{name}, which is not here"
            continue
        field, found = _datum(source, key)
        if found is None or found.startswith(ENCRYPTED):
            yield None, f"its values are in the {kind} {held.namespace}/{name}, which cannot be read"
        elif "targetPath" in item:
            value = _at(text(item, "targetPath"), found)
            why = "" if value else f"its values go to {text(item, 'targetPath')}, which is not understood"
            yield Values(None, (), value), why
        else:
            value = sources.embedded(found)
            is_known = value is None or isinstance(value, dict)
            why = "" if is_known else f"its values in the {kind} {held.namespace}/{name} are no mapping"
            yield Values(source.document, (field, key), value if isinstance(value, dict) else {}), why


def _datum(source: Applied, key: str) -> tuple[str, str | None]:
    """The field of a ConfigMap or Secret that holds a key, and what is there, as text; None where that is not known."""
    for field in ("stringData", "data") if source.kind == "Secret" else ("data",):
        found = mapping(source.value, field).get(key)
        if isinstance(found, str):
            return field, _decoded(found) if (source.kind, field) == ("Secret", "data") else found
    return "", None


def _decoded(text: str) -> str | None:
    from base64 import b64decode

    try:
        return text if text.startswith(ENCRYPTED) else b64decode(text, validate=False).decode()
    except ValueError:
        return None


def _at(path: str, value: str) -> dict[str, Any]:
    """One value at a path of dots, as `--set` takes it; nothing where the path is another one."""
    if not _PATH.fullmatch(path):
        return {}
    number = None if _PADDED.match(value) else integer(value)
    found: Any = {"true": True, "false": False, "null": None}.get(value, value if number is None else number)
    for key in reversed(path.split(".")):
        found = {key: found}
    return dict(found)
