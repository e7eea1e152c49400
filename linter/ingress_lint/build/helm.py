"""Renders a chart with its values: the text that helm writes, as documents, or why there is none."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint import inputs
from ingress_lint.build.charts import (
    VALUES_FILE,
    Chart,
    ChartError,
    Dependency,
    RemoteChart,
    metadata_document,
    read_chart,
)
from ingress_lint.build.fetching import Fetcher, is_address
from ingress_lint.build.kustomize import Overlay
from ingress_lint.build.refusals import refusal
from ingress_lint.build.running import Failure, Limits, Output, run
from ingress_lint.build.source_place import SourcePlaces
from ingress_lint.build.sources import Sources
from ingress_lint.build.tools import HELM_MISSING, Tool
from ingress_lint.load.document import Document, Place, Pointer, SourceFile
from ingress_lint.load.files import display_path
from ingress_lint.values.patterns import deferred

_NAME: Final = deferred(r"[a-z0-9](?:[a-z0-9.-]{0,51}[a-z0-9])?\Z")
"""What a release may be called (helm/helm:pkg/chartutil/validate_name.go)."""
_NAMESPACE: Final = deferred(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
_NOTHING: Final = deferred(r"(?:\s|#[^\n]*(?:\n|\Z))*(?:null|~)?(?:\s|#[^\n]*(?:\n|\Z))*")
"""A document of YAML that holds no value."""
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_MOST_NAMED: Final = 3
"""How many of the charts that are missing are named."""
RELEASE_NAME: Final = "release-name"
"""What `helm template` calls a release that has no name."""
NEWEST_KUBERNETES: Final = "1.37"
"""The version of Kubernetes to render for where nothing says another."""


class Values(Struct, frozen=True):
    """Values that are laid over a chart's own, and where they are written.

    `document` is the values file, or the HelmRelease or Application that holds them; None where nothing does. `pointer`
    leads to them: `()` in a file, `("spec", "values")` in a HelmRelease; where it leads to a text, such as a ConfigMap's, they
    are written in that.
    """

    document: Document | None
    pointer: Pointer
    value: Mapping[str, Any]


class Release(Struct, frozen=True):
    """A chart to render, and how.

    `chart` is the real path of its folder; of one that is `remote`, which is fetched, that of its archive, once it is there, and
    `named_at` the place that names it. The chart's own `values.yaml` is not among `values`; the last of them wins.
    `without_defaults`: it does not count. `post_renderers` are laid over what helm makes, the first before the others.
    `settings` are arguments of helm that set further values, such as `("--set", "a=b")`. `keeps`: what is rendered is kept for later runs, and taken from earlier ones. `title` is what the rendered text is called, the chart's path where it is empty.
    """

    chart: str
    title: str = ""
    name: str = RELEASE_NAME
    namespace: str = "default"
    values: tuple[Values, ...] = ()
    settings: tuple[str, ...] = ()
    kube_version: str = NEWEST_KUBERNETES
    api_versions: tuple[str, ...] = ()
    keeps: bool = False
    limits: Limits = Limits()
    remote: RemoteChart | None = None
    named_at: Place | None = None
    without_defaults: bool = False
    post_renderers: tuple[Overlay, ...] = ()

    @property
    def shown(self) -> str:
        """How sentences name its chart."""
        return self.remote.title if self.remote is not None else display_path(self.chart)


class Unrendered(Struct, frozen=True):
    """A release that was not rendered. But for `syntax`, which no values can mend, it is only unchecked.

    `values`: values are missing, or the chart refuses them; `dependencies`: charts that it needs are not here; `chart`: its
    own, which the message names, is not, and may not be fetched.
    """

    reason: Literal["tool", "network", "values", "dependencies", "chart", "failed", "syntax"]
    message: str
    place: Place
    stderr: str = ""


class Rendered(Struct, eq=False):
    """A release that was rendered.

    `file` is the text, whose path says so, and `documents` are its documents in helm's order, parsed, each with its
    `# Source:` comment. `chart` tells the files of these; what `fetcher` found of it stays as long as that. Where post-renderers
    changed them, `documents` holds what came of that, and `places` leads from there to the lines that a person edits. `tool`
    and `file` are None where the texts were at hand: with which values they were rendered, nobody knows.
    """

    release: Release
    chart: Chart
    tool: Tool | None
    sources: Sources
    file: SourceFile | None
    documents: Sequence[Document]
    fetcher: Fetcher | None = None
    places: SourcePlaces | None = None


def read_values(path: str, sources: Sources) -> Values | Unrendered:
    """The values in a file; helm takes the first document, and nothing for an empty file."""
    shown = display_path(path)
    file = sources.file(os.path.realpath(path))
    if file is None:
        return Unrendered("values", f"the values file {shown} cannot be read", _nowhere(shown))
    document = next(iter(sources.documents(os.path.realpath(path))), None)
    if document is None:
        return Values(Document(file, 0, 0, len(file.text), parsed=True), (), {})
    if _REPLACEMENT in document.text:
        return Unrendered("values", f"{shown} is not UTF-8, so that helm would read other values", Place(document))
    value = {} if _NOTHING.fullmatch(document.text) else document.value
    if not isinstance(value, dict):
        what = "is no valid YAML" if value is None else "holds no mapping, as values must be"
        return Unrendered("values", f"the values file {shown} {what}", Place(document))
    return Values(document, (), value)


def render(
    release: Release, tool: Tool | None, sources: Sources, fetcher: Fetcher | None = None
) -> Rendered | Unrendered:
    """Renders a release as helm installs it, but for hooks that are tests; CRDs are among the documents.

    No plugin, no post-renderer and no cluster have a part in it. Dependencies that are not here are those that `fetcher` finds.
    """
    place = _place_of(release, sources)
    for what, text, rule in (("release", release.name, _NAME), ("namespace", release.namespace, _NAMESPACE)):
        if not rule.match(text):
            return Unrendered("values", f"helm takes no {what} called `{text}`", place)
    remote = release.remote
    archive = None if remote is None else _archive(remote, fetcher, place, sources)
    if isinstance(archive, Unrendered):
        return archive
    if tool is None:
        return Unrendered("tool", HELM_MISSING, place)
    if remote is not None and archive is not None:
        release = replace(release, chart=archive)
        chart = Chart(archive, remote.name, (), {}, is_fetched=True)
    else:
        chart = _without_switched_off(read_chart(release.chart, sources), release, sources)
    failures: dict[Dependency, Failure] = {}
    if fetcher is not None and any(chart.missing):
        chart = chart.completed(partial(_fetched, fetcher, failures))
    for dependency, failure in failures.items():
        return _not_fetched(dependency.remote, failure, dependency.place, sources)
    missing = list(chart.missing)
    if missing:
        names = ", ".join(one.title for one in missing[:_MOST_NAMED]) + (", ..." if len(missing) > _MOST_NAMED else "")
        shown = release.shown
        message = f"charts that {shown} depends on are not here: {names}; `helm dependency build {shown}` or --network fetches them"
        return Unrendered("dependencies", message, missing[0].place)
    result = _result(release, tool, chart)
    if isinstance(result, Failure):
        refused = refusal(result, chart, sources)
        said, reason = refused.message, refused.reason
        if remote is not None:  # which nobody here can mend, and which lies elsewhere each time
            said, reason = said.replace(chart.path, chart.name), "failed" if reason == "syntax" else reason
        message = f"helm could not render {release.shown}: {said}"
        return Unrendered(reason, message, refused.place or place, result.stderr)
    file = SourceFile(f"{release.title or release.shown} (rendered)", result.stdout)
    return Rendered(release, chart, tool, sources, file, sources.split(file, _is_read), fetcher)


def _archive(remote: RemoteChart, fetcher: Fetcher | None, place: Place, sources: Sources) -> str | Unrendered | None:
    """The archive of a chart; None where only helm is lacking to fetch it."""
    if not is_address(remote):
        return Unrendered("dependencies", f"its chart is not here: {remote.title}", place)
    found = None if fetcher is None else fetcher.find(remote)
    if isinstance(found, Failure):
        return _not_fetched(remote, found, place, sources)
    if found is None and (fetcher is None or not fetcher.network):
        return Unrendered("chart", remote.title, place)
    return found


def _not_fetched(remote: RemoteChart, failure: Failure, place: Place, sources: Sources) -> Unrendered:
    said = refusal(failure, Chart("", remote.name, (), {}), sources).message
    return Unrendered("network", f"{remote.title} could not be fetched: {said}", place)


def _fetched(fetcher: Fetcher, failures: dict[Dependency, Failure], dependency: Dependency) -> str | None:
    found = fetcher.find(dependency.remote)
    if isinstance(found, Failure):
        failures[dependency] = found
        return None
    return found


def _is_read(kind: str, _text: str) -> bool:
    return kind != "CustomResourceDefinition"  # the largest of all, of which the text tells enough


def merged(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Values as helm lays them over one another: mappings key by key, all else whole."""
    result = dict(defaults)
    for key, value in given.items():
        known = result.get(key)
        result[key] = merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return result


