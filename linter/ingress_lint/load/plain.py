"""The YAML that manifests are mostly written in, read line by line, in half the time that libyaml's nodes take.

That is: block mappings and lists with a key or an item a line, scalars of one line (plain or quoted), block scalars, flow
collections, and comments. Whatever else a text holds, a mistake for one, makes the whole text `NOT_PLAIN` and leaves it to
libyaml; so what is read here has the same value there, which the tests compare.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import Enum
from functools import partial
from typing import Any, Final, Literal, NamedTuple

from ingress_lint.load import block_scalars, flow
from ingress_lint.load.characters import are_plain, class_of
from ingress_lint.load.nodes import Mark
from ingress_lint.load.quoted import QUOTED, unquoted
from ingress_lint.load.scalars import resolve_key, resolve_plain
from ingress_lint.values.patterns import deferred


class _NotPlain(Enum):
    NOT_PLAIN = "for libyaml"


NOT_PLAIN: Final = _NotPlain.NOT_PLAIN
"""Says that a text is not written so plainly."""

_MAX_COLUMN: Final = 80
"""Each column holds two levels at most, a mapping and a list in it; flow collections come on top (`flow.MAX_DEPTH`)."""
_MAX_REMEMBERED: Final = 50_000
_MAX_REMEMBERED_LENGTH: Final = 1_000
_ROOT: Final = "root"

_COMMENT: Final = f"#{class_of(' -~')}*"
_PASSED_OVER: Final = deferred(rf" *(?:{_COMMENT})?")
_AFTER_FLOW: Final = deferred(rf"(?: +(?:{_COMMENT})?)?\n?")
_MAY_GO_ON: Final = deferred(r"(?: [|>][-+1-9]{0,2}|[\[{,]) *+[\n#]")

_PLAIN_KEY: Final = "[A-Za-z0-9_./][A-Za-z0-9_./-]{0,200}"
_IN_WORD: Final = class_of("!-~")
_STARTS_VALUE: Final = class_of(r"A-Za-z0-9_./(+=$^;~<\\")
_STARTS_WORD: Final = class_of('!"$-~')
_FIRST_WORD: Final = rf"(?:{_STARTS_VALUE}|[-:](?={_IN_WORD})){_IN_WORD}*(?<!:)"
_FURTHER_WORD: Final = rf"{_STARTS_WORD}{_IN_WORD}*(?<!:)"
_SCALAR: Final = rf"(?P<plain>{_FIRST_WORD}(?: +{_FURTHER_WORD})*)|(?P<quoted>{QUOTED})|(?P<flow>[\[{{].*)"
_KEY: Final = rf"(?P<dash>- +)?(?P<key>{_PLAIN_KEY}|{QUOTED}):(?= |\Z)"
_BLOCK: Final = rf"(?P<block>{block_scalars.HEADER})"
_END: Final = rf"(?: +(?:{_COMMENT})?)?"
_NO_HEAD: Final = "(?P<dash>(?!))?(?P<key>(?!))?(?P<item>(?!))?"
_NO_BLOCK: Final = "(?P<block>(?!))?"
_ENTRY: Final = deferred(rf"(?P<indent> *)(?:{_KEY}|(?P<item>-)(?= |\Z))(?: +(?:{_SCALAR}|{_BLOCK}))?{_END}")
"""A line with a key or an item."""
_VALUE: Final = deferred(rf"(?P<indent> *){_NO_HEAD}(?:{_SCALAR}){_NO_BLOCK}{_END}")
"""A line with a value alone."""


class _Line(NamedTuple):
    """A key with its value, an item, an item that is a mapping with its first key, or a value alone."""

    dash: int
    """The column of the item's dash, -1 where the line has none."""
    column: int
    """The column of the key, or of the dash or the value where there is no key."""
    key: str | None
    value: Any
    opens: bool
    """Whether there is no value on the line, so that the next lines may hold one."""
    make: Callable[[], Any] | None
    """Makes the value, where each reading needs one of its own."""


class _Lines(dict[str, _Line | Literal[_NotPlain.NOT_PLAIN] | None]):
    """What lines mean; manifests repeat themselves, so each is looked at once. None passes a line over."""

    def __missing__(self, line: str) -> _Line | Literal[_NotPlain.NOT_PLAIN] | None:
        meaning = _parsed(line)
        if len(line) <= _MAX_REMEMBERED_LENGTH:
            if len(self) >= _MAX_REMEMBERED:
                self.clear()
            self[line] = meaning
        return meaning


def match_line(line: str) -> re.Match[str] | None:
    """The parts of a line, or of the first of several that hold one value; None where it is none that is read here."""
    match = _ENTRY.fullmatch(line)
    if match is not None:
        return match
    first, line_break, _ = line.partition("\n")
    return (_ENTRY.fullmatch(first) if line_break else None) or _VALUE.fullmatch(first)


def parent_column(match: re.Match[str]) -> int:
    """The column of the collection that a matched line adds to last."""
    return len(match["indent"]) + len(match["dash"] or "")


def is_passed_over(line: str) -> bool:
    """Whether a line is empty or a comment."""
    return _PASSED_OVER.fullmatch(line) is not None


