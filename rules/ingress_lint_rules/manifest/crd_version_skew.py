"""## What it does
Compares the Gateway API's definitions that a set installs with what the controller of the set is made for, and with the
versions and kinds that its objects have.

## What you see
"no matches for kind" or "ensure CRDs are installed first" when the manifests are applied, and 404 for the routes; or a
controller that restarts, or leaves routes without status.

## Why it breaks
A cluster has one release of the Gateway API, from one channel. A release serves each kind in some versions only, the standard
channel leaves experimental kinds out, and a controller that watches a kind or version which is not there cannot start.

## Example
Bad: the standard channel has no TCPRoute:
```yaml
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: gateways.gateway.networking.k8s.io
  annotations:
    gateway.networking.k8s.io/bundle-version: v1.2.1
    gateway.networking.k8s.io/channel: standard
spec:
  group: gateway.networking.k8s.io
  names:
    kind: Gateway
    plural: gateways
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
---
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TCPRoute
metadata: {name: db}
spec:
  parentRefs: [{name: edge}]
  rules: [{backendRefs: [{name: db, port: 5432}]}]
```
Good: the experimental channel has it:
```yaml
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: gateways.gateway.networking.k8s.io
  annotations:
    gateway.networking.k8s.io/bundle-version: v1.2.1
    gateway.networking.k8s.io/channel: experimental
spec:
  group: gateway.networking.k8s.io
  names:
    kind: Gateway
    plural: gateways
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
---
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TCPRoute
metadata: {name: db}
spec:
  parentRefs: [{name: edge}]
  rules: [{backendRefs: [{name: db, port: 5432}]}]
```

## Fix
Install the release and channel that the controller's documentation names, before the controller and the objects.

## Prove it
```sh
kubectl get crd gateways.gateway.networking.k8s.io -o jsonpath='{.metadata.annotations}'
kubectl api-resources --api-group gateway.networking.k8s.io
```

## How sure
A warning: another part of the cluster may install other definitions. It needs definitions in the set that tell their
release, as the project publishes them. What a controller is made for is known of Envoy Gateway 1.0 to 1.7, by its own table;
other controllers and releases are unknown, and silent.

## References
- https://gateway-api.sigs.k8s.io/concepts/versioning/
- https://gateway.envoyproxy.io/news/releases/matrix
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import Route
from ingress_lint.routes.verdicts import Reason, Verdict
from ingress_lint.rule import Cause, Rule


class CRDVersionSkew(Rule):
    """Definitions of another release than a controller or an object needs."""

    code: ClassVar[str] = "IL012"
    name: ClassVar[str] = "crd-version-skew"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "the Gateway API's definitions lack what the controller or the objects of the set need"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the definitions in the cluster lack a kind or version that is used",
            often=("apply-refused",),
            sometimes=("404", "no-route"),
        ),
    )
    reasons: ClassVar[frozenset[Reason]] = frozenset({Reason.VERSION_SKEW})

    def check_verdict(self, verdict: Verdict, route: Route | None, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports each version or kind that is lacking."""
        yield self.of_verdict(verdict)
