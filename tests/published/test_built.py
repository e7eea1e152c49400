"""Whole repositories as they lie, and charts with one planted fault each: helm and kustomize build them.

A repository's `case.json` names the `errors` and `warnings` that are right, the `units`, what is `unchecked`, `traces` and
the `exit` status; a chart's the `codes` that must fire, and at which `places` of its templates and values.
"""

from __future__ import annotations

import os
import posixpath
import subprocess
from collections.abc import Callable
from contextlib import chdir
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from ingress_lint.build.tools import Tool
from tests.published.cases import Piece, copied, pieces_of, read_json
from tests.published.counts import Tally
from tests.published.repositories import score
from tests.published.running import BrokenError, Finding, Place, Report, check, codes, places

Held = Callable[[str, Tally], None]


@pytest.fixture(autouse=True)
def _tools(helm: Tool, kustomize: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [str(Path(tool.path).parent) for tool in (helm, kustomize)]
    monkeypatch.setenv("PATH", os.pathsep.join([*folders, os.environ["PATH"]]))


@pytest.mark.parametrize("piece", pieces_of("repositories"), ids=str)
def test_repositories(piece: Piece, tmp_path: Path, held: Held) -> None:
    tally = Tally()
    for folder in piece.items:
        tree = copied(folder / "repo", tmp_path / folder.name)
        subprocess.run(["git", "-c", "init.defaultBranch=main", "init", "-q", str(tree)], check=True)
        with chdir(tree), tally.running(folder.name):
            score(folder.name, read_json(folder / "case.json"), tally)
    held(piece.name, tally)


@pytest.mark.parametrize("piece", pieces_of("templates"), ids=str)
def test_templates(piece: Piece, tmp_path: Path, held: Held) -> None:
    tally = Tally()
    for folder in piece.items:
        with chdir(copied(folder, tmp_path / folder.name)), tally.running(folder.name):
            _template(folder.name, read_json(folder / "case.json"), tally)
    held(piece.name, tally)


def _template(name: str, case: dict[str, Any], tally: Tally) -> None:
    report = _rendered(case)
    hits = [finding for finding in report.findings if finding["code"] in case["codes"]]
    if case.get("silenced"):
        wrong = None if report.suppressed and not hits else f"to be silenced, got {sorted(codes(hits))}"
    else:
        other = codes(report.of("error")) - set(case["codes"])
        missing = f"expected {case['codes']} and no other error, got {sorted(codes(report.findings))}"
        wrong = None if hits and not other else missing
        _count_places(name, case, hits, tally)
    tally.count("found", name, wrong)
    _repair(case["repaired"])
    again = _rendered(case)
    still = codes(again.of("error")) | codes(again.findings) & set(case["codes"])
    tally.count("repaired, so silent", name, wrong or (f"still {sorted(still)}" if still else None))


def _rendered(case: dict[str, Any]) -> Report:
    named = (("--values", case.get("values", [])), ("--set", case.get("set", [])))
    report = check("chart", *chain.from_iterable((option, value) for option, values in named for value in values))
    failed = [finding for finding in report.findings if finding["code"] in ("IL001", "IL010")]
    if failed:
        raise BrokenError(failed[0]["message"])
    return report


def _count_places(name: str, case: dict[str, Any], hits: list[Finding], tally: Tally) -> None:
    """A finding stands at a line of the template, or at one of the values from which it points to the template."""
    wanted, values = _lines(case["places"]), _lines(case["values_places"])
    found = [places(hit, "related", "path") for hit in hits]
    at = any(first in wanted or (first in values and wanted & set(rest)) for first, *rest in found)
    wrong = f"expected at {sorted(wanted)}, got {[first for first, *_ in found]}"
    tally.count("at the template's line", name, None if at else wrong)
    if values:
        shown = values & set(chain.from_iterable(found))
        tally.count("values shown", name, None if shown else f"expected {sorted(values)} to be shown, got {found}")


def _lines(listed: list[dict[str, Any]]) -> set[Place]:
    return {(posixpath.normpath(place["file"]), line) for place in listed for line in place["lines"]}


def _repair(repaired: dict[str, Any]) -> None:
    """Changes one line, and leaves how lines end."""
    file = Path(repaired["file"])
    lines = file.read_bytes().decode().split("\n")
    index = repaired["line"] - 1
    lines[index] = repaired["text"] + ("\r" if lines[index].endswith("\r") else "")
    file.write_bytes("\n".join(lines).encode())
