"""Fills in the templates of ApplicationSets: fasttemplate's `{{name}}`, and what is plain of Go's text/template."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct

from ingress_lint.units.argo_cd.functions import FUNCTIONS, LONGEST, TemplateError, field_of, is_true, shown
from ingress_lint.values.numbers import decimal, integer
from ingress_lint.values.patterns import deferred

Fill = Callable[[str], str]
Params = Mapping[str, Any]

_ON_ONE_LINE: Final = deferred(r"\{\{.*\}\}")
_TAG: Final = deferred(r"\{\{(.*?)\}\}", re.DOTALL)
_ACTION: Final = deferred(r"\{\{(-(?=\s))?(.*?)((?<=\s)-)?\}\}", re.DOTALL)
_TOKEN: Final = deferred(
    r"""(?P<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?P<number>-?\d+(?:\.\d+)?(?![\w.]))|(?P<field>\$?(?:\.\w+)+|\$(?!\w)|\.(?!\w))"""
    r"""|(?P<word>[A-Za-z_]\w*)|(?P<close>\)(?:\.\w+)*)|(?P<sign>[|(])"""
)
_SPACE: Final = deferred(r"\s*")
_CONSTANTS: Final[Mapping[str, Any]] = {"true": True, "false": False, "nil": None}
_DEEPEST: Final = 50


def filler(params: Params, *, go: bool, strict: bool = False) -> Fill:
    """Fills texts in with parameters; it raises `TemplateError`.

    `go` takes Go templates, and `strict` refuses a parameter that is missing there, as `missingkey=error` does
    (argoproj/argo-cd:applicationset/utils/utils.go, Replace).
    """

    def fill_tag(tag: re.Match[str]) -> str:
        value = params.get(tag[1].strip())
        return value if isinstance(value, str) else tag[0]

    def fill(text: str) -> str:
        if "{{" not in text:
            return text
        if go:
            result = "".join(_executed(_parsed(text), params, strict))
        else:
            result = _TAG.sub(fill_tag, text) if _ON_ONE_LINE.search(text) else text
        if len(result) > LONGEST:
            raise TemplateError("what it gives is too long")
        return result

    return fill


def filled(value: Any, fill: Fill, depth: int = 0) -> Any:
    """A value with all texts in it filled in, keys too."""
    if depth > _DEEPEST:
        raise TemplateError("it is nested too deep")
    if isinstance(value, str):
        return fill(value)
    if isinstance(value, dict):
        return {
            fill(key) if isinstance(key, str) else key: filled(item, fill, depth + 1) for key, item in value.items()
        }
    if isinstance(value, list):
        return [filled(item, fill, depth + 1) for item in value]
    return value


class _Value(Struct, frozen=True):
    value: Any


class _Field(Struct, frozen=True):
    """The way into the parameters, or into what a pipeline gives."""

    names: tuple[str, ...]
    of: _Pipeline | None = None


class _Call(Struct, frozen=True):
    """A function with its arguments; `name` is empty for a lone value."""

    name: str
    arguments: tuple[_Value | _Field, ...]


class _Pipeline(Struct, frozen=True):
    calls: tuple[_Call, ...]


class _If(Struct, frozen=True):
    condition: _Pipeline
    then: _Body
    otherwise: _Body


_Body = Sequence[str | _Pipeline | _If]


@lru_cache(1024)
def _parsed(text: str) -> _Body:
    parser = _Parser(text)
    body, ended = parser.body(0)
    if ended:
        raise TemplateError(f"`{{{{ {ended} }}}}` has no beginning")
    return body


class _Parser:
    def __init__(self, text: str) -> None:
        self._parts: deque[tuple[bool, str]] = deque()
        """Text and actions, each with whether it is an action."""
        at, trims = 0, False
        for action in _ACTION.finditer(text):
            before = text[at : action.start()]
            before = before.lstrip() if trims else before
            self._parts.append((False, before.rstrip() if action[1] else before))
            self._parts.append((True, action[2].strip()))
            at, trims = action.end(), bool(action[3])
        self._parts.append((False, text[at:].lstrip() if trims else text[at:]))

    def body(self, depth: int) -> tuple[_Body, str]:
        """What stands up to the next `else` or `end`, and that action; it is empty at the end of the text."""
        if depth > _DEEPEST:
            raise TemplateError("it is nested too deep")
        nodes: list[str | _Pipeline | _If] = []
        while self._parts:
            is_action, part = self._parts.popleft()
            if not is_action:
                nodes.append(part)
            elif part in ("else", "end") or part.startswith("else if "):
                return nodes, part
            elif part.startswith("if "):
                nodes.append(self._if(part.removeprefix("if "), depth + 1))
            elif not part.startswith("/*"):
                nodes.append(_pipeline(part))
        return nodes, ""

    def _if(self, condition: str, depth: int) -> _If:
        then, ended = self.body(depth)
        otherwise: _Body = ()
        if ended.startswith("else if "):
            otherwise, ended = [self._if(ended.removeprefix("else if "), depth + 1)], "end"
        elif ended == "else":
            otherwise, ended = self.body(depth)
        if ended != "end":
            raise TemplateError("an `if` has no `end`")
        return _If(_pipeline(condition), then, otherwise)


def _pipeline(action: str) -> _Pipeline:
    tokens = deque(_tokens(action))
    pipeline, ended = _calls(tokens, action, 0)
    if ended:
        raise _not_plain(action)
    return pipeline


def _tokens(action: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(action):
        token = _TOKEN.match(action, at)
        if token is None or token.lastgroup is None:
            raise _not_plain(action)
        yield token.lastgroup, token[0]
        space = _SPACE.match(action, token.end())
        at = space.end() if space else token.end()


def _calls(tokens: deque[tuple[str, str]], action: str, depth: int) -> tuple[_Pipeline, str]:
    """The calls up to a closing bracket, which is given too."""
    if depth > _DEEPEST:
        raise TemplateError("it is nested too deep")
    calls: list[_Call] = []
    operands: list[_Value | _Field] = []
    name, ended = "", ""
    while tokens:
        kind, written = tokens.popleft()
        if kind == "close":
            ended = written
            break
        if written == "|":
            calls.append(_call(name, operands, calls, action))
            name, operands = "", []
        elif written == "(":
            inner, closed = _calls(tokens, action, depth + 1)
            if not closed:
                raise _not_plain(action)
            operands.append(_Field(tuple(closed[1:].split(".")[1:]), inner))
        elif kind == "word" and written not in _CONSTANTS:
            if name or operands:
                raise _not_plain(action)
            name = written
        elif kind == "field":
            operands.append(_Field(tuple(part for part in written.removeprefix("$").split(".") if part)))
        else:
            operands.append(_Value(_literal(kind, written, action)))
    calls.append(_call(name, operands, calls, action))
    return _Pipeline(tuple(calls)), ended


def _call(name: str, operands: Sequence[_Value | _Field], before: Sequence[_Call], action: str) -> _Call:
    if name and name not in FUNCTIONS:
        raise TemplateError(f"its function `{name}` is not known here")
    if not name and (before or len(operands) != 1):
        raise _not_plain(action)
    return _Call(name, tuple(operands))


def _literal(kind: str, token: str, action: str) -> Any:
    if kind == "word":
        return _CONSTANTS[token]
    if kind == "number":
        return integer(token) if integer(token) is not None else decimal(token)
    if token.startswith("`"):
        return token[1:-1]
    try:
        return json.loads(token)
    except ValueError:
        raise _not_plain(action) from None


def _not_plain(action: str) -> TemplateError:
    return TemplateError(f"`{{{{ {' '.join(action.split())[:100]} }}}}` is more than is filled in here")


def _executed(body: _Body, params: Params, strict: bool) -> Iterator[str]:
    for node in body:
        if isinstance(node, str):
            yield node
        elif isinstance(node, _Pipeline):
            yield shown(_result(node, params, strict))
        else:
            holds = is_true(_result(node.condition, params, strict))
            yield from _executed(node.then if holds else node.otherwise, params, strict)


def _result(pipeline: _Pipeline, params: Params, strict: bool) -> Any:
    value: Any = None
    for index, call in enumerate(pipeline.calls):
        arguments = [_operand(operand, params, strict) for operand in call.arguments]
        if index:
            arguments.append(value)
        if not call.name:
            value = arguments[0]
            continue
        try:
            value = FUNCTIONS[call.name](*arguments)
        except (TypeError, ValueError, LookupError, AttributeError, OverflowError, MemoryError):
            raise TemplateError(f"its function `{call.name}` does not take what it is given") from None
    return value


def _operand(operand: _Value | _Field, params: Params, strict: bool) -> Any:
    if isinstance(operand, _Value):
        return operand.value
    value = params if operand.of is None else _result(operand.of, params, strict)
    for name in operand.names:
        value = field_of(value, name, strict=strict)
    return value
