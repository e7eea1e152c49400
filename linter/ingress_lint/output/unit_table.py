"""Every unit as a row: its kind, its name, what is in it, and what of it was not looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click

from ingress_lint.output.sanitize import visible
from ingress_lint.units.plan import Unit

_HEADER: Final = ("KIND", "UNIT", "CLUSTER", "OBJECTS", "ROUTES", "STATE")
_COLORS: Final = {"checked": "green", "partial": "yellow", "unchecked": "red"}


def render(units: Sequence[Unit], color: bool) -> str:
    """The units as a table, the reason of one that was not looked at as a whole in its last column."""
    if not units:
        return "no units\n"
    rows = [_HEADER, *(_row(unit) for unit in units)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    if not color:
        return "".join(_with_reason(line, unit) + "\n" for line, unit in zip(lines, (None, *units), strict=True))
    painted = [click.style(lines[0].rstrip(), dim=True)]
    painted += [
        click.style(_with_reason(line, unit), fg=_COLORS[unit.state])
        for line, unit in zip(lines[1:], units, strict=True)
    ]
    return "\n".join(painted) + "\n"


def _row(unit: Unit) -> tuple[str, ...]:
    counted = ("-", str(unit.routes or "-")) if unit.state == "unchecked" else (str(unit.objects), str(unit.routes))
    return unit.kind, visible(unit.name), visible(unit.cluster or "-"), *counted, unit.state


def _with_reason(line: str, unit: Unit | None) -> str:
    return f"{line.rstrip()}  {visible(unit.reason)}" if unit and unit.reason else line.rstrip()
