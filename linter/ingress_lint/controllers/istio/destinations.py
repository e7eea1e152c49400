"""Destinations: the Service behind a host, what the gateway speaks there, and for how long it waits.

Sources in istio/istio: pilot/pkg/networking/core/route/route.go (GetDestinationCluster, setTimeout), cluster_builder.go,
route/retry/retry.go; defaults in istio/api:networking/v1alpha3/destination_rule.proto.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from ingress_lint.controllers.istio.destination_rules import DestinationRules, Policy, find_subset, policy
from ingress_lint.controllers.istio.hosts import (
    CLUSTER_DOMAIN,
    NamespacedName,
    deadline,
    full_host,
    overlap,
    service_of,
)
from ingress_lint.controllers.istio.protocols import declared
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence, Resolution
from ingress_lint.graph.workload import Workload
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service
from ingress_lint.objects.group_kind import SERVICE, GroupKind
from ingress_lint.objects.istio import ISTIO_GROUP, Destination, DestinationRule, ServiceEntry
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.model import Attachment, BackendRef, BackendTLS, Filter, ResolvedPort
from ingress_lint.routes.remedies import Remedies
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, KeepAlive, TargetKind, Timeouts
from ingress_lint.routes.verdicts import Reason, Verdict

_BY_ENTRY: Final = "a ServiceEntry names this host"
_REMEDIES: Final = Remedies(
    protocols={
        AppProtocol.HTTPS: "set `trafficPolicy.tls.mode: SIMPLE` in a DestinationRule for the host",
        AppProtocol.GRPC: "set `appProtocol: grpc` at the Service's port",
    },
    read_timeout="set `timeout: {}s` in the route",
)
_INFINITE: Final = float("inf")
_CONNECT: Final = 10.0
_POOL_IDLE: Final = 3600.0
_INJECT: Final = "sidecar.istio.io/inject"
_NAMESPACE_INJECT: Final = "istio-injection"
_OVER_TLS: Final = {
    AppProtocol.GRPC: AppProtocol.GRPCS,
    AppProtocol.H2C: AppProtocol.HTTP2,
}


class Rule(Struct, frozen=True):
    """What a destination needs to know of the rule that names it."""

    owner: AnyObject
    place: Place
    """The rule's own place, where what nobody wrote would be written."""
    protocol: AppProtocol
    """HTTP for rules of requests, TLS for passed-through connections, TCP for connections."""
    ports: tuple[int, ...]
    """The ports of the servers that the rule is for: a Service with several ports is asked for one of these."""
    clients: frozenset[str]
    """The namespaces of the gateway's pods, none where they are unknown."""
    timeout: Sourced[float] | None = None
    attempt: Sourced[float] | None = None
    retries_resets: bool = False


class _Target(Struct, frozen=True):
    """What a host means."""

    host: str
    kind: str
    name: NamespacedName
    resolution: Resolution[Service]
    refusal: Verdict | None = None


