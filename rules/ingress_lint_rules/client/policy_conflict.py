"""## What it does
Checks that each policy that hangs on a Gateway, listener, route or Service counts there: that no other one of its kind
has the same target, and that none nearer to the route takes its place where both seem meant to apply. It knows the
policies of Envoy Gateway, GKE, NGINX Gateway Fabric and kgateway, the AWS Load Balancer Controller's
TargetGroupConfiguration, Istio's DestinationRule and the Policies that F5 NGINX's VirtualServers name. Of
BackendTLSPolicies IL502 speaks.

## What you see
Nothing fails when it is applied. Requests are treated as if the policy were not there: without its timeout, its retries
or its health check, and without the login that a SecurityPolicy asks for. Its status says `Accepted: False`, reason
`Conflicted`, or `Overridden: True`.

## Why it breaks
A controller cannot follow two policies that say different things of one target. Most take the oldest, and of those created
together the first by name, so that another cluster or a new name decides otherwise. GKE and Envoy Gateway leave the
others out; NGINX Gateway Fabric does so with those that set a field which an older one sets; kgateway leaves out that
field, and Istio that `trafficPolicy` or subset. The AWS Load Balancer Controller takes whichever it meets first, F5 NGINX
the one that is named first.

Envoy Gateway also takes the policy nearest to the route alone: one with nothing but CORS for a route switches off the
login that another one asks for at the Gateway, unless it has a `mergeType`.

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
metadata: {name: retries, namespace: shop}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}]
  retry: {numRetries: 3}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: timeouts, namespace: shop}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}]
  timeout: {http: {requestTimeout: 60s}}
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
metadata: {name: shop, namespace: shop}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}]
  retry: {numRetries: 3}
  timeout: {http: {requestTimeout: 60s}}
```

## Fix
Write what both say into one policy, or give each a target of its own: a listener, a rule or a port with `sectionName`.
Where a policy for a route is to add to its Gateway's, set `mergeType` in it.

## Prove it
```sh
kubectl -n NAMESPACE get KIND NAME -o jsonpath='{.status}'
```

## How sure
A warning: the two exclude each other whatever else there is, but manifests seldom say which one is older, and somebody may
want the one that wins. Silent where policies are merged, where they are for different parts of a target, and where a nearer
policy sets some of what the farther one sets, or nothing at all, and so seems meant to take its place. DestinationRules for
some clients alone (`exportTo`, `workloadSelector`) are left out.

## References
- https://gateway-api.sigs.k8s.io/geps/gep-713/#conflict-resolution
- https://gateway.envoyproxy.io/docs/concepts/gateway_api_extensions/
- https://cloud.google.com/kubernetes-engine/docs/how-to/configure-gateway-resources
- https://istio.io/latest/docs/ops/best-practices/traffic-management/#split-virtual-services
- https://docs.nginx.com/nginx-ingress-controller/configuration/policy-resource/
- https://kgateway.dev/docs/envoy/latest/about/policies/trafficpolicy/
- https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/gateway/customization/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import Route
from ingress_lint.routes.verdicts import Reason, Verdict
from ingress_lint.rule import Cause, Rule


class PolicyConflict(Rule):
    """A policy that does not count for what it is for, as another one does."""

    code: ClassVar[str] = "IL124"
    name: ClassVar[str] = "policy-conflict"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "a policy has no effect, as an older or nearer one of its kind counts instead"
    compares: ClassVar[bool] = True
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "a policy's timeouts, retries or health checks do not apply, as another policy of its kind counts instead",
            sometimes=("504", "503"),
        ),
    )
    reasons: ClassVar[frozenset[Reason]] = frozenset({Reason.CONFLICTED, Reason.OVERRIDDEN})

    def check_verdict(self, verdict: Verdict, route: Route | None, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports the policies that lose to another one."""
        yield self.of_verdict(verdict)