def default_values(chart: str, sources: Sources) -> Mapping[str, Any]:
    """What the `values.yaml` of a chart's folder holds, nothing where it cannot be read."""
    documents = sources.documents(os.path.join(chart, VALUES_FILE))
    value = documents[0].value if documents else None
    return value if isinstance(value, dict) else {}


def _without_switched_off(chart: Chart, release: Release, sources: Sources) -> Chart:
    """The chart without dependencies that are not here, and that its values switch off."""
    missing = list(chart.own_missing)
    if not missing:
        return chart
    values = {} if release.without_defaults else default_values(release.chart, sources)
    for layer in release.values:
        values = merged(values, layer.value)
    off = [one for one in missing if one.is_off(values) and not _may_set(release.settings, one)]
    return replace(chart, left_out=tuple(off))


def _may_set(settings: Sequence[str], dependency: Dependency) -> bool:
    """Whether arguments of helm may switch a dependency."""
    switches = (*filter(None, dependency.condition.split(",")), *dependency.tags)
    return any(switch.strip().partition(".")[0] in setting for switch in switches for setting in settings)


def _result(release: Release, tool: Tool, chart: Chart) -> Output | Failure:
    """What helm says of a release, or said of it before."""
    try:
        files = chart.files()
    except ChartError as error:
        return Failure("not-started", str(error))
    fetched = set(chart.fetched)
    for _, path in files:
        if path not in fetched:
            inputs.look_at(path)
    return kept(release, tool, chart, files, lambda: _run(release, tool, chart))


