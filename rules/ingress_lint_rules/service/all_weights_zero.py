"""## What it does
Checks that each rule sends its requests to some backend: that there is one, and that not every weight is 0.

## What you see
500 from Gateway API implementations, 503 from Traefik and Istio; connections that are refused for TCP.

## Why it breaks
Weight 0 means no traffic. Where all of them are 0, as after a canary that was switched off on both sides, no backend is
left, and a rule does not fall through to the next one: it matches and fails.

## Example
Bad:
```yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: front}]
  rules:
    - backendRefs:
        - {name: shop-blue, port: 80, weight: 0}
        - {name: shop-green, port: 80, weight: 0}
```
Good:
```yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: front}]
  rules:
    - backendRefs:
        - {name: shop-blue, port: 80, weight: 100}
        - {name: shop-green, port: 80, weight: 0}
```

## Fix
Give at least one backend a weight above 0, or add a backend. A rule that only redirects needs none.

## Prove it
```sh
kubectl -n NAMESPACE get httproute ROUTE -o jsonpath='{.spec.rules[*].backendRefs}'
```

## How sure
Always an error: the weights are written. Silent for rules that answer by themselves (redirects, fixed responses, filters
of an implementation's own).

## References
- https://gateway-api.sigs.k8s.io/reference/spec/#httpbackendref
- https://gateway-api.sigs.k8s.io/guides/traffic-splitting/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.filters import ExtensionFilter, FixedResponse, RequestRedirect
from ingress_lint.routes.model import Route
from ingress_lint.routes.way import way, way_in
from ingress_lint.rule import Cause, Rule


class AllWeightsZero(Rule):
    """A rule that no backend answers."""

    code: ClassVar[str] = "IL409"
    name: ClassVar[str] = "all-weights-zero"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "every backend of a rule has weight 0, or it has none at all"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "no backend of the rule gets a share of the requests",
            often=("500", "503"),
            sometimes=("connection-refused", "no-healthy-upstream"),
        ),
    )

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks at the weights of one rule."""
        backends = route.backends
        if any(backend.weight for backend in backends) or route.fallback is not None:
            return
        if any(isinstance(step, RequestRedirect | FixedResponse | ExtensionFilter) for step in route.filters):
            return
        owner = f"{route.owner.kind} `{route.owner.name}`"
        if not backends:
            yield self.finding(
                route.place,
                f"a rule of {owner} matches requests and names no backend for them; {_seen(route)}",
                path=way_in(route, "the rule has no backend"),
                fix="add a backend, or a redirect",
            )
            return
        names = ", ".join(f"`{backend.name}`" for backend in backends)
        every = f"both {names}" if len(backends) == 2 else f"its only backend {names}" if len(backends) == 1 else names
        yield self.finding(
            backends[0].place,
            f"a rule of {owner} matches requests and gives {every} weight 0; {_seen(route)}",
            related=[Related(f"`{backend.name}` has weight 0 as well", backend.place) for backend in backends[1:]],
            path=way(route, backends[0], Hop.SERVICE),
            fix="give at least one of them a weight above 0",
        )


def _seen(route: Route) -> str:
    """What clients see of a rule without backends."""
    if any(listener.protocol.value in ("TCP", "TLS", "UDP") for listener in route.listeners):
        return "no connection gets anywhere"
    if route.owner.kind == "GRPCRoute":
        return "clients get UNAVAILABLE"
    return f"clients get {route.broken.no_weight if route.backends else route.broken.none}"
