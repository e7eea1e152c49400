"""The load balancers of the table: one model that reads the words of each cloud's row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from ingress_lint.controllers.other_clouds.clouds import CLASSES, CLOUDS, Check, Cloud
from ingress_lint.controllers.shared.annotations import AnnotationReader, AnnotationTable
from ingress_lint.controllers.shared.service_load_balancer import (
    ServiceContext,
    ServiceLoadBalancer,
    past_load_balancer,
)
from ingress_lint.objects.core import Service, ServicePort
from ingress_lint.objects.model import IntOrString, KubernetesObject
from ingress_lint.routes.listeners import CertificateRef, Listener, ListenerTLS
from ingress_lint.routes.model import ResolvedPort
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, KeepAlive, SourceAddress, TargetKind, Timeouts
from ingress_lint.values.durations import go_duration
from ingress_lint.values.numbers import whole
from ingress_lint.values.ports import number_or_name

_PREFIXES: Final = tuple(sorted({cloud.prefix for cloud in CLOUDS.values()}))
_BY_HTTP: Final = frozenset({"HTTP", "HTTPS"})


class OtherClouds(ServiceLoadBalancer):
    """Which row it goes by, the annotations of a Service tell, or its class."""

    name: ClassVar[str] = "cloud-load-balancer"
    title: ClassVar[str] = "its cloud controller manager"
    gateway: ClassVar[str] = "cloud load balancer"
    service_annotations: ClassVar[AnnotationTable] = AnnotationTable(_PREFIXES, (), shared=frozenset(_PREFIXES))
    """Keys that others read under the same prefixes are not told from its own."""
    clouds: ClassVar[frozenset[str]] = frozenset(CLOUDS)
    load_balancer_classes: ClassVar[Mapping[str, str]] = CLASSES

    def reader(self, service: KubernetesObject[Service], cloud: str) -> AnnotationReader:
        """Of the annotations under the cloud's prefix."""
        return AnnotationReader((CLOUDS[cloud].prefix,), (service,))

    def serves(self, context: ServiceContext, port: ServicePort) -> bool:
        """Some take TCP alone."""
        return port.protocol == "TCP" or CLOUDS[context.cloud].udp

    # -- what it speaks -----------------------------------------------------------------------------------------------

    def listener(self, context: ServiceContext, port: ResolvedPort) -> Listener:
        """What is written for all ports; where something else decides, no more than the transport is told."""
        cloud, plain = CLOUDS[context.cloud], super().listener(context, port)
        spoken = None if _opaque(context) or port.port.protocol != "TCP" else _written(context, cloud.protocol)
        name = spoken.value.upper() if spoken else ""
        if spoken is None or name not in _BY_HTTP:
            return Listener(cloud.gateway, plain.port, plain.protocol, instance=plain.instance)
        tls = None
        if name == "HTTPS":
            certificate = CertificateRef("Certificate", "", "", spoken.place)
            tls = ListenerTLS(Sourced("Terminate", Origin.DERIVED, spoken.place, "it speaks HTTPS"), (certificate,))
        protocol = Sourced(name, spoken.origin, spoken.place)
        return Listener(cloud.gateway, plain.port, protocol, tls=tls, instance=plain.instance)

    def protocol(self, context: ServiceContext, port: ResolvedPort, listener: Listener) -> Sourced[AppProtocol]:
        """Plain HTTP behind a listener of HTTP or HTTPS; unknown where a key that is not told here decides it."""
        if listener.protocol.value in _BY_HTTP:
            return Sourced(AppProtocol.HTTP, Origin.DERIVED, listener.protocol.place, "it speaks HTTP to the nodes")
        opaque = _opaque(context) if port.port.protocol == "TCP" else None
        if opaque is not None:
            return Sourced(AppProtocol.UNKNOWN, Origin.DERIVED, context.service.annotation_place(opaque))
        return super().protocol(context, port, listener)

    def proxy_protocol(self, context: ServiceContext, port: ResolvedPort) -> Sourced[bool] | None:
        """Whether any of the keys has a word that turns it on, or names the port."""
        cloud = CLOUDS[context.cloud]
        if cloud.sends_unknown or (context.cloud == "linode" and _opaque(context)):
            return None
        written = [found for key in cloud.proxy_protocol if (found := _written(context, key)) is not None]
        number = str(port.port.port)
        for found in written:
            words = {word.strip().lower() for word in found.value.split(",")}
            if words & cloud.on or (cloud.by_port and number in words):
                kept = _written(context, cloud.proxy_ports)
                ports = {item.strip() for item in kept.value.split(",")} if kept else {number}
                return Sourced(number in ports, Origin.EXPLICIT, found.place)
        if written:
            return Sourced(False, Origin.EXPLICIT, written[0].place)
        key = cloud.proxy_protocol[0] if cloud.proxy_protocol else ""
        why = f"nothing sets {cloud.stem}{key}" if key else "it knows no PROXY protocol"
        if cloud.proxy_protocol_default:
            why += f", unless {cloud.proxy_protocol_default} of its cloud controller manager is on"
            return Sourced(False, Origin.DERIVED, context.place, why)
        return Sourced(False, Origin.DEFAULT, context.place, why)

    # -- where it sends -----------------------------------------------------------------------------------------------

    def target(self, context: ServiceContext) -> Sourced[TargetKind]:
        """NodePorts, unless pods are asked for."""
        cloud = CLOUDS[context.cloud]
        written = _written(context, cloud.pods[0]) if cloud.pods else None
        if cloud.pods and written and written.value == cloud.pods[1]:
            return Sourced(TargetKind.POD, Origin.EXPLICIT, written.place)
        if not cloud.pods_known:
            return Sourced(TargetKind.NODE_OR_POD, Origin.DEFAULT, context.place, "the cluster's network decides it")
        return Sourced(TargetKind.NODE, Origin.DEFAULT, context.place, "the load balancer sends to NodePorts")

    def sent_from(self, context: ServiceContext) -> Sourced[SourceAddress] | None:
        """Its own address, where it is known to open connections itself."""
        if not CLOUDS[context.cloud].own_address:
            return None
        return Sourced(SourceAddress.LOAD_BALANCER, Origin.DEFAULT, context.place, "it opens connections of its own")

    def hairpin(self, context: ServiceContext, port: ResolvedPort) -> Sourced[str] | None:
        """None where a key may take its address out of the Service's status, and does."""
        key, sent = CLOUDS[context.cloud].hostname, self.proxy_protocol(context, port)
        named = _written(context, key)
        return past_load_balancer(sent) if key and sent and not (named and named.value not in ("", "false")) else None

    # -- how long it waits --------------------------------------------------------------------------------------------

    def timeouts(self, context: ServiceContext, listener: Listener) -> Timeouts:
        """A connection that is silent for the idle time-out is closed."""
        return Timeouts(read=_idle(context)) if listener.protocol.value != "UDP" else Timeouts()

    def keep_alive(self, context: ServiceContext, listener: Listener) -> KeepAlive:
        """Client and pod share one connection, and so its idle time-out; of HTTP it is unknown."""
        idle = _idle(context)
        return KeepAlive(upstream_idle=idle, client_idle=idle) if listener.protocol.value == "TCP" else KeepAlive()

    # -- health checks ------------------------------------------------------------------------------------------------

    def health_check(self, context: ServiceContext, port: ResolvedPort) -> HealthCheck | None:
        """What the row's keys say; kube-proxy's answer for a Service that is local to nodes, where the row says so."""
        cloud = CLOUDS[context.cloud]
        check = cloud.check
        if check is None or port.port.protocol != "TCP" or _is_off(context, check):
            return None
        asked = [found for key in (check.protocol, check.path, check.port) if (found := _written(context, key))]
        if not asked and context.local:
            return (
                self._of_kube_proxy(context, cloud) if cloud.local_by_kube_proxy is not False else self._plain(context)
            )
        if not asked and (check.off_by_default or (cloud.protocol and _written(context, cloud.protocol))):
            return None
        spoken = _check_protocol(context, check, port)
        if spoken is None:
            return None
        path = None
        if spoken.value in _BY_HTTP:
            written = _for_port(_written(context, check.path), port)
            path = _path(written) if written else context.by_default("/", f"nothing sets {cloud.stem}{check.path}")
        node_port = _for_port(_written(context, check.port), port)
        number = whole(node_port.value) if node_port else port.port.node_port
        where: Sourced[IntOrString] | None = None
        if node_port is not None:
            where = Sourced(number_or_name(node_port.value), node_port.origin, node_port.place)
        return HealthCheck(
            by=cloud.gateway,
            protocol=spoken,
            path=path,
            port=where,
            codes=_for_port(_written(context, check.codes), port) if path else None,
            interval=_seconds(_written(context, check.interval)),
            timeout=_seconds(_written(context, check.timeout)),
            healthy_threshold=context.reader.integer(cloud.stem + check.healthy) if check.healthy else None,
            unhealthy_threshold=context.reader.integer(cloud.stem + check.unhealthy) if check.unhealthy else None,
            target=self.target(context).value,
            resolved_port=number,
        )

    def _of_kube_proxy(self, context: ServiceContext, cloud: Cloud) -> HealthCheck | None:
        if not cloud.local_by_kube_proxy:
            return None
        path, port, number = context.health_node()
        protocol = Sourced("HTTP", path.origin, path.place, path.why)
        return HealthCheck(cloud.gateway, protocol, path, port, None, target=TargetKind.NODE, resolved_port=number)

    def _plain(self, context: ServiceContext) -> HealthCheck:
        """A connection to the NodePort, which nodes without a pod refuse."""
        protocol = context.by_default("TCP", "nothing sets the health check's protocol")
        gateway = CLOUDS[context.cloud].gateway
        return HealthCheck(gateway, protocol, None, None, None, target=self.target(context).value)


