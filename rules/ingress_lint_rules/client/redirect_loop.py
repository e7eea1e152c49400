"""## What it does
Finds redirects that lead back to themselves, redirects to HTTPS behind a load balancer that has already ended TLS, and
applications that redirect to HTTPS behind a proxy that has.

## What you see
`ERR_TOO_MANY_REDIRECTS` in the browser; `curl -L` stops with `Maximum (50) redirects followed`.

## Why it breaks
A redirect to HTTPS must not answer what came by HTTPS. A route that hangs on both listeners of a Gateway does. So does a
controller whose load balancer opens TLS and passes plain HTTP on: to the controller every request is plain, unless it
goes by the X-Forwarded-Proto header of what stands in front.

## Example
Bad:
```yaml
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front}
spec:
  gatewayClassName: istio
  listeners:
    - {name: http, port: 80, protocol: HTTP}
    - {name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: shop-tls}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: to-https}
spec:
  parentRefs: [{name: front}]
  hostnames: [shop.example.com]
  rules:
    - filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]
```
Good:
```yaml
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front}
spec:
  gatewayClassName: istio
  listeners:
    - {name: http, port: 80, protocol: HTTP}
    - {name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: shop-tls}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: to-https}
spec:
  parentRefs: [{name: front, sectionName: http}]
  hostnames: [shop.example.com]
  rules:
    - filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]
```

## Fix
Let the redirect hang on the plain listener alone, or change its target. Behind a load balancer that ends TLS, let the
controller trust its forwarded headers (`use-forwarded-headers` on ingress-nginx), or redirect at the load balancer.

## Prove it
```sh
curl -sIL --max-redirs 3 https://HOST/
```

## How sure
An error where the redirect's own route answers its target. For load balancers, where the set shows the Service that ends
TLS, the controller behind it, and that this trusts no headers. Silent where either is not in the set. Applications are
known by the program that they start: Argo CD's server, unless it is told to be insecure, or may be.

## References
- https://gateway-api.sigs.k8s.io/guides/http-redirect-rewrite/
- https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/configmap/#use-forwarded-headers
- https://argo-cd.readthedocs.io/en/stable/operator-manual/ingress/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from typing import ClassVar, Final

from ingress_lint.controllers.lowering.competing import grounds, preference
from ingress_lint.controllers.registry import REGISTRY
from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.facts.evidence.redirecting import Redirecting, redirecting
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.objects.core import Service
from ingress_lint.routes import hostnames
from ingress_lint.routes.filters import RequestRedirect
from ingress_lint.routes.listeners import Listener
from ingress_lint.routes.matches import Match, PathMatch, PathMatchType
from ingress_lint.routes.matching import Candidate, path_matches
from ingress_lint.routes.model import BackendRef, Endpoint, Route
from ingress_lint.routes.sourced import Origin
from ingress_lint.routes.way import way, way_in
from ingress_lint.rule import Cause, Rule

_SCHEMES: Final = {"HTTP": "http", "HTTPS": "https"}
_PORTS: Final = {"http": 80, "https": 443}
_ENDS_TLS: Final = frozenset({"HTTPS", "TLS"})
_TLS_PORTS: Final = frozenset({443, 8443})


class RedirectLoop(Rule):
    """A redirect that clients never get past."""

    code: ClassVar[str] = "IL111"
    name: ClassVar[str] = "redirect-loop"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a redirect leads back to itself"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the redirect answers a request that it has itself caused",
            often=("redirect-loop",),
            sometimes=("check-wrong-status",),
        ),
    )

    def check_routes(self, routes: tuple[Route, ...], graph: ObjectGraph) -> Iterable[Finding]:
        """Follows each redirect of the set once, and looks for applications that redirect."""
        yield from self._by_applications(routes, graph)
        redirects = [route for route in routes if _redirect(route) is not None and route.owner.document.reported]
        if not redirects:
            return
        wanted = {id(route) for route in redirects}
        seen: set[int] = set()
        competing = grounds(graph, routes)
        named = {ground.host for ground in competing}
        for candidates in competing.values():
            for candidate in candidates:
                if id(candidate.route) not in wanted or id(candidate.route) in seen:
                    continue
                if _loops(candidate, candidates, named):
                    seen.add(id(candidate.route))
                    yield self._to_itself(candidate)
        yield from self._behind_load_balancers(redirects, routes)

    def _by_applications(self, routes: Sequence[Route], graph: ObjectGraph) -> Iterator[Finding]:
        """Routes that end TLS in front of a program that sends plain HTTP to HTTPS."""
        for route in routes:
            for backend in route.backends:
                if not backend.protocol.value.plain or not _ends_tls(route):
                    continue
                for endpoint in backend.endpoints:
                    container = endpoint.container
                    found = (
                        redirecting(listening_evidence(graph).of(container), graph) if container is not None else None
                    )
                    if found is not None:
                        yield self._by_application(route, backend, endpoint, found)

    def _by_application(self, route: Route, backend: BackendRef, endpoint: Endpoint, found: Redirecting) -> Finding:
        how = " (by default)" if backend.protocol.origin is Origin.DEFAULT else ""
        place = backend.port.place if backend.port else backend.place
        related = [Related(f"{found.title} is started here", found.place)]
        if backend.protocol.explicit:
            place, related = backend.protocol.place, [*related, Related("the port that is meant", place)]
        return self.finding(
            place,
            f"{route.gateway} ends TLS and speaks plain HTTP{how} to {backend.kind} `{backend.name}`, but {found.title} in "
            f"{endpoint.workload} sends every plain request to HTTPS; clients get a redirect loop ({found.status})",
            severity=Severity.WARNING if route.assumed else self.severity,
            related=related,
            path=way(route, backend, Hop.POD, endpoint),
            fix=f"start it with `{found.option}`, or tell {route.gateway} to speak HTTPS to it",
        )

    def _to_itself(self, candidate: Candidate) -> Finding:
        route, redirect = candidate.route, _redirect(candidate.route)
        assert redirect is not None  # noqa: S101 - asked for by the caller
        scheme = _SCHEMES[candidate.listener.protocol.value]
        port = candidate.listener.port.value
        shown = f"{scheme}://{candidate.hostname or '*'}" + ("" if _PORTS[scheme] == port else f":{port}")
        path = candidate.match.path.value.value if candidate.match else "/"
        secure = redirect.scheme == "https" and redirect.path is None
        return self.finding(
            redirect.place,
            f"{route.owner.kind} `{route.owner.name}` answers {shown}{path} with a redirect to what it answers itself; "
            f"clients get a redirect loop",
            severity=Severity.WARNING if route.assumed else self.severity,
            related=(Related(f"it is served on port {port}", candidate.listener.place or route.place),),
            path=way_in(route, "it redirects to itself"),
            fix="attach the redirect to the plain listener alone (`sectionName`)"
            if secure
            else "redirect to another scheme, host or path, or answer the target by a route of its own",
        )

    def _behind_load_balancers(self, redirects: Sequence[Route], routes: Sequence[Route]) -> Iterator[Finding]:
        """Redirects to HTTPS of controllers that get plain HTTP from a load balancer of the set."""
        balancers = [
            (route, listener)
            for route in routes
            if isinstance(route.owner.body, Service)
            for listener in route.listeners
            if listener.protocol.value in _ENDS_TLS
            and listener.tls is not None
            and listener.tls.mode.value == "Terminate"
        ]
        for route in redirects if balancers else ():
            redirect = _redirect(route)
            distrusting = next((item for item in route.listeners if _distrusts(item)), None)
            if redirect is None or redirect.scheme != "https" or distrusting is None:
                continue
            for balancer, listener in balancers:
                if any(
                    endpoint.number not in _TLS_PORTS
                    and not (endpoint.port and (endpoint.port.name or "").startswith("https"))
                    and _runs(endpoint.workload, route.controller.value)
                    for backend in balancer.backends
                    if backend.protocol.value.over_tls is False
                    for endpoint in backend.endpoints
                ):
                    trusted = distrusting.trusts_forwarded
                    yield self.finding(
                        redirect.place,
                        f"{route.gateway} redirects plain requests to HTTPS, but {listener.gateway} of Service "
                        f"`{balancer.owner.name}` ends TLS on port {listener.port.value} and passes them on plain, and "
                        f"{route.gateway} does not trust its X-Forwarded-Proto; clients get a redirect loop "
                        f"({redirect.status})",
                        related=(
                            Related(
                                f"{listener.gateway} ends TLS",
                                listener.tls.mode.place if listener.tls else balancer.place,
                            ),
                            *((Related("forwarded headers are not trusted", trusted.place),) if trusted else ()),
                        ),
                        path=way_in(route, "it redirects to HTTPS what came by HTTPS"),
                        fix=f"let {route.gateway} trust forwarded headers, or turn its redirect off and redirect at the "
                        f"load balancer",
                    )
                    break


def _redirect(route: Route) -> RequestRedirect | None:
    return next((step for step in route.filters if isinstance(step, RequestRedirect)), None)


def _ends_tls(route: Route) -> bool:
    return any(item.tls is not None and item.tls.mode.value == "Terminate" for item in route.listeners)


def _distrusts(listener: Listener) -> bool:
    trusted = listener.trusts_forwarded
    return listener.protocol.value == "HTTP" and trusted is not None and not trusted.value


def _runs(workload: Workload, controller: str) -> bool:
    """Whether the pods run a controller."""
    found = REGISTRY.get(controller)
    return found is not None and any(found.runs(item.container.image) for item in workload.containers)


def _loops(candidate: Candidate, others: Sequence[Candidate], named: Set[str]) -> bool:
    """Whether the target of a candidate's redirect is answered by the same redirect."""
    redirect, match = _redirect(candidate.route), candidate.match
    scheme = _SCHEMES.get(candidate.listener.protocol.value)
    if redirect is None or scheme is None or match is None or match.condition or _asks_of_scheme(match, redirect):
        return False
    port = candidate.listener.port.value
    target_port = redirect.port or (_PORTS.get(redirect.scheme) if redirect.scheme else port)
    if (redirect.scheme or scheme) != scheme or target_port != port:
        return False
    if redirect.host is not None and not _same_host(redirect.host.lower(), candidate.hostname, named):
        return False
    target = _target(redirect, match.path.value)
    if target is None or not path_matches(match.path.value, target):
        return False
    return all(
        other.route is candidate.route
        or other.match is None
        or not path_matches(other.match.path.value, target)
        or ((preferred := preference(candidate, other)).winner is candidate and preferred.sure)
        for other in others
    )


def _asks_of_scheme(match: Match, redirect: RequestRedirect) -> bool:
    """Whether it answers requests of another scheme than it sends to, by what a proxy in front says of that."""
    return any(
        header.name.lower() == "x-forwarded-proto"
        and not header.inverted
        and redirect.scheme not in (None, header.value)
        for header in match.headers
    )


def _same_host(target: str, host: str, named: Set[str]) -> bool:
    """Whether a request for the target's host surely comes to a route for `host`; any host may well be elsewhere."""
    return target == host or (host.startswith("*.") and target not in named and hostnames.matches(host, target))


def _target(redirect: RequestRedirect, path: PathMatch) -> str | None:
    """A path that a request of this match is sent to; None where it cannot be told."""
    if redirect.path is not None and "$" in redirect.path:
        return None
    if path.type not in (PathMatchType.EXACT, PathMatchType.PREFIX, PathMatchType.STRING_PREFIX):
        return None
    if redirect.path is None:
        return path.value
    target = redirect.path.partition("?")[0]
    return target if target.startswith("/") else None
