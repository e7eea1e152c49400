"""A chart on disk: what it is called, its dependencies and where these lie, and a copy of it that is complete."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from ingress_lint.build.sources import Sources, items
from ingress_lint.load.document import Document, Place
from ingress_lint.values.patterns import deferred

CHART_FILE: Final = "Chart.yaml"
VALUES_FILE: Final = "values.yaml"
_REQUIREMENTS: Final = "requirements.yaml"
_CHARTS: Final = "charts"
_LOCAL: Final = "file://"
_ARCHIVES: Final = (".tgz", ".tar.gz")
_VERSION: Final = deferred(r"-v?\d+\.\d+\.\d+(?:[-+][\w.+-]*)?\Z")
_DEEPEST: Final = 20
_MAX_FILES: Final = 50_000
_MAX_BYTES: Final = 256 * 1024 * 1024


class ChartError(Exception):
    """A chart that cannot be copied; the message says why."""


class Dependency(Struct, frozen=True):
    """An entry of a chart's `dependencies`. `called` is what helm calls the chart that comes of it: its alias, else its name."""

    name: str
    called: str
    version: str
    repository: str
    place: Place


class Chart(Struct, frozen=True, eq=False):
    """A chart. `path` is the real path of its folder, or of the archive that holds it."""

    path: str
    name: str
    metadata: Mapping[str, Any]
    dependencies: tuple[Dependency, ...]
    parts: Mapping[str, Chart]
    """The charts below it by the names that helm gives them; those of other folders of the repository (`file://`) too."""
    from_elsewhere: bool = False
    """Whether it lies outside of the `charts` of the one that needs it."""

    @property
    def is_archive(self) -> bool:
        """Whether it lies in an archive, which is not opened here."""
        return self.path.endswith(_ARCHIVES)

    @property
    def missing(self) -> Iterator[Dependency]:
        """The dependencies that are not here, its parts' ones too; helm refuses a chart that lacks one."""
        for dependency in self.dependencies:
            if dependency.called not in self.parts:
                yield dependency
        for part in {part.path: part for part in self.parts.values()}.values():
            yield from part.missing

    @property
    def is_complete(self) -> bool:
        """Whether helm can render it where it lies."""
        return all(not part.from_elsewhere and part.is_complete for part in self.parts.values())

    def file(self, source: str) -> str | None:
        """The real path of what helm calls `source` (`# Source: web/charts/db/templates/x.yaml`); None in an archive."""
        chart, (_, *rest) = self, source.split("/")
        while len(rest) > 2 and rest[0] == _CHARTS and rest[1] in chart.parts:
            chart, rest = chart.parts[rest[1]], rest[2:]
        return None if chart.is_archive else os.path.join(chart.path, *rest)

    def copy(self, folder: str) -> None:
        """Copies it, with all its parts in its `charts`, to a folder that is not there yet; raises `ChartError`."""
        _Copying().copy(self, folder)


def read_chart(folder: str, sources: Sources) -> Chart:
    """The chart in a folder, as far as it can be read."""
    return _read(os.path.realpath(folder), sources, (), from_elsewhere=False)


def metadata_document(folder: str, sources: Sources) -> Document | None:
    """The document of a chart's `Chart.yaml`, None where it has none that can be read."""
    return next(iter(sources.documents(os.path.join(folder, CHART_FILE))), None)


def _read(folder: str, sources: Sources, above: tuple[str, ...], *, from_elsewhere: bool) -> Chart:
    above = (*above, folder)
    document = metadata_document(folder, sources)
    value = document.value if document is not None else None
    metadata = value if isinstance(value, dict) else {}
    dependencies = tuple(_dependencies(folder, document, sources))
    parts = {part.name: part for part in _vendored(folder, sources, above)}
    found: dict[str, Chart] = {}
    for dependency in dependencies:
        part = parts.get(dependency.name) or _local(dependency, folder, sources, above)
        if part is not None:
            found[dependency.called] = part
    name = metadata.get("name")
    return Chart(
        folder,
        name if isinstance(name, str) else os.path.basename(folder),
        metadata,
        dependencies,
        parts | found,
        from_elsewhere,
    )


def _dependencies(folder: str, document: Document | None, sources: Sources) -> Iterator[Dependency]:
    """What `Chart.yaml` names, and `requirements.yaml` of charts of API version 1."""
    required = next(iter(sources.documents(os.path.join(folder, _REQUIREMENTS))), None)
    for held in (document, required):
        for index, item in enumerate(items(held.value, "dependencies") if held is not None else ()):
            if held is not None and isinstance(item, dict) and isinstance(item.get("name"), str):
                name, alias = item["name"], item.get("alias")
                yield Dependency(
                    name,
                    alias if isinstance(alias, str) and alias else name,
                    str(item.get("version") or ""),
                    str(item.get("repository") or ""),
                    Place(held, ("dependencies", index, "name")),
                )


def _vendored(folder: str, sources: Sources, above: tuple[str, ...]) -> Iterator[Chart]:
    """The charts in `charts`, folders and archives."""
    charts = os.path.join(folder, _CHARTS)
    for name in sorted(_names(charts)):
        path = os.path.realpath(os.path.join(charts, name))
        if name.startswith(("_", ".")) or path in above or len(above) > _DEEPEST:
            continue
        if name.endswith(_ARCHIVES) and os.path.isfile(path):
            called = _VERSION.sub("", name[: -len(next(end for end in _ARCHIVES if name.endswith(end)))])
            yield Chart(path, called, {}, (), {})
        elif os.path.isfile(os.path.join(path, CHART_FILE)):
            yield _read(path, sources, above, from_elsewhere=False)


def _local(dependency: Dependency, folder: str, sources: Sources, above: tuple[str, ...]) -> Chart | None:
    """The chart of a dependency whose repository is a folder (`file://../common`)."""
    if not dependency.repository.startswith(_LOCAL) or "\0" in dependency.repository:
        return None
    path = os.path.realpath(os.path.join(folder, dependency.repository.removeprefix(_LOCAL)))
    if path in above or len(above) > _DEEPEST or not os.path.isfile(os.path.join(path, CHART_FILE)):
        return None
    return _read(path, sources, above, from_elsewhere=True)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


class _Copying:
    """Copies files, no more than a chart has."""

    def __init__(self) -> None:
        self._files = 0
        self._bytes = 0

    def copy(self, chart: Chart, folder: str) -> None:
        try:
            self._copy(chart, folder)
        except OSError as error:
            raise ChartError(f"{chart.name} could not be copied: {error.strerror or error}") from None

    def _copy(self, chart: Chart, folder: str) -> None:
        self._copy_folder(chart.path, folder, frozenset())
        for part in {part.path: part for part in chart.parts.values() if part.from_elsewhere}.values():
            self._copy(part, os.path.join(folder, _CHARTS, part.name))

    def _copy_folder(self, source: str, target: str, above: frozenset[str]) -> None:
        real = os.path.realpath(source)
        if real in above:
            return
        os.makedirs(target, exist_ok=True)
        with os.scandir(source) as entries:
            for entry in entries:
                to = os.path.join(target, entry.name)
                if entry.is_dir():
                    if entry.name != ".git":
                        self._copy_folder(entry.path, to, above | {real})
                elif entry.is_file():
                    self._count(entry.stat().st_size)
                    shutil.copyfile(entry.path, to)

    def _count(self, size: int) -> None:
        self._files += 1
        self._bytes += size
        if self._files > _MAX_FILES or self._bytes > _MAX_BYTES:
            raise ChartError(f"it has more than {_MAX_FILES} files or {_MAX_BYTES // 1024**2} MiB")
