"""Ports: numbers from 1 to 65535, names, and ranges."""

from __future__ import annotations

from typing import Final

from ingress_lint.values.numbers import whole
from ingress_lint.values.patterns import deferred

HIGHEST: Final = 65535
LONGEST_NAME: Final = 15
_NAME: Final = deferred(r"(?=[^a-z]*[a-z])[a-z0-9]+(-[a-z0-9]+)*")


def port_number(text: str) -> int | None:
    """A port by its number; None where the text is none from 1 to 65535."""
    number = whole(text)
    return number if number is not None and 0 < number <= HIGHEST else None


def port_in_file(value: object) -> int | None:
    """A port as YAML or JSON holds it, a number without quotes; None where the value is none from 1 to 65535."""
    return value if type(value) is int and 0 < value <= HIGHEST else None


def number_or_name(port: int | str) -> int | str:
    """A port as it is meant where quotes are no matter: a number, whatever its size, or else a name."""
    number = whole(port) if isinstance(port, str) else port
    return port if number is None else number


def is_number(port: int | str) -> bool:
    """Whether a port is given by its number, maybe in quotes."""
    return isinstance(number_or_name(port), int)


def is_port_name(text: str) -> bool:
    """Whether it is a service name of IANA's, as ports of containers have: lower case letters, digits and single dashes
    between them, at least one letter, at most 15 characters.

    RFC 6335, section 5.1; kubernetes/kubernetes:staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go,
    IsValidPortName.
    """
    return len(text) <= LONGEST_NAME and _NAME.fullmatch(text) is not None


def port_range(text: str) -> range | None:
    """The ports of `30000-32767`, both ends included; None where the text is no range.

    kubernetes/kubernetes:staging/src/k8s.io/apimachinery/pkg/util/net/port_range.go, PortRange.Set.
    """
    first, dash, last = text.strip().partition("-")
    low, high = whole(first), whole(last)
    if not dash or low is None or high is None or not low <= high <= HIGHEST:
        return None
    return range(low, high + 1)


def is_slip(one: int, other: int) -> bool:
    """Whether two different ports are one slip of the finger apart: a digit changed, left out or added, or two swapped."""
    short, long = sorted((str(one), str(other)), key=len)
    if len(long) - len(short) == 1:
        return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))
    differing = [at for at, (digit, other_digit) in enumerate(zip(short, long, strict=False)) if digit != other_digit]
    if len(long) != len(short) or not 0 < len(differing) <= 2:
        return False
    first, last = differing[0], differing[-1]
    return first == last or (last - first == 1 and short[first] == long[last] and short[last] == long[first])
