"""The table of the built-in rules is not stale, and what rules declare keeps nothing from them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

import ingress_lint_rules
from ingress_lint.engine import check
from ingress_lint.manifests import Options
from ingress_lint.packs import load_rules
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.rule import Pack, RuleEntry
from ingress_lint.testing import table_module
from tests.conftest import FIXTURES

TABLE = Path(ingress_lint_rules.__file__).with_name("table.py")
RULES = load_rules()


def test_table_is_current(request: pytest.FixtureRequest) -> None:
    text = table_module(Pack.discover("core", ingress_lint_rules))
    if request.config.getoption("--update-expected"):
        TABLE.write_text(text, encoding="utf-8")
    assert TABLE.read_text(encoding="utf-8") == text, "run `pytest tests/test_rule_table.py --update-expected`"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_declarations_are_of_hooks_that_the_rule_has(rule: RuleEntry) -> None:
    assert (rule.problems is not None) == ("check_problem" in rule.hooks)
    assert (rule.reasons is not None) == ("check_verdict" in rule.hooks)
    assert rule.kinds is None or "check_object" in rule.hooks
    assert rule.fields is None or rule.hooks & {"check_route", "check_routes"}
    assert rule.needs is None or rule.hooks & {"check_route", "check_routes", "check_set"}
    assert all(hasattr(Route, name) or hasattr(BackendRef, name) for name in rule.fields or ())


@pytest.mark.parametrize("code", [rule.code for rule in RULES])
def test_what_fields_and_needs_leave_out_finds_nothing(code: str) -> None:
    options = Options((os.fspath(FIXTURES / code),))
    everything = [replace(rule, fields=None, needs=None) for rule in RULES]
    assert check(options, RULES).findings == check(options, everything).findings
