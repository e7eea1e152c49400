"""Manifests of real faults beside their repair, renderings of published charts, and what a converter read and wrote."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.published.answering import Answer
from tests.published.cases import PAIRS, Piece, pieces_of, read_json
from tests.published.counts import Tally
from tests.published.running import Finding, check, codes, places, trace, trace_each

Held = Callable[[str, Tally], None]


@pytest.mark.parametrize("piece", pieces_of("mistakes"), ids=str)
def test_mistakes(piece: Piece, held: Held) -> None:
    tally = Tally()
    for index in piece.items:
        for mistake in read_json(index):
            with tally.running(mistake["file"]):
                _mistake(index.parent, mistake, tally)
    held(piece.name, tally)


def _mistake(root: Path, mistake: dict[str, Any], tally: Tally) -> None:
    wanted = set(mistake["codes"])
    findings = check("--select", "ALL", str(root / mistake["file"])).findings
    named = [finding for finding in findings if finding["code"] in wanted]
    lines = {line for finding in named for _, line in places(finding, "related", "path")}
    missing = f"expected one of {sorted(wanted)}, got {sorted(codes(findings))}"
    tally.count("found", mistake["file"], None if named else missing)
    at = lines & set(mistake["lines"])
    tally.count(
        "at the line", mistake["file"], None if at else f"expected one of {mistake['lines']}, got {sorted(lines)}"
    )
    if mistake.get("fixed"):
        still = codes(check("--select", "ALL", str(root / mistake["fixed"])).findings) & wanted
        tally.count("fixed, so silent", mistake["fixed"], f"still {sorted(still)}" if still else None)


@pytest.mark.parametrize("piece", pieces_of("incidents"), ids=str)
def test_incidents(piece: Piece, held: Held) -> None:
    tally = Tally()
    for folder in piece.items:
        case = read_json(folder / "case.json")
        with tally.running(folder.name):
            _incident(folder, case, tally)
        if str(case.get("seen") or "").isdigit() and case.get("request") and not case.get("uncertain"):
            with tally.running(folder.name):
                status = trace("--url", case["request"], str(folder / "broken"))[0]["status"]
                wrong = None if str(status) == str(case["seen"]) else f"{case['seen']} was seen, got {status}"
                tally.count("status", folder.name, wrong)
    held(piece.name, tally)


def _incident(folder: Path, case: dict[str, Any], tally: Tally) -> None:
    """Found by what the repaired set does not have, with a place at a line at fault."""
    fixed = check(str(folder / "fixed"))
    known = {_about(finding) for finding in fixed.findings}
    new = [finding for finding in check(str(folder / "broken")).findings if _about(finding) not in known]
    lines = {(posixpath.basename(file), int(line)) for file, _, line in (at.rpartition(":") for at in case["lines"])}
    right = [finding for finding in new if not case["codes"] or finding["code"] in case["codes"]]
    at = [finding for finding in right if lines & {(posixpath.basename(f), n) for f, n in places(finding, "related")}]
    missing = f"expected {case['codes'] or 'a finding'} at {sorted(lines)}, got {sorted(codes(new))}"
    tally.count("at the line", folder.name, None if at else missing)
    tally.count("seen", folder.name, None if right else missing)
    errors = sorted(codes(fixed.of("error")))
    tally.count("repaired, no error", folder.name, f"errors {errors}" if errors else None)


def _about(finding: Finding) -> tuple[str, str | None, str | None]:
    item = finding["object"] or {}
    return finding["code"], item.get("kind"), item.get("name")


@pytest.mark.parametrize("piece", pieces_of("charts"), ids=str)
def test_charts(piece: Piece, held: Held) -> None:
    """Most charts are right."""
    tally = Tally()
    for chart in piece.items:
        with tally.running(chart.name):
            errors = [f"{finding['code']} {finding['message']}" for finding in check(str(chart)).of("error")]
            tally.count("without an error", chart.name, "; ".join(errors) or None)
    held(piece.name, tally)


PAIR_PIECES = [piece for piece in pieces_of("golden") if PAIRS in piece.name]


@pytest.mark.parametrize("piece", PAIR_PIECES, ids=str)
def test_pairs(piece: Piece, tmp_path: Path, held: Held) -> None:
    """Both sides must answer the same requests alike."""
    tally = Tally()
    for pair in piece.items:
        listed = read_json(pair / "requests.json")
        requests = [{"id": str(number), **request} for number, request in enumerate(listed)]
        with tally.running(pair.name):
            file = tmp_path / "requests.json"
            before, after = (trace_each(requests, file, str(pair / side)) for side in ("input.yaml", "output.yaml"))
            for request in requests:
                was, now = _gist(before[request["id"]]), _gist(after[request["id"]])
                told = f"{request['method']} {request['url']}: {was} before, {now} after"
                tally.count("alike", pair.name, None if was == now else told)
    held(piece.name, tally)


def _gist(answer: Answer) -> tuple[Any, ...]:
    """What must be the same on both sides."""
    if answer["outcome"] == "backend":
        shares: Counter[str] = Counter()
        for backend in answer["backends"]:
            shares[backend["name"]] += backend["share"]
        split = {name: round(share, 2) for name, share in sorted(shares.items()) if share}
        return "backend", split, (answer["upstream"] or {}).get("path")
    if answer["outcome"] == "redirect":
        redirect = answer["redirect"] or {}
        return ("redirect", *(redirect.get(part) for part in ("status", "scheme", "host", "path")))
    return answer["outcome"], answer["status"]
