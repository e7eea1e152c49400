"""`runbook --format text`: the diagnostic of a route for a terminal. Commands are never wrapped, so they can be copied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from textwrap import wrap
from typing import Final

from click import style

from ingress_lint.finding import Severity
from ingress_lint.output.sanitize import visible
from ingress_lint.report import ReportedFinding
from ingress_lint.runbook.model import Check, Phase, Runbook

_WIDTH: Final = 100
_INDENT: Final = " " * 12
_COLORS: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}

_Paint = Callable[..., str]


def render(runbook: Runbook, color: bool) -> str:
    """The phases, each check with its commands, what is healthy and what each failure means."""
    return "\n".join(_RunbookText(runbook, style if color else _plain).lines()) + "\n"


def route_lines(runbook: Runbook) -> Iterator[str]:
    """The way of the request, a line each hop, and what the client gets where a finding decides that."""
    trace = runbook.trace
    for hop in trace.hops:
        yield f"{hop.hop.value}: {hop.name}, {hop.detail}"
    if trace.because:
        yield f"the client gets {trace.told_status}"


def _plain(text: str, **_: object) -> str:
    return text


class _RunbookText:
    def __init__(self, runbook: Runbook, paint: _Paint) -> None:
        self._runbook = runbook
        self._paint = paint
        self._told: set[str] = set()
        """The identities of the findings whose sentences stand there already."""

    def lines(self) -> Iterator[str]:
        yield self._paint(f"Runbook: {visible(str(self._runbook.trace.asked))}", bold=True)
        for line in route_lines(self._runbook):
            yield from _wrapped(line, "  ", "    ")
        for number, phase in enumerate(self._runbook.phases, 1):
            yield ""
            yield self._paint(f"{number}  {visible(phase.title)}", bold=True, underline=True)
            yield from self._phase(phase)

    def _phase(self, phase: Phase) -> Iterator[str]:
        if phase.not_here:
            words = phase.not_here if phase.checks else f"does not apply: {phase.not_here}"
            yield from _wrapped(words, "   ", "   ")
        for finding in phase.predictions:
            yield from self._prediction(finding, "   ", "found here: ")
        for check in phase.checks:
            yield ""
            yield from self._check(check)

    def _check(self, check: Check) -> Iterator[str]:
        for line in _fold(check.title, _WIDTH - 3):
            yield f"   {self._paint(line, bold=True)}"
        for fact in check.facts:
            yield from _wrapped(fact, "   - ", "     ")
        yield ""
        for command in check.commands:
            yield f"     {self._paint(visible(command), fg='cyan')}"
        yield ""
        yield from _wrapped(check.healthy, f"   {self._paint('healthy', fg='green')}  ", _INDENT)
        for failure in check.failures:
            words = f"{failure.seen}: {failure.means}"
            yield from _wrapped(words, f"   {self._paint('if', fg='yellow')}       ", _INDENT)
            for finding in self._runbook.predicted(failure):
                yield from self._prediction(finding, _INDENT, "predicted by ")

    def _prediction(self, finding: ReportedFinding, indent: str, verb: str) -> Iterator[str]:
        at = finding.location
        code = verb + self._paint(finding.code, fg=_COLORS[finding.severity], bold=True)
        known = finding.identity in self._told
        self._told.add(finding.identity)
        if known:
            yield f"{indent}{code}, as above"
            return
        yield f"{indent}{code} {visible(f'{finding.name}, {at.file}:{at.line}')}"
        yield from _wrapped(finding.message, f"{indent}  ", f"{indent}  ")


def _wrapped(text: str, first: str, rest: str) -> Iterator[str]:
    lines = _fold(text, _WIDTH - len(rest)) or [""]
    yield first + lines[0]
    yield from (rest + line for line in lines[1:])


def _fold(text: str, width: int) -> list[str]:
    return wrap(visible(text), width, break_on_hyphens=False, break_long_words=False)
