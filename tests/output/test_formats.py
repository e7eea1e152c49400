from __future__ import annotations

import json
import subprocess
import sys
from xml.etree import ElementTree

from msgspec.structs import replace

from ingress_lint.finding import MAX_HEADLINE, Severity, effect, headline
from ingress_lint.load.document import SourceFile
from ingress_lint.load.positions import Location
from ingress_lint.output import FORMATS, RenderOptions, render
from ingress_lint.output.markdown import SIZE_LIMIT
from ingress_lint.packs import load_rules
from ingress_lint.report import Report, Spot, Summary
from ingress_lint.units.plan import Unit
from tests.conftest import FIXTURES

from .samples import EMPTY, ORDINARY, RULES, finding


def test_the_table_loads_no_format() -> None:
    heavy = ("sarif_om", "click", "rich", "jsonschema", "yaml", "ruamel", "ingress_lint.output.text")
    code = f"import sys, ingress_lint.output; print([m for m in {heavy!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_the_same_report_gives_the_same_bytes() -> None:
    again = replace(ORDINARY, files=dict(reversed(list(ORDINARY.files.items()))))
    for name in FORMATS:
        assert render(name, ORDINARY, RenderOptions()) == render(name, again, RenderOptions())


def test_quiet_says_nothing_where_nothing_was_found() -> None:
    assert render("text", EMPTY, RenderOptions(quiet=True, statistics=True)) == ""


def test_text_shows_a_few_of_many_related_places() -> None:
    related = tuple(Spot("as well", None, Location("a.yaml", n, 1, n, 2, "")) for n in range(10, 20))
    report = Report((finding("IL305", Location("a.yaml", 3, 5, 3, 6, ""), "m", related=related),), Summary(), RULES)
    short = render("text", report, RenderOptions())
    assert short.count(": as well") == 6
    assert "= note: 4 more places are not shown; --verbose shows them all" in short
    full = render("text", report, RenderOptions(verbose=True))
    assert full.count(": as well") == 10
    assert "not shown" not in full


def test_json_has_what_the_contract_names() -> None:
    written = json.loads(render("json", ORDINARY, RenderOptions()))
    assert list(written) == ["version", "tool", "summary", "units", "findings"]
    assert [found["code"] for found in written["findings"]] == ["IL201", "IL305", "IL405"]
    first, _, last = written["findings"]
    assert list(first) == [
        "code", "name", "severity", "hop", "units", "headline", "message", "effect", "assumes", "check", "object", "location", "rendered",
        "mapping", "related", "path", "fix",
        "fingerprint",
    ]  # fmt: skip
    unit = ["name", "kind", "path", "file", "cluster", "objects", "routes", "state", "reason"]
    assert [list(found) for found in written["units"]] == [unit, unit]
    assert first["fix"]["description"] == "set `alb.ingress.kubernetes.io/healthcheck-path: /healthz`"
    assert list(first["path"][0]) == ["hop", "message", "object", "location"]
    assert last["fix"] is None
    assert last["object"] == {"apiVersion": "", "kind": "", "namespace": "", "name": ""}


def test_github_takes_columns_only_within_a_line() -> None:
    found = finding("IL305", Location("a.yaml", 3, 5, 7, 2, ""), "m")
    command = render("github", Report((found,), Summary(), RULES), RenderOptions(quiet=True))
    assert command == "::warning file=a.yaml,line=3,endLine=7,title=IL305 m::m\n"


def test_github_gets_errors_first_and_no_more_than_it_takes() -> None:
    levels = [Severity.NOTE] * 3 + [Severity.WARNING] * 12 + [Severity.ERROR] * 11
    found = tuple(
        replace(finding("IL305", Location("a.yaml", line, 1, line, 2, ""), f"number {line}"), severity=severity)
        for line, severity in enumerate(levels, 1)
    )
    units = (Unit("chart", "chart", "chart", state="unchecked", reason="no helm"),)
    report = Report(found, Summary(error=11, warning=12, note=3), RULES, units, unread=("gone: no such file",))
    lines = render("github", report, RenderOptions()).splitlines()
    commands = [line.split("::")[1].split(" ")[0] for line in lines if line.startswith("::")]
    assert commands == ["error"] * 10 + ["warning"] * 10 + ["notice"] * 4
    assert lines[0] == "::error title=ingress-lint::gone: no such file"
    assert "not checked" in lines[20]
    assert lines[24].startswith("Not annotated: 2 errors, 2 warnings more.")
    assert lines[25].startswith("11 errors, 12 warnings, 3 notes in")
    quiet = render("github", report, RenderOptions(quiet=True)).splitlines()
    assert quiet == lines[:25]


