"""Oracle Cloud load balancers and network load balancers for Services of type LoadBalancer.

Sources: oracle/oci-cloud-controller-manager, pkg/cloudprovider/providers/oci/load_balancer_spec.go and load_balancer.go;
docs/load-balancer-annotations.md; docs.oracle.com: Balance/Reference/connectionreuse.
"""

from __future__ import annotations

from typing import ClassVar, Final

from ingress_lint.controllers.shared.annotations import AnnotationSpec, AnnotationTable, Scope, ValueType
from ingress_lint.controllers.shared.service_load_balancer import (
    ServiceContext,
    ServiceLoadBalancer,
    past_load_balancer,
)
from ingress_lint.routes.listeners import CertificateRef, Listener, ListenerTLS
from ingress_lint.routes.model import ResolvedPort
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, KeepAlive, SourceAddress, TargetKind, Timeouts

_SERVICE: Final = frozenset({Scope.SERVICE})
_CLASSIC: Final = "service.beta.kubernetes.io"
_ORACLE: Final = "oci.oraclecloud.com"
_NETWORK: Final = "oci-network-load-balancer.oraclecloud.com"
_STEM: Final = "oci-load-balancer-"
_MILLISECOND: Final = 0.001
_CLASSIC_TEXT: Final = (
    "connection-proxy-protocol-version",
    "security-list-management-mode",
    "shape",
    "subnet1",
    "subnet2",
    "tls-backendset-secret",
    "tls-secret",
)
_CLASSIC_NUMBERS: Final = (
    "connection-idle-timeout",
    "health-check-interval",
    "health-check-retries",
    "health-check-timeout",
    "shape-flex-max",
    "shape-flex-min",
)
_NETWORK_TEXT: Final = ("backend-policy", "node-label-selector", "security-list-management-mode", "subnet")
_NETWORK_NUMBERS: Final = ("health-check-interval", "health-check-retries", "health-check-timeout")
_NETWORK_BOOLEANS: Final = ("internal", "is-ppv2-enabled", "is-preserve-source")

ORACLE_ANNOTATIONS: Final = AnnotationTable(
    (_CLASSIC, _ORACLE, _NETWORK),
    (
        *(AnnotationSpec(_STEM + key, ValueType.TEXT, _SERVICE, prefix=_CLASSIC) for key in _CLASSIC_TEXT),
        *(AnnotationSpec(_STEM + key, ValueType.INTEGER, _SERVICE, prefix=_CLASSIC) for key in _CLASSIC_NUMBERS),
        AnnotationSpec(f"{_STEM}internal", ValueType.BOOLEAN, _SERVICE, prefix=_CLASSIC),
        AnnotationSpec(f"{_STEM}ssl-ports", ValueType.LIST, _SERVICE, prefix=_CLASSIC),
        AnnotationSpec(
            f"{_STEM}backend-protocol",
            ValueType.ENUM,
            _SERVICE,
            ("HTTP", "TCP", "GRPC"),
            any_case=True,
            prefix=_CLASSIC,
        ),
        AnnotationSpec("load-balancer-type", ValueType.ENUM, _SERVICE, ("lb", "nlb"), prefix=_ORACLE),
        *(AnnotationSpec(key, ValueType.TEXT, _SERVICE, prefix=_NETWORK) for key in _NETWORK_TEXT),
        *(AnnotationSpec(key, ValueType.INTEGER, _SERVICE, prefix=_NETWORK) for key in _NETWORK_NUMBERS),
        *(AnnotationSpec(key, ValueType.BOOLEAN, _SERVICE, prefix=_NETWORK) for key in _NETWORK_BOOLEANS),
    ),
    shared=frozenset({_CLASSIC, _ORACLE, _NETWORK}),
    as_of="2026-08",
)
"""Under `oci.oraclecloud.com` and its kin Oracle's controllers keep adding keys, so that none counts as unknown."""


