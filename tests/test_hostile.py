"""What a stranger's pull request may hold costs the one thing that holds it, and never the run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ingress_lint.__main__ import main

FAULTY = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: web, port: {number: 81}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80}]
"""


@pytest.fixture(autouse=True)
def _repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "repo").mkdir()
    monkeypatch.chdir(tmp_path / "repo")
    Path("beside.yaml").write_text(FAULTY)


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["check", "--no-cache", *args])


def found(*args: str) -> dict[str, Any]:
    result = run("--format", "json", *args)
    assert result.exit_code in (0, 1, 2), result.output
    report: dict[str, Any] = json.loads(result.stdout)
    assert any(item["code"] == "IL402" for item in report["findings"])
    return report


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX alone")
def test_a_name_that_is_no_utf8() -> None:
    Path(os.fsdecode(b"x\xff.yaml")).write_text(FAULTY.replace("shop", "other").replace("web", "other"))
    files = {item["location"]["file"] for item in found(".")["findings"]}
    assert files == {"beside.yaml", "x\udcff.yaml"}
    assert r"x\udcff.yaml" in run(".").stdout


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
@pytest.mark.parametrize("name", ["x.yaml", "Chart.yaml", "kustomization.yaml"])
def test_a_pipe_is_not_read(name: str) -> None:
    os.mkfifo(name)
    found("beside.yaml", ".")


def test_folders_too_deep_are_said() -> None:
    Path("d/" * 150).mkdir(parents=True)
    report = run(".")
    assert report.exit_code == 2
    assert "folders are read 100 levels deep" in report.stderr
    found(".")


def test_aliases_of_a_whole_run() -> None:
    levels = "\n".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 6))
    bomb = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: bomb}}\na0: &a0 [x, x]\n{levels}\n"
    Path("bombs.yaml").write_text("---\n".join([bomb] * 30))
    codes = [item["code"] for item in found(".")["findings"]]
    assert codes.count("IL001") > 15


def test_includes_that_double() -> None:
    levels = [
        f"{{kind: HTTPProxy, apiVersion: projectcontour.io/v1, metadata: {{name: p{i}}}, spec: {{"
        + ("virtualhost: {fqdn: shop.example.com}, " if i == 0 else "")
        + f"includes: [{{name: p{i + 1}}}, {{name: p{i + 1}}}]}}}}"
        for i in range(14)
    ]
    leaf = "{kind: HTTPProxy, apiVersion: projectcontour.io/v1, metadata: {name: p14}, spec: {routes: [{services: [{name: web, port: 80}]}]}}"
    Path("proxies.yaml").write_text("\n---\n".join([*levels, leaf]))
    assert any("in more than 50 ways" in item["message"] for item in found(".")["findings"])


def test_links_that_lead_out() -> None:
    outside = Path("../secret")
    outside.mkdir()
    (outside / "creds.yaml").write_text("kind: Service\napiVersion: v1\na: b: SECRET\n")
    Path("file.yaml").symlink_to("../secret/creds.yaml")
    Path("folder").symlink_to("../secret")
    Path("k").mkdir()
    Path("k/kustomization.yaml").write_text("resources: [../../secret/creds.yaml]\n")
    assert "SECRET" not in run(".").output
    found(".")


def test_what_a_selection_hides_is_counted() -> None:
    Path(".ingress-lint.yaml").write_text("select: [IL001]\n")
    result = run("--format", "json")
    assert json.loads(result.stdout)["summary"]["suppressed"] > 0


@pytest.mark.parametrize(
    "written", ['"a\\n::error::x": 1', '"##[error]x": 1', '"\\e[31m": 1', "select: [IL999]", "severity: {IL999: note}"]
)
def test_complaints_are_harmless_and_name_the_file(written: str) -> None:
    Path(".ingress-lint.yaml").write_text(f"{written}\n")
    result = run()
    assert result.exit_code == 2
    assert ".ingress-lint.yaml:1" in result.stderr
    assert not any(bad in result.stderr for bad in ("\n::", "##[", "\x1b"))


def test_a_command_of_a_runner_in_a_frame() -> None:
    Path("x.yaml").write_text('kind: Service\napiVersion: v1\nmetadata: {name: x}\nspec: {type: "##[error]x"}\n')
    assert "##[" not in run(".").output


@pytest.mark.parametrize(
    ("file", "text", "args"),
    [
        ("b.json", "[" * 100_000, ["--baseline", "b.json"]),
        ("pyproject.toml", "[tool.ingress-lint]\nx = " + "[" * 5000 + "]" * 5000, []),
        ("pyproject.toml", "[tool.ingress-lint]\n" + ".".join("a" * 5000) + " = 1", []),
    ],
)
def test_nesting_of_settings(file: str, text: str, args: list[str]) -> None:
    Path(file).write_text(text)
    result = run(*args)
    assert result.exit_code == 2
    assert file in result.stderr
    assert "bug" not in result.stderr


@pytest.mark.parametrize(("before", "column"), [("", 11), ("&p ", 14), ("!!int ", 17)], ids=["plain", "anchor", "tag"])
def test_where_a_value_stands(before: str, column: int) -> None:
    Path("x.yaml").write_text(
        f"---\n\ufeffapiVersion: v1\rkind: Service\nmetadata: {{name: a}}\nspec:\n  selector: {{app: a}}\n  ports:\n  - port: {before}123456\n"
    )
    places = [item["location"] for item in found(".")["findings"] if item["code"] == "IL002"]
    assert (8, column) in [(place["line"], place["column"]) for place in places]
