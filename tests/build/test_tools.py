from __future__ import annotations

from pathlib import Path

import pytest

from ingress_lint.build.tools import Tool, find_helm, find_kustomize

KUBECTL = "echo 'Client Version: v1.35.2'; echo 'Kustomize Version: v5.7.1'"


def program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def only_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_nothing_there(only_path: Path) -> None:
    assert find_kustomize() is None
    assert find_helm() is None


def test_kubectl_does_as_well(only_path: Path) -> None:
    path = str(program(only_path, "kubectl", KUBECTL))
    tool = find_kustomize()
    assert tool == Tool(path, (path, "kustomize"), (path, "version", "--client"))
    assert tool.read_version() == "v5.7.1"


@pytest.mark.parametrize(
    ("said", "version"),
    [("v5.4.1", "v5.4.1"), ("{Version:kustomize/v4.5.7 GitCommit:5}", "v4.5.7"), ("5.6.0", "5.6.0"), ("unknown", "")],
)
def test_kustomize_comes_first(said: str, version: str, only_path: Path) -> None:
    path = str(program(only_path, "kustomize", f"test $1 = version && echo '{said}'"))
    program(only_path, "kubectl", KUBECTL)
    tool = find_kustomize()
    assert tool is not None
    assert tool.build == (path, "build")
    assert tool.read_version() == version


def test_configured(only_path: Path, tmp_path: Path) -> None:
    program(only_path, "kustomize", "echo v5.4.1")
    path = str(program(tmp_path / "own", "kubectl-1.35", KUBECTL))
    tool = find_kustomize(path)
    assert tool is not None
    assert tool.build == (path, "kustomize")
    assert find_kustomize(str(tmp_path / "gone")) is None


def test_helm(only_path: Path) -> None:
    path = str(program(only_path, "helm", "echo v4.1.4+g05fa379"))
    tool = find_helm()
    assert tool is not None
    assert (tool.path, tool.read_version()) == (path, "v4.1.4+g05fa379")
