"""Hostnames and what they have in common (gateway-api.sigs.k8s.io/docs/concepts/hostnames)."""

from __future__ import annotations

import pytest

from ingress_lint.routes.hostnames import ANY, intersection, matches, specificity


@pytest.mark.parametrize(
    ("pattern", "host", "fits"),
    [
        (ANY, "a.example", True),
        ("*", "a.example", True),
        ("a.example", "a.example", True),
        ("a.example", "A.Example", True),
        ("*.example", "a.example", True),
        ("*.example", "b.a.example", True),
        ("*.example", "example", False),
        ("*.example", ".example", False),
        ("*.example", "aexample", False),
        (r"~^shop\d+\.example$", "shop12.example", True),
        (r"~^shop\d+\.example$", "shop.example", False),
        ("~shop", "SHOP.example", True),
        ("~SHOP", "shop.example", False),
        ("~*SHOP", "shop.example", True),
        ("~(", "shop.example", False),
    ],
)
def test_matches(pattern: str, host: str, fits: bool) -> None:
    assert matches(pattern, host) is fits


@pytest.mark.parametrize(
    ("left", "right", "common"),
    [
        (ANY, "a.example", "a.example"),
        (ANY, ANY, ANY),
        ("*.example", "a.example", "a.example"),
        ("*.example", "*.a.example", "*.a.example"),
        ("a.example", "b.example", None),
        ("*.a.example", "*.b.example", None),
    ],
)
def test_intersection(left: str, right: str, common: str | None) -> None:
    assert intersection(left, right) == common
    assert intersection(right, left) == common


def test_specificity() -> None:
    ordered = ["a.b.example", "b.example", "*.b.example", "*.example", ANY]
    assert sorted(ordered, key=specificity, reverse=True) == ordered
