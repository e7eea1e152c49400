"""## What it does
Checks that what an object refers to in another namespace may be referred to from there.

## What you see
500 from a Gateway API implementation where the backend is of another namespace, a reset connection where the
certificate is. Ingress controllers show their own certificate; Traefik drops the whole route (404).

## Why it breaks
A namespace's owner decides who may use its Services and Secrets: for the Gateway API by a ReferenceGrant in that
namespace. It must name the group, kind and namespace that refer, and the group and kind referred to. Other controllers
follow no such reference at all, or only with an option.

## Example
Bad:
```yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: edge}
spec:
  parentRefs: [{name: front}]
  rules:
    - backendRefs: [{name: shop, namespace: shop, port: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: shop}
spec: {selector: {app: shop}, ports: [{port: 80}]}
```
Good:
```yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: edge}
spec:
  parentRefs: [{name: front}]
  rules:
    - backendRefs: [{name: shop, namespace: shop, port: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: shop}
spec: {selector: {app: shop}, ports: [{port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: edge, namespace: shop}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: edge}]
  to: [{group: "", kind: Service}]
```

## Fix
Add a ReferenceGrant to the namespace that is referred to, or keep both objects in one namespace.

## Prove it
```sh
kubectl -n NAMESPACE get referencegrant -o yaml
kubectl -n NAMESPACE get httproute ROUTE -o jsonpath='{.status.parents[*].conditions}'
```

## How sure
An error where the set holds ReferenceGrants of the other namespace, or objects of the kind referred to. A note where it
shows nothing of that namespace, as the grant may lie there too. A warning for a backend that gets no more than copies.

## References
- https://gateway-api.sigs.k8s.io/api-types/referencegrant/
- https://doc.traefik.io/traefik/providers/kubernetes-crd/#allowcrossnamespace
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


class ReferenceNotPermitted(Rule):
    """A reference into a namespace that does not allow it."""

    code: ClassVar[str] = "IL113"
    name: ClassVar[str] = "reference-not-permitted"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a reference into another namespace is not permitted there, or never followed"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the reference into another namespace is not followed",
            often=("500",),
            sometimes=("404", "503", "connection-reset", "no-route", "wrong-certificate"),
        ),
    )
    reasons: ClassVar[frozenset[Reason]] = frozenset({Reason.REF_NOT_PERMITTED})
    fields: ClassVar[frozenset[str]] = frozenset({"refusal"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports the backends."""
        yield from self.of_refusals(route, Reason.REF_NOT_PERMITTED)

    def check_verdict(self, verdict: Verdict, route: Route | None, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports certificates, authorities and whatever else is referred to."""
        yield self.of_verdict(verdict, way_in(route, "it does not follow the reference") if route else ())
