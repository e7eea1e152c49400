"""## What it does
Checks that a policy, filter or backend object that hangs on a route is one that its controller accepts: durations, sizes,
numbers, regular expressions, address ranges and header names, and that what it refers to itself is there and may be
referred to: Secrets of logins, keys of tokens, Services that are asked, scripts.

It knows Envoy Gateway's BackendTrafficPolicy, ClientTrafficPolicy, SecurityPolicy, EnvoyExtensionPolicy and Backend and
what it rejects of the filters of a route, F5 NGINX's Policy, and the policies within Contour's HTTPProxy.

## What you see
500 for every request of the routes that the object is for: Envoy Gateway and F5 NGINX would rather answer nothing than
serve a route without the limits or the login that somebody asked for. The object's status says `Accepted: False`, reason
`Invalid`, or state `Invalid`, reason `Rejected`. 404 from Contour, which serves nothing of such an HTTPProxy (`Valid: False`).

## Why it breaks
A CRD's schema says little of what is inside: the API server takes a Secret's name without looking for the Secret. The
controller finds out later, writes it into a status that nobody reads, and does without the object.

## Example
Bad:
```yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: shop}
spec:
  parentRefs: [{name: front}]
  rules: [{backendRefs: [{name: shop, port: 80}]}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: timeouts, namespace: shop}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}]
  timeout: {tcp: {connectTimeout: 10sec}}
```
Good:
```yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: shop}
spec:
  parentRefs: [{name: front}]
  rules: [{backendRefs: [{name: shop, port: 80}]}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: timeouts, namespace: shop}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}]
  timeout: {tcp: {connectTimeout: 10s}}
```

## Fix
Write what the controller takes, as the message says, or add what the object refers to. A reference to another namespace
needs a ReferenceGrant there, of which IL113 speaks.

## Prove it
```sh
kubectl -n NAMESPACE get KIND NAME -o jsonpath='{.status}'
```

## How sure
An error: each check is one that the controller's own code makes, and what is missing is missing from a set that holds
objects of that kind in that namespace. Silent where a value is a placeholder, where something in the set may make the
object that is referred to, and where the set holds none of its kind.

## References
- https://gateway.envoyproxy.io/docs/api/extension_types/
- https://gateway.envoyproxy.io/docs/concepts/gateway_api_extensions/
- https://docs.nginx.com/nginx-ingress-controller/configuration/policy-resource/
- https://github.com/nginx/kubernetes-ingress/issues/10463
- https://projectcontour.io/docs/main/config/jwt-verification/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import Route
from ingress_lint.routes.verdicts import Reason, Verdict
from ingress_lint.rule import Cause, Rule


class AttachedObjectInvalid(Rule):
    """Something that hangs on a route and that its controller rejects."""

    code: ClassVar[str] = "IL123"
    name: ClassVar[str] = "attached-object-invalid"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a policy, filter or backend object is there, and its controller rejects it"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause("the controller rejects a policy or filter, and answers for its routes itself", often=("500",)),
    )
    reasons: ClassVar[frozenset[Reason]] = frozenset({Reason.INVALID})
    fields: ClassVar[frozenset[str]] = frozenset({"refusal"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports the backends that a controller rejects, each on the way that leads there."""
        yield from self.of_refusals(route, Reason.INVALID)

    def check_verdict(self, verdict: Verdict, route: Route | None, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports what controllers reject."""
        yield self.of_verdict(verdict)
