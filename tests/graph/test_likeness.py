"""Among many names, those that a misspelt one was meant for are found without comparing all."""

from __future__ import annotations

import pytest

from ingress_lint.graph.likeness import LikenessIndex

NAMES = [f"{team}-{part}-{number}" for team in ("shop", "media") for part in ("api", "web") for number in range(500)]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("shop-api-77x", "shop-api-77"),
        ("hsop-api-77", "shop-api-77"),
        ("shop-wbe-123", "shop-web-123"),
        ("media-web-499-v2", "media-web-499"),
        ("web-media-42", "media-web-42"),
    ],
)
def test_what_was_meant_is_a_candidate(written: str, meant: str) -> None:
    found = LikenessIndex((name, name) for name in NAMES).candidates(written)
    assert meant in found
    assert len(found) < 100


def test_few_names_are_all_candidates() -> None:
    assert LikenessIndex([("a", 1), ("b", 2)]).candidates("z") == [1, 2]
