"""`--format github`: workflow commands that GitHub shows as annotations beside the lines of a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.finding import Severity
from ingress_lint.load.positions import Location
from ingress_lint.output import RenderOptions
from ingress_lint.output.sanitize import github_data, github_property, visible
from ingress_lint.output.wording import count, details, scope, shown, unchecked, unread, verdict
from ingress_lint.report import Report, ReportedFinding

_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_MOST: Final = 10
"""As many annotations of each severity as GitHub takes from one step (actions/toolkit:docs/problem-matchers.md, Limitations)."""


def render(report: Report, options: RenderOptions) -> str:
    """One command a finding, errors first and as many as GitHub takes, then the summary as plain lines.

    A finding that rests on a value has one more at the value's line, as far as there is room.
    """
    commands: dict[Severity, list[str]] = {severity: [] for severity in sorted(_COMMANDS, reverse=True)}
    values: dict[Severity, list[str]] = {severity: [] for severity in _COMMANDS}
    commands[Severity.ERROR] += [f"::error title=ingress-lint::{github_data(visible(line))}" for line in unread(report)]
    if escaped := unchecked(report):
        commands[Severity.NOTE].append(f"::notice title=ingress-lint::{github_data(visible(escaped))}")
    for finding in shown(report):
        commands[finding.severity].append(_annotation(finding, finding.location, _message(finding)))
        values[finding.severity] += _of_values(finding)
    lines = [command for severity, own in commands.items() for command in (*own, *values[severity])[:_MOST]]
    more = {severity: len(own) - _MOST for severity, own in commands.items() if len(own) > _MOST}
    if more:
        counted = ", ".join(count(number, severity.label) for severity, number in more.items())
        lines.append(f"Not annotated: {counted} more. GitHub takes {_MOST} of each in a step; other formats have all.")
    if not options.quiet:
        lines.append(f"{verdict(report.summary)} {scope(report.summary)}")
    return "".join(f"{line}\n" for line in lines)


def _of_values(finding: ReportedFinding) -> Iterator[str]:
    """The annotations where the values are set that the place of a finding writes."""
    used = f"{finding.location.file}:{finding.location.line}: written here"
    for spot in finding.related:
        if spot.decides:
            yield _annotation(finding, spot.location, f"{visible(finding.message)}\n{visible(used)}")


def _annotation(finding: ReportedFinding, location: Location, message: str) -> str:
    properties = {**_place(location), "title": f"{finding.code} {finding.headline}"}
    written = ",".join(f"{key}={github_property(str(value))}" for key, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {written}::{github_data(message)}"


def _place(location: Location) -> dict[str, str | int]:
    """Columns only where the place is within one line: GitHub takes them for no other."""
    place: dict[str, str | int] = {"file": location.file, "line": location.line, "endLine": location.end_line}
    if location.line == location.end_line:
        place |= {"col": location.column, "endColumn": location.end_column}
    return place


def _message(finding: ReportedFinding) -> str:
    return "\n".join(map(visible, (finding.message, *details(finding))))
