"""The networking.k8s.io group: Ingress in every version there was, IngressClass, NetworkPolicy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from msgspec import field

from ingress_lint.load.document import Pointer
from ingress_lint.objects.core import Protocol
from ingress_lint.objects.model import ClosedModel, IntOrString, LabelSelector, Many, Model, Port

PathType = Literal["Exact", "Prefix", "ImplementationSpecific"]


class BackendReference(NamedTuple):
    """The Service and port that an Ingress backend names, with the pointers below the backend."""

    service: str
    port: int | str | None
    service_pointer: Pointer
    port_pointer: Pointer


class ServiceBackendPort(ClosedModel):
    """A Service port by number or by name."""

    number: Port | None = None
    name: str | None = None


class IngressServiceBackend(ClosedModel):
    """A Service as a backend."""

    name: str
    port: ServiceBackendPort | None = None


class ResourceBackend(ClosedModel, kw_only=True):
    """Any object as a backend, which few controllers support."""

    api_group: str | None = None
    kind: str
    name: str


class IngressBackend(ClosedModel):
    """Where a path leads."""

    service: IngressServiceBackend | None = None
    resource: ResourceBackend | None = None

    def reference(self) -> BackendReference | None:
        """The Service it names, None for a resource backend."""
        if self.service is None:
            return None
        port, pointer = self.service.port, ("service", "port")
        if port is None:
            return BackendReference(self.service.name, None, ("service", "name"), pointer)
        which = "name" if port.number is None and port.name is not None else "number"
        value = port.name if which == "name" else port.number
        return BackendReference(self.service.name, value, ("service", "name"), (*pointer, which))


class LegacyIngressBackend(ClosedModel):
    """Where a path leads, before networking.k8s.io/v1."""

    service_name: str | None = None
    service_port: IntOrString | None = None
    resource: ResourceBackend | None = None

    def reference(self) -> BackendReference | None:
        """The Service it names, None for a resource backend."""
        if self.service_name is None:
            return None
        return BackendReference(self.service_name, self.service_port, ("serviceName",), ("servicePort",))


class HTTPIngressPath(ClosedModel, kw_only=True):
    """One path of a rule."""

    path: str | None = None
    path_type: PathType
    backend: IngressBackend


class LegacyHTTPIngressPath(ClosedModel, kw_only=True):
    """One path of a rule, before networking.k8s.io/v1; without pathType it is the controller's to decide."""

    path: str | None = None
    path_type: PathType | None = None
    backend: LegacyIngressBackend


class HTTPIngressRuleValue(ClosedModel):
    """The paths of a rule."""

    paths: Many[HTTPIngressPath]


class LegacyHTTPIngressRuleValue(ClosedModel):
    """The paths of a rule, before networking.k8s.io/v1."""

    paths: Many[LegacyHTTPIngressPath]


class IngressRule(ClosedModel):
    """The paths of one host; without a host, of any."""

    host: str | None = None
    http: HTTPIngressRuleValue | None = None


class LegacyIngressRule(ClosedModel):
    """The paths of one host, before networking.k8s.io/v1."""

    host: str | None = None
    http: LegacyHTTPIngressRuleValue | None = None


class IngressTLS(ClosedModel):
    """The hosts that one certificate serves."""

    hosts: Many[str] = ()
    secret_name: str | None = None


class IngressSpec(ClosedModel):
    """An Ingress's routing."""

    ingress_class_name: str | None = None
    default_backend: IngressBackend | None = None
    tls: Many[IngressTLS] = ()
    rules: Many[IngressRule] = ()

    def backends(self) -> Iterator[tuple[int, int, IngressBackend | LegacyIngressBackend]]:
        """Each path's backend with the index of its rule and path."""
        for i, rule in enumerate(self.rules):
            for j, path in enumerate(rule.http.paths if rule.http else ()):
                yield i, j, path.backend


class LegacyIngressSpec(ClosedModel):
    """An Ingress's routing, before networking.k8s.io/v1."""

    ingress_class_name: str | None = None
    backend: LegacyIngressBackend | None = None
    tls: Many[IngressTLS] = ()
    rules: Many[LegacyIngressRule] = ()

    @property
    def default_backend(self) -> LegacyIngressBackend | None:
        """What the field is called since networking.k8s.io/v1."""
        return self.backend


class Ingress(Model):
    """An Ingress of networking.k8s.io/v1."""

    spec: IngressSpec = IngressSpec()


class LegacyIngress(Model):
    """An Ingress of extensions/v1beta1 or networking.k8s.io/v1beta1."""

    spec: LegacyIngressSpec = LegacyIngressSpec()


AnyIngress = Ingress | LegacyIngress
DEFAULT_BACKEND_FIELD = {Ingress: "defaultBackend", LegacyIngress: "backend"}


class IngressClassSpec(ClosedModel):
    """Which controller serves a class."""

    controller: str = ""
    parameters: Any = None


class IngressClass(Model):
    """An IngressClass."""

    spec: IngressClassSpec = IngressClassSpec()


class IPBlock(ClosedModel):
    """A range of addresses, less some."""

    cidr: str
    except_: Many[str] = field(default=(), name="except")


class NetworkPolicyPeer(ClosedModel):
    """Who may connect; within one peer both selectors must match."""

    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: IPBlock | None = None


class NetworkPolicyPort(ClosedModel):
    """Which port is allowed; `end_port` makes it a range."""

    protocol: Protocol = "TCP"
    port: IntOrString | None = None
    end_port: int | None = None


class NetworkPolicyIngressRule(ClosedModel):
    """Allowed peers and ports; an absent list allows all."""

    from_: Many[NetworkPolicyPeer] | None = field(default=None, name="from")
    ports: Many[NetworkPolicyPort] | None = None


class NetworkPolicyEgressRule(ClosedModel):
    """Allowed destinations and ports; an absent list allows all."""

    to: Many[NetworkPolicyPeer] | None = None
    ports: Many[NetworkPolicyPort] | None = None


class NetworkPolicySpec(ClosedModel):
    """Which pods a policy isolates, and what it still lets in."""

    pod_selector: LabelSelector = LabelSelector()
    policy_types: Many[Literal["Ingress", "Egress"]] | None = None
    ingress: Many[NetworkPolicyIngressRule] | None = None
    """None where it is absent, which lets nobody in either."""
    egress: Many[NetworkPolicyEgressRule] | None = None


class NetworkPolicy(Model):
    """A NetworkPolicy; without a spec it isolates every pod of its namespace."""

    spec: NetworkPolicySpec = NetworkPolicySpec()
