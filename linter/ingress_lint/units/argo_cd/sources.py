"""One source of an Application: what makes its manifests, and what is needed to read them."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint import inputs
from ingress_lint.build.charts import RemoteChart
from ingress_lint.build.helm import default_values
from ingress_lint.load.document import Document, Place, Problem
from ingress_lint.load.files import CHART_FILE, display_path
from ingress_lint.load.kustomization import Kustomization, find_file
from ingress_lint.units import chart, kustomization
from ingress_lint.units.argo_cd import helm, kustomize
from ingress_lint.units.argo_cd.application import GROUP, KINDS, Application, NotHere, Source
from ingress_lint.units.argo_cd.folders import JSONNET, Folders, is_manifest
from ingress_lint.units.argo_cd.reading import mapping, patched, text
from ingress_lint.units.argo_cd.repository_files import Files
from ingress_lint.units.plan import State, Unit
from ingress_lint.units.site import Site
from ingress_lint.units.walking import SUFFIXES
from ingress_lint.values import globs

if TYPE_CHECKING:
    from ingress_lint.build.helm import Release
    from ingress_lint.build.kustomize import Overlay, Root
    from ingress_lint.build.source_place import SourcePlaces

_TOOLS: Final = ("kustomize", "helm", "directory", "plugin")
_OVERRIDES: Final = (".argocd-source.yaml", ".argocd-source-{}.yaml")
_KEPT: Final = ("chart", "path", "repoURL", "targetRevision")
_SCHEME: Final = "://"
_NOT_RENDERED_MARK: Final = "+argocd:skip-file-rendering"
_UNFILLED: Final = "{{"
_UNRESTRICTED: Final = ("LoadRestrictionsNone", "kustomize.buildOptions")
_MOST_VARIANTS: Final = 200
"""How many Applications may each change one kustomization in another way; each takes a build."""


class Part(Struct, frozen=True, eq=False):
    """What becomes of a source. `path` is what its unit shows as its path."""

    path: str
    state: State = "checked"
    reason: str = ""
    routes: int = 0
    documents: tuple[Document, ...] = ()
    applies: tuple[Document, ...] = ()
    """The Applications and ApplicationSets that it holds, also of what could not be built for other reasons."""
    places: SourcePlaces | None = None
    takes: frozenset[str] = frozenset()
    fills_any: bool = False
    """Whether what it would make may go into other namespaces than the destination's."""
    problems: tuple[Problem, ...] = ()
    is_elsewhere: bool = False
    """Whether what it deploys is not in the repository."""


class ToBuild(Struct, frozen=True, eq=False):
    """A source that is a kustomization to build; `part` is what is known of it before that."""

    root: Root
    part: Part
    manifests: tuple[str, ...]
    """The real paths of the files that it lists as manifests."""
    is_as_written: bool
    """Whether it leaves the objects in them as they are, but for their namespaces."""

    @property
    def key(self) -> tuple[str, str]:
        """The same for what is built in the same way."""
        overlay = self.root.overlay
        return self.root.folder, "" if overlay is None else json.dumps(overlay.fields, default=str, sort_keys=True)


class ToRender(Struct, frozen=True, eq=False):
    """A source that is a chart to render; `part` is what is known of it before that."""

    release: Release
    part: Part


Unread = Part | ToBuild | ToRender
"""What becomes of a source, or what is to be done to know that."""


