"""Variables filled into a text as Flux's envsubst does it (fluxcd/pkg:envsubst/parse/parse.go, envsubst/funcs.go)."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate
from typing import Final

from ingress_lint.values.expressions import compiled
from ingress_lint.values.patterns import deferred
from ingress_lint.values.placeholders import is_placeholder

Lookup = Callable[[str], str | None]
"""The value of a variable, None where it is not known; one that is not set is empty."""
VARIABLE: Final = deferred(r"[A-Za-z_][A-Za-z0-9_]*")
"""What a variable may be called (fluxcd/pkg:kustomize/kustomize_varsub.go)."""
USED: Final = deferred(r"(?<!\$)\$\{#?([A-Za-z_][A-Za-z0-9_]*)")
"""A variable in a text, its name in the group."""
_NAME: Final = deferred(r"\w+")
_LITERAL: Final = deferred(r"[^$]+")
_DEFAULTS: Final = (":=", ":-", ":?", ":+", "=")
_DEEPEST: Final = 50
_GLOB: Final = "*?["
_QUOTED: Final = deferred(
    r"""^((?:[ \t]*-)*[ \t]*(?:[\w./-]+:[ \t]+)?)(["'])(\$\{(?:(?!: | \#)[^"'\\\n])*)\2(?=[ \t]*\r?$)""", re.MULTILINE
)


def is_used_in(text: str) -> bool:
    """Whether there is anything to fill in or to unescape in a text."""
    return "${" in text or "$$" in text


def without_quotes(text: str) -> str:
    """The text as kustomize writes it, without quotes that a variable does not need: what is filled in may be a number."""
    return _QUOTED.sub(r"\1\3", text)


class BadSubstitutionError(Exception):
    """An expression that envsubst refuses."""


def substitute(text: str, lookup: Lookup) -> str:
    """The text with its variables filled in; `${NAME}` stays for what is not known. Raises `BadSubstitutionError`."""
    if "$" not in text:
        return text
    return _Reader(text, lookup).whole()


class _Reader:
    def __init__(self, text: str, lookup: Lookup) -> None:
        self._text = text
        self._lookup = lookup
        self._at = 0
        self._depth = 0

    def whole(self) -> str:
        parts: list[str] = []
        while self._at < len(self._text):
            literal = _LITERAL.match(self._text, self._at)
            if literal is not None:
                parts.append(literal[0])
                self._at = literal.end()
            elif self._take("${"):
                parts.append(self._expression()[0])
            elif self._take("$$") or self._take("$"):
                parts.append("$")
        return "".join(parts)

    def _expression(self) -> tuple[str, bool]:
        """What an expression gives whose `${` was read, and whether it is known."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BadSubstitutionError
        if self._take("#"):
            name = self._name()
            self._expect("}")
            found = self._result(name, "#", [])
        else:
            name = self._name()
            operator = self._operator()
            arguments = self._arguments(operator)
            found = self._result(name, operator, arguments)
        self._depth -= 1
        return found

    def _name(self) -> str:
        found = _NAME.match(self._text, self._at)
        if found is None:
            raise BadSubstitutionError
        self._at = found.end()
        return found[0]

    def _operator(self) -> str:
        for operator in (*_DEFAULTS, ":", "//", "/#", "/%", "/", "##", "#", "%%", "%", ",,", ",", "^^", "^"):
            if self._take(operator):
                return operator
        return ""

    def _arguments(self, operator: str) -> list[tuple[str, bool]]:
        arguments: list[tuple[str, bool]] = []
        if operator in _DEFAULTS:
            while not self._text.startswith("}", self._at):
                arguments.append(self._argument("}"))
        elif operator == ":":
            arguments.append(self._argument(":}"))
            if self._take(":"):
                arguments.append(self._argument("}"))
        elif operator.startswith("/"):
            arguments.append(self._argument("/", escapes=True))
            self._expect("/")
            if not self._text.startswith("}", self._at):
                arguments.append(self._argument("}", escapes=True))
        elif operator.startswith(("#", "%")):
            arguments.append(self._argument("}"))
        self._expect("}")
        return arguments

    def _argument(self, ends: str, *, escapes: bool = False) -> tuple[str, bool]:
        """One part of an expression: another expression, or text up to one or to one of the characters `ends`."""
        if self._take("${"):
            return self._expression()
        start, parts = self._at, []
        while (
            self._at < len(self._text)
            and self._text[self._at] not in ends
            and not self._text.startswith("${", self._at)
        ):
            if escapes and self._text.startswith(("$$", "\\/", "\\\\"), self._at):
                self._at += 1
            parts.append(self._text[self._at])
            self._at += 1
        if self._at == start or self._at >= len(self._text):
            raise BadSubstitutionError
        return "".join(parts), True

    def _take(self, prefix: str) -> bool:
        taken = self._text.startswith(prefix, self._at)
        if taken:
            self._at += len(prefix)
        return taken

    def _expect(self, closing: str) -> None:
        if not self._take(closing):
            raise BadSubstitutionError

    def _result(self, name: str, operator: str, arguments: list[tuple[str, bool]]) -> tuple[str, bool]:
        value = self._lookup(name)
        if value is None:
            return _placeholder(name), False
        if not operator:
            return value, True
        texts = [text for text, _ in arguments]
        if operator in _DEFAULTS:  # all of them, as envsubst has it
            return (value, True) if value else ("".join(texts), all(known for _, known in arguments))
        changed = (
            None
            if is_placeholder(value) or not all(known for _, known in arguments)
            else _changed(value, operator, texts)
        )
        return (_placeholder(name), False) if changed is None else (changed, True)


def _placeholder(name: str) -> str:
    """What stands for an unknown variable in a text."""
    written = f"${{{name}}}"
    return written if is_placeholder(written) else f"${{_{name}}}"


def _changed(value: str, operator: str, arguments: list[str]) -> str | None:
    """What an operator makes of a value; None where that is not worked out here."""
    match operator:
        case "," | ",,":
            return value.lower() if operator == ",," else value[:1].lower() + value[1:]
        case "^" | "^^":
            return value.upper() if operator == "^^" else value[:1].upper() + value[1:]
        case ":":
            return _part(value, arguments)
        case "#" if not arguments:
            return str(len(value.encode()))
        case "#" | "##" | "%" | "%%":
            return _trimmed(value, operator, arguments[0])
    return _replaced(value, operator, arguments[0], arguments[1:])


def _part(value: str, arguments: list[str]) -> str:
    try:
        position, *length = map(int, arguments)
    except ValueError:
        return value
    if position < 0:
        position = max(len(value) + position, 0)
    return value[position : position + length[0]] if length else value[position:]


def _replaced(value: str, operator: str, old: str, rest: list[str]) -> str:
    new = rest[0] if rest else ""
    if operator in ("/#", "/%") and not rest:
        return value
    if operator == "/#":
        return new + value.removeprefix(old) if value.startswith(old) else value
    if operator == "/%":
        return value.removesuffix(old) + new if value.endswith(old) else value
    return value.replace(old, new, 1 if operator == "/" else -1)


def _trimmed(value: str, operator: str, pattern: str) -> str | None:
    """The value without its shortest or longest start or end that fits a shell pattern."""
    fits = _matcher(pattern)
    if fits is None:
        return None
    lengths = range(1, len(value) + 1)
    for length in reversed(lengths) if len(operator) == 2 else lengths:
        if operator[0] == "#" and fits(value[:length]):
            return value[length:]
        if operator[0] == "%" and fits(value[-length:]):
            return value[:-length]
    return value


def _matcher(pattern: str) -> Callable[[str], object] | None:
    if "\\" in pattern or len(pattern) > _DEEPEST:
        return None
    if not any(char in pattern for char in _GLOB):
        return pattern.__eq__
    expression = compiled(translate(pattern.replace("[^", "[!")))
    return None if expression is None else expression.fits
