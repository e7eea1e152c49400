"""`runbook --format markdown`: the diagnostic of a route as a page, for a wiki or an incident."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ingress_lint.output.runbook_text import route_lines
from ingress_lint.output.sanitize import prose, visible
from ingress_lint.report import ReportedFinding
from ingress_lint.runbook.model import Check, Phase, Runbook


def render(runbook: Runbook) -> str:
    """A heading for each phase and check, commands as code, failures as a table."""
    return "\n".join(_lines(runbook)) + "\n"


def _lines(runbook: Runbook) -> Iterator[str]:
    yield f"# Runbook: {prose(str(runbook.trace.asked))}"
    yield ""
    for line in route_lines(runbook):
        yield f"- {prose(line)}"
    for number, phase in enumerate(runbook.phases, 1):
        yield ""
        yield f"## {number}. {prose(phase.title)}"
        yield from _phase(phase, runbook)


def _phase(phase: Phase, runbook: Runbook) -> Iterator[str]:
    if phase.not_here:
        yield ""
        yield prose(phase.not_here) if phase.checks else f"Does not apply: {prose(phase.not_here)}."
    if phase.predictions:
        yield ""
        yield from (f"- Found here: {_finding(finding)}" for finding in phase.predictions)
    for check in phase.checks:
        yield ""
        yield from _check(check, runbook)


def _check(check: Check, runbook: Runbook) -> Iterator[str]:
    yield f"### {prose(check.title)}"
    yield ""
    if check.facts:
        yield from (f"- {prose(fact)}" for fact in check.facts)
        yield ""
    yield from _code(check.commands)
    yield ""
    yield f"**Healthy:** {prose(check.healthy)}"
    yield ""
    yield "| You see | It means | Predicted by |"
    yield "| --- | --- | --- |"
    for failure in check.failures:
        found = "<br>".join(_finding(finding) for finding in runbook.predicted(failure))
        yield f"| {prose(failure.seen)} | {prose(failure.means)} | {found or '–'} |"


def _code(commands: Sequence[str]) -> Iterator[str]:
    """A block of code whose fence is longer than any run of backticks in it."""
    lines = [visible(line) for line in commands]
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}sh"
    yield from lines
    yield fence


def _finding(finding: ReportedFinding) -> str:
    at = finding.location
    return f"**{prose(finding.code)}** {prose(finding.message)} ({prose(f'{at.file}:{at.line}')})"
