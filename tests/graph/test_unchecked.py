"""What units that were not looked at may have made."""

from __future__ import annotations

import pytest

from ingress_lint.graph.set_context import SetContext, Unchecked

SHOP = {"shop": ["web"]}


@pytest.mark.parametrize(
    ("unchecked", "name", "maker"),
    [
        ({"shop": [Unchecked("shop/cache", "cache")]}, "web-api", ""),  # called by the release that was looked at
        ({"shop": [Unchecked("shop/cache", "cache")]}, "cache", "shop/cache"),
        ({"shop": [Unchecked("shop/cache", "cache")]}, "search", "shop/cache"),  # called by no release
        ({"shop": [Unchecked("shop/web-api", "web-api")]}, "web-api", "shop/web-api"),
        ({"shop": [Unchecked("flux-system/shop")]}, "web-api", "flux-system/shop"),  # a Kustomization names as it likes
        ({None: [Unchecked("flux-system/far")]}, "web-api", ""),
        ({None: [Unchecked("flux-system/far")]}, "search", "flux-system/far"),
        ({"bank": [Unchecked("bank/cache", "cache")]}, "search", ""),
    ],
)
def test_who_may_make_a_name(unchecked: dict[str | None, list[Unchecked]], name: str, maker: str) -> None:
    assert SetContext(unchecked=unchecked, releases=SHOP).unchecked_in("shop", name) == maker


def test_anybody_may_make_what_lives_in_no_namespace() -> None:
    assert SetContext(unchecked={"shop": [Unchecked("shop/cache", "cache")]}).unchecked_in("", "web") == "shop/cache"
