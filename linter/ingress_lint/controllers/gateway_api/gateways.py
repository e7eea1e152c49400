"""Gateways: their class, their listeners with those of ListenerSets, and which of these clash or cannot open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from ingress_lint.controllers.gateway_api.frontend_tls import FrontendTLS
from ingress_lint.controllers.gateway_api.implementations import (
    SPECIFICATION,
    Implementation,
    by_class_name,
    by_controller_name,
)
from ingress_lint.controllers.gateway_api.references import References, Site
from ingress_lint.controllers.gateway_api.selection import Answer, namespace_selected
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence
from ingress_lint.load.document import Place
from ingress_lint.objects.gateway import (
    GATEWAY_GROUP,
    Gateway,
    GatewayClass,
    ListenerEntry,
    ListenerSet,
    RouteGroupKind,
)
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.matching import age
from ingress_lint.routes.model import Frontend, Listener, ListenerTLS, Origin, Sourced
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict

Declarer = KubernetesObject[Gateway] | KubernetesObject[ListenerSet]

ROUTE_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "HTTP": ("HTTPRoute", "GRPCRoute"),
    "HTTPS": ("HTTPRoute", "GRPCRoute"),
    "TLS": ("TLSRoute",),
    "TCP": ("TCPRoute",),
    "UDP": ("UDPRoute",),
}
"""The kinds of routes that a protocol carries; where a listener ends TLS itself, also TCPRoute."""
_SHARING: Final = {"HTTP": "HTTP", "HTTPS": "TLS", "TLS": "TLS", "TCP": "TCP", "UDP": "UDP"}
"""Protocols of one group may share a port and are told apart by host; of the others only UDP shares with any."""
_CERTMAP_ANNOTATION: Final = "networking.gke.io/certmap"


@dataclass(frozen=True, eq=False)
class BoundListener:
    """A listener of a Gateway, with the object that declares it: the Gateway itself or a ListenerSet."""

    gateway: KubernetesObject[Gateway]
    declarer: Declarer
    entry: ListenerEntry
    model: Listener

    @property
    def protocol(self) -> str:
        """The protocol; core protocols in capitals, as they are compared without case."""
        return self.model.protocol.value

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.model.place or self.declarer.name_place

    @property
    def hostname(self) -> str:
        """Its hostname, empty for any."""
        return (self.entry.hostname or "") if self.protocol in ("HTTP", "HTTPS", "TLS") else ""

    @property
    def carried_kinds(self) -> tuple[str, ...]:
        """The kinds of routes that its protocol carries."""
        kinds = ROUTE_KINDS.get(self.protocol, ())
        if self.protocol == "TLS" and self.model.tls and self.model.tls.mode.value == "Terminate":
            return (*kinds, "TCPRoute")
        return kinds

    def takes_kind(self, group: str, kind: str) -> bool:
        """Whether it takes routes of this kind."""
        allowed = self.entry.allowed_routes.kinds
        if not allowed:
            return group == GATEWAY_GROUP and kind in self.carried_kinds
        return any(item.group == group and item.kind == kind for item in allowed) and kind in self.carried_kinds


@dataclass(frozen=True, eq=False)
class GatewayView:
    """A Gateway as its implementation sees it."""

    gateway: KubernetesObject[Gateway]
    implementation: Implementation
    class_source: Sourced[str]
    """Which implementation serves it, and how that is known."""
    listeners: tuple[BoundListener, ...]

    @property
    def frontend(self) -> Frontend:
        """What clients connect to."""
        return Frontend(
            self.gateway,
            tuple(listener.model for listener in self.listeners),
            isolated=self.implementation.isolated_listeners,
            hosts_apart=self.implementation.hosts_apart,
        )


class Gateways:
    """Every Gateway of a graph; `verdicts` holds what is wrong with them."""

    def __init__(self, graph: ObjectGraph, references: References) -> None:
        self._graph = graph
        self._references = references
        self._classes = {item.name: item for item in graph.of(GatewayClass)}
        self.by_name = {(item.namespace, item.name): item for item in graph.of(Gateway)}
        self.listener_sets = {(item.kind, item.namespace, item.name): item for item in graph.of(ListenerSet)}
        self.verdicts: list[Verdict] = []
        self.accepted_sets: set[KubernetesObject[ListenerSet]] = set()
        sets = self._sets_by_gateway()
        self.views = tuple(self._view(gateway, sets.get(gateway, ())) for gateway in self.by_name.values())
        self._declared: defaultdict[Declarer, list[tuple[GatewayView, BoundListener]]] = defaultdict(list)
        for view in self.views:
            for listener in view.listeners:
                self._declared[listener.declarer].append((view, listener))

    def declared_by(self, declarer: Declarer) -> Sequence[tuple[GatewayView, BoundListener]]:
        """The listeners that an object declares, each with its Gateway."""
        return self._declared.get(declarer, ())

    def existence(self, kind: str, namespace: str, name: str) -> Existence:
        """Whether a Gateway or ListenerSet exists; an Istio Gateway of the same name is another kind of object."""
        known = self.by_name if kind == "Gateway" else {key[1:]: item for key, item in self.listener_sets.items()}
        if (namespace, name) in known:
            return Existence.FOUND
        existence = self._graph.resolve(kind, namespace, name).existence
        if existence is Existence.EXTERNAL or self._graph.context.assume == "complete":
            return Existence.MISSING if existence is Existence.FOUND else existence
        if self._graph.context.assume == "partial":
            return Existence.PARTIAL
        return Existence.MISSING if any(key[0] == namespace for key in known) else Existence.PARTIAL

    # -- gateways and their classes ---------------------------------------------------------------------------------

    def _view(self, gateway: KubernetesObject[Gateway], sets: Sequence[KubernetesObject[ListenerSet]]) -> GatewayView:
        implementation, source = self._implementation(gateway)
        frontend_tls = FrontendTLS(gateway, self._references)
        self._check_parameters(gateway)
        self.verdicts += frontend_tls.backend_verdicts()
        kept: list[BoundListener] = []
        declarers: tuple[Declarer, ...] = (gateway, *sets)
        for declarer in declarers:
            bound = [
                self._bind(gateway, declarer, index, entry, implementation, frontend_tls)
                for index, entry in enumerate(declarer.body.spec.listeners)
            ]
            kept += self._without_conflicts(bound, kept)
        return GatewayView(gateway, implementation, source, tuple(kept))

    def _implementation(self, gateway: KubernetesObject[Gateway]) -> tuple[Implementation, Sourced[str]]:
        name = gateway.body.spec.gateway_class_name
        place = gateway.at("spec", "gatewayClassName")
        defined = self._classes.get(name)
        if defined is not None:
            found = by_controller_name(defined.body.spec.controller_name)
            where = defined.at("spec", "controllerName")
            return found, Sourced(found.name, Origin.EXPLICIT, where, f"class {name}")
        found = by_class_name(name)
        resolution = self._graph.resolve("GatewayClass", "", name)
        if resolution.existence in (Existence.MISSING, Existence.PARTIAL):
            known = ", ".join(f"`{item}`" for item in self._classes)
            self.verdicts.append(
                Verdict(
                    Reason.NO_GATEWAY_CLASS,
                    gateway,
                    place,
                    f"Gateway `{gateway.name}` is of class `{name}`, which these manifests do not define"
                    + (f" although they define {known}" if known else "")
                    + "; a Gateway without its class gets no address, and clients cannot connect",
                    self._class_certainty(found),
                    tuple((f"GatewayClass `{item.name}`", item.name_place) for item in self._classes.values()),
                    f"name one of {known}, or add GatewayClass `{name}`" if known else f"add GatewayClass `{name}`",
                )
            )
        origin = Origin.DEFAULT if found is SPECIFICATION else Origin.DERIVED
        return found, Sourced(found.name, origin, place, f"class {name}")

    def _class_certainty(self, found: Implementation) -> Certainty:
        """A class that an implementation's installation makes by itself is seldom in the set."""
        if not self._classes:
            return Certainty.KNOWN if self._graph.context.assume == "complete" else Certainty.UNKNOWN
        return Certainty.KNOWN if found is SPECIFICATION else Certainty.UNKNOWN

    def _check_parameters(self, gateway: KubernetesObject[Gateway]) -> None:
        infrastructure = gateway.body.spec.infrastructure
        reference = infrastructure.parameters_ref if infrastructure else None
        if reference is None:
            return
        resolution = self._graph.resolve(reference.kind, gateway.namespace, reference.name)
        if resolution.existence in (Existence.MISSING, Existence.PARTIAL):
            self.verdicts.append(
                Verdict(
                    Reason.INVALID_PARAMETERS,
                    gateway,
                    gateway.at("spec", "infrastructure", "parametersRef", "name"),
                    f"Gateway `{gateway.name}` takes its parameters from {reference.kind} `{reference.name}`, which "
                    f"namespace `{gateway.namespace}` does not have; without it the Gateway is not accepted, and "
                    f"clients cannot connect",
                    Certainty.of_missing(resolution.existence),
                    fix=f"add {reference.kind} `{reference.name}`, or drop `parametersRef`",
                )
            )

    # -- ListenerSets -----------------------------------------------------------------------------------------------

    def _sets_by_gateway(self) -> Mapping[KubernetesObject[Gateway], list[KubernetesObject[ListenerSet]]]:
        found: defaultdict[KubernetesObject[Gateway], list[KubernetesObject[ListenerSet]]] = defaultdict(list)
        for item in sorted(self.listener_sets.values(), key=age):
            reference = item.body.spec.parent_ref
            if (reference.group, reference.kind) != (GATEWAY_GROUP, "Gateway"):
                continue
            namespace = reference.namespace or item.namespace
            gateway = self.by_name.get((namespace, reference.name))
            if gateway is None:
                self._report_missing_gateway(item, namespace, reference.name)
            elif self._allows_set(gateway, item):
                self.accepted_sets.add(item)
                found[gateway].append(item)
        return found

    def _report_missing_gateway(self, item: KubernetesObject[ListenerSet], namespace: str, name: str) -> None:
        existence = self.existence("Gateway", namespace, name)
        if existence is not Existence.EXTERNAL:
            self.verdicts.append(
                Verdict(
                    Reason.NO_MATCHING_PARENT,
                    item,
                    item.at("spec", "parentRef", "name"),
                    f"{item.kind} `{item.name}` adds listeners to Gateway `{name}`, which namespace `{namespace}` does "
                    f"not have; nobody opens them, and clients cannot connect",
                    Certainty.of_missing(existence),
                    fix=f"name a Gateway that exists, or add `{name}` to namespace `{namespace}`",
                )
            )

    def _allows_set(self, gateway: KubernetesObject[Gateway], item: KubernetesObject[ListenerSet]) -> bool:
        allowed = gateway.body.spec.allowed_listeners.namespaces
        answer = namespace_selected(self._graph, allowed.from_, allowed.selector, gateway.namespace, item.namespace)
        if answer is not Answer.NO:
            return True
        of = {
            "None": "takes no ListenerSets, as it has no `allowedListeners`",
            "Same": f"takes ListenerSets of its own namespace `{gateway.namespace}` only",
        }.get(allowed.from_, "takes ListenerSets of selected namespaces only")
        self.verdicts.append(
            Verdict(
                Reason.NOT_ALLOWED,
                item,
                item.at("spec", "parentRef"),
                f"{item.kind} `{item.name}` of namespace `{item.namespace}` adds listeners to Gateway "
                f"`{gateway.name}`, which {of}; nobody opens them, and clients cannot connect",
                related=((f"Gateway `{gateway.name}`", gateway.at("spec", "allowedListeners")),),
                fix=f"set `allowedListeners.namespaces.from` of Gateway `{gateway.name}` so that it takes "
                f"namespace `{item.namespace}`",
            )
        )
        return False

    # -- listeners --------------------------------------------------------------------------------------------------

    def _bind(
        self,
        gateway: KubernetesObject[Gateway],
        declarer: Declarer,
        index: int,
        entry: ListenerEntry,
        implementation: Implementation,
        frontend_tls: FrontendTLS,
    ) -> BoundListener:
        place = declarer.at("spec", "listeners", index)
        protocol = entry.protocol.upper() if entry.protocol.upper() in ROUTE_KINDS else entry.protocol
        model = Listener(
            gateway=f"Gateway {gateway.name}",
            port=Sourced(entry.port, Origin.EXPLICIT, place.at("port")),
            protocol=Sourced(protocol, Origin.EXPLICIT, place.at("protocol")),
            hostname=Sourced(entry.hostname, Origin.EXPLICIT, place.at("hostname")) if entry.hostname else None,
            instance=f"{gateway.namespace}/{gateway.name}",
            name=entry.name,
            place=place,
        )
        site = Site(declarer, place, entry.name)
        verdicts = list(_protocol_verdicts(site, entry, protocol))
        usable = not verdicts
        mode: Literal["Terminate", "Passthrough"] = (entry.tls.mode if entry.tls else None) or "Terminate"
        if protocol in ("HTTPS", "TLS"):
            elsewhere = implementation.own_certificates or _CERTMAP_ANNOTATION in gateway.annotations
            certificates, faults, opens = frontend_tls.certificates(site, entry, mode, elsewhere)
            usable = usable and opens
            clients, client_faults = frontend_tls.clients(site, entry, protocol)
            verdicts += [*faults, *client_faults]
            origin = Origin.EXPLICIT if entry.tls and entry.tls.mode else Origin.DEFAULT
            source = Sourced(mode, origin, place.at("tls", "mode"))
            model = replace(model, tls=ListenerTLS(source, certificates, clients))
        bound = BoundListener(gateway, declarer, entry, replace(model, usable=usable))
        self.verdicts += [*verdicts, *_kind_verdicts(site, bound)]
        return bound

    def _without_conflicts(
        self, bound: Sequence[BoundListener], earlier: Sequence[BoundListener]
    ) -> list[BoundListener]:
        """One object's listeners, those in conflict marked unusable: earlier objects win, within one nobody does."""
        losers: dict[BoundListener, tuple[Reason, BoundListener]] = {}
        standing = [listener for listener in earlier if listener.model.usable]
        for listener in bound:
            if conflict := _conflict(listener, standing):
                losers[listener] = conflict
        rest = [listener for listener in bound if listener not in losers]
        for listener in rest:
            if conflict := _conflict(listener, (other for other in rest if other is not listener)):
                losers[listener] = conflict
        for listener, (reason, other) in losers.items():
            self.verdicts.append(_conflict_verdict(listener, reason, other))
        return [
            replace(listener, model=replace(listener.model, usable=False)) if listener in losers else listener
            for listener in bound
        ]


