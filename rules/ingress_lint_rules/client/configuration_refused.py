"""## What it does
Finds the one object that makes its controller refuse all that it is given:

- a health check's path without a slash at its start, on Azure's Application Gateway, in an annotation or in the readiness
  probe that the check is derived from;
- two paths of a host that come to one nginx location, `/x` and `/x/` with pathType Prefix, on ingress-nginx;
- a wildcard in a path of type Prefix or Exact, on the AWS Load Balancer Controller, which then builds nothing for the whole
  group of Ingresses.

## What you see
Everything goes on as before, and nothing new arrives: later changes of any Ingress have no effect, and Pods that were
replaced are still asked at their old addresses (502, 504). A route that was not there before is 404. The controller's log
or the Ingress's events say why, such as `ApplicationGatewayProbePathIsInvalid`, `duplicate location` or
`FailedBuildModel`; an admission webhook says it to whoever applies the manifest.

## Why it breaks
Such a controller writes one configuration of all that it serves, and what takes it takes all of it or nothing. So one
mistake of one team stops the changes of all others.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /cart, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}
          - {path: /cart/, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /cart, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}
```

## Fix
Write what the message says; afterwards all that waited arrives.

## Prove it
```sh
kubectl -n NAMESPACE describe ingress NAME
```

## How sure
An error where the controller that serves the object is known. Silent where a path is a placeholder, and where anything makes the paths of a host regular expressions,
which nginx never calls duplicates. Seen live with ingress-nginx 1.11.

## References
- https://github.com/Azure/application-gateway-kubernetes-ingress/issues/1167
- https://github.com/kubernetes/ingress-nginx/issues/10090
- https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/spec/
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


class ConfigurationRefused(Rule):
    """Something for which a controller takes nothing new at all."""

    code: ClassVar[str] = "IL122"
    name: ClassVar[str] = "configuration-refused"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = (
        "one mistake makes the controller refuse its whole configuration, so that no change arrives"
    )
    compares: ClassVar[bool] = True
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the controller refuses the whole configuration, and what was there before goes on",
            often=("404", "502"),
            sometimes=("apply-refused", "no-route"),
        ),
    )
    reasons: ClassVar[frozenset[Reason]] = frozenset({Reason.CONFIGURATION_REFUSED})

    def check_verdict(self, verdict: Verdict, route: Route | None, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports what stops a whole configuration."""
        yield self.of_verdict(verdict, way_in(route, f"{route.gateway} takes nothing new") if route else ())
