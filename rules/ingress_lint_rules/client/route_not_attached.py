"""## What it does
Checks that each route hangs on a listener: that its Gateway exists, has the listener and port that it names, takes its
kind and its namespace, and shares a hostname with it; that a Gateway takes the ListenerSets that name it; and that its
controller can read what it says: a Traefik rule, an HTTPProxy, a VirtualServer.

## What you see
404 from the gateway for every request to the route, or no connection where a ListenerSet's listener is not opened. The
route's status says `Accepted: False` with the reason `NoMatchingParent`, `NotAllowedByListeners` or
`NoMatchingListenerHostname`.

## Why it breaks
Both sides must agree. A route names its Gateway, and the Gateway's listeners say which namespaces, kinds and hostnames
they take; by default only routes of the Gateway's own namespace. Where they disagree the gateway leaves the route out.
So do Traefik, Contour and F5 NGINX with a route of their own kinds that is not valid, which only their log or its status
tells. GKE takes of several rules of an Ingress for one host the last alone.

## Example
Bad:
```yaml
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: edge}
spec:
  gatewayClassName: istio
  listeners:
    - {name: web, port: 80, protocol: HTTP}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: shop}
spec:
  parentRefs: [{name: front, namespace: edge}]
  rules:
    - backendRefs: [{name: shop, port: 80}]
```
Good:
```yaml
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: edge}
spec:
  gatewayClassName: istio
  listeners:
    - {name: web, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: shop}
spec:
  parentRefs: [{name: front, namespace: edge}]
  rules:
    - backendRefs: [{name: shop, port: 80}]
```

## Fix
Name the Gateway with its namespace, and a listener that it has. Widen the listener's `allowedRoutes`, or move the route.
Give the route a hostname that lies under the listener's.

## Prove it
```sh
kubectl -n NAMESPACE get httproute ROUTE -o jsonpath='{.status.parents}'
kubectl -n NAMESPACE describe gateway GATEWAY
```

## How sure
An error where the Gateway is in the set, or where the set holds other Gateways of that namespace. A warning where the
two are said to be of different namespaces only by where they happen to be applied, and where a Gateway of that name is in
another namespace. A note where the Gateway is not in the set, and for a route without parents.

## References
- https://gateway-api.sigs.k8s.io/concepts/api-overview/#attaching-routes-to-gateways
- https://gateway-api.sigs.k8s.io/guides/multiple-ns/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import Route
from ingress_lint.routes.verdicts import Reason, Verdict
from ingress_lint.routes.way import way_in
from ingress_lint.rule import Cause, Rule


class RouteNotAttached(Rule):
    """A route that no listener takes."""

    code: ClassVar[str] = "IL112"
    name: ClassVar[str] = "route-not-attached"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a route hangs on no listener, so that nobody serves it"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the route hangs on no listener, so the gateway does not know it",
            often=("404", "no-route"),
            sometimes=("connection-refused",),
        ),
    )
    reasons: ClassVar[frozenset[Reason]] = frozenset(
        {
            Reason.NO_MATCHING_PARENT,
            Reason.NOT_ALLOWED_BY_LISTENERS,
            Reason.NO_MATCHING_LISTENER_HOSTNAME,
            Reason.NOT_ALLOWED,
            Reason.UNSUPPORTED_VALUE,
        }
    )

    def check_verdict(self, verdict: Verdict, route: Route | None, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports routes and ListenerSets that a Gateway leaves out, and routes that their controller finds invalid."""
        if not _is_of_listener(verdict):
            path = way_in(route, f"no listener takes {verdict.object}") if route else ()
            yield self.of_verdict(verdict, path)


def _is_of_listener(verdict: Verdict) -> bool:
    """Whether a listener, and not a route itself, has a value that its controller does not take."""
    return verdict.reason is Reason.UNSUPPORTED_VALUE and bool(verdict.listener)
