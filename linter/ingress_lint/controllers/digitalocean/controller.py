"""DigitalOcean load balancers for Services of type LoadBalancer.

Sources: digitalocean/digitalocean-cloud-controller-manager, cloud-controller-manager/do/loadbalancers.go and
lb_annotations.go; docs/controllers/services/annotations.md. Which codes its health checks accept is documented nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from ingress_lint.controllers.shared.annotations import AnnotationSpec, AnnotationTable, Scope, ValueType
from ingress_lint.controllers.shared.service_load_balancer import (
    ServiceContext,
    ServiceLoadBalancer,
    past_load_balancer,
)
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.model import IntOrString
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.listeners import CertificateRef, Listener, ListenerTLS
from ingress_lint.routes.model import ResolvedPort
from ingress_lint.routes.remedies import Remedies
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, KeepAlive, SourceAddress, TargetKind
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict

_SERVICE: Final = frozenset({Scope.SERVICE})
_STEM: Final = "do-loadbalancer-"
_CHECK: Final = f"{_STEM}healthcheck-"
_OVERRIDE: Final = f"{_STEM}override-health-check"
_ASKED: Final = tuple(f"{prefix}/{_CHECK}" for prefix in ("service.beta.kubernetes.io", "service.kubernetes.io"))
_REMEDIES: Final = Remedies(
    check_path="set `service.beta.kubernetes.io/do-loadbalancer-healthcheck-path: {}`",
    check_port="set `service.beta.kubernetes.io/do-loadbalancer-healthcheck-port: '{}'`",
    check_protocol="set `service.beta.kubernetes.io/do-loadbalancer-healthcheck-protocol: {}`",
)
_INERT: Final = frozenset({"path", "port", "protocol"})
_BY_TLS: Final = frozenset({"https", "http2", "http3"})
_TEXT: Final = (
    "algorithm",
    "certificate-id",
    "certificate-name",
    "healthcheck-path",
    "hostname",
    "name",
    "network-stack",
    "override-health-check",
    "size-slug",
    "sticky-sessions-cookie-name",
)
_LISTS: Final = ("allow-rules", "deny-rules", "http-ports", "http2-ports", "tls-ports")
_NUMBERS: Final = (
    "healthcheck-check-interval-seconds",
    "healthcheck-healthy-threshold",
    "healthcheck-port",
    "healthcheck-response-timeout-seconds",
    "healthcheck-unhealthy-threshold",
    "http-idle-timeout-seconds",
    "http3-port",
    "size-unit",
    "sticky-sessions-cookie-ttl",
)
_BOOLEANS: Final = (
    "disable-lets-encrypt-dns-records",
    "disown",
    "enable-backend-keepalive",
    "enable-proxy-protocol",
    "redirect-http-to-https",
    "tls-passthrough",
)

DIGITALOCEAN_ANNOTATIONS: Final = AnnotationTable(
    ("service.beta.kubernetes.io", "service.kubernetes.io"),
    (
        *(
            AnnotationSpec(_STEM + key, kind, _SERVICE)
            for kind, keys in (
                (ValueType.TEXT, _TEXT),
                (ValueType.LIST, _LISTS),
                (ValueType.INTEGER, _NUMBERS),
                (ValueType.BOOLEAN, _BOOLEANS),
            )
            for key in keys
        ),
        AnnotationSpec(f"{_STEM}protocol", ValueType.ENUM, _SERVICE, ("tcp", "http", "https", "http2", "http3")),
        AnnotationSpec(f"{_CHECK}protocol", ValueType.ENUM, _SERVICE, ("tcp", "http", "https")),
        AnnotationSpec(f"{_STEM}sticky-sessions-type", ValueType.ENUM, _SERVICE, ("none", "cookies")),
        AnnotationSpec(f"{_STEM}network", ValueType.ENUM, _SERVICE, ("INTERNAL", "EXTERNAL")),
        AnnotationSpec(f"{_STEM}type", ValueType.ENUM, _SERVICE, ("REGIONAL", "REGIONAL_NETWORK")),
    ),
    _STEM,
    as_of="2026-08",
)


class DigitalOceanLoadBalancer(ServiceLoadBalancer):
    """A proxy for HTTP and TCP, or one that passes packets on (`type: REGIONAL_NETWORK`)."""

    name: ClassVar[str] = "digitalocean-load-balancer"
    title: ClassVar[str] = "the DigitalOcean cloud controller manager"
    gateway: ClassVar[str] = "DigitalOcean load balancer"
    service_annotations: ClassVar[AnnotationTable] = DIGITALOCEAN_ANNOTATIONS
    clouds: ClassVar[frozenset[str]] = frozenset({"digitalocean"})
    remedies: ClassVar[Remedies] = _REMEDIES

    @staticmethod
    def _network(context: ServiceContext) -> Sourced[str] | None:
        kind = context.reader.text(f"{_STEM}type")
        return kind if kind and kind.value == "REGIONAL_NETWORK" else None

    def listener(self, context: ServiceContext, port: ResolvedPort) -> Listener:
        """`protocol` for all ports, unless one of the lists of ports says otherwise (buildForwardingRules).

        With a certificate or passthrough and no `tls-ports`, port 443 is meant.
        """
        plain = super().listener(context, port)
        if port.port.protocol == "UDP" or self._network(context):
            return plain
        protocol = self._spoken(context, port.port.port)
        if protocol is None or protocol.value == "tcp":
            return plain
        tls = self._tls(context) if protocol.value in _BY_TLS else None
        name = "HTTP" if protocol.value == "http" else "HTTPS"
        return Listener(
            self.gateway,
            plain.port,
            Sourced(name, protocol.origin, protocol.place, protocol.why),
            tls=tls,
            instance=plain.instance,
        )

    @staticmethod
    def _spoken(context: ServiceContext, port: int) -> Sourced[str] | None:
        reader, number = context.reader, str(port)
        tls, http2 = reader.items(f"{_STEM}tls-ports"), reader.items(f"{_STEM}http2-ports")
        for protocol, ports in (("http2", http2), ("https", tls), ("http", reader.items(f"{_STEM}http-ports"))):
            named = next((item for item in ports if item.value == number), None)
            if named:
                return Sourced(protocol, Origin.EXPLICIT, named.place)
        passthrough = reader.boolean(f"{_STEM}tls-passthrough")
        secure: Sourced[str] | Sourced[bool] | None = (
            reader.text(f"{_STEM}certificate-id") or reader.text(f"{_STEM}certificate-name") or passthrough
        )
        if secure and secure.value and port == 443 and not tls:
            return Sourced("https", Origin.DERIVED, secure.place, "port 443, and nothing sets tls-ports")
        return reader.text(f"{_STEM}protocol")

    @staticmethod
    def _tls(context: ServiceContext) -> ListenerTLS | None:
        reader = context.reader
        passthrough = reader.boolean(f"{_STEM}tls-passthrough")
        if passthrough and passthrough.value:
            return ListenerTLS(Sourced("Passthrough", Origin.EXPLICIT, passthrough.place))
        found = reader.text(f"{_STEM}certificate-id") or reader.text(f"{_STEM}certificate-name")
        if found is None:
            return None
        return ListenerTLS(
            Sourced("Terminate", Origin.DERIVED, found.place, "it has a certificate"),
            (CertificateRef("Certificate", "", found.value, found.place),),
        )

    def protocol(self, context: ServiceContext, port: ResolvedPort, listener: Listener) -> Sourced[AppProtocol]:
        """Plain HTTP behind a listener that ends TLS, TLS behind one that passes it through (buildTLSForwardingRule)."""
        if listener.protocol.value not in ("HTTP", "HTTPS"):
            return super().protocol(context, port, listener)
        if listener.tls is not None and listener.tls.mode.value == "Passthrough":
            return Sourced(AppProtocol.TLS, Origin.DERIVED, listener.tls.mode.place, "TLS is passed through")
        found = listener.protocol
        return Sourced(AppProtocol.HTTP, Origin.DERIVED, found.place, "the load balancer speaks HTTP to the nodes")

    def target(self, context: ServiceContext) -> Sourced[TargetKind]:
        """NodePorts; a network load balancer passes packets on to the Service's port."""
        network = self._network(context)
        if network:
            return Sourced(TargetKind.PASSED_THROUGH, Origin.DERIVED, network.place, "it is a network load balancer")
        return Sourced(TargetKind.NODE, Origin.DEFAULT, context.place, "the load balancer sends to NodePorts")

    def sent_from(self, context: ServiceContext) -> Sourced[SourceAddress]:
        """Its own, unless it is a network load balancer."""
        network = self._network(context)
        if network:
            return Sourced(SourceAddress.CLIENT, Origin.DERIVED, network.place, "it is a network load balancer")
        return Sourced(SourceAddress.LOAD_BALANCER, Origin.DEFAULT, context.place, "it opens connections of its own")

    def keep_alive(self, context: ServiceContext, listener: Listener) -> KeepAlive:
        """Off towards the nodes unless asked for; known where somebody wrote it."""
        written = context.reader.boolean(f"{_STEM}enable-backend-keepalive")
        if listener.protocol.value not in ("HTTP", "HTTPS") or written is None or written.value:
            return KeepAlive()
        return KeepAlive(upstream_disabled=Sourced("`enable-backend-keepalive: false`", Origin.EXPLICIT, written.place))

    def proxy_protocol(self, context: ServiceContext, port: ResolvedPort) -> Sourced[bool]:
        """`enable-proxy-protocol`, off by default."""
        written = context.reader.boolean(f"{_STEM}enable-proxy-protocol")
        return written or Sourced(False, Origin.DEFAULT, context.place, "nothing sets enable-proxy-protocol")

    def hairpin(self, context: ServiceContext, port: ResolvedPort) -> Sourced[str] | None:
        """`hostname` takes the address out of the Service's status, so that kube-proxy does not answer for it
        (docs/controllers/services/annotations.md).
        """
        named = context.reader.text(f"{_STEM}hostname")
        return None if named and named.value else past_load_balancer(self.proxy_protocol(context, port))

    def verdicts(self, graph: ObjectGraph, backends: BackendResolver) -> Iterable[Verdict]:
        """Health checks that an application should answer and that only `override-health-check` puts in force."""
        for service in graph.services:
            written = [
                key for key in service.annotations if key.startswith(_ASKED) and self.service_annotations.spec(key)
            ]
            asked = [key for key in written if key.rpartition("healthcheck-")[2] in _INERT]
            override = any(
                f"{prefix}/{_OVERRIDE}" in service.annotations for prefix in self.service_annotations.prefixes
            )
            if asked and not override and service.body.spec.type == "LoadBalancer":
                first, *more = asked
                yield Verdict(
                    Reason.MISPLACED_SETTING,
                    service,
                    service.annotation_place(first).key(),
                    f"`{first}` has no effect on Service `{service.name}` without `{_OVERRIDE}`: the load balancer asks "
                    f"kube-proxy, so that pods which fail that check still get requests",
                    Certainty.LIKELY,
                    tuple((f"`{key}` neither", service.annotation_place(key).key()) for key in more),
                    f'add `{self.service_annotations.prefixes[0]}/{_OVERRIDE}: "true"`',
                )

    # -- health checks ------------------------------------------------------------------------------------------------

    def health_check(self, context: ServiceContext, port: ResolvedPort) -> HealthCheck:
        """kube-proxy's answer, whatever port, path and protocol say, unless `override-health-check` is there at all."""
        if context.reader.text(_OVERRIDE) is None:
            path, node_port, number = context.health_node()
            protocol = Sourced("HTTP", path.origin, path.place, path.why)
            return self._check(context, protocol, path, node_port, number)
        spoken, asked = self._written(context)
        return self._check(context, spoken, asked, *self._port(context, port))

    @staticmethod
    def _written(context: ServiceContext) -> tuple[Sourced[str], Sourced[str] | None]:
        """Protocol and path; TCP where neither is written, HTTP where only the path is."""
        protocol, written = context.reader.text(f"{_CHECK}protocol"), context.reader.text(f"{_CHECK}path")
        path = written if written and written.value else None
        if protocol is None:
            if path is None:
                return context.by_default("TCP", "nothing sets healthcheck-protocol"), None
            return Sourced("HTTP", Origin.DERIVED, path.place, "healthcheck-path is set"), path
        spoken = Sourced(protocol.value.upper(), protocol.origin, protocol.place)
        if spoken.value == "TCP":
            return spoken, None
        return spoken, path or context.by_default("/", "nothing sets healthcheck-path")

    @staticmethod
    def _port(context: ServiceContext, port: ResolvedPort) -> tuple[Sourced[IntOrString] | None, int | None]:
        """The NodePort of the Service port that is written, else of the first; for all ports of the load balancer."""
        ports = context.service.body.spec.ports
        written = context.reader.integer(f"{_CHECK}port")
        if written is None:
            first = next((item for item in ports if item.protocol == "TCP"), None)
            if first is None or first is port.port:
                return None, port.port.node_port
            why = "nothing sets healthcheck-port, so it asks the first port"
            return Sourced(first.port, Origin.DEFAULT, context.place, why), first.node_port
        if written.value == port.port.port:
            return None, port.port.node_port
        found = next((item for item in ports if item.port == written.value), None)
        value: IntOrString = found.name if found and found.name else written.value
        return Sourced(value, written.origin, written.place), found.node_port if found else None

    def _check(
        self,
        context: ServiceContext,
        protocol: Sourced[str],
        path: Sourced[str] | None,
        port: Sourced[IntOrString] | None,
        number: int | None,
    ) -> HealthCheck:
        def why(key: str) -> str:
            return f"nothing sets healthcheck-{key}"

        interval, timeout = "check-interval-seconds", "response-timeout-seconds"
        return HealthCheck(
            by=self.gateway,
            protocol=protocol,
            path=path,
            port=port,
            codes=None,
            interval=context.seconds(_CHECK + interval, 3, why(interval)),
            timeout=context.seconds(_CHECK + timeout, 5, why(timeout)),
            healthy_threshold=context.number(f"{_CHECK}healthy-threshold", 5, why("healthy-threshold")),
            unhealthy_threshold=context.number(f"{_CHECK}unhealthy-threshold", 3, why("unhealthy-threshold")),
            target=TargetKind.NODE,
            resolved_port=number,
        )
