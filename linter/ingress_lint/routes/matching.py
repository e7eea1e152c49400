"""Which route answers a request: listener, host, match, and in what order matches are tried.

What every controller shares is here; what is its own is a `Conduct`, with its `Precedence`: a list of criteria that it
compares one after another. `SPECIFIED` is the Gateway API's (kubernetes-sigs/gateway-api:apis/v1/httproute_types.go,
HTTPRouteRule.matches and HTTPRouteSpec.hostnames; grpcroute_types.go, GRPCRouteRule.matches).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from ingress_lint.objects.model import AnyObject
from ingress_lint.routes import hostnames
from ingress_lint.routes.model import (
    Frontend,
    Listener,
    Match,
    PathMatch,
    PathMatchType,
    RequestRedirect,
    Route,
    ValueMatch,
)

_SECURE: Final = frozenset({"HTTPS", "TLS"})
_READ: Final = frozenset({"HTTP", "HTTPS"})
"""What a listener must speak to see more of a request than where it wants to go."""
_NO_TIMESTAMP: Final = "~"
"""After every timestamp: an object that has none yet is younger than one that has."""


@dataclass(frozen=True)
class Request:
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
    client_certificate: bool = False
    """Whether the client shows a certificate; it is taken for a valid one."""

    @cached_property
    def query(self) -> tuple[tuple[str, str], ...]:
        """The query's parameters, in order."""
        return tuple(parse_qsl(self.query_string, keep_blank_values=True))

    @property
    def server_name(self) -> str:
        """The name asked for in the TLS handshake."""
        return self.host if self.sni is None else self.sni


class Refusal(Enum):
    """Why no route is even looked at."""

    NO_PORT = "nothing listens on this port"
    NO_TLS_LISTENER = "no listener takes this server name, so the TLS handshake fails"
    NO_HOST = "no listener takes this host"
    MISDIRECTED = "another listener serves this host than the one that the connection was made to"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One match of one route; `match` is None where the route takes every connection. `hostname` is what counts."""

    route: Route
    match: Match | None
    index: int
    hostname: str
    listener: Listener
    """The listener through which the request comes to it."""
    position: int = 0
    """Where it stands among all routes, in the order that their controller makes them."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A match that did not get the request, and why."""

    route: Route
    match: Match | None
    index: int
    why: str


@dataclass(frozen=True, slots=True)
class Criterion:
    """One comparison between two matches that both fit. The greater `key` wins; `words` says what the winner has."""

    key: Callable[[Candidate], Any]
    words: str


Precedence = Sequence[Criterion]


@dataclass(frozen=True)
class Selection:
    """What answers: the winning match, or a refusal, or neither where no route fits. `lost` tells of all others."""

    listener: Listener | None
    winner: Candidate | None
    refusal: Refusal | None = None
    lost: tuple[Lost, ...] = ()


def age(item: AnyObject) -> tuple[str, str]:
    """Sorts objects by age, then by namespace and name, as the Gateway API breaks ties."""
    created = item.source["metadata"].get("creationTimestamp")
    return (str(created) if created else _NO_TIMESTAMP, f"{item.namespace}/{item.name}")


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


def prefix_length(candidate: Candidate) -> int:
    """The length of a path prefix, 0 for other paths."""
    path = _path(candidate)
    return len(path.value) if path is not None and path.type is PathMatchType.PREFIX else 0


def path_length(candidate: Candidate) -> int:
    """The length of its path, however that is compared."""
    path = _path(candidate)
    return len(path.value) if path is not None else 0


def _grpc_length(candidate: Candidate, part: str) -> int:
    grpc = candidate.match.grpc if candidate.match else None
    return len(getattr(grpc, part) or "") if grpc else 0


