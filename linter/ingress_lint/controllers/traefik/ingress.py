"""Ingresses as Traefik's Kubernetes Ingress provider serves them.

Sources, where no other is named: traefik/traefik, pkg/provider/kubernetes/ingress/{kubernetes,annotations}.go and
docs/content/reference/routing-configuration/kubernetes/ingress.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Final

from msgspec.structs import replace

from ingress_lint.controllers.shared.annotations import AnnotationReader
from ingress_lint.controllers.shared.base import Claim, IngressController, IngressObject, PathContext, certificates
from ingress_lint.controllers.traefik import GROUPS
from ingress_lint.controllers.traefik.annotations import ANNOTATIONS
from ingress_lint.controllers.traefik.custom_resources import Analysis, apart_by_scheme
from ingress_lint.controllers.traefik.installation import CONTROLLER, GATEWAY, terminated
from ingress_lint.controllers.traefik.middlewares import Named, Steps, annotated, find
from ingress_lint.controllers.traefik.transport import Transport, protocol
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.traefik import ServersTransport
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.filters import RequestRedirect, URLRewrite
from ingress_lint.routes.listeners import Listener
from ingress_lint.routes.matches import Match, PathMatch, PathMatchType
from ingress_lint.routes.model import Attachment, BackendRef, Filter, Route
from ingress_lint.routes.remedies import Remedies
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, KeepAlive, TargetKind, Timeouts

_REMEDIES: Final = Remedies(
    protocols={
        AppProtocol.HTTPS: "set `traefik.ingress.kubernetes.io/service.serversscheme: https` on the Service",
        AppProtocol.HTTP: "set `traefik.ingress.kubernetes.io/service.serversscheme: http` on the Service",
        AppProtocol.GRPC: "set `traefik.ingress.kubernetes.io/service.serversscheme: h2c` on the Service",
    },
    body_limit="raise `buffering.maxRequestBodyBytes` of its Middleware to {} (it counts in bytes)",
)
_STRICT_PREFIX: Final = "providers.kubernetesingress.strictprefixmatching"
_NATIVE_BY_DEFAULT: Final = "providers.kubernetesingress.nativelbbydefault"
_MATCHERS: Final = {
    "Path": PathMatchType.EXACT,
    "PathPrefix": PathMatchType.STRING_PREFIX,
    "PathRegexp": PathMatchType.REGULAR_EXPRESSION,
}
_EXPRESSIONS_SINCE: Final = (3,)
_WILDCARD_HOSTS_SINCE: Final = (3, 7)
_LOWEST: Final = -(2**31)
_HIGHEST: Final = 2**31 - 1
"""The priorities of routers that Traefik makes on its own, for default backends and for entry points' redirects."""


def entry_point_redirects(analysis: Analysis) -> Iterator[Route]:
    """`http.redirections.entryPoint`: a router above all others (pkg/provider/traefik/internal.go)."""
    container = analysis.installation.container
    for point in analysis.installation.entry_points.values():
        target = point.redirects_to
        if target is None or container is None:
            continue
        goal = analysis.installation.entry_points.get(target.value)
        everything = Sourced(PathMatch(PathMatchType.STRING_PREFIX, "/"), Origin.DERIVED, target.place, "all paths")
        port = goal.port.value if goal else None
        yield Route(
            controller=Sourced(CONTROLLER, Origin.EXPLICIT, container.at("image"), "its own image"),
            owner=container.workload.object,
            rule=0,
            place=target.place,
            listeners=analysis.installation.http_listeners(
                (Sourced(point.name, Origin.EXPLICIT, target.place),), None, target.place
            ),
            hostnames=(),
            matches=(Match(everything),),
            backends=(),
            filters=(
                RequestRedirect(
                    target.place, 301, scheme="https", port=None if port == 443 else port, keeps_method=True
                ),
            ),
            priority=Sourced(_HIGHEST, Origin.DERIVED, target.place, "above all others"),
        )


