"""The YAML that manifests are mostly written in, read line by line, in half the time that libyaml's nodes take.

That is: block mappings and lists with a key or an item a line, one-line scalars (plain, or quoted without escapes), flow
lists of plain words and quoted text, and comments. Whatever else a text holds, a mistake for one, makes the whole text
`NOT_PLAIN` and leaves it to libyaml; so what is read here has the same value there, which the tests compare.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any, Final, Literal, NamedTuple

from ingress_lint.load.scalars import resolve_key, resolve_plain


class _NotPlain(Enum):
    NOT_PLAIN = "for libyaml"


NOT_PLAIN: Final = _NotPlain.NOT_PLAIN
"""Says that a text is not written so plainly."""

_MAX_DEPTH: Final = 60
_MAX_REMEMBERED: Final = 50_000
_ROOT: Final = "root"

_KEY: Final = r"[A-Za-z0-9_./][A-Za-z0-9_./-]{0,200}"
_WRITTEN_KEY: Final = rf"""{_KEY}|"{_KEY}"|'{_KEY}'"""
_FIRST_WORD: Final = r"(?:[A-Za-z0-9_./(+=$^;~<\\]|-(?=[!-~]))[!-~]*(?<!:)"
_FURTHER_WORD: Final = r'[!"$-~][!-~]*(?<!:)'
_QUOTED: Final = r""""[ !#-\[\]-~]*"|'[ -&(-~]*'"""
_FLOW_ITEM: Final = rf"(?:{_QUOTED}|{_KEY})"
_FLOW_LIST: Final = rf"\[(?: *{_FLOW_ITEM}(?: *, *{_FLOW_ITEM})*)? *\]"
_COMMENT: Final = "#[ -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*"
_PASSED_OVER: Final = re.compile(rf" *(?:{_COMMENT})?")
_LINE: Final = re.compile(
    rf"(?P<indent> *)(?:(?P<dash>- +)?(?P<key>{_WRITTEN_KEY}):(?= |\Z)|(?P<item>-)(?= |\Z))"
    rf"(?: +(?:(?P<plain>{_FIRST_WORD}(?: +{_FURTHER_WORD})*)|(?P<quoted>{_QUOTED})|(?P<flow>{_FLOW_LIST}|\{{\}})))?"
    rf"(?: +(?:{_COMMENT})?)?"
)
_ITEMS: Final = re.compile(_FLOW_ITEM)


class _Line(NamedTuple):
    """A key with its value, an item, or an item that is a mapping with its first key."""

    dash: int
    """The column of the item's dash, -1 where the line has none."""
    column: int
    """The column of the key, or of the dash where there is no key."""
    key: str | None
    value: Any
    opens: bool
    """Whether there is no value on the line, so that the next lines may hold one."""
    make: Callable[[], Any] | None
    """Makes the value, where each reading needs one of its own."""


class _Lines(dict[str, _Line | Literal[_NotPlain.NOT_PLAIN] | None]):
    """What lines mean; manifests repeat themselves, so each is looked at once. None passes a line over."""

    def __missing__(self, line: str) -> _Line | Literal[_NotPlain.NOT_PLAIN] | None:
        if len(self) >= _MAX_REMEMBERED:
            self.clear()
        meaning = self[line] = _parsed(line)
        return meaning


def _parsed(line: str) -> _Line | Literal[_NotPlain.NOT_PLAIN] | None:
    match = _LINE.fullmatch(line)
    if match is None:
        return None if _PASSED_OVER.fullmatch(line) else NOT_PLAIN
    indent, dash, written, item, plain, quoted, flow = match.groups()
    key = None if written is None else written[1:-1] if written[0] in "\"'" else resolve_key(written)
    if written is not None and key is None:
        return NOT_PLAIN
    column = len(indent)
    make: Callable[[], Any] | None = None
    if flow == "{}":
        make = dict
    elif flow is not None:
        make = partial(list, [_flow_item(found) for found in _ITEMS.findall(flow)])
    value = resolve_plain(plain) if plain is not None else quoted[1:-1] if quoted is not None else None
    opens = plain is None and quoted is None and flow is None
    return _Line(column if dash or item else -1, column + len(dash) if dash else column, key, value, opens, make)


def _flow_item(text: str) -> Any:
    return text[1:-1] if text[0] in "\"'" else resolve_plain(text)


class PlainReader:
    """Reads many texts, and remembers what it learnt of their lines."""

    def __init__(self) -> None:
        self._lines = _Lines()

    def read(self, text: str) -> Any:
        """The value of a text, or `NOT_PLAIN`."""
        holder: dict[str, Any] = {}
        stack: list[tuple[int, Any]] = [(-1, None)]  # the mappings and lists that the next line may add to, by column
        # the entry that the next lines may fill: with a list from column `least`, with a mapping beyond `opened_column`
        opened: Any = holder
        opened_at: Any = _ROOT
        opened_column, least = -1, 0
        known = self._lines
        for written in text.split("\n"):
            line = known[written]
            if line is None:
                continue
            if line is NOT_PLAIN:
                return NOT_PLAIN
            dash, column, key, value, opens, make = line
            if make is not None:
                value = make()
            if dash >= 0:
                if opened is not None and dash >= least:
                    container: Any = []
                    opened[opened_at] = container
                    stack.append((dash, container))
                    if len(stack) > _MAX_DEPTH:
                        return NOT_PLAIN
                else:
                    while stack[-1][0] > dash:
                        stack.pop()
                    top, container = stack[-1]
                    if top != dash or type(container) is not list:
                        return NOT_PLAIN
                if key is None:
                    container.append(value)
                    opened = container if opens else None
                    opened_at, opened_column, least = len(container) - 1, dash, dash + 1
                    continue
                mapping: Any = {}
                container.append(mapping)
                stack.append((column, mapping))
            elif opened is not None and column > opened_column:
                mapping = opened[opened_at] = {}
                stack.append((column, mapping))
            else:
                while stack[-1][0] > column or type(stack[-1][1]) is list:
                    stack.pop()
                top, mapping = stack[-1]
                if top != column or key in mapping:
                    return NOT_PLAIN
            mapping[key] = value
            opened = mapping if opens else None
            opened_at, opened_column, least = key, column, column
            if len(stack) > _MAX_DEPTH:
                return NOT_PLAIN
        return holder.get(_ROOT, NOT_PLAIN)
