"""Requests followed for a command: what they come to, and what the rules find on their way."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import click
from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.commands.options import EXIT_UNREADABLE, Given, complain
from ingress_lint.commands.reading import is_barren, reading
from ingress_lint.engine import read
from ingress_lint.finding import Finding
from ingress_lint.load.document import ProblemKind
from ingress_lint.output.sanitize import visible
from ingress_lint.output.wording import shown
from ingress_lint.packs import PackError, load_rules
from ingress_lint.report import Report, ReportedFinding
from ingress_lint.reporter import Reporter
from ingress_lint.selection import SelectionError, select
from ingress_lint.suppressions import Suppressions
from ingress_lint.tracing.asking import Asked, RequestError, asked, headers_of
from ingress_lint.tracing.concerns import Concerns, judged
from ingress_lint.tracing.deciding import decided
from ingress_lint.tracing.following import Tracer
from ingress_lint.tracing.model import Trace


def request_of(
    url: str,
    method: str | None,
    headers: Sequence[str],
    sni: str | None,
    connect: str | None,
    protocol: str | None,
) -> Asked:
    """The request that the options describe. Raises `click.UsageError` where it cannot be understood."""
    try:
        return asked(url, method, headers_of(headers), sni, connect or "", protocol)
    except RequestError as error:
        raise click.UsageError(str(error)) from None


def unit_heading(trace: Trace, color: bool) -> str:
    """The line that says which cluster or unit answers, where several do."""
    named = "no unit"
    if trace.held is not None:
        cluster = trace.held.cluster
        named = visible(f"cluster {cluster}" if cluster is not None else f"unit {trace.held.units[0].name}")
    return click.style(named, bold=True, underline=True) + "\n" if color else f"{named}\n"


class Followed(Struct, frozen=True):
    """One request followed, its hops and its end no better than what is found on the way."""

    trace: Trace
    report: Report

    @property
    def findings(self) -> list[ReportedFinding]:
        """What is found on its way, and not suppressed."""
        return shown(self.report)


class Follower:
    """Reads the manifests once and follows requests through them. Raises `click.UsageError` on wrong options."""

    def __init__(self, given: Given) -> None:
        try:
            catalogue = load_rules()
            config, options = reading(given, catalogue)
            rules = select(catalogue, config.select, config.ignore)
        except (PackError, SelectionError) as error:
            raise click.UsageError(str(error)) from None
        manifests = read(options)
        self._tracer = Tracer(manifests)
        self._concerns = Concerns(manifests, rules)
        self._reporter = Reporter(manifests, rules, options)
        self._suppressions = Suppressions(manifests, catalogue, self._reporter.locator)
        self._reports: dict[tuple[Finding, ...], Report] = {}
        self._given = given
        self._manifests = manifests
        self.locator = self._reporter.locator

    def follow(self, request: Asked) -> list[Followed]:
        """Follows one request in every unit that serves it, and runs the rules on what it meets."""
        return [self._judged(trace) for trace in self._tracer.traces(request)]

    def _judged(self, trace: Trace) -> Followed:
        found = tuple(self._suppressions.apply(self._concerns.of(trace)))
        if found not in self._reports:
            self._reports[found] = self._reporter.report(found)
        report = self._reports[found]
        findings = shown(report)
        front = self._judged(trace.front).trace if trace.front is not None else None
        return Followed(decided(replace(judged(trace, findings), front=front), findings), report)

    def follow_alone(self, request: Asked) -> list[Followed]:
        """Follows a request that stands alone. Raises `click.UsageError` where it is unclear which entry it means."""
        followed = self.follow(request)
        unclear = next((item.trace for item in followed if item.trace.unclear), None)
        if unclear is not None:
            self._end_if_barren()
            raise click.UsageError(visible(unclear.why))
        return followed

    def _end_if_barren(self) -> None:
        if is_barren(self._given, self._manifests):
            sys.exit(EXIT_UNREADABLE)

    def end_if_unread(self) -> None:
        """Ends the command with exit status 2 where something could not be read; says what, and what did not parse.

        Rules that broke down count as that: what they would have found is not known.
        """
        manifests = self._manifests
        unread = [*manifests.loaded.missing_paths, *(item.message for item in manifests.problems if item.unreadable)]
        failures = self._concerns.failures
        complain((*unread, *self._unparsed(), *failures))
        self._end_if_barren()
        if unread or failures:
            sys.exit(EXIT_UNREADABLE)

    def _unparsed(self) -> Iterator[str]:
        """Which documents did not parse, so that a request may meet more than is known."""
        for problem in self._manifests.problems:
            if problem.kind is ProblemKind.YAML_SYNTAX and not problem.unreadable:
                at = self.locator.locate(problem.place)
                yield f"{at.file}:{at.line}: {problem.message}; what this document holds is unknown"
