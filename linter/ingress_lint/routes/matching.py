"""Requests, whether a match fits one, and in what order matches are tried.

What every controller shares is here; what is its own is a `Conduct`, with its `Precedence`: a list of criteria that it
compares one after another. `SPECIFIED` is the Gateway API's (kubernetes-sigs/gateway-api:apis/v1/httproute_types.go,
HTTPRouteRule.matches and HTTPRouteSpec.hostnames; grpcroute_types.go, GRPCRouteRule.matches).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple

from msgspec import Struct, field

from ingress_lint.objects.model import AnyObject
from ingress_lint.routes import hostnames
from ingress_lint.routes.listeners import Listener
from ingress_lint.routes.matches import (
    AnyOf,
    Comparison,
    Expression,
    Match,
    Not,
    PathMatch,
    PathMatchType,
    ValueMatch,
)
from ingress_lint.routes.model import Route
from ingress_lint.routes.paths import AS_WRITTEN, PathHandling
from ingress_lint.values.expressions import compiled, fault, is_unknown

_NO_TIMESTAMP: Final = "~"
"""After every timestamp: an object that has none yet is younger than one that has."""


class Request(Struct, frozen=True, dict=True):
    """A request as it arrives. `host` is without the port; header names are in lower case.

    `protocol` is `http` (with or without TLS, as `secure` says), `grpc`, `tls`, `tcp` or `udp`.
    """

    protocol: str
    host: str
    port: int
    secure: bool = False
    path: str = "/"
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    query_string: str = ""
    sni: str | None = None
    authority: str = ""
    """The Host header as it was sent; empty where that is `host`, with `port` unless it is the scheme's own."""
    client_certificate: bool = False
    """Whether the client shows a certificate; it is taken for a valid one."""

    @cached_property
    def query(self) -> tuple[tuple[str, str], ...]:
        """The query's parameters, in order."""
        from urllib.parse import parse_qsl

        return tuple(parse_qsl(self.query_string, keep_blank_values=True))

    def header(self, name: str) -> str | None:
        """The value of a header, its name in lower case, or of what HTTP/2 and Envoy have as one; None where it is absent."""
        match name:
            case ":method":
                return self.method
            case ":scheme":
                return "https" if self.encrypted else "http"
            case ":authority":
                return self.host if self.port in (80, 443) else f"{self.host}:{self.port}"
            case _:
                return self.headers.get(name)

    @property
    def encrypted(self) -> bool:
        """Whether it comes by TLS."""
        return self.protocol == "tls" or self.secure

    @property
    def server_name(self) -> str:
        """The name asked for in the TLS handshake."""
        return self.host if self.sni is None else self.sni


class Candidate(Struct, frozen=True):
    """One match of one route; `match` is None where the route takes every connection. `hostname` is what counts."""

    route: Route
    match: Match | None
    index: int
    hostname: str
    listener: Listener
    """The listener through which the request comes to it."""
    position: int = 0
    """Where it stands among all routes, in the order that their controller makes them."""
    named: str = hostnames.ANY
    """The route's own hostname, before its listener's narrows it to `hostname`."""


class Criterion(Struct, frozen=True):
    """One comparison between two matches that both fit. The greater `key` wins; `words` says what the winner has."""

    key: Callable[[Candidate], Any]
    words: str


Precedence = Sequence[Criterion]


def age(item: AnyObject) -> tuple[str, str]:
    """Sorts objects by age, then by namespace and name, as the Gateway API breaks ties."""
    return (item.created or _NO_TIMESTAMP, f"{item.namespace}/{item.name}")


class Reversed(NamedTuple):
    """Turns the order of a key around: in a criterion, the smaller one wins."""

    key: Any

    def __lt__(self, other: Any) -> bool:
        return bool(other.key < self.key)

    def __gt__(self, other: Any) -> bool:
        return bool(other.key > self.key)


def _path(candidate: Candidate) -> PathMatch | None:
    return candidate.match.path.value if candidate.match else None


def is_exact(candidate: Candidate) -> bool:
    """Whether it has an exact path."""
    path = _path(candidate)
    return path is not None and path.type is PathMatchType.EXACT


def is_expression(candidate: Candidate) -> bool:
    """Whether its path is a regular expression."""
    path = _path(candidate)
    return path is not None and path.type is PathMatchType.REGULAR_EXPRESSION


def prefix_length(candidate: Candidate) -> int:
    """The length of a path prefix, 0 for other paths."""
    path = _path(candidate)
    return len(path.value) if path is not None and path.type is PathMatchType.PREFIX else 0


def path_length(candidate: Candidate) -> int:
    """The length of its path, however that is compared."""
    path = _path(candidate)
    return len(path.value) if path is not None else 0


_KINDS: Final = {PathMatchType.EXACT: 2, PathMatchType.REGULAR_EXPRESSION: 1}


