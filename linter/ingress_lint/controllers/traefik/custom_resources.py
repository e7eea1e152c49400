"""IngressRoute, IngressRouteTCP and IngressRouteUDP as routes.

Only Traefik reads them. traefik/traefik:pkg/provider/kubernetes/crd/kubernetes_{http,tcp,udp}.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import groupby, islice

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.controllers.traefik import GROUPS
from ingress_lint.controllers.traefik.backends import Backends
from ingress_lint.controllers.traefik.installation import (
    CONTROLLER,
    NO_ROUTER,
    Installation,
    installation,
    terminated,
)
from ingress_lint.controllers.traefik.middlewares import (
    CRD_PROVIDER,
    Middlewares,
    Named,
    find,
    references,
)
from ingress_lint.controllers.traefik.rules import V2, Alternative, RuleError, alternatives, unreadable
from ingress_lint.facts.once_per_graph import once_per_graph
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.objects.traefik import (
    TLS,
    IngressRoute,
    IngressRouteTCP,
    IngressRouteUDP,
    LoadBalancerSpec,
    ObjectReference,
    RouteRule,
    ServiceTCP,
    TLSOption,
)
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.filters import RequestRedirect
from ingress_lint.routes.listeners import CertificateRef, ClientValidation, Listener, ListenerTLS
from ingress_lint.routes.matches import Match, PathMatch, PathMatchType
from ingress_lint.routes.model import Attachment, BackendRef, Filter, Route
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol
from ingress_lint.routes.verdicts import Certainty, Fate, Reason, Verdict

_MAX_DEPTH = 8
_MAX_LAYERS = 64
"""So many ways through parents are followed to one child."""
_LEGACY_GROUP = "traefik.containo.us"
_CLIENT_CHECKS = {
    "RequireAnyClientCert": True,
    "RequireAndVerifyClientCert": True,
    "VerifyClientCertIfGiven": False,
    "RequestClientCert": False,
}


class _Layer(Struct, frozen=True):
    """A router that hands requests to the routers of other objects."""

    item: KubernetesObject[IngressRoute]
    index: int
    rule: RouteRule

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.item.at("spec", "routes", self.index)


class Analysis:
    """What Traefik makes of its own objects in one graph."""

    def __init__(self, graph: ObjectGraph, resolver: BackendResolver) -> None:
        self.graph = graph
        self.installation: Installation = installation(graph)
        self.backends = Backends(graph, resolver, self.installation)
        self.middlewares = Middlewares(graph, resolver, self.installation, self._backend_of)
        self._verdicts: list[Verdict] = []
        self.routes = (
            *(route for item in graph.of(IngressRoute) for route in self._http(item)),
            *(route for item in graph.of(IngressRouteTCP) for route in self._tcp(item)),
            *(route for item in graph.of(IngressRouteUDP) for route in self._udp(item)),
        )

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What Traefik refuses."""
        return (*self._verdicts, *self.backends.verdicts, *self.middlewares.verdicts)

    def _backend_of(self, written: LoadBalancerSpec, namespace: str, place: Place) -> BackendRef:
        owner = self.graph.object_at(place)
        assert owner is not None  # noqa: S101
        return self.backends.backend(owner, written, place)

    # -- HTTP ---------------------------------------------------------------------------------------------------------

    def _http(self, item: KubernetesObject[IngressRoute]) -> Iterator[Route]:
        """The routers of an IngressRoute; those of a child once for each router that leads to them."""
        chains = list(islice(self._layers(item), _MAX_LAYERS)) if item.body.spec.parent_refs else []
        for layers in chains or ((),):
            yield from self._routers(item, layers)

    @cached_property
    def _parents(self) -> frozenset[tuple[str, str]]:
        """Namespace and name of the IngressRoutes that others name as their parents."""
        return frozenset(
            (reference.namespace or item.namespace, reference.name)
            for item in self.graph.of(IngressRoute)
            for reference in item.body.spec.parent_refs
        )

    def _layers(self, item: KubernetesObject[IngressRoute], depth: int = 0) -> Iterator[tuple[_Layer, ...]]:
        """The routers that a request passes on its way to a child, the outermost first.

        doc.traefik.io/traefik/reference/routing-configuration/http/routing/multi-layer-routing
        """
        for reference in item.body.spec.parent_refs if depth < _MAX_DEPTH else ():
            parent = self.graph.named(IngressRoute, reference.namespace or item.namespace, reference.name)
            if parent is None or parent is item:
                continue
            above = self._layers(parent, depth + 1) if parent.body.spec.parent_refs else iter(((),))
            for chain in above:
                for index, rule in enumerate(parent.body.spec.routes):
                    yield (*chain, _Layer(parent, index, rule))

    def _orphaned(self, item: KubernetesObject[IngressRoute]) -> Iterator[Verdict]:
        """The parents that an IngressRoute lacks (crd/kubernetes_http.go, resolveParentRouterNames)."""
        for index, reference in enumerate(item.body.spec.parent_refs):
            namespace, place = reference.namespace or item.namespace, item.at("spec", "parentRefs", index, "name")
            kinds = [GroupKind(group, item.kind) for group in GROUPS]
            found = self.graph.resolve_any(kinds, namespace, reference.name)
            if found.object is not None:
                continue
            message = (
                f"IngressRoute `{item.name}` is a child of IngressRoute `{reference.name}`, which namespace `{namespace}` "
                f"does not have; {NO_ROUTER}"
            )
            sure = Certainty.of_missing(found.existence)
            yield Verdict(Reason.NO_MATCHING_PARENT, item, place, message, sure, fate=Fate.DROPPED)

    def _routers(self, item: KubernetesObject[IngressRoute], layers: tuple[_Layer, ...]) -> Iterator[Route]:
        spec = item.body.spec
        root = layers[0].item if layers else item
        tls = self._tls(root, root.body.spec.tls)
        names = self._entry_points(root, root.body.spec.entry_points, report=not layers)
        listeners = self.installation.http_listeners(names, tls, root.at("spec", "entryPoints"))
        orphaned = tuple(self._orphaned(item)) if not layers else ()
        self._verdicts += orphaned
        above = [
            named
            for layer in layers
            for named in references(layer.rule.middlewares, layer.item.namespace, layer.place.at("middlewares"))
        ]
        for index, rule in enumerate(spec.routes):
            if not rule.services and (item.namespace, item.name) in self._parents:
                continue  # its children answer
            place = item.at("spec", "routes", index)
            own = references(rule.middlewares, item.namespace, place.at("middlewares"))
            elsewhere = tuple(self._elsewhere(item, rule.middlewares, "Middleware", place.at("middlewares")))
            if not layers:
                self._verdicts += elsewhere
            steps = self.middlewares.steps([*above, *own])
            targets = self.backends.targets(item, rule.services, place.at("services"))
            attached = [
                *steps.attached,
                *self.backends.attached(rule.services, item.namespace, place.at("services")),
                *self._options(root, root.body.spec.tls),
            ]
            whole = (
                " && ".join([*(f"({layer.rule.match})" for layer in layers), f"({rule.match})"])
                if layers
                else rule.match
            )
            route = Route(
                controller=Sourced(CONTROLLER, Origin.EXPLICIT, item.at("kind"), f"only Traefik reads a {item.kind}"),
                owner=item,
                rule=index,
                place=place,
                listeners=listeners,
                hostnames=(),
                matches=(),
                backends=tuple(
                    replace(backend, body_limit=steps.body_limit or backend.body_limit) for backend in targets.backends
                ),
                filters=(*steps.filters, *targets.mirrors),
                fallback=targets.fallback,
                external_names_refused=self.installation.external_names_refused(CRD_PROVIDER),
                retries=steps.retries,
                allowed_sources=steps.allowed_sources,
                allowed_by_peer=steps.allowed_by_peer,
                attached=tuple(attached),
                priority=_priority(whole, rule.priority, place),
            )
            written, unread = self._alternatives(item, whole, rule.syntax, place)
            route = replace(route, refusals=(*orphaned, *elsewhere, *unread))
            for one in _by_host(route, written, place.at("match")):
                yield from apart_by_scheme(one)

    def _elsewhere(
        self, item: AnyObject, named: Iterable[ObjectReference], kind: str, place: Place
    ) -> Iterator[Verdict]:
        """What it may not follow of the references below a place."""
        for index, reference in enumerate(named):
            namespace, at = reference.namespace or item.namespace, place.at(index, "namespace")
            if (found := self.installation.elsewhere(item, "uses", kind, namespace, reference.name, at)) is not None:
                yield found

    def _entry_points(self, item: AnyObject, written: Iterable[str], *, report: bool = True) -> list[Sourced[str]]:
        names = [
            Sourced(name, Origin.EXPLICIT, item.at("spec", "entryPoints", index)) for index, name in enumerate(written)
        ]
        if report:
            self._verdicts += self.installation.unreached(item, names)
        return names

    def _alternatives(
        self, item: AnyObject, rule: str, syntax: str, place: Place
    ) -> tuple[tuple[Alternative, ...], tuple[Verdict, ...]]:
        """What a rule asks for, and why Traefik cannot read it."""
        try:
            return alternatives(rule, v2=syntax == V2 or item.group == _LEGACY_GROUP), ()
        except RuleError as error:
            message = f"Traefik cannot read the rule of {item.kind} `{item.name}`: {error}; {NO_ROUTER}"
            refused = Verdict(Reason.UNSUPPORTED_VALUE, item, place.at("match"), message, fate=Fate.DROPPED)
            self._verdicts.append(refused)
            return (unreadable(rule),), (refused,)

    # -- TCP and UDP --------------------------------------------------------------------------------------------------

    def _tcp(self, item: KubernetesObject[IngressRouteTCP]) -> Iterator[Route]:
        spec = item.body.spec
        passes = spec.tls is not None and spec.tls.passthrough
        tls = self._tls(item, spec.tls)
        asked = item.at("spec", "tls", "passthrough") if passes else item.at("spec", "tls")
        if passes:
            tls = ListenerTLS(Sourced("Passthrough", Origin.EXPLICIT, asked))
        if tls is not None:
            seen = Sourced("TLS", Origin.EXPLICIT, asked)
        else:
            seen = Sourced("TCP", Origin.DEFAULT, item.name_place, "it sets no `tls`")
        spoken = (
            Sourced(AppProtocol.TLS, Origin.DERIVED, asked, "TLS is passed through")
            if passes
            else Sourced(AppProtocol.TCP, Origin.DEFAULT, item.name_place, "plain TCP")
        )
        names = self._entry_points(item, spec.entry_points)
        listeners = self.installation.stream_listeners(names, seen, tls, item.at("spec", "entryPoints"))
        for index, rule in enumerate(spec.routes):
            place = item.at("spec", "routes", index)
            named = references(rule.middlewares, item.namespace, place.at("middlewares"))
            elsewhere = tuple(self._elsewhere(item, rule.middlewares, "MiddlewareTCP", place.at("middlewares")))
            self._verdicts += elsewhere
            steps = self.middlewares.steps(named, "MiddlewareTCP")
            route = self._stream_route(item, index, listeners, rule.services, spoken)
            route = replace(
                route,
                allowed_sources=steps.allowed_sources,
                allowed_by_peer=steps.allowed_by_peer,
                attached=(*steps.attached, *self._options(item, spec.tls)),
                priority=_priority(rule.match, rule.priority, place),
            )
            written, unread = self._alternatives(item, rule.match, rule.syntax, place)
            route = replace(route, refusals=(*elsewhere, *unread))
            if spec.tls is None and (server := next((one.host for one in written if one.host), None)):
                self._needs_tls(item, server, place)
            for one in _by_host(route, written, place.at("match")):
                yield replace(one, matches=()) if not any(match.condition for match in one.matches) else one

    def _needs_tls(self, item: AnyObject, host: str, place: Place) -> None:
        """Only TLS tells which server is asked for (traefik/traefik:pkg/server/router/tcp/manager.go)."""
        message = (
            f"IngressRouteTCP `{item.name}` asks for HostSNI `{host}` and has no `tls`, and connections without TLS name "
            f"no server; Traefik makes no router of it, and connections are closed"
        )
        fix = "write HostSNI(`*`), or add `tls` if clients speak TLS"
        self._verdicts.append(Verdict(Reason.UNSUPPORTED_VALUE, item, place.at("match"), message, fix=fix))

    def _udp(self, item: KubernetesObject[IngressRouteUDP]) -> Iterator[Route]:
        spec = item.body.spec
        seen = Sourced("UDP", Origin.EXPLICIT, item.at("kind"))
        names = self._entry_points(item, spec.entry_points)
        listeners = self.installation.stream_listeners(names, seen, None, item.at("spec", "entryPoints"))
        spoken = Sourced(AppProtocol.UDP, Origin.EXPLICIT, item.at("kind"))
        for index, rule in enumerate(spec.routes):
            yield self._stream_route(item, index, listeners, rule.services, spoken)

    def _stream_route(
        self,
        item: AnyObject,
        index: int,
        listeners: tuple[Listener, ...],
        services: Sequence[ServiceTCP],
        spoken: Sourced[AppProtocol],
    ) -> Route:
        place = item.at("spec", "routes", index)
        return Route(
            controller=Sourced(CONTROLLER, Origin.EXPLICIT, item.at("kind"), f"only Traefik reads a {item.kind}"),
            owner=item,
            rule=index,
            place=place,
            listeners=listeners,
            hostnames=(),
            matches=(),
            backends=tuple(
                self.backends.stream(item, service, spoken, place.at("services", number))
                for number, service in enumerate(services)
            ),
        )

    # -- TLS ----------------------------------------------------------------------------------------------------------

    def _tls(self, item: AnyObject, tls: TLS | None) -> ListenerTLS | None:
        if tls is None:
            return None
        place = item.at("spec", "tls")
        certificates = []
        if tls.secret_name:
            certificates.append(CertificateRef("Secret", item.namespace, tls.secret_name, place.at("secretName")))
        if tls.cert_resolver:
            certificates.append(CertificateRef("certResolver", "", tls.cert_resolver, place.at("certResolver")))
        return terminated(Sourced(True, Origin.EXPLICIT, place), tuple(certificates), self._clients(item, tls))

    def _clients(self, item: AnyObject, tls: TLS) -> ClientValidation | None:
        if tls.options is None:
            return None
        place = item.at("spec", "tls", "options", "name")
        named = Named(tls.options.name, tls.options.namespace or item.namespace, place)
        options = find(self.graph, "TLSOption", named).object
        if options is None or not isinstance(options.body, TLSOption):
            return None
        check = options.body.spec.client_auth
        required = _CLIENT_CHECKS.get(check.client_auth_type or "") if check else None
        return None if required is None else ClientValidation(options.at("spec", "clientAuth"), required)

    def _options(self, item: AnyObject, tls: TLS | None) -> Iterator[Attachment]:
        """TLS options; without them Traefik takes its default ones (pkg/tls/tlsmanager.go)."""
        if tls is not None and tls.options is not None and tls.options.name != "default":
            place = item.at("spec", "tls", "options", "name")
            named = Named(tls.options.name, tls.options.namespace or item.namespace, place)
            consequence = "the TLS handshake fails"
            yield Attachment(
                place,
                GroupKind(GROUPS[0], "TLSOption"),
                named.namespace,
                named.name,
                find(self.graph, "TLSOption", named),
                consequence,
            )


