"""`--format markdown`: a summary for a page, such as a GitHub job summary or a comment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

from ingress_lint.finding import Severity
from ingress_lint.output import RenderOptions
from ingress_lint.output.sanitize import markdown, prose
from ingress_lint.output.wording import count, scope, shown, statistics, unchecked, unread, verdict, way
from ingress_lint.report import Report, ReportedFinding

SIZE_LIMIT: Final = 1024 * 1024
"""GitHub refuses a job summary of more bytes."""
_RESERVED: Final = 4096
"""Bytes of the limit kept free for the headings."""

_ICONS: Final = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.NOTE: "ℹ️"}
_FINDINGS_HEAD: Final = ("", "| Severity | Rule | Place | Message |", "| --- | --- | --- | --- |")
_STATISTICS_HEAD: Final = ("", "| Findings | Rule |", "| ---: | --- |")
_WAYS_HEAD: Final = ("", "### The way of the packet", "")


def render(report: Report, options: RenderOptions) -> str:
    """The counts, a table of the findings, then the packet's way to each; cut at GitHub's limit."""
    help_uris = {rule.code: rule.help_uri for rule in report.rules}
    findings = shown(report)
    lines = ["## ingress-lint", "", f"**{verdict(report.summary)}** {scope(report.summary)}"]
    if escaped := unchecked(report):
        lines += ["", f"{prose(escaped[:1].upper() + escaped[1:])}."]
    if options.statistics and findings:
        lines += [*_STATISTICS_HEAD, *(f"| {n} | {_rule(f, help_uris)} |" for n, f in statistics(findings))]
    entries = [(_row(Severity.ERROR, "", "", prose(line)), "") for line in unread(report)]
    entries += [_entry(finding, help_uris) for finding in findings]
    kept = _fitting(entries, SIZE_LIMIT - _RESERVED - _size(*lines))
    if kept:
        lines += [*_FINDINGS_HEAD, *(row for row, _ in kept)]
    if len(kept) < len(entries):
        lines += ["", f"_{count(len(entries) - len(kept), 'more finding')} left out: the page would be too long._"]
    ways = [line for _, line in kept if line]
    if ways:
        lines += [*_WAYS_HEAD, *ways]
    return "\n".join(lines) + "\n"


def _entry(finding: ReportedFinding, help_uris: Mapping[str, str]) -> tuple[str, str]:
    """The finding's row in the table, and its line among the ways, empty where it is on no route."""
    at = finding.location
    rule = _rule(finding, help_uris)
    place = f"<code>{markdown(f'{at.file}:{at.line}:{at.column}')}</code>"
    owner = f"<br>{markdown(str(finding.object))}" if finding.object else ""
    fix = f"<br>**Fix:** {prose(finding.fix)}" if finding.fix else ""
    row = _row(finding.severity, rule, place + owner, prose(finding.message) + fix)
    return row, f"- {rule} {place}: {markdown(way(finding.path))}" if finding.path else ""


def _row(severity: Severity, rule: str, place: str, message: str) -> str:
    return f"| {_ICONS[severity]} {severity.label} | {rule} | {place} | {message} |"


def _rule(finding: ReportedFinding, help_uris: Mapping[str, str]) -> str:
    code = markdown(finding.code)
    uri = help_uris.get(finding.code, "")
    link = f"[{code}](<{quote(uri, safe=':/?#&=%@+,;~')}>)" if uri.startswith(("https://", "http://")) else code
    return f"{link} {markdown(finding.name)}"


def _fitting(entries: Sequence[tuple[str, str]], room: int) -> Sequence[tuple[str, str]]:
    """As many of the first entries as `room` bytes hold."""
    for index, entry in enumerate(entries):
        room -= _size(*entry)
        if room < 0:
            return entries[:index]
    return entries


def _size(*lines: str) -> int:
    return sum(len(line.encode()) + 1 for line in lines)
