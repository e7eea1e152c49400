"""The GitHub Action: its steps, run with what GitHub sets for them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.conftest import RENAMED_SERVICE, ROOT, SERVICE

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed"),
]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")


@dataclass(frozen=True)
class Ran:
    """One step that ran."""

    status: int
    log: str
    summary: str
    outputs: dict[str, str]


def step(identity: str) -> dict[str, Any]:
    found: dict[str, Any] = next(s for s in ACTION["runs"]["steps"] if identity in (s.get("id"), s["name"]))
    return found


def run_step(
    identity: str, workspace: Path, runner: Path, inputs: dict[str, str] | None = None, python: str = sys.executable
) -> Ran:
    """Runs a step as the runner does: expressions of `env` filled in, the script in a file, the files GitHub reads."""
    known = {f"inputs.{name}": str(given["default"]) for name, given in ACTION["inputs"].items()}
    known |= {f"inputs.{name}": value for name, value in (inputs or {}).items()}
    known["steps.python.outputs.python-path"] = python
    chosen = step(identity)
    script, output, summary = runner / "step.sh", runner / "output", runner / "summary"
    script.write_text(chosen["run"], encoding="utf-8")
    for file in (output, summary):
        file.write_text("", encoding="utf-8")
    environment = {
        **os.environ,
        **{
            name: EXPRESSION.sub(lambda match: known[match.group(1)], value)
            for name, value in chosen.get("env", {}).items()
        },
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_OUTPUT": str(output),
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_WORKSPACE": str(workspace),
        "RUNNER_TEMP": str(runner),
    }
    done = subprocess.run(
        (*BASH, str(script)), cwd=workspace, env=environment, capture_output=True, text=True, check=False
    )
    return Ran(
        done.returncode,
        done.stdout + done.stderr,
        summary.read_text(encoding="utf-8"),
        dict(assignments(output.read_text(encoding="utf-8"))),
    )


def assignments(text: str) -> Iterator[tuple[str, str]]:
    """What the runner reads in GITHUB_OUTPUT: `name<<end`, lines, `end`."""
    lines = iter(text.splitlines())
    for line in lines:
        name, end = line.split("<<", 1)
        value = []
        while (content := next(lines)) != end:
            value.append(content)
        yield name, "\n".join(value)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner's folder for temporary files, with the linter installed by the action's own step."""
    folder = tmp_path_factory.mktemp("runner")
    done = run_step("Install ingress-lint", folder, folder)
    assert done.status == 0, done.log
    return folder


@pytest.fixture
def lint(runner: Path, shop: Path) -> Callable[..., Ran]:
    """Runs the lint step on the shop, with inputs as keyword arguments."""
    return lambda **inputs: run_step(
        "lint", shop.parent, runner, {name.replace("_", "-"): value for name, value in inputs.items()}
    )


def test_a_shop_in_order_passes(lint: Callable[..., Ran]) -> None:
    ran = lint(paths="shop")
    assert ran.status == 0, ran.log
    assert ran.outputs == {"errors": "0", "warnings": "0", "notes": "0", "sarif-file": ""}
    assert ran.summary.strip()


def test_a_fault_of_a_chart_is_annotated_at_its_template_and_at_the_value(runner: Path, charted: Path) -> None:
    ran = run_step("lint", charted, runner, {"paths": "."})
    assert ran.status == 1, ran.log
    assert re.search(r"^::error file=charts/web/templates/ingress\.yaml,line=12,.*IL402", ran.log, re.MULTILINE)
    assert re.search(r"^::error file=charts/web/values\.yaml,line=2,.*IL402", ran.log, re.MULTILINE)
    assert ran.outputs["errors"] == "1"


def test_an_error_fails_the_step_and_is_annotated_counted_and_summed_up(lint: Callable[..., Ran], shop: Path) -> None:
    (shop / "service.yaml").write_text(RENAMED_SERVICE, encoding="utf-8")
    ran = lint(paths="shop", sarif_file="out/lint.sarif")
    assert ran.status == 1, ran.log
    assert re.search(r"^::error file=shop/ingress\.yaml,line=12,", ran.log, re.MULTILINE)
    assert ran.outputs["errors"] == "1"
    assert ran.outputs["sarif-file"] == "out/lint.sarif"
    assert (shop.parent / "out" / "lint.sarif").is_file()
    assert "IL401" in ran.summary


def test_without_paths_the_repository_is_taken_as_it_is(lint: Callable[..., Ran], shop: Path) -> None:
    (shop / "service.yaml").write_text(RENAMED_SERVICE, encoding="utf-8")
    ran = lint()
    assert ran.status == 1, ran.log
    assert re.search(r"^::error file=shop/ingress\.yaml,line=12,", ran.log, re.MULTILINE)
    shutil.rmtree(shop)
    ran = lint()
    assert ran.status == 0, ran.log
    assert ran.outputs["errors"] == "0"


