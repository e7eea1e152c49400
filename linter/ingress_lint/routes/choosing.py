"""Which route answers a request: the listener that takes it, then the routes for its host, then their matches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from functools import cached_property
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.routes import hostnames
from ingress_lint.routes.filters import RequestRedirect
from ingress_lint.routes.listeners import Frontend, Listener
from ingress_lint.routes.matches import Match
from ingress_lint.routes.matching import (
    SPECIFIED_CONDUCT,
    Candidate,
    Conduct,
    Precedence,
    Request,
    holds,
    is_hard,
    mismatch,
    undecided,
)
from ingress_lint.routes.model import Route
from ingress_lint.values.placeholders import is_placeholder, known_start

_EXACT: Final = 2
"""How specific a hostname is that stands for one host."""
_SECURE: Final = frozenset({"HTTPS", "TLS"})
_OF_CLIENTS: Final = frozenset({80, 443})
_READ: Final = frozenset({"HTTP", "HTTPS"})
"""What a listener must speak to see more of a request than where it wants to go."""


class Refusal(Enum):
    """Why no route is even looked at."""

    NO_PORT = "nothing listens on this port"
    PORT_UNKNOWN = "whether a Service leads from this port to another one is not in these manifests"
    NO_TLS_LISTENER = "no listener takes this server name, so the TLS handshake fails"
    NO_HOST = "no listener takes this host"
    PATH = "the path leads above the root, or is no path"
    MISDIRECTED = "another listener serves this host than the one that the connection was made to"


class Lost(Struct, frozen=True):
    """A match that did not get the request, and why."""

    route: Route
    match: Match | None
    index: int
    why: str


class Selection(Struct, frozen=True, dict=True):
    """What answers: the winning match, or a refusal, or neither where no route fits."""

    listener: Listener | None
    winner: Candidate | None
    refusal: Refusal | None = None
    explain: Callable[[], Iterable[Lost]] = tuple

    @cached_property
    def lost(self) -> tuple[Lost, ...]:
        """Every other match, with why it did not get the request; worked out when first asked for."""
        return tuple(self.explain())


class RouteTable:
    """The routes of one frontend, made ready to be asked for many requests.

    Routes of other frontends are left out, and those that their controller drops.
    """

    def __init__(self, frontend: Frontend, routes: Iterable[Route], conduct: Conduct = SPECIFIED_CONDUCT) -> None:
        mine = {id(listener) for listener in frontend.listeners}
        self.conduct = conduct
        self._isolated = frontend.isolated
        self._on_pods = frontend.on_pods
        self._routes = [
            (position, route)
            for position, route in enumerate(routes)
            if not route.dropped and any(id(listener) in mine for listener in route.listeners)
        ]
        used = {listener.port.value for _, route in self._routes for listener in route.listeners}
        alike = {
            (listener.port.value, listener.protocol.value, _hostname(listener)): listener
            for listener in reversed(frontend.listeners)
            if listener.usable and (frontend.opens_unused or listener.port.value in used)
        }
        self._listeners = tuple(reversed(alike.values()))
        self._by_host: dict[str, list[tuple[int, Route]]] = {}
        self._for_many_hosts: list[tuple[int, Route]] = []
        for item in self._routes:
            names = {hostname.value.lower() for hostname in item[1].hostnames}
            if not names or any(hostnames.for_many(name) for name in names):
                self._for_many_hosts.append(item)
            else:
                for name in names:
                    self._by_host.setdefault(name, []).append(item)

    @cached_property
    def _open(self) -> list[Route]:
        """The routes whose hosts or paths are not all known."""
        return [
            route
            for _, route in self._routes
            if any(is_placeholder(hostname.value) for hostname in route.hostnames)
            or any(is_placeholder(match.path.value.value) for match in route.matches)
        ]

    @cached_property
    def _hard_to_match(self) -> list[tuple[Route, Match]]:
        """The matches whose expressions may take too long, or are of an unknown dialect."""
        return [(route, match) for _, route in self._routes for match in route.matches if is_hard(match)]

    def uncertainty(self, request: Request, selection: Selection) -> str | None:
        """Why nobody can say what answers a request, None where what was selected does for certain.

        A host or path that holds a placeholder may come to be the request's own; a host that a route names outright is
        not given to another one.
        """
        winner = selection.winner
        if winner is not None and (why := self._open_condition(request, winner)) is not None:
            return why
        named = winner is not None and hostnames.specificity(winner.hostname)[0] == _EXACT
        if not named:
            for listener in self._listeners:
                if listener.port.value == request.port and hostnames.may_match(_hostname(listener), request.host):
                    return f"{_named(listener)} is for `{_hostname(listener)}`, which holds a placeholder"
        for route, match in self._hard_to_match:
            expression = undecided(request, match)
            if expression is not None and any(hostnames.matches(name, request.host) for name in _own_hosts(route)):
                return f"{route.owner} may take it by `{expression}`, an expression that takes too long to match here"
        for route in self._open:
            own = _own_hosts(route)
            if any(hostnames.matches(name, request.host) for name in own):
                for match in route.matches:
                    path = match.path.value.value
                    if is_placeholder(path) and request.path.startswith(known_start(path)):
                        return f"{route.owner} may take it by its path `{path}`, which holds a placeholder"
            open_host = next((name for name in own if not named and hostnames.may_match(name, request.host)), None)
            if open_host is not None:
                return f"{route.owner} may serve it: its host `{open_host}` holds a placeholder"
        return None

    def _open_condition(self, request: Request, winner: Candidate) -> str | None:
        """Why it is not known whether the match that fits best does fit, None where it is."""
        expression = winner.match.expression if winner.match is not None else None
        asked = self._as_seen(request, winner.listener)
        if expression is None or asked is None:
            return None
        if holds(expression, asked, _host_at(winner.listener, request)) is not None:
            return None
        words = winner.match.condition if winner.match is not None else ""
        return f"whether `{words}` of {winner.route.owner} holds is not known"

    def select(self, request: Request) -> Selection:
        """The route that answers a request."""
        listener, refusal = self._choose_listener(request)
        if listener is None or refusal is not None:
            return Selection(listener, None, refusal)
        asked = self._as_seen(request, listener)
        if asked is None:
            return Selection(listener, None, Refusal.PATH)
        host = _host_at(listener, request)
        possible = sorted((*self._by_host.get(host.lower(), ()), *self._for_many_hosts), key=lambda item: item[0])
        hosted = [
            found
            for position, route in possible
            if (found := self._hosted(position, route, listener, host)) is not None
        ]
        if hosted and self.conduct.hosts_apart:
            hosted = _best_hosted(hosted, defaults_apart=self.conduct.defaults_apart)
        if self.conduct.one_label_wildcards and self.conduct.wildcards_shut_out:
            hosted = [item for item in hosted if hostnames.same_depth(item.named, host)]
        fitting = [
            Candidate(item.route, match, index, item.hostname, item.listener, item.position, item.named)
            for item in hosted
            for index, match in _matches(item.route)
            if _misses(asked, match, listener, host) is None
        ]
        precedence = self.conduct.precedence
        winner = max(
            fitting, key=lambda candidate: tuple(criterion.key(candidate) for criterion in precedence), default=None
        )

        def explain() -> Iterator[Lost]:
            for candidate in fitting:
                if winner is not None and candidate is not winner:
                    why = _why_beaten(winner, candidate, precedence)
                    yield Lost(candidate.route, candidate.match, candidate.index, why)
            yield from self._passed_over(asked, listener, host, {item.position for item in hosted})

        return Selection(winner.listener if winner else listener, winner, None, explain)

    def _passed_over(self, request: Request, listener: Listener, host: str, hosted: set[int]) -> Iterator[Lost]:
        """The matches that do not fit, those of the request's own host first."""
        elsewhere: list[Lost] = []
        for position, route in self._routes:
            if position in hosted:
                for index, match in _matches(route):
                    if (why := _misses(request, match, listener, host)) is not None:
                        yield Lost(route, match, index, why)
                continue
            if not self._reached(route, listener, host):
                why = f"it does not hang on {_named(listener)}, which takes the request"
            elif (served := self._hosted(position, route, listener, host)) is None:
                why = f"it serves {_named_hosts(route)}, not `{host}`"
            elif self.conduct.one_label_wildcards and not hostnames.same_depth(served.named, host):
                why = f"it serves {_named_hosts(route)}, one label deep, and keeps `{host}` from wider hosts"
            else:
                why = "another route names the host more exactly, which settles it here"
            elsewhere.extend(Lost(route, match, index, why) for index, match in _matches(route))
        yield from elsewhere

    def _as_seen(self, request: Request, listener: Listener) -> Request | None:
        """The request as matches are compared with it; None where its path is refused."""
        path = self.conduct.paths.matched(request.path) if listener.protocol.value in _READ else request.path
        if path is None:
            return None
        tells = self.conduct.tells_scheme and request.encrypted
        headers = {**request.headers, "x-forwarded-proto": "https"} if tells else request.headers
        return request if path == request.path and not tells else replace(request, path=path, headers=headers)

    # -- listeners ----------------------------------------------------------------------------------------------------

    def _choose_listener(self, request: Request) -> tuple[Listener | None, Refusal | None]:
        """The listener that takes a request: by port and protocol, then the most specific hostname."""
        on_port = [
            listener
            for listener in self._listeners
            if listener.port.value in (request.port, 0) and _speaks(listener, request)
        ]
        if not on_port:
            return None, Refusal.PORT_UNKNOWN if self._led_elsewhere(request) else Refusal.NO_PORT
        if request.protocol in ("tcp", "udp"):
            return on_port[0], None
        if not request.encrypted:
            found = _most_specific(on_port, request.host)
            return found, None if found else Refusal.NO_HOST
        found = _most_specific(on_port, request.server_name)
        if found is None:
            return None, Refusal.NO_TLS_LISTENER
        if self.conduct.listeners_apart:
            return found, None if hostnames.matches(_hostname(found), request.host) else Refusal.NO_HOST
        inspected = self.conduct.tells_misdirected and request.protocol in ("http", "grpc")
        if found.protocol.value == "HTTPS" and inspected:
            return found, _misdirection(request, found, on_port)
        return found, None

    def _led_elsewhere(self, request: Request) -> bool:
        """Whether a Service may lead from the port of a request to a listener on a port that clients do not use."""
        return self._on_pods and any(
            _speaks(listener, request) and listener.port.value not in _OF_CLIENTS for listener in self._listeners
        )

    # -- hosts --------------------------------------------------------------------------------------------------------

    def _hosted(self, position: int, route: Route, listener: Listener, host: str) -> _Hosted | None:
        """`route` under the most specific hostname by which it serves `host`; None where it does not."""
        reached = self._reached(route, listener, host)
        own = [hostname.value for hostname in route.hostnames] or [hostnames.ANY]
        one_label = self.conduct.one_label_wildcards and not self.conduct.wildcards_shut_out
        effective = [
            (narrowed, hostname)
            for item in reached
            for hostname in own
            if hostnames.matches(hostname, host)
            and (not one_label or hostnames.same_depth(hostname, host))
            and (narrowed := hostnames.intersection(hostname, _hostname(item))) is not None
        ]
        if not effective:
            return None
        narrowed, named = max(effective, key=lambda pair: tuple(map(hostnames.specificity, pair)))
        return _Hosted(route, narrowed, reached[0], position, named)

    def _reached(self, route: Route, listener: Listener, host: str) -> list[Listener]:
        """The listeners through which a request that `listener` takes may come to `route`.

        A plain listener stands for TLS with the controller's own certificate.
        """
        if self._isolated:
            return [item for item in route.listeners if item is listener]
        found = [
            item
            for item in route.listeners
            if item.usable
            and item.port.value == listener.port.value
            and item.protocol.value == listener.protocol.value
            and hostnames.matches(_hostname(item), host)
        ]
        own_certificate = self.conduct.own_certificate and listener.protocol.value == "HTTPS"
        if not found and own_certificate and not _sends_to_https(route):
            return [item for item in route.listeners if item.protocol.value == "HTTP"]
        return found


