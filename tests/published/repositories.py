"""Whether what is said of a repository, the working directory, is what is right of it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from fnmatch import fnmatch
from typing import Any

from tests.published.counts import Tally
from tests.published.running import BrokenError, Finding, check, places, trace

Wanted = dict[str, Any]


def score(name: str, case: Wanted, tally: Tally) -> None:
    paths = [*case.get("args", []), *case.get("paths", ["."])]
    report = check(*paths)
    errors, warnings = case.get("errors", []), case.get("warnings", [])
    for wanted in errors:
        here = any(_stands(finding, wanted) and _concerns(finding, wanted) for finding in report.of("error"))
        tally.count("errors at the line", name, None if here else _missing(wanted))
    for wanted in warnings:
        if wanted.get("required"):
            here = any(_stands(finding, wanted) for finding in report.findings)
            tally.count("required warnings", name, None if here else _missing(wanted))
    tally.count("without a false error", name, _false(report.of("error"), errors))
    tally.count("without a false warning", name, _false(report.of("warning"), warnings + errors))
    for wanted in case.get("units", []):
        tally.count("units", name, _misstated(report.units, wanted))
    for wanted in case.get("unchecked", []):
        named = any(_is_named_unchecked(unit, wanted) for unit in report.units)
        missing = f"{wanted['kind']} {wanted['file']} is not named as unchecked with a reason"
        tally.count("unchecked", name, None if named else missing)
    for wanted in case.get("traces", []):
        tally.count("traces", name, _misrouted(wanted, paths))
    if "exit" in case:
        wrong = f"exit status {report.status}, expected {case['exit']}"
        tally.count("exit status", name, None if report.status == case["exit"] else wrong)


# -- findings ---------------------------------------------------------------------------------------------------------


def _stands(finding: Finding, wanted: Wanted, *, near: bool = False) -> bool:
    """Whether it is the finding wanted, at one of the places that are right, or near it: in one of their files."""
    sides = [(posixpath.normpath(place["file"]), place["lines"]) for place in (wanted, *wanted.get("also", []))]
    [(file, line), *_] = places(finding) or [("", 0)]
    return finding["code"] in wanted["codes"] and any(file == side and (near or line in lines) for side, lines in sides)


def _concerns(finding: Finding, wanted: Wanted) -> bool:
    unit = wanted.get("unit")
    return not unit or any(fnmatch(name or "", unit) for name in finding["units"] or [""])


def _missing(wanted: Wanted) -> str:
    return f"expected {wanted['codes']} at {wanted['file']}:{wanted['lines']}"


def _false(findings: list[Finding], listed: list[Wanted]) -> str | None:
    """Findings that are none of those listed; one on another line of its file is a miss, and no second fault."""
    rest = [finding for finding in findings if not any(_stands(finding, wanted) for wanted in listed)]
    for wanted in listed:
        if not any(_stands(finding, wanted) for finding in findings):
            misplaced = next((finding for finding in rest if _stands(finding, wanted, near=True)), None)
            if misplaced is not None:
                rest.remove(misplaced)
    return "; ".join(f"{finding['code']} at {places(finding)}: {finding['message']}" for finding in rest) or None


# -- units and traces -------------------------------------------------------------------------------------------------


def _has_name(unit: Wanted, wanted: Wanted) -> bool:
    return not wanted.get("name") or fnmatch(unit["name"] or "", wanted["name"])


def _misstated(units: Iterable[Wanted], wanted: Wanted) -> str | None:
    fits = [
        unit
        for unit in units
        if unit["kind"] == wanted["kind"]
        and posixpath.normpath(unit["path"] or ".") == posixpath.normpath(wanted["path"])
        and wanted.get("cluster") in (None, unit["cluster"])
        and _has_name(unit, wanted)
    ]
    states = {unit["state"] for unit in fits}
    if states if wanted.get("state") is None else wanted["state"] in states:
        return None
    told = f"{wanted['kind']} {wanted['path']} of cluster {wanted.get('cluster')}"
    return f"{told}: {'/'.join(sorted(states)) or 'not listed'}, expected {wanted.get('state') or 'any state'}"


def _is_named_unchecked(unit: Wanted, wanted: Wanted) -> bool:
    named = {posixpath.normpath(unit[key]) for key in ("file", "path") if unit[key]}
    return (
        unit["kind"] == wanted["kind"]
        and _has_name(unit, wanted)
        and unit["state"] in ("unchecked", "partial")
        and bool(unit["reason"])
        and posixpath.normpath(wanted["file"]) in named
        and wanted.get("routes") in (None, unit["routes"])
    )


def _misrouted(wanted: Wanted, paths: list[str]) -> str | None:
    scope = ["--unit", wanted["unit"]] if wanted.get("unit") else []
    try:
        answers = trace("--url", wanted["url"], *scope, *paths)
    except BrokenError as error:
        return f"{wanted['url']}: {error}"
    asked = [answer for answer in answers if wanted.get("cluster") in (None, "", answer["cluster"])]
    if asked and all(_is_answer(answer, wanted) for answer in asked):
        return None
    got = [(answer["status"], _backends(answer)) for answer in asked]
    return f"{wanted['url']}: expected {wanted['status']} {wanted.get('backend') or ''}, got {got or 'no answer'}"


def _is_answer(answer: Wanted, wanted: Wanted) -> bool:
    backend = wanted.get("backend")
    right = not backend or any(fnmatch(name, backend) for name in _backends(answer))
    return bool(answer["status"] == wanted["status"] and right)


def _backends(answer: Wanted) -> list[str]:
    return [f"{backend['namespace']}/{backend['name']}" for backend in answer["backends"]]
