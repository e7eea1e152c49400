"""Builds a Kustomize root that inflates charts: helm renders these, and kustomize takes them in as manifests.

kustomize itself would fetch charts into the user's folders, and knows no helm 4.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec.structs import replace

from ingress_lint import inputs
from ingress_lint.build.charts import VALUES_FILE, RemoteChart
from ingress_lint.build.fetching import Fetcher
from ingress_lint.build.helm import Release, Rendered, Unrendered, Values, read_values, render
from ingress_lint.build.kustomize import Built, Root, Unbuilt, read_tree, reason_of, shortened, wrapped
from ingress_lint.build.laid_over import LaidOverPlaces
from ingress_lint.build.running import Failure
from ingress_lint.build.sources import Sources, items
from ingress_lint.build.tools import KUSTOMIZE_MISSING, Tool
from ingress_lint.build.tree import CHARTS, Inflation, Layer, Tree
from ingress_lint.load.document import Place, SourceFile
from ingress_lint.load.files import display_path

_OLD_NAMES: Final = {
    "chartName": "name",
    "chartVersion": "version",
    "chartRepoUrl": "repo",
    "values": "valuesFile",
    "valuesLocal": "valuesInline",
    "releaseNamespace": "namespace",
}
_GLOBALS: Final = "helmGlobals"
_CRDS: Final = "/crds/"
_LOCAL: Final = "helm-output-{}.yaml"


def inflated(
    root: Root, tool: Tool | None, base: Release, helm: Tool | None, sources: Sources, fetcher: Fetcher
) -> Built | Unbuilt:
    """Builds a root with the charts that it inflates; `base` says what they are rendered for where they do not.

    (kubernetes-sigs/kustomize:api/internal/builtins/HelmChartInflationGenerator.go)
    """
    tree = read_tree(root, sources)
    if tool is None:
        return Unbuilt("tool", KUSTOMIZE_MISSING, Place(tree.layers[0].document))
    made: dict[Inflation, Rendered] = {}
    for one in tree.inflations:
        release = _release(one, base, sources)
        result = render(release, helm, sources, fetcher) if isinstance(release, Release) else release
        if isinstance(result, Unrendered):
            return _unbuilt(one, result)
        made[one] = result
    text = _text(root, tool, tree, made)
    if isinstance(text, Unbuilt):
        return text
    for number, rendered in enumerate(made.values()):
        path = os.path.join(display_path(root.folder), f"{number}\0")  # no file's
        sources.hold(path, rendered.documents)
        tree.manifests.append(path)
    file = SourceFile(f"{display_path(root.folder)} (built)", text)
    built = Built(root, None, tree, sources, file, sources.split(file))
    return replace(built, places=LaidOverPlaces(built, made.values()))


def _unbuilt(one: Inflation, result: Unrendered) -> Unbuilt:
    """Why a root is not built of which a chart is not rendered."""
    if result.reason == "tool":
        return Unbuilt("tool", result.message, one.place)
    if result.reason == "chart":
        return Unbuilt(
            "network", f"it inflates the chart {result.message}, which is not here: --network fetches it", one.place
        )
    return Unbuilt("charts", f"it inflates the chart {one.name}: {result.message}", one.place)


def _release(one: Inflation, base: Release, sources: Sources) -> Release | Unrendered:
    """What helm is to render for an entry."""
    given = {_OLD_NAMES.get(key, key): value for key, value in one.value.items()}
    text = {key: value for key, value in given.items() if isinstance(value, str)}
    if "nameTemplate" in given:
        return Unrendered("values", "its release is named by a nameTemplate", one.place)
    layers: list[Values] = []
    for values in _values(one, given, sources):
        if isinstance(values, Unrendered):
            return values
        layers.append(values)
    remote = None
    if one.chart is None:
        remote = RemoteChart(one.name, str(given.get("version") or ""), text.get("repo", ""), text.get("digest", ""))
    return replace(
        base,
        chart=one.chart or "",
        title=f"{one.place.document.file.path}:{one.name}",
        name=text.get("releaseName") or one.name,
        namespace=text.get("namespace") or "default",
        values=tuple(layers),
        kube_version=text.get("kubeVersion") or base.kube_version,
        api_versions=(*base.api_versions, *map(str, items(given, "apiVersions"))),
        remote=remote,
        named_at=one.place if remote is not None else None,
    )


def _values(one: Inflation, given: Mapping[str, Any], sources: Sources) -> Iterator[Values | Unrendered]:
    """The values of an entry, the last of which wins: `valuesMerge` says whether those written there win over their file's."""
    name = given.get("valuesFile")
    own = one.chart and os.path.join(one.chart, VALUES_FILE)
    path = one.layer.file(name) if isinstance(name, str) and name else own
    file = [read_values(path, sources)] if path and (name or inputs.is_file(path)) else []
    value = given.get("valuesInline")
    key = "valuesLocal" if "valuesLocal" in one.value else "valuesInline"
    place = one.place.at(key)
    inline = [Values(place.document, place.pointer, value)] if isinstance(value, dict) and value else []
    how = given.get("valuesMerge") if inline else "override"
    yield from inline if how == "replace" else [*inline, *file] if how == "merge" else [*file, *inline]
    for more in items(given, "additionalValuesFiles"):
        yield read_values(one.layer.file(str(more)), sources)


def _text(root: Root, tool: Tool, tree: Tree, made: Mapping[Inflation, Rendered]) -> str | Unbuilt:
    """What kustomize builds of a copy whose kustomizations list what helm made."""
    folders = {os.path.realpath(root.folder), *(os.path.dirname(path) for path in tree.files)}
    top = os.path.commonpath(folders)
    place = Place(tree.layers[0].document)
    with tempfile.TemporaryDirectory(prefix="ingress-lint-", ignore_cleanup_errors=True) as temporary:
        copy = os.path.realpath(temporary)
        try:
            for path in sorted(tree.files):
                to = os.path.join(copy, os.path.relpath(path, top))
                os.makedirs(os.path.dirname(to), exist_ok=True)
                shutil.copyfile(path, to)
            for layer in dict.fromkeys(one.layer for one in made):
                _write(layer, os.path.join(copy, os.path.relpath(layer.path, top)), made)
        except (OSError, ValueError, TypeError) as error:
            return Unbuilt("charts", f"a copy of it could not be written: {error}", place)
        folder = os.path.join(copy, os.path.relpath(os.path.realpath(root.folder), top))
        result = wrapped(replace(root, folder=folder), tool, tree, {})[1]
        if not isinstance(result, Failure):
            return result.stdout
        said = reason_of(result.stderr.replace(copy, display_path(top))) or result.message
        message = f"{os.path.basename(tool.path)} could not build {display_path(root.folder)}: {shortened(said)}"
        return Unbuilt("charts", message, place, result.stderr)


def _write(layer: Layer, path: str, made: Mapping[Inflation, Rendered]) -> None:
    """Writes a kustomization that takes in what helm made instead of inflating charts."""
    value = {key: item for key, item in layer.value.items() if key not in (*CHARTS, _GLOBALS)}
    names: list[str] = []
    for number, (one, rendered) in enumerate(made.items()):
        with_crds = one.value.get("includeCRDs") is True
        documents = [found for found in rendered.documents if with_crds or _CRDS not in found.template]
        if one.layer is layer and documents:
            names.append(_LOCAL.format(number))
            with open(os.path.join(os.path.dirname(path), names[-1]), "w", encoding="utf-8") as stream:
                stream.write("---\n".join(f"{document.text.rstrip()}\n" for document in documents))
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(value | {"resources": [*items(value, "resources"), *names]}, stream, default=str)
