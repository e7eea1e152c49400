"""VirtualServers, each a host, and the VirtualServerRoutes that have parts of it.

nginx/kubernetes-ingress:internal/configs/virtualserver.go, internal/k8s/configuration.go (buildVirtualServerRoutes) and
pkg/apis/configuration/validation/virtualserver.go: one fault makes the whole object invalid, and nothing of it is served.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.controllers.nginx_inc import CONTROLLER
from ingress_lint.controllers.nginx_inc.hosts import HostClaim, Hosts
from ingress_lint.controllers.nginx_inc.listeners import GROUP, Listeners
from ingress_lint.controllers.nginx_inc.policies import NamedPolicies
from ingress_lint.controllers.nginx_inc.settings import Installation
from ingress_lint.controllers.nginx_inc.upstreams import upstream_backend
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Resolution
from ingress_lint.load.document import Place
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.objects.nginx_inc import (
    Action,
    Condition,
    PolicyReference,
    Split,
    Upstream,
    VirtualServer,
    VirtualServerRoute,
)
from ingress_lint.objects.nginx_inc import Route as WrittenRoute
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.filters import FixedResponse, HeaderModifier, RequestRedirect, URLRewrite
from ingress_lint.routes.listeners import Listener
from ingress_lint.routes.matches import Match, PathMatch, PathMatchType, ValueMatch
from ingress_lint.routes.model import Attachment, BackendRef, Filter, Route
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict
from ingress_lint.values.numbers import whole
from ingress_lint.values.urls import split_url

Server = KubernetesObject[VirtualServer]
_VIRTUAL_SERVER_ROUTE: Final = GroupKind(GROUP, "VirtualServerRoute")

_INVALID: Final = "F5 NGINX rejects the whole object, and clients get 404"
_PLUS_ONLY: Final = {"health_check": "healthCheck", "slow_start": "slow-start", "queue": "queue"}


def server_hosts(graph: ObjectGraph) -> Iterator[HostClaim]:
    """The hosts that VirtualServers want."""
    for item in graph.of(VirtualServer):
        if item.body.spec.host:
            yield HostClaim(item.body.spec.host, item, item.at("spec", "host"))


class _Part(Struct, frozen=True):
    """Where routes are written, a VirtualServer or a VirtualServerRoute, and the server that they belong to."""

    owner: AnyObject
    field: str
    upstreams: dict[str, tuple[Upstream, Place]]
    listeners: tuple[Listener, ...]
    host: Sourced[str] | None
    attached: tuple[Attachment, ...] = ()
    allowed_sources: tuple[Sourced[str], ...] = ()
    refusals: tuple[Verdict, ...] = ()


class VirtualServers:
    """The VirtualServers of one graph."""

    def __init__(
        self,
        graph: ObjectGraph,
        resolver: BackendResolver,
        installation: Installation,
        hosts: Hosts,
        listeners: Listeners,
    ) -> None:
        self._graph = graph
        self._resolver = resolver
        self._installation = installation
        self._hosts = hosts
        self._listeners = listeners
        self._used: set[AnyObject] = set()
        self.refusals: list[Verdict] = []

    def routes(self) -> Iterator[Route]:
        """The routes of every VirtualServer, then those of VirtualServerRoutes that none of the set uses."""
        for server in self._graph.of(VirtualServer):
            yield from self._server(server)
        for item in self._graph.of(VirtualServerRoute):
            if item not in self._used:
                complete = self._graph.context.assume == "complete"
                self._refuse(
                    Reason.NO_MATCHING_PARENT,
                    item,
                    item.name_place,
                    f"no VirtualServer of these manifests has a route to VirtualServerRoute `{item.namespace}/{item.name}`; "
                    f"unless another does, F5 NGINX leaves it out",
                    Certainty.KNOWN if complete else Certainty.UNKNOWN,
                )
                yield from self._part(self._of_route(item, (), None), item.body.spec.subroutes)

    def _server(self, server: Server) -> Iterator[Route]:
        spec = server.body.spec
        host = Sourced(spec.host, Origin.EXPLICIT, server.at("spec", "host")) if spec.host else None
        usable = self._valid(server, "upstreams") and self._hosts.serves(spec.host, server)
        listeners = self._listeners.of_server(server, usable=usable)
        policies = self._named(server, spec.policies, server.at("spec", "policies"))
        part = _Part(
            server,
            "routes",
            _upstreams(server),
            listeners.serving,
            host,
            tuple(policies.attached),
            policies.allowed,
            policies.refusals,
        )
        yield from self._part(part, spec.routes)
        redirect = spec.tls.redirect if spec.tls else None
        if redirect is not None and redirect.enable:
            place = server.at("spec", "tls", "redirect")
            by_header = redirect.based_on == "x-forwarded-proto"
            match = Match(
                Sourced(PathMatch(PathMatchType.PREFIX, "/"), Origin.DERIVED, place, "it redirects every path"),
                (ValueMatch("X-Forwarded-Proto", "http"),) if by_header else (),
            )
            yield Route(
                controller=_controller(server),
                owner=server,
                rule=len(spec.routes),
                place=place,
                listeners=listeners.serving if by_header else listeners.plain,
                hostnames=(host,) if host else (),
                matches=(match,),
                backends=(),
                filters=(RequestRedirect(place, redirect.code, scheme="https"),),
                priority=Sourced(1, Origin.DERIVED, place, "nginx looks at it before any path"),
            )

    # -- parts ----------------------------------------------------------------------------------------------------------

    def _of_route(self, item: KubernetesObject[Any], listeners: tuple[Listener, ...], server: _Part | None) -> _Part:
        """A VirtualServerRoute under the server that uses it; an invalid one is left out."""
        valid = self._valid(item, "upstreams")
        host = item.body.spec.host
        return _Part(
            item,
            "subroutes",
            _upstreams(item),
            listeners if valid else tuple(replace(listener, usable=False) for listener in listeners),
            server.host if server else Sourced(host, Origin.EXPLICIT, item.at("spec", "host")) if host else None,
            server.attached if server else (),
            server.allowed_sources if server else (),
            server.refusals if server else (),
        )

    def _part(self, part: _Part, routes: Sequence[WrittenRoute]) -> Iterator[Route]:
        for index, written in enumerate(routes):
            place = part.owner.at("spec", part.field, index)
            if written.route and part.field == "routes":
                yield from self._delegated(part, written, place)
            elif written.route_selector is not None and part.field == "routes":
                yield from self._selected(part, written)
            else:
                yield from self._route(part, index, written, place)

    def _delegated(self, part: _Part, written: WrittenRoute, place: Place) -> Iterator[Route]:
        namespace, _, name = written.route.rpartition("/")
        namespace = namespace or part.owner.namespace
        found = self._graph.named(VirtualServerRoute, namespace, name)
        if found is None:
            resolution: Resolution[Any] = self._graph.resolve(_VIRTUAL_SERVER_ROUTE, namespace, name)
            if resolution.object is None:
                why = "does not exist" if resolution.missing else f"is not in these manifests ({resolution.why})"
                self._refuse(
                    Reason.TARGET_NOT_FOUND,
                    part.owner,
                    place.at("route"),
                    f"path `{written.path}` of VirtualServer `{part.owner.name}` leads to VirtualServerRoute "
                    f"`{namespace}/{name}`, which {why}; without it clients get 404",
                    Certainty.of_missing(resolution.existence),
                )
            return
        yield from self._under(part, found, written.path, place.at("route"))

    def _selected(self, part: _Part, written: WrittenRoute) -> Iterator[Route]:
        """`routeSelector`: every VirtualServerRoute with these labels, in any namespace."""
        labels = written.route_selector.get("matchLabels") if isinstance(written.route_selector, dict) else None
        if not isinstance(labels, dict) or not labels:
            return
        for item in self._graph.of(VirtualServerRoute):
            if all(item.labels.get(key) == value for key, value in labels.items()):
                yield from self._under(part, item, written.path, item.at("spec", "host"))

    def _under(self, part: _Part, item: KubernetesObject[Any], path: str, place: Place) -> Iterator[Route]:
        self._used.add(item)
        listeners = part.listeners
        host, other = part.host, item.body.spec.host
        if host is not None and other != host.value:
            self._refuse(
                Reason.NO_MATCHING_LISTENER_HOSTNAME,
                item,
                item.at("spec", "host"),
                f"VirtualServerRoute `{item.name}` has host `{other}`, and the VirtualServer that leads to it "
                f"`{host.value}`; F5 NGINX leaves it out, and clients get 404",
                related=(("it is used here", place),),
                fix=f"set `host: {host.value}`",
            )
            listeners = tuple(replace(listener, usable=False) for listener in listeners)
        prefix = path if path.startswith("/") else ""
        for index, route in enumerate(item.body.spec.subroutes):
            if prefix and route.path.startswith("/") and not route.path.startswith(prefix):
                self._refuse(
                    Reason.UNSUPPORTED_VALUE,
                    item,
                    item.at("spec", "subroutes", index, "path"),
                    f"path `{route.path}` of VirtualServerRoute `{item.name}` does not start with `{prefix}`, the path that "
                    f"leads to it; {_INVALID}",
                    related=(("it is used here", place),),
                )
        yield from self._part(self._of_route(item, listeners, part), item.body.spec.subroutes)

    # -- routes ---------------------------------------------------------------------------------------------------------

    def _route(self, part: _Part, index: int, written: WrittenRoute, place: Place) -> Iterator[Route]:
        """What fits conditions first, then all else of the path."""
        path = Sourced(_path(written.path), Origin.EXPLICIT, place.at("path"))
        policies = self._named(part.owner, written.policies, place.at("policies"))
        bare = Route(
            controller=_controller(part.owner),
            owner=part.owner,
            rule=index,
            place=place,
            listeners=part.listeners,
            hostnames=(part.host,) if part.host else (),
            matches=(Match(path),),
            backends=(),
            attached=(*part.attached, *policies.attached),
            allowed_sources=policies.allowed or part.allowed_sources,
            allowed_by_peer=self._installation.goes_by_peer,
            refusals=(*part.refusals, *policies.refusals),
        )
        for number, case in enumerate(written.matches):
            at = place.at("matches", number)
            match = _conditioned(bare.matches[0], case.conditions)
            yield self._acted(replace(bare, matches=(match,)), part, case.action, case.splits, at)
        yield self._acted(replace(bare, first_match=len(written.matches)), part, written.action, written.splits, place)

    def _acted(self, bare: Route, part: _Part, action: Action | None, splits: Sequence[Split], place: Place) -> Route:
        """The route with what its requests come to: one action, or parts of them to several upstreams."""
        if action is not None:
            backends, filters = self._action(part, action, place.at("action"), bare.matches[0])
            return replace(bare, backends=backends, filters=filters)
        found: list[BackendRef] = []
        for index, split in enumerate(splits):
            at = place.at("splits", index, "action")
            backends, filters = self._action(part, split.action, at, bare.matches[0])
            found += [replace(backend, weight=split.weight, filters=filters) for backend in backends]
        return replace(bare, backends=tuple(found))

    def _action(
        self, part: _Part, action: Action, place: Place, match: Match
    ) -> tuple[tuple[BackendRef, ...], tuple[Filter, ...]]:
        if action.redirect is not None:
            return (), (_redirect(action.redirect.url, action.redirect.code, place.at("redirect")),)
        if action.return_ is not None:
            return (), (FixedResponse(place.at("return"), action.return_.code),)
        proxy = action.proxy
        name, at = (proxy.upstream, place.at("proxy", "upstream")) if proxy else (action.pass_, place.at("pass"))
        upstream = part.upstreams.get(name)
        if upstream is None:
            if name:
                message = f"{part.owner} leads to upstream `{name}`, which it does not define; {_INVALID}"
                self._refuse(Reason.TARGET_NOT_FOUND, part.owner, at, message)
            return (), ()
        written, defined = upstream
        backend = upstream_backend(
            self._graph, self._resolver, self._installation, part.owner.namespace, written, defined
        )
        filters: list[Filter] = []
        if proxy is not None and proxy.rewrite_path:
            filters.append(_rewrite(proxy.rewrite_path, match.path.value, place.at("proxy", "rewritePath")))
        for header in proxy.request_headers.set if proxy and proxy.request_headers else ():
            headers = place.at("proxy", "requestHeaders", "set")
            if header.name.lower() == "host":
                filters.append(URLRewrite(headers, host=header.value))
            else:
                filters.append(HeaderModifier(headers, set=((header.name, header.value),)))
        return (backend,), tuple(filters)

    # -- what else counts -----------------------------------------------------------------------------------------------

    def _named(self, owner: AnyObject, references: Sequence[PolicyReference], place: Place) -> NamedPolicies:
        named = NamedPolicies(self._graph, owner, references, place)
        self.refusals += named.verdicts
        return named

    def _valid(self, item: KubernetesObject[Any], field: str) -> bool:
        """Whether F5 NGINX without Plus takes its upstreams (rejectPlusResourcesInOSS)."""
        if self._installation.plus is not False or self._installation.container is None:
            return True
        for index, upstream in enumerate(item.body.spec.upstreams):
            for name, key in _PLUS_ONLY.items():
                if getattr(upstream, name):
                    self._refuse(
                        Reason.UNSUPPORTED_VALUE,
                        item,
                        item.at("spec", field, index, key),
                        f"upstream `{upstream.name}` of {item} sets `{key}`, which only NGINX Plus has; {_INVALID}",
                        related=(("NGINX without Plus runs here", self._installation.container.at("image")),),
                    )
                    return False
        return True

    def _refuse(
        self,
        reason: Reason,
        item: AnyObject,
        place: Place,
        message: str,
        certainty: Certainty = Certainty.KNOWN,
        related: tuple[tuple[str, Place], ...] = (),
        fix: str = "",
    ) -> None:
        self.refusals.append(Verdict(reason, item, place, message, certainty, related, fix))


def _controller(item: AnyObject) -> Sourced[str]:
    return Sourced(CONTROLLER, Origin.EXPLICIT, item.at("kind"), f"only F5 NGINX reads a {item.kind} of {GROUP}")


def _upstreams(item: KubernetesObject[Any]) -> dict[str, tuple[Upstream, Place]]:
    written: Sequence[Upstream] = item.body.spec.upstreams
    return {upstream.name: (upstream, item.at("spec", "upstreams", index)) for index, upstream in enumerate(written)}


def _path(text: str) -> PathMatch:
    """`=` exactly, `~` and `~*` by regular expression anywhere in the path, all else by characters, behind `^~` first."""
    if text.startswith("="):
        return PathMatch(PathMatchType.EXACT, text.removeprefix("=").strip())
    if text.startswith("^~"):
        return PathMatch(PathMatchType.STRING_PREFIX, text.removeprefix("^~").strip(), before_expressions=True)
    if text.startswith("~"):
        ignore_case = text.startswith("~*")
        expression = text.lstrip("~*").strip()
        if not expression.startswith("^"):
            expression = f".*{expression}"
        return PathMatch(PathMatchType.REGULAR_EXPRESSION, expression, ignore_case=ignore_case, open_end=True)
    return PathMatch(PathMatchType.STRING_PREFIX, text)


def _rewrite(target: str, path: PathMatch, place: Place) -> URLRewrite:
    """What replaces the path that matched; for a regular expression `target` may name its groups."""
    if path.type is PathMatchType.REGULAR_EXPRESSION:
        return URLRewrite(place, path=target, regex=path.value)
    return URLRewrite(place, path=target, replace_prefix=path.type is PathMatchType.STRING_PREFIX)


def _redirect(url: str, code: int, place: Place) -> RequestRedirect:
    """The parts of the URL that hold no variable."""
    parts = split_url(url) if "$" not in url else None
    if parts is None:
        scheme = url.partition("://")[0]
        return RequestRedirect(place, code, scheme=scheme if scheme in ("http", "https") else None)
    return RequestRedirect(place, code, parts.scheme or None, parts.hostname, _port(parts.netloc), parts.path or "/")


def _port(netloc: str) -> int | None:
    text = netloc.rpartition(":")[2]
    return whole(text) if ":" in netloc else None


def _conditioned(match: Match, conditions: Sequence[Condition]) -> Match:
    """A match with conditions, each a comparison by an nginx `map` (generateMatchesConfig)."""
    headers: list[ValueMatch] = []
    query: list[ValueMatch] = []
    method, rest = match.method, []
    for condition in conditions:
        value = condition.value.removeprefix("!")
        inverted = value != condition.value
        if condition.header:
            headers.append(_compared(condition.header, value, inverted=inverted))
        elif condition.cookie:
            headers.append(_compared("Cookie", value, inverted=inverted, cookie=condition.cookie))
        elif condition.argument:
            query.append(_compared(condition.argument, value, inverted=inverted))
        elif condition.variable == "$request_method" and not inverted and method in (None, value.upper()):
            method = value.upper()
        else:
            rest.append(f"{condition.variable} is {'not ' if inverted else ''}{value}")
    return replace(match, headers=tuple(headers), query=tuple(query), method=method, condition=" and ".join(rest))


def _compared(name: str, value: str, *, inverted: bool, cookie: str = "") -> ValueMatch:
    """A comparison without case, or by the expression behind `~` and `~*`; what is absent is empty to nginx."""
    ignore_case = not value.startswith("~") or value.startswith("~*")
    text = f".*(?:{value.lstrip('~*')}).*" if value.startswith("~") else re.escape(value)
    text = f"(?i:{text})" if ignore_case else text
    if cookie:
        text = rf"(?:.*;\s*)?{re.escape(cookie)}={text}(?:\s*;.*)?"
    return ValueMatch(name, text, "RegularExpression", inverted=inverted, or_absent=inverted is (value != ""))
