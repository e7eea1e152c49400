"""VirtualServices in the route model.

Their rules are tried in the order they stand, those of older VirtualServices first, and rules without any condition
last (istio/istio:pilot/pkg/networking/core/gateway.go, buildGatewayHTTPRouteConfig; route.go, SortVHostRoutes).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from ingress_lint.controllers.istio import MESH as ISTIO_MESH
from ingress_lint.controllers.istio import destinations
from ingress_lint.controllers.istio.attachment import MESH, Attachment, VirtualServiceObject
from ingress_lint.controllers.istio.destinations import Destinations
from ingress_lint.controllers.istio.gateways import BoundServer
from ingress_lint.controllers.istio.hosts import NamespacedName, deadline, full_host, gateway_name, service_of
from ingress_lint.controllers.istio.virtual_services.delegates import Rule, delegated, own_rule
from ingress_lint.controllers.istio.virtual_services.filters import filters, header_filters
from ingress_lint.controllers.istio.virtual_services.matches import any_request, http_match, takes_everything
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence, Resolution
from ingress_lint.graph.workload import Workload
from ingress_lint.load.document import Place
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.istio import (
    ISTIO_GROUP,
    HTTPRetry,
    HTTPRouteDestination,
    L4Match,
    RouteDestination,
    TCPRoute,
    TLSRoute,
    VirtualService,
)
from ingress_lint.routes import model
from ingress_lint.routes.listeners import Listener
from ingress_lint.routes.matches import Match
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, Retries
from ingress_lint.values.durations import go_duration
from ingress_lint.values.numbers import whole

_VIRTUAL_SERVICE: Final = GroupKind(ISTIO_GROUP, "VirtualService")
_RESET_CONDITIONS: Final = frozenset({"reset", "5xx", "reset-before-request"})


class VirtualServices:
    """Lowers the VirtualServices of one graph."""

    def __init__(self, graph: ObjectGraph, destinations_: Destinations) -> None:
        self._graph = graph
        self._destinations = destinations_
        self._delegates = {
            NamespacedName(item.namespace, item.name): item
            for item in graph.of(VirtualService)
            if not item.body.spec.hosts
        }
        self._turn = 0

    def lower(self, item: VirtualServiceObject, attachment: Attachment) -> Iterator[Route]:
        """The routes of one VirtualService; call it for older ones first."""
        spec = item.body.spec
        for index in range(len(spec.http)):
            own = own_rule(item, index)
            delegate = own.rule.delegate
            if delegate is None:
                yield from self._http(item, own, attachment)
                continue
            name = NamespacedName(delegate.namespace or item.namespace, delegate.name)
            found = self._delegates.get(name)
            if found is None:
                yield from self._missing_delegate(item, own, name, attachment)
                continue
            for rule in delegated(own, found):
                yield from self._http(item, rule, attachment)
        rest = len(spec.http)
        for index, tls in enumerate(spec.tls):
            yield from self._tls(item, tls, item.at("spec", "tls", index), rest + index, attachment)
        rest += len(spec.tls)
        for index, tcp in enumerate(spec.tcp):
            yield from self._tcp(item, tcp, item.at("spec", "tcp", index), rest + index, attachment)

    # -- rules for requests -----------------------------------------------------------------------------------------

    def _http(self, root: VirtualServiceObject, rule: Rule, attachment: Attachment) -> Iterator[Route]:
        """A rule, once for each set of its matches that some servers have in common."""
        web = [server for server in attachment.servers if server.listener.protocol.value in ("HTTP", "HTTPS")]
        if web:
            groups: defaultdict[tuple[int, ...], list[BoundServer]] = defaultdict(list)
            for server in web:
                groups[tuple(_applying(rule, server, root.namespace))].append(server)
        else:
            groups = defaultdict(list, {_for_gateways(rule, root, attachment): []})
        for applying, servers in groups.items():
            if rule.matches and not applying:
                continue
            matches = [http_match(*rule.matches[index]) for index in applying] or [any_request(rule.place)]
            narrow = [(index, match) for index, match in enumerate(matches) if not takes_everything(match)]
            wide = [(index, match) for index, match in enumerate(matches) if takes_everything(match)]
            for found, last in ((narrow, False), (wide[:1], True)):
                if found:
                    first = applying[found[0][0]] if applying else 0
                    yield self._http_route(root, rule, [match for _, match in found], servers, first, last=last)

    def _http_route(
        self,
        root: VirtualServiceObject,
        rule: Rule,
        matches: Sequence[Match],
        servers: Sequence[BoundServer],
        first: int,
        *,
        last: bool,
    ) -> Route:
        written = rule.rule
        retries = written.retries
        facts = destinations.Rule(
            owner=rule.owner,
            place=rule.place,
            protocol=AppProtocol.HTTP,
            ports=_ports(servers),
            clients=_clients(servers),
            timeout=deadline(written.timeout, rule.place.at("timeout")),
            attempt=deadline(retries.per_try_timeout, rule.place.at("retries", "perTryTimeout")) if retries else None,
            retries_resets=_retries_resets(retries),
        )
        resolve = self._destinations
        answers = written.redirect is None and written.direct_response is None
        return Route(
            controller=_controller(root),
            owner=rule.owner,
            rule=rule.index,
            place=rule.place,
            listeners=_listeners(servers),
            proxies=_proxies(servers),
            mesh=ISTIO_MESH,
            hostnames=_hostnames(root, servers),
            matches=tuple(matches),
            backends=self._backends(written.route, rule.place.at("route"), facts) if answers else (),
            filters=tuple(
                filters(written, rule.place, matches, lambda item, place: resolve.backend(item, place, facts))
            ),
            is_default=False,
            first_match=first,
            retries=_retries(retries, rule.place.at("retries")) if retries else None,
            priority=self._priority(root, last=last),
            attached=tuple(self._subsets(written.route, rule.place.at("route"), facts)) if answers else (),
        )

    def _missing_delegate(
        self, root: VirtualServiceObject, rule: Rule, name: NamespacedName, attachment: Attachment
    ) -> Iterator[Route]:
        """A rule that leads nowhere: Istio leaves it out."""
        resolution = self._graph.resolve(_VIRTUAL_SERVICE, *name)
        if resolution.existence is Existence.FOUND:
            resolution = Resolution(Existence.MISSING, why="it has hosts, and a delegate has none")
        web = [server for server in attachment.servers if server.listener.protocol.value in ("HTTP", "HTTPS")]
        yield Route(
            controller=_controller(root),
            owner=root,
            rule=rule.index,
            place=rule.place,
            listeners=_listeners(web),
            hostnames=_hostnames(root, web),
            matches=tuple(http_match(match, place) for match, place in rule.matches) or (any_request(rule.place),),
            backends=(),
            priority=self._priority(root, last=False),
            attached=(
                model.Attachment(
                    rule.place.at("delegate", "name"),
                    _VIRTUAL_SERVICE,
                    name.namespace,
                    name.name,
                    resolution,
                    "its rules are left out, and clients get 404",
                ),
            ),
        )

    # -- rules for connections --------------------------------------------------------------------------------------

    def _tls(
        self, item: VirtualServiceObject, written: TLSRoute, place: Place, rule: int, attachment: Attachment
    ) -> Iterator[Route]:
        for index, match in enumerate(written.match):
            servers = [
                server
                for server in attachment.servers
                if server.passes_through and _applies(match, server, item.namespace)
            ]
            if attachment.servers and not servers:
                continue
            hosts = tuple(
                Sourced(host, Origin.EXPLICIT, place.at("match", index, "sniHosts", number))
                for number, host in enumerate(match.sni_hosts)
            )
            yield self._connection(item, written.route, place, rule, AppProtocol.TLS, servers, hosts, index)

    def _tcp(
        self, item: VirtualServiceObject, written: TCPRoute, place: Place, rule: int, attachment: Attachment
    ) -> Iterator[Route]:
        matches: Sequence[L4Match] = written.match or (L4Match(),)
        servers = [
            server
            for server in attachment.servers
            if server.listener.protocol.value in ("TCP", "TLS")
            and not server.passes_through
            and any(_applies(match, server, item.namespace) for match in matches)
        ]
        if servers or not attachment.servers:
            yield self._connection(item, written.route, place, rule, AppProtocol.TCP, servers, (), 0)

    def _connection(
        self,
        item: VirtualServiceObject,
        written: Sequence[RouteDestination],
        place: Place,
        rule: int,
        protocol: AppProtocol,
        servers: Sequence[BoundServer],
        hosts: tuple[Sourced[str], ...],
        first: int,
    ) -> Route:
        facts = destinations.Rule(item, place, protocol, _ports(servers), _clients(servers))
        return Route(
            controller=_controller(item),
            owner=item,
            rule=rule,
            place=place,
            listeners=_listeners(servers),
            proxies=_proxies(servers),
            mesh=ISTIO_MESH,
            hostnames=hosts,
            matches=(),
            backends=self._backends(written, place.at("route"), facts),
            first_match=first,
            priority=self._priority(item, last=False),
            attached=tuple(self._subsets(written, place.at("route"), facts)),
        )

    # -- what rules share -------------------------------------------------------------------------------------------

    def _backends(
        self, written: Sequence[RouteDestination], place: Place, rule: destinations.Rule
    ) -> tuple[BackendRef, ...]:
        """The destinations; the weight of a single one means nothing."""
        found = []
        for index, item in enumerate(written):
            where = place.at(index)
            own = (
                tuple(header_filters(item.headers, where.at("headers")))
                if isinstance(item, HTTPRouteDestination) and item.headers
                else ()
            )
            weight = item.weight if len(written) > 1 else item.weight or 1
            found.append(self._destinations.backend(item.destination, where.at("destination"), rule, weight, own))
        return tuple(found)

    def _subsets(
        self, written: Sequence[RouteDestination], place: Place, rule: destinations.Rule
    ) -> Iterator[model.Attachment]:
        for index, item in enumerate(written):
            subset = self._destinations.subset(item.destination, place.at(index, "destination"), rule)
            if subset is not None:
                yield subset

    def _priority(self, item: VirtualServiceObject, *, last: bool) -> Sourced[int]:
        self._turn += 1
        why = "a rule without conditions is tried last" if last else "rules are tried in the order they stand"
        return Sourced(-self._turn if last else 1_000_000 - self._turn, Origin.DERIVED, item.name_place, why)


def _controller(item: VirtualServiceObject) -> Sourced[str]:
    return Sourced("istio", Origin.EXPLICIT, item.at("spec", "gateways"), f"a {item.kind}")


def _applying(rule: Rule, server: BoundServer, namespace: str) -> Iterator[int]:
    return (index for index, (match, _) in enumerate(rule.matches) if _applies(match, server, namespace))


def _applies(match: L4Match, server: BoundServer, namespace: str) -> bool:
    """Whether a match is for what a server gets; labels and namespaces of a source are those of the gateway's pods."""
    if match.port is not None and match.port != server.server.port.number:
        return False
    gateway = NamespacedName(server.gateway.namespace, server.gateway.name)
    if match.gateways:
        return any(name != MESH and gateway_name(name, namespace) == gateway for name in match.gateways)
    if match.source_namespace and match.source_namespace not in server.pods.namespaces:
        return False
    return all(
        any(workload.labels.get(name) == value for workload in server.pods.workloads)
        for name, value in match.source_labels.items()
    )


