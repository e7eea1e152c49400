"""The examples show what the README says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingress_lint.build.tools import Tool
from ingress_lint.engine import check
from ingress_lint.manifests import Options
from ingress_lint.output import RenderOptions, render
from ingress_lint.packs import load_rules
from ingress_lint.report import Report
from ingress_lint.units.configured import Render

ROOT = Path(__file__).parent.parent


@pytest.fixture
def gitops(kustomize: Tool, monkeypatch: pytest.MonkeyPatch) -> Report:
    monkeypatch.chdir(ROOT)
    return check(Options(("examples/gitops",), render=Render(kustomize=kustomize.path)), load_rules())


def test_each_planted_fault_stands_where_a_person_edits_it(gitops: Report) -> None:
    found = {
        (item.code, f"{item.location.file.removeprefix('examples/gitops/')}:{item.location.line}", item.units)
        for item in gitops.findings
    }
    assert found == {
        ("IL401", "apps/shop/base/ingress.yaml:15", ("prod/flux-system/shop",)),
        ("IL403", "apps/shop/staging/kustomization.yaml:13", ("staging/flux-system/shop",)),
    }
    assert {(unit.cluster, unit.state) for unit in gitops.units} == {("prod", "checked"), ("staging", "checked")}


def test_the_readme_shows_the_real_output(gitops: Report) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = text.partition("$ ingress-lint examples/gitops\n")[2].partition("```")[0]
    assert shown.startswith("error[IL401]")
    assert shown in render("text", gitops, RenderOptions())
