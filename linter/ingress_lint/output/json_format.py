"""`--format json`: the findings for programs, in the form that the contract promises."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ingress_lint import __version__
from ingress_lint.load.positions import Location
from ingress_lint.output import RenderOptions
from ingress_lint.output.sanitize import json_text
from ingress_lint.output.wording import shown
from ingress_lint.report import ObjectRef, PathSpot, Report, ReportedFinding, Spot, Summary
from ingress_lint.rule import RuleEntry
from ingress_lint.units.plan import Unit

FORM_VERSION: Final = 1
_UNIT_FIELDS: Final = ("name", "kind", "path", "file", "cluster", "objects", "routes", "state", "reason")


def render(report: Report, _options: RenderOptions) -> str:
    """The report as JSON."""
    return json_text(
        {
            "version": FORM_VERSION,
            "tool": {"name": "ingress-lint", "version": __version__},
            "summary": _summary(report.summary),
            "units": [encode_unit(unit) for unit in report.units],
            "findings": [encode_finding(finding) for finding in shown(report)],
        }
    )


def _summary(summary: Summary) -> dict[str, int]:
    return {field: getattr(summary, field) for field in Summary.__struct_fields__}


def encode_unit(unit: Unit) -> dict[str, Any]:
    """A unit as an object."""
    return {field: getattr(unit, field) for field in _UNIT_FIELDS}


def encode_units(units: Iterable[Unit]) -> str:
    """The units as a JSON document."""
    return json_text({"version": FORM_VERSION, "units": [encode_unit(unit) for unit in units]})


def encode_rule(rule: RuleEntry) -> dict[str, str]:
    """A rule as an object, in one line of words."""
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity.label,
        "hop": rule.hop.value,
        "summary": rule.summary,
    }


def encode_finding(finding: ReportedFinding) -> dict[str, Any]:
    """A finding as an object, with all of its places."""
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.label,
        "hop": finding.hop.value,
        "units": list(finding.units),
        "headline": finding.headline,
        "message": finding.message,
        "effect": finding.effect,
        "assumes": list(finding.assumes),
        "check": finding.proof,
        "object": _object(finding.object),
        "location": _location(finding.location),
        "rendered": _location(finding.rendered) if finding.rendered else None,
        "mapping": finding.mapping,
        "related": [_spot(spot) for spot in finding.related],
        "path": [{"hop": step.hop.value} | _spot(step) for step in finding.path],
        "fix": {"description": finding.fix, "safe": False, "edits": []} if finding.fix else None,
        "fingerprint": finding.fingerprint,
    }


def _spot(spot: Spot | PathSpot) -> dict[str, Any]:
    return {"message": spot.message, "object": _object(spot.object), "location": _location(spot.location)}


def _object(item: ObjectRef | None) -> dict[str, str]:
    if item is None:
        item = ObjectRef("", "", "", "")
    return {"apiVersion": item.api_version, "kind": item.kind, "namespace": item.namespace, "name": item.name}


def _location(location: Location) -> dict[str, str | int]:
    return {
        "file": location.file,
        "line": location.line,
        "column": location.column,
        "endLine": location.end_line,
        "endColumn": location.end_column,
        "pointer": location.pointer,
    }
