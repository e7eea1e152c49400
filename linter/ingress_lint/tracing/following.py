"""From a request to its trace: where it enters, and what becomes of it there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.controllers.lowering.entries import Entry, entries
from ingress_lint.finding import Hop
from ingress_lint.manifests import Manifests, ManifestSet
from ingress_lint.objects.core import Service
from ingress_lint.objects.gateway import Gateway
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes import hostnames
from ingress_lint.routes.answering import Answer, answer
from ingress_lint.routes.choosing import Refusal
from ingress_lint.tracing.asking import Asked
from ingress_lint.tracing.hops import hops
from ingress_lint.tracing.model import Trace, TracedHop
from ingress_lint.values.spelling import close_matches

_SHOWN: Final = 8
"""How many names a message lists."""


class _Way(Struct, frozen=True):
    """An entry, its set, and what would become of the request there."""

    entry: Entry
    held: ManifestSet
    answer: Answer

    @property
    def rank(self) -> tuple[int, int]:
        """How surely a client that asks for the host means this entry, the larger the surer; (0, 0) for not at all, (0, 1) where nobody can say.

        Who names the host comes before who takes any, a proxy before a balancer of connections.
        """
        winner = self.answer.selection.winner
        if winner is None:
            return (0, 1) if self.answer.outcome == "unknown" else (0, 0)
        named = hostnames.specificity(winner.hostname)[0]
        return (2 if named or winner.listener.protocol.value in ("HTTP", "HTTPS") else 1, named)


class Tracer:
    """Follows requests through what was read; entries are worked out once."""

    def __init__(self, manifests: Manifests) -> None:
        self._scopes = [
            (held, [(entry, held) for entry in entries(held.graph, held.routes, held.frontends)])
            for held in sorted(manifests.sets, key=lambda held: (held.cluster or "", held.units[0].name))
        ]

    @property
    def entries(self) -> list[Entry]:
        """Everything that requests may enter by."""
        return [entry for _, entries in self._scopes for entry, _ in entries]

    def traces(self, asked: Asked) -> list[Trace]:
        """Follows one request, in every unit that serves it: those that name its host, else those that take any."""
        scopes = [
            [(entry, held) for entry, held in entries if not asked.connect or _is_named(entry, asked.connect)]
            for held, entries in self._scopes
            if not asked.unit or any(fnmatchcase(unit.name, asked.unit) for unit in held.units)
        ]
        open_to = [scope for scope in scopes if scope]
        if not open_to:
            return [replace(self._stopped(asked, self._nothing_to_enter(asked)), unclear=bool(self.entries))]
        ways = [[self._way(asked, entry, held) for entry, held in scope] for scope in open_to]
        serving = [_serving(found, asked) for found in ways] if len(ways) > 1 else []
        most = max(serving, default=0)
        if not most:
            return [self._trace(asked, [way for found in ways for way in found])]
        return [self._trace(asked, found) for found, number in zip(ways, serving, strict=True) if number == most]

    def _trace(self, asked: Asked, ways: Sequence[_Way]) -> Trace:
        if len(ways) == 1:
            return _traced(asked, ways[0])
        best = max(way.rank for way in ways)
        chosen = [way for way in ways if way.rank == best] if best > (0, 0) else _near(ways, asked.request.host)
        if len(chosen) == 1:
            return _traced(asked, chosen[0])
        if chosen:
            listed = ", ".join(str(way.entry) for way in chosen[:_SHOWN])
            why = f"several entries serve `{asked.request.host}`: {listed}; name one with --connect, or `connect` in a file"
            return replace(self._stopped(asked, why), unclear=True)
        alone = all(way.held is ways[0].held for way in ways)
        stopped = replace(self._stopped(asked, _nobody(asked, ways)), held=ways[0].held if alone else None)
        statuses = {way.answer.status for way in ways if way.answer.selection.refusal is not Refusal.NO_PORT}
        return replace(stopped, told=statuses.pop() if len(statuses) == 1 else None)

    @staticmethod
    def _way(asked: Asked, entry: Entry, held: ManifestSet) -> _Way:
        found = answer(asked.request, entry.table, held.graph)
        return _Way(entry, held, found)

    @staticmethod
    def _stopped(asked: Asked, why: str) -> Trace:
        return Trace(asked, (TracedHop(Hop.CLIENT, None, asked.request.host, None, "fail", why),), why=why)

    def _nothing_to_enter(self, asked: Asked) -> str:
        if not self.entries:
            return "nothing in these manifests takes requests: no Gateway, no Ingress, no Service of type LoadBalancer"
        known = ", ".join(str(entry) for entry in self.entries[:_SHOWN])
        return f"there is no entry `{asked.connect}` in these manifests; there are {known}"


def _traced(asked: Asked, way: _Way) -> Trace:
    found = way.answer
    return Trace(asked, tuple(hops(asked, way.entry, found, way.held.graph)), way.entry, way.held, found, found.why)


def _near(ways: Sequence[_Way], host: str) -> list[_Way]:
    """Those that come closest to serving a request that none of them serves: they name its host, or take it in."""
    naming = [way for way in ways if any(_serves(route_host, host) for route_host in _hosts(way.entry))]
    if naming:
        return naming[:1] if len(naming) == 1 else []
    let_in = [way for way in ways if way.answer.selection.refusal in (None, Refusal.NO_HOST)]
    return let_in if len(let_in) == 1 else []


def _serving(ways: Sequence[_Way], asked: Asked) -> int:
    """How surely what runs together serves a request: 2 where it names the host, 1 where it takes any, 0 not at all.

    A route that hangs on nothing names it, too: it was meant to.
    """
    host = asked.request.host
    if any(way.rank[1] or any(_serves(named, host) for named in _hosts(way.entry)) for way in ways):
        return 2
    if any(_serves(name.value, host) for way in ways[:1] for route in way.held.routes for name in route.hostnames):
        return 2
    return 1 if any(way.rank > (0, 0) for way in ways) else 0


def _serves(pattern: str, host: str) -> bool:
    return pattern not in (hostnames.ANY, "*") and hostnames.matches(pattern, host)


def _nobody(asked: Asked, ways: Sequence[_Way]) -> str:

    host = asked.request.host
    known = sorted({name for way in ways for name in _hosts(way.entry)})
    if any(_serves(name, host) for name in known):
        return f"`{host}` is served, but nothing that serves it takes {asked}"
    close = close_matches(host, known, 1)
    hint = f"; did you mean `{close[0]}`?" if close else ""
    listed = ", ".join(f"`{name}`" for name in known[:_SHOWN]) + (", ..." if len(known) > _SHOWN else "")
    return f"nobody serves `{host}`; " + (
        f"the hosts served are {listed}{hint}" if known else "no host is named at all"
    )


def _hosts(entry: Entry) -> Iterator[str]:
    for listener in entry.frontend.listeners:
        if listener.hostname:
            yield listener.hostname.value
    for route in entry.routes:
        for hostname in route.hostnames:
            yield hostname.value


def _is_named(entry: Entry, connect: str) -> bool:
    """Whether `connect` means an entry: by `namespace/name`, name or address, any of them after the kind."""
    kind, space, rest = connect.partition(" ")
    if space:
        return kind.lower() == entry.kind.lower() and _is_named(entry, rest.strip())
    full = f"{entry.namespace}/{entry.name}"
    return connect in (entry.name, full) or connect in _addresses(entry.frontend.owner)


def _addresses(owner: AnyObject) -> Iterator[str]:
    """The addresses that are written for a Gateway, an Ingress or a Service, in its spec or its status."""
    if isinstance(owner.body, Gateway):
        yield from (address.value for address in owner.body.spec.addresses if address.value)
    yield from owner.assigned_addresses
    if isinstance(owner.body, Service):
        service = owner.body.spec
        if service.load_balancer_ip:
            yield str(service.load_balancer_ip)
        yield from (map(str, service.external_ips) if isinstance(service.external_ips, list) else ())
