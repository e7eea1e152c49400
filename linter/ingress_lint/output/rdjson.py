"""`--format rdjson`: the Reviewdog Diagnostic Format (reviewdog/reviewdog:proto/rdf/reviewdog.proto)."""

from __future__ import annotations

from typing import Any, Final

from ingress_lint.finding import Severity
from ingress_lint.load.document import SourceFile
from ingress_lint.load.positions import Location
from ingress_lint.output import RenderOptions
from ingress_lint.output.sanitize import json_text, visible
from ingress_lint.output.wording import details, shown, unread
from ingress_lint.report import Report, ReportedFinding

_SOURCE: Final = {"name": "ingress-lint", "url": "https://github.com/ingress-lint/ingress-lint"}
_LEVELS: Final = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.NOTE: "INFO"}


def render(report: Report, _options: RenderOptions) -> str:
    """One diagnostic a finding; what could not be read is one at the path that its message names."""
    pages = {rule.code: rule.help_uri for rule in report.rules}
    diagnostics = [_diagnostic(finding, report, pages.get(finding.code, "")) for finding in shown(report)]
    diagnostics += [
        {"message": visible(line), "location": {"path": visible(line.partition(":")[0])}, "severity": "ERROR"}
        for line in unread(report)
    ]
    return json_text({"source": _SOURCE, "diagnostics": diagnostics})


def _diagnostic(finding: ReportedFinding, report: Report, page: str) -> dict[str, Any]:
    at = finding.location
    code = {"value": finding.code} | ({"url": page} if page else {})
    return {
        "message": "\n".join(map(visible, (finding.message, *details(finding)))),
        "location": {"path": at.file, "range": _range(at, report.files.get(at.file))},
        "severity": _LEVELS[finding.severity],
        "code": code,
    }


def _range(at: Location, file: SourceFile | None) -> dict[str, Any]:
    """The place, with columns in bytes of UTF-8, as the format counts them."""
    return {
        "start": {"line": at.line, "column": _byte_column(file, at.line, at.column)},
        "end": {"line": at.end_line, "column": _byte_column(file, at.end_line, at.end_column)},
    }


def _byte_column(file: SourceFile | None, line: int, column: int) -> int:
    if file is None:
        return column
    return len(file.line_text(line)[: column - 1].encode(errors="surrogatepass")) + 1
