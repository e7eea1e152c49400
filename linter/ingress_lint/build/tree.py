"""A Kustomize root with all that it takes in: its kustomizations, its files, and what only others could fetch or run."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from ingress_lint import inputs
from ingress_lint.build.following import ABSENT, value_at
from ingress_lint.build.sources import Sources, items
from ingress_lint.load.document import Document, Place, Pointer, SourceFile
from ingress_lint.load.kustomization import find_file
from ingress_lint.values.patterns import deferred

MAX_LAYERS: Final = 10_000
_TAKEN_IN: Final = ("resources", "bases", "components")
_PLUGINS: Final = ("generators", "transformers", "validators")
CHARTS: Final = ("helmCharts", "helmChartInflationGenerator")
"""The fields of a kustomization that list charts to inflate; entries of the second name their fields otherwise."""
GENERATORS: Final = {"ConfigMap": "configMapGenerator", "Secret": "secretGenerator"}
"""Which field generates objects of a kind."""
_FILE_LISTS: Final = ("patchesStrategicMerge", "configurations", "crds")
_PATH_LISTS: Final = ("patches", "patchesJson6902", "replacements")
_REMOTE: Final = deferred(
    r"(?:[a-z][a-z0-9+.-]*::)?[a-z][a-z0-9+.-]*://|git::|[\w.-]+@[\w.-]+[:/]|(?:github|gitlab|bitbucket)\.\w+[:/]|gh:|[^\n]*[?&]ref="
)
"""Addresses as kustomize and its older getter take them; a path that exists is none."""

_TRANSFORMERS: Final[Mapping[str, Mapping[str, Pointer]]] = {
    "NamespaceTransformer": {"namespace": ("metadata", "namespace")},
    "PrefixTransformer": {"namePrefix": ("prefix",)},
    "SuffixTransformer": {"nameSuffix": ("suffix",)},
    "PrefixSuffixTransformer": {"namePrefix": ("prefix",), "nameSuffix": ("suffix",)},
    "LabelTransformer": {"commonLabels": ("labels",)},
    "AnnotationsTransformer": {"commonAnnotations": ("annotations",)},
    "ReplacementTransformer": {"replacements": ("replacements",)},
}
"""The fields of a kustomization that do what a transformer does, and where the transformer has them."""


class Layer(Struct, eq=False):
    """One kustomization of a build. `path` and `folder` are real paths; `path` is empty for one that stands in no file."""

    path: str
    folder: str
    document: Document
    value: Mapping[str, Any]
    pointers: Mapping[str, Pointer] = field(default_factory=dict)
    """Where the document holds a field of the kustomization, for those that it holds elsewhere than at the field's name."""

    def place(self, name: str, *more: str | int) -> Place:
        """The place of a field, and of what it holds `more` keys further down."""
        return Place(self.document, (*self.pointers.get(name, (name,)), *more))

    def file(self, path: str) -> str:
        """The real path of a file that the kustomization names."""
        return inputs.real_path_in(self.folder, path)


class Inflation(Struct, frozen=True, eq=False):
    """A chart that a kustomization inflates: its entry, where that stands, and the chart's real path, None where it is not here."""

    layer: Layer
    place: Place
    value: Mapping[str, Any]
    chart: str | None

    @property
    def name(self) -> str:
        """What the chart is called."""
        return str(self.value.get("name", self.value.get("chartName")))


class Obstacle(Struct, frozen=True):
    """Why a build is not to be tried: what it needs, the place that says so, and in words."""

    needs: Literal["network", "plugin", "helm", "charts"]
    place: Place
    message: str


class Tree(Struct):
    """What a root takes in, the root itself first, each before what it takes in."""

    layers: list[Layer] = field(default_factory=list)
    obstacles: list[Obstacle] = field(default_factory=list)
    inflations: list[Inflation] = field(default_factory=list)
    manifests: list[str] = field(default_factory=list)
    """The real paths of the files that it takes objects from."""
    missing: list[tuple[Place, str]] = field(default_factory=list)
    """The paths that lead to nothing here, as they are written."""
    files: set[str] = field(default_factory=set)
    """The real paths of all files that the build reads, the kustomizations' among them, as far as they exist."""


