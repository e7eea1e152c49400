"""Gateways: their servers as listeners, the pods that open them, and which servers clash or cannot open.

istio/istio:pilot/pkg/model/gateway.go (mergeGateways, resolvePorts), pkg/config/validation/validation.go
(ValidateGateway).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.controllers.istio import GATEWAY
from ingress_lint.controllers.istio.certificates import certificates, client_validation
from ingress_lint.controllers.istio.hosts import NamespacedName, full_host, overlap
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service
from ingress_lint.objects.istio import Gateway, Server
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.objects.reading import string_map
from ingress_lint.routes.filters import RequestRedirect
from ingress_lint.routes.listeners import Listener, ListenerTLS
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict
from ingress_lint.values.spelling import close_matches

_WEB: Final = frozenset({"HTTP", "HTTP2", "HTTP_PROXY", "GRPC", "GRPC-WEB"})
_STREAM: Final = frozenset({"TCP", "MONGO", "MYSQL", "REDIS"})
_ENCRYPTED: Final = frozenset({"HTTPS", "TLS"})
_PASSING: Final = frozenset({"PASSTHROUGH", "AUTO_PASSTHROUGH"})
_CLIENT_CERTIFICATES: Final = {"MUTUAL": True, "ISTIO_MUTUAL": True, "OPTIONAL_MUTUAL": False}
_REFUSED: Final = "Istio refuses the Gateway, so that clients meet what was there before or nothing"

GatewayObject = KubernetesObject[Gateway]


class GatewayPods(Struct, frozen=True, eq=False):
    """The pods that a selector means: who opens the servers of every Gateway with the same selector."""

    selector: str
    workloads: tuple[Workload, ...]
    services: tuple[KubernetesObject[Service], ...]
    """What leads to them."""

    @property
    def namespaces(self) -> frozenset[str]:
        """The namespaces that they run in, none where they are not in the set."""
        return frozenset(workload.object.namespace for workload in self.workloads)

    def client_port(self, number: int) -> int | None:
        """The port that clients use for a server's, which may be the Service's or the pod's own; None for neither."""
        ports = [port for service in self.services for port in service.body.spec.ports]
        if any(port.port == number for port in ports):
            return number
        return next((port.port for port in ports if port.target_port == number), None)


class BoundServer(Struct, frozen=True, eq=False):
    """One host of one server, as a listener. `namespace` is the only one whose VirtualServices it takes, if any."""

    gateway: GatewayObject
    pods: GatewayPods
    index: int
    server: Server
    host: str
    namespace: str | None
    host_place: Place
    listener: Listener

    @property
    def passes_through(self) -> bool:
        """Whether the pods behind it end TLS."""
        return self.listener.tls is not None and self.listener.tls.mode.value == "Passthrough"

    @property
    def redirect(self) -> RequestRedirect | None:
        """The redirect that it answers every request with, if it does."""
        tls = self.server.tls
        if tls is None or not tls.https_redirect or self.listener.protocol.value != "HTTP":
            return None
        place = self.gateway.at("spec", "servers", self.index, "tls", "httpsRedirect")
        return RequestRedirect(place, 301, scheme="https")

    def takes_host(self, host: str) -> bool:
        """Whether some host is one of both."""
        return overlap(self.host, host)

    def takes_namespace(self, namespace: str) -> bool:
        """Whether it takes VirtualServices of a namespace."""
        return self.namespace is None or self.namespace == namespace

    def __str__(self) -> str:
        return f"{self.gateway.kind} `{self.gateway.name}`"


