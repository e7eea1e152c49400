"""`--format concise`: `file:line:column: severity: headline [CODE]`, one line a finding."""

from __future__ import annotations

from ingress_lint.output import RenderOptions
from ingress_lint.output.sanitize import visible
from ingress_lint.output.wording import shown
from ingress_lint.report import Report, ReportedFinding


def render(report: Report, _options: RenderOptions) -> str:
    """The findings in the order of their files and lines, and nothing else."""
    return "".join(f"{visible(_line(finding))}\n" for finding in shown(report))


def _line(finding: ReportedFinding) -> str:
    at = finding.location
    return f"{at.file}:{at.line}:{at.column}: {finding.severity.label}: {finding.headline} [{finding.code}]"
