"""What helm says of a chart that it does not render: why, in one line, and where that is written."""

from __future__ import annotations

import os
import re
from typing import Final, Literal

from msgspec import Struct

from ingress_lint.build.charts import Chart
from ingress_lint.build.running import Failure
from ingress_lint.build.sources import Sources
from ingress_lint.load.document import Document, Place
from ingress_lint.values.numbers import whole
from ingress_lint.values.patterns import deferred

_ERROR: Final = deferred(r"^Error: ", re.MULTILINE)
_HINT: Final = "Use --debug flag to render out invalid YAML"
_TEMPLATE: Final = deferred(r"(?<![\w.+/-])(?P<source>[\w.+-]+/(?:[\w.+-]+/)*[^\s:()/]+):(?P<line>\d+)(?::\d+)?")
_YAML: Final = deferred(r"YAML parse error on (?P<source>\S+):")
_OWN_FILE: Final = deferred(r"cannot load (?P<name>[\w.-]+): .*?(?:line (?P<line>\d+)|\Z)", re.DOTALL)
_TOO_OLD: Final = "unknown flag: "
_LONGEST: Final = 500


class Refusal(Struct, frozen=True):
    """Why a chart was not rendered; `place` is None where helm names none that is here."""

    reason: Literal["tool", "network", "values", "dependencies", "failed", "syntax"]
    message: str
    place: Place | None


def refusal(failure: Failure, chart: Chart, sources: Sources) -> Refusal:
    """What a run that came to nothing says (helm/helm:pkg/engine/engine.go, pkg/action/install.go)."""
    if failure.reason != "status":
        return Refusal("failed", failure.message, None)
    found = _ERROR.search(failure.stderr)
    said = (failure.stderr[found.end() :] if found else failure.stderr).strip().removesuffix(_HINT).strip()
    message = _in_a_line(said) or failure.message
    if said.startswith(_TOO_OLD):
        return Refusal("tool", f"it is too old for what is asked of it ({message})", None)
    if "missing in charts/ directory" in said:
        return Refusal("dependencies", message, None)
    place = _place(said, chart, sources)
    if said.startswith(("parse error at", "cannot load ")):
        return Refusal("syntax", message, place)
    return Refusal("values" if found else "failed", message, place)


def _place(said: str, chart: Chart, sources: Sources) -> Place | None:
    own = _OWN_FILE.match(said)
    if own is not None:
        return _line(os.path.join(chart.path, own["name"]), whole(own["line"] or "") or 1, sources)
    found = _YAML.match(said)
    if found is not None:
        return _line(chart.file(found["source"]), 1, sources)
    named = _TEMPLATE.search(said)
    return None if named is None else _line(chart.file(named["source"]), whole(named["line"]) or 1, sources)


def _line(path: str | None, line: int, sources: Sources) -> Place | None:
    """The text of a line of a file."""
    file = None if path is None else sources.file(path)
    if file is None:
        return None
    return Place(Document(file, 0, 0, len(file.text)), (), "value", file.line_span(line))


def _in_a_line(text: str) -> str:
    joined = " ".join(text.split())
    return joined if len(joined) <= _LONGEST else joined[: _LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"
