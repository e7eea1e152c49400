"""Every route as a row: where clients come in, where it leads, how it is checked, spoken to and waited for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import click

from ingress_lint.output.sanitize import visible
from ingress_lint.routes.filters import RequestRedirect
from ingress_lint.routes.matches import PathMatch, PathMatchType
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.sourced import Sourced
from ingress_lint.routes.traffic import HealthCheck, TargetKind
from ingress_lint.units.plan import Unit

_HEADER: Final = ("LISTENER", "HOST", "PATH", "BACKEND", "TARGET", "SPEAKS", "HEALTH CHECK", "READ", "IDLE")
_UNKNOWN: Final = "?"
_NONE: Final = "-"
_SHOWN_MATCH: Final = {
    PathMatchType.EXACT: " (exact)",
    PathMatchType.PREFIX: "",
    PathMatchType.REGULAR_EXPRESSION: " (regex)",
    PathMatchType.STRING_PREFIX: "*",
    PathMatchType.GLOB: "",
}


def render(routes: Sequence[tuple[Unit, Route]], color: bool) -> str:
    """The routes of units as a table, grouped by the object that makes them; where there are several, with the unit."""
    several = len({unit for unit, _ in routes}) > 1
    header = ("UNIT", *_HEADER) if several else _HEADER
    groups: dict[tuple[Unit, str], list[tuple[str, ...]]] = {}
    for unit, route in routes:
        rows = [(visible(unit.name), *row) if several else row for row in _rows(route)]
        groups.setdefault((unit, _title(route)), []).extend(rows)
    if not groups:
        return "no routes\n"
    rows = [header, *(row for group in groups.values() for row in group)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    lines = [_style(_line(header, widths), color, dim=True)]
    for (_, title), group in groups.items():
        lines += ["", _style(title, color, bold=True), *(_line(row, widths) for row in group)]
    return "\n".join(lines) + "\n"


def _title(route: Route) -> str:
    owner = route.owner
    by = route.controller
    why = f", {by.why}" if by.why else ""
    return visible(f"{owner.kind} {owner.namespace}/{owner.name}") + visible(
        f"  served by {by.value} ({by.origin}{why})"
    )


def _rows(route: Route) -> Iterator[tuple[str, ...]]:
    listeners = " ".join(dict.fromkeys(f"{item.protocol.value}:{item.port.value}" for item in route.listeners))
    host = ", ".join(name.value for name in route.hostnames) or "*"
    paths = [_path(match.path.value) for match in route.matches] or ["/"]
    shown = "(default)" if route.is_default else ", ".join(paths)
    if not route.backends:
        answer = "redirect" if any(isinstance(item, RequestRedirect) for item in route.filters) else "nothing"
        yield _row(listeners or _NONE, host, shown, f"({answer})", _NONE, _NONE, _NONE, _NONE, _NONE)
    for backend in route.backends:
        yield _row(
            listeners or _NONE,
            host,
            shown,
            _backend(backend),
            _target(backend),
            backend.protocol.value.value,
            _health_check(backend.health_check),
            _seconds(backend.timeouts.request or backend.timeouts.read),
            _seconds(backend.keep_alive.upstream_idle),
        )


def _row(*cells: str) -> tuple[str, ...]:
    return tuple(visible(cell) for cell in cells)


def _path(match: PathMatch) -> str:
    return match.value + _SHOWN_MATCH[match.type]


def _backend(backend: BackendRef) -> str:
    port = f":{backend.port.value}" if backend.port else ""
    kind = "" if backend.kind == "Service" else f"{backend.kind} "
    weight = f" ×{backend.weight}" if backend.weight != 1 else ""
    return f"{kind}{backend.namespace}/{backend.name}{port}{weight}"


def _target(backend: BackendRef) -> str:
    if backend.service_port is None:
        return _UNKNOWN
    if backend.target.value is TargetKind.NODE:
        return f"node:{backend.service_port.port.node_port or _UNKNOWN}"
    numbers = {str(end.number) for end in backend.endpoints if end.number} or {str(backend.service_port.target)}
    return f"{backend.target.value}:{'/'.join(sorted(numbers))}"


def _health_check(check: HealthCheck | None) -> str:
    if check is None:
        return "readiness"
    path = f" {check.path.value}" if check.path else ""
    codes = f" {check.codes.value}" if check.codes else ""
    origin = check.path.origin if check.path else check.protocol.origin
    return f"{check.protocol.value}{path}{codes} ({origin})"


def _seconds(value: Sourced[float] | None) -> str:
    if value is None:
        return _UNKNOWN
    return f"{value.value:g}s" if math.isfinite(value.value) else "endless"


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    return "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _style(text: str, color: bool, **how: bool) -> str:
    return click.style(text, **how) if color else text
