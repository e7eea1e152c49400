"""`--format junit`: JUnit XML in the form that GitLab, Jenkins, Azure Pipelines and CircleCI read.

Source: jenkinsci/xunit-plugin:src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from xml.etree import ElementTree

from ingress_lint.finding import Severity
from ingress_lint.output import RenderOptions
from ingress_lint.output.sanitize import visible
from ingress_lint.output.wording import details, shown, unread
from ingress_lint.report import Report, ReportedFinding


def render(report: Report, _options: RenderOptions) -> str:
    """A suite for each file with findings, errors and warnings as failures; notes pass, and say what they say."""
    by_file: defaultdict[str, list[ReportedFinding]] = defaultdict(list)
    for finding in shown(report):
        by_file[finding.location.file].append(finding)
    unreadable = unread(report)
    root = ElementTree.Element("testsuites", {"name": "ingress-lint"})
    for file, findings in by_file.items():
        _suite(root, file, findings)
    if unreadable:
        _unreadable_suite(root, unreadable)
    if len(root) == 0:
        _suite(root, "ingress-lint", [])
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, 0)) for suite in root)))
    return xml(root)


def xml(root: ElementTree.Element) -> str:
    """The whole document, indented."""
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(root: ElementTree.Element, file: str, findings: Sequence[ReportedFinding]) -> None:
    failures = sum(finding.severity is not Severity.NOTE for finding in findings)
    numbers = {"tests": str(len(findings) or 1), "failures": str(failures), "errors": "0", "skipped": "0", "time": "0"}
    suite = ElementTree.SubElement(root, "testsuite", {"name": visible(file), **numbers})
    if not findings:
        ElementTree.SubElement(suite, "testcase", {"name": "no findings", "classname": visible(file), "time": "0"})
    for finding in findings:
        at = finding.location
        name = visible(f"{finding.code} {finding.name} at {at.line}:{at.column}")
        attributes = {"classname": visible(file), "file": visible(file), "line": str(at.line), "time": "0"}
        case = ElementTree.SubElement(suite, "testcase", {"name": name, **attributes})
        text = _text(finding)
        if finding.severity is Severity.NOTE:
            ElementTree.SubElement(case, "system-out").text = text
        else:
            kind = {"message": visible(finding.headline), "type": finding.severity.label}
            ElementTree.SubElement(case, "failure", kind).text = text


def _text(finding: ReportedFinding) -> str:
    at = finding.location
    return "\n".join(map(visible, (f"{at.file}:{at.line}:{at.column}: {finding.message}", *details(finding))))


def _unreadable_suite(root: ElementTree.Element, lines: Sequence[str]) -> None:
    number = str(len(lines))
    counts = {"tests": number, "failures": "0", "errors": number, "skipped": "0", "time": "0"}
    suite = ElementTree.SubElement(root, "testsuite", {"name": "unreadable", **counts})
    for line in lines:
        case = ElementTree.SubElement(
            suite, "testcase", {"name": visible(line), "classname": "unreadable", "time": "0"}
        )
        ElementTree.SubElement(case, "error", {"message": visible(line), "type": "unreadable"})
