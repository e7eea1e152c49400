"""The real binaries, where there are any, and trees of files."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ingress_lint.build.tools import Tool, find_kustomize

FETCHED = Path(__file__).parents[2] / ".cache/kubectl-layer/kubectl/kubectl"

WriteTree = Callable[[Mapping[str, str]], Path]


@pytest.fixture(scope="session")
def kustomize() -> Tool:
    for path in (os.environ.get("KUSTOMIZE"), str(FETCHED), ""):
        tool = find_kustomize(path) if path is not None else None
        if tool is not None and tool.read_version():
            return tool
    pytest.skip("no kustomize or kubectl: run tests/tools/fetch_kubectl_and_helm.sh, or set KUSTOMIZE")


@pytest.fixture
def write_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteTree:
    """Writes files by their paths below the working directory."""
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def write(files: Mapping[str, str]) -> Path:
        write_files(folder, files)
        return folder

    return write


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