class Destinations:
    """Resolves the destinations of one graph."""

    def __init__(self, graph: ObjectGraph, resolver: BackendResolver) -> None:
        self._graph = graph
        self._resolver = resolver
        self.rules = DestinationRules(graph)
        self._entries = [host.lower() for item in graph.of(ServiceEntry) for host in item.body.spec.hosts]

    def backend(
        self, destination: Destination, place: Place, rule: Rule, weight: int = 1, filters: tuple[Filter, ...] = ()
    ) -> BackendRef:
        """The backend that a destination at `place` means."""
        target = self._target(destination, place, rule.owner)
        service = target.resolution.object
        readable = service if service is not None and isinstance(service.body, Service) else None
        port = _port(destination, place, readable, rule)
        service_port = self._resolver.port(readable, port.value if port else None) if readable else None
        rules = self.rules.of_host(target.host, rule.clients)
        subset = find_subset(rules, destination.subset) if destination.subset else None
        found = policy(rules, subset, service_port.port.port if service_port else None)
        return BackendRef(
            place=place.at("host"),
            kind=target.kind,
            group="" if target.kind == "Service" else ISTIO_GROUP,
            namespace=target.name.namespace,
            name=target.name.name,
            port=port,
            service=target.resolution,
            service_port=service_port,
            protocol=_protocol(rule, service_port, found, place),
            target=Sourced(TargetKind.POD, Origin.DEFAULT, place.at("host")),
            weight=weight,
            timeouts=_timeouts(rule, found, place),
            keep_alive=self._keep_alive(rule, service_port, found, place),
            proxy_protocol=Sourced(True, Origin.EXPLICIT, found.proxy_protocol[1]) if found.proxy_protocol else None,
            filters=filters,
            tls=_backend_tls(rules, found),
            refusal=target.refusal,
            remedies=_REMEDIES,
        )

    def _target(self, destination: Destination, place: Place, owner: AnyObject) -> _Target:
        host = full_host(destination.host, owner.namespace)
        named = any(overlap(entry, host) for entry in self._entries)
        name = service_of(host)
        if name is not None:
            service = self._graph.service(*name)
            if service is not None:
                return _Target(host, "Service", name, Resolution(Existence.FOUND, service))
            if named:
                return _Target(host, "Service", name, Resolution(Existence.EXTERNAL, why=_BY_ENTRY))
            resolution: Resolution[Service] = self._graph.resolve(SERVICE, *name)
            refusal = self._meant_elsewhere(destination.host, name, place, owner) if resolution.missing else None
            return _Target(host, "Service", name, resolution, refusal)
        name = NamespacedName(owner.namespace, host)
        if named:
            return _Target(host, "ServiceEntry", name, Resolution(Existence.EXTERNAL, why=_BY_ENTRY))
        meant = self._cut_short(host)
        if meant is None or self._graph.incomplete:
            why = "a host with a dot may be that of a ServiceEntry elsewhere"
            return _Target(host, "ServiceEntry", name, Resolution(Existence.EXTERNAL, why=why))
        full = f"{meant.name}.{meant.namespace}.{CLUSTER_DOMAIN}"
        refusal = Verdict(
            Reason.BACKEND_NOT_FOUND,
            owner,
            place.at("host"),
            f"{owner.kind} `{owner.name}` sends requests to host `{destination.host}`, which Istio takes for a full "
            f"name because of its dot, and no Service or ServiceEntry has it; the client gets 503",
            related=((f"Service `{meant.name}` is `{full}`", meant.name_place),),
            fix=f"write `{full}`",
        )
        return _Target(host, "Service", name, Resolution(Existence.MISSING), refusal)

    def _cut_short(self, host: str) -> KubernetesObject[Service] | None:
        """The Service that somebody means who writes `name.namespace` or `name.namespace.svc`."""
        parts = host.split(".")
        if len(parts) == 2 or (len(parts) == 3 and parts[2] == "svc"):
            return self._graph.service(parts[1], parts[0])
        return None

    def _meant_elsewhere(self, written: str, name: NamespacedName, place: Place, owner: AnyObject) -> Verdict | None:
        """The same Service in another namespace, where a short name leads to the VirtualService's own."""
        spaces = self._graph.namespaces_with(SERVICE, name.name)
        service = self._graph.service(spaces[0], name.name) if spaces else None
        if service is None or "." in written:
            return None
        full = f"{service.name}.{service.namespace}.{CLUSTER_DOMAIN}"
        return Verdict(
            Reason.BACKEND_NOT_FOUND,
            owner,
            place.at("host"),
            f"{owner.kind} `{owner.name}` sends requests to Service `{name.name}`, which its own namespace "
            f"`{name.namespace}` does not have, and a short name leads nowhere else; the client gets 503",
            related=((f"Service `{service.name}` is in namespace `{service.namespace}`", service.name_place),),
            fix=f"write `{full}`",
        )

    def subset(self, destination: Destination, place: Place, rule: Rule) -> Attachment | None:
        """The subset that a destination names, as something that must exist; None where it names none."""
        if not destination.subset:
            return None
        host = full_host(destination.host, rule.owner.namespace)
        rules = self.rules.of_host(host, rule.clients)
        resolution: Resolution[DestinationRule]
        if find_subset(rules, destination.subset) is not None:
            resolution = Resolution(Existence.FOUND, rules[0])
        elif rules and not self._graph.incomplete:
            resolution = Resolution(Existence.MISSING, why=f"{rules[0]} has no such subset")
        elif self._lacks_rule(host):
            resolution = Resolution(Existence.MISSING, why=f"no DestinationRule is for its host `{host}`")
        else:
            resolution = Resolution(Existence.PARTIAL, why="no DestinationRule of the set is for this host")
        namespace = rules[0].namespace if rules else rule.owner.namespace
        return Attachment(
            place.at("subset"),
            GroupKind("", "subset"),
            namespace,
            destination.subset,
            resolution,
            "requests to it get 503",
        )

    def _lacks_rule(self, host: str) -> bool:
        """Whether the set has the Service of a host and DestinationRules, so that it should have those of this host."""
        service = service_of(host)
        return (
            service is not None
            and self.rules.any
            and not self._graph.incomplete
            and self._graph.service(*service) is not None
        )

    def _keep_alive(self, rule: Rule, port: ResolvedPort | None, found: Policy, place: Place) -> KeepAlive:
        """How connections are kept. A sidecar in the pod takes them over, so that nothing is known of those to the app."""
        written = found.connection_pool
        http = written[0].http if written else None
        where = written[1].at("http") if written else place
        idle = deadline(http.idle_timeout, where.at("idleTimeout")) if http else None
        if (
            idle is None
            and port is not None
            and port.endpoints
            and all(self._outside_the_mesh(endpoint.workload) for endpoint in port.endpoints)
        ):
            idle = Sourced(_POOL_IDLE, Origin.DEFAULT, place.at("host"), "no DestinationRule sets idleTimeout")
        requests = http.max_requests_per_connection if http else None
        return KeepAlive(
            upstream_idle=idle,
            upstream_requests=Sourced(requests, Origin.EXPLICIT, where.at("maxRequestsPerConnection"))
            if requests
            else None,
            retries_resets=rule.retries_resets,
        )

    def _outside_the_mesh(self, workload: Workload) -> bool:
        """Whether its pods are known to have no sidecar."""
        told = workload.labels.get(_INJECT) or workload.annotations.get(_INJECT)
        if told is not None:
            return told == "false"
        namespace = self._graph.namespace(workload.object.namespace)
        return namespace is not None and namespace.labels.get(_NAMESPACE_INJECT) == "disabled"