def exact_regex_prefix(candidate: Candidate) -> int:
    """Ranks exact paths before regular expressions, and these before prefixes."""
    path = _path(candidate)
    return _KINDS.get(path.type, 0) if path is not None else 0


def _grpc_length(candidate: Candidate, part: str) -> int:
    grpc = candidate.match.grpc if candidate.match else None
    return len(getattr(grpc, part) or "") if grpc else 0


BY_AGE: Final[Precedence] = (
    Criterion(lambda c: Reversed(age(c.route.owner)[0]), "the older object"),
    Criterion(lambda c: Reversed(age(c.route.owner)[1]), "the name that comes first in the alphabet"),
    Criterion(lambda c: -c.route.rule, "the earlier rule"),
    Criterion(lambda c: -c.index, "the earlier match"),
)
"""How the Gateway API breaks ties."""
SPECIFIED: Final[Precedence] = (
    Criterion(
        lambda c: (hostnames.specificity(c.hostname), hostnames.specificity(c.named)), "a more specific hostname"
    ),
    Criterion(is_exact, "an exact path"),
    Criterion(prefix_length, "a longer path prefix"),
    Criterion(lambda c: _grpc_length(c, "service"), "a longer gRPC service"),
    Criterion(lambda c: _grpc_length(c, "method"), "a longer gRPC method"),
    Criterion(lambda c: bool(c.match and c.match.method), "a method"),
    Criterion(lambda c: len(c.match.headers) if c.match else 0, "more headers"),
    Criterion(lambda c: len(c.match.query) if c.match else 0, "more query parameters"),
    *BY_AGE,
)
"""The Gateway API's order. Where paths are regular expressions the specification leaves it open: last, here."""

INGRESS: Final[Precedence] = (
    Criterion(lambda c: c.route.priority.value if c.route.priority else 0, "a higher priority"),
    Criterion(lambda c: not c.route.is_default, "rules of its own, and the other is a default backend"),
    Criterion(lambda c: hostnames.specificity(c.hostname), "a more specific host"),
    Criterion(is_exact, "an exact path"),
    Criterion(path_length, "a longer path"),
    Criterion(lambda c: len(c.match.headers) + len(c.match.query) if c.match else 0, "more conditions"),
    Criterion(lambda c: Reversed(age(c.route.owner)[0]), "the older object"),
    Criterion(lambda c: -c.position, "the earlier route"),
)
"""What the Ingress specification says of hosts and paths (kubernetes.io/docs/concepts/services-networking/ingress)."""


class Conduct(Struct, frozen=True):
    """What a controller does with requests in its own way; the defaults are the Gateway API's."""

    precedence: Precedence = SPECIFIED
    hosts_apart: bool = False
    """Whether the routes of a less specific host never answer for a host that another route names better; but a default
    backend does for the hosts of its own object."""
    defaults_apart: bool = False
    """Whether a default backend is no more than a route for any host."""
    listeners_apart: bool = False
    """Whether a TLS connection sees the routes of its own listener, even for hosts that another one serves better."""
    one_label_wildcards: bool = False
    """Whether `*.example.com` stands for one label only."""
    wildcards_shut_out: bool = False
    """Whether such a wildcard, where hosts are apart, keeps hosts of more labels from wider ones all the same."""
    own_certificate: bool = False
    """Whether it takes TLS on port 443 for every host, with a certificate of its own where none is written."""
    opens_tls: bool = False
    """Whether it takes TLS on port 443 for every host, and has no route for it but those that ask for TLS."""
    paths: PathHandling = AS_WRITTEN
    """What it makes of a path before it compares it."""
    tells_misdirected: bool = True
    """Whether a request for a host of another listener than the one that its connection was made for gets 421."""
    tells_scheme: bool = False
    """Whether the header X-Forwarded-Proto says `https` of what comes by TLS before routes are matched."""


SPECIFIED_CONDUCT: Final = Conduct()
INGRESS_CONDUCT: Final = Conduct(INGRESS, one_label_wildcards=True)
"""What a controller of Ingresses does where nothing more is known of it."""


# -- matches --------------------------------------------------------------------------------------------------------


def mismatch(request: Request, match: Match) -> str | None:
    """Why a request is not what `match` asks for, None where it is."""
    path = match.path.value
    if not path_matches(path, request.path):
        return f"path `{request.path}` is not {_PATH_WORDS[path.type]} `{path.value}`"
    if match.method is not None and match.method != request.method:
        return f"method {request.method} is not {match.method}"
    for header in match.headers:
        if (why := _unlike(header, request.header(header.name.lower()))) is not None:
            return f"header {why}"
    for parameter in match.query:
        if (why := _unlike(parameter, _parameter(request, parameter.name))) is not None:
            return f"query parameter {why}"
    return None