class TreeReader:
    """Follows kustomizations to what they take in; each folder is looked at once, so circles end."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._tree = Tree()
        self._seen: set[str] = set()
        self._pending: deque[tuple[str, bool]] = deque()
        self._in_configuration = False

    def read(self, folder: str, *above: Layer) -> Tree:
        """The tree of a folder, with the layers that are put `above` it."""
        for layer in above:
            self._take(layer)
        self._pending.append((os.path.realpath(folder), False))
        while self._pending and len(self._tree.layers) < MAX_LAYERS:
            path, self._in_configuration = self._pending.popleft()
            found = None if path in self._seen else self._layer(path)
            self._seen.add(path)
            if found is not None:
                self._take(found)
        return self._tree

    def _layer(self, folder: str) -> Layer | None:
        path = find_file(folder)
        if path is None:
            return None
        path = os.path.realpath(path)
        documents = self._sources.documents(path)
        document = documents[0] if documents else Document(self._sources.file(path) or SourceFile(path, ""), 0, 0, 0)
        value = document.value
        return Layer(path, folder, document, value if isinstance(value, dict) else {})

    def _take(self, layer: Layer) -> None:
        self._tree.layers.append(layer)
        if layer.path:
            self._tree.files.add(layer.path)
        for key in _TAKEN_IN:
            for index, item in enumerate(items(layer.value, key)):
                what = "a component" if key == "components" else "a base"
                path = self._take_in(layer, item, layer.place(key, index), what)
                if path is not None and not self._in_configuration:
                    self._tree.manifests.append(path)
        for place, item in _listed_files(layer):
            self._take_in(layer, item, place, "a file")
        for key in _PLUGINS:
            for index, item in enumerate(items(layer.value, key)):
                self._configuration(layer, item, layer.place(key, index))
        self._charts(layer)

    def _take_in(self, layer: Layer, item: Any, place: Place, what: str) -> str | None:
        """Follows a path; what it leads to where that is a file."""
        if not isinstance(item, str):
            return None
        path = layer.file(item)
        if inputs.is_folder(path):
            self._pending.append((path, self._in_configuration))
        elif inputs.is_file(path):
            self._tree.files.add(path)
            if self._in_configuration:
                for document in self._sources.documents(path):
                    self._configured(layer, document.value, place)
                    self._tree.layers += _transformer(path, document)
            return path
        elif _REMOTE.match(item):
            self._hinder("network", place, f"{what} lies elsewhere: {item}")
        else:
            self._tree.missing.append((place, item))
        return None

    def _configuration(self, layer: Layer, item: Any, place: Place) -> None:
        """Looks at a generator, transformer or validator: written there, in a file, or built by a folder."""
        if not isinstance(item, str):
            return
        if "\n" in item or "{" in item:
            self._configured(layer, self._sources.value(item), place)
            return
        within, self._in_configuration = self._in_configuration, True
        self._take_in(layer, item, place, "a plugin's configuration")
        self._in_configuration = within

    def _configured(self, layer: Layer, value: Any, place: Place) -> None:
        if not isinstance(value, dict):
            return
        named = (layer.file(text.rpartition("=")[2]) for text in _texts(value) if "\n" not in text)
        self._tree.files.update(path for path in named if inputs.is_file(path))
        version, kind = value.get("apiVersion"), value.get("kind")
        if version != "builtin":
            self._hinder("plugin", place, f"it needs the plugin {kind} ({version}), which is not run")
        elif kind in ("HelmChartInflationGenerator", "HelmChartInflator"):
            self._hinder("helm", place, "it inflates a chart")

    def _charts(self, layer: Layer) -> None:
        globals_ = layer.value.get("helmGlobals")
        home = globals_.get("chartHome") if isinstance(globals_, dict) else None
        for key in CHARTS:
            for index, chart in enumerate(items(layer.value, key)):
                if not isinstance(chart, dict):
                    continue
                found = Inflation(layer, layer.place(key, index), chart, None)
                above = layer.file(str(home or chart.get("chartHome") or "charts").replace("\0", ""))
                name = found.name.replace("\0", "")
                versioned = os.path.join(above, f"{name}-{chart.get('version')}", name)  # where kustomize fetches it to
                folder = next((one for one in (os.path.join(above, name), versioned) if inputs.is_folder(one)), None)
                self._tree.inflations.append(replace(found, chart=folder))
                self._hinder("charts", found.place, f"it inflates the chart {found.name}")

    def _hinder(self, needs: Literal["network", "plugin", "helm", "charts"], place: Place, message: str) -> None:
        self._tree.obstacles.append(Obstacle(needs, place, message))


def _transformer(path: str, document: Document) -> list[Layer]:
    """A transformer of kustomize's own that stands in a file, as the kustomization that would do the same."""
    value = document.value
    fields = _TRANSFORMERS.get(str(value.get("kind")), {}) if isinstance(value, dict) else {}
    given = {name: found for name, pointer in fields.items() if (found := value_at(value, pointer)) is not ABSENT}
    return [Layer(path, os.path.dirname(path), document, given, fields)] if given else []


def _texts(value: Any) -> Iterator[str]:
    """The texts that a value holds, at whatever depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _listed_files(layer: Layer) -> Iterator[tuple[Place, Any]]:
    """The files that a kustomization names besides manifests: patches, configuration, data."""
    value = layer.value
    for key in _FILE_LISTS:
        yield from ((layer.place(key, index), item) for index, item in enumerate(items(value, key)))
    for key in _PATH_LISTS:
        for index, item in enumerate(items(value, key)):
            if isinstance(item, dict) and "path" in item:
                yield layer.place(key, index, "path"), item["path"]
    for key in GENERATORS.values():
        for index, item in enumerate(items(value, key)):
            for data in ("files", "envs"):
                for at, source in enumerate(items(item, data)):
                    yield layer.place(key, index, data, at), str(source).rpartition("=")[2]
            if isinstance(item, dict) and "env" in item:
                yield layer.place(key, index, "env"), item["env"]
    for index, chart in enumerate(items(value, "helmCharts")):
        if isinstance(chart, dict):
            yield layer.place("helmCharts", index, "valuesFile"), chart.get("valuesFile")
            for at, file in enumerate(items(chart, "additionalValuesFiles")):
                yield layer.place("helmCharts", index, "additionalValuesFiles", at), file
    openapi = value.get("openapi")
    if isinstance(openapi, dict):
        yield layer.place("openapi", "path"), openapi.get("path")
