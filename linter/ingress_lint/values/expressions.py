"""Regular expressions that people write: the one place that knows which engine stands in for theirs.

Python's `re` does, for RE2 and PCRE alike; what only those take is unknown. Nothing here raises or warns.
"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import Final

from msgspec import Struct

_LONGEST: Final = 10_000
_DEEPEST: Final = 200
"""Fewer groups within groups than PCRE takes (250, its `parens_nest_limit`), and RE2 and Go (1000)."""
_BROKEN: Final = ("missing )", "unbalanced parenthesis", "unterminated character set", "nothing to repeat")
"""What no dialect of regular expressions takes, in the words of `re.error`."""


class Expression(Struct, frozen=True):
    """A regular expression that compiles. Ask for one by `compiled`."""

    _pattern: re.Pattern[str]

    @property
    def groups(self) -> int:
        """How many groups it captures."""
        return self._pattern.groups

    def fits(self, text: str) -> bool:
        """Whether it matches the whole of a text."""
        return self._pattern.fullmatch(text) is not None

    def occurs_in(self, text: str) -> bool:
        """Whether it matches somewhere in a text."""
        return self._pattern.search(text) is not None

    def captured(self, text: str) -> tuple[str, ...] | None:
        """What it matches at the start of a text, and then what each group does; None where it does not match there."""
        found = self._pattern.match(text)
        return None if found is None else (found[0], *found.groups(""))


def compiled(text: str, *, ignore_case: bool = False) -> Expression | None:
    """An expression; None where it does not compile, is of a dialect that is not known here, or is unreasonably long."""
    return _read(text, ignore_case)[0]


def fault(text: str) -> str | None:
    """Why no dialect takes an expression, in a few words; None where one may."""
    return _read(text, False)[1]


@lru_cache(maxsize=1024)
def _read(text: str, ignore_case: bool) -> tuple[Expression | None, str | None]:
    if len(text) > _LONGEST or _depth(text) > _DEEPEST:
        return None, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Expression(re.compile(text, re.IGNORECASE if ignore_case else 0)), None
    except re.error as error:
        return None, error.msg if error.msg.startswith(_BROKEN) else None
    except OverflowError as error:
        return None, str(error)
    except RecursionError:
        return None, None


def _depth(text: str) -> int:
    """How many groups stand within one another at most, escapes and classes aside."""
    deepest = depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return deepest