def holds(expression: Expression, request: Request, host: str) -> bool | None:
    """Whether an expression holds for a request to a host; None where that is not known."""
    if isinstance(expression, Comparison):
        return _tested(expression, request, host)
    if isinstance(expression, Not):
        found = holds(expression.part, request, host)
        return None if found is None else not found
    answers = {holds(part, request, host) for part in expression.parts}
    decisive = isinstance(expression, AnyOf)
    if decisive in answers:
        return decisive
    return None if None in answers else not decisive


def _tested(test: Comparison, request: Request, host: str) -> bool | None:
    if test.host is not None:
        return hostnames.matches(test.host, host) and hostnames.same_depth(test.host, host)
    if test.path is not None:
        return path_matches(test.path, request.path)
    if test.header is not None:
        return _value_matches(test.header, request.header(test.header.name.lower()))
    if test.query is not None:
        return _value_matches(test.query, _parameter(request, test.query.name))
    return None if test.method is None else test.method == request.method


def _parameter(request: Request, name: str) -> str | None:
    return next((value for known, value in request.query if known == name), None)


_PATH_WORDS: Final = {
    PathMatchType.EXACT: "exactly",
    PathMatchType.PREFIX: "under",
    PathMatchType.REGULAR_EXPRESSION: "matched by",
    PathMatchType.STRING_PREFIX: "one that starts with",
    PathMatchType.GLOB: "one like",
}


def path_matches(path: PathMatch, asked: str) -> bool:
    """Whether a path is one that `path` stands for; not where that cannot be told."""
    return _path_fits(path, asked) is True


def undecided(request: Request, match: Match) -> str | None:
    """The expression of a match of which nobody can tell whether it fits a request; None where there is no such one."""
    path = match.path.value
    if path.type is PathMatchType.REGULAR_EXPRESSION and _path_fits(path, request.path) is None:
        return path.value
    for header in match.headers:
        value = request.headers.get(header.name.lower())
        if value is not None and _value_fits(header, value) is None:
            return header.value
    return None


def is_hard(match: Match) -> bool:
    """Whether an expression of a match is one that is matched with a time limit, or not at all."""
    path = match.path.value
    written = [path.value] if path.type is PathMatchType.REGULAR_EXPRESSION else []
    written += [header.value for header in match.headers if header.type != "Exact"]
    return any(fault(text, "RE2") is not None or is_unknown(text) for text in written)


def _path_fits(path: PathMatch, asked: str) -> bool | None:
    value = path.value
    match path.type:
        case PathMatchType.EXACT:
            return asked == value
        case PathMatchType.PREFIX:
            prefix = value.rstrip("/")
            return asked == prefix or asked.startswith(prefix + "/")
        case PathMatchType.STRING_PREFIX:
            return asked.startswith(value)
        case PathMatchType.GLOB:
            return _full_match(_glob(value), asked)
        case _:
            expression = f"(?i:{value})" if path.ignore_case else value
            if path.open_start:
                return _occurs(expression, asked)
            return _full_match(f"(?:{expression}).*" if path.open_end else expression, asked)


def _value_matches(wanted: ValueMatch, value: str | None) -> bool:
    return _value_fits(wanted, value) is True


def _unlike(wanted: ValueMatch, value: str | None) -> str | None:
    """Why a value, None where there is none, is not the one that is wanted; None where it is."""
    if value is None:
        expected = "and some other value is wanted" if wanted.inverted else f"not `{wanted.value}`"
        return None if wanted.or_absent else f"`{wanted.name}` is absent, {expected}"
    alike = _value_fits(wanted, value) is True
    if alike is not wanted.inverted:
        return None
    return f"`{wanted.name}` is `{value}`, {'which is not wanted' if alike else f'not `{wanted.value}`'}"


def _value_fits(wanted: ValueMatch, value: str | None) -> bool | None:
    """Whether a value is the one wanted; None where nobody can say what its expression matches."""
    if value is None or wanted.type == "Exact":
        return value == wanted.value
    return _occurs(wanted.value, value) if wanted.open else _full_match(wanted.value, value)


def _occurs(expression: str, text: str) -> bool | None:
    """Whether an expression matches somewhere in a text; one that does not compile matches nothing."""
    found = compiled(expression)
    if found is None:
        return None if fault(expression) is None else False
    return found.occurs_in(text)


def _full_match(expression: str, text: str) -> bool | None:
    """Whether an expression matches a text as a whole; one that does not compile matches nothing."""
    found = compiled(expression)
    if found is None:
        return None if fault(expression) is None else False
    return found.fits(text)


@lru_cache(maxsize=1024)
def _glob(value: str) -> str:
    return "".join(".*" if char == "*" else "." if char == "?" else re.escape(char) for char in value)
