"""Numbers as Go's strconv.Atoi and ParseFloat take them, in ASCII digits; Python takes the digits of every script."""

from __future__ import annotations

from typing import Final

from ingress_lint.values.patterns import deferred

_WHOLE: Final = deferred(r"[0-9]{1,18}")
"""As many digits as every number of 64 bits has room for."""
_INTEGER: Final = deferred(r"[-+]?[0-9]{1,18}")
_DECIMAL: Final = deferred(r"[-+]?[0-9]{1,18}(?:\.[0-9]{0,18})?")


def whole(text: str) -> int | None:
    """A number without a sign, such as `8080`; None where it is none, or one that 64 bits may not hold."""
    return int(text) if _WHOLE.fullmatch(text) else None


def integer(text: str) -> int | None:
    """A whole number, maybe with a sign; None where it is none, or one that 64 bits may not hold."""
    return int(text) if _INTEGER.fullmatch(text) else None


def decimal(text: str) -> float | None:
    """A number, maybe with a sign and a fraction, such as `-1.5`; None where it is none."""
    return float(text) if _DECIMAL.fullmatch(text) else None


def release(text: str) -> tuple[int, ...] | None:
    """The parts of a version, `1.12.0` as (1, 12, 0); None where one of them is no number."""
    parts = tuple(number for part in text.split(".") if (number := whole(part)) is not None)
    return parts if len(parts) == text.count(".") + 1 else None
