"""Label selectors of patches."""

from __future__ import annotations

import pytest

from ingress_lint.units.flux.listed import labels_fit

LABELS = {"app": "web", "x.y/tier": "front"}


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        ("", True),
        ("app=web", True),
        ("app == web, x.y/tier=front", True),
        ("app=web,x.y/tier=back", False),
        ("app!=web", False),
        ("other!=web", True),
        ("app", True),
        ("other", False),
        ("!other", True),
        ("! app", False),
        ("app in (api, web)", True),
        ("app in (api)", False),
        ("other in (api)", False),
        ("app notin (api)", True),
        ("other notin (api, web)", True),
        ("app notin (web)", False),
        ("app > 3", None),
        ("!app=web", None),
        ("app in web", None),
        ("app=api, app > 3", None),
    ],
)
def test_labels_fit(selector: str, fits: bool | None) -> None:
    assert labels_fit(selector, LABELS) is fits
