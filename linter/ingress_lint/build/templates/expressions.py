"""Pipelines of Go templates, parsed as far as it takes to see what values they are made of."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from msgspec import Struct

from ingress_lint.values.patterns import deferred

_TOKEN: Final = deferred(
    r"(?P<space>[ \t\r\n]+)"
    r'|(?P<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`)'
    r"|(?P<variable>\$\w*)"
    r"|(?P<field>\.\w+)"
    r"|(?P<dot>\.)"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<number>[-+]?\d[\w.]*|'(?:[^'\\\n]|\\.)*')"
    r"|(?P<sign>:=|=|[|(),])"
)
_DEEPEST: Final = 40
_ESCAPED: Final = deferred(r"\\(.)")


class Literal(Struct, frozen=True):
    """A text or a number; `text` is as it prints."""

    text: str


class Variable(Struct, frozen=True):
    """A variable, with its `$`; `.` is the dot."""

    name: str


class Field(Struct, frozen=True):
    """A field of what another expression gives, by the names that lead there."""

    of: Expression
    names: tuple[str, ...]


class Call(Struct, frozen=True):
    """A function, or a method (then `name` is empty and it stands first in `arguments`), with its arguments."""

    name: str
    arguments: tuple[Expression, ...]


Expression = Literal | Variable | Field | Call
DOT: Final = Variable(".")


class Pipeline(Struct, frozen=True):
    """An expression, and the variables that take what it gives (two of a `range`: the key and the item)."""

    expression: Expression | None
    variables: tuple[str, ...] = ()
    declares: bool = False


@lru_cache(4096)
def pipeline(code: str) -> Pipeline:
    """The pipeline that stands in an action; of what cannot be parsed, as much as can be."""
    return _Parser(code).pipeline()


def text_of(quoted: str) -> str:
    """What a quoted text says."""
    if quoted.startswith("`"):
        return quoted[1:-1]
    return _ESCAPED.sub(lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), quoted[1:-1])


class _Parser:
    def __init__(self, code: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while (found := _TOKEN.match(code, at)) is not None:
            self._tokens.append((found.lastgroup or "", found[0]))
            at = found.end()
        self._at = 0
        self._depth = 0

    def pipeline(self) -> Pipeline:
        start = self._at
        variables: list[str] = []
        while self._next()[0] == "variable":
            variables.append(self._take()[1])
            sign = self._next()[1]
            if sign == ",":
                self._take()
            elif sign in (":=", "="):
                self._take()
                return Pipeline(self._piped(), tuple(variables), sign == ":=")
            else:
                break
        self._at = start
        return Pipeline(self._piped())

    def _piped(self) -> Expression | None:
        result = self._command()
        while self._next()[1] == "|":
            self._take()
            following = self._command()
            if following is None:
                break
            if result is not None:
                result = _applied(following, result)
        return result

    def _command(self) -> Expression | None:
        operands: list[Expression] = []
        while (operand := self._operand()) is not None:
            operands.append(operand)
        if not operands:
            return None
        first, *rest = operands
        if isinstance(first, Call) and first.name and not first.arguments:
            return Call(first.name, tuple(rest))
        return Call("", tuple(operands)) if rest else first

    def _operand(self) -> Expression | None:
        kind, text = self._next()
        result: Expression
        if kind == "sign" and text == "(":
            if self._depth >= _DEEPEST:
                return None
            self._take()
            self._depth += 1
            inner = self.pipeline().expression
            self._depth -= 1
            if self._next()[1] == ")":
                self._take()
            result = inner if inner is not None else Literal("")
        elif kind == "variable":
            result = Variable(self._take()[1])
        elif kind in ("field", "dot"):
            result = DOT
            if kind == "dot":
                self._take()
        elif kind == "word":
            self._take()
            result = Literal(text) if text in ("true", "false", "nil") else Call(text, ())
        elif kind in ("text", "number"):
            self._take()
            result = Literal(text_of(text) if kind == "text" else text)
        else:
            return None
        names = []
        while self._at < len(self._tokens) and self._tokens[self._at][0] == "field":
            names.append(self._tokens[self._at][1][1:])
            self._at += 1
        return Field(result, tuple(names)) if names else result

    def _next(self) -> tuple[str, str]:
        while self._at < len(self._tokens) and self._tokens[self._at][0] == "space":
            self._at += 1
        return self._tokens[self._at] if self._at < len(self._tokens) else ("", "")

    def _take(self) -> tuple[str, str]:
        token = self._next()
        self._at += 1
        return token


def _applied(command: Expression, last: Expression) -> Expression:
    """A command of a pipeline, which takes what stands before it as its last argument."""
    if isinstance(command, Call):
        return Call(command.name, (*command.arguments, last))
    return Call("", (command, last))
