"""Faults that people reported, as whole sets: found, at their line, with the status that was seen; silent once repaired.

A related place of a finding is shown with it, and counts.

A folder of `incidents` is one report: `broken` and `repaired`, and `expected.yaml` with its `source`, its `cause`, the
`codes` of which one must be reported, the `place` in `broken`, a `request` and the `status` that people saw (null where no
HTTP answer came). What is not right yet stands under `missed`, by question, with the reason: it must then be wrong.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingress_lint.commands.following import Follower
from ingress_lint.commands.options import Given
from ingress_lint.engine import Options, check
from ingress_lint.finding import Severity
from ingress_lint.output.trace_json import Encoder
from ingress_lint.packs import load_rules
from ingress_lint.report import Report
from ingress_lint.tracing.asking import asked_item

INCIDENTS = Path(__file__).parent / "incidents"
NAMES = sorted(folder.name for folder in INCIDENTS.iterdir() if folder.is_dir())


@cache
def expected(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((INCIDENTS / name / "expected.yaml").read_text(encoding="utf-8"))
    return read


@cache
def report(folder: Path) -> Report:
    return check(Options(paths=[str(folder)]), load_rules())


def incidents(question: str) -> pytest.MarkDecorator:
    """Every incident; what is missed of it by this question must be."""
    missed = {name: expected(name).get("missed", {}).get(question) for name in NAMES}
    marks = {name: [pytest.mark.xfail(strict=True, reason=why)] if why else [] for name, why in missed.items()}
    return pytest.mark.parametrize("name", [pytest.param(name, marks=marks[name]) for name in NAMES])


def lines(name: str) -> list[tuple[str, str]]:
    """Code and places of what is found in a broken set."""
    return [
        (finding.code, f"{Path(place.file).name}:{place.line}")
        for finding in report(INCIDENTS / name / "broken").findings
        for place in (finding.location, *(related.location for related in finding.related))
    ]


@incidents("found")
def test_found(name: str) -> None:
    assert {code for code, _ in lines(name)} & set(expected(name)["codes"]), lines(name)


@incidents("line")
def test_at_the_line(name: str) -> None:
    assert {(code, expected(name)["place"]) for code in expected(name)["codes"]} & set(lines(name)), lines(name)


@incidents("status")
def test_status(name: str) -> None:
    follower = Follower(Given((str(INCIDENTS / name / "broken"),)))
    [followed] = follower.follow(asked_item({"url": expected(name)["request"]}, 0))
    answer = Encoder(follower.locator).encode(followed.trace, followed.findings)
    assert answer["status"] == expected(name)["status"], (answer["outcome"], answer["because"])


@incidents("repaired")
def test_no_error_once_repaired(name: str) -> None:
    found = report(INCIDENTS / name / "repaired").findings
    assert [finding.headline for finding in found if finding.severity is Severity.ERROR] == []
