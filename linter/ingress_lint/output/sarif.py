"""`--format sarif`: SARIF 2.1.0, in the form that GitHub code scanning shows best."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import attr
import sarif_om as om

from ingress_lint import __version__
from ingress_lint.finding import Severity
from ingress_lint.load.positions import Location
from ingress_lint.output import RenderOptions
from ingress_lint.output.sanitize import json_text, visible, visible_lines
from ingress_lint.output.wording import scope, unchecked, verdict, way
from ingress_lint.report import ObjectRef, PathSpot, Report, ReportedFinding
from ingress_lint.rule import RuleEntry, RuleImportError
from ingress_lint.units import coverage
from ingress_lint.units.plan import Unit
from ingress_lint.values.patterns import deferred

SCHEMA_URI: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
INFORMATION_URI: Final = "https://github.com/ingress-lint/ingress-lint"
ROOT: Final = "%SRCROOT%"
"""What paths are relative to: GitHub takes it for the repository."""

_PRECISION: Final = {Severity.ERROR: "very-high", Severity.WARNING: "high", Severity.NOTE: "medium"}
_PROBLEM_SEVERITY: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "recommendation"}
_ALWAYS_WRITTEN: Final = frozenset({"level", "importance"})
"""Written even where they have the default of SARIF, because readers take something else for it."""
_ABSOLUTE: Final = deferred(r"/|[A-Za-z]:/")


def render(report: Report, _options: RenderOptions) -> str:
    """The report as a SARIF log of one run, with the suppressed findings too."""
    log = om.SarifLog(schema_uri=SCHEMA_URI, version="2.1.0", runs=[_run(report)])
    return json_text(_plain(log))


def _run(report: Report) -> Any:
    """The run; its tool has the rules that fired, and no others: each of them brings its whole page."""
    codes = {finding.code for finding in report.findings}
    fired = [rule for rule in report.rules if rule.code in codes]
    driver = om.ToolComponent(
        name="ingress-lint",
        semantic_version=__version__,
        information_uri=INFORMATION_URI,
        rules=[_rule(rule) for rule in fired],
    )
    covered = f"{verdict(report.summary)} {scope(report.summary)}"
    root = om.ArtifactLocation(description=_text("The folder that the linter ran in."))
    indices = {rule.code: index for index, rule in enumerate(fired)}
    return om.Run(
        tool=om.Tool(driver=driver),
        automation_details=om.RunAutomationDetails(id="ingress-lint/"),
        invocations=[_invocation(report)],
        original_uri_base_ids={ROOT: root},
        artifacts=[_artifact(file) for file in sorted(set(_files(report.findings)))],
        column_kind="unicodeCodePoints",
        results=[_result(finding, indices) for finding in report.findings],
        properties={
            "coverage": visible("; ".join(filter(None, (covered, unchecked(report))))),
            "units": [_unit(unit) for unit in report.units],
        },
    )


def _unit(unit: Unit) -> dict[str, Any]:
    described = {name: getattr(unit, name) for name in ("name", "kind", "path", "cluster", "routes", "state", "reason")}
    return {
        name: visible(value) if isinstance(value, str) else value
        for name, value in described.items()
        if value not in ("", None)
    }


def _page(rule: RuleEntry) -> str:
    """Its documentation, empty where its module cannot be imported, which what it misses is reported for."""
    try:
        return rule.documentation
    except RuleImportError:
        return ""


def _rule(rule: RuleEntry) -> Any:
    documentation = visible_lines(_page(rule)) or rule.summary
    more = f"\n\n[Documentation]({rule.help_uri})"
    return om.ReportingDescriptor(
        id=rule.code,
        name="".join(word.capitalize() for word in rule.name.split("-")),
        short_description=_text(_sentence(rule.summary[:1].upper() + rule.summary[1:])),
        full_description=_text(_first_paragraph(documentation)),
        help=om.MultiformatMessageString(text=documentation, markdown=documentation + more),
        help_uri=rule.help_uri,
        default_configuration=om.ReportingConfiguration(level=rule.severity.label),
        properties={
            "tags": ["kubernetes", "ingress", "networking", "reliability", f"hop/{rule.hop}"],
            "precision": _PRECISION[rule.severity],
            "problem.severity": _PROBLEM_SEVERITY[rule.severity],
        },
    )


def _invocation(report: Report) -> Any:
    notifications = [om.Notification(message=_text(_sentence(visible(line))), level="error") for line in report.unread]
    notifications += [
        om.Notification(message=_text(_sentence(_unlinked(line))), level="note")
        for line in coverage.notifications(report.units)
    ]
    return om.Invocation(execution_successful=not report.unread, tool_execution_notifications=notifications or None)


def _artifact(file: str) -> Any:
    language = "json" if file.endswith(".json") else "yaml"
    return om.Artifact(location=_artifact_location(file), source_language=language, mime_type=f"application/{language}")


def _files(findings: Sequence[ReportedFinding]) -> Iterator[str]:
    for finding in findings:
        yield finding.location.file
        yield from (spot.location.file for spot in finding.related)
        yield from (step.location.file for step in finding.path)


def _result(finding: ReportedFinding, indices: Mapping[str, int]) -> Any:
    related = [
        om.Location(id=index, message=_caption(spot.message), **_where(spot.location, spot.object))
        for index, spot in enumerate(finding.related, 1)
    ]
    suppression = om.Suppression(
        kind="external" if finding.from_outside else "inSource", justification=visible(finding.suppressed)
    )
    return om.Result(
        rule_id=finding.code,
        rule_index=indices.get(finding.code, -1),
        level=finding.severity.label,
        message=_text(_message(finding)),
        locations=[om.Location(**_where(finding.location, finding.object))],
        related_locations=related or None,
        code_flows=[_code_flow(finding.path)] if finding.path else None,
        partial_fingerprints={"ingressLint/v1": finding.fingerprint},
        suppressions=[suppression] if finding.suppressed else None,
        properties=_properties(finding),
    )


def _properties(finding: ReportedFinding) -> dict[str, Any]:
    known = {
        "headline": visible(finding.headline),
        "units": [visible(name) for name in finding.units],
        "mapping": finding.mapping,
        "assumes": [visible(assumed) for assumed in finding.assumes],
        "check": visible(finding.proof),
    }
    return {name: value for name, value in known.items() if value}


def _message(finding: ReportedFinding) -> str:
    """The message, what else to look at as links to the related places, and the fix, each a sentence."""
    sentences = [_sentence(_unlinked(finding.message))]
    links = [f"[{_link_text(spot.message)}]({index})" for index, spot in enumerate(finding.related, 1) if spot.message]
    if links:
        sentences.append(f"See also: {', '.join(links)}.")
    if finding.fix:
        sentences.append(f"Fix: {_sentence(_unlinked(finding.fix))}")
    return " ".join(sentences)


def _code_flow(path: Sequence[PathSpot]) -> Any:
    locations = [
        om.ThreadFlowLocation(
            location=om.Location(
                message=_caption(f"{step.label}: {step.message}" if step.message else step.label),
                **_where(step.location, step.object),
            ),
            kinds=[step.hop.value],
            nesting_level=0,
            importance="essential" if step.broken else "important",
        )
        for step in path
    ]
    return om.CodeFlow(message=_caption(way(path)), thread_flows=[om.ThreadFlow(locations=locations)])


def _where(location: Location, item: ObjectRef | None) -> dict[str, Any]:
    region = om.Region(
        start_line=location.line,
        start_column=location.column,
        end_line=location.end_line,
        end_column=location.end_column,
    )
    physical = om.PhysicalLocation(artifact_location=_artifact_location(location.file), region=region)
    logical = om.LogicalLocation(fully_qualified_name=visible(str(item)), kind="resource") if item else None
    return {"physical_location": physical, "logical_locations": [logical] if logical else None}


def _artifact_location(file: str) -> Any:
    """Relative to the root, or as a `file:` URI; percent-encoded, so that any name is a URI."""
    uri = quote(file, errors="surrogateescape")
    if _ABSOLUTE.match(file):
        return om.ArtifactLocation(uri=f"file:///{uri.lstrip('/')}")
    return om.ArtifactLocation(uri=uri, uri_base_id=ROOT)


def _text(text: str) -> Any:
    return om.Message(text=text)


def _caption(text: str) -> Any:
    """An untrusted text as a message; SARIF has no empty ones."""
    return _text(_unlinked(text)) if text else None


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _first_paragraph(documentation: str) -> str:
    """The first paragraph that is no heading, in one line."""
    paragraphs = re.split(r"\n\s*\n", re.sub(r"(?m)^#.*$", "", documentation))
    return next((" ".join(text.split()) for text in paragraphs if text.strip()), documentation)


def _unlinked(text: str) -> str:
    """`text` without what SARIF would take for a link."""
    return visible(text).replace("](", "] (")


def _link_text(text: str) -> str:
    return re.sub(r"[\\\[\]]", r"\\\g<0>", visible(text))


def _plain(value: Any) -> Any:
    """What of the object model to write: what is set, under the names of the schema."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if not attr.has(type(value)):
        return value
    written: dict[str, Any] = {}
    for field in attr.fields(type(value)):
        name, item = field.metadata["schema_property_name"], getattr(value, field.name)
        if item is not None and (name in _ALWAYS_WRITTEN or item != _default(field)):
            written[name] = _plain(item)
    return dict(sorted(written.items()))


def _default(field: Any) -> Any:
    factory = getattr(field.default, "factory", None)
    return factory() if factory else field.default
