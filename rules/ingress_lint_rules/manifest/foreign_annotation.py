"""## What it does
Checks that the annotations of an Ingress or a Service are ones that the controller which serves it reads.

## What you see
Nothing at all when you apply it, then a route that behaves as if the annotation were not there: 404 for a missing
rewrite, 502 where the pod expects TLS, 413 for larger uploads, 504 after the default timeout.

## Why it breaks
Every controller reads annotations under prefixes of its own and passes over all others in silence. Two projects share
the class name `nginx`: ingress-nginx of the Kubernetes project reads `nginx.ingress.kubernetes.io/`, F5's controller
reads `nginx.org/`. Two share `haproxy`: `haproxy.org/` and `haproxy-ingress.github.io/`. An example copied from the
other project's documentation is accepted and does nothing.

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
  ingressClassName: traefik
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
  annotations:
    traefik.ingress.kubernetes.io/router.entrypoints: websecure
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
Use the serving controller's own annotation for it, or name the class of the controller that was meant.

## Prove it
```sh
kubectl get ingressclass -o custom-columns=NAME:.metadata.name,CONTROLLER:.spec.controller
kubectl -n NAMESPACE get ingress INGRESS -o jsonpath='{.spec.ingressClassName}'
```

## How sure
A warning where an IngressClass, the image and options of a controller in the set or a class name that only one project
uses tells which controller serves the Ingress. A note where the class name means two projects, where the Ingress has
annotations of the serving controller as well, so that both may be meant, and for Services, which another route may
reach. Silent where nothing tells which controller serves it, where the same is said in the serving controller's own
words too, and where annotations of three or more controllers show a manifest for any of them. Annotations of other
software, such as cert-manager, external-dns or Argo CD, are nobody's here.

## References
- https://kubernetes.io/docs/concepts/services-networking/ingress-controllers/
- https://docs.nginx.com/nginx-ingress-controller/configuration/ingress-resources/advanced-configuration-with-annotations/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import Route
from ingress_lint.routes.verdicts import Reason, Verdict
from ingress_lint.rule import Cause, Rule


class ForeignAnnotation(Rule):
    """An annotation of another controller."""

    code: ClassVar[str] = "IL007"
    name: ClassVar[str] = "foreign-annotation"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "a routing annotation belongs to another controller than the one that serves the object"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "an annotation for another controller has no effect, and the default it was to change applies",
            sometimes=(
                "404",
                "413",
                "502",
                "504",
                "header-too-big",
                "plain-http-to-https",
                "premature-close",
                "redirect-loop",
                "response-timeout",
            ),
        ),
    )
    reasons: ClassVar[frozenset[Reason]] = frozenset({Reason.FOREIGN_ANNOTATION})

    def check_verdict(self, verdict: Verdict, route: Route | None, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports annotations that the serving controller passes over."""
        yield self.of_verdict(verdict)
