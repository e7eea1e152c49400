"""Quoted scalars of one line, without the escapes that hardly anybody writes."""

from __future__ import annotations

import re
from typing import Final

OTHER_CHARACTERS: Final = "\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff"
"""What YAML allows in a line beyond ASCII, as a regular expression's class has it."""

_ESCAPED: Final = r'\\(?:[nrt"\\/]|u00[2-7][0-9a-fA-F])'
_ESCAPE: Final = re.compile(r"\\(?:u(....)|(.))")
_MEANINGS: Final = {"n": "\n", "r": "\r", "t": "\t"}


def quoted(others: str) -> str:
    """The regular expression of a quoted scalar, with `others` as the characters that it may hold beyond ASCII."""
    return rf""""[ !#-\[\]-~{others}]*+(?:{_ESCAPED}[ !#-\[\]-~{others}]*+)*+"|'[ -&(-~{others}]*+(?:''[ -&(-~{others}]*+)*+'"""


def unquoted(written: str) -> str:
    """The value of what `quoted` matches."""
    text = written[1:-1]
    if written[0] == "'":
        return text.replace("''", "'")
    return _ESCAPE.sub(_meaning, text) if "\\" in text else text


def _meaning(escape: re.Match[str]) -> str:
    digits, character = escape.groups()
    return chr(int(digits, 16)) if digits else _MEANINGS.get(character, character)
