"""## What it does
Checks that backends are of a kind that the route's controller can send requests to.

## What you see
500 from Gateway API implementations, 404 from Ingress controllers, which leave the path out. The route's status says
`ResolvedRefs: False` with the reason `InvalidKind`.

## Why it breaks
A backend is a Service unless the controller knows more kinds. A Deployment or a Pod has no address that clients could
use, and a group written into the wrong field (`group: core`, `group: v1`) makes another kind of a Service.

## Example
Bad:
```yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: front}]
  rules:
    - backendRefs: [{group: apps, kind: Deployment, name: shop, port: 8080}]
```
Good:
```yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: front}]
  rules:
    - backendRefs: [{name: shop, port: 80}]
```

## Fix
Name a Service; make one where the pods have none.

## Prove it
```sh
kubectl -n NAMESPACE get httproute ROUTE -o jsonpath='{.status.parents[*].conditions}'
```

## How sure
An error for Kubernetes' own kinds, a warning for a group that no implementation is known to take, and for a backend that
gets no more than copies. Silent for those that
some implementation takes (ServiceImport, InferencePool, Backend...), and for Ingress controllers whose support for
resource backends is unknown.

## References
- https://gateway-api.sigs.k8s.io/reference/spec/#backendobjectreference
- https://kubernetes.io/docs/concepts/services-networking/ingress/#resource-backend
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import Route
from ingress_lint.routes.verdicts import Reason, Verdict
from ingress_lint.rule import Cause, Rule


class InvalidBackendKind(Rule):
    """A backend that no request can be sent to."""

    code: ClassVar[str] = "IL410"
    name: ClassVar[str] = "invalid-backend-kind"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a backend is of a kind that its controller sends no requests to"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause("the controller sends nothing to a backend of this kind", often=("500",), sometimes=("404", "no-route")),
    )
    reasons: ClassVar[frozenset[Reason]] = frozenset({Reason.INVALID_KIND})
    fields: ClassVar[frozenset[str]] = frozenset({"refusal"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports the backends of routes."""
        yield from self.of_refusals(route, Reason.INVALID_KIND)

    def check_verdict(self, verdict: Verdict, route: Route | None, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports paths that make no route, and what policies refer to."""
        yield self.of_verdict(verdict)