def _for_gateways(rule: Rule, root: VirtualServiceObject, attachment: Attachment) -> tuple[int, ...]:
    """The matches that are not for sidecars only, where no server is known."""
    return tuple(
        index
        for index, (match, _) in enumerate(rule.matches)
        if not match.gateways
        or any(name != MESH and gateway_name(name, root.namespace) in attachment.names for name in match.gateways)
    )


def _proxies(servers: Sequence[BoundServer]) -> tuple[Workload, ...]:
    """The workloads whose pods open some servers."""
    return tuple(dict.fromkeys(workload for server in servers for workload in server.pods.workloads))


def _listeners(servers: Iterable[BoundServer]) -> tuple[Listener, ...]:
    """The listeners of a rule, without those that answer everything with a redirect, if it has others."""
    found = [server for server in servers if server.listener.usable]
    kept = [server for server in found if server.redirect is None]
    return tuple(server.listener for server in kept or found)


def _ports(servers: Iterable[BoundServer]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(server.server.port.number for server in servers))


def _clients(servers: Iterable[BoundServer]) -> frozenset[str]:
    return frozenset(space for server in servers for space in server.pods.namespaces)


def _hostnames(item: VirtualServiceObject, servers: Sequence[BoundServer]) -> tuple[Sourced[str], ...]:
    """The hosts that a VirtualService serves through `servers`; none for any host."""
    found = []
    for index, host in enumerate(item.body.spec.hosts):
        full = full_host(host, item.namespace)
        taken = any(server.takes_host(full) for server in servers) if servers else service_of(full) is None
        if taken and host == "*":
            return ()
        if taken:
            found.append(Sourced(host, Origin.EXPLICIT, item.at("spec", "hosts", index)))
    return tuple(found)


def _retries(written: HTTPRetry, place: Place) -> Retries:
    conditions = [item.strip() for item in written.retry_on.split(",")]
    codes = tuple(code for item in conditions if (code := whole(item)) is not None)
    return Retries(place, codes, written.attempts, go_duration(written.backoff) if written.backoff else None)


def _retries_resets(written: HTTPRetry | None) -> bool:
    """Whether a reset of a reused connection is tried again; by default it is not (route/retry/retry.go)."""
    if written is None or not written.attempts:
        return False
    return bool(_RESET_CONDITIONS & {item.strip() for item in written.retry_on.split(",")})
