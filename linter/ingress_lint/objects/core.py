"""The core group as far as a request's way touches it: Service, Endpoints, ConfigMap, Secret, Namespace."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import field

from ingress_lint.objects.model import ClosedModel, IntOrString, Many, Model, Port

Protocol = Literal["TCP", "UDP", "SCTP"]


class ServicePort(ClosedModel, kw_only=True):
    """One port of a Service. `target_port` absent means the same number as `port`."""

    name: str = ""
    protocol: Protocol = "TCP"
    app_protocol: str | None = None
    port: Port
    target_port: IntOrString | None = None
    node_port: int | None = None


class ServiceSpec(ClosedModel):
    """What a Service selects and exposes."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] = "ClusterIP"
    selector: dict[str, Any] = field(default_factory=dict)
    ports: Many[ServicePort] = ()
    cluster_ip: str | None = field(default=None, name="clusterIP")
    external_name: str | None = None
    external_traffic_policy: Literal["Cluster", "Local", ""] = "Cluster"
    internal_traffic_policy: Literal["Cluster", "Local"] = "Cluster"
    health_check_node_port: int | None = None
    load_balancer_class: str | None = None
    load_balancer_source_ranges: Many[str] = ()
    publish_not_ready_addresses: bool = False
    ip_families: Many[str] = ()
    allocate_load_balancer_node_ports: bool = True
    session_affinity: Literal["ClientIP", "None", ""] = "None"
    # read by nobody here, but legal
    cluster_ips: Any = field(default=None, name="clusterIPs")
    external_ips: Any = field(default=None, name="externalIPs")
    load_balancer_ip: Any = field(default=None, name="loadBalancerIP")
    ip_family_policy: Any = None
    ip_family: Any = None
    session_affinity_config: Any = None
    topology_keys: Any = None
    traffic_distribution: Any = None

    @property
    def headless(self) -> bool:
        """Whether it has no cluster IP on purpose."""
        return self.cluster_ip == "None"


class Service(Model):
    """A Service."""

    spec: ServiceSpec = ServiceSpec()


class EndpointPort(Model):
    """A port of an Endpoints subset or an EndpointSlice."""

    name: str = ""
    port: int | None = None
    protocol: Protocol = "TCP"


class EndpointSubset(Model):
    """Addresses that share ports."""

    addresses: Many[Any] = ()
    not_ready_addresses: Many[Any] = ()
    ports: Many[EndpointPort] = ()


class Endpoints(Model):
    """An Endpoints object; the Service of the same name is served by its addresses."""

    subsets: Many[EndpointSubset] = ()


class EndpointConditions(Model):
    """In which state an endpoint is. Not said means ready, serving and not terminating."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class SliceEndpoint(Model):
    """The addresses of one endpoint, `target_ref` the pod that has them."""

    addresses: Many[Any] = ()
    conditions: EndpointConditions = EndpointConditions()
    target_ref: Any = None


class EndpointSlice(Model):
    """An EndpointSlice; its label `kubernetes.io/service-name` names the Service."""

    address_type: str = ""
    endpoints: Many[SliceEndpoint] = ()
    ports: Many[EndpointPort] = ()


class ConfigMap(Model):
    """A ConfigMap. A value that is no text is refused by the API server, and read here as it stands."""

    data: dict[str, Any] = field(default_factory=dict)


class Secret(Model):
    """A Secret; `data` is base64, `string_data` plain. `sops` tells how SOPS has encrypted both."""

    type: str = "Opaque"
    data: dict[str, Any] = field(default_factory=dict)
    string_data: dict[str, Any] = field(default_factory=dict)
    sops: Any = None


class Namespace(Model):
    """A Namespace; only its labels matter."""