SPECIFIED: Final[Precedence] = (
    Criterion(lambda c: hostnames.specificity(c.hostname), "a more specific hostname"),
    Criterion(is_exact, "an exact path"),
    Criterion(prefix_length, "a longer path prefix"),
    Criterion(lambda c: _grpc_length(c, "service"), "a longer gRPC service"),
    Criterion(lambda c: _grpc_length(c, "method"), "a longer gRPC method"),
    Criterion(lambda c: bool(c.match and c.match.method), "a method"),
    Criterion(lambda c: len(c.match.headers) if c.match else 0, "more headers"),
    Criterion(lambda c: len(c.match.query) if c.match else 0, "more query parameters"),
    Criterion(lambda c: Reversed(age(c.route.owner)[0]), "the older object"),
    Criterion(lambda c: Reversed(age(c.route.owner)[1]), "the name that comes first in the alphabet"),
    Criterion(lambda c: -c.route.rule, "the earlier rule"),
    Criterion(lambda c: -c.index, "the earlier match"),
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


@dataclass(frozen=True, slots=True)
class Conduct:
    """What a controller does with requests in its own way; the defaults are the Gateway API's."""

    precedence: Precedence = SPECIFIED
    hosts_apart: bool = False
    """Whether the routes of a less specific host never answer for a host that another route names better; but a default
    backend does for the hosts of its own object."""
    one_label_wildcards: bool = False
    """Whether `*.example.com` stands for one label only."""
    own_certificate: bool = False
    """Whether it takes TLS on port 443 for every host, with a certificate of its own where none is written."""
    tells_scheme: bool = False
    """Whether the header X-Forwarded-Proto says `https` of what comes by TLS before routes are matched."""
    broken_backend_status: int = 500
    """What clients get where a backend cannot be: no such Service, no such port, no permission."""
    no_endpoints_status: int = 503
    """What they get where it has no endpoints."""


SPECIFIED_CONDUCT: Final = Conduct()
INGRESS_CONDUCT: Final = Conduct(INGRESS, one_label_wildcards=True, broken_backend_status=503)
"""What a controller of Ingresses does where nothing more is known of it."""


# -- listeners ------------------------------------------------------------------------------------------------------


def choose_listener(request: Request, frontend: Frontend) -> tuple[Listener | None, Refusal | None]:
    """The listener that takes a request: by port and protocol, then the most specific hostname."""
    on_port = [
        listener
        for listener in frontend.listeners
        if listener.usable and listener.port.value in (request.port, 0) and _speaks(listener, request)
    ]
    if not on_port:
        return None, Refusal.NO_PORT
    if request.protocol in ("tcp", "udp"):
        return on_port[0], None
    if not _encrypted(request):
        found = _most_specific(on_port, request.host)
        return found, None if found else Refusal.NO_HOST
    found = _most_specific(on_port, request.server_name)
    if found is None:
        return None, Refusal.NO_TLS_LISTENER
    if found.protocol.value == "HTTPS" and request.protocol in ("http", "grpc"):
        return found, _misdirection(request, found, on_port)
    return found, None


def _misdirection(request: Request, listener: Listener, others: Iterable[Listener]) -> Refusal | None:
    """Whether a host came over a connection that was made for another listener.

    kubernetes-sigs/gateway-api:apis/v1/gateway_types.go, Listener.hostname: 421 where another listener fits better.
    """
    best = _most_specific((other for other in others if other.protocol.value == "HTTPS"), request.host)
    if best is None:
        return Refusal.NO_HOST
    return None if _hostname(best) == _hostname(listener) else Refusal.MISDIRECTED


def _encrypted(request: Request) -> bool:
    return request.protocol == "tls" or request.secure


def _speaks(listener: Listener, request: Request) -> bool:
    protocol = listener.protocol.value
    if request.protocol in ("tcp", "udp"):
        return protocol == request.protocol.upper()
    if protocol == "TCP":
        return True
    return protocol in _SECURE if _encrypted(request) else protocol == "HTTP"


def _hostname(listener: Listener) -> str:
    return listener.hostname.value.lower() if listener.hostname else hostnames.ANY


def _most_specific(listeners: Iterable[Listener], host: str) -> Listener | None:
    fitting = [listener for listener in listeners if hostnames.matches(_hostname(listener), host)]
    return max(fitting, key=lambda listener: hostnames.specificity(_hostname(listener)), default=None)


# -- routes ---------------------------------------------------------------------------------------------------------


def select(
    request: Request, frontend: Frontend, routes: Iterable[Route], conduct: Conduct = SPECIFIED_CONDUCT
) -> Selection:
    """The route that answers a request which enters at `frontend`, and why no other does.

    `routes` may hold routes of other frontends; they are left out.
    """
    listener, refusal = choose_listener(request, frontend)
    if listener is None or refusal is not None:
        return Selection(listener, None, refusal)
    host = _host_at(listener, request)
    mine = {id(item) for item in frontend.listeners}
    lost: list[Lost] = []
    hosted: list[_Hosted] = []
    for position, route in enumerate(routes):
        if not any(id(item) in mine for item in route.listeners):
            continue
        reached = _reached(route, listener, host, isolated=frontend.isolated, conduct=conduct)
        hostname = _effective_hostname(route, reached, host, conduct)
        if not reached:
            lost.extend(_all_lost(route, f"it does not hang on {_named(listener)}, which takes the request"))
        elif hostname is None:
            lost.extend(_all_lost(route, f"it serves {_named_hosts(route)}, not `{host}`"))
        else:
            hosted.append(_Hosted(route, hostname, reached[0], position))
    if hosted and (frontend.hosts_apart or conduct.hosts_apart):
        hosted, less = _best_hosted(hosted)
        for item in less:
            lost.extend(_all_lost(item.route, "another route names the host more exactly, which settles it here"))
    if conduct.tells_scheme and _encrypted(request):
        request = replace(request, headers={**request.headers, "x-forwarded-proto": "https"})
    fitting: list[Candidate] = []
    for item in hosted:
        for index, match in _matches(item.route):
            why = mismatch(request, match) if match is not None and listener.protocol.value in _READ else None
            if why is None:
                fitting.append(Candidate(item.route, match, index, item.hostname, item.listener, item.position))
            else:
                lost.append(Lost(item.route, match, index, why))
    precedence = conduct.precedence
    winner = max(
        fitting, key=lambda candidate: tuple(criterion.key(candidate) for criterion in precedence), default=None
    )
    beaten = [
        Lost(candidate.route, candidate.match, candidate.index, _why_beaten(winner, candidate, precedence))
        for candidate in fitting
        if winner is not None and candidate is not winner
    ]
    return Selection(winner.listener if winner else listener, winner, None, (*beaten, *lost))


class _Hosted(NamedTuple):
    """A route that serves the host of a request, under `hostname`."""

    route: Route
    hostname: str
    listener: Listener
    position: int


def _best_hosted(hosted: list[_Hosted]) -> tuple[list[_Hosted], list[_Hosted]]:
    """Those that name the host best, with the default backends of the same objects; and the others."""
    best = max(hostnames.specificity(item.hostname) for item in hosted)
    owners = {id(item.route.owner) for item in hosted if hostnames.specificity(item.hostname) == best}
    kept: list[_Hosted] = []
    left: list[_Hosted] = []
    for item in hosted:
        fits = hostnames.specificity(item.hostname) == best or (
            item.route.is_default and id(item.route.owner) in owners
        )
        (kept if fits else left).append(item)
    return kept, left


def _named(listener: Listener) -> str:
    return f"listener `{listener.name}`" if listener.name else f"port {listener.port.value} ({listener.protocol.value})"


def _host_at(listener: Listener, request: Request) -> str:
    """What the routes of a listener are told apart by: the host, the server name of a TLS stream, nothing for TCP."""
    protocol = listener.protocol.value
    if protocol in ("TCP", "UDP"):
        return hostnames.ANY
    return request.server_name if protocol == "TLS" else request.host


def _reached(route: Route, listener: Listener, host: str, *, isolated: bool, conduct: Conduct) -> list[Listener]:
    """The listeners through which a request that `listener` takes may come to `route`.

    A plain listener stands for TLS with the controller's own certificate.
    """
    if isolated:
        return [item for item in route.listeners if item is listener]
    found = [
        item
        for item in route.listeners
        if item.usable
        and item.port.value == listener.port.value
        and item.protocol.value == listener.protocol.value
        and hostnames.matches(_hostname(item), host)
    ]
    if not found and conduct.own_certificate and listener.protocol.value == "HTTPS" and not _sends_to_https(route):
        return [item for item in route.listeners if item.protocol.value == "HTTP"]
    return found


def _sends_to_https(route: Route) -> bool:
    return any(isinstance(item, RequestRedirect) and item.scheme == "https" for item in route.filters)


def _effective_hostname(route: Route, reached: Iterable[Listener], host: str, conduct: Conduct) -> str | None:
    """The most specific hostname under which `route` serves `host`, narrowed by its listeners; None where it does not."""
    own = [hostname.value for hostname in route.hostnames] or [hostnames.ANY]
    effective = [
        narrowed
        for listener in reached
        for hostname in own
        if hostnames.matches(hostname, host)
        and (not conduct.one_label_wildcards or hostnames.same_depth(hostname, host))
        and (narrowed := hostnames.intersection(hostname, _hostname(listener))) is not None
    ]
    return max(effective, key=hostnames.specificity, default=None)


def _matches(route: Route) -> Iterator[tuple[int, Match | None]]:
    if not route.matches:
        yield route.first_match, None
    for offset, match in enumerate(route.matches):
        yield route.first_match + offset, match


def _all_lost(route: Route, why: str) -> Iterator[Lost]:
    return (Lost(route, match, index, why) for index, match in _matches(route))


def _named_hosts(route: Route) -> str:
    return " and ".join(f"`{hostname.value}`" for hostname in route.hostnames)


def _why_beaten(winner: Candidate, loser: Candidate, precedence: Precedence) -> str:
    for criterion in precedence:
        if criterion.key(winner) != criterion.key(loser):
            return f"{winner.route.owner} has {criterion.words}"
    return f"{winner.route.owner} comes first"


# -- matches --------------------------------------------------------------------------------------------------------


def mismatch(request: Request, match: Match) -> str | None:
    """Why a request is not what `match` asks for, None where it is."""
    path = match.path.value
    if not path_matches(path, request.path):
        return f"path `{request.path}` is not {_PATH_WORDS[path.type]} `{path.value}`"
    if match.method is not None and match.method != request.method:
        return f"method {request.method} is not {match.method}"
    for header in match.headers:
        value = request.headers.get(header.name.lower())
        if value is None or not _value_matches(header, value):
            return f"header `{header.name}` {'is absent' if value is None else f'is `{value}`'}, not `{header.value}`"
    for parameter in match.query:
        found = next((value for name, value in request.query if name == parameter.name), None)
        if found is None or not _value_matches(parameter, found):
            seen = "is absent" if found is None else f"is `{found}`"
            return f"query parameter `{parameter.name}` {seen}, not `{parameter.value}`"
    return None


_PATH_WORDS: Final = {
    PathMatchType.EXACT: "exactly",
    PathMatchType.PREFIX: "under",
    PathMatchType.REGULAR_EXPRESSION: "matched by",
    PathMatchType.STRING_PREFIX: "one that starts with",
    PathMatchType.GLOB: "one like",
}


def path_matches(path: PathMatch, asked: str) -> bool:
    """Whether a path is one that `path` stands for."""
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
            return _full_match(f"(?:{expression}).*" if path.open_end else expression, asked)


def _value_matches(wanted: ValueMatch, value: str) -> bool:
    return value == wanted.value if wanted.type == "Exact" else _full_match(wanted.value, value)


def _full_match(expression: str, text: str) -> bool:
    compiled = _compiled(expression)
    return compiled is not None and compiled.fullmatch(text) is not None


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> re.Pattern[str] | None:
    """A regular expression as RE2 or PCRE would read it; None where it does not compile, so that it matches nothing."""
    try:
        return re.compile(expression)
    except re.error:
        return None


@lru_cache(maxsize=1024)
def _glob(value: str) -> str:
    return "".join(".*" if char == "*" else "." if char == "?" else re.escape(char) for char in value)
