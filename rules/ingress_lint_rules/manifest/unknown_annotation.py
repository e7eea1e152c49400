"""## What it does
Checks that every annotation under the prefix of a controller is one that it knows, with a value that it takes, and that
its administrator allows it.

## What you see
The setting does not apply: uploads over 1 MB get 413 although a limit is written, a slow request gets 504 after the
default 60 s, a pod that speaks TLS is spoken to in plain HTTP and answers 502 or 400.

## Why it breaks
Annotations are free text. Neither the API server nor most controllers refuse an unknown key, be it misspelt in the key
or in the prefix, and a value of the wrong form (`60s` where a number is due) is logged and replaced by the default.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    nginx.ingress.kubernetes.io/proxy-read-timout: "300"
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
Bad, a unit where a number is due:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    nginx.ingress.kubernetes.io/proxy-read-timeout: 300s
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
  annotations:
    nginx.ingress.kubernetes.io/proxy-read-timeout: "300"
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

## Fix
Take the key and the form of its value from the controller's list of annotations.

## Prove it
```sh
kubectl -n NAMESPACE get ingress INGRESS -o jsonpath='{.metadata.annotations}'
kubectl -n CONTROLLER_NAMESPACE logs deploy/CONTROLLER | grep -i annotation
```

## How sure
A warning for a key that is close to a known one, for one that only another controller knows, for a misspelt prefix and
for a value outside the legal ones. A note for a key that is like no other, which a newer release may know, for keys
that newer releases have dropped, for snippets where the set does not show the controller's settings, and where the
class does not tell the controller. Silent for values that a template
has still to fill in, for `kubernetes.io` and shared prefixes, and where other keys show that a second project is meant
which reads the same prefix.

## References
- https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/
- https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/
- https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/ingress/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import Route
from ingress_lint.routes.verdicts import Reason, Verdict
from ingress_lint.rule import Cause, Rule


class UnknownAnnotation(Rule):
    """An annotation that its controller does not know, or whose value it does not take."""

    code: ClassVar[str] = "IL008"
    name: ClassVar[str] = "unknown-annotation"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "an annotation has a key or a value that the controller it is meant for does not know"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "a misspelt annotation has no effect, and the default it was to change applies",
            sometimes=(
                "400",
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
    reasons: ClassVar[frozenset[Reason]] = frozenset({Reason.UNKNOWN_ANNOTATION})

    def check_verdict(self, verdict: Verdict, route: Route | None, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports keys and values that are not in the controller's table."""
        yield self.of_verdict(verdict)