def _protocol_verdicts(site: Site, entry: ListenerEntry, protocol: str) -> Iterator[Verdict]:
    refused = "the API server refuses the object, so that clients meet what was there before or nothing"
    if protocol not in ROUTE_KINDS and "/" not in protocol:
        yield site.verdict(
            Reason.UNSUPPORTED_PROTOCOL,
            f"{site.of_listener} has protocol `{protocol}`, and the Gateway API knows {', '.join(ROUTE_KINDS)}; nobody "
            f"opens port {entry.port}, and clients cannot connect",
            place=site.place.at("protocol"),
            fix="use one of them, or the implementation's own protocol with its domain as prefix",
        )
    if protocol in ("HTTP", "TCP", "UDP") and entry.tls is not None:
        yield site.verdict(
            Reason.UNSUPPORTED_VALUE,
            f"{site.of_listener} speaks {protocol} without TLS and has a `tls` block; {refused}",
            place=site.place.at("tls").key(),
            fix="use protocol HTTPS or TLS, or drop `tls`",
        )
    if protocol == "HTTPS" and entry.tls is not None and entry.tls.mode == "Passthrough":
        yield site.verdict(
            Reason.UNSUPPORTED_VALUE,
            f"{site.of_listener} speaks HTTPS, for which it must end TLS itself, and has mode Passthrough; {refused}",
            place=site.place.at("tls", "mode"),
            fix="use protocol TLS with a TLSRoute to pass TLS through, or mode Terminate",
        )
    if protocol in ("TCP", "UDP") and entry.hostname:
        yield site.verdict(
            Reason.UNSUPPORTED_VALUE,
            f"{site.of_listener} speaks {protocol}, which carries no host, and has hostname `{entry.hostname}`; {refused}",
            place=site.place.at("hostname"),
            fix="drop `hostname`",
        )