class SourceReader:
    """Reads sources; what several need is looked up once. `not_here` says of a repository and revision why they are not these."""

    def __init__(self, site: Site, files: Files, not_here: NotHere) -> None:
        self._site = site
        self._files = files
        self._not_here = not_here
        self._folders = Folders(site)
        self._built: dict[tuple[str, str], Part] = {}
        self._variants: Counter[str] = Counter()
        self._directories: dict[tuple[str, str], Part] = {}

    def read(self, application: Application) -> Iterator[Unread]:
        """What becomes of the sources of an Application, but for those that others only take values from."""
        for source in application.sources:
            if text(source.value, "chart") or text(source.value, "path") or "ref" not in source.value:
                yield self._source(application, source)

    def built(self, parts: Sequence[Unread]) -> list[Part]:
        """The parts, those that are to be built side by side."""
        builder = self._site.builder
        waiting = {}
        for one in parts:
            if not isinstance(one, ToBuild) or one.key in self._built or one.key in waiting:
                continue
            self._variants[one.root.folder] += 1
            if self._variants[one.root.folder] > _MOST_VARIANTS:
                why = f"its kustomization has more than {_MOST_VARIANTS} variants, of which only the first are built"
                self._built[one.key] = replace(one.part, state="unchecked", reason=why, fills_any=True)
            else:
                waiting[one.key] = one
        for one, result in zip(waiting.values(), builder.build([one.root for one in waiting.values()]), strict=True):
            plan = kustomization.of_build(Unit("", "", one.part.path), result, builder)
            documents = plan.documents
            if plan.unit.state == "unchecked" and one.is_as_written:
                documents = self._read(one.manifests)
            problems = plan.problems if builder.is_parsed(one.manifests) else ()
            self._built[one.key] = Part(
                one.part.path,
                plan.unit.state,
                plan.unit.reason,
                documents=plan.documents,
                applies=_deployers(documents),
                places=plan.places,
                takes=one.part.takes | plan.takes,
                fills_any=True,
                problems=problems,
            )
        charts = [one for one in parts if isinstance(one, ToRender)]
        rendered = iter(self._rendered(charts))
        return [
            self._built[part.key]
            if isinstance(part, ToBuild)
            else next(rendered)
            if isinstance(part, ToRender)
            else part
            for part in parts
        ]

    def _rendered(self, charts: Sequence[ToRender]) -> Iterator[Part]:
        builder = self._site.builder
        for one, result in zip(charts, builder.render([one.release for one in charts]), strict=True):
            plan = chart.of_release(Unit("", "", one.part.path), result, builder, deployed=True)
            yield replace(
                one.part,
                state=plan.unit.state,
                reason=plan.unit.reason,
                documents=plan.documents,
                applies=_deployers(plan.documents),
                places=plan.places,
                problems=plan.problems,
                is_elsewhere=one.part.is_elsewhere and plan.unit.state == "unchecked",
            )

    def _source(self, application: Application, source: Source) -> Unread:
        value = source.value
        if text(value, "chart"):
            return self._remote_chart(application, source)
        why = self._not_here(text(value, "repoURL"), text(value, "targetRevision"))
        if why:
            routes = chart.switched_on(self._given(application, source, value, None).known({}))
            return self._elsewhere(application, f"it deploys {why}", routes)
        path = text(value, "path")
        folder = self._files.path(path)
        if folder is None or not inputs.is_folder(folder):
            unfilled = ", as no generator fills it in" if _UNFILLED in path else ""
            return self._elsewhere(application, f"its path {path} does not exist{unfilled}")
        value = self._overridden(application, value, folder)
        tools = [tool for tool in _TOOLS if value.get(tool)]
        if len(tools) > 1:
            return self._unchecked(
                folder, f"it has options for several tools ({', '.join(tools)}), which Argo CD refuses"
            )
        tool = tools[0] if tools else _detected(folder)
        if tool == "helm":
            return self._chart(application, source, value, folder)
        if tool == "kustomize":
            return self._with_options(application, source, value, folder)
        if tool == "plugin":
            return self._unchecked(folder, "a plugin makes its manifests")
        return self._directory(mapping(value, "directory"), folder)

    def _elsewhere(self, application: Application, reason: str, routes: int = 0, *, fills_any: bool = True) -> Part:
        path = application.document.file.path
        return Part(path, "unchecked", reason, routes, fills_any=fills_any, is_elsewhere=True)

    def _overridden(self, application: Application, value: Mapping[str, Any], folder: str) -> dict[str, Any]:
        """A source with what files in its folder lay over it (reposerver/repository/repository.go, mergeSourceParameters)."""
        result = dict(value)
        for name in _OVERRIDES:
            path = os.path.join(folder, name.format(application.name))
            patch = (
                self._files.content(os.path.relpath(path, self._site.repository.top)) if inputs.is_file(path) else None
            )
            if isinstance(patch, dict):
                result = patched(result, patch)
        return result | {key: value[key] for key in _KEPT if key in value}

    def _unchecked(self, folder: str, reason: str) -> Part:
        return Part(display_path(folder), "unchecked", reason, takes=frozenset((folder, *self._folders.below(folder))))

    def _remote_chart(self, application: Application, source: Source) -> Part | ToRender:
        """A chart of a repository, or of a registry, whose address has no scheme (argoproj/argo-cd:util/helm/client.go, IsHelmOciRepo)."""
        value = source.value
        known = self._given(application, source, value, None)
        part = self._elsewhere(application, known.missing, chart.switched_on(known.known({})), fills_any=False)
        if known.missing:
            return part
        url = text(value, "repoURL")
        repository = url if _SCHEME in url else f"oci://{url}"
        base = replace(
            self._site.release(""),
            title=f"{application.document.file.path}:{application.name}",
            remote=RemoteChart(text(value, "chart"), text(value, "targetRevision"), repository),
            named_at=Place(application.document, (*source.pointer, "chart")),
        )
        return ToRender(helm.release(base, self._options(application, source, value), known, application), part)

    def _chart(
        self, application: Application, source: Source, value: Mapping[str, Any], folder: str
    ) -> Part | ToRender:
        known = self._given(application, source, value, folder)
        part = Part(
            display_path(folder),
            "unchecked",
            known.missing,
            chart.switched_on(known.known(default_values(folder, self._site.builder.sources))),
            takes=frozenset((folder, *self._folders.below(folder))),
            fills_any=any(GROUP in template for template in self._templates(folder)),
        )
        if known.missing:
            return part
        base = replace(self._site.release(folder), title=f"{application.document.file.path}:{application.name}")
        return ToRender(helm.release(base, self._options(application, source, value), known, application), part)

    def _templates(self, folder: str) -> Iterator[str]:
        templates = os.path.join(folder, "templates")
        try:
            names = [entry.name for entry in inputs.entries(templates)]
        except OSError:
            return
        for name in names:
            file = self._site.builder.sources.file(os.path.join(templates, name)) if name.endswith(SUFFIXES) else None
            if file is not None:
                yield file.text

    def _options(self, application: Application, source: Source, value: Mapping[str, Any]) -> helm.Options:
        return helm.Options(mapping(value, "helm"), application.document, (*source.pointer, "helm"))

    def _given(
        self, application: Application, source: Source, value: Mapping[str, Any], folder: str | None
    ) -> helm.Given:
        """What is known of the values of a release of the chart in a folder, None where that is not here."""
        top = self._site.repository.top
        here = {
            name: top
            for name, one in application.references.items()
            if not self._not_here(text(one.value, "repoURL"), text(one.value, "targetRevision"))
        }
        variables = helm.variables(application, value)
        places = helm.Places(folder, top, here)
        return helm.given(self._options(application, source, value), places, variables, self._site.builder.sources)

    def _with_options(
        self, application: Application, source: Source, value: Mapping[str, Any], folder: str
    ) -> Part | ToBuild:
        options = mapping(value, "kustomize")
        sources = self._site.builder.sources
        file = find_file(folder)
        own = sources.documents(os.path.realpath(file)) if file else []
        replaced = kustomize.replaces(options, own[0].value if own else None)
        if replaced:
            return self._unchecked(
                folder, f"its {replaced} takes the place of the kustomization's own, which is not done here"
            )
        pointer = (*source.pointer, "kustomize")
        return self.kustomization(folder, kustomize.overlay(options, folder, application.document, pointer, sources))

    def kustomization(self, folder: str, overlay: Overlay | None) -> Part | ToBuild:
        """What becomes of a folder with a kustomization, a real path."""
        known = self._site.kustomizations.of(folder)
        included = list(kustomization.included(known, self._site.kustomizations)) if known else []
        manifests = tuple(sorted({path for one in included for path in one.resources}))
        part = Part(display_path(folder), takes=frozenset((folder, *manifests)))
        if overlay is None and included and kustomization.is_plain(included):
            documents = self._read(manifests)
            return replace(part, documents=documents, applies=_deployers(documents))
        root = replace(
            self._site.builder.root(folder), overlay=overlay, unrestricted=self._is_unrestricted, inflates=True
        )
        is_as_written = overlay is None and all(map(self._is_sparing, included))
        return ToBuild(root, part, manifests, is_as_written)

    def _is_sparing(self, one: Kustomization) -> bool:
        sources = self._site.builder.sources
        documents = sources.documents(os.path.realpath(one.file))
        return bool(documents) and kustomize.spares(documents[0].value, one.folder, KINDS, sources)

    def _read(self, paths: Iterable[str]) -> tuple[Document, ...]:
        return tuple(document for path in paths for document in self._site.read(path))

    @cached_property
    def _is_unrestricted(self) -> bool:
        """Whether Argo CD is told here to let kustomize load files from everywhere (`kustomize.buildOptions` of argocd-cm)."""
        return any(all(word in file.text for word in _UNRESTRICTED) for file in self._site.builder.texts)

    def _directory(self, options: Mapping[str, Any], folder: str) -> Part:
        key = folder, json.dumps(options, default=str, sort_keys=True)
        if key not in self._directories:
            self._directories[key] = self._listed(options, folder)
        return self._directories[key]

    def _listed(self, options: Mapping[str, Any], folder: str) -> Part:
        """Plain files; those that its patterns leave out are nobody's.

        (argoproj/argo-cd:reposerver/repository/repository.go, getPotentiallyValidManifests and findManifests)
        """
        try:
            names = list(self._folders.chosen(options, folder))
        except globs.PatternError as error:
            return self._unchecked(folder, f"a pattern of its directory is not understood: {error}")
        taken = frozenset(self._folders.all(options, folder))
        if any(name.endswith(JSONNET) for name in names):
            part = self._unchecked(folder, "jsonnet makes its manifests")
            return replace(part, takes=part.takes | taken)
        documents: list[Document] = []
        for name in names:
            path = os.path.realpath(os.path.join(folder, name))
            file = self._site.builder.sources.file(path)
            found = self._site.read(path)
            if file is not None and _NOT_RENDERED_MARK not in file.text and is_manifest(found):
                documents += found
        return Part(display_path(folder), documents=tuple(documents), applies=_deployers(documents), takes=taken)


def _detected(folder: str) -> str:
    """The tool for a folder whose source names none (argoproj/argo-cd:util/app/discovery/discovery.go, Discover)."""
    if find_file(folder) is not None:
        return "kustomize"
    return "helm" if inputs.is_file(os.path.join(folder, CHART_FILE)) else "directory"


def _deployers(documents: Iterable[Document]) -> tuple[Document, ...]:
    return tuple(document for document in documents if document.kind in KINDS)
