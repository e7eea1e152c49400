"""Every rule's page has its headings, its examples do what they say, and docs/rules is not stale."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingress_lint.documentation import HEADINGS, examples, index, page, sections
from ingress_lint.engine import check
from ingress_lint.manifests import Options
from ingress_lint.packs import load_rules
from ingress_lint.rule import RuleEntry

RULES = load_rules()
PAGES = Path(__file__).parent.parent / "docs" / "rules"
EXTENSIONS = {"yaml": ".yaml", "json": ".json"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_headings(rule: RuleEntry) -> None:
    found = sections(rule.documentation)
    assert tuple(found) == HEADINGS
    assert all(found.values())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_examples_do_what_they_say(rule: RuleEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    kinds = set()
    for number, example in enumerate(examples(rule.documentation)):
        kinds.add(example.bad)
        if example.language == "sh":  # a command, for what no single manifest can show
            continue
        file = Path(f"{number}{EXTENSIONS[example.language]}")
        file.write_text(example.text, encoding="utf-8")
        report = check(Options((os.fspath(file),)), [rule], catalogue=RULES)
        assert bool(report.findings) == example.bad, example.text
    assert kinds == {True, False}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_page_is_current(rule: RuleEntry, request: pytest.FixtureRequest) -> None:
    _compare(PAGES / f"{rule.code}.md", page(rule), request)


def test_index_is_current(request: pytest.FixtureRequest) -> None:
    _compare(PAGES / "README.md", index(RULES), request)


def test_no_page_without_a_rule() -> None:
    assert {path.stem for path in PAGES.glob("IL*.md")} == {rule.code for rule in RULES}


def _compare(file: Path, text: str, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-expected"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert file.exists(), "run `pytest tests/test_documentation.py --update-expected`"
    assert file.read_text(encoding="utf-8") == text
