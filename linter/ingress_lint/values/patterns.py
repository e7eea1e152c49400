"""Regular expressions of our own that are compiled when they are first used: a run uses but few of them."""

from __future__ import annotations

import re
from typing import Any, Final, cast

_METHODS: Final = ("findall", "finditer", "fullmatch", "match", "search", "split", "sub")


class _Deferred:
    """Has the methods of a compiled expression from the first use of one of them on."""

    __slots__ = ("_flags", "pattern", *_METHODS)

    def __init__(self, pattern: str, flags: int) -> None:
        self.pattern = pattern
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self.pattern, self._flags)
        for method in _METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def deferred(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """The expression of a pattern of ours, compiled when one of its methods is first called."""
    return cast("re.Pattern[str]", _Deferred(pattern, flags))
