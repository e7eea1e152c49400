"""Patterns of paths, as the programs take them that people write them for; none takes long, whatever the pattern."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from ingress_lint.values.patterns import deferred

_LONGEST: Final = 1_000
_MOST_ALTERNATIVES: Final = 256
_TOKEN: Final = deferred(r"\*+|\?|\[[!^]?\]?[^\]/]*\]|\\.|[^*?\[\\]+|.", re.DOTALL)
_WILD: Final = deferred(r"[*?\[\\{]")


class PatternError(ValueError):
    """A pattern that cannot be understood, or that is too long."""


@lru_cache(1024)
def free(pattern: str) -> re.Pattern[str]:
    """A pattern whose stars cross slashes, with alternatives (`{drafts/*,*.bak.yaml}`), as gobwas/glob without separators.

    Raises `PatternError`.
    """
    return re.compile("|".join(_translated(one, ".") for one in _alternatives(pattern)), re.DOTALL)


@lru_cache(1024)
def segmented(pattern: str) -> re.Pattern[str]:
    """A pattern whose stars stay between slashes, as Go's `path.Match`. Raises `PatternError`."""
    return re.compile(_translated(pattern, "[^/]"), re.DOTALL)


def literal_folder(pattern: str) -> str:
    """The folder that all paths lie in that a pattern may fit, empty for the topmost."""
    found = _WILD.search(pattern)
    return (pattern if found is None else pattern[: found.start()]).rpartition("/")[0]


def _translated(pattern: str, any_: str) -> str:
    """The regular expression of a pattern without alternatives.

    What stands between two stars is taken where it is first found, which is right as all stars of a pattern are alike,
    and never tried anew.
    """
    if len(pattern) > _LONGEST:
        raise PatternError("it is too long")
    parts = [""]
    for token in _TOKEN.findall(pattern):
        if token.startswith("*"):
            parts.append("")
        else:
            parts[-1] += _written(token, any_)
    first, *rest = parts
    if not rest:
        return rf"\A{first}\Z"
    *middle, last = rest
    return rf"\A{first}{''.join(f'(?>{any_}*?{part})' for part in middle if part)}{any_}*{last}\Z"


def _written(part: str, any_: str) -> str:
    if part == "?":
        return any_
    if part.startswith("[") and len(part) > 2:
        negated = part[1] in "!^"
        inside = part[1 + negated : -1]
        ranges = re.sub(r"[\\\[\]^&~|]", r"\\\g<0>", inside)
        try:
            re.compile(f"[{ranges}]")
        except re.error:
            raise PatternError(f"`{part}` is no set of characters") from None
        return f"[{'^' if negated else ''}{ranges}]"
    if part == "[":
        raise PatternError("it has a `[` without its `]`")
    return re.escape(part[1:] if part.startswith("\\") and len(part) > 1 else part)


def _alternatives(pattern: str) -> list[str]:
    """The patterns that one with alternatives in braces stands for."""
    waiting = [pattern]
    done: list[str] = []
    while waiting:
        if len(waiting) + len(done) > _MOST_ALTERNATIVES or len(waiting[-1]) > _LONGEST:
            raise PatternError("it has too many alternatives")
        one = waiting.pop()
        start, end = _innermost_braces(one)
        if end < 0:
            done.append(one)
        else:
            waiting += (one[:start] + choice + one[end + 1 :] for choice in one[start + 1 : end].split(","))
    return done


def _innermost_braces(pattern: str) -> tuple[int, int]:
    """Where the first pair of braces without another pair in it stands; -1 twice where there is none."""
    start = -1
    for at, character in _unescaped(pattern):
        if character == "{":
            start = at
        elif character == "}" and start >= 0:
            return start, at
    return -1, -1


def _unescaped(pattern: str) -> Iterator[tuple[int, str]]:
    escaped = False
    for at, character in enumerate(pattern):
        if not escaped and character != "\\":
            yield at, character
        escaped = not escaped and character == "\\"