def kept(
    release: Release,
    tool: Tool,
    chart: Chart,
    files: Sequence[tuple[str, str]],
    run: Callable[[], Output | Failure],
    marked: str = "",
) -> Output | Failure:
    """What `run` renders of the files of a release's chart, or rendered in an earlier run where that is kept.

    `marked` tells apart what is rendered of copies of the files that say more than these do.
    """
    if not release.keeps:
        return run()
    from ingress_lint.build.kept import rendered

    fetched = set(chart.fetched)
    named = [(name, os.path.basename(path) if path in fetched else path) for name, path in files]
    values = [_text_of(values) for values in release.values]
    asked = (_options(release), values, release.without_defaults, named, marked)
    return rendered(tool.path, asked, [path for _, path in files if path not in fetched], run)


def _run(release: Release, tool: Tool, chart: Chart) -> Output | Failure:
    if chart.is_complete and not release.without_defaults:
        return run_helm(release, tool, chart.path)
    with tempfile.TemporaryDirectory(prefix="ingress-lint-", ignore_cleanup_errors=True) as folder:
        copy = os.path.join(os.path.realpath(folder), "chart")
        try:
            chart.copy(copy, {VALUES_FILE: None} if release.without_defaults else None)
        except ChartError as error:
            return Failure("not-started", str(error))
        return run_helm(release, tool, copy)


def run_helm(release: Release, tool: Tool, folder: str) -> Output | Failure:
    """Renders the chart in another folder, a copy of the release's own, in the same way.

    The folder must hold all that the chart depends on, as `Chart.copy` leaves it.
    """
    with tempfile.TemporaryDirectory(prefix="ingress-lint-", ignore_cleanup_errors=True) as given:
        files: list[str] = []
        for index, values in enumerate(release.values):
            path = os.path.join(given, f"{index}.yaml")
            try:
                with open(path, "w", encoding="utf-8") as stream:
                    stream.write(_text_of(values))
            except (OSError, ValueError, TypeError) as error:
                return Failure("not-started", f"the values could not be written: {error}")
            files.append(f"--values={path}")
        command = (*tool.build, release.name, folder, *files, *_options(release))
        return run(command, given, release.limits)


def _options(release: Release) -> list[str]:
    """What helm is told besides the chart, the release's name and the values files."""
    return [
        f"--namespace={release.namespace}",
        f"--kube-version={release.kube_version}{'' if release.kube_version.count('.') > 1 else '.0'}",
        "--include-crds",
        "--skip-tests",
        *(f"--api-versions={version}" for version in release.api_versions),
        *release.settings,
    ]


def _text_of(values: Values) -> str:
    """The text for helm: a file's own, which it may read otherwise than we do, else what stands in a document."""
    if values.document is not None and not values.pointer and values.document.value is values.value:
        return values.document.text
    return json.dumps(values.value, default=str)


def _place_of(release: Release, sources: Sources) -> Place:
    if release.named_at is not None:
        return release.named_at
    document = metadata_document(release.chart, sources)
    return _nowhere(f"{display_path(release.chart)}/Chart.yaml") if document is None else Place(document, ("name",))


def _nowhere(path: str) -> Place:
    return Place(Document(SourceFile(path, ""), 0, 0, 0), span=(0, 0))
