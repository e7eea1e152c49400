"""Where requests enter a set, and which load balancers stand in front of which proxies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.controllers.lowering.entries import Entry, entries
from ingress_lint.graph.workload import Workload
from ingress_lint.manifests import ManifestSet
from ingress_lint.routes import hostnames
from ingress_lint.routes.answering import Answer, answer
from ingress_lint.routes.choosing import Refusal
from ingress_lint.routes.matching import Request
from ingress_lint.routes.model import Route

_HTTP: Final = frozenset({"http", "grpc"})
_PLAIN, _ENCRYPTED = 80, 443
"""Where proxies take what a load balancer had on a port of its own."""


class Way(Struct, frozen=True):
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

    @property
    def ends_tls(self) -> bool:
        """Whether it opens TLS and hands on what was inside."""
        winner = self.answer.selection.winner
        tls = winner.listener.tls if winner is not None else None
        return tls is not None and tls.mode.value == "Terminate"


class Entrances:
    """The entries of a set."""

    def __init__(self, held: ManifestSet) -> None:
        self._held = held
        self.entries = entries(held.graph, held.routes, held.frontends)

    def way(self, request: Request, entry: Entry) -> Way:
        """What would become of a request that enters here."""
        return Way(entry, self._held, answer(request, entry.table, self._held.graph))

    def before(self, way: Way, request: Request) -> Way | None:
        """The way through the one load balancer that takes the request to the proxies of an entry; None without one, or of several."""
        found = [
            front
            for other in self._leading_to.get(id(way.entry), ())
            for front in (self.way(request, other),)
            if leads_to(front, way.entry)
        ]
        return found[0] if len(found) == 1 else None

    def behind(self, front: Way, request: Request) -> Way | None:
        """The way on from a load balancer, through the one entry whose proxies it leads to."""
        if request.protocol not in _HTTP:
            return None
        found = [entry for entry in self.entries if entry is not front.entry and leads_to(front, entry)]
        if len(found) != 1:
            return None
        way = self.way(request, found[0])
        if way.answer.selection.refusal not in (Refusal.NO_PORT, Refusal.PORT_UNKNOWN):
            return way
        return self.way(replace(request, port=_ENCRYPTED if request.encrypted else _PLAIN), found[0])

    @cached_property
    def _leading_to(self) -> dict[int, list[Entry]]:
        """For entries with proxies, the others that have a route to these."""
        carrying: dict[Workload, list[Entry]] = {}
        for entry in self.entries:
            for proxy in entry.proxies:
                carrying.setdefault(proxy, []).append(entry)
        found: dict[int, list[Entry]] = {}
        for front in self.entries if carrying else ():
            reached = dict.fromkeys(workload for route in front.routes for workload in _led_to(route))
            behind = {id(entry): entry for workload in reached for entry in carrying.get(workload, ())}
            for key, entry in behind.items():
                if entry is not front:
                    found.setdefault(key, []).append(front)
        return found


def leads_to(front: Way, entry: Entry) -> bool:
    """Whether what takes a request at `front` sends it to the proxies of an entry."""
    winner = front.answer.selection.winner
    return winner is not None and not entry.proxies.isdisjoint(_led_to(winner.route))


def not_behind_another(ways: Iterable[Way]) -> list[Way]:
    """Those of several ways that lead to the proxies of none of the others: where a load balancer and the proxy behind it
    both serve a request, the proxy's."""
    found = list(ways)
    return [way for way in found if not any(other is not way and leads_to(way, other.entry) for other in found)]


def _led_to(route: Route) -> Iterator[Workload]:
    return (endpoint.workload for backend in route.backends for endpoint in backend.endpoints)
