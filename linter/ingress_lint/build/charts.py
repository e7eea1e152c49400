"""A chart on disk: what it is called, its dependencies and where these lie, and a copy of it that is complete."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from zlib import MAX_WBITS, decompressobj
from zlib import error as zlib_error

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint import inputs
from ingress_lint.build.following import value_at
from ingress_lint.build.sources import Sources, items
from ingress_lint.load.document import Document, Place
from ingress_lint.load.files import CHART_FILE
from ingress_lint.values.patterns import deferred

VALUES_FILE: Final = "values.yaml"
_REQUIREMENTS: Final = "requirements.yaml"
_LOCKS: Final = ("requirements.lock", "Chart.lock")
_CHARTS: Final = "charts"
_GIT: Final = ".git"
_LOCAL: Final = "file://"
_ARCHIVES: Final = (".tgz", ".tar.gz")
_VERSION: Final = deferred(r"-v?\d+\.\d+\.\d+(?:[-+][\w.+-]*)?\Z")
_USER: Final = deferred(r"//[^/@]*@")
_DEEPEST: Final = 20
_MAX_FILES: Final = 50_000
_MAX_BYTES: Final = 256 * 1024 * 1024
_MAX_UNPACKED: Final = 100 * 1024 * 1024
_CHUNK: Final = 1024 * 1024


class ChartError(Exception):
    """A chart that cannot be copied; the message says why."""


class RemoteChart(Struct, frozen=True):
    """A chart of a repository or registry. `version` may be a range; where there is a `digest`, that alone counts.

    `plain`: a registry is asked without TLS.
    """

    name: str
    version: str
    repository: str
    digest: str = ""
    plain: bool = False

    @property
    def title(self) -> str:
        """How sentences name it: by name, version and repository, without what its address holds of credentials."""
        where = f" of {_USER.sub('//', self.repository)}" if self.repository else ""
        return f"{self.name} {self.digest or self.version}".rstrip() + where


class Dependency(Struct, frozen=True):
    """An entry of a chart's `dependencies`. `called` is what helm calls the chart that comes of it: its alias, else its name."""

    name: str
    called: str
    version: str
    repository: str
    condition: str
    tags: tuple[str, ...]
    place: Place

    @property
    def remote(self) -> RemoteChart:
        """The chart to fetch where it is not here."""
        return RemoteChart(self.name, self.version, self.repository)

    @property
    def title(self) -> str:
        """How sentences name it: by name, version and repository."""
        return self.remote.title

    def is_off(self, values: Mapping[str, Any]) -> bool:
        """Whether the values of its chart switch it off: the first path of its condition that leads to a switch decides, else its tags.

        (helm/helm:pkg/chartutil/dependencies.go, processDependencyConditions and processDependencyTags)
        """
        for path in self.condition.split(","):
            found = value_at(values, tuple(path.strip().split(".")))
            if isinstance(found, bool):
                return not found
        switches = [value_at(values, ("tags", tag)) for tag in self.tags]
        return False in switches and True not in switches


