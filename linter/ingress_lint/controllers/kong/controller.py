"""Kong Ingress Controller (annotations konghq.com/*).

Who reads an annotation decides whether it counts: routes are the Ingress's matter, and what Kong speaks to the pods,
how long it waits and what it asks them is the Service's. It has no active health checks unless a KongUpstreamPolicy (or
an older KongIngress) sets them. Sources, where no other is named, are in Kong/kubernetes-ingress-controller.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Final

from msgspec.structs import replace

from ingress_lint.controllers.kong.annotations import ANNOTATIONS, PREFIX, SERVICE_UPSTREAM
from ingress_lint.controllers.kong.installation import CONTROLLER, GATEWAY, Installation, installation
from ingress_lint.controllers.kong.settings import RouteSettings, ServiceSettings
from ingress_lint.controllers.kong.streams import stream_routes
from ingress_lint.controllers.shared.annotations import AnnotationTable
from ingress_lint.controllers.shared.base import (
    Claim,
    Controller,
    IngressController,
    IngressObject,
    PathContext,
    certificates,
)
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service
from ingress_lint.objects.kong import IngressClassParameters
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes import hostnames
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.filters import FixedResponse, RequestRedirect, URLRewrite
from ingress_lint.routes.listeners import CertificateRef, Listener, ListenerTLS, ProxyPort
from ingress_lint.routes.matches import Match, PathMatch, PathMatchType
from ingress_lint.routes.matching import Candidate, Conduct, Criterion, path_length
from ingress_lint.routes.model import Filter, Route
from ingress_lint.routes.paths import ENVOY_MERGING
from ingress_lint.routes.remedies import Remedies
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, HealthCheck, KeepAlive, TargetKind, Timeouts
from ingress_lint.values.patterns import deferred

_REMEDIES: Final = Remedies(
    check_path="set `healthchecks.active.httpPath: {}` in its KongUpstreamPolicy",
    protocols={
        AppProtocol.HTTPS: "set `konghq.com/protocol: https` on the Service",
        AppProtocol.HTTP: "set `konghq.com/protocol: http` on the Service",
        AppProtocol.GRPC: "set `konghq.com/protocol: grpc` on the Service, and `konghq.com/protocols: grpc,grpcs` on the Ingress",
    },
    read_timeout="raise `konghq.com/read-timeout` on the Service above {} s (it counts in milliseconds)",
    body_limit="set `KONG_NGINX_HTTP_CLIENT_MAX_BODY_SIZE={}` on the proxy",
    header_limit="set `KONG_NGINX_PROXY_PROXY_BUFFER_SIZE={}` and `KONG_NGINX_PROXY_PROXY_BUFFERS='8 {}'` on the proxy",
)
_REGEX_PREFIX: Final = "/~"
_PLAIN_PATH: Final = deferred(r"[a-zA-Z0-9.\-_~/%]*")
"""What Kong before 3.0 took for a path and no regular expression."""
_UNESCAPED: Final = frozenset("*+?()[]{}|\\^$")
_SLASHES: Final = deferred(r"/{2,}")
_UPGRADE_REQUIRED: Final = 426


def _attributes(candidate: Candidate) -> int:
    """How many kinds of conditions a route has: host, headers, methods, server names; a path they all have."""
    match, route = candidate.match, candidate.route
    if match is None:
        return 0
    return sum(map(bool, (route.hostnames, match.headers, match.method, match.condition)))


def _by_expression(candidate: Candidate) -> bool:
    path = candidate.match.path.value if candidate.match else None
    return path is not None and path.type in (PathMatchType.REGULAR_EXPRESSION, PathMatchType.EXACT)


class Kong(Controller):
    """Claims Ingresses by class; TCPIngresses and UDPIngresses are nobody else's."""

    name: ClassVar[str] = CONTROLLER
    title: ClassVar[str] = "Kong"
    gateway: ClassVar[str] = GATEWAY
    annotations: ClassVar[AnnotationTable] = ANNOTATIONS
    conduct: ClassVar[Conduct] = Conduct(
        (
            Criterion(_attributes, "more kinds of conditions"),
            Criterion(lambda c: hostnames.specificity(c.hostname), "a more specific host"),
            Criterion(lambda c: len(c.match.headers) if c.match else 0, "more headers"),
            Criterion(_by_expression, "a regular expression or an exact path"),
            Criterion(path_length, "a longer path"),
            Criterion(lambda c: -c.position, "the earlier route"),
        ),
        own_certificate=True,
        paths=replace(ENVOY_MERGING, above_root=400),
    )
    """Kong/kong:kong/tools/uri.lua (normalize), kong/router/traditional.lua and kong/router/transform.lua (get_priority)."""

    def proxy_port(self, container: WorkloadContainer, port: int, graph: ObjectGraph) -> ProxyPort:
        """What `proxy_listen` says of it."""
        return installation(graph).proxy_port(port)

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """Routes of Ingresses, then those of connections and packets."""
        if claims:
            yield from _Ingresses(graph, claims).lower(graph, claims, backends)
        yield from stream_routes(graph, backends)


