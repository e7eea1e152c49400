"""From manifests to routes, and what a sourced value says, in one line each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingress_lint.engine import Options, read
from ingress_lint.graph.set_context import Assumption
from ingress_lint.load.positions import Locator
from ingress_lint.routes.model import Route
from ingress_lint.routes.sourced import Sourced
from ingress_lint.routes.verdicts import Reason, Verdict

Routes = Callable[..., list[Route]]
Verdicts = Callable[..., list[Verdict]]


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


@pytest.fixture
def verdicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Verdicts:
    """What controllers refuse of some documents; which Secrets and classes are of use is left out."""

    def refused(*documents: str, assume: Assumption = "auto") -> list[Verdict]:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "manifest.yaml").write_text("\n---\n".join(documents), encoding="utf-8")
        found = read(Options(paths=["manifest.yaml"], assume=assume))
        assert not found.problems, found.problems
        shared = (Reason.NO_INGRESS_CLASS, Reason.INVALID_CERTIFICATE_REF)
        return [item for manifest_set in found.sets for item in manifest_set.verdicts if item.reason not in shared]

    return refused


def said(value: Sourced[Any] | None) -> tuple[Any, str, str]:
    """The value, its origin, and the text that decides it, up to the end of its line."""
    assert value is not None
    at = Locator().locate(value.place)
    line = value.place.document.file.line_text(at.line)
    return value.value, value.origin.value, line[at.column - 1 :].strip()
