"""Renders a release a second time, from a copy whose templates mark what they write."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Final

from ingress_lint.build.charts import VALUES_FILE, ChartError
from ingress_lint.build.helm import Rendered, run_helm
from ingress_lint.build.running import Output
from ingress_lint.build.templates.lines import Rows, Written, matched, rows_of, written
from ingress_lint.build.templates.marking import Marker, named_in
from ingress_lint.build.templates.scopes import Scope
from ingress_lint.build.templates.template import Block, Template
from ingress_lint.load.document import SourceFile
from ingress_lint.load.files import CHART_FILE

_MOST_RUNS: Final = 3
_TEMPLATES: Final = "templates"
_NOT_DATA: Final = frozenset((CHART_FILE, VALUES_FILE, "requirements.yaml", "README.md", "LICENSE"))
_DATA_FOLDERS: Final = frozenset(("crds", "ci", "charts"))
_MARKED_DATA: Final = (".conf", ".yaml", ".yml", ".tpl", ".cfg", ".ini", ".properties", ".txt", ".vcl", ".env", ".toml")
_LARGEST_DATA: Final = 256 * 1024
_READS_FILES: Final = ".Files."
_NEVER_MARKED: Final = "CustomResourceDefinition"
"""Texts that go on over several lines, in which comments have no place, and in which nothing is routed."""


class Rerendering:
    """What a release's templates write, line by line. The second rendering is made when it is first asked for."""

    def __init__(self, rendered: Rendered) -> None:
        self._rendered = rendered
        self._matched: dict[str, dict[int, Written]] = {}

    @cached_property
    def templates(self) -> Mapping[str, Template]:
        """The templates of the chart and its parts, by their paths in a complete copy of the chart."""
        return {path: Template(file) for path, file in self._files() if _TEMPLATES in path.split("/")}

    @cached_property
    def definitions(self) -> Mapping[str, Block]:
        """What templates can be included, by name; a chart's win over those of its parts, as helm reads these first."""
        found: dict[str, Block] = {}
        for _, template in sorted(self.templates.items(), key=lambda item: -item[0].count("/")):
            found |= ((block.name, block) for block in template.definitions)
        return found

    def written(self, source: str, line: int) -> Written | None:
        """Where a line of the rendered text, of a document of `source`, is written; None where nothing shows it."""
        found = self._written.get(line)
        if found is not None:
            return found
        if source not in self._matched:
            template = self._template(source)
            rows = self._rows.get(source, ())
            self._matched[source] = {} if template is None else matched(rows, template)
        return self._matched[source].get(line)

    def file(self, source: str) -> SourceFile | None:
        """The file of what helm calls `source`."""
        path = self._rendered.chart.file(source)
        return None if path is None else self._rendered.sources.file(path)

    def _template(self, source: str) -> Template | None:
        known = self.templates.get(source.partition("/")[2])
        file = self.file(source) if known is None else None
        return known if file is None else Template(file)

    @cached_property
    def _rows(self) -> Rows:
        return rows_of(self._rendered.file.text)

    @cached_property
    def _written(self) -> Mapping[int, Written]:
        with tempfile.TemporaryDirectory(prefix="ingress-lint-", ignore_cleanup_errors=True) as folder:
            copy = os.path.join(os.path.realpath(folder), "chart")
            try:
                self._rendered.chart.copy(copy)
                return self._run(copy)
            except (OSError, ValueError, ChartError):
                return {}

    def _run(self, copy: str) -> Mapping[int, Written]:
        """Marks the copy and renders it; what helm then refuses for a mark is left as it was, and the rest tried again."""
        release, tool = self._rendered.release, self._rendered.tool
        marker = Marker()
        for path, template in self.templates.items():
            if _NEVER_MARKED not in template.file.text:
                _write(copy, path, marker.template(template))
        data = [*self._data(copy)]
        for path, file in data:
            _write(copy, path, marker.data(file))
        unmarked: set[str] = set()
        for _ in range(_MOST_RUNS):
            result = run_helm(release, tool, copy)
            if isinstance(result, Output):
                return written(self._rows, rows_of(result.stdout), marker.marks)
            refused = named_in(result.stderr, copy).intersection(self.templates) - unmarked
            if not refused and not data:
                break
            for path in refused:
                _write(copy, path, self.templates[path].file.text)
            for path, file in data:
                _write(copy, path, file.text)
            unmarked, data = unmarked | refused, []
        return {}

    def _data(self, copy: str) -> Iterator[tuple[str, SourceFile]]:
        """The files that templates may read, where any of them does so."""
        if not any(_READS_FILES in template.file.text for template in self.templates.values()):
            return
        for path, file in self._files():
            parts = path.split("/")
            if (
                _TEMPLATES not in parts
                and parts[-1] not in _NOT_DATA
                and parts[-1].endswith(_MARKED_DATA)
                and not parts[-1].startswith("values")
                and len(file.text) <= _LARGEST_DATA
                and os.path.isfile(os.path.join(copy, path))
            ):
                yield path, file

    def _files(self) -> Iterator[tuple[str, SourceFile]]:
        """The files of the chart and its parts that may be of use, by their paths in a complete copy."""
        chart, sources = self._rendered.chart, self._rendered.sources
        seen: set[str] = set()
        stack = [("", chart)]
        while stack:
            prefix, one = stack.pop()
            if one.is_archive or one.path in seen:
                continue
            seen.add(one.path)
            for path in _below(one.path):
                file = sources.file(os.path.join(one.path, path))
                if file is not None:
                    yield prefix + path, file
            for part in one.parts.values():
                inside = os.path.dirname(part.path) == os.path.join(one.path, "charts")
                name = os.path.basename(part.path) if inside else part.name
                stack.append((f"{prefix}charts/{name}/", part))


def scope_of(source: str) -> Scope:
    """The chart that a template is of, from what helm calls it (`web/charts/db/templates/x.yaml`)."""
    parts = source.split("/")[1:]
    scope = []
    while len(parts) > 2 and parts[0] == "charts":
        scope.append(parts[1])
        parts = parts[2:]
    return tuple(scope)


def _below(folder: str) -> Iterator[str]:
    """The files of a chart itself, sorted: templates, and what these may read."""
    for holder, folders, names in os.walk(folder):
        relative = os.path.relpath(holder, folder)
        top = relative == "."
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and not (top and name in _DATA_FOLDERS)
        )
        prefix = "" if top else relative.replace(os.sep, "/") + "/"
        for name in sorted(names):
            if prefix.split("/")[0] == _TEMPLATES or name.endswith(_MARKED_DATA):
                yield prefix + name


def _write(folder: str, path: str, text: str) -> None:
    target = os.path.join(folder, *path.split("/"))
    if os.path.isfile(target):
        with open(target, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
