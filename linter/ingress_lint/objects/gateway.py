"""The Gateway API's gateways and policies: GatewayClass, Gateway, ListenerSet, ReferenceGrant, BackendTLSPolicy.

Every field of every served version is accepted: gateway.networking.k8s.io v1, v1beta1, v1alpha2, v1alpha3 and
gateway.networking.x-k8s.io v1alpha1, in which fields moved but none changed its meaning
(kubernetes-sigs/gateway-api:apis/v1/gateway_types.go, listenerset_types.go, backendtlspolicy_types.go).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from ingress_lint.objects.kinds import GATEWAY_GROUP
from ingress_lint.objects.model import ClosedModel, LabelSelector, Many, Model, Port

Protocol = Annotated[str, Meta(min_length=1, max_length=255)]


class LocalObjectReference(ClosedModel):
    """An object of the same namespace."""

    group: str
    kind: str
    name: str


class ParametersReference(ClosedModel):
    """An object that tunes a class or a gateway."""

    group: str
    kind: str
    name: str
    namespace: str | None = None


class ObjectReference(ClosedModel):
    """Any object; without a namespace, of the one that the reference stands in."""

    group: str
    kind: str
    name: str
    namespace: str | None = None


class SecretObjectReference(ClosedModel, kw_only=True):
    """A Secret, or what an implementation takes in its place."""

    group: str = ""
    kind: str = "Secret"
    name: str
    namespace: str | None = None


class GatewayClassSpec(ClosedModel):
    """Which controller serves the gateways of a class."""

    controller_name: str
    parameters_ref: ParametersReference | None = None
    description: str | None = None


class GatewayClass(Model):
    """A GatewayClass."""

    spec: GatewayClassSpec


class RouteGroupKind(ClosedModel, kw_only=True):
    """A kind of route."""

    group: str = GATEWAY_GROUP
    kind: str


class RouteNamespaces(ClosedModel):
    """The namespaces whose routes a listener takes."""

    from_: Literal["All", "Selector", "Same"] = field(default="Same", name="from")
    selector: LabelSelector | None = None


class AllowedRoutes(ClosedModel):
    """The routes that a listener takes; no kinds means all that its protocol carries."""

    namespaces: RouteNamespaces = RouteNamespaces()
    kinds: Many[RouteGroupKind] = ()


class FrontendTLSValidation(ClosedModel):
    """How client certificates are checked. Before v1 every reference was a local one; the fields are the same."""

    ca_certificate_refs: Many[ObjectReference] = ()
    mode: Literal["AllowValidOnly", "AllowInsecureFallback"] = "AllowValidOnly"


class ListenerTLSConfig(ClosedModel):
    """How a listener treats TLS."""

    mode: Literal["Terminate", "Passthrough"] | None = None
    certificate_refs: Many[SecretObjectReference] = ()
    frontend_validation: FrontendTLSValidation | None = None
    options: dict[str, Any] = field(default_factory=dict)


class ListenerEntry(ClosedModel, kw_only=True):
    """A port that a Gateway or ListenerSet listens on. An XListenerSet may leave the port to the implementation."""

    name: str
    hostname: str | None = None
    port: Annotated[int, Meta(ge=0, le=65535)] = 0
    protocol: Protocol
    tls: ListenerTLSConfig | None = None
    allowed_routes: AllowedRoutes = AllowedRoutes()


class GatewayListener(ListenerEntry):
    """A listener of a Gateway."""

    port: Port


class GatewayAddress(ClosedModel):
    """An address asked for."""

    type: str = "IPAddress"
    value: str | None = None


class LocalParametersReference(ClosedModel):
    """An object of the Gateway's namespace that tunes it."""

    group: str
    kind: str
    name: str


class GatewayInfrastructure(ClosedModel):
    """What the objects made for a Gateway carry."""

    labels: dict[str, Any] = field(default_factory=dict)
    annotations: dict[str, Any] = field(default_factory=dict)
    parameters_ref: LocalParametersReference | None = None


class ListenerNamespaces(ClosedModel):
    """The namespaces whose ListenerSets a Gateway takes."""

    from_: Literal["All", "Selector", "Same", "None"] = field(default="None", name="from")
    selector: LabelSelector | None = None


class AllowedListeners(ClosedModel):
    """The ListenerSets that a Gateway takes: none, unless it says otherwise."""

    namespaces: ListenerNamespaces = ListenerNamespaces()


class TLSConfig(ClosedModel):
    """How clients of some ports are checked."""

    validation: FrontendTLSValidation | None = None


