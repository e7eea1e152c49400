"""The last stage: a report becomes text. One module a format, picked from a table and loaded when first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from ingress_lint.report import Report


class RenderOptions(Struct, frozen=True):
    """How to show a report. Machine-readable formats do not change with these."""

    color: bool = False
    verbose: bool = False
    quiet: bool = False
    """Findings only, no summary."""
    statistics: bool = False
    """Count the findings of each rule, after them."""
    width: int = 100
    """How many columns a code frame may take."""


Renderer = Callable[["Report", RenderOptions], str]


def _module(name: str) -> Renderer:
    def load_and_render(report: Report, options: RenderOptions) -> str:
        rendered: str = import_module(f"{__name__}.{name}").render(report, options)
        return rendered

    return load_and_render


FORMATS: Final[Mapping[str, Renderer]] = {
    "text": _module("text"),
    "concise": _module("concise"),
    "json": _module("json_format"),
    "sarif": _module("sarif"),
    "github": _module("github"),
    "gitlab": _module("gitlab"),
    "junit": _module("junit"),
    "markdown": _module("markdown"),
    "rdjson": _module("rdjson"),
}
"""Every output format by the name that `--format` takes."""


def render(name: str, report: Report, options: RenderOptions) -> str:
    """`report` in the format called `name`: whole lines, or nothing."""
    return FORMATS[name](report, options)