def _written(context: ServiceContext, key: str) -> Sourced[str] | None:
    """The text of one of the row's keys."""
    return context.reader.text(CLOUDS[context.cloud].stem + key) if key else None


def _opaque(context: ServiceContext) -> str | None:
    """The annotation that makes it speak in a way not told here."""
    cloud = CLOUDS[context.cloud]
    starts = tuple(f"{cloud.prefix}/{cloud.stem}{key}" for key in cloud.opaque)
    return next((key for key in context.service.annotations if key.startswith(starts)), None) if starts else None


def _is_off(context: ServiceContext, check: Check) -> bool:
    return any(
        (found := _written(context, key)) is not None and found.value == value for key, value in check.off.items()
    )


def _check_protocol(context: ServiceContext, check: Check, port: ResolvedPort) -> Sourced[str] | None:
    """TCP where nothing is written; None where it is something that asks for no path and no connection."""
    written = _for_port(_written(context, check.protocol), port)
    if written is None:
        return context.by_default("TCP", "nothing sets the health check's protocol")
    spoken = check.protocols.get(written.value.strip().lower())
    return Sourced(spoken, written.origin, written.place) if spoken else None


def _for_port(written: Sourced[str] | None, port: ResolvedPort) -> Sourced[str] | None:
    """A value for all ports, or the one of this port, as in `80:http;443,8443:https`."""
    if written is None or ":" not in written.value:
        return written
    for entry in written.value.split(";"):
        ports, _, value = entry.partition(":")
        if str(port.port.port) in {item.strip() for item in ports.split(",")}:
            return Sourced(value.strip(), written.origin, written.place)
    return None


def _path(written: Sourced[str]) -> Sourced[str]:
    """The path of a URI that may begin with a host."""
    host, slash, path = written.value.partition("/")
    return Sourced(slash + path, written.origin, written.place) if host and slash else written


def _seconds(written: Sourced[str] | None, unit: float = 1) -> Sourced[float] | None:
    """A time in `unit` seconds, or as Go writes it."""
    if written is None:
        return None
    number = whole(written.value.strip())
    seconds = number * unit if number is not None else go_duration(written.value.strip())
    return Sourced(seconds, written.origin, written.place) if seconds is not None else None


def _idle(context: ServiceContext) -> Sourced[float] | None:
    cloud = CLOUDS[context.cloud]
    written = _written(context, cloud.idle)
    if written is not None or cloud.idle_default is None:
        return _seconds(written, cloud.idle_unit)
    why = f"nothing sets {cloud.stem}{cloud.idle}"
    return Sourced(cloud.idle_default, Origin.DEFAULT, context.place, why)