# -- rules as routes ------------------------------------------------------------------------------------------------


class _Numbered(Struct, frozen=True):
    index: int
    alternative: Alternative


def _by_host(route: Route, written: Sequence[Alternative], place: Place) -> Iterator[Route]:
    """One route for each run of alternatives with the same host, since a route's hosts hold for all its matches."""
    numbered = [_Numbered(index, alternative) for index, alternative in enumerate(written)]
    for host, group in groupby(numbered, key=lambda item: item.alternative.host):
        items = list(group)
        yield replace(
            route,
            hostnames=(Sourced(host, Origin.EXPLICIT, place),) if host else (),
            matches=tuple(_match(item.alternative, place) for item in items),
            first_match=items[0].index,
        )


def _match(written: Alternative, place: Place) -> Match:
    path = written.path or PathMatch(PathMatchType.STRING_PREFIX, "/")
    return Match(
        Sourced(path, Origin.EXPLICIT if written.path else Origin.DEFAULT, place, "" if written.path else "no path"),
        headers=written.headers,
        query=written.query,
        method=written.method,
        condition=written.condition,
        expression=written.expression,
    )


def _priority(rule: str, priority: int, place: Place) -> Sourced[int]:
    """The longest rule wins, unless somebody sets a priority; 0 is none."""
    if priority:
        return Sourced(priority, Origin.EXPLICIT, place.at("priority"))
    return Sourced(len(rule), Origin.DERIVED, place.at("match"), "the length of the rule")


def apart_by_scheme(route: Route) -> Iterator[Route]:
    """A redirect to a scheme answers only what came by another: the route as it is for either.

    traefik/traefik:pkg/middlewares/redirect/redirect_scheme.go
    """
    redirect = next((item for item in route.filters if _is_scheme_redirect(item)), None)
    if redirect is None:
        yield route
        return
    secure = tuple(item for item in route.listeners if item.protocol.value == "HTTPS")
    plain = tuple(item for item in route.listeners if item.protocol.value != "HTTPS")
    to_secure = isinstance(redirect, RequestRedirect) and redirect.scheme == "https"
    redirected, served = (plain, secure) if to_secure else (secure, plain)
    if redirected:
        yield replace(route, listeners=redirected, filters=(redirect,), backends=(), fallback=None)
    if served:
        rest = tuple(item for item in route.filters if not _is_scheme_redirect(item))
        yield replace(route, listeners=served, filters=rest)


def _is_scheme_redirect(item: Filter) -> bool:
    return isinstance(item, RequestRedirect) and item.scheme is not None and item.host is None


@once_per_graph
def analyse(graph: ObjectGraph, resolver: BackendResolver) -> Analysis:
    """The analysis of a graph."""
    return Analysis(graph, resolver)
