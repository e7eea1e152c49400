"""Azure load balancers for Services of type LoadBalancer, made by the Azure cloud provider.

Sources: kubernetes-sigs/cloud-provider-azure, pkg/provider/azure_loadbalancer_healthprobe.go, azure_loadbalancer.go and
pkg/consts/consts.go; learn.microsoft.com/azure/load-balancer. Where a cluster shares one probe among all Services (a
setting of the cluster, not of the Service), the probe asks kube-proxy instead of what is told here.
"""

from __future__ import annotations

from typing import ClassVar, Final

from ingress_lint.controllers.shared.annotations import AnnotationSpec, AnnotationTable, Scope, ValueType
from ingress_lint.controllers.shared.service_load_balancer import ServiceContext, ServiceLoadBalancer
from ingress_lint.objects.core import ServicePort
from ingress_lint.objects.model import IntOrString
from ingress_lint.routes.listeners import Listener
from ingress_lint.routes.model import ResolvedPort
from ingress_lint.routes.remedies import Remedies
from ingress_lint.routes.sourced import Origin, Sourced, as_seconds
from ingress_lint.routes.traffic import HealthCheck, KeepAlive, SourceAddress, TargetKind, Timeouts
from ingress_lint.values.ports import number_or_name

_SERVICE: Final = frozenset({Scope.SERVICE})
_IDLE: Final = "azure-load-balancer-tcp-idle-timeout"
_PROBE: Final = "azure-load-balancer-health-probe-"
_PROBED: Final = {"tcp": "TCP", "http": "HTTP", "https": "HTTPS"}
_REMEDIES: Final = Remedies(
    check_path="set `service.beta.kubernetes.io/azure-load-balancer-health-probe-request-path: {}`",
    check_protocol="set `service.beta.kubernetes.io/azure-load-balancer-health-probe-protocol: {}`",
)
_MINUTE: Final = 60.0
_TEXT: Final = (
    "azure-dns-label-name",
    "azure-load-balancer-internal-subnet",
    "azure-load-balancer-ipv4",
    "azure-load-balancer-ipv6",
    "azure-load-balancer-mode",
    "azure-load-balancer-resource-group",
    "azure-pip-name",
    "azure-pip-name-ipv6",
    "azure-pip-prefix-id",
    "azure-pip-prefix-id-ipv6",
    "azure-pls-auto-approval",
    "azure-pls-fqdns",
    "azure-pls-ip-configuration-ip-address",
    "azure-pls-ip-configuration-subnet",
    "azure-pls-name",
    "azure-pls-resource-group",
    "azure-pls-visibility",
    f"{_PROBE}protocol",
    f"{_PROBE}request-path",
)
_LISTS: Final = (
    "azure-additional-public-ips",
    "azure-allowed-ip-ranges",
    "azure-allowed-service-tags",
    "azure-load-balancer-configurations",
    "azure-pip-ip-tags",
    "azure-pip-tags",
)
_NUMBERS: Final = (
    _IDLE,
    f"{_PROBE}interval",
    f"{_PROBE}num-of-probe",
    "azure-pls-ip-configuration-ip-address-count",
)
_BOOLEANS: Final = (
    "azure-deny-all-except-load-balancer-source-ranges",
    "azure-disable-load-balancer-floating-ip",
    "azure-load-balancer-disable-tcp-reset",
    "azure-load-balancer-enable-high-availability-ports",
    "azure-load-balancer-internal",
    "azure-pls-create",
    "azure-pls-proxy-protocol",
    "azure-shared-securityrule",
)

AZURE_ANNOTATIONS: Final = AnnotationTable(
    ("service.beta.kubernetes.io",),
    (
        AnnotationSpec(key, kind, _SERVICE)
        for kind, keys in (
            (ValueType.TEXT, _TEXT),
            (ValueType.LIST, _LISTS),
            (ValueType.INTEGER, _NUMBERS),
            (ValueType.BOOLEAN, _BOOLEANS),
        )
        for key in keys
    ),
    "azure-",
    as_of="2026-08",
)


