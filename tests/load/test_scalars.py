"""Scalars and keys against what sigs.k8s.io/yaml 1.4 made of them (goyaml.json, recorded from a Go program)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingress_lint.load.scalars import resolve_key, resolve_plain

RECORDED = json.loads((Path(__file__).parent / "goyaml.json").read_text(encoding="utf-8"))
LONG_FLOAT_KEYS = {"1.5e300", "1e5_0", "123456789.0", "12345678901234567.0", "123456789012345678901234567890"}
LONG_FLOAT_KEYS |= {"-9223372036854775809", "18446744073709551616", "0777777777777777777777777"}


@pytest.mark.parametrize(("text", "value"), RECORDED["values"].items())
def test_value(text: str, value: object) -> None:
    found = resolve_plain(text)
    assert found == value or float(found) == float(value)  # Go shortens floats beyond 2**53
    assert type(found) is type(value) or isinstance(value, (int, float))


@pytest.mark.parametrize(("text", "key"), [item for item in RECORDED["keys"].items() if item[0] != "<<"])
def test_key(text: str, key: str | None) -> None:
    if text not in LONG_FLOAT_KEYS:  # Go writes these as 32-bit floats
        assert resolve_key(text) == key


def test_what_json_has_no_number_for() -> None:
    assert resolve_plain(".inf") == float("inf")
    assert resolve_plain("-.INF") == float("-inf")
    assert resolve_plain(".nan") != resolve_plain(".nan")


def test_endless_digits_stay_text() -> None:
    assert resolve_plain("9" * 100_000) == "9" * 100_000
