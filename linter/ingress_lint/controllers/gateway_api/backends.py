"""Backend references: what they lead to, whether they may, and what the gateway speaks there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ingress_lint.controllers.gateway_api.backend_tls import BackendTLSPolicies
from ingress_lint.controllers.gateway_api.vendor_policies import VendorPolicies
from ingress_lint.controllers.shared.implementations import SPECIFICATION
from ingress_lint.controllers.shared.references import Reference, References, Site
from ingress_lint.controllers.shared.route_facts import RouteFacts
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence, Resolution
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service
from ingress_lint.objects.gateway_routes import BackendObjectReference
from ingress_lint.objects.group_kind import SERVICE
from ingress_lint.objects.kinds import GATEWAY_GROUP
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.model import BackendRef, BackendTLS, Filter, ResolvedPort, Route
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, TargetKind
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict

_EXTENSION_GROUPS: Final = (
    "multicluster.x-k8s.io",
    "net.gke.io",
    "inference.networking.k8s.io",
    "inference.networking.x-k8s.io",
    "gateway.envoyproxy.io",
    "aigateway.envoyproxy.io",
    "gateway.kgateway.dev",
    "agentgateway.dev",
    "gateway.k8s.aws",
    "networking.istio.io",
    "traefik.io",
    "networking.gke.io",
    "k8s.nginx.org",
    "configuration.konghq.com",
    "kuma.io",
)
"""Groups whose objects some implementation takes as a backend: ServiceImport, InferencePool, Backend, Hostname, ..."""
_DELEGATING: Final = frozenset({"kgateway", SPECIFICATION.name})
"""Implementations that take routes for backends, or whose extensions nobody knows."""
_BY_LABEL: Final = "delegation.kgateway.dev"
_STANDARD_PROTOCOLS: Final[Mapping[str, AppProtocol]] = {
    "kubernetes.io/h2c": AppProtocol.H2C,
    "kubernetes.io/ws": AppProtocol.HTTP,
    "kubernetes.io/wss": AppProtocol.HTTPS,
}
"""kubernetes-sigs/gateway-api:geps/gep-1911"""
_CONNECTION_PROTOCOLS: Final = {"TCPRoute": AppProtocol.TCP, "UDPRoute": AppProtocol.UDP}
_SEEN: Final = {
    "HTTPRoute": "clients get 500",
    "GRPCRoute": "clients get UNAVAILABLE",
    "TLSRoute": "the connection is closed in the TLS handshake",
    "TCPRoute": "the connection is refused or reset",
    "UDPRoute": "packets are dropped",
}


class Backends:
    """Resolves the backends of one graph; `verdicts` holds what is wrong with them."""

    def __init__(
        self,
        graph: ObjectGraph,
        references: References,
        policies: BackendTLSPolicies,
        vendor_policies: VendorPolicies,
        resolver: BackendResolver,
    ) -> None:
        self._graph = graph
        self._references = references
        self._policies = policies
        self._vendor_policies = vendor_policies
        self._resolver = resolver
        self.verdicts: list[Verdict] = []

    def resolve(
        self,
        written: BackendObjectReference,
        place: Place,
        facts: RouteFacts,
        weight: int = 1,
        filters: tuple[Filter, ...] = (),
        seen: str = "",
    ) -> BackendRef:
        """A backend reference at `place`, with what stands in its way; `seen` is what clients see of that."""
        reference = Reference.of(written)
        namespace = reference.namespace or facts.owner.namespace
        service, port = None, None
        resolution: Resolution[Service]
        is_service = (reference.group, reference.kind) == ("", "Service")
        if is_service:
            service = self._graph.service(namespace, reference.name)
            resolution = (
                Resolution(Existence.FOUND, service)
                if service
                else self._graph.resolve(SERVICE, namespace, reference.name)
            )
            port = self._resolver.port(service, written.port) if service and written.port is not None else None
        else:
            resolution = self._other_kind(reference, namespace)
        delegates = _delegates(reference, facts)
        refusal = self._refusal(
            Site(facts.owner, place),
            reference,
            resolution,
            seen or _SEEN.get(facts.owner.kind, "clients get 500"),
            known=is_service or delegates or self._may_be_backend(reference, facts),
            granted=delegates,
        )
        if refusal is not None:
            self.verdicts.append(refusal)
        tls = self._policies.for_port(port) if port and facts.implementation.backend_tls_policy else None
        backend = BackendRef(
            place=place.at("name"),
            kind=reference.kind,
            group=reference.group,
            namespace=namespace,
            name=reference.name,
            port=Sourced(written.port, Origin.EXPLICIT, place.at("port")) if written.port is not None else None,
            service=resolution,
            service_port=port,
            protocol=_protocol(facts, port, tls, place),
            target=Sourced(TargetKind.POD, Origin.DEFAULT, place.at("name")),
            weight=weight,
            timeouts=facts.timeouts,
            filters=filters,
            tls=tls,
            refusal=refusal if refusal and refusal.certainty is not Certainty.UNKNOWN else None,
            remedies=facts.implementation.remedies,
        )
        return self._vendor_policies.treat(backend, facts)

    def refusals(self, facts: RouteFacts) -> tuple[Verdict, ...]:
        """What its implementation refuses of a rule and of the policies for it."""
        return tuple(self._vendor_policies.refusals(facts))

    def extended(self, route: Route, facts: RouteFacts) -> Route:
        """A rule with what its filters come to, among them those that name objects of its vendor's own."""
        return self._vendor_policies.extended(route, facts)

    def _may_be_backend(self, reference: Reference, facts: RouteFacts) -> bool:
        """Whether an extension may be a backend: it is known for that, or the set uses it with an unknown implementation."""
        group = reference.group
        if group in _EXTENSION_GROUPS or facts.implementation is not SPECIFICATION or "." not in group:
            return group in _EXTENSION_GROUPS
        return group in self._graph.context.custom_groups or any(item.group == group for item in self._graph.objects)

    def _other_kind(self, reference: Reference, namespace: str) -> Resolution[Any]:
        """What is known of a backend that is no Service: rules about Services have nothing to say of it."""
        if "@" in reference.name and reference.group == "traefik.io":
            return Resolution(Existence.EXTERNAL, why="another provider of Traefik has it")
        resolution = self._graph.resolve(reference.group_kind, namespace, reference.name)
        if reference.group == GATEWAY_GROUP and reference.name != "*" and resolution.existence is Existence.MISSING:
            return Resolution(Existence.MISSING, why=resolution.why)
        if resolution.existence in (Existence.MISSING, Existence.PARTIAL) and reference.group in _EXTENSION_GROUPS:
            return Resolution(resolution.existence, why=resolution.why)
        return Resolution(Existence.EXTERNAL, why=f"a {reference.kind} is no Service")

    def _refusal(
        self,
        site: Site,
        reference: Reference,
        resolution: Resolution[Any],
        seen: str,
        *,
        known: bool,
        granted: bool,
    ) -> Verdict | None:
        """Why it cannot be a backend; `known` where it is of a kind that may be one, `granted` where it needs no grant."""
        owner = site.owner
        if not known:
            return site.verdict(
                Reason.INVALID_KIND,
                f"{owner.kind} `{owner.name}` sends requests to {reference} `{reference.name}`, and no {owner.kind} can "
                f"send them to anything but a Service; {seen}",
                Certainty.KNOWN if reference.group in ("", "apps") else Certainty.LIKELY,
                place=site.place.at("group" if reference.group and reference.kind == "Service" else "kind"),
                fix="name a Service",
            )
        if not granted and (refusal := self._references.refusal(site, reference, reference.kind, seen)):
            return refusal
        if resolution.existence not in (Existence.MISSING, Existence.PARTIAL):
            return None
        namespace = reference.namespace or owner.namespace
        return site.verdict(
            Reason.BACKEND_NOT_FOUND,
            f"{owner.kind} `{owner.name}` sends requests to {reference.kind} `{reference.name}`, which namespace "
            f"`{namespace}` does not have; {seen}",
            Certainty.of_missing(resolution.existence),
            place=site.place.at("name"),
            fix=f"create {reference.kind} `{reference.name}`, or name one that exists",
        )