class _Hosted(NamedTuple):
    """A route that serves the host of a request, under `hostname`, for which it names `named` itself."""

    route: Route
    hostname: str
    listener: Listener
    position: int
    named: str


def _best_hosted(hosted: list[_Hosted], *, defaults_apart: bool) -> list[_Hosted]:
    """Those that name the host best, with the default backends of the same objects unless these are apart."""
    best = max(hostnames.specificity(item.hostname) for item in hosted)
    named = [] if defaults_apart else [item for item in hosted if hostnames.specificity(item.hostname) == best]
    owners = {id(item.route.owner) for item in named}
    return [
        item
        for item in hosted
        if hostnames.specificity(item.hostname) == best or (item.route.is_default and id(item.route.owner) in owners)
    ]


def _misdirection(request: Request, listener: Listener, others: Iterable[Listener]) -> Refusal | None:
    """Whether a host came over a connection that was made for another listener.

    kubernetes-sigs/gateway-api:apis/v1/gateway_types.go, Listener.hostname: 421 where another listener fits better.
    """
    best = _most_specific((other for other in others if other.protocol.value == "HTTPS"), request.host)
    if best is None:
        return Refusal.NO_HOST
    return None if _hostname(best) == _hostname(listener) else Refusal.MISDIRECTED


def _speaks(listener: Listener, request: Request) -> bool:
    protocol = listener.protocol.value
    if request.protocol in ("tcp", "udp"):
        return protocol == request.protocol.upper()
    if protocol == "TCP":
        return True
    return protocol in _SECURE if request.encrypted else protocol == "HTTP"


