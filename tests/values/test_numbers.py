"""Numbers and ports: ASCII digits, bounded, and nothing that only Python takes."""

from __future__ import annotations

import pytest

from ingress_lint.values.numbers import decimal, integer, release, whole
from ingress_lint.values.ports import is_number, is_port_name, number_or_name, port_in_file, port_number, port_range
from tests.values.nasty import LONG, NASTY


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("80", 80),
        ("007", 7),
        ("9" * 18, 10**18 - 1),
        ("9" * 19, None),
        ("+1", None),
        ("80\n", None),
        (" 80", None),
    ],
)
def test_whole(text: str, expected: int | None) -> None:
    assert whole(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("-1", -1), ("+5", 5), ("12", 12), ("--1", None), ("1.0", None), ("1\n", None), ("-", None)]
)
def test_integer(text: str, expected: int | None) -> None:
    assert integer(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("1.5", 1.5), ("-2", -2.0), ("3.", 3.0), (".5", None), ("1,5", None), ("1.5\n", None)]
)
def test_decimal(text: str, expected: float | None) -> None:
    assert decimal(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("1.12.0", (1, 12, 0)), ("3", (3,)), ("1..2", None), (f"1.{LONG}", None), ("1.x", None)]
)
def test_release(text: str, expected: tuple[int, ...] | None) -> None:
    assert release(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("1", 1), ("65535", 65535), ("0", None), ("65536", None), ("-1", None), ("80\n", None)]
)
def test_port_number(text: str, expected: int | None) -> None:
    assert port_number(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(80, 80), (0, None), (65536, None), (True, None), ("80", None), (80.0, None), ([], None)]
)
def test_port_in_file(value: object, expected: int | None) -> None:
    assert port_in_file(value) == expected


@pytest.mark.parametrize(
    ("port", "expected"), [(80, 80), ("80", 80), ("70000", 70000), ("http", "http"), ("²", "²"), (LONG, LONG), ("", "")]
)
def test_number_or_name(port: int | str, expected: int | str) -> None:
    assert number_or_name(port) == expected
    assert is_number(port) is isinstance(expected, int)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("http", True),
        ("http-2", True),
        ("a" * 15, True),
        ("a" * 16, False),
        ("80", False),
        ("HTTP", False),
        ("http--2", False),
        ("-http", False),
        ("http\n", False),
        ("httpé", False),
    ],
)
def test_port_name(text: str, taken: bool) -> None:
    assert is_port_name(text) is taken


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30000-32767", range(30000, 32768)),
        ("80-80", range(80, 81)),
        ("80", None),
        ("90-80", None),
        ("80-99999", None),
        ("80-٩٠", None),
        (f"80-{LONG}", None),
    ],
)
def test_port_range(text: str, expected: range | None) -> None:
    assert port_range(text) == expected


@pytest.mark.parametrize("text", NASTY, ids=lambda text: repr(text[:12]))
def test_nasty_text_is_no_number(text: str) -> None:
    assert (whole(text), integer(text), decimal(text), release(text), port_number(text), port_range(text)) == (
        None,
    ) * 6
    assert number_or_name(text) == text
