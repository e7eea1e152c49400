from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ingress_lint.load.positions import Location
from ingress_lint.output import RenderOptions, render

from .samples import EMPTY, ORDINARY, RULES, SAMPLES, UNTRUSTED, finding

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "tests/schemas/sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
CACHED = ROOT / ".cache/sarif-multitool/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"


def run_of(report: Any) -> dict[str, Any]:
    (run,) = json.loads(render("sarif", report, RenderOptions()))["runs"]
    assert isinstance(run, dict)
    return run


@pytest.mark.parametrize("sample", SAMPLES)
def test_schema(sample: str) -> None:
    validator = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)
    validator.validate(json.loads(render("sarif", SAMPLES[sample], RenderOptions())))


@pytest.mark.parametrize("sample", SAMPLES)
def test_multitool(sample: str, tmp_path: Path) -> None:
    tool = Path(os.environ.get("SARIF_MULTITOOL") or CACHED)
    if not tool.exists():
        pytest.skip("no SARIF Multitool: run tests/tools/fetch_sarif_multitool.sh or set SARIF_MULTITOOL")
    log, verdict = tmp_path / "log.sarif", tmp_path / "verdict.sarif"
    log.write_text(render("sarif", SAMPLES[sample], RenderOptions()), encoding="utf-8")
    subprocess.run(
        [tool, "validate", log, "--rule-kind", "Sarif;Ghas", "--level", "Error;Warning", "--output", verdict],
        check=True,
        capture_output=True,
        timeout=120,
        env=os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
    )
    (run,) = json.loads(verdict.read_text(encoding="utf-8-sig"))["runs"]
    complaints = [result for result in run.get("results", ()) if result.get("level", "warning") in ("error", "warning")]
    assert complaints == []
    assert "toolConfigurationNotifications" not in run["invocations"][0]


@pytest.mark.parametrize("sample", SAMPLES)
def test_nothing_is_an_empty_string(sample: str) -> None:
    def check(value: Any) -> None:
        assert value != ""
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            check(item)

    check(run_of(SAMPLES[sample]))


def test_results_are_there_even_when_there_are_none() -> None:
    assert run_of(EMPTY)["results"] == []
    assert run_of(EMPTY)["invocations"] == [{"executionSuccessful": True}]


def test_the_level_is_written_even_where_it_is_the_default() -> None:
    run = run_of(ORDINARY)
    assert [result["level"] for result in run["results"]] == ["error", "warning", "warning", "note"]
    levels = [rule["defaultConfiguration"]["level"] for rule in run["tool"]["driver"]["rules"]]
    assert levels == [rule.severity.label for rule in RULES]


def test_suppressed_findings_are_marked() -> None:
    marked = [result.get("suppressions") for result in run_of(ORDINARY)["results"]]
    assert [bool(suppressions) for suppressions in marked] == [False, False, True, False]
    assert marked[2][0]["justification"] == "the pods run nginx, which keeps them for 75 s"


def test_what_could_not_be_read_is_told() -> None:
    (invocation,) = run_of(UNTRUSTED)["invocations"]
    assert invocation["executionSuccessful"] is False
    assert [told["level"] for told in invocation["toolExecutionNotifications"]] == ["error", "note"]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("a/b.yaml", {"uri": "a/b.yaml", "uriBaseId": "%SRCROOT%"}),
        ("a:b c%#?.yaml", {"uri": "a%3Ab%20c%25%23%3F.yaml", "uriBaseId": "%SRCROOT%"}),
        ("../é.yaml", {"uri": "../%C3%A9.yaml", "uriBaseId": "%SRCROOT%"}),
        ("bad\udcff.yaml", {"uri": "bad%FF.yaml", "uriBaseId": "%SRCROOT%"}),
        ("-", {"uri": "-", "uriBaseId": "%SRCROOT%"}),
        ("/etc/a.yaml", {"uri": "file:///etc/a.yaml"}),
        ("C:/a b.yaml", {"uri": "file:///C%3A/a%20b.yaml"}),
    ],
)
def test_uris(file: str, expected: dict[str, str]) -> None:
    from ingress_lint.report import Report, Summary

    found = finding("IL305", Location(file, 1, 1, 1, 2, ""), "m")
    run = run_of(Report((found,), Summary(), RULES))
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"] == expected
    assert [artifact["location"] for artifact in run["artifacts"]] == [expected]