def _hostname(listener: Listener) -> str:
    return listener.hostname.value.lower() if listener.hostname else hostnames.ANY


def _most_specific(listeners: Iterable[Listener], host: str) -> Listener | None:
    fitting = [listener for listener in listeners if hostnames.matches(_hostname(listener), host)]
    return max(fitting, key=lambda listener: hostnames.specificity(_hostname(listener)), default=None)


def _named(listener: Listener) -> str:
    return f"listener `{listener.name}`" if listener.name else f"port {listener.port.value} ({listener.protocol.value})"


def _host_at(listener: Listener, request: Request) -> str:
    """What the routes of a listener are told apart by: the host, the server name of a TLS stream, nothing for TCP."""
    protocol = listener.protocol.value
    if protocol in ("TCP", "UDP"):
        return hostnames.ANY
    return request.server_name if protocol == "TLS" else request.host


def _own_hosts(route: Route) -> list[str]:
    return [hostname.value for hostname in route.hostnames] or [hostnames.ANY]


def _sends_to_https(route: Route) -> bool:
    return any(isinstance(item, RequestRedirect) and item.scheme == "https" for item in route.filters)


def _matches(route: Route) -> Iterator[tuple[int, Match | None]]:
    if not route.matches:
        yield route.first_match, None
    for offset, match in enumerate(route.matches):
        yield route.first_match + offset, match


def _misses(request: Request, match: Match | None, listener: Listener, host: str) -> str | None:
    """Why a match does not fit, as far as `listener` looks into requests."""
    if match is None:
        return None
    if listener.protocol.value in _READ and (why := mismatch(request, match)) is not None:
        return why
    if match.expression is not None and holds(match.expression, request, host) is False:
        return f"`{match.condition}` does not hold"
    return None


def _named_hosts(route: Route) -> str:
    return " and ".join(f"`{hostname.value}`" for hostname in route.hostnames) or "no such host"


def _why_beaten(winner: Candidate, loser: Candidate, precedence: Precedence) -> str:
    for criterion in precedence:
        if criterion.key(winner) != criterion.key(loser):
            return f"{winner.route.owner} has {criterion.words}"
    return f"{winner.route.owner} comes first"
