"""Cilium: Ingresses served by the Envoy that runs beside each of its agents.

Sources in cilium/cilium: Documentation/network/servicemesh/ingress.rst, operator/pkg/ingress/annotations/annotations.go,
operator/pkg/model/ingestion/ingress.go, operator/pkg/model/translation/envoy_virtual_host.go. Where the operator's
configuration decides and the set does not show it, its default is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Final

from msgspec.structs import replace

from ingress_lint.controllers.shared.annotations import AnnotationSpec, AnnotationTable, ValueType
from ingress_lint.controllers.shared.base import Claim, IngressController, IngressObject, PathContext
from ingress_lint.controllers.shared.redirects.to_https import behind_https, redirect_route
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.routes import hostnames
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.filters import RequestRedirect
from ingress_lint.routes.listeners import CertificateRef, Listener, ListenerTLS
from ingress_lint.routes.matches import PathMatch, PathMatchType
from ingress_lint.routes.matching import Candidate, Conduct, Criterion
from ingress_lint.routes.model import ResolvedPort, Route
from ingress_lint.routes.remedies import Remedies
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, KeepAlive, Timeouts
from ingress_lint.values.durations import go_duration

_SWITCH: Final = ("enabled", "disabled", "true", "false")
_REMEDIES: Final = Remedies(
    protocols={AppProtocol.GRPC: "set `appProtocol: kubernetes.io/h2c` at the Service's port"},
    read_timeout="set `ingress.cilium.io/request-timeout: {}s`",
)
_INFINITE: Final = float("inf")
_UPSTREAM_IDLE: Final = 60.0

ANNOTATIONS: Final = AnnotationTable(
    ("ingress.cilium.io", "io.cilium.ingress"),
    (
        AnnotationSpec("loadbalancer-mode", ValueType.ENUM, legal=("dedicated", "shared")),
        AnnotationSpec("loadbalancer-class", prefix="ingress.cilium.io"),
        AnnotationSpec("service-type", ValueType.ENUM, legal=("LoadBalancer", "NodePort")),
        AnnotationSpec(
            "service-external-traffic-policy",
            ValueType.ENUM,
            legal=("Cluster", "Local"),
            prefix="ingress.cilium.io",
        ),
        AnnotationSpec("insecure-node-port", ValueType.INTEGER),
        AnnotationSpec("secure-node-port", ValueType.INTEGER),
        AnnotationSpec("host-listener-port", ValueType.INTEGER, prefix="ingress.cilium.io"),
        AnnotationSpec("tls-passthrough", ValueType.ENUM, legal=_SWITCH, any_case=True),
        AnnotationSpec("force-https", ValueType.ENUM, legal=_SWITCH, any_case=True, prefix="ingress.cilium.io"),
        AnnotationSpec("request-timeout", ValueType.DURATION, prefix="ingress.cilium.io"),
    ),
    as_of="2026-08",
)


def _length(candidate: Candidate, *kinds: PathMatchType) -> int:
    path = candidate.match.path.value if candidate.match else None
    return len(path.value) if path is not None and path.type in kinds else 0


class Cilium(IngressController):
    """Each Ingress gets a load balancer of its own, unless it asks for the shared one."""

    name: ClassVar[str] = "cilium"
    title: ClassVar[str] = "Cilium"
    gateway: ClassVar[str] = "Cilium Ingress"
    annotations: ClassVar[AnnotationTable] = ANNOTATIONS
    shared: ClassVar[bool] = False
    serves_classless: ClassVar[bool | None] = False
    takes_resources: ClassVar[bool] = False
    conduct: ClassVar[Conduct] = Conduct(
        (
            Criterion(lambda c: hostnames.specificity(c.hostname), "a more specific host"),
            Criterion(lambda c: not c.route.is_default, "rules of its own, and the other is a default backend"),
            Criterion(lambda c: _length(c, PathMatchType.EXACT), "a longer exact path"),
            Criterion(lambda c: _length(c, PathMatchType.REGULAR_EXPRESSION), "a longer regular expression"),
            Criterion(lambda c: _length(c, PathMatchType.PREFIX), "a longer path prefix"),
            Criterion(lambda c: -c.route.rule, "the earlier rule"),
            Criterion(lambda c: -c.index, "the earlier path"),
        ),
        hosts_apart=True,
        one_label_wildcards=True,
    )

    def route(self, graph: ObjectGraph, context: PathContext) -> Route:
        """Its requests come from the entity `ingress`, whatever node they come from."""
        return replace(super().route(graph, context), mesh="Cilium")

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """Passed-through hosts, or paths with the redirect to HTTPS that hosts with a certificate get."""
        for claim in claims:
            contexts = list(self.paths(graph, claim, backends))
            passthrough = _passthrough(claim.ingress)
            if passthrough is not None:
                yield from self._passed_through(graph, contexts, passthrough)
                continue
            force = self._force_https(claim)
            for context in contexts:
                route = self.route(graph, context)
                yield behind_https(route) if force.value else route
            if force.value:
                yield from self._redirects(graph, claim, contexts, force.place)

    def _passed_through(
        self, graph: ObjectGraph, contexts: Iterable[PathContext], asked: Sourced[bool]
    ) -> Iterator[Route]:
        """TLS by host; what has no host, and every path but `/`, is left out (ingestion.IngressPassthrough)."""
        for context in contexts:
            route = self.route(graph, context)
            refused = None
            if context.is_default:
                refused = "default backends are left out of it"
            elif context.host is None:
                refused = "rules without a host are left out of it"
            elif context.path_value != "/":
                refused = f"paths other than `/`, such as `{context.path_value or ''}`, are left out of it"
            if refused is not None:
                nothing = Sourced(AppProtocol.UNKNOWN, Origin.DERIVED, asked.place, "it is sent nothing")
                yield replace(
                    route,
                    listeners=(),
                    backends=tuple(replace(backend, protocol=nothing) for backend in route.backends),
                    passthrough_refused=Sourced(refused, asked.origin, asked.place),
                )
                continue
            backend = replace(
                route.backends[0],
                protocol=Sourced(AppProtocol.TLS, Origin.DERIVED, asked.place, "tls-passthrough"),
                keep_alive=KeepAlive(),
                timeouts=Timeouts(),
            )
            yield replace(route, matches=(), backends=(backend,))

    def _force_https(self, claim: Claim) -> Sourced[bool]:
        place = _settings_place(claim.ingress)
        written = ANNOTATIONS.reader(claim.ingress).text("force-https")
        switch = _switch(written.value) if written is not None else None
        if written is not None and switch is not None:
            return Sourced(switch, Origin.EXPLICIT, written.place)
        return Sourced(True, Origin.DEFAULT, place, "the operator's enforce-ingress-https is on by default")

    def _redirects(
        self, graph: ObjectGraph, claim: Claim, contexts: Sequence[PathContext], place: Place
    ) -> Iterator[Route]:
        """The redirect of each host that has a certificate, once."""
        seen: set[str] = set()
        for context in contexts:
            host = context.host.value if context.host else ""
            listeners = self.listeners(graph, context)
            if host in seen or not any(listener.tls is not None for listener in listeners):
                continue
            seen.add(host)
            found = redirect_route(claim, listeners, RequestRedirect(place, 301, scheme="https"))
            if found is not None:
                yield replace(found, hostnames=(context.host,) if context.host else ())

    # -- front side -------------------------------------------------------------------------------------------------

    def listeners(self, graph: ObjectGraph, context: PathContext) -> tuple[Listener, ...]:
        """Port 80, and port 443 for the hosts that a TLS block names; port 443 alone for passed-through TLS."""
        ingress, place = context.ingress, context.default_place()
        mode = ANNOTATIONS.reader(ingress).text("loadbalancer-mode")
        shared = mode is not None and mode.value == "shared"
        instance = "" if shared else f"{ingress.namespace}/{ingress.name}"
        passthrough = _passthrough(ingress)
        if passthrough is not None:
            tls = ListenerTLS(Sourced("Passthrough", passthrough.origin, passthrough.place))
            port = Sourced(443, Origin.DERIVED, passthrough.place, "tls-passthrough")
            protocol = Sourced("TLS", Origin.DERIVED, passthrough.place, "tls-passthrough")
            return (Listener(self.gateway, port, protocol, context.host, tls, instance),)
        plain = Listener(
            self.gateway, Sourced(80, Origin.DEFAULT, place), Sourced("HTTP", Origin.DEFAULT, place), instance=instance
        )
        return (plain, *self._secure(context, instance))

    def _secure(self, context: PathContext, instance: str) -> Iterator[Listener]:
        """A TLS block counts for the hosts it lists, and only for those (ingestion.Ingress)."""
        ingress = context.ingress
        for index, block in enumerate(ingress.body.spec.tls):
            place = ingress.at("spec", "tls", index)
            certificate = (
                (CertificateRef("Secret", ingress.namespace, block.secret_name, place.at("secretName")),)
                if block.secret_name
                else ()
            )
            for number, host in enumerate(block.hosts):
                if context.host is not None and host.lower() != context.host.value.lower():
                    continue
                yield Listener(
                    self.gateway,
                    Sourced(443, Origin.DERIVED, place, "a TLS block names the host"),
                    Sourced("HTTPS", Origin.DERIVED, place, "a TLS block names the host"),
                    Sourced(host, Origin.EXPLICIT, place.at("hosts", number)),
                    ListenerTLS(Sourced("Terminate", Origin.DERIVED, place), certificate),
                    instance,
                )

    def path_match(self, graph: ObjectGraph, context: PathContext) -> Sourced[PathMatch]:
        """`ImplementationSpecific` is a regular expression for the whole path: /foo takes /foo and nothing below it."""
        place, value = context.place.at("path"), context.path_value
        if context.is_default or not value:
            return Sourced(PathMatch(PathMatchType.PREFIX, "/"), Origin.DEFAULT, place, "no path matches every path")
        kind = {"Exact": PathMatchType.EXACT, "Prefix": PathMatchType.PREFIX}.get(
            context.path_type or "", PathMatchType.REGULAR_EXPRESSION
        )
        return Sourced(PathMatch(kind, value), Origin.EXPLICIT, place)

    # -- back side --------------------------------------------------------------------------------------------------

    def protocol(self, graph: ObjectGraph, context: PathContext) -> Sourced[AppProtocol]:
        """Plain text always, in the client's version of HTTP: TLS to pods is not supported (issues 20960, 36831)."""
        place, port = context.default_place(), context.service_port
        if port is not None and _speaks_grpc(port):
            why = "it passes the client's HTTP/2 on"
            return Sourced(AppProtocol.GRPC, Origin.DERIVED, port.at("name"), why)
        return Sourced(AppProtocol.HTTP, Origin.DEFAULT, place, "Cilium opens no TLS to the pods of an Ingress")

    def remedies(self, context: PathContext) -> Remedies:
        """The Service's appProtocol, and an annotation of the Ingress."""
        return _REMEDIES

    def timeouts(self, graph: ObjectGraph, context: PathContext) -> Timeouts:
        """A deadline for requests where the annotation sets one; the default is the operator's to decide."""
        written = ANNOTATIONS.reader(context.ingress).text("request-timeout")
        found = go_duration(written.value) if written is not None else None
        if written is None or found is None:
            return Timeouts()
        return Timeouts(request=Sourced(found or _INFINITE, Origin.EXPLICIT, written.place))

    def keep_alive(self, graph: ObjectGraph, context: PathContext) -> KeepAlive:
        """60 s (Helm value envoy.idleTimeoutDurationSeconds)."""
        place = context.default_place()
        return KeepAlive(Sourced(_UPSTREAM_IDLE, Origin.DEFAULT, place, "envoy.idleTimeoutDurationSeconds"))


def _speaks_grpc(port: ResolvedPort) -> bool:
    """Whether clients are expected to speak gRPC to a Service port."""
    spec = port.port
    if spec.name.startswith("grpc") or (spec.app_protocol or "").lower() in ("grpc", "kubernetes.io/h2c"):
        return True
    return any(
        probe.grpc is not None and probe.grpc.port == endpoint.number
        for endpoint in port.endpoints
        if endpoint.container is not None
        for _, probe in endpoint.container.container.probes()
    )


def _passthrough(ingress: IngressObject) -> Sourced[bool] | None:
    """TLS passthrough, where it is asked for."""
    written = ANNOTATIONS.reader(ingress).text("tls-passthrough")
    return Sourced(True, Origin.EXPLICIT, written.place) if written and _switch(written.value) else None


def _switch(value: str) -> bool | None:
    """`enabled`, `disabled`, or a boolean as Go reads it."""
    return {
        "enabled": True,
        "1": True,
        "t": True,
        "true": True,
        "disabled": False,
        "0": False,
        "f": False,
        "false": False,
    }.get(value if value in ("enabled", "disabled") else value.lower())


def _settings_place(ingress: IngressObject) -> Place:
    return ingress.at("metadata", "annotations") if ingress.annotations else ingress.name_place
