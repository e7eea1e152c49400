"""Charts near a text that helm has rendered, found by the names that helm calls their templates by."""

from __future__ import annotations

import os
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Final

from ingress_lint import inputs
from ingress_lint.load.document import Document
from ingress_lint.load.files import CHART_FILE, STANDARD_INPUT
from ingress_lint.units.excludes import DEFAULT_FOLDERS
from ingress_lint.units.site import Site

if TYPE_CHECKING:
    from ingress_lint.build.charts import Chart

_DEEPEST: Final = 5
_MOST_FOLDERS: Final = 5_000
"""More folders than that, or further down, are not looked into."""


class Nearby:
    """The charts of the paths of a run, of the working directory and of the repository around it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._read: dict[str, Chart] = {}

    def chart(self, documents: Iterable[Document]) -> Chart | None:
        """The chart that made all of some documents, the nearest of several; None where it is not here, or that does not tell."""
        templates = dict.fromkeys(document.template for document in documents)
        names = {template.partition("/")[0] for template in templates}
        if len(names) != 1:
            return None
        path = next(iter(documents)).file.path
        near = os.path.realpath("." if path == STANDARD_INPUT else os.path.dirname(path))
        made = [chart for chart in self._called(names.pop()) if _makes(chart, templates)]
        made.sort(key=lambda chart: _distance(chart.path, near))
        if len(made) > 1 and _distance(made[0].path, near) == _distance(made[1].path, near):
            return None
        return made[0] if made else None

    def _called(self, name: str) -> Iterator[Chart]:
        from ingress_lint.build.charts import read_chart

        for folder in self._by_name.get(name, ()):
            if folder not in self._read:
                self._read[folder] = read_chart(folder, self._site.builder.sources)
            yield self._read[folder]

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        """The folders of charts, real paths, by the charts' names."""
        from ingress_lint.build.charts import name_of

        here = os.path.realpath(".")
        folders = dict.fromkeys((*self._site.charts, *_charts_below(here), *_charts_below(self._site.repository.top)))
        found: defaultdict[str, list[str]] = defaultdict(list)
        for folder in folders:
            found[name_of(folder, self._site.builder.sources)].append(folder)
        return found


def _makes(chart: Chart, templates: Iterable[str]) -> bool:
    """Whether a chart has all of some templates, as far as they are no archive's."""
    paths = (chart.file(template) for template in templates)
    return all(path is None or inputs.is_file(path) for path in paths)


def _distance(folder: str, near: str) -> tuple[int, int]:
    """How far a folder lies from another: how many folders up, and down again."""
    common = os.path.commonpath((folder, near))
    return near[len(common) :].count(os.sep), folder[len(common) :].count(os.sep)


def _charts_below(top: str) -> Iterator[str]:
    """The folders of charts in a folder and not too far below it, from the top down."""
    waiting, seen = deque([(top, 0)]), 0
    while waiting and seen < _MOST_FOLDERS:
        folder, depth = waiting.popleft()
        seen += 1
        try:
            entries = inputs.entries(folder)
        except OSError:
            continue
        if any(entry.name == CHART_FILE for entry in entries):
            yield folder
        for entry in entries if depth < _DEEPEST else ():
            hidden = entry.name.startswith(".") or entry.name in DEFAULT_FOLDERS
            if not hidden and entry.is_dir(follow_symlinks=False):
                waiting.append((entry.path, depth + 1))