def _port(
    destination: Destination, place: Place, service: KubernetesObject[Service] | None, rule: Rule
) -> Sourced[int | str] | None:
    """The port asked for; of a Service with several and none named, the one with the number of the gateway's server."""
    if destination.port is not None and destination.port.number is not None:
        return Sourced(destination.port.number, Origin.EXPLICIT, place.at("port", "number"))
    ports = service.body.spec.ports if service else ()
    if len(ports) < 2 or not rule.ports:
        return None
    numbers = {port.port for port in ports}
    number = next((number for number in rule.ports if number in numbers), rule.ports[0])
    why = "the number of the gateway's own port, as the route names none"
    return Sourced(number, Origin.DERIVED, place.at("host"), why)


def _protocol(rule: Rule, port: ResolvedPort | None, found: Policy, place: Place) -> Sourced[AppProtocol]:
    """What the application gets to hear; the mesh's own TLS ends in its sidecar."""
    if rule.protocol is not AppProtocol.HTTP:
        tls = found.tls
        if tls is not None and tls[0].mode in ("SIMPLE", "MUTUAL"):
            return Sourced(AppProtocol.TLS, Origin.EXPLICIT, tls[1].at("mode"), _tls_words(tls[0].mode))
        words = "passed through" if rule.protocol is AppProtocol.TLS else "a rule for connections of any content"
        return Sourced(rule.protocol, Origin.DERIVED, place.at("host"), words)
    plain = _plain(port, found, place)
    tls = found.tls
    if tls is not None and tls[0].mode in ("SIMPLE", "MUTUAL"):
        secure = _OVER_TLS.get(plain.value, AppProtocol.HTTPS)
        return Sourced(secure, Origin.EXPLICIT, tls[1].at("mode"), _tls_words(tls[0].mode))
    return plain


def _tls_words(mode: str) -> str:
    return f"a DestinationRule with TLS mode {mode}"


def _plain(port: ResolvedPort | None, found: Policy, place: Place) -> Sourced[AppProtocol]:
    if port is None:
        return Sourced(AppProtocol.HTTP, Origin.DEFAULT, place.at("host"), "a rule for HTTP requests")
    said = declared(port)
    http = found.connection_pool[0].http if found.connection_pool else None
    where = found.connection_pool[1].at("http") if found.connection_pool else place
    if (
        http is not None
        and http.h2_upgrade_policy == "UPGRADE"
        and said.value not in (AppProtocol.GRPC, AppProtocol.H2C)
    ):
        return Sourced(
            AppProtocol.H2C, Origin.EXPLICIT, where.at("h2UpgradePolicy"), "a DestinationRule upgrades to HTTP/2"
        )
    if http is not None and http.use_client_protocol:
        return Sourced(AppProtocol.AUTO, Origin.EXPLICIT, where.at("useClientProtocol"), "the client's own")
    if said.value in (AppProtocol.HTTP, AppProtocol.H2C, AppProtocol.GRPC):
        return said
    if said.value in (AppProtocol.HTTPS, AppProtocol.TLS):
        why = f"{said.why} makes no TLS here; only a DestinationRule does"
        return Sourced(AppProtocol.HTTP, Origin.DERIVED, said.place, why)
    return Sourced(AppProtocol.HTTP, Origin.DEFAULT, said.place, said.why)


def _timeouts(rule: Rule, found: Policy, place: Place) -> Timeouts:
    """No deadline for requests unless one is set; 10 s to connect."""
    tcp = found.connection_pool[0].tcp if found.connection_pool else None
    written = (
        deadline(tcp.connect_timeout, found.connection_pool[1].at("tcp", "connectTimeout"))
        if (tcp and found.connection_pool)
        else None
    )
    connect = written or Sourced(_CONNECT, Origin.DEFAULT, place.at("host"), "no DestinationRule sets connectTimeout")
    if rule.protocol is not AppProtocol.HTTP:
        return Timeouts(connect=connect)
    request = rule.timeout or Sourced(_INFINITE, Origin.DEFAULT, rule.place, "no timeout is set")
    return Timeouts(connect=connect, request=request, attempt=rule.attempt)


def _backend_tls(rules: Sequence[KubernetesObject[DestinationRule]], found: Policy) -> BackendTLS | None:
    """Which names it takes from the destination's certificate, where a DestinationRule says so."""
    if found.tls is None or not rules:
        return None
    tls, place = found.tls
    if tls.mode not in ("SIMPLE", "MUTUAL") or not tls.subject_alt_names:
        return None
    name = tls.sni or tls.subject_alt_names[0]
    where = place.at("sni") if tls.sni else place.at("subjectAltNames", 0)
    return BackendTLS(rules[0], Sourced(name, Origin.EXPLICIT, where), tuple(tls.subject_alt_names))
