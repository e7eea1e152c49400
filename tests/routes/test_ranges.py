"""Which address ranges hold which."""

from __future__ import annotations

import pytest

from ingress_lint.routes.ranges import lets_in


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        ([("10.0.0.0/8", ())], True),
        ([("10.1.0.0/16", ())], True),
        ([("10.1.2.3", ())], None),
        ([("10.1.2.0/24", ())], None),
        ([("192.0.2.0/24", ())], False),
        ([("192.0.2.0/24", ()), ("0.0.0.0/0", ())], True),
        ([("0.0.0.0/0", ("10.0.0.0/8",))], False),
        ([("0.0.0.0/0", ("10.1.7.0/24",))], None),
        ([("0.0.0.0/0", ("192.0.2.0/24",))], True),
        ([("2001:db8::/32", ())], None),
        ([("office", ())], None),
        ([("0.0.0.0/0", ("office",))], None),
        ([], False),
    ],
)
def test_lets_in(allowed: list[tuple[str, tuple[str, ...]]], expected: bool | None) -> None:
    assert lets_in(allowed, "10.1.0.0/16") is expected
