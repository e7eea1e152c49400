"""HelmReleases: where their chart and its values are, what they make, and why that is not known."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint import inputs
from ingress_lint.build.charts import VALUES_FILE, RemoteChart
from ingress_lint.build.helm import Release, Rendered, Unrendered, Values, merged, read_values
from ingress_lint.build.kustomize import Overlay
from ingress_lint.build.sources import Sources, items
from ingress_lint.load.document import Place, Pointer
from ingress_lint.load.files import CHART_FILE, display_path
from ingress_lint.units.chart import of_release, switched_on
from ingress_lint.units.flux import kustomization
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
_LATEST: Final = "latest"
"""The tag of an OCIRepository that names none."""


class Wanted(Struct, frozen=True):
    """What a HelmRelease would install: a chart that is here, by its real path, or one that is to be fetched."""

    chart: str | None
    remote: RemoteChart | None
    named_at: Place
    """Where it names its chart."""
    values: tuple[Values, ...]
    """As far as they are known: those of `valuesFiles` and `valuesFrom`, with its own over them."""
    without_defaults: bool
    """Whether these take the place of the chart's own."""
    reason: str
    """Why it is not known what it makes, empty where it is."""


def unchecked(held: Applied, cluster: str | None, wanted: Wanted) -> Plan:
    """The plan of a HelmRelease of which nobody knows what it makes."""
    values: Mapping[str, Any] = {}
    for layer in wanted.values:
        values = merged(values, layer.value)
    unit = replace(_unit(held, cluster, wanted), state="unchecked", reason=wanted.reason, routes=switched_on(values))
    return Plan(unit, built=True, takes=_takes(wanted), release=_name(held), makes_in=_namespace(held))


