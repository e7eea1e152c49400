"""The worked example of docs/adding-a-rule.md is a rule that does what its page says."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from ingress_lint.documentation import HEADINGS, examples, sections
from ingress_lint.engine import check
from ingress_lint.manifests import Options
from ingress_lint.rule import Pack, RuleEntry

GUIDE = Path(__file__).parent.parent / "docs" / "adding-a-rule.md"


@pytest.fixture
def rule(monkeypatch: pytest.MonkeyPatch) -> RuleEntry:
    text = GUIDE.read_text(encoding="utf-8")
    start = text.index("````python\n") + len("````python\n")
    code = text[start : text.index("\n````\n", start)]
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
