"""Patterns of paths."""

from __future__ import annotations

import time

import pytest

from ingress_lint.values import globs


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*.yaml", "a.yaml", True),
        ("*.yaml", "deep/a.yaml", True),
        ("{drafts/*,*.bak.yaml}", "drafts/a.yaml", True),
        ("{drafts/*,*.bak.yaml}", "x/a.bak.yaml", True),
        ("{drafts/*,*.bak.yaml}", "x/a.yaml", False),
        ("{a,{b,c}d}.yaml", "cd.yaml", True),
        ("{a,{b,c}d}.yaml", "b.yaml", False),
        ("config.?aml", "config.yaml", True),
        ("[ab].yaml", "b.yaml", True),
        ("[!ab].yaml", "b.yaml", False),
        ("[a-c].yaml", "c.yaml", True),
        (r"\*.yaml", "a.yaml", False),
        (r"\*.yaml", "*.yaml", True),
        ("root.yaml", "root.yaml", True),
        ("root.yaml", "apps/root.yaml", False),
        ("a*b*c", "abxbc", True),
        ("a*b*c", "abxb", False),
        ("a.b", "axb", False),
        ("", "", True),
    ],
)
def test_stars_cross_slashes(pattern: str, path: str, fits: bool) -> None:
    assert bool(globs.free(pattern).match(path)) is fits


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("apps/*", "apps/a", True),
        ("apps/*", "apps/a/b", False),
        ("apps/*/dev", "apps/a/dev", True),
        ("*/*", "apps/a", True),
        ("{a,b}", "a", False),
        ("a?c", "a/c", False),
        ("[^a]", "b", True),
        ("**", "a/b", False),
    ],
)
def test_stars_stay_between_slashes(pattern: str, path: str, fits: bool) -> None:
    assert bool(globs.segmented(pattern).match(path)) is fits


@pytest.mark.parametrize("pattern", ["[z-a]", "a[", "x" * 2000, "{a,b}" * 20])
def test_what_cannot_be_understood(pattern: str) -> None:
    with pytest.raises(globs.PatternError):
        globs.free(pattern)


def test_no_pattern_takes_long() -> None:
    start = time.monotonic()
    assert not globs.free("*a" * 400 + "b").match("a" * 5000)
    assert not globs.segmented("*a?" * 300).match("a" * 5000 + "/")
    assert time.monotonic() - start < 2


def test_where_to_look() -> None:
    assert globs.literal_folder("clusters/prod/*/config.json") == "clusters/prod"
    assert globs.literal_folder("*/x") == ""
    assert globs.literal_folder("a/b.json") == "a"
