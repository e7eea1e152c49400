"""Services of type LoadBalancer on AWS: each port is a listener of a load balancer of its own.

Three programs may serve such a Service. The AWS Load Balancer Controller takes those of its load balancer class and
those of `aws-load-balancer-type: external` or `nlb-ip`; the cloud provider makes an NLB for `nlb`, and a Classic Load
Balancer otherwise - unless the controller's webhook has given the Service its class. So where neither class nor type is
written, only what holds for all three is told. Sources: kubernetes-sigs/aws-load-balancer-controller:
pkg/service/service_utils.go, model_builder.go, model_build_listener.go, model_build_target_group.go;
kubernetes/cloud-provider-aws:docs/service_controller.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from ingress_lint.controllers.aws.access import ungated, unopened
from ingress_lint.controllers.aws.annotations import NLB_ANNOTATIONS
from ingress_lint.controllers.aws.health import (
    OF_KUBE_PROXY,
    CheckDefaults,
    checked_port,
    kube_proxy_port,
    written_port,
)
from ingress_lint.controllers.aws.target_groups import deregistration_delay
from ingress_lint.controllers.shared.annotations import AnnotationReader, or_default
from ingress_lint.controllers.shared.service_ports import port_backend, port_route
from ingress_lint.controllers.shared.source_addresses import through_nodes
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.core import Service
from ingress_lint.objects.model import IntOrString, KubernetesObject
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.listeners import CertificateRef, Listener, ListenerTLS
from ingress_lint.routes.model import ResolvedPort, Route
from ingress_lint.routes.remedies import Remedies
from ingress_lint.routes.sourced import Origin, Sourced, as_seconds
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, SourceAddress, TargetKind, Timeouts

_STEM: Final = NLB_ANNOTATIONS.stem
_REMEDIES: Final = Remedies(
    check_path="set `service.beta.kubernetes.io/aws-load-balancer-healthcheck-path: {}`",
    check_port="set `service.beta.kubernetes.io/aws-load-balancer-healthcheck-port: '{}'`",
    check_protocol="set `service.beta.kubernetes.io/aws-load-balancer-healthcheck-protocol: {}`",
    check_codes="set `service.beta.kubernetes.io/aws-load-balancer-healthcheck-success-codes: '{}'`",
    target_pods="set `service.beta.kubernetes.io/aws-load-balancer-nlb-target-type: ip`",
)
_AUTO_MODE: Final = "eks.amazonaws.com/nlb"
_CLASSES: Final = frozenset({"service.k8s.aws/nlb", _AUTO_MODE})
_MANAGED: Final = "manage-backend-security-group-rules"
_OPENED: Final = f'set `service.beta.kubernetes.io/aws-load-balancer-{_MANAGED}: "true"`'
_SENT: Final = {True: SourceAddress.CLIENT, False: SourceAddress.LOAD_BALANCER}
_TARGETS: Final = {True: "nodes", False: "pods"}
_PROTOCOLS: Final = {
    "ssl": AppProtocol.TLS,
    "https": AppProtocol.HTTPS,
    "http": AppProtocol.HTTP,
    "tcp": AppProtocol.TCP,
}


_OF_CONTROLLER: Final = CheckDefaults()


def network_load_balancer_routes(controller: str, graph: ObjectGraph, backends: BackendResolver) -> Iterator[Route]:
    """One route for each port of each Service that is an AWS load balancer."""
    for service in graph.services:
        if service.body.spec.type == "LoadBalancer":
            claimed = _claim(controller, service)
            if claimed is not None:
                balancer = _NetworkLoadBalancer(service, claimed, graph)
                for index in range(len(service.body.spec.ports)):
                    yield balancer.route(backends.port_at(service, index))


def _claim(controller: str, service: KubernetesObject[Service]) -> Sourced[str] | None:
    """Which Services are AWS load balancers; a class that is not one of AWS's rules it out."""
    load_balancer_class = service.body.spec.load_balancer_class
    if load_balancer_class is not None:
        place = service.at("spec", "loadBalancerClass")
        return Sourced(controller, Origin.EXPLICIT, place) if load_balancer_class in _CLASSES else None
    written = next((key for key in service.annotations if NLB_ANNOTATIONS.covers(key)), None)
    if written is None:
        return None
    kind = NLB_ANNOTATIONS.reader(service).text(_STEM + "type")
    if kind and kind.value in ("external", "nlb-ip"):
        return Sourced(controller, Origin.EXPLICIT, kind.place)
    return Sourced(controller, Origin.DERIVED, service.annotation_place(written), "annotations that only AWS reads")


