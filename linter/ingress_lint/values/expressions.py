"""Regular expressions that people write: the one place that knows which engine stands in for theirs.

RE2 does wherever it can, in time linear in the text: it is Envoy's engine, Go's `regexp` takes the same syntax, and what
both it and PCRE take means the same to both. What only PCRE takes (nginx, HAProxy, Kong) is matched with a time limit, and
unknown past it. Nothing here raises or warns.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, Literal

from msgspec import Struct

from ingress_lint.values.patterns import deferred

Dialect = Literal["RE2", "PCRE"]
"""Whose syntax an expression is of: that of Envoy and of everything written in Go, or that of nginx, HAProxy and Kong."""

_LONGEST: Final = 10_000
_DEEPEST: Final = 200
"""Fewer groups within groups than PCRE takes (250, its `parens_nest_limit`), and RE2 and Go (1000)."""
_MEMORY: Final = 2 * 1024 * 1024
"""Bytes that one expression may take in RE2, a quarter of what RE2 itself allows."""
_SECONDS: Final = 0.1
"""How long an expression that only PCRE takes may be matched against one text."""
_SECONDS_OF_A_RUN: Final = 1.0
"""How long all that ran out of time may have taken; after that, no more of them is tried."""
_TOO_LARGE: Final = deferred(r"\{(?:[0-9]+,)?[0-9]{9,}")
"""A repetition that Go and PCRE refuse; RE2 takes the text as it stands."""
_OF_A_PART: Final = frozenset(
    {
        "bad repetition operator",
        "invalid escape sequence",
        "invalid perl operator",
        "invalid repetition size",
        "no argument for repetition operator",
    }
)
"""What RE2 complains of in the words after which it quotes a part of the expression, and not all of it."""
_TOO_LARGE_WORDS: Final = "the repetition number is too large"


class Expression(Struct, frozen=True):
    """A regular expression that compiles. Ask for one by `compiled`. None is the answer where it took too long."""

    _pattern: Any
    _limited: bool

    @property
    def groups(self) -> int:
        """How many groups it captures."""
        return int(self._pattern.groups)

    def fits(self, text: str) -> bool | None:
        """Whether it matches the whole of a text."""
        found: bool | None = self._asked(self._pattern.fullmatch, text, _is_found)
        return found

    def occurs_in(self, text: str) -> bool | None:
        """Whether it matches somewhere in a text."""
        found: bool | None = self._asked(self._pattern.search, text, _is_found)
        return found

    def replaced(self, text: str, new: Callable[[tuple[str, ...]], str]) -> str:
        """A text with everything that it matches replaced by what `new` makes of the match and its groups.

        As it is where that takes too long.
        """

        def substituted(asked: str, **limits: Any) -> str:
            changed: str = self._pattern.sub(lambda found: new((found[0], *found.groups(""))), asked, **limits)
            return changed

        made: str | None = self._asked(substituted, text, str)
        return text if made is None else made

    def captured(self, text: str) -> tuple[str, ...] | None:
        """What it matches at the start of a text, and then what each group does; None also where it does not match there."""
        groups: tuple[str, ...] | None = self._asked(self._pattern.match, text, _groups)
        return groups

    def _asked(self, method: Callable[..., Any], text: str, answer: Callable[[Any], Any]) -> Any:
        text = text.encode(errors="replace").decode()
        if not self._limited:
            return answer(method(text))
        seconds = min(_SECONDS, _overtime.left)
        if seconds <= 0:
            return None
        started = time.monotonic()
        try:
            return answer(method(text, timeout=seconds))
        except (TimeoutError, MemoryError):
            _overtime.left -= time.monotonic() - started
            return None


class _Overtime:
    """How many seconds of this run may still be lost to expressions that run out of time."""

    left = _SECONDS_OF_A_RUN


_overtime: Final = _Overtime()


def _is_found(match: Any) -> bool:
    return match is not None


def _groups(match: Any) -> tuple[str, ...] | None:
    return None if match is None else (match.group(0), *match.groups(""))


def compiled(text: str, *, ignore_case: bool = False) -> Expression | None:
    """An expression; None where it does not compile, is of a dialect that is not known here, or is unreasonably long."""
    if not _is_reasonable(text):
        return None
    return _re2(text, ignore_case)[0] or _pcre(text, ignore_case)


def fault(text: str, dialect: Dialect | None = None) -> str | None:
    """Why a dialect does not take an expression, in a few words; None where it may. Without `dialect`, why none does."""
    if not _is_reasonable(text):
        return None
    why = _re2(text, False)[1]
    return why if dialect == "RE2" or _pcre(text, False) is None else None


def is_unknown(text: str) -> bool:
    """Whether an expression cannot be judged, as it is unreasonably long or nests too deeply."""
    return not _is_reasonable(text)


def _is_reasonable(text: str) -> bool:
    return len(text) <= _LONGEST and _depth(text) <= _DEEPEST


@lru_cache(maxsize=128)
def _re2(text: str, ignore_case: bool) -> tuple[Expression | None, str | None]:
    """An expression for RE2, or why it takes none."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    options.case_sensitive = not ignore_case
    if _TOO_LARGE.search(text):
        return None, _TOO_LARGE_WORDS
    try:
        return Expression(re2.compile(text.encode(errors="replace").decode(), options=options), False), None
    except re2.error as error:
        (words,) = error.args
        return None, _in_words(words.decode(errors="replace") if isinstance(words, bytes) else str(words))


def _in_words(message: str) -> str | None:
    """What RE2 complains of, without the expression itself; None where it is the size, which other engines may take."""
    what, _, about = message.partition(": ")
    if what == "pattern too large":
        return None
    named = what.replace(" )", " `)`").replace(" ]", " `]`")
    return f"{named} `{about}`" if what in _OF_A_PART else named


@lru_cache(maxsize=128)
def _pcre(text: str, ignore_case: bool) -> Expression | None:
    import regex

    if _TOO_LARGE.search(text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Expression(regex.compile(text, regex.IGNORECASE if ignore_case else 0), True)
    except (regex.error, RecursionError, OverflowError, MemoryError, ValueError, LookupError):
        return None


def _depth(text: str) -> int:
    """How many groups stand within one another at most, escapes and classes aside."""
    deepest = depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return deepest
