"""Plain scalars as Kubernetes resolves them.

kubectl and the API server read YAML through sigs.k8s.io/yaml, whose reader is go-yaml v2: YAML 1.1 booleans (`on`,
`yes`, `y`), octal integers with a leading zero, underscores in numbers, and no sexagesimals or timestamps
(kubernetes-sigs/yaml:goyaml.v2/resolve.go).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from ingress_lint.values.patterns import deferred

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
_INTEGER: Final = deferred(r"([-+]?)(?:(0|[1-9][0-9]*)|0[oO]?([0-7]+)|0[xX]([0-9a-fA-F]+)|0[bB]([01]+))\Z")
_FLOAT: Final = deferred(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_MAX_DIGITS: Final = 400
"""Longer digit strings overflow even a float; they stay text instead of costing quadratic time."""
_MIN_INTEGER: Final = -(2**63)
_MAX_INTEGER: Final = 2**64 - 1
_MAX_PLAIN_FLOAT: Final = 1e21
"""From here on Go writes a float with an exponent, which no integer field takes."""


def resolve_plain(text: str) -> Scalar:
    """The value of an unquoted, untagged scalar.

    A float without a fraction is an integer, as it is in the JSON that Kubernetes makes of YAML.
    """
    value = _resolve(text)
    if isinstance(value, float) and value.is_integer() and abs(value) < _MAX_PLAIN_FLOAT:
        return int(value)
    return value


@lru_cache(4096)
def resolve_key(text: str) -> str | None:
    """An unquoted mapping key as JSON has it: `on:` becomes `"true"`; None where Kubernetes refuses such a key."""
    value = _resolve(text)
    if value is None or (type(value) is int and not _MIN_INTEGER <= value < 2**63):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return _float_key(value) if isinstance(value, float) else str(value)


def _resolve(text: str) -> Scalar:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _MAYBE_NUMBER or len(text) > _MAX_DIGITS:
        return text
    plain = text if text[0] == "." else text.replace("_", "")
    if match := _INTEGER.match(plain):
        sign, decimal, octal, hexadecimal, binary = match.groups()
        digits, base = next(
            (digits, base)
            for digits, base in ((decimal, 10), (octal, 8), (hexadecimal, 16), (binary, 2))
            if digits is not None
        )
        number = -int(digits, base) if sign == "-" else int(digits, base)
        if _MIN_INTEGER <= number <= _MAX_INTEGER:
            return number
    if _FLOAT.match(plain):
        decimals = float(plain)
        return text if decimals in (float("inf"), float("-inf")) else decimals
    return text


def _float_key(value: float) -> str:
    """A fractional or huge key as Go writes it; nobody needs more than six digits of it."""
    text = f"{value:g}"
    return text.replace("inf", ".inf").replace("nan", ".nan")
