"""What several formats say in the same words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ingress_lint.report import PathSpot, Report, ReportedFinding, Summary
from ingress_lint.units.coverage import not_checked

ARROW = "→"
BROKEN = "✗"


def shown(report: Report) -> list[ReportedFinding]:
    """The findings that nothing suppresses."""
    return [finding for finding in report.findings if not finding.suppressed]


def unread(report: Report) -> list[str]:
    """What could not be read and is not among the findings anyway."""
    told = {finding.message for finding in report.findings}
    return [line for line in report.unread if line not in told]


def count(number: int, word: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def verdict(summary: Summary) -> str:
    """`2 errors, 1 warning`, or `No findings`."""
    found = (summary.error, "error"), (summary.warning, "warning"), (summary.note, "note")
    return ", ".join(count(number, word) for number, word in found if number) or "No findings"


def scope(summary: Summary) -> str:
    """`in 3 units, 5 routes`, and how much is suppressed."""
    parts = count(summary.units - summary.unchecked, "unit"), count(summary.routes, "route")
    suppressed = f" ({summary.suppressed} suppressed)" if summary.suppressed else ""
    return f"in {', '.join(parts)}{suppressed}"


def unchecked(report: Report) -> str:
    """`not checked: 2 charts (why)`, empty where everything was looked at."""
    escaped = not_checked(report.units)
    return f"not checked: {escaped}" if escaped else ""


def among(units: Sequence[str]) -> str:
    """`in overlays/prod and 2 more`."""
    return f"in {units[0]}" + (f" and {len(units) - 1} more" if len(units) > 1 else "")


def statistics(findings: Sequence[ReportedFinding]) -> list[tuple[int, ReportedFinding]]:
    """How often each rule fired, with its worst finding for an example; the most frequent first."""
    counts = Counter(finding.code for finding in findings)
    worst = {finding.code: finding for finding in sorted(findings, key=lambda finding: finding.severity)}
    return sorted(((counts[code], worst[code]) for code in counts), key=lambda item: (-item[0], item[1].code))


def details(finding: ReportedFinding) -> list[str]:
    """What there is to say of a finding besides its message, a line each: the related places, the way and the fix."""
    lines = [f"{spot.location.file}:{spot.location.line}: {spot.message}" for spot in finding.related]
    lines += [f"assumes: {assumed}" for assumed in finding.assumes]
    lines += [f"path: {way(finding.path)}"] if finding.path else []
    lines += [f"fix: {finding.fix}"] if finding.fix else []
    return lines


def most_severe_first(findings: Sequence[ReportedFinding]) -> list[ReportedFinding]:
    """Errors, then warnings, then notes, each in the order that they have."""
    return sorted(findings, key=lambda finding: -finding.severity)


def stations(path: Sequence[PathSpot]) -> Iterator[tuple[str, PathSpot]]:
    """The stations of the packet's way, each with the sign before it: a cross where the packet stops."""
    for index, step in enumerate(path):
        yield BROKEN if step.broken else ARROW if index else "", step


def way(path: Sequence[PathSpot]) -> str:
    """The packet's way on one line, such as `client → ALB ✗ Service shop/web`; the caller escapes it."""
    return " ".join(f"{sign} {step.label}" if sign else step.label for sign, step in stations(path))
