"""The command line as users and CI rely on it: what is printed where, and the exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ingress_lint import __version__
from ingress_lint.__main__ import main
from ingress_lint.packs import load_rules
from tests.conftest import FIXTURES

BAD = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: shop-web
                port:
                  number: 80
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
    - port: 80
"""
GOOD = BAD.replace("shop-web", "web")
ONLY = ("--select", "IL401")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for variable in ("GITHUB_ACTIONS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "bad.yaml").write_text(BAD)
    (tmp_path / "good.yaml").write_text(GOOD)
    return tmp_path


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=stdin, catch_exceptions=False)


def test_findings_exit_1() -> None:
    result = run("check", "bad.yaml", *ONLY)
    assert result.exit_code == 1
    assert "error[IL401] backend-not-found" in result.stdout
    assert "bad.yaml:15:23" in result.stdout


def test_check_is_the_default_command() -> None:
    assert run("bad.yaml", *ONLY).stdout == run("check", "bad.yaml", *ONLY).stdout


def test_options_may_come_before_paths() -> None:
    assert run(*ONLY, "bad.yaml").exit_code == 1


def test_nothing_found_exits_0() -> None:
    result = run("good.yaml", *ONLY)
    assert result.exit_code == 0
    assert "No findings" in result.stdout


def test_without_a_path_the_current_folder_is_checked() -> None:
    assert "bad.yaml" in run(*ONLY).stdout


def test_standard_input() -> None:
    result = run("-", *ONLY, stdin=BAD)
    assert result.exit_code == 1
    assert "-:15:23" in result.stdout


def test_missing_path_exits_2_and_the_rest_is_linted() -> None:
    result = run("bad.yaml", "nowhere", *ONLY)
    assert result.exit_code == 2
    assert "nowhere: No such file or directory" in result.stderr
    assert "IL401" in result.stdout


@pytest.mark.parametrize(
    ("word", "hint"), [("chekc", "did you mean `check`?"), ("nowhere.yaml", "the commands are check, trace")]
)
def test_a_first_word_that_is_neither_path_nor_command(word: str, hint: str) -> None:
    result = run(word, "bad.yaml", *ONLY)
    assert result.exit_code == 2
    assert f"{word} is neither a path that exists nor a command; {hint}" in result.stderr
    assert not result.stdout


@pytest.mark.parametrize(("level", "expected"), [("error", 1), ("warning", 1), ("note", 1), ("never", 0)])
def test_fail_on(level: str, expected: int) -> None:
    assert run("bad.yaml", *ONLY, "--fail-on", level).exit_code == expected


def test_note_fails_only_where_asked() -> None:
    Path("alone.yaml").write_text(BAD.partition("---")[0])
    assert run("alone.yaml", *ONLY).exit_code == 0
    assert run("alone.yaml", *ONLY, "--fail-on", "note").exit_code == 1


@pytest.mark.parametrize("selector", ["IL401", "il401", "IL4", "backend-not-found", "ALL", "IL003,IL401"])
def test_select(selector: str) -> None:
    report = json.loads(run("bad.yaml", "--format", "json", "--select", selector).stdout)
    assert "IL401" in {finding["code"] for finding in report["findings"]}


@pytest.mark.parametrize("selector", ["IL401", "IL4", "backend-not-found", "ALL"])
def test_ignore(selector: str) -> None:
    report = json.loads(run("bad.yaml", "--format", "json", "--ignore", selector).stdout)
    assert "IL401" not in {finding["code"] for finding in report["findings"]}


def test_unknown_rule_is_a_usage_error_that_helps() -> None:
    result = run("bad.yaml", "--select", "backend-not-fond")
    assert result.exit_code == 2
    assert "did you mean backend-not-found?" in result.stderr


def test_context_resolves_and_is_not_reported() -> None:
    Path("cluster.yaml").write_text(BAD.partition("---")[2].replace("name: web", "name: shop-web"))
    Path("bad.yaml").write_text(BAD.partition("---")[0])
    assert json.loads(run("bad.yaml", "--format", "json", *ONLY).stdout)["findings"]
    result = run("bad.yaml", "--format", "json", "--context", "cluster.yaml", *ONLY)
    assert json.loads(result.stdout)["findings"] == []


def test_assume() -> None:
    Path("bad.yaml").write_text(BAD.partition("---")[0])
    severities = {
        assumption: [
            f["severity"]
            for f in json.loads(run("bad.yaml", "--format", "json", "--assume", assumption, *ONLY).stdout)["findings"]
        ]
        for assumption in ("complete", "auto", "partial")
    }
    assert severities == {"complete": ["error"], "auto": ["note"], "partial": []}


