"""## What it does
Finds rules without a host on a controller that serves named hosts as well.

## What you see
The route answers for every name that leads to the load balancer and has no route of its own: a misspelt host shows this
application instead of 404. Where a named host has routes, its paths go to them alone, so that this route's paths are
404 there.

## Why it breaks
A rule without a host becomes the default virtual host of everything that shares the gateway, also of teams that know
nothing of it.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: status}
spec:
  ingressClassName: nginx
  rules:
    - http:
        paths:
          - {path: /status, pathType: Prefix, backend: {service: {name: status, port: {number: 80}}}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: status}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /status, pathType: Prefix, backend: {service: {name: status, port: {number: 80}}}}
```

## Fix
Name the host. To answer for all others on purpose, use `spec.defaultBackend`.

## Prove it
```sh
curl -si -H 'Host: no-such-name.example.com' http://ADDRESS/
```

## How sure
A warning. A note where nothing says which controller serves the objects. Silent where nothing else shares the gateway
with a host of its own, and for redirects, default backends and load balancers that serve one object.

## References
- https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-rules
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import ClassVar, Final

from ingress_lint.controllers.lowering.competing import Ground, grounds
from ingress_lint.finding import Finding, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.hostnames import ANY
from ingress_lint.routes.matching import Candidate
from ingress_lint.routes.model import Route
from ingress_lint.routes.way import way_in
from ingress_lint.rule import Cause, Rule

_READ: Final = frozenset({"HTTP", "HTTPS"})
_ENOUGH: Final = 2
"""Of so many objects one is another than any that is asked about."""


class CatchAllHost(Rule):
    """A route for any host beside routes for named ones."""

    code: ClassVar[str] = "IL102"
    name: ClassVar[str] = "catch-all-host"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "a rule without a host answers for every name that shares its controller"
    compares: ClassVar[bool] = True
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "a route without a host takes the requests of names that have no route, and loses those of names that have one",
            sometimes=("404", "no-route"),
        ),
    )

    def check_routes(self, routes: tuple[Route, ...], graph: ObjectGraph) -> Iterable[Finding]:
        """Looks, on each gateway, for objects without hosts beside objects with some; one finding for each object."""
        named: defaultdict[tuple[str, str], list[Route]] = defaultdict(
            list
        )  # the first of each object, for two or more
        nameless: defaultdict[tuple[str, str], list[Candidate]] = defaultdict(list)
        for ground, candidates in grounds(graph, routes).items():
            if ground.protocol not in _READ:
                continue
            if ground.host in (ANY, "*"):
                nameless[_gateway(ground)] += candidates
            elif len(known := named[_gateway(ground)]) < _ENOUGH:
                for candidate in candidates:
                    if len(known) < _ENOUGH and all(item.owner is not candidate.route.owner for item in known):
                        known.append(candidate.route)
        told: set[int] = set()
        for gateway, candidates in nameless.items():
            for candidate in candidates:
                route = candidate.route
                other = next((item for item in named[gateway] if item.owner is not route.owner), None)
                if other is None or id(route.owner) in told or not route.owner.document.reported or not route.backends:
                    continue
                told.add(id(route.owner))
                yield self._reported(route, other)

    def _reported(self, route: Route, other: Route) -> Finding:
        path = route.matches[0].path.value.value if route.matches else "/"
        host = other.hostnames[0] if other.hostnames else None
        shown = f"`{host.value}`" if host else "a host of its own"
        message = (
            f"{route.owner.kind} `{route.owner.name}` names no host for `{path}` on {route.gateway}, which serves {shown} "
            f"as well: it answers for every other name that leads there, and clients who mistype a host get its pages "
            f"instead of 404"
        )
        if route.assumed or other.assumed:
            message += f" (taking {route.controller.value} for their controller, which nothing says)"
        return self.finding(
            route.place,
            message,
            severity=Severity.NOTE if route.assumed or other.assumed else self.severity,
            related=(
                Related(f"{other.owner.kind} `{other.owner.name}` serves {shown}", host.place if host else other.place),
            ),
            path=way_in(route, "it takes every host"),
            fix="name the host, or use `spec.defaultBackend` to answer for all others on purpose",
        )


def _gateway(ground: Ground) -> tuple[str, str]:
    return ground.controller, ground.gateway