def _kind_verdicts(site: Site, bound: BoundListener) -> Iterator[Verdict]:
    """The allowed kinds of routes that the listener's protocol does not carry."""
    carried = bound.carried_kinds
    for index, item in enumerate(bound.entry.allowed_routes.kinds):
        if _carries(item, carried) or bound.protocol not in ROUTE_KINDS:
            continue
        known = item.group == GATEWAY_GROUP
        yield site.verdict(
            Reason.INVALID_ROUTE_KINDS,
            f"{site.of_listener} takes routes of kind `{item.kind}`, and its protocol {bound.protocol}"
            f"{_mode_words(bound)} carries only {' and '.join(carried)}; no {item.kind} ever answers there",
            Certainty.KNOWN if known else Certainty.LIKELY,
            place=site.place.at("allowedRoutes", "kinds", index, "kind"),
            fix=f"allow {' or '.join(carried)}, or change the protocol",
        )


def _carries(item: RouteGroupKind, carried: Iterable[str]) -> bool:
    return item.group == GATEWAY_GROUP and item.kind in carried


def _mode_words(bound: BoundListener) -> str:
    return f" with mode {bound.model.tls.mode.value}" if bound.protocol == "TLS" and bound.model.tls else ""


def _conflict(listener: BoundListener, others: Iterable[BoundListener]) -> tuple[Reason, BoundListener] | None:
    port, group = listener.entry.port, _SHARING.get(listener.protocol)
    if not port or group is None:
        return None
    for other in others:
        other_group = _SHARING.get(other.protocol)
        if other.entry.port != port or other_group is None or ("UDP" in (group, other_group) and group != other_group):
            continue
        if group != other_group or group in ("TCP", "UDP"):
            return Reason.PROTOCOL_CONFLICT, other
        if listener.hostname.lower() == other.hostname.lower():
            return Reason.HOSTNAME_CONFLICT, other
    return None