def test_namespace_of_objects_that_name_none() -> None:
    report = json.loads(run("bad.yaml", "--format", "json", "-n", "shop", *ONLY).stdout)
    assert report["findings"][0]["object"]["namespace"] == "shop"


def test_unknown_controller() -> None:
    result = run("bad.yaml", "--controller", "apache")
    assert result.exit_code == 2
    assert "there is no controller 'apache'" in result.stderr


def test_github_is_the_default_format_in_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert run("bad.yaml", *ONLY).stdout.startswith("::error file=bad.yaml,line=15,")
    assert "error[IL401]" in run("bad.yaml", *ONLY, "--format", "text").stdout


def test_output_takes_the_place_of_standard_output() -> None:
    result = run("bad.yaml", *ONLY, "--format", "json", "--output", "out/report.json")
    assert result.stdout == ""
    assert json.loads(Path("out/report.json").read_text())["findings"][0]["code"] == "IL401"


def test_output_by_format_comes_besides() -> None:
    result = run("bad.yaml", *ONLY, "--output", "sarif=a.sarif", "--output", "json=a.json")
    assert "IL401" in result.stdout
    assert json.loads(Path("a.sarif").read_text())["version"] == "2.1.0"
    assert json.loads(Path("a.json").read_text())["version"] == 1


def test_output_of_an_unknown_format() -> None:
    result = run("bad.yaml", "--output", "xml=a.xml")
    assert result.exit_code == 2
    assert "there is no format 'xml'" in result.stderr


def test_quiet_has_no_summary() -> None:
    assert run("good.yaml", *ONLY, "--quiet").stdout == ""
    assert "1 error" not in run("bad.yaml", *ONLY, "--quiet").stdout


def test_statistics() -> None:
    assert "IL401" in run("bad.yaml", *ONLY, "--statistics", "--quiet").stdout.splitlines()[-1]


def test_verbose_says_what_was_passed_over_and_who_serves() -> None:
    Path("role.yaml").write_text("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r}\n")
    text = run("good.yaml", "role.yaml", *ONLY, "--verbose").stdout
    assert "passed over 1 of 3 documents, of kinds that no rule reads: 1 Role" in text
    assert "ingress-nginx serves 1 object (derived: class nginx, which others use as well)" in text
    assert "passed over" not in run("good.yaml", "role.yaml", *ONLY).stdout


def test_color() -> None:
    assert "\x1b[" not in run("bad.yaml", *ONLY).stdout
    assert "\x1b[" in run("bad.yaml", *ONLY, "--color", "always").stdout


def test_no_color_and_force_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in run("bad.yaml", *ONLY).stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("bad.yaml", *ONLY).stdout


def test_the_same_input_gives_the_same_bytes_whatever_the_order() -> None:
    one = run("bad.yaml", "good.yaml", "--format", "json").stdout
    assert one == run("good.yaml", "bad.yaml", "--format", "json").stdout
    named = run(".", "--format", "json").stdout
    assert one.replace(" bad.yaml good.yaml", "") == named.replace(' ."', '"')


def test_version() -> None:
    assert run("--version").stdout.strip().endswith(__version__)


def test_rules_as_text_and_json() -> None:
    rows = json.loads(run("rules", "--format", "json").stdout)
    assert {"code", "name", "severity", "hop", "summary"} == set(rows[0])
    text = run("rules").stdout
    assert all(row["code"] in text for row in rows)


def test_explain_by_code_and_by_name() -> None:
    page = run("explain", "IL401").stdout
    assert page == run("explain", "backend-not-found").stdout
    assert "## Prove it" in page


def test_explain_something_unknown() -> None:
    result = run("explain", "IL999")
    assert result.exit_code == 2
    assert "no rule is called 'IL999'" in result.stderr


def test_routes_as_text_and_json() -> None:
    assert "shop.example.com" in run("routes", "good.yaml").stdout
    model = json.loads(run("routes", "good.yaml", "--format", "json").stdout)
    assert model["routes"][0]["hostnames"][0]["value"] == "shop.example.com"
    assert model["routes"][0]["controller"]["value"] == "ingress-nginx"


