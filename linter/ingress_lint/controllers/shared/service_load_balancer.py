"""What cloud load balancers for Services of type LoadBalancer share: who claims a Service, and a route for each port.

A Service says nothing of the cloud it will run in, except by annotations that only one cloud reads or by its class. So
a Service without either gets no route, nor does one with annotations of several clouds, of which only one can be its.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.controllers.shared.annotations import AnnotationReader, AnnotationTable
from ingress_lint.controllers.shared.base import Claim, Controller
from ingress_lint.controllers.shared.service_ports import port_backend, port_route
from ingress_lint.controllers.shared.source_addresses import through_nodes
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service, ServicePort
from ingress_lint.objects.model import IntOrString, KubernetesObject
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.health import KUBE_PROXY_HEALTH
from ingress_lint.routes.listeners import Listener
from ingress_lint.routes.model import ResolvedPort, Route
from ingress_lint.routes.remedies import UNKNOWN, Remedies
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, KeepAlive, SourceAddress, TargetKind, Timeouts

_LOCAL: Final = "externalTrafficPolicy is Local"
_TRANSPORT: Final = {"TCP": AppProtocol.TCP, "UDP": AppProtocol.UDP}
_EVIDENCE: Final = {
    "aws": ("service.beta.kubernetes.io/aws-load-balancer-", "service.kubernetes.io/aws-load-balancer-"),
    "azure": ("service.beta.kubernetes.io/azure-", "service.beta.kubernetes.io/port_"),
    "digitalocean": (
        "service.beta.kubernetes.io/do-loadbalancer-",
        "service.kubernetes.io/do-loadbalancer-",
        "kubernetes.digitalocean.com/load-balancer-id",
    ),
    "google": (
        "cloud.google.com/l4-rbs",
        "cloud.google.com/load-balancer-type",
        "cloud.google.com/network-tier",
        "networking.gke.io/internal-load-balancer-",
        "networking.gke.io/load-balancer-",
        "networking.gke.io/weighted-load-balancing",
    ),
    "alibaba": ("service.beta.kubernetes.io/alibaba-cloud-loadbalancer-",),
    "civo": ("kubernetes.civo.com/",),
    "exoscale": ("service.beta.kubernetes.io/exoscale-loadbalancer-",),
    "hetzner": ("load-balancer.hetzner.cloud/",),
    "ibm": ("service.kubernetes.io/ibm-load-balancer-cloud-provider-",),
    "linode": ("service.beta.kubernetes.io/linode-loadbalancer-",),
    "openstack": (
        "loadbalancer.openstack.org/",
        "loadbalancer.ovhcloud.com/",
        "service.beta.kubernetes.io/openstack-",
    ),
    "oracle": (
        "oci.oraclecloud.com/",
        "oci-network-load-balancer.oraclecloud.com/",
        "service.beta.kubernetes.io/oci-load-balancer-",
    ),
    "ovh": ("service.beta.kubernetes.io/ovh-loadbalancer-",),
    "scaleway": ("service.beta.kubernetes.io/scw-loadbalancer-",),
    "stackit": ("lb.stackit.cloud/", "yawol.stackit.cloud/"),
    "tencent": (
        "service.cloud.tencent.com/",
        "service.kubernetes.io/qcloud-loadbalancer-",
        "service.kubernetes.io/tke-existed-lbid",
    ),
    "vultr": ("service.beta.kubernetes.io/vultr-loadbalancer-",),
}
"""The annotations by which a Service tells its cloud, by how they start."""


class ServiceContext(Struct, frozen=True):
    """A Service that is a load balancer, and the reader of its annotations."""

    service: KubernetesObject[Service]
    controller: Sourced[str]
    reader: AnnotationReader
    cloud: str
    """Whose load balancer it is, by the evidence."""

    @property
    def place(self) -> Place:
        """Where a setting that nobody wrote would be written."""
        service = self.service
        return service.at("metadata", "annotations") if service.annotations else service.name_place

    @property
    def local(self) -> bool:
        """Whether only nodes with pods of the Service shall get traffic."""
        return self.service.body.spec.external_traffic_policy == "Local"

    def by_default(self, value: str, why: str) -> Sourced[str]:
        """A text that nobody wrote."""
        return Sourced(value, Origin.DEFAULT, self.place, why)

    def number(self, key: str, default: int, why: str) -> Sourced[int]:
        """A whole number, else its default."""
        return self.reader.integer(key) or Sourced(default, Origin.DEFAULT, self.place, why)

    def seconds(self, key: str, default: float, why: str, unit: float = 1) -> Sourced[float]:
        """A time that is written in seconds, or in a `unit` of so many."""
        found = self.reader.integer(key)
        if found is None:
            return Sourced(default, Origin.DEFAULT, self.place, why)
        return Sourced(found.value * unit, found.origin, found.place)

    def health_node(self) -> tuple[Sourced[str], Sourced[IntOrString], int | None]:
        """Path, port and port number at which kube-proxy tells whether a node is fit for the Service.

        With `externalTrafficPolicy: Local` that is the Service's own port; else the node's (kubernetes/cloud-provider:
        service/helpers/helper.go, GetServiceHealthCheckPathPort). The application has no say in either.
        """
        if not self.local:
            why = "kube-proxy tells whether the node is fit"
            port: Sourced[IntOrString] = Sourced(KUBE_PROXY_HEALTH, Origin.DEFAULT, self.place, why)
            return self.by_default("/healthz", why), port, KUBE_PROXY_HEALTH
        number = self.service.body.spec.health_check_node_port
        policy = self.service.at("spec", "externalTrafficPolicy")
        where = self.service.at("spec", "healthCheckNodePort")
        return (
            Sourced("/healthz", Origin.DERIVED, policy, _LOCAL),
            Sourced(number or "healthCheckNodePort", Origin.DERIVED, where, _LOCAL),
            number,
        )


class ServiceLoadBalancer(Controller):
    """A cloud's controller of Services of type LoadBalancer. It serves no Ingress."""

    outside: ClassVar[bool] = True
    annotations: ClassVar[AnnotationTable] = AnnotationTable((), ())
    clouds: ClassVar[frozenset[str]]
    """Which evidence tells that a Service is its."""
    remedies: ClassVar[Remedies] = UNKNOWN
    """How somebody tells it to treat the Service otherwise."""
    load_balancer_classes: ClassVar[Mapping[str, str]] = {}
    """The classes that mean it, each with its cloud; a Service of any other class is not its."""

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """One route for each port of each Service that is its."""
        for service in graph.services:
            cloud, claimed = self._claim(service) if service.body.spec.type == "LoadBalancer" else ("", None)
            if claimed is None:
                continue
            context = ServiceContext(service, claimed, self.reader(service, cloud), cloud)
            for index, port in enumerate(service.body.spec.ports):
                if port.protocol in _TRANSPORT and self.serves(context, port):
                    yield self._route(context, backends.port_at(service, index))

    def _claim(self, service: KubernetesObject[Service]) -> tuple[str, Sourced[str] | None]:
        """The cloud of a Service that is its, and what tells so."""
        named = service.body.spec.load_balancer_class
        if named is not None:
            cloud = self.load_balancer_classes.get(named, "")
            place = service.at("spec", "loadBalancerClass")
            return cloud, Sourced(self.name, Origin.EXPLICIT, place) if cloud else None
        evidence = [(cloud, key) for key in service.annotations for cloud in _clouds(key)]
        found = {cloud for cloud, _ in evidence}
        if len(found) != 1 or not found <= self.clouds:
            return "", None
        cloud, key = evidence[0]
        why = f"annotations that only {self.title} reads"
        return cloud, Sourced(self.name, Origin.DERIVED, service.annotation_place(key), why)

    def reader(self, service: KubernetesObject[Service], cloud: str) -> AnnotationReader:
        """The reader of a Service's annotations."""
        assert self.service_annotations is not None  # noqa: S101 - a cloud without a table has a reader of its own
        return self.service_annotations.reader(service)

    def _route(self, context: ServiceContext, port: ResolvedPort) -> Route:
        listener = self.listener(context, port)
        backend = replace(
            port_backend(port, self.protocol(context, port, listener), self.target(context)),
            health_check=self.health_check(context, port),
            timeouts=self.timeouts(context, listener),
            keep_alive=self.keep_alive(context, listener),
            proxy_protocol=self.proxy_protocol(context, port),
            remedies=self.remedies,
            arrives_from=through_nodes(context.service, self.sent_from(context)),
            hairpin=self.hairpin(context, port),
        )
        return port_route(context.controller, port, listener, backend)

    # -- what is special to a cloud -----------------------------------------------------------------------------------

    def serves(self, context: ServiceContext, port: ServicePort) -> bool:
        """Whether a port of the Service becomes one of the load balancer."""
        return True

    def listener(self, context: ServiceContext, port: ResolvedPort) -> Listener:
        """What clients connect to: the Service's port and transport, where nothing else is said."""
        protocol = Sourced(str(port.port.protocol), Origin.DERIVED, port.at("protocol"), "the Service port's protocol")
        number = Sourced(port.port.port, Origin.EXPLICIT, port.at("port"))
        instance = f"{context.service.namespace}/{context.service.name}"
        return Listener(self.gateway, number, protocol, instance=instance)

    def protocol(self, context: ServiceContext, port: ResolvedPort, listener: Listener) -> Sourced[AppProtocol]:
        """What it speaks to the pods: whatever the client does, where it only passes packets on."""
        found = _TRANSPORT[port.port.protocol]
        return Sourced(found, Origin.DERIVED, port.at("protocol"), "the Service port's protocol")

    @abstractmethod
    def target(self, context: ServiceContext) -> Sourced[TargetKind]:
        """What it sends packets to."""

    @abstractmethod
    def health_check(self, context: ServiceContext, port: ResolvedPort) -> HealthCheck | None:
        """How it finds out which nodes are fit."""

    def timeouts(self, context: ServiceContext, listener: Listener) -> Timeouts:
        """How long it waits."""
        return Timeouts()

    def keep_alive(self, context: ServiceContext, listener: Listener) -> KeepAlive:
        """How it keeps connections."""
        return KeepAlive()

    @abstractmethod
    def sent_from(self, context: ServiceContext) -> Sourced[SourceAddress] | None:
        """Whose address its packets carry when they arrive at a node; None where that is unknown."""

    def hairpin(self, context: ServiceContext, port: ResolvedPort) -> Sourced[str] | None:
        """What comes of a connection to it that a pod of the cluster opens; None where it works, or may."""
        return None

    @abstractmethod
    def proxy_protocol(self, context: ServiceContext, port: ResolvedPort) -> Sourced[bool] | None:
        """Whether connections to the pods start with a PROXY protocol header."""


def past_load_balancer(sent: Sourced[bool]) -> Sourced[str] | None:
    """What comes of a pod's connection to a load balancer that is known by its address and sends a PROXY header.

    kube-proxy answers for that address on every node, unless the Service's status says that it is a proxy's
    (kubernetes/kubernetes: issue 66607; kubernetes/enhancements:keps/sig-network/1860-kube-proxy-IP-node-binding).
    """
    if not sent.value:
        return None
    what = (
        "kube-proxy leads it past the load balancer, without the PROXY protocol header that is waited for, and it is "
        "closed, unless the Service's status says `ipMode: Proxy`"
    )
    return Sourced(what, Origin.DERIVED, sent.place, "the load balancer sends the PROXY protocol header")


def _clouds(key: str) -> Iterator[str]:
    return (cloud for cloud, starts in _EVIDENCE.items() if key.startswith(starts))
