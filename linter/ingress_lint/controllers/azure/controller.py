"""Azure Application Gateway Ingress Controller (AGIC): one Application Gateway outside the cluster for all Ingresses.

Sources, where no other is named: Azure/application-gateway-kubernetes-ingress, pkg/appgw and
pkg/annotations/ingress_annotations.go. How the gateway itself treats requests: learn.microsoft.com/azure/
application-gateway. How long it keeps connections to pods is documented nowhere, and is unknown here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Final

from msgspec.structs import replace

from ingress_lint.controllers.azure.health import HTTPS_PORT, HealthCheckSources, container_probe, resolved_port
from ingress_lint.controllers.azure.refusals import refused_checks
from ingress_lint.controllers.shared.annotations import (
    AnnotationReader,
    AnnotationSpec,
    AnnotationTable,
    ValueType,
    or_default,
)
from ingress_lint.controllers.shared.base import Claim, IngressController, IngressObject, PathContext
from ingress_lint.controllers.shared.redirects.to_https import behind_https, redirect_route
from ingress_lint.controllers.shared.source_addresses import of_proxy
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.networking import IngressRule, LegacyIngressRule
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.broken_backends import BrokenBackends
from ingress_lint.routes.filters import ExtensionFilter, RequestRedirect, URLRewrite
from ingress_lint.routes.listeners import CertificateRef, Listener, ListenerTLS
from ingress_lint.routes.matches import PathMatch, PathMatchType
from ingress_lint.routes.model import Filter, Route
from ingress_lint.routes.remedies import Remedies
from ingress_lint.routes.sourced import Origin, Sourced, as_seconds
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, SourceAddress, TargetKind, Timeouts

_LAST_FRONTEND_PORT: Final = 64999
_CATCH_ALL: Final = frozenset({"", "/", "/*"})
_PROTOCOLS: Final = {"http": AppProtocol.HTTP, "https": AppProtocol.HTTPS}

_REMEDIES: Final = Remedies(
    check_path="set `appgw.ingress.kubernetes.io/health-probe-path: {}`",
    check_port="set `appgw.ingress.kubernetes.io/health-probe-port: '{}'`",
    check_codes="set `appgw.ingress.kubernetes.io/health-probe-status-codes: '{}'`",
    protocols={
        AppProtocol.HTTPS: "set `appgw.ingress.kubernetes.io/backend-protocol: https`",
        AppProtocol.HTTP: "set `appgw.ingress.kubernetes.io/backend-protocol: http`",
    },
    read_timeout="set `appgw.ingress.kubernetes.io/request-timeout: '{}'`",
)
_TEXT: Final = (
    "appgw-ssl-certificate",
    "appgw-ssl-profile",
    "backend-hostname",
    "backend-path-prefix",
    "health-probe-hostname",
    "health-probe-path",
    "rewrite-rule-set",
    "rewrite-rule-set-custom-resource",
    "waf-policy-for-path",
)
_NUMBERS: Final = (
    "connection-draining-timeout",
    "health-probe-interval",
    "health-probe-port",
    "health-probe-timeout",
    "health-probe-unhealthy-threshold",
    "override-frontend-port",
    "request-timeout",
    "rule-priority",
)
_BOOLEANS: Final = (
    "connection-draining",
    "cookie-based-affinity",
    "cookie-based-affinity-distinct-name",
    "override-backend-host",
    "ssl-redirect",
    "use-private-ip",
)
_LISTS: Final = ("appgw-trusted-root-certificate", "health-probe-status-codes", "hostname-extension")


def _specs() -> Iterator[AnnotationSpec]:
    for kind, keys in (
        (ValueType.TEXT, _TEXT),
        (ValueType.INTEGER, _NUMBERS),
        (ValueType.BOOLEAN, _BOOLEANS),
        (ValueType.LIST, _LISTS),
    ):
        for key in keys:
            yield AnnotationSpec(key, kind)
    yield AnnotationSpec("backend-protocol", ValueType.ENUM, legal=("http", "https"), any_case=True)


AGIC_ANNOTATIONS: Final = AnnotationTable(
    ("appgw.ingress.kubernetes.io",), tuple(_specs()), as_of="f42103da (2026-03-24)"
)


class ApplicationGatewayIngressController(IngressController):
    """Claimed by the class annotation, or by an IngressClass (docs/features/custom-ingress-class.md).

    Annotations of Services are never read. A backend may name the Service's target port.
    """

    name: ClassVar[str] = "agic"
    broken: ClassVar[BrokenBackends] = BrokenBackends.always(502)
    """A pool without members: learn.microsoft.com/azure/application-gateway/application-gateway-troubleshooting-502."""
    title: ClassVar[str] = "the Application Gateway Ingress Controller"
    gateway: ClassVar[str] = "Application Gateway"
    outside: ClassVar[bool] = True
    external_names_refused: ClassVar[str] = "its backend pool stays empty, and clients get 502"
    """Pools are made of endpoints (Azure/application-gateway-kubernetes-ingress: issues 87, 1119)."""
    annotations: ClassVar[AnnotationTable] = AGIC_ANNOTATIONS
    takes_target_port: ClassVar[bool] = True

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """One route a path; for the hosts with a certificate, `ssl-redirect` leaves plain requests nothing else."""
        for claim in claims:
            redirected: list[Route] = []
            for context in self.paths(graph, claim, backends):
                route = self.route(graph, context)
                if len(route.listeners) > 1:
                    redirected.append(route)
                yield behind_https(route)
            if redirected:
                yield from _redirect(claim, redirected)

    def route(self, graph: ObjectGraph, context: PathContext) -> Route:
        """The route of one path, for its host and those of `hostname-extension`.

        The default backend answers for the hosts of the rules only: the gateway listens for no others.
        """
        route = super().route(graph, context)
        route = replace(route, refusals=tuple(refused_checks(route)))
        more = AGIC_ANNOTATIONS.reader(context.ingress).items("hostname-extension")
        hostnames = (*route.hostnames, *more)
        rules: Sequence[IngressRule | LegacyIngressRule] = context.ingress.body.spec.rules
        if context.is_default and all(rule.host for rule in rules):
            hostnames = (
                *(
                    Sourced(rule.host, Origin.DERIVED, context.ingress.at("spec", "rules", index, "host"), "its rules")
                    for index, rule in enumerate(rules)
                    if rule.host
                ),
                *more,
            )
        return replace(route, hostnames=hostnames)

    # -- front side ---------------------------------------------------------------------------------------------------

    def listeners(self, graph: ObjectGraph, context: PathContext) -> tuple[Listener, ...]:
        """443 alone where the rule's host has a certificate, 80 alone where it has none; both with `ssl-redirect`.

        All Ingresses share the gateway; those with `use-private-ip` meet on its private address (ingress_rules.go).
        """
        reader = AGIC_ANNOTATIONS.reader(context.ingress)
        private, redirect = reader.boolean("use-private-ip"), reader.boolean("ssl-redirect")
        instance = "private" if private and private.value else ""
        certificate = self._certificate(context)
        found = []
        if certificate is None or (redirect and redirect.value):
            found.append(self._listener(context, reader, 80, "HTTP", instance, certificate))
        if certificate is not None:
            found.append(self._listener(context, reader, 443, "HTTPS", instance, certificate))
        return tuple(found)

    def _listener(
        self,
        context: PathContext,
        reader: AnnotationReader,
        number: int,
        protocol: str,
        instance: str,
        certificate: CertificateRef | None,
    ) -> Listener:
        place, origin = context.default_place(), Origin.DEFAULT
        why = "neither spec.tls nor appgw-ssl-certificate gives this host a certificate"
        if certificate is not None:
            place, origin, why = certificate.place, Origin.DERIVED, "the host has a certificate"
        port = reader.integer("override-frontend-port")
        if port is None or not 1 <= port.value <= _LAST_FRONTEND_PORT:
            port = Sourced(number, origin, place, why)
        tls = None
        if protocol == "HTTPS" and certificate is not None:
            tls = ListenerTLS(Sourced("Terminate", origin, place, why), (certificate,))
        return Listener(self.gateway, port, Sourced(protocol, origin, place, why), tls=tls, instance=instance)

    @staticmethod
    def _certificate(context: PathContext) -> CertificateRef | None:
        """The Secret of the TLS block that names the host, else of one that names none, else the gateway's own.

        Hosts are compared as text; a wildcard covers nothing (certificates.go).
        """
        ingress = context.ingress
        host = context.host.value if context.host else ""
        found: dict[str, CertificateRef] = {}
        for index, block in enumerate(ingress.body.spec.tls):
            if not block.secret_name:
                continue
            place = ingress.at("spec", "tls", index)
            hosts = tuple(
                Sourced(name, Origin.EXPLICIT, place.at("hosts", number)) for number, name in enumerate(block.hosts)
            )
            reference = CertificateRef("Secret", ingress.namespace, block.secret_name, place.at("secretName"), hosts)
            found.update(dict.fromkeys(block.hosts or ("",), reference))
        if host in found or "" in found:
            return found.get(host) or found[""]
        installed = AGIC_ANNOTATIONS.reader(ingress).text("appgw-ssl-certificate")
        return CertificateRef("SslCertificate", "", installed.value, installed.place) if installed else None

    def path_match(self, graph: ObjectGraph, context: PathContext) -> Sourced[PathMatch]:
        """`Prefix` compares characters, `Exact` the whole path; anything else is exact unless it ends in `*`.

        The root is the catch-all whatever its type (requestroutingrules.go: preparePathFromPathType, isPathCatchAll).
        """
        value = context.path_value or ""
        if context.is_default:
            return Sourced(PathMatch(PathMatchType.PREFIX, "/"), Origin.DERIVED, context.place, "the default backend")
        place = context.place.at("path")
        if value in _CATCH_ALL:
            return Sourced(PathMatch(PathMatchType.PREFIX, "/"), Origin.EXPLICIT, place)
        by_start = context.path_type == "Prefix" or (context.path_type != "Exact" and value.endswith("*"))
        kind = PathMatchType.STRING_PREFIX if by_start else PathMatchType.EXACT
        return Sourced(PathMatch(kind, value.rstrip("*")), Origin.EXPLICIT, place)

    def filters(self, graph: ObjectGraph, context: PathContext) -> tuple[Filter, ...]:
        """The backend setting's path and host, and rewrite rules that are kept on the gateway.

        `backend-path-prefix` stands in for the part of the path that the rule matched
        (learn.microsoft.com/azure/application-gateway/configuration-http-settings#override-backend-path).
        """
        reader = AGIC_ANNOTATIONS.reader(context.ingress)
        found: list[Filter] = []
        prefix, host = reader.text("backend-path-prefix"), reader.text("backend-hostname")
        if prefix is not None:
            exact = self.path_match(graph, context).value.type is PathMatchType.EXACT
            found.append(URLRewrite(prefix.place, path=prefix.value, replace_prefix=not exact))
        if host is not None:
            found.append(URLRewrite(host.place, host=host.value))
        if (rules := reader.text("rewrite-rule-set")) is not None:
            found.append(ExtensionFilter(rules.place, "", "rewrite rule set", rules.value))
        if (rules := reader.text("rewrite-rule-set-custom-resource")) is not None:
            group, kind = "appgw.ingress.azure.io", "AzureApplicationGatewayRewrite"
            found.append(ExtensionFilter(rules.place, group, kind, rules.value))
        return tuple(found)

    # -- backend ------------------------------------------------------------------------------------------------------

    def protocol(self, graph: ObjectGraph, context: PathContext) -> Sourced[AppProtocol]:
        """`backend-protocol`, else HTTPS where the pods' port is 443; the Service's port decides nothing.

        Source: backendhttpsettings.go, generateHTTPSettings.
        """
        written = AGIC_ANNOTATIONS.reader(context.ingress).text("backend-protocol")
        if written and (value := _PROTOCOLS.get(written.value.lower())):
            return Sourced(value, Origin.EXPLICIT, written.place)
        place, port = context.default_place(), context.service_port
        number = resolved_port(port)
        if port is None or number is None:
            why = "nothing sets backend-protocol, and the pods' port is unknown"
            return Sourced(AppProtocol.UNKNOWN, Origin.DEFAULT, place, why)
        if number == HTTPS_PORT:
            return Sourced(AppProtocol.HTTPS, Origin.DERIVED, port.at("targetPort"), "the pods' port is 443")
        why = "nothing sets backend-protocol, and the pods' port is not 443"
        return Sourced(AppProtocol.HTTP, Origin.DEFAULT, place, why)

    def health_check(
        self, graph: ObjectGraph, context: PathContext, protocol: Sourced[AppProtocol], target: Sourced[TargetKind]
    ) -> HealthCheck:
        """Annotations, else the container's probe, else the Ingress; the default backend's check knows none of these."""
        return HealthCheckSources(
            AGIC_ANNOTATIONS.reader(context.ingress), context, protocol, container_probe(graph, context.service_port)
        ).health_check(self.gateway)

    def remedies(self, context: PathContext) -> Remedies:
        """Annotations of the Ingress (docs/annotations.md)."""
        return _REMEDIES

    def proxy_protocol(self, context: PathContext) -> Sourced[bool] | None:
        """Never: it is an HTTP proxy, and speaks of clients in X-Forwarded-For."""
        return Sourced(
            False, Origin.DEFAULT, context.default_place(), "an Application Gateway sends no PROXY protocol header"
        )

    def arrives_from(self, context: PathContext, target: Sourced[TargetKind]) -> Sourced[SourceAddress] | None:
        """Its own address, unless a node puts its in place of it."""
        return of_proxy(context.service, target.value, context.default_place())

    def timeouts(self, graph: ObjectGraph, context: PathContext) -> Timeouts:
        """`request-timeout`, 30 s: how long the gateway waits for the pod before it answers 504 (docs/annotations.md).

        `connection-draining` lets requests to a leaving pod go on, for 30 s.
        """
        reader, place = AGIC_ANNOTATIONS.reader(context.ingress), context.default_place()
        waited, drained = reader.integer("request-timeout"), reader.boolean("connection-draining")
        drain = None
        if drained and drained.value:
            written = reader.integer("connection-draining-timeout")
            why = "nothing sets connection-draining-timeout"
            drain = or_default(_seconds(written), 30.0, drained.place, why)
        return Timeouts(read=or_default(_seconds(waited), 30.0, place, "nothing sets request-timeout"), drain=drain)


def _seconds(found: Sourced[int] | None) -> Sourced[float] | None:
    return as_seconds(found) if found else None


def _redirect(claim: Claim, routes: Sequence[Route]) -> Iterator[Route]:
    """One redirect with 301 to the HTTPS listener of the same host (redirects.go), for all hosts that have both."""
    place = _redirect_place(claim.ingress)
    plain = {item: None for route in routes for item in route.listeners if item.protocol.value == "HTTP"}
    secure = next(item for item in routes[0].listeners if item.protocol.value == "HTTPS")
    redirect = RequestRedirect(place, status=301, scheme="https", port=secure.port.value)
    found = redirect_route(claim, tuple(plain)[:1], redirect)
    if found is not None:
        every = any(not route.hostnames for route in routes)
        hostnames = {name.value: name for route in routes for name in route.hostnames}
        yield replace(found, hostnames=() if every else tuple(hostnames.values()))


def _redirect_place(ingress: IngressObject) -> Place:
    return ingress.annotation_place(AGIC_ANNOTATIONS.full_key("ssl-redirect"))
