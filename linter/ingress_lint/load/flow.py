"""Flow collections (`{a: [b, "c"]}`), on one line or over several, of scalars that stand on one line each."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from ingress_lint.load.characters import class_of
from ingress_lint.load.nodes import PLAIN, QUOTED, Mark, Node
from ingress_lint.load.quoted import QUOTED as QUOTED_TEXT
from ingress_lint.load.quoted import unquoted
from ingress_lint.load.scalars import resolve_key, resolve_plain
from ingress_lint.values.patterns import deferred

MAX_DEPTH: Final = 30
MAX_KEY: Final = 1_000
"""In characters; libyaml gives up on keys of a few more."""

_SPACE: Final = rf"(?:[ \n]|(?<=[ \n])#{class_of(' -~')}*+\n)*"
_IN_WORD: Final = class_of(r"!-+\--9;->@-Z\\^-z|~")
_CHARACTER: Final = rf"(?:{_IN_WORD}|:(?=[A-Za-z0-9_/.]))"
_FIRST: Final = class_of(r"A-Za-z0-9_./(+=$^;~<\\")
_WORD: Final = rf"(?!---|\.\.\.)(?:{_FIRST}|-(?=[A-Za-z0-9_./-])){_CHARACTER}*"
_TOKEN: Final = deferred(
    rf"{_SPACE}(?:(?P<plain>{_WORD}(?: ++(?!#){_CHARACTER}+)*)|(?P<quoted>{QUOTED_TEXT})|(?P<sign>[\[\]{{}},]))"
)
_PLAIN_KEY_ENDS: Final = deferred(r" *+:(?=[ \n])")
_QUOTED_KEY_ENDS: Final = deferred(r" *+:")
_BRACKETS: Final = deferred(rf"{QUOTED_TEXT}|[\[\]{{}}]")


class UnclearError(Exception):
    """Says that a text is not written plainly enough."""


def parse(text: str, start: int, mark: Callable[[int], Mark]) -> Node:
    """The collection that opens at `start`; `mark` makes the marks of offsets. Raises `UnclearError`."""
    return _Parser(text, start, mark).collection(1)


def end_of(text: str, start: int) -> int | None:
    """Where the bracket that opens at `start` is closed, told by brackets and quotes alone."""
    depth = 0
    for found in _BRACKETS.finditer(text, start):
        sign = found.group()
        if sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
            if depth == 0:
                return found.end()
    return None


def value_of(node: Node) -> Any:
    """The value of a collection that `parse` gave; each call makes new mappings and lists."""
    if node.id == "mapping":
        return {_key(key): value_of(value) for key, value in node.value}
    if node.id == "sequence":
        return [value_of(item) for item in node.value]
    return resolve_plain(node.value) if node.tag == PLAIN else node.value


def scalar(text: str, start: int, end: int, mark: Callable[[int], Mark]) -> Node:
    """The scalar of one line, plain or quoted, that is written from `start` to `end`."""
    written = text[start:end]
    if written[0] in "\"'":
        return Node("scalar", QUOTED, unquoted(written), mark(start), mark(end), written[0])
    return Node("scalar", PLAIN, written, mark(start), mark(end))


def _key(node: Node) -> str | None:
    return resolve_key(node.value) if node.tag == PLAIN else node.value


class _Parser:
    def __init__(self, text: str, start: int, mark: Callable[[int], Mark]) -> None:
        self._text = text
        self._at = start
        self._mark = mark

    def collection(self, depth: int) -> Node:
        """The collection whose bracket stands here."""
        return self._node(self._token(), depth)

    def _token(self) -> re.Match[str]:
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            raise UnclearError
        self._at = match.end()
        return match

    def _node(self, token: re.Match[str], depth: int) -> Node:
        if token.lastgroup != "sign":
            return self._scalar(token)
        if depth > MAX_DEPTH:
            raise UnclearError
        start = token.start("sign")
        sign = token["sign"]
        if sign == "[":
            return self._closed("sequence", start, self._items(depth))
        if sign == "{":
            return self._closed("mapping", start, self._pairs(depth))
        raise UnclearError

    def _scalar(self, token: re.Match[str]) -> Node:
        start, end = token.span(token.lastgroup or 0)
        return scalar(self._text, start, end, self._mark)

    def _closed(self, kind: Any, start: int, value: list[Any]) -> Node:
        return Node(kind, "", value, self._mark(start), self._mark(self._at))

    def _items(self, depth: int) -> list[Node]:
        items: list[Node] = []
        while (token := self._token())["sign"] != "]":
            items.append(self._node(token, depth + 1))
            if self._is_last("]"):
                break
        return items

    def _pairs(self, depth: int) -> list[tuple[Node, Node]]:
        pairs: list[tuple[Node, Node]] = []
        seen: set[str] = set()
        while (token := self._token())["sign"] != "}":
            if token.lastgroup == "sign" or token.end() - token.start() > MAX_KEY:
                raise UnclearError
            key = self._scalar(token)
            text = _key(key)
            ends = (_PLAIN_KEY_ENDS if key.tag == PLAIN else _QUOTED_KEY_ENDS).match(self._text, self._at)
            if text is None or text == "<<" or text in seen or ends is None:
                raise UnclearError
            seen.add(text)
            self._at = ends.end()
            pairs.append((key, self._node(self._token(), depth + 1)))
            if self._is_last("}"):
                break
        return pairs

    def _is_last(self, closing: str) -> bool:
        """Whether the collection closes after the item just read, rather than a comma follows."""
        sign = self._token()["sign"]
        if sign not in (",", closing):
            raise UnclearError
        return sign == closing
