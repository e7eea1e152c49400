"""`runbook --format text`: the diagnostic of a route for a terminal. Commands are never wrapped, so they can be copied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from textwrap import wrap
from typing import Final

from click import style

from ingress_lint.finding import Severity
from ingress_lint.output.sanitize import visible
from ingress_lint.report import ReportedFinding
from ingress_lint.runbook.model import Check, Failure, Phase, Runbook

_WIDTH: Final = 100
_COLORS: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}

_Paint = Callable[..., str]


def render(runbook: Runbook, color: bool) -> str:
    """The phases, each check with its commands, what is healthy and what each failure means."""
    return "\n".join(_lines(runbook, style if color else _plain)) + "\n"


def _plain(text: str, **_: object) -> str:
    return text


def _lines(runbook: Runbook, paint: _Paint) -> Iterator[str]:
    yield paint(f"Runbook: {visible(str(runbook.trace.asked))}", bold=True)
    for line in route_lines(runbook):
        yield f"  {visible(line)}"
    for number, phase in enumerate(runbook.phases, 1):
        yield ""
        yield paint(f"{number}  {visible(phase.title)}", bold=True, underline=True)
        yield from _phase(phase, runbook, paint)


def route_lines(runbook: Runbook) -> Iterator[str]:
    """The way of the request, a line each hop."""
    for hop in runbook.trace.hops:
        yield f"{hop.hop.value}: {hop.name}, {hop.detail}"


def _phase(phase: Phase, runbook: Runbook, paint: _Paint) -> Iterator[str]:
    if phase.not_here:
        words = phase.not_here if phase.checks else f"does not apply: {phase.not_here}"
        yield from _wrapped(words, "   ", "   ")
    for finding in phase.predictions:
        yield from _prediction(finding, "   ", paint)
    for check in phase.checks:
        yield ""
        yield from _check(check, runbook, paint)


def _check(check: Check, runbook: Runbook, paint: _Paint) -> Iterator[str]:
    for line in wrap(visible(check.title), _WIDTH - 3):
        yield f"   {paint(line, bold=True)}"
    for fact in check.facts:
        yield from _wrapped(fact, "   - ", "     ")
    yield ""
    for command in check.commands:
        yield f"     {paint(visible(command), fg='cyan')}"
    yield ""
    yield from _wrapped(check.healthy, f"   {paint('healthy', fg='green')}  ", " " * 12)
    for failure in check.failures:
        yield from _failure(failure, runbook, paint)


def _failure(failure: Failure, runbook: Runbook, paint: _Paint) -> Iterator[str]:
    yield from _wrapped(f"{failure.seen}: {failure.means}", f"   {paint('if', fg='yellow')}       ", " " * 12)
    for finding in runbook.predicted(failure):
        yield from _prediction(finding, " " * 12, paint)


def _prediction(finding: ReportedFinding, indent: str, paint: _Paint) -> Iterator[str]:
    at = finding.location
    code = paint(f"predicted by {finding.code}", fg=_COLORS[finding.severity], bold=True)
    yield from _wrapped(f"{finding.message}  {at.file}:{at.line}", f"{indent}{code} ", f"{indent}  ")


def _wrapped(text: str, first: str, rest: str) -> Iterator[str]:
    lines = wrap(visible(text), _WIDTH - len(rest)) or [""]
    yield first + lines[0]
    yield from (rest + line for line in lines[1:])