def _delegates(reference: Reference, facts: RouteFacts) -> bool:
    """Whether a route hands requests to other routes, which kgateway follows into any namespace without a grant.

    kgateway-dev/kgateway:pkg/kgateway/query, delegation by name, by `*` and by label.
    """
    if facts.implementation.name not in _DELEGATING:
        return False
    return reference.group == _BY_LABEL or (reference.group, reference.kind) == (GATEWAY_GROUP, facts.owner.kind)


def _protocol(
    facts: RouteFacts, port: ResolvedPort | None, tls: BackendTLS | None, place: Place
) -> Sourced[AppProtocol]:
    """What the gateway speaks to the backend."""
    kind = facts.owner.kind
    if kind in _CONNECTION_PROTOCOLS:
        return Sourced(
            _CONNECTION_PROTOCOLS[kind], Origin.DERIVED, place.at("name"), f"a {kind} passes on what it gets"
        )
    if kind == "TLSRoute":
        protocol = {"Passthrough": AppProtocol.TLS, "Terminate": AppProtocol.TCP}.get(facts.tls_mode or "")
        why = f"its listener has mode {facts.tls_mode}" if protocol else "its listener is not in the set"
        return Sourced(protocol or AppProtocol.UNKNOWN, Origin.DERIVED, place.at("name"), why)
    grpc = kind == "GRPCRoute"
    if tls is not None:
        secure = AppProtocol.GRPCS if grpc else AppProtocol.HTTPS
        return Sourced(secure, Origin.EXPLICIT, tls.hostname.place, f"BackendTLSPolicy {tls.policy.name}")
    app_protocol = port.port.app_protocol if port else None
    if port is None or app_protocol is None:
        plain = AppProtocol.GRPC if grpc else AppProtocol.HTTP
        return Sourced(plain, Origin.DEFAULT, place.at("name"), "no BackendTLSPolicy and no appProtocol")
    where = port.at("appProtocol")
    if grpc:
        return Sourced(AppProtocol.GRPC, Origin.DERIVED, place.at("name"), "a GRPCRoute speaks HTTP/2")
    own = facts.implementation.app_protocols
    known = _STANDARD_PROTOCOLS.get(app_protocol) or (own or {}).get(app_protocol)
    if known is not None:
        return Sourced(known, Origin.EXPLICIT, where)
    ignored = own is not None or app_protocol.lower() in ("http", "tcp")
    protocol = AppProtocol.HTTP if ignored else AppProtocol.UNKNOWN
    return Sourced(protocol, Origin.DERIVED, where, f"appProtocol {app_protocol} is not one of the Gateway API's")
