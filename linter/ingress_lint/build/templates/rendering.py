"""Renders a release a second time, from a copy whose templates mark what they write."""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from typing import Final

from ingress_lint.build.charts import VALUES_FILE, ChartError
from ingress_lint.build.helm import Rendered, kept, run_helm
from ingress_lint.build.running import Failure, Output
from ingress_lint.build.templates.lines import Row, Rows, Written, rows_of, written
from ingress_lint.build.templates.marking import Marker, named_in
from ingress_lint.build.templates.outline import Outline, homes_of
from ingress_lint.build.templates.scopes import Scope
from ingress_lint.build.templates.template import Block, Template
from ingress_lint.build.tools import Tool
from ingress_lint.load.document import Document, SourceFile
from ingress_lint.load.files import CHART_FILE

_MOST_RUNS: Final = 3
_TEMPLATES: Final = "templates"
_CHARTS: Final = "charts"
_NEEDED: Final = frozenset(
    (
        CHART_FILE,
        "Chart.lock",
        "requirements.yaml",
        "requirements.lock",
        VALUES_FILE,
        ".helmignore",
        _TEMPLATES,
        _CHARTS,
    )
)
_NOT_READ: Final = frozenset(("crds", "ci", "values.schema.json", ".github", "README.md"))
"""What plays no part in a second rendering: `crds` holds no templates, and the values were found to fit the schema."""
_MARKED_DATA: Final = (".conf", ".yaml", ".yml", ".tpl", ".cfg", ".ini", ".properties", ".txt", ".vcl", ".env", ".toml")
_LARGEST_DATA: Final = 256 * 1024
_READS_FILES: Final = ".Files."
_NEVER_MARKED: Final = "CustomResourceDefinition"
"""Texts that go on over several lines, in which comments have no place, and in which nothing is routed."""


