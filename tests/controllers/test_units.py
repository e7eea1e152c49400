"""Times and sizes in the notations of Go and nginx."""

from __future__ import annotations

import pytest

from ingress_lint.controllers.shared.units import go_duration, nginx_size, nginx_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [("10s", 10), ("1h30m", 5400), ("0.5s", 0.5), ("250ms", 0.25), ("0", 0), ("soon", None), ("10", None), ("", None)],
)
def test_go_duration(text: str, expected: float | None) -> None:
    assert go_duration(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("60", 60), ("1m 30s", 90), ("2d", 172800), ("100ms", 0.1), ("soon", None), ("", None)]
)
def test_nginx_time(text: str, expected: float | None) -> None:
    assert nginx_time(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("8m", 8 << 20), ("1K", 1024), ("512", 512), ("8mb", None)])
def test_nginx_size(text: str, expected: int | None) -> None:
    assert nginx_size(text) == expected