class _Ingresses(IngressController):
    """One run over one set; what an Ingress or a Service says is read once."""

    gateway: ClassVar[str] = GATEWAY

    def __init__(self, graph: ObjectGraph, claims: Sequence[Claim]) -> None:
        self._installation: Installation = installation(graph)
        self._routes: dict[IngressObject, RouteSettings] = {}
        self._services: dict[KubernetesObject[Service], ServiceSettings] = {}
        self._certificates: dict[str, list[CertificateRef]] = {}
        for claim in claims:
            self._gather(claim.ingress)

    def _gather(self, ingress: IngressObject) -> None:
        """Certificates belong to server names, whichever Ingress serves the host (translator/ingressrules.go)."""
        for certificate in certificates(ingress):
            for host in certificate.hosts:
                self._certificates.setdefault(host.value, []).append(certificate)

    def _of(self, graph: ObjectGraph, context: PathContext) -> RouteSettings:
        found = self._routes.get(context.ingress)
        if found is None:
            found = self._routes[context.ingress] = RouteSettings(graph, context.ingress, context.default_place())
        return found

    def _service(self, graph: ObjectGraph, context: PathContext) -> ServiceSettings | None:
        service = context.service
        if service is None:
            return None
        found = self._services.get(service)
        if found is None:
            found = self._services[service] = ServiceSettings(graph, service)
        return found

    # -- the client's side --------------------------------------------------------------------------------------------

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterator[Route]:
        """The route of each path, and what Kong tells plain requests where it takes only HTTPS."""
        for claim in claims:
            for context in self.paths(graph, claim, backends):
                route = self.route(graph, context)
                yield route
                settings = self._of(graph, context)
                if settings.https_only:
                    code = settings.redirect_code
                    answer: Filter = (
                        FixedResponse(code.place, code.value)
                        if code.value == _UPGRADE_REQUIRED
                        else RequestRedirect(code.place, code.value, scheme="https")
                    )
                    plain = (self._listener(context, 80, "HTTP", settings.protocols.place, None),)
                    yield replace(route, listeners=plain, filters=(answer,), backends=(), attached=())

    def route(self, graph: ObjectGraph, context: PathContext) -> Route:
        """The route of one path, for its host and every alias of it."""
        settings, service = self._of(graph, context), self._service(graph, context)
        route = super().route(graph, context)
        aliases = settings.reader.items("host-aliases") if context.host is not None else ()
        attached = (*settings.attached(), *(service.attached() if service else ()))
        return replace(
            route,
            hostnames=(*route.hostnames, *aliases),
            matches=tuple(self._matches(route, settings)),
            attached=attached,
        )

    @staticmethod
    def _matches(route: Route, settings: RouteSettings) -> Iterator[Match]:
        names = ", ".join(item.value for item in settings.reader.items("snis"))
        condition = f"the TLS server name is one of {names}" if names else ""
        for match in route.matches:
            for method in settings.methods or (None,):
                yield replace(match, headers=settings.headers, method=method, condition=condition)

    def listeners(self, graph: ObjectGraph, context: PathContext) -> tuple[Listener, ...]:
        """The proxy's ports 80 and 443, as `konghq.com/protocols` lets clients in.

        Kong opens 443 for every host, with a certificate of its own where there is no TLS block.
        """
        settings = self._of(graph, context)
        protocols = settings.protocols
        host = context.host.value if context.host else ""
        shown = tuple(self._certificates.get(host, ()))
        found = []
        if not settings.https_only:
            found.append(self._listener(context, 80, "HTTP", protocols.place, None))
        if shown or settings.https_only:
            mode = shown[0].place if shown else protocols.place
            tls = ListenerTLS(Sourced("Terminate", Origin.DERIVED, mode), shown)
            found.append(self._listener(context, 443, "HTTPS", mode, tls))
        return tuple(found)

    def _listener(
        self, context: PathContext, port: int, protocol: str, place: Place, tls: ListenerTLS | None
    ) -> Listener:
        return Listener(
            self.gateway,
            Sourced(port, Origin.DEFAULT, context.default_place(), "the ports of the proxy's Service"),
            Sourced(protocol, Origin.DERIVED, place),
            tls=tls,
            takes_proxy_protocol=self._installation.takes_proxy_protocol,
            trusts_forwarded=self._installation.trusts_forwarded,
        )

    def path_match(self, graph: ObjectGraph, context: PathContext) -> Sourced[PathMatch]:
        """Prefix by segments, Exact, and else by characters; a regular expression where the path starts with `/~`.

        `regex-prefix` replaces that mark. Exact paths become regular expressions that nobody escapes
        (internal/dataplane/translator/subtranslator/ingress.go, PathsFromIngressPaths).
        """
        value = _SLASHES.sub("/", context.path_value or "/")
        place = context.place if context.is_default else context.place.at("path")
        marked = self._of(graph, context).reader.text("regex-prefix")
        mark = marked.value if marked is not None else _REGEX_PREFIX
        if not context.is_default and mark and value.startswith(mark):
            expression = value.removeprefix(mark)
            whole = context.path_type == "Exact"
            match = PathMatch(PathMatchType.REGULAR_EXPRESSION, expression, open_end=not whole)
            return Sourced(match, Origin.EXPLICIT, place, f"`{mark}` starts a regular expression")
        if context.path_type == "Exact":
            regex = not _UNESCAPED.isdisjoint(value)
            kind = PathMatchType.REGULAR_EXPRESSION if regex else PathMatchType.EXACT
            return Sourced(PathMatch(kind, value), Origin.EXPLICIT, place)
        if context.path_type == "Prefix" or context.is_default:
            return Sourced(PathMatch(PathMatchType.PREFIX, value), Origin.EXPLICIT, place)
        if not _PLAIN_PATH.fullmatch(value) and self._detects_regexes(graph, context.ingress):
            match = PathMatch(PathMatchType.REGULAR_EXPRESSION, value, open_end=True)
            return Sourced(match, Origin.DERIVED, place, "enableLegacyRegexDetection of the class")
        return Sourced(PathMatch(PathMatchType.STRING_PREFIX, value), Origin.EXPLICIT, place)

    @staticmethod
    def _detects_regexes(graph: ObjectGraph, ingress: IngressObject) -> bool:
        parameters = _parameters(graph, ingress)
        return parameters is not None and parameters.body.spec.enable_legacy_regex_detection

    def filters(self, graph: ObjectGraph, context: PathContext) -> tuple[Filter, ...]:
        """`rewrite`, else `strip-path` and the Service's `path`; then the Host header."""
        return (*self._path_filters(graph, context), *self._host_filters(graph, context))

    def _path_filters(self, graph: ObjectGraph, context: PathContext) -> Iterator[Filter]:
        settings, service = self._of(graph, context), self._service(graph, context)
        rewrite = settings.reader.text("rewrite")
        match = self.path_match(graph, context).value
        if rewrite is not None:
            regex = match.value if match.type is PathMatchType.REGULAR_EXPRESSION else None
            yield URLRewrite(rewrite.place, path=rewrite.value or "/", regex=regex)
            return
        base = service.path if service is not None else None
        if settings.strip_path.value and match.type is PathMatchType.REGULAR_EXPRESSION:
            start = base.value.rstrip("/") if base else ""
            yield URLRewrite(settings.strip_path.place, path=f"{start}/$1", regex=f"(?:{match.value})/?(.*)")
        elif settings.strip_path.value:
            yield URLRewrite(settings.strip_path.place, path=base.value if base else "/", replace_prefix=True)
        elif base is not None and base.value != "/":
            yield URLRewrite(base.place, path=f"{base.value.rstrip('/')}$1", regex="(.*)")

    def _host_filters(self, graph: ObjectGraph, context: PathContext) -> Iterator[Filter]:
        """Without `preserve-host`: what the Service's `host-header` says, or the name of an ExternalName Service."""
        preserved, service = self._of(graph, context).preserve_host, self._service(graph, context)
        if preserved.value or service is None or context.service is None:
            return
        header = service.reader.text("host-header")
        host = header.value if header else context.service.body.spec.external_name
        if host:
            yield URLRewrite(header.place if header else preserved.place, host=host)

    # -- the pods' side -----------------------------------------------------------------------------------------------

    def protocol(self, graph: ObjectGraph, context: PathContext) -> Sourced[AppProtocol]:
        """The Service's; the same annotation on an Ingress is read by nobody."""
        service = self._service(graph, context)
        if service is None:
            return Sourced(AppProtocol.HTTP, Origin.DEFAULT, context.backend_place)
        found = service.protocol
        key = f"{PREFIX}/protocol"
        if found.origin is Origin.DEFAULT and key in context.ingress.annotations:
            why = f"`{key}` counts on Services only, and this one is on the Ingress"
            return Sourced(found.value, Origin.DERIVED, context.ingress.annotation_place(key), why)
        return found

    def target(self, graph: ObjectGraph, context: PathContext) -> Sourced[TargetKind]:
        """Pods, unless the Service or its class's parameters ask for the cluster IP."""
        service = context.service
        if service is not None and service.annotations.get(SERVICE_UPSTREAM) == "true":
            place = service.annotation_place(SERVICE_UPSTREAM)
            return Sourced(TargetKind.CLUSTER_IP, Origin.EXPLICIT, place)
        parameters = _parameters(graph, context.ingress)
        if parameters is not None and parameters.body.spec.service_upstream:
            place = parameters.at("spec", "serviceUpstream")
            return Sourced(TargetKind.CLUSTER_IP, Origin.DERIVED, place, "serviceUpstream of the class")
        return super().target(graph, context)

    def health_check(
        self, graph: ObjectGraph, context: PathContext, protocol: Sourced[AppProtocol], target: Sourced[TargetKind]
    ) -> HealthCheck | None:
        """That of the Service's KongUpstreamPolicy."""
        service = self._service(graph, context)
        found = service.health_check if service else None
        if found is None or context.service_port is None:
            return found
        return replace(found, target=target.value, resolved_port=context.service_port.pod_port)

    def remedies(self, context: PathContext) -> Remedies:
        """Annotations of the Service (developer.konghq.com/kubernetes-ingress-controller/reference/annotations)."""
        return _REMEDIES

    def timeouts(self, graph: ObjectGraph, context: PathContext) -> Timeouts:
        """The Service's."""
        service = self._service(graph, context)
        return service.timeouts if service else Timeouts()

    def keep_alive(self, graph: ObjectGraph, context: PathContext) -> KeepAlive:
        """The proxy's pool; a request that may be repeated goes to another pod, unless `retries` is 0."""
        service = self._service(graph, context)
        retries = service is None or service.retries > 0
        return self._installation.keep_alive(context.default_place(), retries=retries)

    def body_limit(self, graph: ObjectGraph, context: PathContext) -> Sourced[int] | None:
        """The proxy's."""
        return self._installation.body_limit

    def header_limit(self, graph: ObjectGraph, context: PathContext) -> Sourced[int] | None:
        """The proxy's."""
        return self._installation.header_limit(context.default_place())


def _parameters(graph: ObjectGraph, ingress: IngressObject) -> KubernetesObject[IngressClassParameters] | None:
    """The parameters of an Ingress's class."""
    named = graph.ingress_classes.get(ingress.body.spec.ingress_class_name or "")
    reference = named.body.spec.parameters if named is not None else None
    if not isinstance(reference, dict) or reference.get("kind") != "IngressClassParameters":
        return None
    namespace, name = reference.get("namespace"), reference.get("name")
    return graph.named(IngressClassParameters, str(namespace or ""), str(name))