class OracleLoadBalancer(ServiceLoadBalancer):
    """Its health checks ask kube-proxy and nothing else: no annotation names an application's path or port."""

    name: ClassVar[str] = "oracle-load-balancer"
    title: ClassVar[str] = "the Oracle cloud controller manager"
    gateway: ClassVar[str] = "Oracle load balancer"
    service_annotations: ClassVar[AnnotationTable] = ORACLE_ANNOTATIONS
    clouds: ClassVar[frozenset[str]] = frozenset({"oracle"})

    @staticmethod
    def _network(context: ServiceContext) -> bool:
        kind = context.reader.text("load-balancer-type")
        return kind is not None and kind.value == "nlb"

    def listener(self, context: ServiceContext, port: ResolvedPort) -> Listener:
        """`backend-protocol`, TCP by default; `ssl-ports` end TLS with `tls-secret` (getListenersOciLoadBalancer)."""
        plain = super().listener(context, port)
        if self._network(context) or port.port.protocol != "TCP":
            return plain
        reader = context.reader
        written = reader.text(f"{_STEM}backend-protocol")
        http = written is not None and written.value.upper() in ("HTTP", "GRPC")
        secret = self._secret(context, port.port.port)
        protocol = plain.protocol
        if secret is not None:
            name = "HTTPS" if http else "TLS"
            protocol = Sourced(name, Origin.DERIVED, secret.place, "ssl-ports names the port")
        elif written is not None and http:
            protocol = Sourced("HTTP", Origin.DERIVED, written.place, "backend-protocol")
        tls = None
        if secret is not None:
            tls = ListenerTLS(Sourced("Terminate", Origin.DERIVED, secret.place, "ssl-ports names the port"), (secret,))
        return Listener(self.gateway, plain.port, protocol, tls=tls, instance=plain.instance)

    @staticmethod
    def _secret(context: ServiceContext, port: int) -> CertificateRef | None:
        """The Secret of `tls-secret`, by name or as `namespace/name`, for a port that `ssl-ports` lists."""
        ports = context.reader.items(f"{_STEM}ssl-ports")
        found = context.reader.text(f"{_STEM}tls-secret")
        if found is None or not found.value or str(port) not in {item.value for item in ports}:
            return None
        namespace, _, name = found.value.rpartition("/")
        return CertificateRef("Secret", namespace or context.service.namespace, name, found.place)

    def protocol(self, context: ServiceContext, port: ResolvedPort, listener: Listener) -> Sourced[AppProtocol]:
        """HTTP or gRPC by `backend-protocol`; over TLS where the backend set has a certificate authority."""
        written = context.reader.text(f"{_STEM}backend-protocol")
        value = written.value.upper() if written else ""
        if self._network(context) or port.port.protocol != "TCP" or written is None or value not in ("HTTP", "GRPC"):
            return super().protocol(context, port, listener)
        again = context.reader.text(f"{_STEM}tls-backendset-secret") if listener.tls else None
        if value == "GRPC":
            return Sourced(AppProtocol.GRPCS if again else AppProtocol.GRPC, Origin.EXPLICIT, written.place)
        if again:
            return Sourced(AppProtocol.HTTPS, Origin.DERIVED, again.place, "tls-backendset-secret")
        return Sourced(AppProtocol.HTTP, Origin.EXPLICIT, written.place)

    def target(self, context: ServiceContext) -> Sourced[TargetKind]:
        """NodePorts."""
        return Sourced(TargetKind.NODE, Origin.DEFAULT, context.place, "the load balancer sends to NodePorts")

    def _idle(self, context: ServiceContext, listener: Listener) -> Sourced[float]:
        default = 60.0 if listener.protocol.value in ("HTTP", "HTTPS") else 300.0
        return context.seconds(f"{_STEM}connection-idle-timeout", default, "nothing sets connection-idle-timeout")

    def timeouts(self, context: ServiceContext, listener: Listener) -> Timeouts:
        """`connection-idle-timeout`, the longest silence it takes: 300 s, 60 s for HTTP."""
        if self._network(context) or listener.protocol.value == "UDP":
            return Timeouts()
        return Timeouts(read=self._idle(context, listener))

    def keep_alive(self, context: ServiceContext, listener: Listener) -> KeepAlive:
        """For HTTP 300 s towards the nodes and 65 s towards clients; for TCP both share a connection."""
        if self._network(context) or listener.protocol.value == "UDP":
            return KeepAlive()
        if listener.protocol.value not in ("HTTP", "HTTPS"):
            idle = self._idle(context, listener)
            return KeepAlive(upstream_idle=idle, client_idle=idle)
        why = "fixed by the Oracle load balancer"
        return KeepAlive(
            upstream_idle=Sourced(300.0, Origin.DEFAULT, context.place, why),
            client_idle=Sourced(65.0, Origin.DEFAULT, context.place, why),
        )

    def sent_from(self, context: ServiceContext) -> Sourced[SourceAddress] | None:
        """Its own; that of a network load balancer is the client's with `is-preserve-source`."""
        if not self._network(context):
            why = "it opens connections of its own"
            return Sourced(SourceAddress.LOAD_BALANCER, Origin.DEFAULT, context.place, why)
        kept = context.reader.boolean("is-preserve-source")
        return Sourced(SourceAddress.CLIENT, Origin.EXPLICIT, kept.place) if kept and kept.value else None

    def proxy_protocol(self, context: ServiceContext, port: ResolvedPort) -> Sourced[bool]:
        """`connection-proxy-protocol-version`, or `is-ppv2-enabled` of a network load balancer."""
        network = self._network(context)
        key = "is-ppv2-enabled" if network else f"{_STEM}connection-proxy-protocol-version"
        written = context.reader.text(key)
        if written is None or not written.value:
            return Sourced(False, Origin.DEFAULT, context.place, f"nothing sets {key}")
        return Sourced(not network or written.value.lower() == "true", Origin.EXPLICIT, written.place)

    def hairpin(self, context: ServiceContext, port: ResolvedPort) -> Sourced[str] | None:
        """It is known by its address (load_balancer.go, loadBalancerToStatus)."""
        return past_load_balancer(self.proxy_protocol(context, port))

    def health_check(self, context: ServiceContext, port: ResolvedPort) -> HealthCheck:
        """kube-proxy's answer, which must be 200 (getHealthChecker); times are written in milliseconds."""
        path, node_port, number = context.health_node()
        stem = "" if self._network(context) else _STEM

        def why(key: str) -> str:
            return f"nothing sets health-check-{key}"

        return HealthCheck(
            by=self.gateway,
            protocol=Sourced("HTTP", path.origin, path.place, path.why),
            path=path,
            port=node_port,
            codes=context.by_default("200", "the cloud controller manager sets nothing else"),
            interval=context.seconds(f"{stem}health-check-interval", 10.0, why("interval"), _MILLISECOND),
            timeout=context.seconds(f"{stem}health-check-timeout", 3.0, why("timeout"), _MILLISECOND),
            unhealthy_threshold=context.number(f"{stem}health-check-retries", 3, why("retries")),
            target=TargetKind.NODE,
            resolved_port=number,
        )