class Gateways:
    """Every Gateway of a graph; `verdicts` holds what is wrong with them."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph
        self._pods: dict[tuple[tuple[str, str], ...], GatewayPods] = {}
        self.verdicts: list[Verdict] = []
        self.by_name = {NamespacedName(item.namespace, item.name): item for item in graph.of(Gateway)}
        self.servers: dict[NamespacedName, tuple[BoundServer, ...]] = {}
        taken: dict[tuple[str, int], list[BoundServer]] = {}
        for name, gateway in self.by_name.items():
            bound: list[BoundServer] = []
            pods = self.pods(string_map(gateway.body.spec.selector))
            for index, server in enumerate(gateway.body.spec.servers):
                usable = self._check(gateway, index, server)
                opened = list(self._bind(gateway, index, server, pods))
                earlier = taken.setdefault((pods.selector, server.port.number), [])
                clash = self._clash(opened, earlier) if usable else None
                if clash is not None:
                    self.verdicts.append(clash)
                if not usable or clash is not None:
                    opened = [replace(item, listener=replace(item.listener, usable=False)) for item in opened]
                else:
                    earlier += opened
                bound += opened
                self._check_exposed(gateway, index, server, pods)
            self.servers[name] = tuple(bound)
            if pods.selector and not pods.workloads:
                self._check_selector(gateway)

    def pods(self, selector: Mapping[str, str]) -> GatewayPods:
        """The pods of a selector, in whatever namespace."""
        key = tuple(sorted(selector.items()))
        if key not in self._pods:
            workloads = (
                tuple(item for space in self._namespaces for item in self._graph.pods(space).matching(selector))
                if selector
                else ()
            )
            known = set(workloads)
            services = (
                tuple(item for item in self._graph.services if known.intersection(self._graph.selected_by(item)))
                if known
                else ()
            )
            self._pods[key] = GatewayPods(",".join(f"{name}={value}" for name, value in key), workloads, services)
        return self._pods[key]

    @cached_property
    def _namespaces(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(workload.object.namespace for workload in self._graph.workloads))

    # -- servers ----------------------------------------------------------------------------------------------------

    def _bind(self, gateway: GatewayObject, index: int, server: Server, pods: GatewayPods) -> Iterable[BoundServer]:
        place = gateway.at("spec", "servers", index)
        for number, written in enumerate(server.hosts):
            space, slash, host = written.rpartition("/")
            namespace = None if not slash or space == "*" else gateway.namespace if space == "." else space
            host_place = place.at("hosts", number)
            hostname = None if host == "*" else Sourced(host, Origin.EXPLICIT, host_place)
            listener = self._listener(gateway, server, pods, place, hostname)
            yield BoundServer(
                gateway, pods, index, server, full_host(host, gateway.namespace), namespace, host_place, listener
            )

    def _listener(
        self, gateway: GatewayObject, server: Server, pods: GatewayPods, place: Place, hostname: Sourced[str] | None
    ) -> Listener:
        """Each server that ends TLS has its own routes (istio.io/latest/docs/reference/config/analysis/ist0138)."""
        number = server.port.number
        client_port = pods.client_port(number)
        port = Sourced(number, Origin.EXPLICIT, place.at("port", "number"))
        if client_port not in (None, number):
            why = f"its Service leads from there to port {number} of the pods"
            port = Sourced(client_port or number, Origin.DERIVED, place.at("port", "number"), why)
        mode = _tls_mode(server, place)
        return Listener(
            gateway=GATEWAY,
            port=port,
            protocol=Sourced(_protocol(server, mode), Origin.EXPLICIT, place.at("port", "protocol")),
            hostname=hostname,
            tls=self._tls(gateway, server, pods, place, mode) if mode is not None else None,
            instance=pods.selector or f"{gateway.namespace}/{gateway.name}",
            name=server.name or server.port.name,
            place=place,
            misdirected="404",
        )

    def _tls(
        self,
        gateway: GatewayObject,
        server: Server,
        pods: GatewayPods,
        place: Place,
        mode: Sourced[Literal["Terminate", "Passthrough"]],
    ) -> ListenerTLS:
        tls = server.tls
        if tls is None or mode.value == "Passthrough":
            return ListenerTLS(mode)
        required = _CLIENT_CERTIFICATES.get(tls.mode or "")
        where = place.at("tls")
        return ListenerTLS(
            mode,
            certificates(tls, where, pods.namespaces),
            client_validation(self._graph, tls, where, pods.namespaces, required=required)
            if required is not None
            else None,
        )

    # -- what is wrong ----------------------------------------------------------------------------------------------

    def _check(self, gateway: GatewayObject, index: int, server: Server) -> bool:
        """Whether Istio accepts a server."""
        place = gateway.at("spec", "servers", index)
        protocol, tls = server.port.protocol.upper(), server.tls
        which = f"server {_label(server)} of Gateway `{gateway.name}`"
        fault: tuple[Reason, str, Place, str] | None = None
        if protocol not in _WEB | _STREAM | _ENCRYPTED:
            fault = (
                Reason.UNSUPPORTED_PROTOCOL,
                f"has protocol `{server.port.protocol}`, which Istio does not know",
                place.at("port", "protocol"),
                "use HTTP, HTTPS, HTTP2, GRPC, TLS, TCP or MONGO",
            )
        elif protocol in _ENCRYPTED and tls is None:
            fault = (
                Reason.NO_CERTIFICATE,
                f"speaks {protocol} and has no `tls` block",
                place.at("port", "protocol"),
                "add `tls` with a mode and a `credentialName`",
            )
        elif protocol in _WEB and tls is not None and (tls.mode or "PASSTHROUGH") not in _PASSING:
            fault = (
                Reason.UNSUPPORTED_VALUE,
                f"speaks plain {protocol} and ends TLS in mode {tls.mode}",
                place.at("tls", "mode"),
                "use protocol HTTPS, or leave only `httpsRedirect`",
            )
        elif tls is not None and tls.mode in ("SIMPLE", "MUTUAL") and not tls.names_certificate:
            fault = (
                Reason.NO_CERTIFICATE,
                f"ends TLS in mode {tls.mode} and names no certificate",
                place.at("tls"),
                "set `credentialName` to a Secret in the namespace of the gateway's pods",
            )
        if fault is None:
            return True
        reason, what, where, fix = fault
        self.verdicts.append(
            Verdict(reason, gateway, where, f"{which} {what}; {_REFUSED}", fix=fix, listener=_label(server).strip("`"))
        )
        return False

    @staticmethod
    def _clash(opened: Sequence[BoundServer], earlier: Sequence[BoundServer]) -> Verdict | None:
        """Why a server is dropped beside those that the same pods open on the same port already."""
        if not opened or not earlier:
            return None
        mine, first = opened[0], earlier[0]
        which = f"server {_label(mine.server)} of {mine}"
        related = ((f"{first} has port {first.server.port.number} first", first.listener.place or first.host_place),)
        number = mine.server.port.number
        both_plain = mine.listener.protocol.value == first.listener.protocol.value == "HTTP"
        if (mine.listener.tls is None) is not (first.listener.tls is None) or (
            mine.listener.tls is None and not both_plain
        ):
            return Verdict(
                Reason.PROTOCOL_CONFLICT,
                mine.gateway,
                mine.gateway.at("spec", "servers", mine.index, "port", "protocol"),
                f"{which} and {first} share port {number} of the same gateway pods and speak "
                f"{mine.server.port.protocol} and {first.server.port.protocol}; one of them is dropped, and its "
                f"clients cannot connect",
                related=related,
                fix="give one of them another port",
                listener=mine.listener.name,
            )
        if both_plain:
            return None
        for item in opened:
            other = next((other for other in earlier if other.host == item.host), None)
            if other is not None and item.namespace == other.namespace:
                return Verdict(
                    Reason.HOSTNAME_CONFLICT,
                    item.gateway,
                    item.host_place,
                    f"{which} and {other} both end TLS for `{item.host}` on port {number} of the same gateway pods; "
                    f"one of them is dropped as a whole, and its routes answer 404",
                    related=((f"{other} takes `{item.host}`", other.host_place),),
                    fix="let one Gateway serve the host, and let both VirtualServices name it",
                    listener=item.listener.name,
                )
        return None

    def _check_selector(self, gateway: GatewayObject) -> None:
        """A selector that no pod of the set has, where the set has gateway pods with nearly the same label."""
        for key, value in string_map(gateway.body.spec.selector).items():
            for workload in self._gateway_workloads:
                label = workload.labels.get(key, "")
                if label != value and close_matches(value, [label], 1, 0.6) and _purpose(label) & _purpose(value):
                    self.verdicts.append(
                        Verdict(
                            Reason.PORT_UNAVAILABLE,
                            gateway,
                            gateway.at("spec", "selector", key),
                            f"Gateway `{gateway.name}` is for pods with `{key}: {value}`, which no pod has, and the gateway "
                            f"pods of {workload} have `{key}: {label}`; nothing opens its servers, and clients cannot connect",
                            Certainty.LIKELY,
                            related=((f"{workload} has `{key}: {label}`", workload.labels_place),),
                            fix=f"write `{label}`",
                        )
                    )
                    return

    @cached_property
    def _gateway_workloads(self) -> tuple[Workload, ...]:
        """The workloads whose only program is Istio's proxy."""
        return tuple(
            workload
            for workload in self._graph.workloads
            if workload.containers and all(is_proxy(container.container.image) for container in workload.containers)
        )

    def _check_exposed(self, gateway: GatewayObject, index: int, server: Server, pods: GatewayPods) -> None:
        if not pods.services or pods.client_port(server.port.number) is not None:
            return
        service = pods.services[0]
        has = " and ".join(str(port.port) for port in service.body.spec.ports) or "no port"
        self.verdicts.append(
            Verdict(
                Reason.PORT_UNAVAILABLE,
                gateway,
                gateway.at("spec", "servers", index, "port", "number"),
                f"server {_label(server)} of Gateway `{gateway.name}` listens on port {server.port.number}, and "
                f"Service `{service.name}`, which leads to the gateway's pods, has {has}; clients cannot connect",
                Certainty.LIKELY if service.body.spec.type == "ClusterIP" else Certainty.KNOWN,
                related=((f"Service `{service.name}` has {has}", service.at("spec", "ports")),),
                fix=f"add port {server.port.number} to Service `{service.name}`, or listen on one that it has",
                listener=server.name or server.port.name,
            )
        )


