"""Trees of files, and the units that are found in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ingress_lint.engine import read
from ingress_lint.manifests import Manifests, Options

Tree = Callable[[dict[str, str]], Path]


def config_map(*names: str, namespace: str = "") -> str:
    space = f", namespace: {namespace}" if namespace else ""
    return "---\n".join(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}{space}}}\n" for name in names)


def found(*paths: str, **options: object) -> Manifests:
    return read(Options(paths=paths or (".",), **options))  # type: ignore[arg-type]


def names(manifests: Manifests) -> dict[str, set[str]]:
    """The names of the objects in each unit that was looked at."""
    return {held.units[0].name: {item.name for item in held.graph.objects} for held in manifests.sets}


def listed(manifests: Manifests) -> list[tuple[str, str, str]]:
    """Kind, name and state of every unit."""
    return [(unit.kind, unit.name, unit.state) for unit in manifests.units]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """Writes files, by their paths, into the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write
