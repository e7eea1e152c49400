"""Builds of earlier runs: used again as long as nothing that they are built from has changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from ingress_lint.__main__ import main

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the tool is a shell script")
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\n"
PATCH = "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: p}\npath: ../base/more.yaml\n"
FILES = {
    "base/kustomization.yaml": "resources: [a.yaml]\n",
    "base/a.yaml": CONFIG.replace("NAME", "a"),
    "base/more.yaml": CONFIG.replace("NAME", "a"),
    "one/kustomization.yaml": "resources: [../base]\nnamePrefix: one-\n",
    "two/kustomization.yaml": "resources: [b.yaml]\nnamePrefix: two-\ntransformers: [patch.yaml]\n",
    "two/b.yaml": CONFIG.replace("NAME", "b"),
    "two/patch.yaml": PATCH,
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two kustomizations, and a tool that logs the folder that it builds."""
    root = tmp_path / "repository"
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    tool = tmp_path / "bin" / "kustomize"
    tool.parent.mkdir()
    tool.write_text(
        f'#!/bin/sh\npwd >> {tmp_path}/log\nprintf "apiVersion: v1\\nkind: Secret\\nmetadata: {{name: x}}\\n"\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    monkeypatch.chdir(root)
    return root


def built(folder: Path, *options: str) -> set[str]:
    """The folders that a run builds."""
    log = folder.parent / "log"
    log.unlink(missing_ok=True)
    result = CliRunner().invoke(main, ["check", *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return {Path(line).name for line in log.read_text().splitlines()} if log.exists() else set()


def test_a_build_is_used_again_by_a_run_that_is_asked_something_else(folder: Path) -> None:
    assert built(folder) == {"one", "two"}
    assert built(folder, "--verbose") == set()
    assert built(folder, "--verbose", "--no-cache") == {"one", "two"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("base/a.yaml", {"one"}),
        ("base/kustomization.yaml", {"one"}),
        ("one/kustomization.yaml", {"one"}),
        ("two/b.yaml", {"two"}),
        ("two/patch.yaml", {"two"}),
        ("base/more.yaml", {"two"}),
    ],
)
def test_a_changed_file_costs_the_builds_that_it_is_in(name: str, expected: set[str], folder: Path) -> None:
    built(folder)
    with (folder / name).open("a") as file:
        file.write("# changed\n")
    assert built(folder) == expected
    assert built(folder) == set()


def change_tool(folder: Path) -> None:
    with (folder.parent / "bin" / "kustomize").open("a") as file:
        file.write("# newer\n")


def clear(folder: Path) -> None:
    assert "3 entries" in CliRunner().invoke(main, ["cache", "clear"]).output


@pytest.mark.parametrize("change", [change_tool, clear])
def test_another_tool_and_an_empty_cache_build_all(change: Callable[[Path], None], folder: Path) -> None:
    built(folder)
    change(folder)
    assert built(folder) == {"one", "two"}


def test_a_build_that_fails_is_tried_again(folder: Path) -> None:
    tool = folder.parent / "bin" / "kustomize"
    tool.write_text(f"#!/bin/sh\npwd >> {folder.parent}/log\nexit 1\n")
    for options, builds in (((), 2), (("--verbose",), 4), (("--verbose",), 4)):
        assert CliRunner().invoke(main, ["check", *options], catch_exceptions=False).exit_code
        assert len((folder.parent / "log").read_text().splitlines()) == builds