def test_the_fail_level_decides_the_status_alone(lint: Callable[..., Ran], shop: Path) -> None:
    (shop / "service.yaml").write_text(RENAMED_SERVICE, encoding="utf-8")
    ran = lint(paths="shop", fail_on="never")
    assert ran.status == 0, ran.log
    assert ran.outputs["errors"] == "1"


def test_a_path_that_does_not_exist_fails_but_the_rest_is_reported(lint: Callable[..., Ran], shop: Path) -> None:
    (shop / "service.yaml").write_text(RENAMED_SERVICE, encoding="utf-8")
    ran = lint(paths="shop\nnowhere")
    assert ran.status == 2, ran.log
    assert "nowhere" in ran.log
    assert ran.outputs["errors"] == "1"
    assert "IL401" in ran.summary


@pytest.mark.parametrize("inputs", [{"fail_on": "sometimes"}, {"args": "--no-such-option"}, {"args": "'unclosed"}])
def test_a_usage_error_leaves_the_counts_empty_and_says_so(lint: Callable[..., Ran], inputs: dict[str, str]) -> None:
    ran = lint(paths="shop", sarif_file="lint.sarif", **inputs)
    assert ran.status == 2, ran.log
    assert ran.outputs == {"errors": "", "warnings": "", "notes": "", "sarif-file": ""}
    assert "could not run" in ran.summary


def test_further_arguments_and_the_configuration_reach_the_linter(lint: Callable[..., Ran], shop: Path) -> None:
    (shop / "service.yaml").write_text(RENAMED_SERVICE, encoding="utf-8")
    assert lint(paths="shop", args="--ignore 'IL401'").outputs["errors"] == "0"
    (shop.parent / "my config.yaml").write_text("ignore: [IL401]\n", encoding="utf-8")
    assert lint(paths="shop", config="my config.yaml").outputs["errors"] == "0"


def test_nothing_in_an_input_is_run(lint: Callable[..., Ran], shop: Path) -> None:
    marks = [shop.parent / f"run-{number}" for number in range(5)]
    dollar, tick, semicolon, quote, option = (str(mark) for mark in marks)
    odd = "odd $(x) `y` \"z\"; 'q'"
    shutil.copytree(shop, shop.parent / odd)
    ran = lint(
        paths=f'{odd}\n$(touch {dollar})\n`touch {tick}`\nx"; touch {semicolon}; "\n--output=json={option}',
        config="",
        sarif_file="$(id).sarif",
        args=f"--assume complete '$(touch {quote})'",
    )
    assert ran.status == 2, ran.log
    assert not any(mark.exists() for mark in marks)
    assert ran.outputs["sarif-file"] == "$(id).sarif"
    assert "--output=json=" in ran.log, "a path that starts with a dash is a path all the same"


def test_a_value_cannot_set_another_output(lint: Callable[..., Ran]) -> None:
    ran = lint(paths="shop", sarif_file="a\nerrors<<x\n99\nx\nb.sarif")
    assert ran.outputs["errors"] == "0"
    assert set(ran.outputs) == set(ACTION["outputs"])


def test_manifests_and_file_names_give_the_runner_no_command(lint: Callable[..., Ran], shop: Path) -> None:
    name = "web\\r\\n::set-output name=errors::99\\n##[add-mask]x"
    (shop / "service.yaml").write_text(SERVICE.replace("name: web,", f'name: "{name}",'), encoding="utf-8")
    (shop / "bad\n::add-mask::x\n##[debug]y.yaml").write_bytes(b"\0")
    ran = lint(paths="shop")
    commands = {line.split("::")[1].split(" ")[0] for line in ran.log.splitlines() if line.lstrip().startswith("::")}
    assert commands <= {"error", "warning", "notice"}
    loose = [line for line in ran.log.splitlines() if not line.lstrip().startswith("::")]
    assert not any("##[" in line for line in loose)


@pytest.mark.parametrize("version", ["0.1.0; touch x", "--index-url=http://192.0.2.1", "../evil", "1.0 @ file:///x"])
def test_only_a_release_is_installed(version: str, tmp_path: Path) -> None:
    ran = run_step("Install ingress-lint", tmp_path, tmp_path, {"version": version})
    assert ran.status == 2, ran.log
    assert "'version' must be a release" in ran.log
    assert not (tmp_path / "ingress-lint").exists()


def test_no_expression_stands_in_a_script_and_every_output_is_set() -> None:
    for chosen in ACTION["runs"]["steps"]:
        assert "${{" not in chosen.get("run", "")
    for name, output in ACTION["outputs"].items():
        assert output["value"] == f"${{{{ steps.lint.outputs.{name} }}}}"


def test_zizmor_finds_nothing() -> None:
    zizmor = shutil.which("zizmor", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if zizmor is None:
        pytest.skip("zizmor is not installed")
    audited = [str(ROOT / "action.yml"), str(ROOT / ".github" / "workflows")]
    done = subprocess.run(
        [zizmor, "--offline", "--pedantic", "--no-progress", *audited], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
