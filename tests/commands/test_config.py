"""`ingress-lint config`: the settings in force, with their origin, as YAML."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from ingress_lint.__main__ import main
from ingress_lint.configuration.schema import faults, schema
from ingress_lint.units.excludes import DEFAULT_FOLDERS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["config", *arguments], prog_name="ingress-lint")


def lines(result: Result) -> dict[str, str]:
    """What stands beside each setting, by its name."""
    return {line.partition(":")[0]: line.partition("  # ")[2] for line in result.stdout.splitlines()}


def test_every_value_has_its_origin() -> None:
    Path(".ingress-lint.yaml").write_text(
        "# ours\nexclude: [attic/]\ncontrollers: {public: kong}\nunits:\n  - {name: a, path: .}\nfail-on: warning\n"
    )
    result = run("--controller", "traefik", "--exclude", "old/", ".")
    assert result.exit_code == 0
    beside = lines(result)
    assert beside["fail-on"] == ".ingress-lint.yaml:6"
    assert beside["units"] == ".ingress-lint.yaml:4"
    assert beside["controller"] == beside["paths"] == "command line"
    assert beside["exclude"] == ".ingress-lint.yaml:2, command line"
    assert beside["assume"] == "default"
    said = yaml.safe_load(result.stdout)
    assert said["exclude"] == ["attic/", "old/"]
    assert said["controllers"] == {"public": {"name": "kong"}}
    assert said["min-severity"] == "note"
    assert said["render"]["time-limit"] == "30s"
    assert not list(faults(said))
    assert said.keys() == schema()["$defs"]["Config"]["properties"].keys()


def test_without_a_file_all_is_default_and_what_is_passed_over_is_told() -> None:
    result = run()
    assert result.exit_code == 0
    assert result.stdout.startswith("# no configuration file\n")
    assert all(folder in result.stdout for folder in DEFAULT_FOLDERS)
    assert "*.golden.yaml" in result.stdout
    assert "what git ignores" in result.stdout


def test_the_schema_is_printed() -> None:
    assert json.loads(run("--schema").stdout) == json.loads(json.dumps(schema()))


def test_what_cannot_be_used_is_exit_2() -> None:
    Path(".ingress-lint.yaml").write_text("fail: error\n")
    result = run()
    assert result.exit_code == 2
    assert ".ingress-lint.yaml:1: fail: there is no such setting" in result.stderr
    Path(".ingress-lint.yaml").write_text("units: [{name: a, path: gone}]\n")
    result = run()
    assert result.exit_code == 2
    assert "units[0].path: there is no `gone`" in result.stderr
    assert "path: gone" in result.stdout