def is_proxy(image: str) -> bool:
    """Whether an image is that of Istio's proxy, or the one that its injector puts there."""
    return image == "auto" or image.partition("@")[0].rpartition("/")[2].partition(":")[0] == "proxyv2"


def _purpose(label: str) -> set[str]:
    """For which way requests go a gateway is called; both where its name does not say."""
    return {way for way in ("ingress", "egress") if way in label} or {"ingress", "egress"}


def _label(server: Server) -> str:
    name = server.name or server.port.name
    return f"`{name}`" if name else f"on port {server.port.number}"


def _tls_mode(server: Server, place: Place) -> Sourced[Literal["Terminate", "Passthrough"]] | None:
    """How a server treats TLS, None where it speaks none."""
    protocol, tls = server.port.protocol.upper(), server.tls
    if tls is None or (protocol in _WEB and tls.mode is None):
        return None
    where = place.at("tls", "mode")
    if tls.mode is None:
        return Sourced("Passthrough", Origin.DEFAULT, place.at("tls"), "no mode is set, and PASSTHROUGH is the default")
    return Sourced("Passthrough" if tls.mode in _PASSING else "Terminate", Origin.EXPLICIT, where)


def _protocol(server: Server, mode: Sourced[Literal["Terminate", "Passthrough"]] | None) -> str:
    protocol = server.port.protocol.upper()
    if protocol in _WEB:
        return "HTTP"
    if mode is None:
        return "TCP" if protocol in _STREAM else protocol
    return "HTTPS" if protocol == "HTTPS" and mode.value == "Terminate" else "TLS"