class TestConfiguration:
    def test_nearest_file_upward(self) -> None:
        Path(".ingress-lint.yaml").write_text("ignore: [IL401]\n")
        Path("deep/er").mkdir(parents=True)
        Path("deep/er/bad.yaml").write_text(BAD)
        assert "IL401" not in run("deep/er", "--format", "json").stdout

    def test_pyproject(self) -> None:
        Path("pyproject.toml").write_text('[tool.ingress-lint]\nfail-on = "never"\n')
        assert run("bad.yaml", *ONLY).exit_code == 0

    def test_paths_are_relative_to_the_file(self) -> None:
        Path("conf").mkdir()
        Path(".git").mkdir()
        Path("conf/c.yaml").write_text("paths: [../good.yaml]\n")
        assert run("--config", "conf/c.yaml", *ONLY).exit_code == 0

    def test_severity(self) -> None:
        Path(".ingress-lint.yaml").write_text("severity: {IL4: note}\n")
        assert run("bad.yaml", *ONLY).exit_code == 0

    def test_per_path_ignores(self) -> None:
        Path(".ingress-lint.yaml").write_text("per-path-ignores:\n  'bad*': [backend-not-found]\n")
        assert run("bad.yaml", *ONLY).exit_code == 0

    def test_externals(self) -> None:
        Path(".ingress-lint.yaml").write_text("externals: [{kind: Service, namespace: default, name: shop-web}]\n")
        assert run("bad.yaml", *ONLY).exit_code == 0

    @pytest.mark.parametrize(
        ("text", "options"),
        [
            ("ignore: [IL401]\n", ()),
            ("per-path-ignores: {'bad*': [IL401]}\n", ()),
            ("severity: {IL401: warning}\nmin-severity: error\n", ()),
            ("severity: {IL401: warning}\n", ("--min-severity", "error")),
        ],
    )
    def test_what_it_hides_is_counted(self, text: str, options: tuple[str, ...]) -> None:
        Path(".ingress-lint.yaml").write_text(text)
        result = run("bad.yaml", *ONLY, *options)
        assert result.exit_code == 0
        assert "(1 suppressed)" in result.stdout
        run_of_sarif = json.loads(run("bad.yaml", *ONLY, *options, "--format", "sarif").stdout)["runs"][0]
        assert run_of_sarif["results"][0]["suppressions"][0]["kind"] == "external"

    def test_what_a_unit_names_and_is_gone_is_told_and_the_rest_is_linted(self) -> None:
        Path(".ingress-lint.yaml").write_text("units:\n  - {name: a, path: gone}\n")
        result = run("bad.yaml", *ONLY)
        assert result.exit_code == 2
        assert ".ingress-lint.yaml:2: units[0].path: there is no `gone`" in result.stderr
        assert "IL401" in result.stdout

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("colour: red\n", "colour: there is no such setting"),
            ("fail-on: sometimes\n", "fail-on"),
            ("ignore: [IL999]\n", "no rule is called 'IL999'"),
            ("a: [\n", ".ingress-lint.yaml"),
            ("- 1\n", ".ingress-lint.yaml"),
            ('"\\e[31m": 1\n', "1: \\x1b[31m: there is no such setting"),
        ],
    )
    def test_a_wrong_file_is_a_usage_error(self, text: str, message: str) -> None:
        Path(".ingress-lint.yaml").write_text(text)
        result = run("bad.yaml")
        assert result.exit_code == 2
        assert message in result.stderr


def test_version_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['ingress-lint', '--version']\n"
        "from ingress_lint.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'pydantic', 'yaml', 'ruamel', 'sarif_om', 'jsonschema', 'rich', 'cryptography'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", ["check", "routes"])
