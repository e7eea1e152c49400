"""Every rule on its own fixtures: bad cases fire at the exact place, good ones stay silent."""

from __future__ import annotations

import pytest

from ingress_lint.packs import load_rules
from ingress_lint.testing import EXPECTED, Case, find_cases, run
from tests.conftest import FIXTURES

RULES = load_rules()
CASES = list(find_cases(FIXTURES))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, request: pytest.FixtureRequest) -> None:
    reported = run(case, RULES)
    if case.bad and request.config.getoption("--update-expected"):
        (case.folder / EXPECTED).write_text(reported, encoding="utf-8")
    assert reported == case.expected
    assert bool(reported) == case.bad, "a bad case reports something, a good one nothing"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_rule_has_fixtures(rule) -> None:
    kinds = {case.bad for case in CASES if case.code == rule.code}
    assert kinds == {True, False}, f"{rule.code} needs at least one bad and one good fixture"
