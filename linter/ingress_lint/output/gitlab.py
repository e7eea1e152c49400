"""`--format gitlab`: a Code Quality report, which GitLab shows beside the lines of a merge request.

Source: docs.gitlab.com/ci/testing/code_quality, section "Code Quality report format".
"""

from __future__ import annotations

from typing import Any, Final

from ingress_lint.finding import Severity
from ingress_lint.output import RenderOptions
from ingress_lint.output.frame import frame
from ingress_lint.output.sanitize import json_text, prose, visible
from ingress_lint.output.wording import details, shown, unread
from ingress_lint.report import Report, ReportedFinding

_LEVELS: Final = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.NOTE: "info"}

_FRAME_WIDTH: Final = 100


def render(report: Report, _options: RenderOptions) -> str:
    """One violation a finding; what could not be read is one at the path that its message names."""
    violations = [_violation(finding, report) for finding in shown(report)]
    violations += [_unreadable(line, number) for number, line in enumerate(unread(report), 1)]
    return json_text(violations)


def _violation(finding: ReportedFinding, report: Report) -> dict[str, Any]:
    at = finding.location
    return {
        "description": visible(f"{finding.code} {finding.name}: {finding.message}"),
        "content": {"body": _body(finding, report)},
        "check_name": finding.code,
        "fingerprint": finding.fingerprint,
        "severity": _LEVELS[finding.severity],
        "location": {"path": visible(at.file), "lines": {"begin": at.line, "end": max(at.line, at.end_line)}},
    }


def _body(finding: ReportedFinding, report: Report) -> str:
    """What GitLab shows when the violation is opened, in Markdown: the lines at fault, then all that is known of it."""
    lines = [f"- {prose(line)}" for line in details(finding)]
    file = report.files.get(finding.location.file)
    if file is not None:
        frame_lines = frame(file, finding.location, "^", _FRAME_WIDTH, 1)
        margin = len(str(max(line.number or 0 for line in frame_lines)))
        code = [f"    {line.number or '':>{margin}} | {line.text}".rstrip() for line in frame_lines]
        lines = [*code, "", *lines]
    return "\n".join(lines)


def _unreadable(line: str, number: int) -> dict[str, Any]:
    return {
        "description": visible(line),
        "check_name": "unreadable",
        "fingerprint": f"unreadable-{number}",
        "severity": "blocker",
        "location": {"path": visible(line.partition(":")[0]), "lines": {"begin": 1}},
    }
