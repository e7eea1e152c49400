"""The worked examples of docs/adding-a-rule.md and docs/adding-a-controller.md do what their pages say."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from ingress_lint.controllers.registry import REGISTRY, Registration
from ingress_lint.documentation import HEADINGS, examples, sections
from ingress_lint.engine import check
from ingress_lint.manifests import Options
from ingress_lint.routes.traffic import AppProtocol
from ingress_lint.rule import Pack, RuleEntry
from tests.controllers.conftest import Routes, routes, said

__all__ = ["routes"]

DOCS = Path(__file__).parent.parent / "docs"
GUIDE = DOCS / "adding-a-rule.md"
CONTROLLER_GUIDE = DOCS / "adding-a-controller.md"


def block(guide: Path, opening: str, fence: str) -> str:
    """The code between two fences of a guide."""
    text = guide.read_text(encoding="utf-8")
    start = text.index(f"{fence}{opening}\n") + len(f"{fence}{opening}\n")
    return text[start : text.index(f"\n{fence}\n", start)] + "\n"


@pytest.fixture
def rule(monkeypatch: pytest.MonkeyPatch) -> RuleEntry:
    code = block(GUIDE, "python", "````")
    module = types.ModuleType("guide_rule")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(code, str(GUIDE), "exec"), module.__dict__)
    return RuleEntry.of(module.InternalHost)


def test_worked_example(rule: RuleEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert tuple(sections(rule.documentation)) == HEADINGS
    found = list(examples(rule.documentation))
    assert [example.bad for example in found] == [True, False]
    for example in found:
        Path("manifest.yaml").write_text(example.text, encoding="utf-8")
        assert bool(check(Options(("manifest.yaml",)), [rule]).findings) == example.bad


def test_pack_of_its_own(rule: RuleEntry) -> None:
    assert [found.code for found in Pack("mine", (type(rule.rule),)).entries] == ["IL190"]


@pytest.fixture
def ferry(monkeypatch: pytest.MonkeyPatch) -> Registration:
    """The controller of the guide, registered by the guide's row."""
    folder, name = "ingress_lint.controllers.ferry", "ingress_lint.controllers.ferry.controller"
    module = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, folder, types.ModuleType(folder))
    monkeypatch.setitem(sys.modules, name, module)
    exec(compile(block(CONTROLLER_GUIDE, "python", "````"), str(CONTROLLER_GUIDE), "exec"), module.__dict__)
    registered: Registration = eval(block(CONTROLLER_GUIDE, "python registry", "```"), {"Registration": Registration})
    monkeypatch.setitem(REGISTRY, registered.name, registered)  # type: ignore[arg-type]
    return registered


def test_controller(ferry: Registration, routes: Routes) -> None:
    assert set(ferry.prefixes) == ferry.controller.annotations.own_prefixes
    names = {"said": said, "AppProtocol": AppProtocol}
    exec(compile(block(CONTROLLER_GUIDE, "python test", "```"), str(CONTROLLER_GUIDE), "exec"), names)
    names["test_ferry"](routes)
