"""## What it does
Finds load balancers that are given security groups of their own while nothing lets them reach the pods or nodes behind.

## What you see
504 from an ALB, connections that time out through an NLB. All targets are unhealthy ("Request timed out" or "Health checks
failed"), and `kubectl port-forward` works.

## Why it breaks
The AWS Load Balancer Controller makes a security group for each load balancer, and opens nodes and pods to it. Whoever
names groups instead takes both over: the controller then changes no rule of the nodes and pods, unless it is told to.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    alb.ingress.kubernetes.io/target-type: ip
    alb.ingress.kubernetes.io/security-groups: sg-0a1b2c3d
spec:
  ingressClassName: alb
  defaultBackend: {service: {name: shop, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80}]}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    alb.ingress.kubernetes.io/target-type: ip
    alb.ingress.kubernetes.io/security-groups: sg-0a1b2c3d
    alb.ingress.kubernetes.io/manage-backend-security-group-rules: "true"
spec:
  ingressClassName: alb
  defaultBackend: {service: {name: shop, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80}]}
```

## Fix
Let the controller manage the rules; or open the nodes and pods to the named groups elsewhere, and say so with
`manage-backend-security-group-rules: "false"`.

## Prove it
```sh
aws elbv2 describe-target-health --target-group-arn ARN --query 'TargetHealthDescriptions[].TargetHealth'
aws ec2 describe-security-group-rules --filters Name=group-id,Values=NODE_GROUP
```

## How sure
A warning: Terraform or the like may open them. Verified against the source of the AWS Load Balancer Controller, for
Ingresses, Services and LoadBalancerConfigurations. Silent where the controller of the set runs with
`--enable-manage-backend-security-group-rules`, where the parameters of the class let it manage the rules, and for Services
that the AWS cloud provider serves, which opens the nodes by itself.

## References
- https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/security_groups/
- https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2586
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Hop, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import Route
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule


class BackendAccessUnmanaged(Rule):
    """A load balancer with security groups of its own, to which nothing opens its targets."""

    code: ClassVar[str] = "IL217"
    name: ClassVar[str] = "backend-access-unmanaged"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "the load balancer's security groups are replaced, and nothing opens the targets to it"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "no security group lets the load balancer reach its targets",
            often=("504", "check-failed", "connect-timeout"),
            sometimes=("502", "503"),
        ),
    )

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks at what opens the targets of each backend."""
        found = next((backend for backend in route.backends if backend.unopened is not None), None)
        if found is not None and found.unopened is not None:
            yield self.finding(
                found.unopened.place,
                f"{route.gateway} gets these security groups instead of one that its controller opens the targets to, and "
                f"nothing here opens them: unless that is done elsewhere, clients get 504",
                path=way(route, found, Hop.LOAD_BALANCER),
                fix=found.unopened.value,
            )