def _parsed(line: str) -> _Line | Literal[_NotPlain.NOT_PLAIN] | None:
    match = match_line(line)
    if match is None:
        return None if is_passed_over(line) else NOT_PLAIN
    indent, dash, written, item, plain, quoted_text, flow_text, block = match.groups()
    key = None if written is None else unquoted(written) if written[0] in "\"'" else resolve_key(written)
    if written is not None and (key is None or key == "<<" or len(written) > flow.MAX_KEY):
        return NOT_PLAIN
    column = len(indent)
    key_column = column + len(dash) if dash else column
    if key_column > _MAX_COLUMN:
        return NOT_PLAIN
    value: Any = None
    make: Callable[[], Any] | None = None
    opens = False
    if plain is not None:
        value = resolve_plain(plain)
    elif quoted_text is not None:
        value = unquoted(quoted_text)
    elif flow_text is not None:
        make = _maker(line, match.start("flow"))
        if make is None:
            return NOT_PLAIN
    elif block is not None:
        value = block_scalars.value_of(block, key_column, line[match.end() + 1 :]) if "\n" in line else None
        if value is None:
            return NOT_PLAIN
    else:
        opens = True
    if written is None and not item and column == 0 and make is None:
        return NOT_PLAIN  # a marker between documents, maybe
    return _Line(column if dash or item else -1, key_column, key, value, opens, make)


def _maker(line: str, start: int) -> Callable[[], Any] | None:
    """What makes the value of the flow collection in a line, None where it is not certain."""
    if line.endswith("{}") and len(line) == start + 2:
        return dict
    try:
        node = flow.parse(line, start, lambda offset: Mark(offset, 0, offset))
    except flow.UnclearError:
        return None
    if _AFTER_FLOW.fullmatch(line, node.end_mark.index) is None:
        return None
    value = flow.value_of(node)
    if any(isinstance(item, dict | list) for item in (value.values() if isinstance(value, dict) else value)):
        return partial(flow.value_of, node)
    return value.copy  # type: ignore[no-any-return]


def lines_of(text: str) -> list[str] | None:
    """The lines of a text, those that hold one block scalar or flow collection in one; None where that is not certain."""
    lines: list[str] = []
    done = looked_at = 0
    for found in _MAY_GO_ON.finditer(text):
        if found.start() < looked_at:
            continue
        start = text.rfind("\n", 0, found.start() + 1) + 1
        looked_at = text.find("\n", found.end() - 1) + 1
        if not looked_at:
            break
        match = match_line(text[start : looked_at - 1])
        if match is None or match.lastgroup not in ("block", "flow"):
            continue
        end: int | None
        if match.lastgroup == "block":
            end = block_scalars.end_of(match["block"], parent_column(match), text, looked_at)
        else:
            closed = flow.end_of(text, start + match.start("flow"))
            end = None if closed is None else text.find("\n", closed) + 1 or len(text)
        if end is None:
            return None
        if start > done:
            lines += text[done : start - 1].split("\n")
        lines.append(text[start:end])
        done = looked_at = end
    if done < len(text):
        lines += text[done:].split("\n")
    return lines


class PlainReader:
    """Reads many texts, and remembers what it learnt of their lines."""

    def __init__(self) -> None:
        self._lines = _Lines()

    def read(self, text: str) -> Any:
        """The value of a text, or `NOT_PLAIN`."""
        if not are_plain(text):
            return NOT_PLAIN
        if "|" not in text and ">" not in text:
            value = self._value(text.split("\n"))
            if value is not NOT_PLAIN or ("[" not in text and "{" not in text):
                return value
        lines = lines_of(text)  # it takes longer
        return NOT_PLAIN if lines is None else self._value(lines)

    def _value(self, lines: list[str]) -> Any:
        holder: dict[str, Any] = {}
        stack: list[tuple[int, Any]] = [(-1, None)]  # the mappings and lists that the next line may add to, by column
        mapping: Any = None
        mapping_column = -1  # where `mapping` is what the last line added to, else -1
        # the entry that the next lines may fill: with a list from column `least`, with others beyond `opened_column`
        opened: Any = holder
        opened_at: Any = _ROOT
        opened_column, least = -1, 0
        meanings: Iterator[_Line | Literal[_NotPlain.NOT_PLAIN]] = filter(None, map(self._lines.__getitem__, lines))
        for line in meanings:
            if line is NOT_PLAIN:
                return NOT_PLAIN
            dash, column, key, value, opens, make = line
            if make is not None:
                value = make()
            if column == mapping_column and dash < 0 and opened is None:
                if key is None or key in mapping:
                    return NOT_PLAIN
            elif dash >= 0:
                if opened is not None and dash >= least:
                    container: Any = []
                    opened[opened_at] = container
                    stack.append((dash, container))
                else:
                    while stack[-1][0] > dash:
                        stack.pop()
                    top, container = stack[-1]
                    if top != dash or type(container) is not list:
                        return NOT_PLAIN
                if key is None:
                    container.append(value)
                    mapping_column, opened = -1, container if opens else None
                    opened_at, opened_column, least = len(container) - 1, dash, dash + 1
                    continue
                mapping = {}
                container.append(mapping)
                stack.append((column, mapping))
            elif opened is not None and column > opened_column:
                if key is None:
                    opened[opened_at] = value
                    opened = None
                    continue
                mapping = opened[opened_at] = {}
                stack.append((column, mapping))
            else:
                while stack[-1][0] > column or type(stack[-1][1]) is list:
                    stack.pop()
                top, mapping = stack[-1]
                if top != column or key is None or key in mapping:
                    return NOT_PLAIN
            mapping[key] = value
            mapping_column = column
            if opens:
                opened, opened_at, opened_column, least = mapping, key, column, column
            else:
                opened = None
        return holder.get(_ROOT, NOT_PLAIN)