class TraefikIngresses(IngressController):
    """The Ingresses of one graph."""

    gateway: ClassVar[str] = GATEWAY

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._installation = analysis.installation
        self._steps: dict[IngressObject, Steps] = {}

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """One route a path; a default backend counts only in an Ingress without rules."""
        for claim in claims:
            for context in self.paths(graph, claim, backends):
                if context.is_default and claim.ingress.body.spec.rules:
                    continue
                yield from apart_by_scheme(self.route(graph, context))

    def route(self, graph: ObjectGraph, context: PathContext) -> Route:
        """The router of one path."""
        steps = self._of(context)
        route = super().route(graph, context)
        return replace(
            route,
            priority=self._priority(context),
            allowed_sources=steps.allowed_sources,
            allowed_by_peer=steps.allowed_by_peer,
            retries=steps.retries,
            external_names_refused=self._installation.external_names_refused("kubernetesingress"),
            attached=(*steps.attached, *self._attached(graph, context)),
        )

    def backend(self, graph: ObjectGraph, context: PathContext) -> BackendRef:
        """The backend of one path, with what its ServersTransport says of certificates."""
        return replace(super().backend(graph, context), tls=self._transport(graph, context).tls)

    # -- reading ------------------------------------------------------------------------------------------------------

    @staticmethod
    def _router(context: PathContext) -> AnnotationReader:
        return ANNOTATIONS.reader(context.ingress)

    @staticmethod
    def _service(context: PathContext) -> AnnotationReader:
        """`service.*` counts on the Service alone."""
        return ANNOTATIONS.reader(context.service) if context.service else ANNOTATIONS.reader()

    @staticmethod
    def _service_place(context: PathContext) -> Place:
        service = context.service
        if service is None:
            return context.default_place()
        return service.at("metadata", "annotations") if service.annotations else service.name_place

    def _of(self, context: PathContext) -> Steps:
        if context.ingress not in self._steps:
            named = annotated(self._router(context).items("router.middlewares"))
            self._steps[context.ingress] = self._analysis.middlewares.steps(named)
        return self._steps[context.ingress]

    def _transport(self, graph: ObjectGraph, context: PathContext) -> Transport:
        named = self._service(context).text("service.serverstransport")
        found = find(graph, "ServersTransport", Named(named.value, "", named.place)).object if named else None
        usable = found is not None and isinstance(found.body, ServersTransport)
        return Transport(found if usable else None, self._service_place(context))

    def _attached(self, graph: ObjectGraph, context: PathContext) -> Iterator[Attachment]:
        for key, reader, kind, consequence in (
            ("router.tls.options", self._router(context), "TLSOption", "the TLS handshake fails"),
            ("service.serverstransport", self._service(context), "ServersTransport", "clients get 500"),
        ):
            named = reader.text(key)
            if named is not None and named.value:
                found = find(graph, kind, Named(named.value, "", named.place))
                yield Attachment(named.place, GroupKind(GROUPS[0], kind), "", named.value, found, consequence)

    # -- the client's side --------------------------------------------------------------------------------------------

    def listeners(self, graph: ObjectGraph, context: PathContext) -> tuple[Listener, ...]:
        """`router.entrypoints`; TLS by `router.tls` or by the entry point, never by `spec.tls`, which only loads."""
        router = self._router(context)
        absent = context.default_place()
        asked = router.boolean("router.tls")
        if asked is None:
            others = (router.text(f"router.tls.{key}") for key in ("certresolver", "options", "domains.0.main"))
            other = next((item for item in others if item), None)
            asked = Sourced(True, other.origin, other.place) if other else None
        blocks = certificates(context.ingress)
        tls = terminated(asked, blocks) if asked is not None and asked.value else None
        found = self._installation.http_listeners(router.items("router.entrypoints"), tls, absent)
        return tuple(
            replace(item, tls=replace(item.tls, certificates=blocks)) if item.tls is not None else item
            for item in found
        )

    def path_match(self, graph: ObjectGraph, context: PathContext) -> Sourced[PathMatch]:
        """Prefix by characters, unless `strictPrefixMatching`; `router.pathmatcher` for ImplementationSpecific."""
        value = context.path_value or "/"
        place = context.place if context.is_default else context.place.at("path")
        if context.is_default or not context.path_value:
            return Sourced(PathMatch(PathMatchType.STRING_PREFIX, "/"), Origin.DERIVED, place, "all paths")
        if context.path_type == "Exact":
            return Sourced(PathMatch(PathMatchType.EXACT, value), Origin.EXPLICIT, place)
        matcher = self._router(context).text("router.pathmatcher")
        if context.path_type in (None, "ImplementationSpecific") and matcher and matcher.value in _MATCHERS:
            kind = _MATCHERS[matcher.value]
            is_regex = kind is PathMatchType.REGULAR_EXPRESSION
            if kind is not PathMatchType.STRING_PREFIX:
                found = PathMatch(kind, value, open_end=is_regex, open_start=is_regex)
                return Sourced(found, Origin.DERIVED, matcher.place, "router.pathmatcher")
        strict = self._installation.switch(_STRICT_PREFIX)
        if strict is not None and strict.value:
            return Sourced(PathMatch(PathMatchType.PREFIX, value), Origin.DERIVED, place, "strictPrefixMatching")
        return Sourced(PathMatch(PathMatchType.STRING_PREFIX, value), Origin.EXPLICIT, place)

    def _priority(self, context: PathContext) -> Sourced[int]:
        """`router.priority`, else the length of the rule that Traefik writes (buildHostRule, loadRouter)."""
        if context.is_default:
            return Sourced(_LOWEST, Origin.DERIVED, context.place, "a default backend")
        written = self._router(context).integer("router.priority")
        if written is not None and written.value:
            return written
        path = context.path_value or ""
        matcher = self._router(context).text("router.pathmatcher")
        name = "Path" if context.path_type == "Exact" else "PathPrefix"
        if context.path_type in (None, "ImplementationSpecific") and matcher is not None:
            name = matcher.value
        parts = [_host_rule(context.host.value, self._installation.release)] if context.host else []
        if path:
            parts.append(self._path_rule(name, path))
        return Sourced(len(" && ".join(parts)), Origin.DERIVED, context.place, "the length of its rule")

    def _path_rule(self, matcher: str, path: str) -> str:
        """`buildRule` and `buildStrictPrefixMatchingRule`."""
        strict = self._installation.switch(_STRICT_PREFIX)
        if matcher != "PathPrefix" or strict is None or not strict.value or path == "/":
            return f"{matcher}(`{path}`)"
        whole = path.removesuffix("/")
        return f"(Path(`{whole}`) || PathPrefix(`{whole}/`))"

    def filters(self, graph: ObjectGraph, context: PathContext) -> tuple[Filter, ...]:
        """What its middlewares do, and the host that an ExternalName Service gets without `passhostheader`."""
        filters = list(self._of(context).filters)
        kept = self._service(context).boolean("service.passhostheader")
        service = context.service
        if kept is not None and not kept.value and service is not None and service.body.spec.external_name:
            filters.append(URLRewrite(kept.place, host=service.body.spec.external_name))
        return tuple(filters)

    # -- the pods' side -----------------------------------------------------------------------------------------------

    def protocol(self, graph: ObjectGraph, context: PathContext) -> Sourced[AppProtocol]:
        """`service.serversscheme`, else the Service port's number or name; appProtocol is never looked at."""
        scheme = self._service(context).text("service.serversscheme")
        return protocol(context.service_port, scheme, self._service_place(context))

    def target(self, graph: ObjectGraph, context: PathContext) -> Sourced[TargetKind]:
        """Pods; the cluster IP with `service.nativelb`; nodes with `service.nodeportlb` for a NodePort Service."""
        service = self._service(context)
        by_node = service.boolean("service.nodeportlb")
        if by_node is not None and by_node.value and context.service and context.service.body.spec.type == "NodePort":
            return Sourced(TargetKind.NODE, by_node.origin, by_node.place)
        native = service.boolean("service.nativelb")
        if native is None:
            default = self._installation.switch(_NATIVE_BY_DEFAULT)
            native = default if default is not None and default.value else None
        if native is not None and native.value:
            return Sourced(TargetKind.CLUSTER_IP, native.origin, native.place)
        return Sourced(TargetKind.POD, Origin.DEFAULT, self._service_place(context))

    def remedies(self, context: PathContext) -> Remedies:
        """Annotations of the Service (doc.traefik.io: Kubernetes Ingress, on Service)."""
        return _REMEDIES

    def timeouts(self, graph: ObjectGraph, context: PathContext) -> Timeouts:
        """Those of the ServersTransport."""
        return self._transport(graph, context).timeouts

    def keep_alive(self, graph: ObjectGraph, context: PathContext) -> KeepAlive:
        """That of the ServersTransport."""
        return self._transport(graph, context).keep_alive(self._installation.client_idle)

    def body_limit(self, graph: ObjectGraph, context: PathContext) -> Sourced[int] | None:
        """None, unless a buffering middleware sets one."""
        return self._of(context).body_limit


def _host_rule(host: str, release: tuple[int, ...]) -> str:
    """`buildHostRule`; wildcards are hosts since 3.7.0 (traefik/traefik#12884)."""
    if not host.startswith("*.") or release >= _WILDCARD_HOSTS_SINCE:
        return f"Host(`{host}`)"
    if release < _EXPRESSIONS_SINCE:
        return f"HostRegexp(`{{subdomain:[a-zA-Z0-9-]+}}{host[1:]}`)"
    return f"HostRegexp(`^[a-zA-Z0-9-]+{re.escape(host[1:])}$`)"
