"""Streams: standard input and files that helm rendered, one unit for each chart whose `# Source:` comments they hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from ingress_lint.load.document import SOURCE_COMMENT, Document
from ingress_lint.load.files import STANDARD_INPUT
from ingress_lint.units.plan import Plan, Unit
from ingress_lint.values.patterns import deferred

if TYPE_CHECKING:
    from ingress_lint.build.source_place import SourcePlaces
    from ingress_lint.units.nearby import Nearby
    from ingress_lint.units.site import Site

KIND: Final = "stdin"
_SOURCE: Final = deferred(rf"^{SOURCE_COMMENT}[^/\s:]+/", re.MULTILINE)


def is_rendered(documents: Sequence[Document]) -> bool:
    """Whether helm left its comments in the file of these documents."""
    text = documents[0].file.text if documents else ""
    return SOURCE_COMMENT in text and _SOURCE.search(text) is not None


def plans(streams: Sequence[tuple[Document, ...]], site: Site) -> Iterator[Plan]:
    """The plans of standard input and of rendered files, each given as its documents, which lead to their charts on disk.

    The files of one `helm template --output-dir` belong together: there each file's path ends with its source's. What
    names no source belongs to the only chart of its stream, and stands apart where there are several.
    """
    from ingress_lint.units.nearby import Nearby

    held: dict[tuple[str, str], list[Document]] = {}
    for documents in streams:
        path = documents[0].file.path
        charts = {document: _chart(document) for document in documents}
        several = len({chart for chart in charts.values() if chart}) > 1
        for document, chart in charts.items():
            folder = _output_folder(path, document.template)
            key = (folder, "") if folder else (path, chart if several else "")
            held.setdefault(key, []).append(document)
    nearby = Nearby(site)
    for (path, chart), together in held.items():
        name = f"{path}:{chart}" if chart else path
        kind = KIND if path == STANDARD_INPUT else "folder"
        made = [document for document in together if document.template]
        yield Plan(
            Unit(name, kind, path),
            tuple(together),
            built=bool(made),
            places=_places(made, nearby, site) if made else None,
            as_written=frozenset(together).difference(made),
        )


def _places(made: Sequence[Document], nearby: Nearby, site: Site) -> SourcePlaces | None:
    chart = nearby.chart(made)
    if chart is None:
        return None
    from ingress_lint.build.helm import Release, Rendered
    from ingress_lint.build.templates.places import TemplatePlaces

    return TemplatePlaces(Rendered(Release(chart.path), chart, None, site.builder.sources, None, made))


def _chart(document: Document) -> str:
    return document.template.partition("/")[0]


def _output_folder(path: str, source: str) -> str:
    """The folder of a chart's rendering by `--output-dir`, empty for a file that is no part of one."""
    if source and (path == source or path.endswith("/" + source)):
        return path.removesuffix(source) + source.partition("/")[0]
    return ""