class Chart(Struct, frozen=True, eq=False):
    """A chart. `path` is the real path of its folder, or of the archive that holds it."""

    path: str
    name: str
    dependencies: tuple[Dependency, ...]
    parts: Mapping[str, Chart]
    """The charts below it by the names that helm gives them; those of other folders of the repository (`file://`) too."""
    within: str = ""
    """Where it belongs in a copy of the chart that needs it, such as `charts/db`."""
    from_elsewhere: bool = False
    """Whether it lies outside of the `charts` of the one that needs it."""
    is_fetched: bool = False
    """Whether its archive lies where it does for this run alone."""
    left_out: tuple[Dependency, ...] = ()
    """Dependencies that are switched off, and that a copy does not name, as helm asks for them all the same."""

    @property
    def is_archive(self) -> bool:
        """Whether it lies in an archive, which is not opened here."""
        return self.path.endswith(_ARCHIVES)

    @property
    def missing(self) -> Iterator[Dependency]:
        """The dependencies that are not here, its parts' ones too; helm refuses a chart that lacks one."""
        yield from self.own_missing
        for part in {part.path: part for part in self.parts.values()}.values():
            yield from part.missing

    @property
    def own_missing(self) -> Iterator[Dependency]:
        """The dependencies of its own that are not here."""
        for dependency in self.dependencies:
            if dependency.called not in self.parts and dependency not in self.left_out:
                yield dependency

    @property
    def is_complete(self) -> bool:
        """Whether helm can render it where it lies."""
        return not self.left_out and all(not part.from_elsewhere and part.is_complete for part in self.parts.values())

    def file(self, source: str) -> str | None:
        """The real path of what helm calls `source` (`# Source: web/charts/db/templates/x.yaml`); None in an archive."""
        chart, (_, *rest) = self, source.split("/")
        while len(rest) > 2 and rest[0] == _CHARTS and rest[1] in chart.parts:
            chart, rest = chart.parts[rest[1]], rest[2:]
        return None if chart.is_archive else os.path.join(chart.path, *rest)

    def files(self) -> list[tuple[str, str]]:
        """All that helm reads of it and its parts: each path in a copy, and the file that belongs there. Raises `ChartError`."""
        return list(_Files().of(self))

    def completed(self, find: Callable[[Dependency], str | None]) -> Chart:
        """The chart with what `find` knows of the dependencies that are not here: paths of archives."""
        parts = {name: part.completed(find) for name, part in self.parts.items()}
        for dependency in self.own_missing:
            path = find(dependency)
            if path is not None:
                within = os.path.join(_CHARTS, f"{dependency.name}.tgz")
                parts[dependency.called] = Chart(path, dependency.name, (), {}, within, True, is_fetched=True)
        return replace(self, parts=parts)

    @property
    def fetched(self) -> Iterator[str]:
        """The archives that lie where they do for this run alone, its own and those in it."""
        if self.is_fetched:
            yield self.path
        for part in self.parts.values():
            yield from part.fetched

    def copy(self, folder: str, changed: Mapping[str, str | None] | None = None) -> None:
        """Copies it, with all its parts in its `charts`, to a folder that is not there yet; raises `ChartError`.

        `changed` has other texts for some of the `files`, by their paths in the copy, and None for what is left out.
        """
        changed = changed or {}
        for name, path in self.files():
            to = os.path.join(folder, name)
            text = changed.get(name, "")
            if text is None:
                continue
            try:
                os.makedirs(os.path.dirname(to), exist_ok=True)
                if name not in changed:
                    shutil.copyfile(path, to, follow_symlinks=inputs.is_file(path))
                    continue
                with open(to, "w", encoding="utf-8", newline="") as stream:
                    stream.write(text)
            except OSError as error:
                raise ChartError(f"{name} in it cannot be read: {error.strerror}") from None
        self.amend(folder)

    def amend(self, folder: str) -> None:
        """Makes a copy in a folder complete for helm: it no longer names what is left out."""
        left_out = [dependency.place for dependency in self.left_out]
        for document in {place.document for place in left_out}:
            indexes = {place.pointer[1] for place in left_out if place.document is document}
            kept = [item for index, item in enumerate(document.value["dependencies"]) if index not in indexes]
            to = os.path.join(folder, os.path.basename(document.file.path))
            with open(to, "w", encoding="utf-8") as stream:
                json.dump(document.value | {"dependencies": kept}, stream, default=str)


def read_chart(folder: str, sources: Sources) -> Chart:
    """The chart in a folder, as far as it can be read."""
    return _read(os.path.realpath(folder), sources, ())


def metadata_document(folder: str, sources: Sources) -> Document | None:
    """The document of a chart's `Chart.yaml`, None where it has none that can be read."""
    return next(iter(sources.documents(os.path.join(folder, CHART_FILE))), None)


def name_of(folder: str, sources: Sources) -> str:
    """What a chart is called: as its `Chart.yaml` says, else as its folder is."""
    document = metadata_document(folder, sources)
    name = document.value.get("name") if document is not None and isinstance(document.value, dict) else None
    return name if isinstance(name, str) else os.path.basename(folder)


def _read(folder: str, sources: Sources, above: tuple[str, ...]) -> Chart:
    above = (*above, folder)
    document = metadata_document(folder, sources)
    dependencies = tuple(_dependencies(folder, document, sources))
    parts = {part.name: part for part in _vendored(folder, sources, above)}
    found: dict[str, Chart] = {}
    for dependency in dependencies:
        part = parts.get(dependency.name) or _local(dependency, folder, sources, above)
        if part is not None:
            found[dependency.called] = part
    return Chart(folder, name_of(folder, sources), dependencies, parts | found)


def _dependencies(folder: str, document: Document | None, sources: Sources) -> Iterator[Dependency]:
    """What `Chart.yaml` names, and `requirements.yaml` of charts of API version 1."""
    locked = _locked(folder, sources)
    required = next(iter(sources.documents(os.path.join(folder, _REQUIREMENTS))), None)
    for held in (document, required):
        for index, item in enumerate(items(held.value, "dependencies") if held is not None else ()):
            if held is not None and isinstance(item, dict) and isinstance(item.get("name"), str):
                name, alias = item["name"], item.get("alias")
                yield Dependency(
                    name,
                    alias if isinstance(alias, str) and alias else name,
                    locked.get(name) or str(item.get("version") or ""),
                    str(item.get("repository") or ""),
                    str(item.get("condition") or ""),
                    tuple(str(tag) for tag in items(item, "tags")),
                    Place(held, ("dependencies", index, "name")),
                )


