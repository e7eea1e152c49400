"""## What it does
Follows the URL that a proxy asks whether a request may pass (`auth-url`, `forwardAuth`), and the sign-in page it sends
clients to, where the same manifests serve that host or name that Service.

## What you see
500 for every page, with `auth request unexpected status: 404 while sending to client` (or 308, or 502) in
ingress-nginx's log; from Traefik the 404 or redirect of the login service instead of the page; `too many redirects` from
the browser where the sign-in page itself asks for a login.

## Why it breaks
The question is a request of its own, which goes through the same routes. A path that no route serves answers 404, a
plain URL of a host with TLS answers with a redirect that nobody follows, and a route that asks the same question before
it answers never comes to an end. nginx takes 2xx for yes and 401 and 403 for no, and makes 500 of anything else.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    nginx.ingress.kubernetes.io/auth-url: https://$host/oauth2/auth
    nginx.ingress.kubernetes.io/auth-signin: https://$host/oauth2/start
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: shop, port: {number: 80}}}
          - path: /oauth2
            pathType: Prefix
            backend: {service: {name: oauth2-proxy, port: {number: 80}}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    nginx.ingress.kubernetes.io/auth-url: https://$host/oauth2/auth
    nginx.ingress.kubernetes.io/auth-signin: https://$host/oauth2/start
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: shop, port: {number: 80}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: oauth2-proxy}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /oauth2
            pathType: Prefix
            backend: {service: {name: oauth2-proxy, port: {number: 80}}}
```

## Fix
Serve the login's paths by an object of their own that demands no login, and ask by the scheme that this host answers;
or ask the login's Service directly, by its name in the cluster.

## Prove it
```sh
curl -si AUTH_URL | head -n 1
```

## How sure
An error where another object serves the host, or the path is written beside the one that asks. A warning where nothing
but the asking object itself serves that host: the login's routes may be elsewhere. Silent for hosts that these manifests
do not serve, for URLs with variables other than the host, and where a condition decides that only the proxy understands.

## References
- https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#external-authentication
- https://nginx.org/en/docs/http/ngx_http_auth_request_module.html
- https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/forwardauth/
- https://haproxy-ingress.github.io/docs/configuration/keys/#auth-external
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import ClassVar, Final, NamedTuple

from ingress_lint.controllers.lowering.entries import Entry, entries
from ingress_lint.finding import Finding, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service
from ingress_lint.routes.answering import Answer, answer
from ingress_lint.routes.matches import PathMatchType
from ingress_lint.routes.matching import Request
from ingress_lint.routes.model import BackendRef, ExternalAuth, Route
from ingress_lint.routes.way import way_in
from ingress_lint.rule import Cause, Rule
from ingress_lint.values.urls import server_url

_PORTS: Final = {"http": 80, "https": 443}


class ExternalAuthTarget(Rule):
    """A login that cannot answer where it is asked."""

    code: ClassVar[str] = "IL119"
    name: ClassVar[str] = "external-auth-target"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "the URL that decides who may pass is not served, redirects, or demands that very login"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the login service answers neither yes nor no",
            often=("500", "login-not-asked"),
            sometimes=("403", "404"),
        ),
        Cause("the page that asks for a login asks for one itself", often=("redirect-loop",)),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"logins"})

    def check_routes(self, routes: tuple[Route, ...], graph: ObjectGraph) -> Iterable[Finding]:
        """Asks each login once for each host and object."""
        asking = [(route, step) for route in routes if route.owner.document.reported for step in route.logins]
        front = _Front(graph, routes)
        for route, step in asking:
            if step.backend is not None:
                yield from self._of_service(route, step, step.backend)
                yield from self._of_login(route, step, front)
            elif (found := self._of_url(route, step, front)) is not None:
                yield found
            else:
                yield from self._of_login(route, step, front)

    def _of_service(self, route: Route, step: ExternalAuth, backend: BackendRef) -> Iterator[Finding]:
        """The Service that is asked, and its port; another refusal of it is another rule's."""
        service = backend.service.object
        if backend.refusal is not None:
            return
        if backend.service.missing:
            why = f"which namespace `{backend.namespace}` does not have"
        elif service is not None and backend.service_port is None and _has_only_its_ports(service.body):
            why = f"which has no port {backend.port.value if backend.port else ''}"
        else:
            return
        yield self.finding(
            step.place,
            f"{route.gateway} asks {backend.kind} `{backend.name}` whether requests may pass, {why}; every request "
            f"fails",
            severity=self._severity(route, sure=True),
            related=[Related(f"Service `{service.name}` has other ports", service.at("spec", "ports"))]
            if service
            else (),
            path=way_in(route, "the login that it asks does not answer"),
            fix="name the Service and port that the login has",
        )

    def _of_url(self, route: Route, step: ExternalAuth, front: _Front) -> Finding | None:
        for target in _targets(step.url, route):
            met = front.meet(target, route)
            if met is None:
                continue
            winner = met.answer.selection.winner
            sure, why, then = met.sure(target, route), "", step.unclear
            if winner is None:
                why = f"and no route for `{target.host}` serves `{target.path}`, so that the answer is 404"
            elif met.answer.redirect is not None and not _trusts_others(met.answer):
                sure = True
                why = f"which {winner.route.owner} answers with a redirect ({met.answer.status}) that nobody follows"
            elif any(item.url == step.url for item in winner.route.logins):
                why = f"which {winner.route.owner} serves behind the same question, so that it is asked without end"
                then = "every request fails"
            if why:
                return self._found(route, step.place, f"asks {target} whether requests may pass", why, then, met, sure)
        return None

    def _of_login(self, route: Route, step: ExternalAuth, front: _Front) -> Iterator[Finding]:
        place = step.login_place
        for target in _targets(step.login, route) if place is not None else ():
            met = front.meet(target, route)
            if met is None or place is None:
                continue
            winner, what = met.answer.selection.winner, f"sends clients without a login to {target}"
            if winner is None:
                why = f"and no route for `{target.host}` serves `{target.path}`"
                yield self._found(route, place, what, why, "they get 404", met, met.sure(target, route))
            elif any(item.login == step.login for item in winner.route.logins):
                why = f"which {winner.route.owner} serves to those with a login only"
                yield self._found(route, place, what, why, "they get a redirect loop", met, met.sure(target, route))

    def _found(self, route: Route, place: Place, what: str, why: str, then: str, met: _Met, sure: bool) -> Finding:
        winner = met.answer.selection.winner
        if not sure:
            then += ", unless an object that is not in these manifests serves it"
        if winner is not None:
            related = Related(
                "this route answers there", winner.match.path.place if winner.match else winner.route.place
            )
        else:
            related = Related("this route of the host serves other paths", met.nearest.place)
        return self.finding(
            place,
            f"{route.gateway} {what}, {why}; {then}",
            severity=self._severity(route, sure=sure),
            related=[related],
            path=way_in(route, "the login that it asks does not answer"),
            fix="serve that path by an object of its own that demands no login"
            if winner is None or met.answer.redirect is None
            else "ask by https, or by the name of the login's Service in the cluster",
        )

    def _severity(self, route: Route, *, sure: bool) -> Severity:
        return self.severity if sure and not route.assumed else Severity.WARNING


