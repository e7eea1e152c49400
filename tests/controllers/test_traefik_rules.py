"""Traefik's rule language: every operator, both syntaxes, and what it cannot read."""

from __future__ import annotations

from typing import Any

import pytest

from ingress_lint.controllers.traefik.rules import Alternative, RuleError, alternatives
from ingress_lint.routes.matches import Comparison, Expression, Not, PathMatch, PathMatchType, ValueMatch

PREFIX, EXACT, REGEX = PathMatchType.STRING_PREFIX, PathMatchType.EXACT, PathMatchType.REGULAR_EXPRESSION
NO_X, NO_GET = Comparison("Path(`/x`)", path=PathMatch(EXACT, "/x")), Comparison("Method(`GET`)", method="GET")


def _with_condition(expression: Expression, said: str, **parts: Any) -> Alternative:
    return Alternative(conditions=(expression,), condition=said, **parts)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("Host(`a.example.com`)", [Alternative("a.example.com")]),
        ('Host("a.example.com")', [Alternative("a.example.com")]),
        ("host(`A.example.com`)", [Alternative("a.example.com")]),
        ("HOST(`a`) && PATHPREFIX(`/x`)", [Alternative("a", PathMatch(PREFIX, "/x"))]),
        ("Host(`a`) && Path(`/x`)", [Alternative("a", PathMatch(EXACT, "/x"))]),
        (
            "PathRegexp(`^/x/[0-9]+$`)",
            [Alternative(path=PathMatch(REGEX, "^/x/[0-9]+$", open_end=True, open_start=True))],
        ),
        ("Host(`a`) || Host(`b`)", [Alternative("a"), Alternative("b")]),
        (
            "(Host(`a`) || Host(`b`)) && PathPrefix(`/x`)",
            [Alternative("a", PathMatch(PREFIX, "/x")), Alternative("b", PathMatch(PREFIX, "/x"))],
        ),
        (
            "Host(`a`) && Path(`/x`) || Host(`b`)",
            [Alternative("a", PathMatch(EXACT, "/x")), Alternative("b")],
        ),
        ("Method(`POST`) && Host(`a`)", [Alternative("a", method="POST")]),
        (
            "Method(`POST`) && Method(`GET`)",
            [_with_condition(Comparison("Method(`GET`)", method="GET"), "Method(`GET`)", method="POST")],
        ),
        ("Header(`X-A`, `b`)", [Alternative(headers=(ValueMatch("X-A", "b"),))]),
        (
            "HeaderRegexp(`X-A`, `^b`)",
            [Alternative(headers=(ValueMatch("X-A", "^b", "RegularExpression", open=True),))],
        ),
        ("Query(`m`, `1`)", [Alternative(query=(ValueMatch("m", "1"),))]),
        ("Query(`m`)", [Alternative(query=(ValueMatch("m", ""),))]),
        ("QueryRegexp(`m`, `^1`)", [Alternative(query=(ValueMatch("m", "^1", "RegularExpression", open=True),))]),
        ("HostSNI(`*`)", [Alternative()]),
        ("HostSNI(`db.example.com`)", [Alternative("db.example.com")]),
        ("ClientIP(`10.0.0.0/8`)", [_with_condition(Comparison("ClientIP(`10.0.0.0/8`)"), "ClientIP(`10.0.0.0/8`)")]),
        ("HostRegexp(`^.+\\.a$`)", [Alternative("~^.+\\.a$")]),
        ("Host(`a`) && !Path(`/x`)", [_with_condition(Not(NO_X), "!Path(`/x`)", host="a")]),
        (
            "!(Path(`/x`) || Method(`GET`))",
            [
                Alternative(
                    conditions=(Not(NO_X), Not(NO_GET)),
                    condition="!Path(`/x`) && !Method(`GET`)",
                )
            ],
        ),
        (
            "!(Path(`/x`) && Method(`GET`))",
            [_with_condition(Not(NO_X), "!Path(`/x`)"), _with_condition(Not(NO_GET), "!Method(`GET`)")],
        ),
        (
            "PathPrefix(`/a`) && Path(`/a/b`)",
            [
                _with_condition(
                    Comparison("PathPrefix(`/a`)", path=PathMatch(PREFIX, "/a")),
                    "PathPrefix(`/a`)",
                    path=PathMatch(EXACT, "/a/b"),
                )
            ],
        ),
    ],
)
def test_rule(rule: str, expected: list[Alternative]) -> None:
    assert list(alternatives(rule, v2=False)) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("Host(`a`, `b`)", [Alternative("a"), Alternative("b")]),
        ("Headers(`X-A`, `b`)", [Alternative(headers=(ValueMatch("X-A", "b"),))]),
        ("Query(`m=1`, `n=2`)", [Alternative(query=(ValueMatch("m", "1"), ValueMatch("n", "2")))]),
        ("Method(`GET`, `HEAD`)", [Alternative(method="GET"), Alternative(method="HEAD")]),
        ("Path(`/x/{id:[0-9]+}`)", [Alternative(path=PathMatch(REGEX, "^/x/(?:[0-9]+)$"))]),
        ("PathPrefix(`/x/{id}`)", [Alternative(path=PathMatch(REGEX, "^/x/(?:[^/]+).*"))]),
    ],
)
def test_version_2(rule: str, expected: list[Alternative]) -> None:
    assert list(alternatives(rule, v2=True)) == expected


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ("", "missing"),
        ("Host(`a`", "missing"),
        ("Host(`a`) &&", "missing"),
        ("Host('a')", "cannot be read"),
        ("Host(a)", "backticks"),
        ("Hosts(`a`)", "no matcher"),
        ("Host()", "needs a value"),
        ("Host(`a`) Path(`/x`)", "not expected"),
        ("Host(`a`) and Path(`/x`)", "not expected"),
    ],
)
def test_unreadable(rule: str, word: str) -> None:
    with pytest.raises(RuleError, match=word):
        alternatives(rule, v2=False)


def test_a_rule_of_very_many_alternatives_stays_one_condition() -> None:
    rule = " && ".join(f"(Path(`/{i}`) || Method(`M{i}`))" for i in range(20))
    assert alternatives(rule, v2=False) == (_with_condition(Comparison(rule), rule),)
