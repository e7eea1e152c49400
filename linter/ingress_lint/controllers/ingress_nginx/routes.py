"""The routes that ingress-nginx makes of the Ingresses it serves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.controllers.ingress_nginx.answers import (
    from_other_name,
    to_app_root,
    unmatched_to_https,
    www_of,
)
from ingress_lint.controllers.ingress_nginx.filters import (
    ACME_CHALLENGE,
    canary_decisions,
    external_auth,
    own_redirect,
    path_filters,
    redirect_code,
    secrets,
)
from ingress_lint.controllers.ingress_nginx.hosts import Host, gather, made_by
from ingress_lint.controllers.ingress_nginx.installation import GATEWAY, installations, serving
from ingress_lint.controllers.ingress_nginx.refusals import located_twice, location_of, refused_path
from ingress_lint.controllers.ingress_nginx.remedies import remedies
from ingress_lint.controllers.ingress_nginx.settings import Settings
from ingress_lint.controllers.shared.base import Claim, IngressController, IngressObject, PathContext
from ingress_lint.controllers.shared.external_auth import asked_service
from ingress_lint.controllers.shared.redirects.to_slash import slash_redirects
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.networking import BackendReference
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.filters import RequestRedirect
from ingress_lint.routes.listeners import Listener, ListenerTLS
from ingress_lint.routes.matches import PathMatch, PathMatchType, ValueMatch
from ingress_lint.routes.model import Attachment, BackendRef, Filter, Route
from ingress_lint.routes.remedies import Remedies
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, KeepAlive, TargetKind, Timeouts
from ingress_lint.routes.verdicts import Fate, Verdict


class _Ingress(Struct, frozen=True):
    """What all paths of an Ingress share."""

    settings: Settings
    is_canary: bool
    redirect: RequestRedirect | None
    """What every request is answered with."""
    not_redirected: tuple[str, ...]
    """How the paths start that are served without TLS all the same."""
    http: Listener
    """Port 80."""
    allowed_sources: tuple[Sourced[str], ...]
    attached: tuple[Attachment, ...]


class IngressNginxRoutes(IngressController):
    """One run over one set: the facts of hosts and Ingresses, each worked out once."""

    gateway: ClassVar[str] = GATEWAY
    takes_target_port: ClassVar[bool] = True
    """kubernetes/ingress-nginx:internal/ingress/controller/controller.go serviceEndpoints"""

    def __init__(self, graph: ObjectGraph, claims: Sequence[Claim]) -> None:
        found = installations(graph)
        self._ingresses: dict[IngressObject, _Ingress] = {}
        self._twice: Mapping[Place, Verdict] = {}
        self._turned_away: Mapping[IngressObject, Verdict] = {}
        self._hosts: defaultdict[str, Host] = defaultdict(Host)
        self._listeners: dict[tuple[IngressObject, str, bool, bool], tuple[Listener, ...]] = {}
        self._filters: dict[tuple[IngressObject, str], tuple[Filter, ...]] = {}
        self._redirects: dict[tuple[IngressObject, str], RequestRedirect | None] = {}
        for claim in claims:
            ingress = claim.ingress
            settings = Settings(graph, serving(found, ingress, graph), ingress)
            own = self._ingresses[ingress] = self._ingress(graph, settings, claim)
            if not own.is_canary:
                gather(self._hosts, ingress, settings)

    def _ingress(self, graph: ObjectGraph, settings: Settings, claim: Claim) -> _Ingress:
        exempt = settings.text("no-tls-redirect-locations")
        prefixes = (exempt.value if exempt else ACME_CHALLENGE).split(",")
        port = Sourced(80, Origin.DEFAULT, claim.default_place)
        return _Ingress(
            settings,
            settings.boolean("canary", False).value,
            own_redirect(settings),
            tuple(prefix.strip() for prefix in prefixes if prefix.strip()),
            self._listener(settings, port, Sourced("HTTP", Origin.DEFAULT, claim.default_place), None),
            settings.list("allowlist-source-range") or settings.list("whitelist-source-range"),
            tuple(secrets(settings, graph, claim.ingress.namespace)),
        )

    # -- routes -------------------------------------------------------------------------------------------------------

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """What leads to backends, and what nginx answers by itself."""
        routes = tuple(self._routes(graph, claims, backends))
        return (*routes, *slash_redirects(routes))

    def _routes(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """Canaries join the paths that they stand in for; one without such a path is a route that no client reaches."""
        contexts = [context for claim in claims for context in self.paths(graph, claim, backends)]
        self._twice = self._located_twice(contexts)
        self._turned_away = self._refused_whole(contexts)
        canaries: defaultdict[tuple[str, ...], list[PathContext]] = defaultdict(list)
        for context in contexts:
            if self._own(context).is_canary:
                canaries[_location(context)].append(context)
        answered: set[tuple[IngressObject, str]] = set()
        for context in contexts:
            if self._own(context).is_canary:
                continue
            host = context.host.value if context.host else ""
            if (context.ingress, host) not in answered:
                answered.add((context.ingress, host))
                yield from self._own_answers(graph, context)
            yield from self._with_canaries(graph, context, canaries.pop(_location(context), []), backends)
        for left in canaries.values():
            for context in left:
                for route in self._with_canaries(graph, context, [], backends):
                    yield replace(route, listeners=())

    def _located_twice(self, contexts: Iterable[PathContext]) -> Mapping[Place, Verdict]:
        """The paths that come to the location of another one; the same path of several Ingresses is one location."""
        first: dict[tuple[str, str], PathContext] = {}
        found: dict[Place, Verdict] = {}
        for context in contexts:
            location = None if self._own(context).is_canary or self._passes_through(context) else location_of(context)
            if (
                location is None
                or self._host(context).regex is not None
                or context.claim.controller.origin is Origin.DEFAULT
            ):
                continue
            other = first.setdefault((context.host.value if context.host else "", location), context)
            if (other.path_value, other.path_type) != (context.path_value, context.path_type):
                found[context.place] = located_twice(other, context)
        return found

    def _refused_whole(self, contexts: Iterable[PathContext]) -> Mapping[IngressObject, Verdict]:
        """The Ingresses that the webhook turns away, each for the first path that it does not take."""
        found: dict[IngressObject, Verdict] = {}
        for context in contexts:
            refusal = refused_path(context, self._of(context))
            if refusal is not None and refusal.fate is Fate.NOT_APPLIED:
                found.setdefault(context.ingress, refusal)
        return found

    def _with_canaries(
        self, graph: ObjectGraph, context: PathContext, canaries: Sequence[PathContext], backends: BackendResolver
    ) -> Iterator[Route]:
        """The route of a path, with at most one canary, which inherits every setting of the path (annotations.md)."""
        own = self._own(context)
        route = self.route(graph, context)
        if own.redirect is not None:
            yield replace(route, filters=(own.redirect,), backends=())
            return
        route = replace(
            route,
            filters=(*self._auth(graph, context, backends), *route.filters),
            fallback=self._fallback(graph, context, backends),
            allowed_sources=own.allowed_sources,
            allowed_by_peer=own.settings.goes_by_peer,
            passthrough_refused=self._passthrough_refused(context),
            attached=own.attached,
        )
        for canary in canaries[:1]:
            wishes = self._of(canary)
            backend = self.backend(graph, replace(canary, claim=context.claim))
            decisions = canary_decisions(wishes)
            for condition, to_canary in decisions:
                yield replace(
                    route,
                    owner=canary.ingress,
                    place=canary.place,
                    matches=tuple(replace(match, headers=(*match.headers, condition)) for match in route.matches),
                    backends=(backend,) if to_canary else route.backends,
                )
            total = max(wishes.integer("canary-weight-total", 100).value, 100)
            weight = min(wishes.integer("canary-weight", 0).value, total)
            if weight or not decisions:
                backends_by_weight = (
                    *(replace(main, weight=total - weight) for main in route.backends),
                    replace(backend, weight=weight),
                )
                route = replace(route, backends=backends_by_weight)
        yield route
        https = self._https_redirect(context)
        if https is not None:
            # where only the header tells a request that came by TLS, the two share the listener
            matches = tuple(replace(match, headers=()) if match.headers else match for match in route.matches)
            yield replace(route, listeners=(own.http,), matches=matches, filters=(https,), backends=(), fallback=None)

    def route(self, graph: ObjectGraph, context: PathContext) -> Route:
        """The route of one path, for its host and every alias of it."""
        route = super().route(graph, context)
        host = self._host(context)
        if context.is_default:
            return self._default(route, context.ingress)
        if context.host is not None and host.aliases:
            aliases = (alias for alias in host.aliases if alias.value not in self._hosts)
            route = replace(route, hostnames=(*route.hostnames, *aliases))
        if host.tls is None and self._https_redirect(context) is not None and not self._passes_through(context):
            by_tls = ValueMatch("X-Forwarded-Proto", "https")
            route = replace(route, matches=tuple(replace(match, headers=(by_tls,)) for match in route.matches))
        refusal = refused_path(context, self._of(context))
        if refusal is not None:
            route = replace(route, matches=tuple(replace(match, refusal=refusal) for match in route.matches))
        whole = None if refusal is not None else self._turned_away.get(context.ingress)
        return replace(route, refusals=tuple(filter(None, (refusal, whole, self._twice.get(context.place)))))

    def _default(self, route: Route, ingress: IngressObject) -> Route:
        """The default backend of an Ingress: for everything where it has no rules, else for the servers that it makes.

        internal/ingress/controller/controller.go, createServers.
        """
        hosts = tuple(made_by(ingress, self._hosts))
        return replace(
            route, hostnames=hosts, listeners=route.listeners if hosts or not ingress.body.spec.rules else ()
        )

    def _own_answers(self, graph: ObjectGraph, context: PathContext) -> Iterator[Route]:
        """What nginx answers for the host of an Ingress by itself."""
        if context.host is None or self._passes_through(context):
            return
        own, host, name = self._own(context), self._host(context), context.host.value
        bare = self._bare(graph, context)
        yield from to_app_root(replace(bare, listeners=self.listeners(graph, context)), own.settings)
        if www_of(name) not in self._hosts:
            yield from from_other_name(bare, own.settings, name)
        makes = host.first is context.ingress and host.tls is not None and not host.catches_all
        redirect = self._redirect(own, host) if makes else None
        if redirect is not None:
            yield replace(unmatched_to_https(bare, redirect), listeners=(own.http,))

    def _bare(self, graph: ObjectGraph, context: PathContext) -> Route:
        """The host of a path, with and without TLS, and nothing that it leads to."""
        own = self._own(context)
        secure = tuple(listener for listener in self.listeners(graph, context) if listener is not own.http)
        return replace(self.route(graph, context), listeners=(own.http, *secure), backends=(), filters=())

    def _fallback(self, graph: ObjectGraph, context: PathContext, backends: BackendResolver) -> BackendRef | None:
        """The Service of the `default-backend` annotation, by its first port."""
        named = self._of(context).text("default-backend")
        if named is None:
            return None
        name = named.value.strip()
        service = graph.service(context.ingress.namespace, name)
        port = backends.port_at(service, 0) if service is not None and service.body.spec.ports else None
        reference = BackendReference(name, None, (), ())
        return self.backend(
            graph,
            replace(context, backend_place=named.place, reference=reference, service=service, service_port=port),
        )

    def _auth(self, graph: ObjectGraph, context: PathContext, backends: BackendResolver) -> tuple[Filter, ...]:
        asked = None if self._passes_through(context) else external_auth(self._of(context), context.path_value or "/")
        if asked is None:
            return ()
        backend = asked_service(graph, backends, asked.url, context.ingress.namespace, asked.place)
        return (replace(asked, backend=backend),)

    # -- the client's side --------------------------------------------------------------------------------------------

    def _own(self, context: PathContext) -> _Ingress:
        return self._ingresses[context.claim.ingress]

    def _of(self, context: PathContext) -> Settings:
        return self._ingresses[context.claim.ingress].settings

    def _host(self, context: PathContext) -> Host:
        return self._hosts[context.host.value if context.host else ""]

    def _listener(
        self,
        settings: Settings,
        port: Sourced[int],
        protocol: Sourced[str],
        tls: ListenerTLS | None,
        hostname: Sourced[str] | None = None,
    ) -> Listener:
        told = settings.installation.config is not None or settings.installation.seen
        return Listener(
            self.gateway,
            port,
            protocol,
            hostname=hostname,
            tls=tls,
            takes_proxy_protocol=settings.boolean("use-proxy-protocol", False) if told else None,
            trusts_forwarded=settings.boolean("use-forwarded-headers", False) if told else None,
        )

    def listeners(self, graph: ObjectGraph, context: PathContext) -> tuple[Listener, ...]:
        """Worked out once for the paths of an Ingress on one host that are treated alike."""
        host = context.host.value if context.host else ""
        key = context.ingress, host, self._passes_through(context), self._https_redirect(context) is None
        if key not in self._listeners:
            self._listeners[key] = self._opened(context)
        return self._listeners[key]

    def _opened(self, context: PathContext) -> tuple[Listener, ...]:
        """Port 80, and 443 for a host with a TLS block; only 443 where plain HTTP is redirected or TLS passed through.

        nginx opens 443 for every host, with a certificate that no client trusts where there is no TLS block.
        """
        settings, host = self._of(context), self._host(context)
        if self._passes_through(context):
            asked = settings.boolean("ssl-passthrough", False)
            tls = ListenerTLS(Sourced("Passthrough", asked.origin, asked.place), tuple(host.certificates))
            port = Sourced(443, Origin.DERIVED, asked.place, "ssl-passthrough")
            return (self._listener(settings, port, Sourced("TLS", Origin.DERIVED, asked.place), tls, context.host),)
        http = self._own(context).http
        if host.tls is None:
            return (http,)
        port = Sourced(443, Origin.DERIVED, host.tls, "a TLS block names the host")
        tls = ListenerTLS(Sourced("Terminate", Origin.DERIVED, host.tls), tuple(host.certificates))
        https = self._listener(settings, port, Sourced("HTTPS", Origin.DERIVED, host.tls), tls)
        return (https,) if self._https_redirect(context) is not None else (http, https)

    def _https_redirect(self, context: PathContext) -> RequestRedirect | None:
        """`force-ssl-redirect`, or `ssl-redirect` for a host with a certificate (rootfs/etc/nginx/lua/lua_ingress.lua).

        The first looks at X-Forwarded-Proto where that is trusted, so it also serves TLS that ends further out.
        """
        own = self._own(context)
        if (context.path_value or "/").startswith(own.not_redirected):
            return None
        key = context.ingress, context.host.value if context.host else ""
        if key not in self._redirects:
            self._redirects[key] = self._redirect(own, self._host(context))
        return self._redirects[key]

    @staticmethod
    def _redirect(own: _Ingress, host: Host) -> RequestRedirect | None:
        settings = own.settings
        forced, plain = settings.boolean("force-ssl-redirect", False), not settings.preserves_slash
        if forced.value:
            return RequestRedirect(forced.place, redirect_code(settings), scheme="https", drops_last_slash=plain)
        wanted = settings.boolean("ssl-redirect", True)
        if not wanted.value or host.tls is None or own.redirect is not None:
            return None
        place = wanted.place if wanted.explicit else host.tls
        return RequestRedirect(place, redirect_code(settings), scheme="https", drops_last_slash=plain)

    def _passes_through(self, context: PathContext) -> bool:
        wanted = self._of(context).boolean("ssl-passthrough", False).value
        return wanted and self._passthrough_refused(context) is None

    def _passthrough_refused(self, context: PathContext) -> Sourced[str] | None:
        """Passthrough needs the controller's flag, a host to recognise by SNI, and works for / alone."""
        settings = self._of(context)
        asked = settings.boolean("ssl-passthrough", False)
        if not asked.value:
            return None
        enabled = settings.installation.passthrough
        if enabled is not None and not enabled.value:
            return Sourced("ingress-nginx runs without `--enable-ssl-passthrough`", Origin.EXPLICIT, asked.place)
        if context.host is None:
            return Sourced("without a host there is no server name to recognise it by", Origin.EXPLICIT, asked.place)
        root, own = self._host(context).root, context.reference
        if (context.path_value or "/") != "/" and root != (context.ingress.namespace, own.service, own.port):
            rest = "" if root else ", which this host does not have"
            why = f"ingress-nginx passes TLS through to the backend of path `/` alone{rest}"
            return Sourced(why, Origin.EXPLICIT, context.place.at("path"))
        return None

    def path_match(self, graph: ObjectGraph, context: PathContext) -> Sourced[PathMatch]:
        """By specification, all types but Exact as Prefix, of which one with a slash at its end takes what is below alone
        (internal/ingress/controller/location.go); regular expressions where anything on the host asks for them.

        Then every path of the host matches from its start, without its end and without case, Exact ones included
        (internal/ingress/controller/template/template.go, buildLocation; docs/user-guide/ingress-path-matching.md).
        """
        value = context.path_value or "/"
        place = context.place if context.is_default else context.place.at("path")
        regex = None if context.is_default else self._host(context).regex
        if regex is not None:
            match = PathMatch(PathMatchType.REGULAR_EXPRESSION, value, ignore_case=True, open_end=True)
            return Sourced(match, Origin.DERIVED, place, f"{regex.value} makes every path of the host one")
        if context.path_type == "Exact":
            kind = PathMatchType.EXACT
        else:
            kind = PathMatchType.STRING_PREFIX if value != "/" and value.endswith("/") else PathMatchType.PREFIX
        return Sourced(PathMatch(kind, value), Origin.EXPLICIT, place)

    def filters(self, graph: ObjectGraph, context: PathContext) -> tuple[Filter, ...]:
        """`rewrite-target`, `upstream-vhost` and added headers, unless TLS passes through."""
        if self._passes_through(context):
            return ()
        key = context.ingress, context.path_value or "/"
        if key not in self._filters:
            self._filters[key] = tuple(path_filters(self._of(context), key[1]))
        return self._filters[key]

    # -- the pods' side -----------------------------------------------------------------------------------------------

    def protocol(self, graph: ObjectGraph, context: PathContext) -> Sourced[AppProtocol]:
        """`backend-protocol`, or TLS as it came."""
        if self._passes_through(context):
            asked = self._of(context).boolean("ssl-passthrough", False)
            return Sourced(AppProtocol.TLS, Origin.DERIVED, asked.place, "ssl-passthrough")
        return self._of(context).protocol

    def target(self, graph: ObjectGraph, context: PathContext) -> Sourced[TargetKind]:
        """Pods; the cluster IP with `service-upstream` where there is one, and for TLS passed through."""
        settings = self._of(context)
        if self._passes_through(context):
            asked = settings.boolean("ssl-passthrough", False)
            return Sourced(TargetKind.CLUSTER_IP, Origin.DERIVED, asked.place, "ssl-passthrough")
        wanted = settings.boolean("service-upstream", False)
        if wanted.value and not (context.service and context.service.body.spec.headless):
            return Sourced(TargetKind.CLUSTER_IP, wanted.origin, wanted.place)
        return Sourced(TargetKind.POD, Origin.DEFAULT, context.default_place())

    def remedies(self, context: PathContext) -> Remedies:
        """Annotations under its own prefix (docs/user-guide/nginx-configuration/annotations.md)."""
        return remedies(self._of(context).installation.prefix)

    def timeouts(self, graph: ObjectGraph, context: PathContext) -> Timeouts:
        """Those of the Ingress; none on TLS passed through."""
        return Timeouts() if self._passes_through(context) else self._of(context).timeouts

    def keep_alive(self, graph: ObjectGraph, context: PathContext) -> KeepAlive:
        """That of the Ingress; clients keep their own on TLS passed through."""
        return KeepAlive() if self._passes_through(context) else self._of(context).keep_alive

    def body_limit(self, graph: ObjectGraph, context: PathContext) -> Sourced[int] | None:
        """That of the Ingress; none on TLS passed through."""
        return None if self._passes_through(context) else self._of(context).body_limit

    def header_limit(self, graph: ObjectGraph, context: PathContext) -> Sourced[int] | None:
        """That of the Ingress; none on TLS passed through."""
        return None if self._passes_through(context) else self._of(context).header_limit


def _location(context: PathContext) -> tuple[str, ...]:
    """What a canary has in common with the path it stands in for (controller.go, mergeAlternativeBackends)."""
    kind = "Exact" if context.path_type == "Exact" else "Prefix"
    host = context.host.value if context.host else ""
    return context.ingress.namespace, host, context.path_value or "/", kind
