"""## What it does
Tells which Ingresses are served by a controller that its project has retired.

## What you see
Nothing yet. From the retirement on no fault and no vulnerability of the controller is fixed, and a later Kubernetes may
stop working with it, so that all of its routes fail at once.

## Why it breaks
The Kubernetes project ended ingress-nginx in March 2026: no releases, no bug fixes, no security updates. Installations
keep running, and every route through them depends on software that nobody maintains.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    nginx.ingress.kubernetes.io/proxy-body-size: 64m
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: web, port: {number: 80}}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
spec:
  ingressClassName: traefik
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: web, port: {number: 80}}}
```

## Fix
Move the routes to a maintained controller or to the Gateway API; `ingress2gateway` translates most of them. Rewrites,
snippets and regular expressions need a look of their own.

## Prove it
```sh
kubectl get ingressclass -o custom-columns=NAME:.metadata.name,CONTROLLER:.spec.controller
kubectl get pods -A -l app.kubernetes.io/name=ingress-nginx
```

## How sure
One note for all Ingresses of a set. Where only the class name `nginx` speaks for it, the message says so: F5's
controller has the same one and is maintained. Silent for Ingresses of which nothing tells the controller.

## References
- https://kubernetes.io/blog/2025/11/11/ingress-nginx-retirement/
- https://github.com/kubernetes-sigs/ingress2gateway
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import Route
from ingress_lint.routes.verdicts import Reason, Verdict
from ingress_lint.rule import Rule


class RetiredController(Rule):
    """Ingresses of a controller that nobody maintains."""

    code: ClassVar[str] = "IL116"
    name: ClassVar[str] = "retired-controller"
    severity: ClassVar[Severity] = Severity.NOTE
    summary: ClassVar[str] = "the serving controller has been retired by its project"
    reasons: ClassVar[frozenset[Reason]] = frozenset({Reason.RETIRED})

    def check_verdict(self, verdict: Verdict, route: Route | None, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports each retired controller of a set."""
        yield self.of_verdict(verdict)
