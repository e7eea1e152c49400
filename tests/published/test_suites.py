"""Published conformance suites, controllers' own golden files, and recorded answers of real controllers.

A test of a suite is a folder with `manifests.yaml` and `cases.json`: `requests` with what must answer them, `statuses`
that must be false and why, `accepted` objects that are wholly good, and the Secrets to `generate`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.published.answering import difference
from tests.published.cases import PAIRS, SUITES, Piece, laid_out, pieces_of, read_json
from tests.published.counts import Tally
from tests.published.live import disagreement
from tests.published.reasons import speaking_codes
from tests.published.running import Finding, check, codes, trace_each

PIECES = [piece for piece in pieces_of(*SUITES) if PAIRS not in piece.name]


@pytest.mark.parametrize("piece", PIECES, ids=str)
def test_suite(piece: Piece, tmp_path: Path, held: Callable[[str, Tally], None]) -> None:
    tally = Tally()
    for number, test in enumerate(piece.items):
        cases = read_json(test / "cases.json")
        folder = laid_out(test, cases, tmp_path / f"set-{number}")
        with tally.running(test.name):
            _requests(piece, cases, tmp_path / f"requests-{number}.json", folder, tally)
        with tally.running(test.name):
            _objects(piece, test.name, cases, folder, tally)
    held(piece.name, tally)


def _requests(piece: Piece, cases: dict[str, Any], file: Path, folder: str, tally: Tally) -> None:
    wanted = [case for case in cases["requests"] if "runtime-behaviour" not in case["tags"]]
    if not wanted:
        return
    judge = disagreement if piece.part == "recorded" else difference
    asked = [{"id": case["id"], **case["request"]} for case in wanted]
    answers = trace_each(asked, file, *cases.get("args", ()), folder)
    for case in wanted:
        row = "odd paths" if piece.part == "recorded" and "odd-path" in case["tags"] else "requests"
        tally.count(row, case["id"], judge(case, answers[case["id"]]))


def _objects(piece: Piece, name: str, cases: dict[str, Any], folder: str, tally: Tally) -> None:
    statuses, accepted = cases.get("statuses", ()), cases.get("accepted", ())
    if not statuses and not accepted:
        return
    findings = check("--select", "ALL", folder).findings
    for status in statuses:
        row = "statuses without a rule" if status.get("codes") == [] else "statuses"
        tally.count(row, status["id"], _silence(piece.part, status, findings))
    for item in accepted:
        wrong = [finding for finding in _on(item.get("object") or item, findings) if _is_refusal(finding)]
        tally.count("accepted", name, "; ".join(finding["message"] for finding in wrong) or None)


def _silence(part: str, status: dict[str, Any], findings: list[Finding]) -> str | None:
    """What is missing where nothing says why the status is false."""
    item, wanted = status["object"], speaking_codes(part, status)
    here = [finding for each in (item, *status.get("also", ())) for finding in _on(each, findings)]
    loud = [finding for finding in here if finding["severity"] != "note"]
    if loud if wanted is None else codes(here) & wanted:
        return None
    expected = "an error or a warning" if wanted is None else f"one of {sorted(wanted)}"
    reason = status["condition"]["reason"]
    return f"{item['kind']} {item['name']}: {reason}: expected {expected}, got {sorted(codes(here))}"


def _is_refusal(finding: Finding) -> bool:
    """A translator's own test asks no API server, so what this would refuse says nothing."""
    return finding["severity"] == "error" and not finding["code"].startswith("IL0")


def _on(item: dict[str, Any], findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if _identity(finding["object"] or {}) == _identity(item)]


def _identity(item: dict[str, Any]) -> tuple[str | None, str, str | None]:
    return item.get("kind"), item.get("namespace") or "default", item.get("name")