class TLSPortConfig(ClosedModel):
    """How clients of one port are checked."""

    port: Port
    tls: TLSConfig


class FrontendTLSConfig(ClosedModel):
    """How clients are checked."""

    default: TLSConfig = TLSConfig()
    per_port: Many[TLSPortConfig] = ()


class GatewayBackendTLS(ClosedModel):
    """The certificate that a Gateway shows to backends."""

    client_certificate_ref: SecretObjectReference | None = None


class GatewayTLSConfig(ClosedModel):
    """TLS towards clients and towards backends."""

    frontend: FrontendTLSConfig | None = None
    backend: GatewayBackendTLS | None = None


class GatewaySpec(ClosedModel):
    """A Gateway's listeners. `backend_tls` is the earlier place of `tls.backend`."""

    gateway_class_name: str
    listeners: Many[GatewayListener] = ()
    addresses: Many[GatewayAddress] = ()
    infrastructure: GatewayInfrastructure | None = None
    allowed_listeners: AllowedListeners = AllowedListeners()
    tls: GatewayTLSConfig | None = None
    backend_tls: GatewayBackendTLS | None = field(default=None, name="backendTLS")
    default_scope: Literal["All", "None"] | None = None


class Gateway(Model):
    """A Gateway of the Gateway API, not Istio's."""

    spec: GatewaySpec


class ParentGatewayReference(ClosedModel, kw_only=True):
    """The Gateway that a ListenerSet adds to."""

    group: str = GATEWAY_GROUP
    kind: str = "Gateway"
    name: str
    namespace: str | None = None


class ListenerSetSpec(ClosedModel):
    """Listeners to add to a Gateway."""

    parent_ref: ParentGatewayReference
    listeners: Many[ListenerEntry] = ()


class ListenerSet(Model):
    """A ListenerSet, or an XListenerSet of the experimental group."""

    spec: ListenerSetSpec


class ReferenceGrantFrom(ClosedModel):
    """Who may refer."""

    group: str
    kind: str
    namespace: str


class ReferenceGrantTo(ClosedModel):
    """What may be referred to; without a name, every object of the kind."""

    group: str
    kind: str
    name: str | None = None


class ReferenceGrantSpec(ClosedModel):
    """References that the owner of a namespace allows into it."""

    from_: Many[ReferenceGrantFrom] = field(default=(), name="from")
    to: Many[ReferenceGrantTo] = ()


class ReferenceGrant(Model):
    """A ReferenceGrant, or a ReferencePolicy, as it was called in v1alpha2."""

    spec: ReferenceGrantSpec


class PolicyTargetReference(ClosedModel):
    """What a policy is for; `section_name` is a port's name where the target is a Service."""

    group: str
    kind: str
    name: str
    namespace: str | None = None
    section_name: str | None = None


class SubjectAltName(ClosedModel):
    """A name of which the backend's certificate must carry one."""

    type: Literal["Hostname", "URI"]
    hostname: str | None = None
    uri: str | None = None


class BackendTLSPolicyValidation(ClosedModel, kw_only=True):
    """How the backend's certificate is checked."""

    ca_certificate_refs: Many[LocalObjectReference] = ()
    well_known_ca_certificates: str | None = field(default=None, name="wellKnownCACertificates")
    hostname: str
    subject_alt_names: Many[SubjectAltName] = ()


class BackendTLSPolicyConfig(ClosedModel, kw_only=True):
    """How the backend's certificate was checked in v1alpha2."""

    ca_certificate_refs: Many[LocalObjectReference] = field(default=(), name="caCertRefs")
    well_known_ca_certificates: str | None = field(default=None, name="wellKnownCACerts")
    hostname: str


class BackendTLSPolicySpec(ClosedModel):
    """The Services that are reached over TLS, and how their certificates are checked."""

    target_refs: Many[PolicyTargetReference]
    validation: BackendTLSPolicyValidation
    options: dict[str, Any] = field(default_factory=dict)


class BackendTLSPolicy(Model):
    """A BackendTLSPolicy."""

    spec: BackendTLSPolicySpec


class LegacyBackendTLSPolicySpec(ClosedModel):
    """The Service that is reached over TLS, in v1alpha2."""

    target_ref: PolicyTargetReference
    tls: BackendTLSPolicyConfig


class LegacyBackendTLSPolicy(Model):
    """A BackendTLSPolicy of v1alpha2."""

    spec: LegacyBackendTLSPolicySpec