def _conflict_verdict(listener: BoundListener, reason: Reason, other: BoundListener) -> Verdict:
    mine = f"listener `{listener.entry.name}` of {listener.declarer.kind} `{listener.declarer.name}`"
    owner = "" if other.declarer is listener.declarer else f" of {other.declarer.kind} `{other.declarer.name}`"
    port = listener.entry.port
    if reason is Reason.HOSTNAME_CONFLICT:
        host = f"host `{listener.hostname}`" if listener.hostname else "any host"
        both = f"both take {host} on port {port}"
        place = listener.place.at("hostname") if listener.hostname else listener.place.at("port")
    elif listener.protocol == other.protocol:
        both, place = f"both take every {listener.protocol} packet of port {port}", listener.place.at("port")
    else:
        both = f"share port {port} and speak {listener.protocol} and {other.protocol}"
        place = listener.place.at("protocol")
    end = (
        "neither is opened, and clients of both cannot connect"
        if other.declarer is listener.declarer
        else "the earlier one keeps the port, and clients of this one never reach it"
    )
    return Verdict(
        reason,
        listener.declarer,
        place,
        f"{mine} and listener `{other.entry.name}`{owner} {both}; {end}",
        related=((f"listener `{other.entry.name}`", other.place),),
        fix="give one of them another port" + (" or hostname" if reason is Reason.HOSTNAME_CONFLICT else ""),
        listener=listener.entry.name,
    )
