"""Calico's selectors: expressions over labels, such as `app == "web" && has(tier) || env in {"prod"}`.

projectcalico/calico:libcalico-go/lib/selector/{tokenizer,parser}.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from ingress_lint.values.patterns import deferred

Labels = Mapping[str, str]
Test = Callable[[Labels], bool]

_TOKEN: Final = deferred(r"\s*(&&|\|\||==|!=|!|[(){},]|\"[^\"]*\"|'[^']*'|[A-Za-z0-9_./-]+)")
_LONGEST: Final = 4_000
_DEEPEST: Final = 50


class _UnreadableError(ValueError):
    """An expression that is not one."""


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        self._at = 0
        position = 0
        text = text.rstrip()
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None:
                raise _UnreadableError
            self._tokens.append(found[1])
            position = found.end()

    def parsed(self) -> tuple[Test, frozenset[str]]:
        keys: set[str] = set()
        test = self._either(keys, 0)
        if self._at != len(self._tokens):
            raise _UnreadableError
        return test, frozenset(keys)

    def _next(self, wanted: str = "") -> str:
        if self._at >= len(self._tokens) or (wanted and self._tokens[self._at] != wanted):
            raise _UnreadableError
        self._at += 1
        return self._tokens[self._at - 1]

    def _is_next(self, *tokens: str) -> bool:
        return tuple(self._tokens[self._at : self._at + len(tokens)]) == tokens

    def _either(self, keys: set[str], depth: int) -> Test:
        tests = [self._both(keys, depth)]
        while self._is_next("||"):
            self._next()
            tests.append(self._both(keys, depth))
        return lambda labels: any(test(labels) for test in tests)

    def _both(self, keys: set[str], depth: int) -> Test:
        tests = [self._operation(keys, depth)]
        while self._is_next("&&"):
            self._next()
            tests.append(self._operation(keys, depth))
        return lambda labels: all(test(labels) for test in tests)

    def _operation(self, keys: set[str], depth: int) -> Test:
        if depth > _DEEPEST:
            raise _UnreadableError
        if self._is_next("!"):
            self._next()
            inner = self._operation(keys, depth + 1)
            return lambda labels: not inner(labels)
        if self._is_next("("):
            self._next()
            inner = self._either(keys, depth + 1)
            self._next(")")
            return inner
        name = self._next()
        if name == "all" and self._is_next("(", ")"):
            self._at += 2
            return lambda _: True
        if name == "has" and self._is_next("("):
            self._next()
            key = self._next()
            self._next(")")
            keys.add(key)
            return lambda labels: key in labels
        if name == "global" and self._is_next("(", ")"):
            raise _UnreadableError
        keys.add(name)
        return self._comparison(name)

    def _comparison(self, key: str) -> Test:
        operator = self._next()
        if operator == "not":
            self._next("in")
            values = self._set()
            return lambda labels: labels.get(key) not in values
        if operator == "in":
            values = self._set()
            return lambda labels: labels.get(key) in values
        if operator in ("starts", "ends"):
            self._next("with")
        value = self._text()
        match operator:
            case "==":
                return lambda labels: labels.get(key) == value
            case "!=":
                return lambda labels: labels.get(key) != value
            case "contains":
                return lambda labels: value in labels.get(key, "") and key in labels
            case "starts":
                return lambda labels: key in labels and labels[key].startswith(value)
            case "ends":
                return lambda labels: key in labels and labels[key].endswith(value)
        raise _UnreadableError

    def _set(self) -> frozenset[str]:
        self._next("{")
        values = []
        while not self._is_next("}"):
            values.append(self._text())
            if not self._is_next("}"):
                self._next(",")
        self._next("}")
        return frozenset(values)

    def _text(self) -> str:
        token = self._next()
        if token[0] not in "\"'":
            raise _UnreadableError
        return token[1:-1]


@lru_cache(maxsize=1024)
def label_expression(text: str) -> tuple[Test, frozenset[str]] | None:
    """What tests labels for an expression, and the labels that it asks for; None where it cannot be read.

    `global()`, which stands for no namespace at all, is not read. An empty expression means everything.
    """
    if not text.strip():
        return (lambda _: True), frozenset()
    if len(text) > _LONGEST:
        return None
    try:
        return _Parser(text).parsed()
    except _UnreadableError:
        return None
