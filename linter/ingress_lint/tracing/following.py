"""From a request to its trace: where it enters, and what becomes of it there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final

from msgspec.structs import replace

from ingress_lint.controllers.lowering.entries import Entry
from ingress_lint.finding import Hop
from ingress_lint.manifests import Manifests
from ingress_lint.objects.core import Service
from ingress_lint.objects.gateway import Gateway
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes import hostnames
from ingress_lint.routes.choosing import Refusal
from ingress_lint.tracing.asking import Asked
from ingress_lint.tracing.entrances import Entrances, Way, not_behind_another
from ingress_lint.tracing.hops import hops
from ingress_lint.tracing.model import Trace, TracedHop
from ingress_lint.values.spelling import close_matches

_SHOWN: Final = 8
"""How many names a message lists."""


class Tracer:
    """Follows requests through what was read; entries are worked out once."""

    def __init__(self, manifests: Manifests) -> None:
        self._sets = sorted(manifests.sets, key=lambda held: (held.cluster or "", held.units[0].name))
        self._entrances = {id(held): Entrances(held) for held in self._sets}

    @property
    def entries(self) -> list[Entry]:
        """Everything that requests may enter by."""
        return [entry for held in self._sets for entry in self._entrances[id(held)].entries]

    def traces(self, asked: Asked) -> list[Trace]:
        """Follows one request, in every unit that serves it: those that name its host, else those that take any."""
        scopes = [
            [
                entrances.way(asked.request, entry)
                for entry in entrances.entries
                if not asked.connect or _is_named(entry, asked.connect)
            ]
            for held in self._sets
            if not asked.unit or any(fnmatchcase(unit.name, asked.unit) for unit in held.units)
            for entrances in (self._entrances[id(held)],)
        ]
        ways = [scope for scope in scopes if scope]
        if not ways:
            return [replace(self._stopped(asked, self._nothing_to_enter(asked)), unclear=bool(self.entries))]
        serving = [_serving(found, asked) for found in ways] if len(ways) > 1 else []
        most = max(serving, default=0)
        if not most:
            return [self._trace(asked, [way for found in ways for way in found])]
        return [self._trace(asked, found) for found, number in zip(ways, serving, strict=True) if number == most]

    def _trace(self, asked: Asked, ways: Sequence[Way]) -> Trace:
        if len(ways) == 1:
            return self._followed(asked, ways[0])
        best = max(way.rank for way in ways)
        chosen = [way for way in ways if way.rank == best] if best > (0, 0) else _near(ways, asked.request.host)
        chosen = not_behind_another(chosen) if len(chosen) > 1 else chosen
        if len(chosen) == 1:
            return self._followed(asked, chosen[0])
        if chosen:
            listed = ", ".join(str(way.entry) for way in chosen[:_SHOWN])
            why = f"several entries serve `{asked.request.host}`: {listed}; name one with --connect, or `connect` in a file"
            return replace(self._stopped(asked, why), unclear=True)
        alone = all(way.held is ways[0].held for way in ways)
        stopped = replace(self._stopped(asked, _nobody(asked, ways)), held=ways[0].held if alone else None)
        statuses = {way.answer.status for way in ways if way.answer.selection.refusal is not Refusal.NO_PORT}
        return replace(stopped, told=statuses.pop() if len(statuses) == 1 else None)

    def _followed(self, asked: Asked, way: Way) -> Trace:
        """A request on its way, on through the proxies that a load balancer leads to, and through the load balancer in
        front of proxies where nobody said to enter at these."""
        entrances = self._entrances[id(way.held)]
        behind = entrances.behind(way, asked.request)
        if behind is not None:
            return _traced(asked, behind, way)
        return _traced(asked, way, None if asked.connect else entrances.before(way, asked.request))

    @staticmethod
    def _stopped(asked: Asked, why: str) -> Trace:
        return Trace(asked, (TracedHop(Hop.CLIENT, None, asked.request.host, None, "fail", why),), why=why)

    def _nothing_to_enter(self, asked: Asked) -> str:
        if not self.entries:
            return "nothing in these manifests takes requests: no Gateway, no Ingress, no Service of type LoadBalancer"
        known = ", ".join(str(entry) for entry in self.entries[:_SHOWN])
        return f"there is no entry `{asked.connect}` in these manifests; there are {known}"


def _traced(asked: Asked, way: Way, front: Way | None = None) -> Trace:
    found = way.answer
    before = _traced(asked, front) if front is not None else None
    own = hops(asked, way.entry, found, way.held.graph, trusted=front is not None and front.ends_tls)
    return Trace(
        asked,
        (*(before.hops if before is not None else ()), *own),
        way.entry,
        way.held,
        found,
        found.why,
        front=before,
    )


def _near(ways: Sequence[Way], host: str) -> list[Way]:
    """Those that come closest to serving a request that none of them serves: they name its host, or take it in."""
    naming = [way for way in ways if any(_serves(route_host, host) for route_host in _hosts(way.entry))]
    if naming:
        return naming[:1] if len(naming) == 1 else []
    let_in = [way for way in ways if way.answer.selection.refusal in (None, Refusal.NO_HOST)]
    return let_in if len(let_in) == 1 else []


def _serving(ways: Sequence[Way], asked: Asked) -> int:
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


def _nobody(asked: Asked, ways: Sequence[Way]) -> str:

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
