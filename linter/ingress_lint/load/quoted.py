"""Quoted scalars of one line, without the escapes that hardly anybody writes."""

from __future__ import annotations

import re
from typing import Final

from ingress_lint.load.characters import class_of
from ingress_lint.values.patterns import deferred

_ESCAPED: Final = r'\\(?:[nrt"\\/]|u00[2-7][0-9a-fA-F])'
_ESCAPE: Final = deferred(r"\\(?:u(....)|(.))")
_MEANINGS: Final = {"n": "\n", "r": "\r", "t": "\t"}


_IN_DOUBLE: Final = class_of(r" !#-\[\]-~")
_IN_SINGLE: Final = class_of(" -&(-~")
QUOTED: Final = rf""""{_IN_DOUBLE}*+(?:{_ESCAPED}{_IN_DOUBLE}*+)*+"|'{_IN_SINGLE}*+(?:''{_IN_SINGLE}*+)*+'"""
"""The regular expression of a quoted scalar."""


def unquoted(written: str) -> str:
    """The value of what `QUOTED` matches."""
    text = written[1:-1]
    if written[0] == "'":
        return text.replace("''", "'")
    return _ESCAPE.sub(_meaning, text) if "\\" in text else text


def _meaning(escape: re.Match[str]) -> str:
    digits, character = escape.groups()
    return chr(int(digits, 16)) if digits else _MEANINGS.get(character, character)
