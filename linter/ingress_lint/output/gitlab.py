"""`--format gitlab`: a Code Quality report, which GitLab shows beside the lines of a merge request.

Source: docs.gitlab.com/ci/testing/code_quality, section "Code Quality report format".
"""

from __future__ import annotations

from typing import Any, Final

from ingress_lint.finding import Severity
from ingress_lint.output import RenderOptions
from ingress_lint.output.sanitize import json_text, visible
from ingress_lint.output.wording import shown, unread
from ingress_lint.report import Report, ReportedFinding

_LEVELS: Final = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.NOTE: "info"}


def render(report: Report, _options: RenderOptions) -> str:
    """One violation a finding; what could not be read is one at the path that its message names."""
    violations = [_violation(finding) for finding in shown(report)]
    violations += [_unreadable(line, number) for number, line in enumerate(unread(report), 1)]
    return json_text(violations)


def _violation(finding: ReportedFinding) -> dict[str, Any]:
    at = finding.location
    text = f"{finding.code} {finding.name}: {finding.message}"
    return {
        "description": visible(f"{text}. Fix: {finding.fix}" if finding.fix else text),
        "check_name": finding.code,
        "fingerprint": finding.fingerprint,
        "severity": _LEVELS[finding.severity],
        "location": {"path": visible(at.file), "lines": {"begin": at.line, "end": max(at.line, at.end_line)}},
    }


def _unreadable(line: str, number: int) -> dict[str, Any]:
    return {
        "description": visible(line),
        "check_name": "unreadable",
        "fingerprint": f"unreadable-{number}",
        "severity": "blocker",
        "location": {"path": visible(line.partition(":")[0]), "lines": {"begin": 1}},
    }