class _NetworkLoadBalancer:
    """The load balancer of one Service."""

    def __init__(self, service: KubernetesObject[Service], controller: Sourced[str], graph: ObjectGraph) -> None:
        self._graph = graph
        self._service = service
        self._controller = controller
        self._reader: AnnotationReader = NLB_ANNOTATIONS.reader(service)
        self._place = service.at("metadata", "annotations") if service.annotations else service.name_place
        kind = self._reader.text(_STEM + "type")
        self._by_controller = controller.explicit
        self._gateway = "NLB" if controller.explicit or (kind and kind.value == "nlb") else "AWS load balancer"
        self._target = self._target_kind(kind)
        self._attributes = self._reader.pairs(_STEM + "target-group-attributes")

    def _target_kind(self, kind: Sourced[str] | None) -> Sourced[TargetKind]:
        if kind and kind.value == "nlb-ip":
            return Sourced(TargetKind.POD, Origin.EXPLICIT, kind.place)
        target = self._reader.text(_STEM + "nlb-target-type")
        if target and self._by_controller:
            return Sourced(TargetKind.POD if target.value == "ip" else TargetKind.NODE, Origin.EXPLICIT, target.place)
        if self._service.body.spec.load_balancer_class == _AUTO_MODE:
            return Sourced(TargetKind.POD, Origin.DEFAULT, self._place, "EKS Auto Mode targets pods")
        return Sourced(TargetKind.NODE, Origin.DEFAULT, self._place, "nothing sets nlb-target-type to ip")

    def route(self, port: ResolvedPort) -> Route:
        """The route of one port."""
        listener, sent = self._listener(port), self._sent_from()
        backend = replace(
            port_backend(port, self._protocol(port, listener), self._target),
            health_check=self._health_check(port),
            timeouts=Timeouts(drain=deregistration_delay(self._attributes, self._place)),
            proxy_protocol=self._proxy_protocol(),
            remedies=_REMEDIES,
            arrives_from=through_nodes(self._service, sent) if self._target.value is TargetKind.NODE else sent,
            hairpin=self._hairpin(sent),
            unopened=self._unopened(),
            ungated=ungated(self._graph, self._service.namespace, self._target, port.endpoints)
            if self._by_controller
            else None,
        )
        return port_route(self._controller, port, listener, backend)

    def _listener(self, port: ResolvedPort) -> Listener:
        """TLS where `ssl-cert` is set, on the `ssl-ports`, which default to all but UDP."""
        number = Sourced(port.port.port, Origin.EXPLICIT, port.at("port"))
        instance = f"{self._service.namespace}/{self._service.name}"
        certificates = self._reader.items(_STEM + "ssl-cert")
        tls_ports = {item.value for item in self._reader.items(_STEM + "ssl-ports")} - {"*"}
        chosen = not tls_ports or bool({port.port.name, str(port.port.port)} & tls_ports)
        if not certificates or port.port.protocol != "TCP" or not chosen:
            protocol = Sourced(port.port.protocol, Origin.DERIVED, port.at("protocol"), "the Service port's protocol")
            return Listener(
                self._gateway, number, Sourced(str(protocol.value), protocol.origin, protocol.place), instance=instance
            )
        place = certificates[0].place
        found = tuple(CertificateRef("ACM", "", item.value, item.place) for item in certificates)
        tls = ListenerTLS(Sourced("Terminate", Origin.DERIVED, place, "ssl-cert is set"), found)
        protocol_name = Sourced("TLS", Origin.DERIVED, place, "ssl-cert is set")
        return Listener(self._gateway, number, protocol_name, tls=tls, instance=instance)

    def _protocol(self, port: ResolvedPort, listener: Listener) -> Sourced[AppProtocol]:
        """`backend-protocol: ssl` re-encrypts behind a TLS listener; http and https are the Classic Load Balancer's."""
        if port.port.protocol == "UDP":
            return Sourced(AppProtocol.UDP, Origin.EXPLICIT, port.at("protocol"))
        written = self._reader.text(_STEM + "backend-protocol")
        value = _PROTOCOLS.get(written.value.lower()) if written else None
        if written is None or value is None:
            return Sourced(AppProtocol.TCP, Origin.DEFAULT, self._place, "nothing sets backend-protocol")
        if value is AppProtocol.TLS and listener.tls is None:
            return Sourced(AppProtocol.TCP, Origin.DERIVED, written.place, "only a listener with ssl-cert re-encrypts")
        if self._by_controller and value is not AppProtocol.TLS:
            return Sourced(AppProtocol.TCP, Origin.DERIVED, written.place, "an NLB knows ssl only")
        return Sourced(value, Origin.EXPLICIT, written.place)

    def _proxy_protocol(self) -> Sourced[bool]:
        """The controller's NLB reads `proxy-protocol`, and so does a Classic Load Balancer; the cloud provider's NLB does
        not (kubernetes/cloud-provider-aws:pkg/providers/v1/aws.go, EnsureLoadBalancer).
        """
        written = self._reader.text(_STEM + "proxy-protocol")
        if (
            written
            and self._gateway == "NLB"
            and not self._by_controller
            and "proxy_protocol_v2.enabled" not in self._attributes
        ):
            return Sourced(False, Origin.DERIVED, written.place, "the cloud provider does not read it for an NLB")
        if written:
            return Sourced(written.value == "*", Origin.EXPLICIT, written.place)
        attribute = self._attributes.get("proxy_protocol_v2.enabled")
        if attribute:
            return Sourced(attribute.value == "true", Origin.EXPLICIT, attribute.place)
        return Sourced(False, Origin.DEFAULT, self._place, "nothing sets proxy-protocol")

    def _sent_from(self) -> Sourced[SourceAddress] | None:
        """An NLB keeps the client's address where `preserve_client_ip.enabled` says so, by default where nodes are its
        targets (model_build_target_group.go, buildPreserveClientIPFlag); a Classic Load Balancer never does.
        """
        if self._gateway != "NLB":
            return None
        nodes = self._target.value is TargetKind.NODE
        written = self._attributes.get("preserve_client_ip.enabled")
        if written:
            return Sourced(_SENT[written.value == "true"], written.origin, written.place)
        why = f"{_TARGETS[nodes]} are its targets, and nothing sets preserve_client_ip.enabled"
        return Sourced(_SENT[nodes], Origin.DEFAULT, self._place, why)

    def _unopened(self) -> Sourced[str] | None:
        """The cloud provider opens the nodes to its load balancers whatever their groups."""
        if not self._by_controller:
            return None
        managed = self._reader.boolean(_STEM + _MANAGED)
        return unopened(self._graph, self._reader.text(_STEM + "security-groups"), managed, _OPENED)

    def _hairpin(self, sent: Sourced[SourceAddress] | None) -> Sourced[str] | None:
        """An internal NLB that keeps addresses cannot send a connection back to the node that it comes from
        (docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-troubleshooting.html); from a public one
        such connections come back with the address of a NAT gateway.
        """
        if sent is None or sent.value is not SourceAddress.CLIENT or not self._internal():
            return None
        what = (
            "where the NLB sends it back to the node that it comes from, the answer goes past the NLB, which keeps the "
            "client's address, and the connection times out"
        )
        return Sourced(what, sent.origin, sent.place, sent.why)

    def _internal(self) -> bool:
        """By `scheme`, or by the older `internal`; else as the AWS Load Balancer Controller makes them."""
        scheme, older = self._reader.text(_STEM + "scheme"), self._reader.text(_STEM + "internal")
        if scheme:
            return scheme.value == "internal"
        return older.value != "false" if older else self._by_controller

    def _defaults(self) -> CheckDefaults:
        """With `externalTrafficPolicy: Local` and nodes as targets, kube-proxy's own health check is asked.

        Of what the three programs do differently nothing is told where any of them may serve the Service.
        """
        local = self._service.body.spec.external_traffic_policy == "Local" and self._target.value is TargetKind.NODE
        defaults = OF_KUBE_PROXY if local else _OF_CONTROLLER
        if self._by_controller:
            return defaults
        return replace(defaults, interval=10, timeout=None, healthy=None, unhealthy=None)

    def _health_check(self, port: ResolvedPort) -> HealthCheck:
        defaults, place, reader = self._defaults(), self._place, self._reader
        local = defaults.of_kube_proxy

        def setting(key: str, default: str) -> Sourced[str]:
            found = reader.text(f"{_STEM}healthcheck-{key}")
            if found is None and local:
                policy = self._service.at("spec", "externalTrafficPolicy")
                return Sourced(default, Origin.DERIVED, policy, "externalTrafficPolicy is Local")
            return or_default(found, default, place, f"nothing sets healthcheck-{key}")

        def number(key: str, default: int | None) -> Sourced[int] | None:
            found = reader.integer(f"{_STEM}healthcheck-{key}")
            if found is None and default is None:
                return None
            return or_default(found, default or 0, place, f"nothing sets healthcheck-{key}")

        protocol = setting("protocol", defaults.protocol)
        protocol = Sourced(protocol.value.upper(), protocol.origin, protocol.place, protocol.why)
        by_http = protocol.value in ("HTTP", "HTTPS")
        port_asked, number_asked = self._check_port(reader.text(_STEM + "healthcheck-port"), port, local)
        return HealthCheck(
            by=self._gateway,
            protocol=protocol,
            path=setting("path", defaults.path) if by_http else None,
            port=port_asked,
            codes=or_default(
                reader.text(_STEM + "healthcheck-success-codes"), "200-399", place, "nothing sets success-codes"
            )
            if by_http and self._by_controller
            else None,
            interval=_seconds(number("interval", defaults.interval)),
            timeout=_seconds(number("timeout", defaults.timeout)),
            healthy_threshold=number("healthy-threshold", defaults.healthy),
            unhealthy_threshold=number("unhealthy-threshold", defaults.unhealthy),
            target=self._target.value,
            resolved_port=number_asked,
        )

    def _check_port(
        self, written: Sourced[str] | None, port: ResolvedPort, local: bool
    ) -> tuple[Sourced[IntOrString] | None, int | None]:
        """The port as written or derived, and its number; kube-proxy's own has one even where nobody wrote it."""
        if written is None and local:
            return kube_proxy_port(self._service)
        return written_port(written), checked_port(written, self._service, port, self._target.value)


def _seconds(found: Sourced[int] | None) -> Sourced[float] | None:
    return as_seconds(found) if found else None
