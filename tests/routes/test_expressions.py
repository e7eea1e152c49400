"""Conditions of matches: what holds, what does not, and what nobody knows."""

from __future__ import annotations

import pytest

from ingress_lint.routes.matches import AllOf, AnyOf, Comparison, Expression, Not, PathMatch, PathMatchType, ValueMatch
from ingress_lint.routes.matching import Request, holds

UNKNOWN = Comparison("ClientIP(`10.0.0.0/8`)")
SHOP = Comparison("", path=PathMatch(PathMatchType.STRING_PREFIX, "/shop"))
POST = Comparison("", method="POST")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (SHOP, True),
        (Not(SHOP), False),
        (POST, False),
        (Comparison("", host="~^[a-z]+\\.test$"), True),
        (Comparison("", host="*.test"), True),
        (Comparison("", header=ValueMatch("X-A", "b", "RegularExpression", open=True)), True),
        (Comparison("", query=ValueMatch("q", "2")), False),
        (UNKNOWN, None),
        (Not(UNKNOWN), None),
        (AllOf((UNKNOWN, POST)), False),
        (AllOf((UNKNOWN, SHOP)), None),
        (AnyOf((UNKNOWN, SHOP)), True),
        (AnyOf((UNKNOWN, POST)), None),
    ],
)
def test_holds(expression: Expression, expected: bool | None) -> None:
    request = Request("http", "a.test", 80, path="/shop/1", headers={"x-a": "abc"}, query_string="q=1")
    assert holds(expression, request, "a.test") is expected
