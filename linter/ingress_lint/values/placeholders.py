"""Text that stands for a value which somebody else fills in: the one place that knows how such text is written.

What counts is syntax alone, never a word: `${DOMAIN}`, `$DOMAIN`, `$(DOMAIN)`, `{{ domain }}`, `{% if a %}`, `<domain>`,
`{DOMAIN}`, `@DOMAIN@`, `#{domain}#`, `__DOMAIN__`, and what SOPS encrypts. Captures and variables of proxies (`$1`,
`$host`, `${request_uri}`), quantifiers and names in expressions (`{2,3}`, `{name}`, `(?<name>a)`) are written otherwise.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from ingress_lint.values.patterns import deferred

ENCRYPTED: Final = "ENC["
"""How each value starts that SOPS has encrypted (getsops/sops:README.rst)."""
GIT_CRYPT: Final = "\0GITCRYPT\0"
"""How a file starts that git-crypt has encrypted (AGWA/git-crypt:commands.cpp)."""

_OF_PROXIES: Final = r"(?:request|http|arg|cookie|ssl|jwt|upstream)_|scheme\}|query_string\}|is_args\}|remote_addr\}"
"""How the variables start that NGINX writes in braces too (nginx/documentation:content/nic/configuration)."""
_SYNTAXES: Final = (
    r"ENC\[[A-Z0-9_]{1,40},",
    rf"\$\{{(?!{_OF_PROXIES})[A-Za-z_][^{{}}\n]{{0,200}}\}}",
    r"\$\([A-Z][A-Z0-9_]{0,100}\)",
    r"\$[A-Z][A-Z0-9_]{0,100}(?![a-z0-9])",
    r"\{\{(?:(?!\{\{)[^\n]){1,500}?\}\}",
    r"\{%(?:(?!\{%)[^\n]){1,500}?%\}",
    r"(?<![?P=<\\])<[A-Za-z][^<>\n]{0,100}>",
    r"(?<![\\$\w])\{[A-Z][A-Z0-9_]{1,100}\}",
    r"@{1,2}[A-Z][A-Z0-9_]{0,100}@{1,2}",
    r"#\{[A-Za-z][\w.]{0,100}\}#",
    r"__[A-Z][A-Z0-9_]{0,500}__",
)
_PLACEHOLDER: Final = deferred("|".join(f"(?:{syntax})" for syntax in _SYNTAXES))
_OPENERS: Final = ("$", "{", "<", "__", "@", ENCRYPTED)
_RARE: Final = ("<", "__", "@", ENCRYPTED, "$", "{{", "{%", "#{")
_IN_BRACES: Final = deferred(r"\{[A-Z]")
_LONGEST: Final = 1_000
"""Longer text is a file or a script, not a value."""

_ACTION: Final = deferred(r"\{\{(?:(?!\{\{)[^}]|\}(?!\})){0,2000}\}\}|\{%[^%\n]{0,2000}%\}|\{#[^#\n]{0,2000}#\}")
_LINE_OF_ACTIONS: Final = deferred(rf"^[ \t]*(?:(?:{_ACTION.pattern})[ \t]*)+$", re.MULTILINE)
_YTT: Final = deferred(r"(?:^|[ \t])#@", re.MULTILINE)


def occur_in(text: str) -> bool:
    """Whether there are any in the text of a file, in whatever stands there."""
    opened = any(map(text.__contains__, _RARE)) or ("{" in text and _IN_BRACES.search(text) is not None)
    return opened and _PLACEHOLDER.search(text) is not None


@lru_cache(4096)
def is_placeholder(text: str) -> bool:
    """Whether a value, or a part of it, stands for something that is not known here. Text of several lines is a value."""
    if len(text) > _LONGEST or not any(map(text.__contains__, _OPENERS)):
        return False
    return "\n" not in text.strip() and _PLACEHOLDER.search(text) is not None


def may_stand_for(text: str, value: str) -> bool:
    """Whether filling in the placeholders of a text may give a value."""
    if text == value:
        return True
    if not is_placeholder(text):
        return False
    first, *others = _PLACEHOLDER.split(text)
    if not value.startswith(first):
        return False
    *between, last = others
    at = len(first)
    for part in between:
        found = value.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(value) - at >= len(last) and value.endswith(last)


def known_start(text: str) -> str:
    """What stands before the first placeholder of a text."""
    return _PLACEHOLDER.split(text, maxsplit=1)[0] if is_placeholder(text) else text


def has_actions(text: str) -> bool:
    """Whether a text is a template: of Go, Jinja or ytt."""
    return _ACTION.search(text) is not None or is_ytt(text)


def is_ytt(text: str) -> bool:
    """Whether comments of a text are instructions of ytt, which give the fields beside them their values."""
    return "#@" in text and _YTT.search(text) is not None


def without_actions(text: str) -> str:
    """A template of the same length in which placeholders that YAML takes anywhere stand for what it prints.

    The second round is for actions with actions in their texts.
    """
    for _ in range(2):
        text = _ACTION.sub(_stand_in, _LINE_OF_ACTIONS.sub(_blank, text))
    return text


def _stand_in(action: re.Match[str]) -> str:
    text = action.group()
    if not text.startswith("{{") or "\n" in text or len(text) < 5:
        return _blank(action)
    return f"__{'X' * (len(text) - 4)}__"


def _blank(found: re.Match[str]) -> str:
    return "".join(character if character == "\n" else " " for character in found.group())
