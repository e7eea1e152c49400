"""Listeners: what each one carries, what is refused of it, and which of them cannot stand side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from ingress_lint.controllers.shared.implementations import SPECIFICATION, Implementation
from ingress_lint.controllers.shared.references import Site
from ingress_lint.load.document import Place
from ingress_lint.objects.gateway import Gateway, ListenerEntry, ListenerSet, RouteGroupKind
from ingress_lint.objects.kinds import GATEWAY_GROUP
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.listeners import Listener
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict
from ingress_lint.values.spelling import close_matches

Declarer = KubernetesObject[Gateway] | KubernetesObject[ListenerSet]

ROUTE_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "HTTP": ("HTTPRoute", "GRPCRoute"),
    "HTTPS": ("HTTPRoute", "GRPCRoute"),
    "TLS": ("TLSRoute",),
    "TCP": ("TCPRoute",),
    "UDP": ("UDPRoute",),
}
"""The kinds of routes that a protocol carries; where a listener ends TLS itself, also TCPRoute."""
_EXTENSIONS: Final = {
    # istio/istio:pilot/pkg/config/kube/gateway/conversion.go
    "HBONE": "istio",
    # l7mp/stunner:docs/GATEWAY.md
    **dict.fromkeys(("TURN-UDP", "TURN-TCP", "TURN-TLS", "TURN-DTLS"), "stunner"),
}
"""Protocols without a domain that one implementation takes, each with its name."""
_EAST_WEST: Final = "istio-east-west"
_HBONE_PORT: Final = 15008
_SHARING: Final = {"HTTP": "HTTP", "HTTPS": "TLS", "TLS": "TLS", "TCP": "TCP", "UDP": "UDP"}
"""Protocols of one group may share a port and are told apart by host; of the others only UDP shares with any."""


class BoundListener(Struct, frozen=True, eq=False):
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

    @property
    def protocol_words(self) -> str:
        """Its protocol as messages name it."""
        return (
            f"TLS with mode {self.model.tls.mode.value}" if self.protocol == "TLS" and self.model.tls else self.protocol
        )

    def carries(self, group: str, kind: str) -> bool:
        """Whether its protocol carries routes of this kind; unknown protocols may carry any."""
        return self.protocol not in ROUTE_KINDS or (group == GATEWAY_GROUP and kind in self.carried_kinds)

    def takes_kind(self, group: str, kind: str) -> bool:
        """Whether it takes routes of this kind."""
        allowed = self.entry.allowed_routes.kinds
        if not allowed:
            return group == GATEWAY_GROUP and kind in self.carried_kinds
        return any(item.group == group and item.kind == kind for item in allowed) and kind in self.carried_kinds


def protocol_verdicts(
    site: Site, entry: ListenerEntry, protocol: str, implementation: Implementation, class_name: str
) -> Iterator[Verdict]:
    """What the API server or every implementation refuses of a listener; `implementation` is the one that serves it."""
    refused = "the API server refuses the object, so that clients meet what was there before or nothing"
    if protocol not in ROUTE_KINDS and "/" not in protocol and not _is_extension(protocol, implementation):
        meant = close_matches(protocol.upper(), ROUTE_KINDS, 1, 0.6)
        yield site.verdict(
            Reason.UNSUPPORTED_PROTOCOL,
            f"{site.of_listener} has protocol `{protocol}`, and the Gateway API knows {', '.join(ROUTE_KINDS)}; nobody "
            f"opens port {entry.port}, and clients cannot connect",
            Certainty.UNKNOWN if implementation is SPECIFICATION and not meant else Certainty.KNOWN,
            place=site.place.at("protocol"),
            fix="use one of them, or the implementation's own protocol with its domain as prefix",
        )
    if class_name == _EAST_WEST and protocol.upper() == "HBONE" and not _takes_tunnels(entry):
        yield site.verdict(
            Reason.UNSUPPORTED_PROTOCOL,
            f"{site.of_listener} speaks HBONE, which Istio's east-west gateways take on port {_HBONE_PORT} with TLS mode "
            "Terminate alone; the Gateway is not accepted, and requests from other networks cannot connect",
            place=site.place.at("protocol"),
            fix=f"use port {_HBONE_PORT} and `tls: {{mode: Terminate}}`",
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


def _is_extension(protocol: str, implementation: Implementation) -> bool:
    """Whether a protocol is one that the serving implementation, or whichever unknown one serves, has of its own."""
    owner = _EXTENSIONS.get(protocol.upper())
    return owner is not None and (implementation is SPECIFICATION or implementation.name == owner)


def _takes_tunnels(entry: ListenerEntry) -> bool:
    """Whether east-west gateways open an HBONE listener (istio/istio:pilot/pkg/config/kube/gateway/conversion.go,
    unexpectedEastWestWaypointListener)."""
    return entry.port == _HBONE_PORT and entry.tls is not None and (entry.tls.mode or "Terminate") == "Terminate"


def kind_verdicts(site: Site, bound: BoundListener) -> Iterator[Verdict]:
    """The allowed kinds of routes that the listener's protocol does not carry."""
    carried = bound.carried_kinds
    for index, item in enumerate(bound.entry.allowed_routes.kinds):
        if _carries(item, carried) or bound.protocol not in ROUTE_KINDS:
            continue
        known = item.group == GATEWAY_GROUP
        yield site.verdict(
            Reason.INVALID_ROUTE_KINDS,
            f"{site.of_listener} takes routes of kind `{item.kind}`, and its protocol "
            f"{bound.protocol_words} carries only {' and '.join(carried)}; no {item.kind} ever answers there",
            Certainty.KNOWN if known else Certainty.LIKELY,
            place=site.place.at("allowedRoutes", "kinds", index, "kind"),
            fix=f"allow {' or '.join(carried)}, or change the protocol",
        )


def _carries(item: RouteGroupKind, carried: Iterable[str]) -> bool:
    return item.group == GATEWAY_GROUP and item.kind in carried


def conflict_of(listener: BoundListener, others: Iterable[BoundListener]) -> tuple[Reason, BoundListener] | None:
    """Why a listener cannot stand beside one of `others`, and which."""
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


def conflict_verdict(listener: BoundListener, reason: Reason, other: BoundListener) -> Verdict:
    """What a listener in conflict gets to hear."""
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
