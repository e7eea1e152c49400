"""Times in the notations of Go, nginx, HAProxy, application servers and the shell."""

from __future__ import annotations

import pytest

from ingress_lint.values.durations import (
    go_duration,
    haproxy_time,
    nginx_time,
    seconds_or_go,
    server_time,
    sleep_time,
)
from tests.values.nasty import NASTY


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10s", 10),
        ("1h30m", 5400),
        ("1m30s", 90),
        ("0.5s", 0.5),
        (".5s", 0.5),
        ("250ms", 0.25),
        ("5µs", 5e-6),
        ("5μs", 5e-6),
        ("0", 0),
        ("soon", None),
        ("10", None),
        ("1d", None),
        ("-1s", None),
        ("10 s", None),
        ("9999999999999h", None),
    ],
)
def test_go_duration(text: str, expected: float | None) -> None:
    assert go_duration(text) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(("text", "expected"), [("90", 90), ("1m30s", 90), ("", None), ("1d", None)])
def test_seconds_or_go(text: str, expected: float | None) -> None:
    assert seconds_or_go(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("60", 60),
        ("75s", 75),
        ("1m 30s", 90),
        ("2d", 172800),
        ("1M", 2592000),
        ("1m", 60),
        ("100ms", 0.1),
        ("soon", None),
        ("1.5s", None),
    ],
)
def test_nginx_time(text: str, expected: float | None) -> None:
    assert nginx_time(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("5s", 5), ("1500", 1.5), ("2m", 120), ("10us", 1e-5), ("1m30s", None), ("1w", None)]
)
def test_haproxy_time(text: str, expected: float | None) -> None:
    assert haproxy_time(text) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [("5", 1, 5), ("5000", 0.001, 5), ("5S", 0.001, 5), ("PT2M", 1, 120), ("1.5 s", 1, 1.5), ("P1D", 1, None)],
)
def test_server_time(text: str, unit: float, expected: float | None) -> None:
    assert server_time(text, unit) == expected


@pytest.mark.parametrize(("text", "expected"), [("5", 5), ("1.5m", 90), ("1h", 3600), ("5 ", None), ("5\n", None)])
def test_sleep_time(text: str, expected: float | None) -> None:
    assert sleep_time(text) == expected


@pytest.mark.parametrize("text", [text for text in NASTY if text != "1 0"], ids=lambda text: repr(text[:12]))
def test_nasty_text_is_no_time(text: str) -> None:
    for read in (go_duration, seconds_or_go, nginx_time, haproxy_time, sleep_time):
        assert read(text) is None
    assert server_time(text, 1) is None