def _locked(folder: str, sources: Sources) -> Mapping[str, str]:
    """The versions that `Chart.lock` or `requirements.lock` fixes, by name."""
    documents = (document for name in _LOCKS for document in sources.documents(os.path.join(folder, name))[:1])
    return {
        str(item.get("name")): str(item.get("version") or "")
        for document in documents
        for item in items(document.value, "dependencies")
        if isinstance(item, dict)
    }


def _vendored(folder: str, sources: Sources, above: tuple[str, ...]) -> Iterator[Chart]:
    """The charts in `charts`, folders and archives."""
    charts = os.path.join(folder, _CHARTS)
    for name in sorted(_names(charts)):
        path = os.path.realpath(os.path.join(charts, name))
        if name.startswith(("_", ".")) or path in above or len(above) > _DEEPEST:
            continue
        if name.endswith(_ARCHIVES) and inputs.is_file(path):
            called = _VERSION.sub("", name[: -len(next(end for end in _ARCHIVES if name.endswith(end)))])
            yield Chart(path, called, (), {}, os.path.join(_CHARTS, name))
        elif inputs.is_file(os.path.join(path, CHART_FILE)):
            yield replace(_read(path, sources, above), within=os.path.join(_CHARTS, name))


def _local(dependency: Dependency, folder: str, sources: Sources, above: tuple[str, ...]) -> Chart | None:
    """The chart of a dependency whose repository is a folder (`file://../common`)."""
    if not dependency.repository.startswith(_LOCAL) or "\0" in dependency.repository:
        return None
    path = os.path.realpath(os.path.join(folder, dependency.repository.removeprefix(_LOCAL)))
    if path in above or len(above) > _DEEPEST or not inputs.is_file(os.path.join(path, CHART_FILE)):
        return None
    part = _read(path, sources, above)
    return replace(part, within=os.path.join(_CHARTS, part.name), from_elsewhere=True)


def _names(folder: str) -> list[str]:
    try:
        return [entry.name for entry in inputs.entries(folder)]
    except OSError:
        return []


class _Files:
    """Lists what helm reads of charts, links followed; raises `ChartError` where that is more than a chart has."""

    def __init__(self) -> None:
        self._count = 0
        self._bytes = 0

    def of(self, chart: Chart, inside: str = "") -> Iterator[tuple[str, str]]:
        """The files of a chart, each with its path in a copy and its own."""
        if chart.is_archive:
            yield inside, chart.path
        else:
            yield from self._below(chart.path, inside, frozenset())
            yield from self._of_parts(chart, inside)

    def _of_parts(self, chart: Chart, inside: str) -> Iterator[tuple[str, str]]:
        """The files of its parts that do not lie in its folder."""
        for part in {part.path: part for part in chart.parts.values()}.values():
            within = os.path.join(inside, part.within)
            yield from self.of(part, within) if part.from_elsewhere else self._of_parts(part, within)

    def _below(self, folder: str, inside: str, above: frozenset[str]) -> Iterator[tuple[str, str]]:
        real = os.path.realpath(folder)
        if real in above:
            raise ChartError(f"{inside} in it leads to a folder that holds it")
        try:
            entries = inputs.entries(folder)
        except OSError as error:
            raise ChartError(f"{inside or 'its folder'} cannot be read: {error.strerror}") from None
        for entry in entries:
            name = os.path.join(inside, entry.name)
            if inputs.is_folder(entry.path):
                if entry.name != _GIT:
                    yield from self._below(entry.path, name, above | {real})
            elif inputs.is_file(entry.path):
                self._count += 1
                self._bytes += entry.stat().st_size
                if self._count > _MAX_FILES or self._bytes > _MAX_BYTES:
                    raise ChartError(f"it has more than {_MAX_FILES} files or {_MAX_BYTES // 1024**2} MiB")
                if entry.name.endswith(_ARCHIVES) and os.path.basename(inside) == _CHARTS:
                    check_archive(_content(entry.path, name), name)
                yield name, entry.path
            elif entry.is_symlink():
                yield name, entry.path  # it leads nowhere, of which helm will tell


def _content(path: str, name: str) -> bytes:
    try:
        return inputs.read(path)
    except OSError as error:
        raise ChartError(f"{name} in it cannot be read: {error.strerror}") from None


def check_archive(content: bytes, name: str) -> None:
    """Refuses an archive that unpacks to more than helm takes, which before 3.17.3 took any (CVE-2025-32386); `ChartError`."""
    unpacking = decompressobj(MAX_WBITS | 16)
    size = 0
    try:
        while content and size <= _MAX_UNPACKED:
            size += len(unpacking.decompress(content, _CHUNK))
            content = unpacking.unconsumed_tail
    except zlib_error:
        return  # helm will tell what is wrong with it
    if size > _MAX_UNPACKED:
        raise ChartError(f"{name} in it unpacks to more than {_MAX_UNPACKED // 1024**2} MiB")
