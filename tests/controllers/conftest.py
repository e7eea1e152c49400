"""From manifests to routes, and what a sourced value says, in one line each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingress_lint.engine import Options, read
from ingress_lint.load.positions import Locator
from ingress_lint.routes.model import Route, Sourced

Routes = Callable[..., list[Route]]


@pytest.fixture
def routes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Routes:
    """The routes of some documents, each given as its text."""

    def lowered(*documents: str, controller: str | None = None) -> list[Route]:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "manifest.yaml").write_text("\n---\n".join(documents), encoding="utf-8")
        found = read(Options(paths=["manifest.yaml"], controller=controller))
        assert not found.problems, found.problems
        return [route for manifest_set in found.sets for route in manifest_set.routes]

    return lowered


def said(value: Sourced[Any] | None) -> tuple[Any, str, str]:
    """The value, its origin, and the text that decides it, up to the end of its line."""
    assert value is not None
    at = Locator().locate(value.place)
    line = value.place.document.file.line_text(at.line)
    return value.value, value.origin.value, line[at.column - 1 :].strip()