def release(held: Applied, cluster: str | None, wanted: Wanted, site: Site) -> Release:
    """What helm is to render for a HelmRelease of which all is known (fluxcd/helm-controller:api/v2)."""
    return replace(
        site.release(wanted.chart or ""),
        title="/".join(filter(None, (cluster, held.title))),
        name=_name(held),
        namespace=_namespace(held),
        values=wanted.values,
        remote=wanted.remote,
        named_at=None if wanted.remote is None else wanted.named_at,
        without_defaults=wanted.without_defaults,
        post_renderers=tuple(_post_renderers(held)),
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


def _name(held: Applied) -> str:
    target = text(held.spec, "targetNamespace")
    return text(held.spec, "releaseName") or _shortened("-".join(filter(None, (target, held.name))))


def _shortened(name: str) -> str:
    """The name of a release that names none, as Flux cuts it (fluxcd/helm-controller:internal/release/name.go)."""
    if len(name) <= _LONGEST_NAME:
        return name
    digest = sha256(name.encode()).hexdigest()
    return f"{name[: _LONGEST_NAME - 1 - _DIGEST]}-{digest[:_DIGEST]}"


def found(held: Applied, home: Home, folders: Folders, find: Find, sources: Sources) -> Wanted:
    """What a HelmRelease would install, as far as that shows here."""
    pointer, spec, namespace, why = _chart_spec(held, find)
    chart, remote, why_not = (None, None, why) if why else _chart(spec, namespace, home, folders, find)
    values: list[Values] = []
    files, without_defaults = _values_files(spec, chart, folders)
    of_files = () if chart is None else _read(files, spec, sources)
    for known, unknown in (*of_files, *_values_from(held, find, sources)):
        values += [known] if known is not None else []
        why_not = why_not or unknown
    if remote is not None and files:
        why_not = why_not or f"its values file {files[0][0]} is one of a chart that is not here"
    own = mapping(held.spec, "values")
    values += [Values(held.document, ("spec", "values"), own)] if own else []
    place = Place(held.document, pointer)
    return Wanted(chart, remote, place, tuple(values), without_defaults, why_not)


def _chart_spec(held: Applied, find: Find) -> tuple[Pointer, Mapping[str, Any], str, str]:
    """Where a HelmRelease names its chart; what says where that is, and the namespace of this; else why that is not known."""
    if "chartRef" not in held.spec:
        return ("spec", "chart", "spec", "chart"), mapping(mapping(held.spec, "chart"), "spec"), held.namespace, ""
    reference = reference_of(held.spec["chartRef"], held.namespace)
    source = find(reference.kind, reference.namespace, reference.name)
    pointer = ("spec", "chartRef", "name")
    if source is None:
        return pointer, {}, "", f"its chart is not here: {reference.title}"
    if reference.kind == "HelmChart":
        return pointer, source.spec, source.namespace, ""
    return pointer, {"sourceRef": held.spec["chartRef"]}, held.namespace, ""


def _chart(
    spec: Mapping[str, Any], namespace: str, home: Home, folders: Folders, find: Find
) -> tuple[str | None, RemoteChart | None, str]:
    """The chart where it is here or can be fetched, else why it is neither."""
    name = text(spec, "chart")
    reference = reference_of(spec.get("sourceRef"), namespace)
    if reference.kind in ("GitRepository", "Bucket"):
        content = home.content(reference, find)
        if content.why:
            return None, None, f"its chart {name} is not here: {content.why}"
        folder = folders.find(content.path(name))
        if folder is None or not inputs.is_file(os.path.join(folder, CHART_FILE)):
            return None, None, f"there is no chart {name} here"
        return folder, None, ""
    source = find(reference.kind, reference.namespace, reference.name)
    if source is None:
        return None, None, f"its chart is not here: {f'{name} of ' if name else ''}{reference.title}"
    if reference.kind == "HelmRepository":
        plain = source.spec.get("insecure") is True
        return None, RemoteChart(name, text(spec, "version"), text(source.spec, "url"), plain=plain), ""
    if reference.kind == "OCIRepository":
        return None, *_of_registry(source)
    return None, None, f"its chart is not here: {text(source.spec, 'url') or reference.title}"


def _of_registry(source: Applied) -> tuple[RemoteChart | None, str]:
    """The chart of an OCIRepository: of `ref`, the digest counts before the range, and that before the tag.

    (fluxcd/source-controller:api/v1, OCIRepositoryRef)
    """
    repository, _, name = text(source.spec, "url").rstrip("/").rpartition("/")
    given = mapping(source.spec, "ref")
    if text(given, "semverFilter"):
        return None, f"its chart is not here: the semverFilter of {source.kind} {source.title} is not applied"
    digest, version = text(given, "digest"), text(given, "semver") or text(given, "tag") or _LATEST
    plain = source.spec.get("insecure") is True
    return RemoteChart(name, "" if digest else version, repository, digest, plain), ""


def _values_files(
    spec: Mapping[str, Any], chart: str | None, folders: Folders
) -> tuple[Sequence[tuple[str, str]], bool]:
    """The files that a HelmChart's `valuesFiles` lay over the chart's own values, each with its path here, and whether instead of these.

    They are named by their paths in the source (fluxcd/source-controller:internal/helm/chart/builder_local.go); one that is
    the chart's own `values.yaml` stands for its defaults.
    """
    names = [name for name in items(spec, "valuesFiles") if isinstance(name, str)]
    if [os.path.normpath(name) for name in names] == [VALUES_FILE]:
        return (), False
    files = [(name, _file(name, folders) if chart is not None else "") for name in names]
    own = VALUES_FILE if chart is None else os.path.join(chart, VALUES_FILE)
    first = (os.path.normpath(names[0]) if chart is None else files[0][1]) if names else own
    return files[first == own :] if names else (), first != own


def _read(
    files: Sequence[tuple[str, str]], spec: Mapping[str, Any], sources: Sources
) -> Iterator[tuple[Values | None, str]]:
    """The values in files of the repository, and why they are not known."""
    for name, path in files:
        if not inputs.is_file(path):
            lenient = spec.get("ignoreMissingValuesFiles") is True
            yield None, "" if lenient else f"its values file {name} is not here"
            continue
        values = read_values(path, sources)
        yield (values, "") if isinstance(values, Values) else (None, values.message)


def _file(path: str, folders: Folders) -> str:
    """The file of the repository that a path names; it need not be there."""
    folder, name = os.path.split(path)
    found = folders.find(folder)
    return "" if found is None else os.path.join(found, name)


def _post_renderers(held: Applied) -> Iterator[Overlay]:
    """What a HelmRelease lays over what helm makes: each `kustomize` in turn, then its `commonMetadata`.

    (fluxcd/helm-controller:internal/postrender/build.go)
    """
    for index, item in enumerate(items(held.spec, "postRenderers")):
        given = mapping(item, "kustomize")
        fields = {"patches": list(kustomization.patches(given)), "images": list(kustomization.images(given))}
        pointers: dict[str, Pointer] = {key: ("spec", "postRenderers", index, "kustomize", key) for key in fields}
        if any(fields.values()):
            yield Overlay(held.document, fields, pointers)
    common = kustomization.common_metadata(held)
    if common:
        yield Overlay(held.document, common, kustomization.COMMON_METADATA)


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