class AzureLoadBalancer(ServiceLoadBalancer):
    """Passes packets on to nodes as they are; only its probes ask anything of an application.

    Beside the annotations of the table, each port has its own: `port_<number>_health-probe_<setting>`,
    `port_<number>_no_probe_rule` and `port_<number>_no_lb_rule`.
    """

    name: ClassVar[str] = "azure-load-balancer"
    title: ClassVar[str] = "the Azure cloud provider"
    gateway: ClassVar[str] = "Azure load balancer"
    service_annotations: ClassVar[AnnotationTable] = AZURE_ANNOTATIONS
    clouds: ClassVar[frozenset[str]] = frozenset({"azure"})
    remedies: ClassVar[Remedies] = _REMEDIES

    def serves(self, context: ServiceContext, port: ServicePort) -> bool:
        """Not a port that serves health probes alone."""
        return not _is_true(context, f"port_{port.port}_no_lb_rule")

    def target(self, context: ServiceContext) -> Sourced[TargetKind]:
        """Nodes, at the address that the client asked for; at the NodePort without a floating IP."""
        off = context.reader.text("azure-disable-load-balancer-floating-ip")
        if off and off.value == "true":
            return Sourced(TargetKind.NODE, Origin.EXPLICIT, off.place)
        return Sourced(TargetKind.PASSED_THROUGH, Origin.DEFAULT, context.place, "the load balancer has a floating IP")

    def timeouts(self, context: ServiceContext, listener: Listener) -> Timeouts:
        """A connection that is silent for the idle timeout, 4 minutes, is dropped."""
        return Timeouts(read=self._idle(context)) if listener.protocol.value == "TCP" else Timeouts()

    def keep_alive(self, context: ServiceContext, listener: Listener) -> KeepAlive:
        """Client and pod share one connection, and so its idle timeout."""
        if listener.protocol.value != "TCP":
            return KeepAlive()
        return KeepAlive(upstream_idle=self._idle(context), client_idle=self._idle(context))

    @staticmethod
    def _idle(context: ServiceContext) -> Sourced[float]:
        return context.seconds(_IDLE, 4 * _MINUTE, "nothing sets the TCP idle timeout", _MINUTE)

    def sent_from(self, context: ServiceContext) -> Sourced[SourceAddress]:
        """The client's."""
        return Sourced(SourceAddress.CLIENT, Origin.DEFAULT, context.place, "packets are passed on as they are")

    def proxy_protocol(self, context: ServiceContext, port: ResolvedPort) -> Sourced[bool]:
        """Only a Private Link service adds the header."""
        private, wanted = context.reader.text("azure-pls-create"), context.reader.text("azure-pls-proxy-protocol")
        if wanted and private and private.value == "true":
            return Sourced(wanted.value == "true", Origin.EXPLICIT, wanted.place)
        return Sourced(False, Origin.DEFAULT, context.place, "no Private Link service adds a PROXY protocol header")

    # -- health probes ------------------------------------------------------------------------------------------------

    def health_check(self, context: ServiceContext, port: ResolvedPort) -> HealthCheck | None:
        """None for UDP; kube-proxy's answer with `externalTrafficPolicy: Local`; else the port's own probe.

        A port that names its probe's port has its own in any case, and so has every port behind a Private Link service
        that adds PROXY protocol headers.
        """
        prefix = f"port_{port.port.port}_"
        if port.port.protocol != "TCP" or _is_true(context, f"{prefix}no_probe_rule"):
            return None
        asked = context.reader.text(f"{prefix}health-probe_port")
        if context.local and asked is None and not self.proxy_protocol(context, port).value:
            return self._check(context, prefix, *self._of_node(context))
        protocol = self._probe_protocol(context, port, prefix)
        path = self._probe_path(context, prefix) if protocol.value != "TCP" else None
        return self._check(context, prefix, protocol, path, *_probe_port(asked, port))

    @staticmethod
    def _of_node(
        context: ServiceContext,
    ) -> tuple[Sourced[str], Sourced[str] | None, Sourced[IntOrString] | None, int | None]:
        path, port, number = context.health_node()
        return Sourced("HTTP", path.origin, path.place, path.why), path, port, number

    def _check(
        self,
        context: ServiceContext,
        prefix: str,
        protocol: Sourced[str],
        path: Sourced[str] | None,
        port: Sourced[IntOrString] | None,
        number: int | None,
    ) -> HealthCheck:
        reader = context.reader
        interval = reader.integer(f"{prefix}health-probe_interval") or context.number(
            f"{_PROBE}interval", 5, "nothing sets the probe's interval"
        )
        count = reader.integer(f"{prefix}health-probe_num-of-probe") or context.number(
            f"{_PROBE}num-of-probe", 2, "nothing sets the number of probes"
        )
        return HealthCheck(
            by=self.gateway,
            protocol=protocol,
            path=path,
            port=port,
            codes=context.by_default("200", "an Azure load balancer takes nothing else") if path else None,
            interval=as_seconds(interval),
            healthy_threshold=count,
            unhealthy_threshold=count,
            target=TargetKind.NODE,
            resolved_port=number,
        )

    @staticmethod
    def _probe_protocol(context: ServiceContext, port: ResolvedPort, prefix: str) -> Sourced[str]:
        """The port's annotation, its `appProtocol`, the annotation for all ports, TCP; unknown names mean TCP."""
        written = context.reader.text(f"{prefix}health-probe_protocol")
        if written is None and port.port.app_protocol is not None:
            value = _PROBED.get(port.port.app_protocol.strip().lower(), "TCP")
            return Sourced(value, Origin.DERIVED, port.at("appProtocol"), f"appProtocol {port.port.app_protocol}")
        written = written or context.reader.text(f"{_PROBE}protocol")
        if written is None:
            return context.by_default("TCP", "neither appProtocol nor an annotation sets the probe's protocol")
        return Sourced(_PROBED.get(written.value.strip().lower(), "TCP"), written.origin, written.place)

    @staticmethod
    def _probe_path(context: ServiceContext, prefix: str) -> Sourced[str]:
        written = context.reader.text(f"{prefix}health-probe_request-path")
        written = written or context.reader.text(f"{_PROBE}request-path")
        return written or context.by_default("/", "nothing sets the probe's request path")


def _probe_port(asked: Sourced[str] | None, port: ResolvedPort) -> tuple[Sourced[IntOrString] | None, int | None]:
    """The port as it is written, and its number on the nodes; by name or number of a Service port its NodePort."""
    if asked is None:
        return None, port.port.node_port
    value = number_or_name(asked.value)
    for candidate in port.service.body.spec.ports:
        if value == candidate.port or asked.value.lower() == candidate.name.lower():
            if candidate is port.port:
                return None, candidate.node_port
            return Sourced(candidate.name or value, asked.origin, asked.place), candidate.node_port
    return Sourced(value, asked.origin, asked.place), value if isinstance(value, int) else None


def _is_true(context: ServiceContext, key: str) -> bool:
    found = context.reader.text(key)
    return found is not None and found.value.lower() == "true"
