"""The backends that Traefik's own objects name: Kubernetes Services, and TraefikServices that combine them.

traefik/traefik:pkg/provider/kubernetes/crd/kubernetes_http.go, kubernetes_tcp.go and kubernetes.go (getServicePort).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import floor, gcd, lcm

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.controllers.traefik import GROUPS
from ingress_lint.controllers.traefik.installation import GATEWAY, NO_ROUTER, Installation
from ingress_lint.controllers.traefik.middlewares import Named, find
from ingress_lint.controllers.traefik.transport import SCHEMES, Transport, protocol
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence, Resolution
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service
from ingress_lint.objects.group_kind import SERVICE, GroupKind
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.objects.traefik import LoadBalancerSpec, ServersTransport, ServiceTCP, TraefikService
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.filters import URLRewrite
from ingress_lint.routes.model import Attachment, BackendRef, RequestMirror, ResolvedPort
from ingress_lint.routes.remedies import Remedies
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, TargetKind
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict
from ingress_lint.values.durations import seconds_or_go
from ingress_lint.values.ports import is_number

_MAX_DEPTH = 8
_NATIVE_BY_DEFAULT = "providers.kubernetescrd.nativelbbydefault"

_REMEDIES = Remedies(
    check_path="set `healthCheck.path: {}` beside the Service's name",
    protocols={
        AppProtocol.HTTPS: "set `scheme: https` beside the Service's name",
        AppProtocol.HTTP: "set `scheme: http` beside the Service's name",
        AppProtocol.GRPC: "set `scheme: h2c` beside the Service's name",
    },
    read_timeout="set `forwardingTimeouts.responseHeaderTimeout: {}s` in its ServersTransport",
    body_limit="raise `buffering.maxRequestBodyBytes` of its Middleware to {} (it counts in bytes)",
)


class Share(Struct, frozen=True):
    """A backend and its part of the traffic."""

    backend: BackendRef
    part: Fraction


class Targets(Struct, frozen=True):
    """What a router leads to."""

    backends: tuple[BackendRef, ...]
    mirrors: tuple[RequestMirror, ...] = ()
    fallback: BackendRef | None = None


class Backends:
    """Resolves the backends of one graph; `verdicts` holds what Traefik refuses of them."""

    def __init__(self, graph: ObjectGraph, resolver: BackendResolver, installation: Installation) -> None:
        self._graph = graph
        self._resolver = resolver
        self._installation = installation
        self.verdicts: list[Verdict] = []

    # -- HTTP ---------------------------------------------------------------------------------------------------------

    def targets(self, owner: AnyObject, services: Sequence[LoadBalancerSpec], place: Place) -> Targets:
        """The backends of a rule of `owner`, at `place`, TraefikServices taken apart."""
        mirrors: list[RequestMirror] = []
        fallbacks: list[BackendRef] = []
        total = sum(_weight(service) for service in services)
        shares = [
            share
            for index, service in enumerate(services)
            for share in self._shares(
                owner,
                service,
                place.at(index),
                Fraction(_weight(service), total) if total else Fraction(0),
                (mirrors, fallbacks),
            )
        ]
        only = fallbacks[0] if len(services) == 1 and fallbacks else None
        return Targets(_weighted(shares), tuple(mirrors), only)

    def _shares(
        self,
        owner: AnyObject,
        service: LoadBalancerSpec,
        place: Place,
        part: Fraction,
        aside: tuple[list[RequestMirror], list[BackendRef]],
        depth: int = 0,
    ) -> list[Share]:
        if service.kind != "TraefikService":
            return [Share(self.backend(owner, service, place), part)]
        namespace = service.namespace or owner.namespace
        item = self._graph.named(TraefikService, namespace, service.name)
        if item is None or depth >= _MAX_DEPTH:
            return [Share(self._unresolved(owner, service, place), part)]
        spec = item.body.spec
        found: list[Share] = []
        for key, weighted in (("weighted", spec.weighted), ("highestRandomWeight", spec.highest_random_weight)):
            if weighted is not None:
                total = sum(_weight(child) for child in weighted.services)
                for index, child in enumerate(weighted.services):
                    below = item.at("spec", key, "services", index)
                    own = part * Fraction(_weight(child), total) if total else Fraction(0)
                    found += self._shares(item, child, below, own, aside, depth + 1)
        if spec.mirroring is not None:
            below = item.at("spec", "mirroring")
            found += self._shares(item, spec.mirroring, below, part, aside, depth + 1)
            for index, mirror in enumerate(spec.mirroring.mirrors):
                at = below.at("mirrors", index)
                copied = self._shares(item, mirror, at, part, aside, depth + 1)
                aside[0].extend(RequestMirror(at, share.backend, mirror.percent / 100) for share in copied)
        if spec.failover is not None and spec.failover.service is not None:
            below = item.at("spec", "failover")
            found += self._shares(item, spec.failover.service, below.at("service"), part, aside, depth + 1)
            if spec.failover.fallback is not None:
                spare = self._shares(item, spec.failover.fallback, below.at("fallback"), part, aside, depth + 1)
                aside[1].extend(share.backend for share in spare)
        return found

    def backend(self, owner: AnyObject, written: LoadBalancerSpec, place: Place) -> BackendRef:
        """A Kubernetes Service behind HTTP."""
        if written.kind == "TraefikService" or "@" in written.name:
            return self._unresolved(owner, written, place)
        namespace = written.namespace or owner.namespace
        service = self._graph.service(namespace, written.name)
        port = self._port(service, written.port)
        scheme = Sourced(written.scheme, Origin.EXPLICIT, place.at("scheme")) if written.scheme else None
        transport = self.transport(written.servers_transport, namespace, place)
        filters: tuple[URLRewrite, ...] = ()
        if written.pass_host_header is False and service is not None and service.body.spec.external_name:
            filters = (URLRewrite(place.at("passHostHeader"), host=service.body.spec.external_name),)
        return replace(
            self._reference(owner, "Service", namespace, written, service, port, place),
            protocol=protocol(port, scheme, place.at("name")),
            target=self._target(written.native_lb, written.node_port_lb, service, place),
            health_check=self._health_check(written, service, scheme, place),
            timeouts=transport.timeouts,
            keep_alive=transport.keep_alive(self._installation.client_idle),
            tls=transport.tls,
            filters=filters,
            refusal=self._refusal(owner, written, namespace, service, place),
            remedies=_REMEDIES,
        )

    def transport(self, name: str, namespace: str, place: Place) -> Transport:
        """The ServersTransport that a backend at `place` names, or Traefik's own."""
        found = find(self._graph, "ServersTransport", Named(name, namespace, place)).object if name else None
        usable = found is not None and isinstance(found.body, ServersTransport)
        return Transport(found if usable else None, place.at("name"))

    def attached(self, services: Sequence[LoadBalancerSpec], namespace: str, place: Place) -> list[Attachment]:
        """The ServersTransports that services name. A missing one gives 500 (pkg/server/service/roundtripper.go)."""
        found = []
        for index, service in enumerate(services):
            if service.servers_transport:
                at = place.at(index, "serversTransport")
                named = Named(service.servers_transport, service.namespace or namespace, at)
                resolution = find(self._graph, "ServersTransport", named)
                found.append(
                    Attachment(
                        at,
                        GroupKind(GROUPS[0], "ServersTransport"),
                        named.namespace,
                        named.name,
                        resolution,
                        "clients get 500",
                    )
                )
        return found

    # -- TCP and UDP --------------------------------------------------------------------------------------------------

    def stream(self, owner: AnyObject, written: ServiceTCP, spoken: Sourced[AppProtocol], place: Place) -> BackendRef:
        """A Kubernetes Service behind connections or packets."""
        namespace = written.namespace or owner.namespace
        service = self._graph.service(namespace, written.name)
        port = self._port(service, written.port)
        as_http = LoadBalancerSpec(name=written.name, namespace=written.namespace, port=written.port)
        if written.tls:
            spoken = Sourced(AppProtocol.TLS, Origin.EXPLICIT, place.at("tls"))
        return replace(
            self._reference(owner, "Service", namespace, as_http, service, port, place),
            weight=_weight(written),
            protocol=spoken,
            target=self._target(written.native_lb, written.node_port_lb, service, place),
            proxy_protocol=Sourced(True, Origin.EXPLICIT, place.at("proxyProtocol"))
            if written.proxy_protocol
            else Sourced(False, Origin.DEFAULT, place.at("name"), "no `proxyProtocol`"),
            refusal=self._refusal(owner, as_http, namespace, service, place),
        )

    # -- shared -------------------------------------------------------------------------------------------------------

    def _port(self, service: KubernetesObject[Service] | None, port: int | str | None) -> ResolvedPort | None:
        """By number or by name; a number in quotes is taken for a name."""
        if service is None or port is None or (isinstance(port, str) and is_number(port)):
            return None
        return self._resolver.port(service, port)

    def _reference(
        self,
        owner: AnyObject,
        kind: str,
        namespace: str,
        written: LoadBalancerSpec,
        service: KubernetesObject[Service] | None,
        port: ResolvedPort | None,
        place: Place,
    ) -> BackendRef:
        return BackendRef(
            place=place.at("name"),
            kind=kind,
            group="" if kind == "Service" else owner.group,
            namespace=namespace,
            name=written.name,
            port=Sourced(written.port, Origin.EXPLICIT, place.at("port")) if written.port is not None else None,
            service=Resolution(Existence.FOUND, service) if service else self._resolved(kind, namespace, written.name),
            service_port=port,
            protocol=Sourced(AppProtocol.UNKNOWN, Origin.DEFAULT, place.at("name")),
            target=Sourced(TargetKind.POD, Origin.DEFAULT, place.at("name")),
        )

    def _resolved(self, kind: str, namespace: str, name: str) -> Resolution[Service]:
        """What is known of a Service, or of a TraefikService, which is none."""
        if kind == SERVICE.kind:
            return self._graph.resolve(SERVICE, namespace, name)
        found = self._graph.resolve_any([GroupKind(group, kind) for group in GROUPS], namespace, name)
        if found.existence is Existence.FOUND:
            return Resolution(Existence.EXTERNAL, why=f"a {kind} is no Service")
        return Resolution(found.existence, why=found.why)

    def _unresolved(self, owner: AnyObject, written: LoadBalancerSpec, place: Place) -> BackendRef:
        """A TraefikService that is not there, or a backend of another provider."""
        name, at, provider = written.name.rpartition("@")
        namespace = written.namespace or owner.namespace
        reference = self._reference(owner, "TraefikService", namespace, written, None, None, place)
        if not at:
            return reference
        return replace(
            reference, name=name, service=Resolution(Existence.EXTERNAL, why=f"provider `{provider}` has it")
        )

    def _target(
        self, native: bool | None, by_node: bool, service: KubernetesObject[Service] | None, place: Place
    ) -> Sourced[TargetKind]:
        """Pods; the cluster IP with `nativeLB`, nodes with `nodePortLB` for a Service that has NodePorts."""
        if by_node and service is not None and service.body.spec.type == "NodePort":
            return Sourced(TargetKind.NODE, Origin.EXPLICIT, place.at("nodePortLB"))
        if native is not None:
            kind = TargetKind.CLUSTER_IP if native else TargetKind.POD
            return Sourced(kind, Origin.EXPLICIT, place.at("nativeLB"))
        default = self._installation.switch(_NATIVE_BY_DEFAULT)
        if default is not None and default.value:
            return Sourced(TargetKind.CLUSTER_IP, Origin.DERIVED, default.place, "nativeLBByDefault")
        return Sourced(TargetKind.POD, Origin.DEFAULT, place.at("name"))

    @staticmethod
    def _health_check(
        written: LoadBalancerSpec,
        service: KubernetesObject[Service] | None,
        scheme: Sourced[str] | None,
        place: Place,
    ) -> HealthCheck | None:
        """Works for ExternalName Services only; every 30 s, 5 s for the answer, any status from 200 to 399."""
        check = written.health_check
        if check is None or service is None or service.body.spec.type != "ExternalName":
            return None
        at = place.at("healthCheck")

        def explicit(name: str, value: object) -> Sourced[object]:
            return Sourced(value, Origin.EXPLICIT, at.at(name))

        interval = seconds_or_go(str(check.interval)) if check.interval is not None else None
        timeout = seconds_or_go(str(check.timeout)) if check.timeout is not None else None
        spoken = check.scheme or (scheme.value if scheme else "http")
        return HealthCheck(
            by=f"{GATEWAY} proxy",
            protocol=Sourced("GRPC" if check.mode == "grpc" else spoken.upper(), Origin.EXPLICIT, at),
            path=Sourced(check.path, Origin.EXPLICIT, at.at("path")) if check.path else None,
            port=Sourced(check.port, Origin.EXPLICIT, at.at("port")) if check.port else None,
            codes=Sourced(str(check.status), Origin.EXPLICIT, at.at("status"))
            if check.status
            else Sourced("200-399", Origin.DEFAULT, at),
            interval=Sourced(interval, Origin.EXPLICIT, at.at("interval"))
            if interval is not None
            else Sourced(30.0, Origin.DEFAULT, at),
            timeout=Sourced(timeout, Origin.EXPLICIT, at.at("timeout"))
            if timeout is not None
            else Sourced(5.0, Origin.DEFAULT, at),
            host=Sourced(check.hostname, Origin.EXPLICIT, at.at("hostname")) if check.hostname else None,
            resolved_port=check.port,
        )

    def _refusal(
        self,
        owner: AnyObject,
        written: LoadBalancerSpec,
        namespace: str,
        service: KubernetesObject[Service] | None,
        place: Place,
    ) -> Verdict | None:
        found = self._why_refused(owner, written, namespace, service, place)
        if found is not None:
            self.verdicts.append(found)
        return found if found is not None and found.certainty is Certainty.KNOWN else None

    def _why_refused(
        self,
        owner: AnyObject,
        written: LoadBalancerSpec,
        namespace: str,
        service: KubernetesObject[Service] | None,
        place: Place,
    ) -> Verdict | None:
        if written.kind not in ("", "Service"):
            message = f"{owner.kind} `{owner.name}` names a backend of kind `{written.kind}`, which Traefik does not know; {NO_ROUTER}"
            return Verdict(Reason.INVALID_KIND, owner, place.at("kind"), message, fix="use Service or TraefikService")
        elsewhere = self._installation.elsewhere(
            owner, "sends requests to", "Service", namespace, written.name, place.at("namespace")
        )
        if elsewhere is not None:
            return elsewhere
        if written.scheme and written.scheme not in SCHEMES:
            message = (
                f"{owner.kind} `{owner.name}` asks for scheme `{written.scheme}`, and Traefik knows http, https and h2c; "
                f"{NO_ROUTER}"
            )
            return Verdict(Reason.UNSUPPORTED_VALUE, owner, place.at("scheme"), message)
        if written.port is None and service is not None:
            message = f"{owner.kind} `{owner.name}` names no port of Service `{written.name}`; {NO_ROUTER}"
            return Verdict(Reason.UNSUPPORTED_VALUE, owner, place, message, fix="name a port of the Service")
        return None


def _weight(written: LoadBalancerSpec | ServiceTCP) -> int:
    return 1 if written.weight is None else max(written.weight, 0)


def _weighted(shares: Sequence[Share]) -> tuple[BackendRef, ...]:
    """The backends with their parts as the smallest whole numbers that stand in the same proportion."""
    scale = lcm(*(share.part.denominator for share in shares)) if shares else 1
    weights = [floor(share.part * scale) for share in shares]
    common = gcd(*weights) or 1
    return tuple(replace(share.backend, weight=weight // common) for share, weight in zip(shares, weights, strict=True))
