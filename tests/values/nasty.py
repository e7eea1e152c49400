"""Values that look like a number to one check and not to the next."""

from __future__ import annotations

from typing import Final

LONG: Final = "9" * 5000
NASTY: Final = (
    "",
    " ",
    "²",
    "٣",
    "８０",
    "1²",
    LONG,
    f"{LONG}s",
    f"-{LONG}",
    f"1.{LONG}",
    "+",
    "-",
    "- 1",
    "1_000",
    "1 0",
    "0x10",
    "1e3",
    "1e400",
    "NaN",
    "nan",
    "inf",
    "Infinity",
    "5\u017f",
    "8\u212a",
    "\ud800",
    "1\ud800",
    "\x00",
    "a" * 20_000,
    "(" * 3000,
    "[" * 3000,
    "[[",
    "a{99999999999999999999}",
    "(?P<",
    "http://[",
    "http://x:٣",
    "fe80::1%eth0/64",
    "10.0.0.0/²",
    "{{ .Values.port }}",
    "$(PORT)",
)
"""None of them is a number, port, time, size, address or name of a host to anybody."""