@pytest.mark.parametrize("case", ["found", "traefik-services", "istio-full-name"])
def test_right_manifests_need_no_pydantic(command: str, case: str) -> None:
    folder = FIXTURES / "IL401" / "good" / case
    code = (
        f"import sys; sys.argv = ['ingress-lint', {command!r}, '--format', 'json', {os.fspath(folder)!r}]\n"
        "from ingress_lint.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "sys.stderr.write(str('pydantic' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert json.loads(done.stdout)
    assert done.stderr.splitlines()[-1] == "False"


def test_suppressed_findings_are_counted_and_do_not_fail(folder: Path) -> None:
    comment = "                name: shop-web  # ingress-lint: ignore[IL401] made by an operator\n"
    (folder / "taken.yaml").write_text(BAD.replace("                name: shop-web\n", comment))
    result = run("taken.yaml", *ONLY, "--format", "json")
    assert result.exit_code == 0
    written = json.loads(result.stdout)
    assert (written["findings"], written["summary"]["error"], written["summary"]["suppressed"]) == ([], 0, 1)
    assert "No findings" in run("taken.yaml", *ONLY).stdout
    assert "(1 suppressed)" in run("taken.yaml", *ONLY).stdout


def test_unused_suppressions_are_told_from_rules_that_are_not_selected(folder: Path) -> None:
    (folder / "taken.yaml").write_text(BAD.replace("name: shop-web", "name: shop-web  # ingress-lint: ignore[IL401]"))
    assert json.loads(run("taken.yaml", "--select", "IL009", "--format", "json").stdout)["findings"] == []
    (folder / "stale.yaml").write_text(GOOD.replace("name: web\n", "name: web  # ingress-lint: ignore[IL401]\n", 1))
    (finding,) = json.loads(run("stale.yaml", "--select", "IL009", "--format", "json").stdout)["findings"]
    assert (finding["code"], finding["location"]["line"]) == ("IL009", 15)


def test_findings_on_a_route_name_the_diagnostic_of_that_route(folder: Path) -> None:
    assert "prove: ingress-lint runbook --url http://shop.example.com/ bad.yaml" in run("bad.yaml", *ONLY).stdout
    assert "prove:" not in run("-", *ONLY, stdin=BAD).stdout


def test_a_rule_that_breaks_down_loses_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = next(rule for rule in load_rules() if rule.code == "IL402")

    def fail(*_: object) -> None:
        raise KeyError("\x1b[31mport")

    monkeypatch.setattr(type(broken.rule), "check_route", fail)
    result = run("bad.yaml", "--select", "IL401,IL402")
    assert result.exit_code == 2
    assert "error[IL401]" in result.stdout
    assert "rule IL402 broke down at Ingress default/shop (KeyError:" in result.stderr
    assert "\x1b" not in result.stderr


def test_no_traceback_reaches_a_user() -> None:
    program = (
        "import ingress_lint.engine as engine, ingress_lint.__main__ as entry\n"
        "def fail(*_, **__): raise RuntimeError('no way')\n"
        "engine.read = fail\n"
        "entry.main(['bad.yaml'], prog_name='ingress-lint')\n"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert process.returncode == 2
    assert process.stderr.startswith("ingress-lint: RuntimeError: no way: this is a bug")
    assert "Traceback" not in process.stderr


def test_a_baseline_hides_what_it_records_and_nothing_else(folder: Path) -> None:
    recorded = run("bad.yaml", "--write-baseline", "known/baseline.json", *ONLY)
    assert recorded.exit_code == 0
    assert "error[IL401]" in recorded.stdout
    (entry,) = json.loads((folder / "known/baseline.json").read_text())["findings"]
    assert (entry["code"], entry["file"], entry["object"]) == ("IL401", "bad.yaml", "Ingress default/shop")

    hidden = run("bad.yaml", "--baseline", "known/baseline.json", *ONLY)
    assert hidden.exit_code == 0
    assert "(1 suppressed)" in hidden.stdout
    (folder / "bad.yaml").write_text("# a line more\n" + BAD)
    assert run("bad.yaml", "--baseline", "known/baseline.json", *ONLY).exit_code == 0
    (folder / "bad.yaml").write_text(BAD.replace("name: shop\n", "name: store\n"))
    assert run("bad.yaml", "--baseline", "known/baseline.json", *ONLY).exit_code == 1

    (folder / "bad.yaml").write_text(BAD)
    (folder / ".ingress-lint.yaml").write_text("baseline: known/baseline.json\n")
    assert run("bad.yaml", *ONLY).exit_code == 0
    log = json.loads(run("bad.yaml", *ONLY, "--format", "sarif").stdout)
    (result,) = log["runs"][0]["results"]
    assert result["suppressions"][0]["kind"] == "external"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2, "findings": []}'])
def test_a_baseline_that_is_none(folder: Path, text: str) -> None:
    (folder / "baseline.json").write_text(text)
    result = run("bad.yaml", "--baseline", "baseline.json")
    assert result.exit_code == 2
    assert "baseline.json is no baseline" in result.stderr
    assert run("bad.yaml", "--baseline", "absent.json").exit_code == 2


def test_now_is_when_certificates_must_be_valid(folder: Path) -> None:
    (manifest,) = (FIXTURES / "IL106/good/valid").glob("*.yaml")
    (folder / "tls.yaml").write_text(manifest.read_text())
    on = ("tls.yaml", "--select", "IL106", "--format", "json")
    assert json.loads(run(*on, "--now", "2030-01-01").stdout)["findings"] == []
    (finding,) = json.loads(run(*on, "--now", "2999-12-31T23:59:59Z").stdout)["findings"]
    assert "expired" in finding["message"]
    assert "IL106" in run("trace", "--url", "https://shop.example.com/", "tls.yaml", "--now", "2999-12-31").stdout
    refused = run("tls.yaml", "--now", "tomorrow")
    assert refused.exit_code == 2
    assert "'tomorrow' is no date such as 2026-03-01" in refused.stderr


def test_a_format_is_no_file_to_write() -> None:
    for value in ("sarif", "sarif="):
        result = run("good.yaml", "--output", value)
        assert result.exit_code == 2
        assert "--output sarif=FILE" in result.stderr
    assert not Path("sarif").exists()
