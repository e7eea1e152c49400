"""## What it does
Finds routes that no request can reach, because another one on the same listener and host takes them all before.

## What you see
The application behind the route gets no request; clients get the other route's answer, or its 404.

## Why it breaks
Controllers differ in which of several routes they ask first. Istio, an ALB and the Gateway API's equal rules go in the
order in which they are written. ingress-nginx tries regular expressions by length, longest first, so that `/(.*)` comes
before `/api`. Traefik goes by priority.

## Example
Bad:
```yaml
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front}
spec:
  selector: {istio: ingressgateway}
  servers:
    - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.example.com]
  gateways: [front]
  http:
    - match: [{uri: {prefix: /shop}}]
      route: [{destination: {host: shop}}]
    - match: [{uri: {prefix: /shop/api}}]
      route: [{destination: {host: api}}]
```
Good:
```yaml
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front}
spec:
  selector: {istio: ingressgateway}
  servers:
    - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.example.com]
  gateways: [front]
  http:
    - match: [{uri: {prefix: /shop/api}}]
      route: [{destination: {host: api}}]
    - match: [{uri: {prefix: /shop}}]
      route: [{destination: {host: shop}}]
```

## Fix
Put the narrower route first, make the wider one narrower, or delete the one that is not needed.

## Prove it
```sh
ingress-lint trace MANIFESTS http://HOST/PATH
```

## How sure
A warning; a note where nothing says which controller serves the object. Silent where conditions that only the
controller understands may tell the two apart, where both do the same, and for two objects with the very same claim,
which conflicting-route reports.

## References
- https://istio.io/latest/docs/concepts/traffic-management/#routing-rule-precedence
- https://kubernetes.github.io/ingress-nginx/user-guide/ingress-path-matching/#path-priority
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.controllers.lowering.competing import (
    Preference,
    Takers,
    claim,
    grounds,
    preference,
    same_effect,
)
from ingress_lint.finding import Finding, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.routes.matching import Candidate
from ingress_lint.routes.model import Route
from ingress_lint.routes.way import way_in
from ingress_lint.rule import Cause, Rule


class ShadowedRoute(Rule):
    """A route that others leave nothing to."""

    code: ClassVar[str] = "IL109"
    name: ClassVar[str] = "shadowed-route"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "no request can reach a route, as another one comes before it"
    compares: ClassVar[bool] = True
    symptoms: ClassVar[tuple[Cause, ...]] = (Cause("another route takes the request first", often=("404",)),)

    def check_routes(self, routes: tuple[Route, ...], graph: ObjectGraph) -> Iterable[Finding]:
        """Asks of each written path whether it is shadowed wherever it is served."""
        shadowed: dict[Place, Preference] = {}
        reached: set[Place] = set()
        for candidates in grounds(graph, routes).values():
            takers = Takers(candidates)
            for candidate in candidates:
                place = _place(candidate)
                if _written(candidate) and place not in reached:
                    shadow = _shadow(candidate, takers)
                    if shadow is None:
                        reached.add(place)
                    else:
                        shadowed.setdefault(place, shadow)
        for place, first in shadowed.items():
            if place not in reached and first.loser.route.owner.document.reported:
                yield self._reported(first, place)

    def _reported(self, found: Preference, place: Place) -> Finding:
        winner, loser = found.winner, found.loser
        theirs, mine = _path(winner), _path(loser)
        assumed = loser.route.assumed
        other = "" if winner.route.owner is loser.route.owner else f" of {winner.route.owner}"
        message = (
            f"no request reaches path `{mine}` of {loser.route.owner.kind} `{loser.route.owner.name}`: "
            f"{loser.route.gateway} gives all of them to path `{theirs}`{other} ({found.reason}), and clients get "
            f"that route's answers or 404"
        )
        if assumed:
            message += f" (taking {loser.route.controller.value} for its controller, which nothing says)"
        return self.finding(
            place,
            message,
            severity=Severity.NOTE if assumed else self.severity,
            related=(Related(f"path `{theirs}` takes them before", _place(winner)),),
            path=way_in(loser.route, f"path {theirs} takes the request before"),
            fix="put the narrower route first, make the other one narrower, or delete the one that is not needed",
        )


def _written(candidate: Candidate) -> bool:
    """Whether its path is text of the object, and not one that the controller makes up."""
    return candidate.match is not None and "annotations" not in candidate.match.path.place.pointer


def _place(candidate: Candidate) -> Place:
    return candidate.match.path.place if candidate.match is not None else candidate.route.place


def _path(candidate: Candidate) -> str:
    return candidate.match.path.value.value if candidate.match is not None else ""


def _shadow(candidate: Candidate, takers: Takers) -> Preference | None:
    """What takes everything that a candidate asks for, None where nothing is known to."""
    if candidate.match is None:
        return None
    for other in takers.of(candidate.match):
        if (
            other.route is candidate.route
            or not _written(other)
            or _place(other) == _place(candidate)
            or (other.route.owner is not candidate.route.owner and claim(other) == claim(candidate))
        ):
            continue
        found = preference(other, candidate)
        if found.winner is other and found.sure and not same_effect(other.route, candidate.route):
            return found
    return None