class _Target(NamedTuple):
    """A URL, taken apart."""

    scheme: str
    host: str
    port: int
    path: str

    def __str__(self) -> str:
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}{self.path}"


class _Met(NamedTuple):
    """What answers a URL in the set."""

    answer: Answer
    naming: Sequence[Route]
    """The routes that name its host."""

    @property
    def nearest(self) -> Route:
        """A route of the host."""
        return self.naming[0]

    def sure(self, target: _Target, asking: Route) -> bool:
        """Whether the set holds what is meant to answer: a route written for that path, or the login's own host."""
        winner = self.answer.selection.winner
        if winner is not None and winner.match is not None:
            path = winner.match.path.value
            if path.type is PathMatchType.EXACT or len(path.value.rstrip("/*")) > 1:
                return True
        if any(host.value.lower() == target.host for host in asking.hostnames):
            return winner is None and any(route.owner is not asking.owner for route in self.naming)
        return True


class _Front:
    """Where requests enter the set."""

    def __init__(self, graph: ObjectGraph, routes: Sequence[Route]) -> None:
        self._graph = graph
        self._routes = routes

    @cached_property
    def _by_host(self) -> Mapping[str, list[Route]]:
        found: defaultdict[str, list[Route]] = defaultdict(list)
        for route in self._routes:
            for hostname in route.hostnames:
                found[hostname.value.lower()].append(route)
        return found

    @cached_property
    def _entries(self) -> list[Entry]:
        return entries(self._graph, self._routes, ())

    def meet(self, target: _Target, asking: Route) -> _Met | None:
        """What answers a URL; None where the set does not tell, or several gateways of it answer differently."""
        naming = self._by_host.get(target.host, ())
        if not naming or self._graph.incomplete:
            return None
        mine = {id(route) for route in naming}
        request = Request("http", target.host, target.port, secure=target.scheme == "https", path=target.path)
        answers = [
            answer(request, entry.table) for entry in self._entries if any(id(route) in mine for route in entry.routes)
        ]
        told = [found for found in answers if found.selection.refusal is None]
        if len(told) != 1 or len(answers) != 1:
            return None
        winner = told[0].selection.winner
        if winner is not None and (winner.match is None or winner.match.condition):
            return None
        return _Met(told[0], naming)


def _targets(url: str, route: Route) -> Iterator[_Target]:
    """What a URL means for each host of a route; nothing where it holds another variable."""
    hosts = [item.value.lower() for item in route.hostnames if "*" not in item.value] if "$" in url else [""]
    for host in hosts:
        written = url.replace("$http_host", host).replace("$host", host).partition("?")[0]
        parsed = server_url(written)
        if parsed is None:
            continue
        parts, port = parsed
        if parts.scheme in _PORTS and parts.hostname and "$" not in written:
            yield _Target(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], parts.path or "/")


def _has_only_its_ports(service: Service) -> bool:
    """Whether its address takes no ports but those it lists."""
    return service.spec.type != "ExternalName" and service.spec.cluster_ip != "None"


def _trusts_others(found: Answer) -> bool:
    """Whether the question may pass for one that came by TLS, as it carries the client's headers."""
    listener = found.selection.listener
    return listener is not None and listener.trusts_forwarded is not None and listener.trusts_forwarded.value
