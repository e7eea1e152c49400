"""Which characters YAML allows in a line, and the classes of regular expressions that mean some of them."""

from __future__ import annotations

import re
from functools import cache


@cache
def _refused() -> re.Pattern[str]:
    """Finds what YAML refuses or takes for a line break, beyond ASCII."""
    return re.compile("[\x80-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def are_plain(text: str) -> bool:
    """Whether all characters beyond ASCII are ones that YAML allows in a line."""
    return text.isascii() or _refused().search(text) is None


def class_of(allowed: str) -> str:
    """The class of the ASCII characters that a class `allowed` holds, and of everything beyond ASCII.

    It is written by what it leaves out, since a class with characters beyond Latin-1 takes milliseconds to compile.
    """
    among = re.compile(f"[{allowed}]")
    return f"[^{''.join(re.escape(chr(code)) for code in range(128) if not among.match(chr(code)))}]"
