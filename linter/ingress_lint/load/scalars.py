"""Plain scalars as Kubernetes resolves them.

kubectl and the API server read YAML through sigs.k8s.io/yaml, whose reader is go-yaml v2: YAML 1.1 booleans (`on`,
`yes`, `y`), octal integers with a leading zero, underscores in numbers, and no sexagesimals or timestamps
(kubernetes-sigs/yaml:goyaml.v2/resolve.go).
"""

from __future__ import annotations

import re
from typing import Final

Scalar = str | int | float | bool | None

_WORDS: Final[dict[str, Scalar]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_MAYBE_NUMBER: Final = frozenset("0123456789+-.")
_INTEGER: Final = re.compile(r"([-+]?)(?:(0|[1-9][0-9]*)|0[oO]?([0-7]+)|0[xX]([0-9a-fA-F]+)|0[bB]([01]+))\Z")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_MAX_DIGITS: Final = 400
"""Longer digit strings overflow even a float; they stay text instead of costing quadratic time."""


def resolve_plain(text: str) -> Scalar:
    """The value of an unquoted, untagged scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _MAYBE_NUMBER or len(text) > _MAX_DIGITS:
        return text
    plain = text.replace("_", "")
    if match := _INTEGER.match(plain):
        sign, decimal, octal, hexadecimal, binary = match.groups()
        digits, base = next(
            (digits, base)
            for digits, base in ((decimal, 10), (octal, 8), (hexadecimal, 16), (binary, 2))
            if digits is not None
        )
        number = int(digits, base)
        return -number if sign == "-" else number
    if _FLOAT.match(plain):
        return float(plain)
    return text


def key_text(value: Scalar) -> str:
    """A mapping key as JSON has it: Kubernetes turns YAML to JSON, whose keys are text, so `on:` becomes `"true"`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
