"""Regular expressions of manifests: those that compile, and those that must not end a run."""

from __future__ import annotations

import warnings

import pytest

from ingress_lint.values.expressions import compiled, fault
from tests.values.nasty import NASTY


def test_what_an_expression_says() -> None:
    expression = compiled(r"/a(/(\d+))?")
    assert expression is not None
    assert expression.groups == 2
    assert expression.fits("/a/1")
    assert not expression.fits("/a/1/b")
    assert expression.occurs_in("x/a")
    assert expression.captured("/a/1/b") == ("/a/1", "/1", "1")
    assert expression.captured("/ab") == ("/a", "", "")
    assert expression.captured("x/a") is None


def test_case() -> None:
    plain, any_case = compiled("shop"), compiled("shop", ignore_case=True)
    assert plain is not None
    assert any_case is not None
    assert not plain.fits("SHOP")
    assert any_case.fits("SHOP")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("(", "missing `)`"),
        (")", "unexpected `)`"),
        ("[a", "missing `]`"),
        ("*a", "no argument for repetition operator `*`"),
        ("a{99999999999999999999}", "the repetition number is too large"),
        ("(" * 3000, None),
        ("(" * 3000 + ")" * 3000, None),
        ("a" * 20_000, None),
    ],
    ids=lambda text: repr(text)[:20],
)
def test_what_does_not_compile(text: str, why: str | None) -> None:
    assert compiled(text) is None
    assert fault(text) == why


@pytest.mark.parametrize(
    ("text", "by_re2"),
    [
        ("/(?=a)", "invalid perl operator `(?=`"),
        (r"/(a)\1", r"invalid escape sequence `\1`"),
        ("/a++", "bad repetition operator `++`"),
        (r"/\p{L}+(?i)b", None),
        ("/(?<name>a)", None),
    ],
)
def test_each_dialect_is_judged_by_itself(text: str, by_re2: str | None) -> None:
    assert compiled(text) is not None
    assert fault(text) is None
    assert fault(text, "RE2") == by_re2


@pytest.mark.parametrize("text", ["(a+)+$", "(a|a)*$", "(.*.*)*x", "^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_the_time_is_linear(text: str) -> None:
    expression = compiled(text)
    assert expression is not None
    assert expression.fits("a" * 50_000 + "!") is False


def test_what_takes_too_long_is_unknown() -> None:
    expression = compiled("(?=a)(a|aa)+$")
    assert expression is not None
    assert expression.fits("a") is True
    assert expression.fits("a" * 60 + "!") is None


@pytest.mark.parametrize("text", NASTY, ids=lambda text: repr(text[:12]))
def test_nothing_raises_or_warns(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = compiled(text)
        fault(text)
    if found is not None:
        found.fits("/a")