class Rerendering:
    """What a release's templates write, line by line.

    The second rendering is made when it is first asked for. Where that shows nothing, or cannot be made as nobody knows the
    values, the templates' own text tells.
    """

    def __init__(self, rendered: Rendered) -> None:
        self._rendered = rendered
        self._outlined: dict[tuple[SourceFile, str], dict[int, Written]] = {}

    @cached_property
    def templates(self) -> Mapping[str, Template]:
        """The templates of the chart and its parts, by their paths in a complete copy of the chart."""
        found = ((name, path) for name, path in self._paths if _top(name) == _TEMPLATES)
        texts = ((name, self._rendered.sources.file(path)) for name, path in found)
        return {name: Template(file) for name, file in texts if file is not None}

    @cached_property
    def definitions(self) -> Mapping[str, Block]:
        """What templates can be included, by name; a chart's win over those of its parts, as helm reads these first."""
        found: dict[str, Block] = {}
        for _, template in sorted(self.templates.items(), key=lambda item: -item[0].count("/")):
            found |= ((block.name, block) for block in template.definitions)
        return found

    @cached_property
    def _homes(self) -> Mapping[str, Template]:
        return homes_of(self.templates.values())

    def prepare(self) -> None:
        """Makes the second rendering now."""
        _ = self._written

    def written(self, document: Document, line: int) -> Written | None:
        """Where a line of the text that a document is of is written; None where nothing shows it."""
        found = self._written.get(line)
        if found is not None:
            return found
        key = document.file, document.template
        if key not in self._outlined:
            template = self._template(document.template)
            rows = self._rows[document.file].get(document.template, ())
            self._outlined[key] = {} if template is None else Outline(template, self._homes).written(rows)
        return self._outlined[key].get(line)

    def file(self, source: str) -> SourceFile | None:
        """The file of what helm calls `source`."""
        path = self._rendered.chart.file(source)
        return None if path is None else self._rendered.sources.file(path)

    def _template(self, source: str) -> Template | None:
        known = self.templates.get(source.partition("/")[2].replace("/", os.sep))
        file = self.file(source) if known is None else None
        return known if file is None else Template(file)

    @cached_property
    def _rows(self) -> Mapping[SourceFile, Rows]:
        """The lines of each rendered text."""
        if self._rendered.file is not None:
            return {self._rendered.file: rows_of(self._rendered.file.text)}
        found: defaultdict[SourceFile, defaultdict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
        for document in self._rendered.documents:  # a text may hold those of other charts, too
            first, _ = document.file.line_and_column(document.start)
            for source, rows in rows_of(document.text, first).items():
                found[document.file][source] += rows
        return found

    @cached_property
    def _paths(self) -> Sequence[tuple[str, str]]:
        """Each file that helm reads: its path in a copy, and its own."""
        try:
            return self._rendered.chart.files()
        except ChartError:
            return []

    @cached_property
    def _written(self) -> Mapping[int, Written]:
        release, tool, file = self._rendered.release, self._rendered.tool, self._rendered.file
        if tool is None or file is None or self._rendered.chart.is_archive:
            return {}
        marker = Marker()
        changed = self._changed(marker)
        digest = sha256(repr(changed).encode(errors="surrogateescape")).hexdigest()
        result = kept(release, tool, self._rendered.chart, self._paths, lambda: self._run(changed, tool), digest)
        return written(self._rows[file], rows_of(result.stdout), marker.marks) if isinstance(result, Output) else {}

    def _changed(self, marker: Marker) -> dict[str, str | None]:
        """What the marked copy has instead of the files: marked texts, and nothing of what is not needed."""
        changed: dict[str, str | None] = {}
        for name, path in self._paths:
            if name == VALUES_FILE and self._rendered.release.without_defaults:
                changed[name] = None
                continue
            template = self.templates.get(name)
            if template is not None and _NEVER_MARKED not in template.file.text:
                changed[name] = marker.template(template)
            elif _top(name) not in _NEEDED and (not self._reads_files or _top(name) in _NOT_READ):
                changed[name] = None
            elif self._reads_files and (file := self._data(name, path)) is not None:
                changed[name] = marker.data(file)
        return changed

    def _run(self, changed: dict[str, str | None], tool: Tool) -> Output | Failure:
        """Renders a marked copy; what helm then refuses for a mark is left as it was, and the rest tried again."""
        release, chart = self._rendered.release, self._rendered.chart
        result: Output | Failure = Failure("not-started", "")
        for _ in range(_MOST_RUNS):
            with tempfile.TemporaryDirectory(prefix="ingress-lint-", ignore_cleanup_errors=True) as temporary:
                folder = os.path.realpath(temporary)
                try:
                    chart.copy(folder, changed)
                except ChartError as error:
                    return Failure("not-started", str(error))
                result = run_helm(release, tool, folder)
            if isinstance(result, Output):
                break
            marked = {name for name, text in changed.items() if text is not None}
            refused = (named_in(result.stderr, self.templates) & marked) | (marked - self.templates.keys())
            if not refused:
                break
            changed = {name: text for name, text in changed.items() if name not in refused}
        return result

    @cached_property
    def _reads_files(self) -> bool:
        return any(_READS_FILES in template.file.text for template in self.templates.values())

    def _data(self, name: str, path: str) -> SourceFile | None:
        """A file that templates may read, where that is a text to mark."""
        if _top(name) in _NEEDED or not name.endswith(_MARKED_DATA):
            return None
        file = self._rendered.sources.file(path)
        if file is None or len(file.text) > _LARGEST_DATA or _NEVER_MARKED in file.text:
            return None
        return file


def scope_of(source: str) -> Scope:
    """The chart that a template is of, from what helm calls it (`web/charts/db/templates/x.yaml`)."""
    return _below_charts(source.split("/")[1:])[0]


def _top(name: str) -> str:
    """The first part of a path in the chart that it belongs to."""
    return _below_charts(name.replace(os.sep, "/").split("/"))[1][0]


def _below_charts(parts: list[str]) -> tuple[Scope, list[str]]:
    """The charts below the first that a path leads through, and the path in the last of them."""
    scope: list[str] = []
    while len(parts) > 2 and parts[0] == _CHARTS:
        scope.append(parts[1])
        parts = parts[2:]
    return tuple(scope), parts
