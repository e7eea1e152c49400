"""Traefik's rule language, as far as matches can say it: `Host(`a.example`) && (PathPrefix(`/a`) || Path(`/b`))`.

A rule becomes alternatives (its disjunctive normal form); what a match has no place for becomes its condition. traefik/traefik:pkg/rules/parser.go, pkg/muxer/http/matcher.go (v3), matcher_v2.go and pkg/muxer/tcp.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.routes import hostnames
from ingress_lint.routes.matches import AllOf, AnyOf, Comparison, Expression, Not, PathMatch, PathMatchType, ValueMatch
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
_HOST_EXPRESSIONS: Final = frozenset({"HostRegexp", "HostSNIRegexp"})
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
    conditions: tuple[Expression, ...] = ()
    """What else must hold."""
    condition: str = ""
    """The same in words."""

    @property
    def expression(self) -> Expression | None:
        """What else must hold, None where that is nothing."""
        return AllOf(self.conditions) if self.conditions else None


def alternatives(rule: str, *, v2: bool) -> tuple[Alternative, ...]:
    """What a rule asks for, one alternative after another. `v2` is for what the two syntaxes read differently."""
    try:
        terms = _Parser(rule).parse()
    except _TooManyError:
        return (unreadable(rule),)
    v2 = v2 or any(term.matcher in _ONLY_V2 for conjunction in terms for term in conjunction)
    found = []
    for conjunction in terms:
        partial = [Alternative()]
        for term in conjunction:
            partial = [joined for one in partial for joined in _with_term(one, term, v2=v2)]
            if len(partial) > _MAX_ALTERNATIVES:
                return (unreadable(rule),)
        found += partial
    return tuple(found) if len(found) <= _MAX_ALTERNATIVES else (unreadable(rule),)


def unreadable(rule: str) -> Alternative:
    """A rule of which nobody knows what it asks for."""
    return Alternative(conditions=(Comparison(rule),), condition=rule)


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
    if v2 and term.matcher == "Query" and len(term.values) > 1 and any("=" in value for value in term.values):
        yield from _with_pairs(one, term)
        return
    tests = _tests(term, v2=v2)
    if term.inverted:
        yield _on_condition(one, Not(_any_of(tests)), str(term))
        return
    for test in tests:
        yield _with_test(one, test)


def _with_pairs(one: Alternative, term: _Term) -> Iterator[Alternative]:
    """An alternative with the parameters of v2's `Query(`a=1`, `b=2`)`, which must all be there."""
    tests = tuple(test for value in term.values for test in _tests(_Term(term.matcher, (value,)), v2=True))
    if term.inverted:
        yield _on_condition(one, Not(AllOf(tests)), str(term))
        return
    for test in tests:
        one = _with_test(one, test)
    yield one


def _with_test(one: Alternative, test: Comparison) -> Alternative:
    """An alternative with one more comparison, as a condition where its own place is taken."""
    if test.host is not None and (test.host == hostnames.ANY or one.host in (None, test.host)):
        return replace(one, host=test.host or one.host)
    if test.path is not None and one.path is None:
        return replace(one, path=test.path)
    if test.path is not None and one.path is not None and _rank(test.path) < _rank(one.path):
        matcher = next(name for name, kind in _PATHS.items() if kind is one.path.type)
        words = str(_Term(matcher, (one.path.value,)))
        return _on_condition(replace(one, path=test.path), Comparison(words, path=one.path), words)
    if test.method is not None and one.method in (None, test.method):
        return replace(one, method=test.method)
    if test.header is not None:
        return replace(one, headers=(*one.headers, test.header))
    if test.query is not None:
        return replace(one, query=(*one.query, test.query))
    return _on_condition(one, test, test.words)


def _tests(term: _Term, *, v2: bool) -> tuple[Comparison, ...]:
    """The comparisons of a matcher, of which one must hold."""
    plain = replace(term, inverted=False)
    if term.matcher in _HOSTS:
        return tuple(Comparison(str(replace(plain, values=(host,))), host=_host(host)) for host in term.values)
    if term.matcher in _HOST_EXPRESSIONS:
        return tuple(Comparison(str(plain), host="~" + (_template(host) if v2 else host)) for host in term.values)
    if term.matcher in _PATHS:
        kind = _PATHS[term.matcher]
        return tuple(
            Comparison(str(replace(plain, values=(path,))), path=_path(kind, path, v2=v2)) for path in term.values
        )
    if term.matcher == "Method":
        return tuple(Comparison(str(replace(plain, values=(method,))), method=method.upper()) for method in term.values)
    is_regex = term.matcher.lower().endswith("regexp")
    if term.matcher.startswith("Header") and len(term.values) > 1:
        return (Comparison(str(plain), header=_value(term.values[0], term.values[1], is_regex=is_regex)),)
    if term.matcher.startswith("Query"):
        name, _, value = (
            term.values[0].partition("=") if len(term.values) == 1 else (*term.values[:1], "", term.values[1])
        )
        return (Comparison(str(plain), query=_value(name, value, is_regex=is_regex and len(term.values) > 1)),)
    return (Comparison(str(plain)),)


def _any_of(tests: tuple[Comparison, ...]) -> Expression:
    return tests[0] if len(tests) == 1 else AnyOf(tests)


def _on_condition(one: Alternative, expression: Expression, words: str) -> Alternative:
    said = f"{one.condition} && {words}" if one.condition else words
    return replace(one, conditions=(*one.conditions, expression), condition=said)


def _host(host: str) -> str:
    return hostnames.ANY if host == "*" else host.lower().removesuffix(".")


def _rank(path: PathMatch) -> tuple[int, int]:
    """Of several paths that one alternative asks for, the least says the most."""
    return _RANK.index(path.type), -len(path.value)


def _value(name: str, value: str, *, is_regex: bool) -> ValueMatch:
    """Expressions need not match the whole value (pkg/muxer/http/matcher.go, headerRegexp and queryRegexp)."""
    return ValueMatch(name, value, "RegularExpression", open=True) if is_regex else ValueMatch(name, value)


def _template(host: str) -> str:
    """The expression that v2 makes of a host with variables such as `{name:[a-z]+}`."""
    return f"^{_expression(host)}$"


def _path(kind: PathMatchType, value: str, *, v2: bool) -> PathMatch:
    """A path; in v2 it may hold variables such as `{id:[0-9]+}` (gorilla/mux), which make it a regular expression."""
    if kind is PathMatchType.REGULAR_EXPRESSION:
        return PathMatch(kind, value, open_end=True, open_start=True)
    if not v2 or "{" not in value:
        return PathMatch(kind, value)
    whole = kind is PathMatchType.EXACT
    return PathMatch(PathMatchType.REGULAR_EXPRESSION, f"^{_expression(value)}{'$' if whole else '.*'}")


def _expression(template: str) -> str:
    pattern, at = "", 0
    for variable in _VARIABLE.finditer(template):
        pattern += re.escape(template[at : variable.start()]) + f"(?:{variable[1] or '[^/]+'})"
        at = variable.end()
    return pattern + re.escape(template[at:])