def test_markdown_is_cut_at_the_size_that_github_takes() -> None:
    found = tuple(finding("IL305", Location("a.yaml", n, 1, n, 2, ""), "漢" * 100) for n in range(1, 6001))
    text = render("markdown", Report(found, Summary(warning=6000), RULES), RenderOptions())
    kept = text.count("漢" * 100)
    assert SIZE_LIMIT * 0.98 < len(text.encode()) <= SIZE_LIMIT
    assert f"_{6000 - kept} more findings left out: the page would be too long._" in text


def test_unread_paths_that_are_findings_are_told_once() -> None:
    message = "a.yaml: not UTF-8"
    found = finding("IL305", Location("a.yaml", 1, 1, 1, 2, ""), message)
    report = Report((found,), Summary(), RULES, unread=(message, "b.yaml: no such file"))
    for name in ("github", "markdown"):
        assert render(name, report, RenderOptions()).replace("\\", "").count(message) == 1
        assert "no such file" in render(name, report, RenderOptions())


def test_gitlab_has_what_gitlab_asks_for() -> None:
    violations = json.loads(render("gitlab", ORDINARY, RenderOptions()))
    assert [violation["check_name"] for violation in violations] == ["IL201", "IL305", "IL405"]
    for violation in violations:
        assert set(violation) == {"description", "content", "check_name", "fingerprint", "severity", "location"}
        assert violation["severity"] in ("info", "minor", "major", "critical", "blocker")
    assert len({violation["fingerprint"] for violation in violations}) == 3
    assert json.loads(render("gitlab", EMPTY, RenderOptions())) == []
    (told,) = json.loads(render("gitlab", Report((), Summary(), (), unread=("a.yaml: gone",)), RenderOptions()))
    assert (told["location"]["path"], told["severity"]) == ("a.yaml", "blocker")


def test_junit_counts_failures_and_lets_notes_pass() -> None:
    root = ElementTree.fromstring(render("junit", ORDINARY, RenderOptions()))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("3", "2", "0")
    failures = [failure.get("type") for failure in root.iter("failure")]
    assert failures == ["error", "warning"]
    (note,) = (case for case in root.iter("testcase") if case.find("system-out") is not None)
    assert note.get("name", "").startswith("IL405")
    empty = ElementTree.fromstring(render("junit", EMPTY, RenderOptions()))
    assert (empty.get("tests"), empty.get("failures")) == ("1", "0")
    gone = Report((), Summary(), (), unread=("a.yaml: gone",))
    assert ElementTree.fromstring(render("junit", gone, RenderOptions())).get("errors") == "1"


def test_concise_is_one_line_a_finding() -> None:
    lines = render("concise", ORDINARY, RenderOptions()).splitlines()
    assert len(lines) == 3
    assert lines[2] == "-:3:1: note: no route leads to Service `web` [IL405]"
    assert render("concise", EMPTY, RenderOptions()) == ""


def test_rdjson_counts_columns_in_bytes() -> None:
    file = SourceFile("a.yaml", "é: ü x\n")
    found = finding("IL305", Location("a.yaml", 1, 6, 1, 7, ""), "m")
    (told,) = json.loads(render("rdjson", Report((found,), Summary(), RULES, files={"a.yaml": file}), RenderOptions()))[
        "diagnostics"
    ]
    assert told["location"]["range"] == {"start": {"line": 1, "column": 8}, "end": {"line": 1, "column": 9}}
    assert (told["severity"], told["code"]["value"]) == ("WARNING", "IL305")


def test_text_has_errors_first() -> None:
    levels = (Severity.NOTE, Severity.ERROR)
    found = tuple(
        replace(finding("IL305", Location("a.yaml", line, 1, line, 2, ""), "m"), severity=severity)
        for line, severity in enumerate(levels, 1)
    )
    assert render("text", Report(found, Summary(), RULES), RenderOptions()).startswith("error[")


def test_sarif_holds_only_the_rules_that_fired() -> None:
    (run,) = json.loads(render("sarif", Report(ORDINARY.findings[:1], Summary(), RULES), RenderOptions()))["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["IL201"]


def test_a_headline_is_the_first_clause_or_else_the_summary() -> None:
    assert headline("port `a; b` is not there; the client gets 503", "s", "") == "port `a; b` is not there"
    assert effect("port `a; b` is not there; the client gets 503") == "the client gets 503"
    assert headline("x " * 60, "what the rule finds", "Ingress shop") == "what the rule finds (Ingress shop)"
    assert headline("x " * 60, "s" * 99, "Ingress shop") == "s" * 99


def test_the_headlines_of_all_fixtures_can_be_read_at_a_glance() -> None:
    summaries = {rule.code: rule.summary for rule in load_rules()}
    for file in FIXTURES.glob("*/bad/*/expected.txt"):
        for line in file.read_text(encoding="utf-8").splitlines():
            if not line.startswith(" "):
                message = line.partition(f" {file.parts[-4]}: ")[2]
                assert 0 < len(headline(message, summaries[file.parts[-4]], "")) <= MAX_HEADLINE
