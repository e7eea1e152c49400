"""Traefik's rule language, as far as matches can say it: `Host(`a.example`) && (PathPrefix(`/a`) || Path(`/b`))`.

A rule becomes alternatives (its disjunctive normal form); what a match has no form for stays in words as its
condition. traefik/traefik:pkg/rules/parser.go, pkg/muxer/http/matcher.go (v3), matcher_v2.go and pkg/muxer/tcp.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.routes.matches import PathMatch, PathMatchType, ValueMatch
from ingress_lint.values.patterns import deferred

V2: Final = "v2"
_MAX_ALTERNATIVES: Final = 64
_MAX_DEPTH: Final = 50

_MATCHERS: Final = (
    "ALPN",
    "AppProtocol",
    "ClientIP",
    "Header",
    "HeaderRegexp",
    "Headers",
    "HeadersRegexp",
    "Host",
    "HostHeader",
    "HostRegexp",
    "HostSNI",
    "HostSNIRegexp",
    "Method",
    "Path",
    "PathPrefix",
    "PathRegexp",
    "Query",
    "QueryRegexp",
)
_SPELLINGS: Final = {
    spelling: name for name in _MATCHERS for spelling in (name, name.lower(), name.upper(), name.lower().capitalize())
}
_ONLY_V2: Final = frozenset({"Headers", "HeadersRegexp", "HostHeader"})
_TOKEN: Final = deferred(
    r"""\s*(?:(?P<word>[A-Za-z_]\w*)|(?P<raw>`[^`]*`)|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<sign>&&|\|\||[!(),]))"""
)
_HOSTS: Final = frozenset({"Host", "HostHeader", "HostSNI"})
_PATHS: Final = {
    "Path": PathMatchType.EXACT,
    "PathPrefix": PathMatchType.STRING_PREFIX,
    "PathRegexp": PathMatchType.REGULAR_EXPRESSION,
}
_RANK: Final = (PathMatchType.EXACT, PathMatchType.REGULAR_EXPRESSION, PathMatchType.STRING_PREFIX)
"""Of several paths that one alternative asks for, which says the most."""
_VARIABLE: Final = deferred(r"\{[^{}:]*(?::((?:[^{}]|\{[^{}]*\})*))?\}")


class RuleError(ValueError):
    """A rule that Traefik cannot read, so that it makes no router of it."""


class _TooManyError(RuntimeError):
    """A rule with more alternatives than are worth following."""


class _Term(Struct, frozen=True):
    """One matcher, maybe inverted, as it is written."""

    matcher: str
    values: tuple[str, ...]
    inverted: bool = False

    def __str__(self) -> str:
        values = ", ".join(f"`{value}`" for value in self.values)
        return f"{'!' if self.inverted else ''}{self.matcher}({values})"


class Alternative(Struct, frozen=True):
    """What one alternative of a rule asks for. `host` is None for any, `path` None for any."""

    host: str | None = None
    path: PathMatch | None = None
    method: str | None = None
    headers: tuple[ValueMatch, ...] = ()
    query: tuple[ValueMatch, ...] = ()
    condition: str = ""


def alternatives(rule: str, *, v2: bool) -> tuple[Alternative, ...]:
    """What a rule asks for, one alternative after another. `v2` is for what the two syntaxes read differently."""
    try:
        terms = _Parser(rule).parse()
    except _TooManyError:
        return (Alternative(condition=rule),)
    v2 = v2 or any(term.matcher in _ONLY_V2 for conjunction in terms for term in conjunction)
    found = []
    for conjunction in terms:
        partial = [Alternative()]
        for term in conjunction:
            partial = [joined for one in partial for joined in _with_term(one, term, v2=v2)]
            if len(partial) > _MAX_ALTERNATIVES:
                return (Alternative(condition=rule),)
        found += partial
    return tuple(found) if len(found) <= _MAX_ALTERNATIVES else (Alternative(condition=rule),)


# -- the grammar ----------------------------------------------------------------------------------------------------

_Disjunction = tuple[tuple[_Term, ...], ...]


class _Parser:
    """Recursive descent, straight to alternatives: `||` joins, `&&` multiplies, `!` is carried down to the matchers."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0

    def parse(self) -> _Disjunction:
        found = self._or(inverted=False)
        if self._next < len(self._tokens):
            raise RuleError(f"`{self._tokens[self._next]}` is not expected there")
        return found

    def _peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def _take(self, expected: str = "") -> str:
        token = self._peek()
        if not token or (expected and token != expected):
            raise RuleError(f"`{expected or 'a matcher'}` is missing{f' before `{token}`' if token else ' at the end'}")
        self._next += 1
        return token

    def _or(self, *, inverted: bool) -> _Disjunction:
        found = self._and(inverted=inverted)
        while self._peek() == "||":
            self._take()
            right = self._and(inverted=inverted)
            found = _product(found, right) if inverted else _limited((*found, *right))
        return found

    def _and(self, *, inverted: bool) -> _Disjunction:
        found = self._not(inverted=inverted)
        while self._peek() == "&&":
            self._take()
            right = self._not(inverted=inverted)
            found = _limited((*found, *right)) if inverted else _product(found, right)
        return found

    def _not(self, *, inverted: bool) -> _Disjunction:
        sign = self._take()
        while sign == "!":
            inverted, sign = not inverted, self._take()
        if sign == "(":
            self._depth += 1
            if self._depth > _MAX_DEPTH:
                raise RuleError(f"more than {_MAX_DEPTH} brackets stand within one another")
            found = self._or(inverted=inverted)
            self._take(")")
            self._depth -= 1
            return found
        matcher = _SPELLINGS.get(sign)
        if matcher is None:
            raise RuleError(f"`{sign}` is no matcher")
        self._take("(")
        values = []
        while self._peek() != ")":
            values.append(_text(self._take()))
            if self._peek() != ")":
                self._take(",")
        self._take(")")
        if not values:
            raise RuleError(f"`{sign}` needs a value")
        return ((_Term(matcher, tuple(values), inverted),),)


def _tokens(text: str) -> Iterator[str]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            raise RuleError(f"`{text[at:].strip()[:20]}` cannot be read; values stand in backticks")
        yield found[0].strip()
        at = found.end()


def _text(token: str) -> str:
    if token.startswith("`"):
        return token[1:-1]
    if token.startswith('"'):
        try:
            return str(json.loads(token))
        except ValueError:
            return token[1:-1]
    raise RuleError(f"the value `{token}` must stand in backticks")


def _limited(found: _Disjunction) -> _Disjunction:
    if len(found) > _MAX_ALTERNATIVES:
        raise _TooManyError
    return found


def _product(left: _Disjunction, right: _Disjunction) -> _Disjunction:
    return _limited(tuple((*one, *other) for one in left for other in right))


# -- what matchers mean ---------------------------------------------------------------------------------------------


def _with_term(one: Alternative, term: _Term, *, v2: bool) -> Iterator[Alternative]:
    """An alternative with one more matcher; several where, as in v2, the matcher's values are alternatives."""
    if term.inverted:
        yield _on_condition(one, str(term))
    elif term.matcher in _HOSTS:
        for host in term.values:
            yield _with_host(one, host, str(term))
    elif term.matcher in _PATHS:
        for value in term.values:
            yield _with_path(one, _path(_PATHS[term.matcher], value, v2=v2))
    elif term.matcher == "Method":
        for method in term.values:
            if one.method in (None, method):
                yield replace(one, method=method)
    elif term.matcher in ("Header", "HeaderRegexp", "Headers", "HeadersRegexp"):
        pairs = tuple(_pairs(term.values, is_regex=term.matcher.endswith("Regexp")))
        yield replace(one, headers=(*one.headers, *pairs)) if pairs else _on_condition(one, str(term))
    elif term.matcher in ("Query", "QueryRegexp"):
        is_regex = term.matcher == "QueryRegexp"
        if any("=" in value for value in term.values) and (v2 or len(term.values) == 1):
            values = tuple(part for value in term.values for part in value.split("=", 1))
        else:
            values = term.values if len(term.values) > 1 else (*term.values, "")
        yield replace(one, query=(*one.query, *_pairs(values, is_regex=is_regex and len(term.values) > 1)))
    else:
        yield _on_condition(one, str(term))


def _on_condition(one: Alternative, words: str) -> Alternative:
    return replace(one, condition=f"{one.condition} && {words}" if one.condition else words)


def _with_host(one: Alternative, host: str, words: str) -> Alternative:
    if host == "*":
        return one
    host = host.lower().removesuffix(".")
    return replace(one, host=host) if one.host in (None, host) else _on_condition(one, words)


def _with_path(one: Alternative, path: PathMatch) -> Alternative:
    if one.path is None:
        return replace(one, path=path)
    kept, other = sorted((one.path, path), key=lambda item: (_RANK.index(item.type), -len(item.value)))
    matcher = next(name for name, kind in _PATHS.items() if kind is other.type)
    return _on_condition(replace(one, path=kept), str(_Term(matcher, (other.value,))))


def _path(kind: PathMatchType, value: str, *, v2: bool) -> PathMatch:
    """A path; in v2 it may hold variables such as `{id:[0-9]+}` (gorilla/mux), which make it a regular expression."""
    if not v2 or "{" not in value or kind is PathMatchType.REGULAR_EXPRESSION:
        return PathMatch(kind, value)
    pattern, at = "", 0
    for variable in _VARIABLE.finditer(value):
        pattern += re.escape(value[at : variable.start()]) + f"(?:{variable[1] or '[^/]+'})"
        at = variable.end()
    pattern += re.escape(value[at:])
    return PathMatch(
        PathMatchType.REGULAR_EXPRESSION, f"^{pattern}$" if kind is PathMatchType.EXACT else f"^{pattern}.*"
    )


def _pairs(values: Sequence[str], *, is_regex: bool) -> Iterator[ValueMatch]:
    for name, value in zip(values[::2], values[1::2], strict=False):
        yield ValueMatch(name, value, "RegularExpression" if is_regex else "Exact")
