"""## What it does
Checks that a controller takes each Ingress and each Gateway: that its class is there, that an Ingress without a class
gets a default one, that no two classes are the default.

## What you see
Nothing: `kubectl get ingress` shows no address, the Gateway's status stays `Pending`, and no controller logs a word.
Clients get 404 from a controller that serves the host for nobody, or no connection at all.

## Why it breaks
A controller looks only at objects of its own class. The API server does not check that the class exists. An Ingress
without a class gets the default one when it is created; without a default most controllers pass it over, and with two
defaults the API server refuses it.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx-public}
spec: {controller: k8s.io/ingress-nginx}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: public-nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx-public}
spec: {controller: k8s.io/ingress-nginx}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx-public
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}
```

## Fix
Name a class that exists. Where an Ingress should have none, mark one class with
`ingressclass.kubernetes.io/is-default-class: "true"`, and only one.

## Prove it
```sh
kubectl get ingressclass,gatewayclass
kubectl -n NAMESPACE get ingress INGRESS
kubectl -n NAMESPACE describe gateway GATEWAY
```

## How sure
An error where the set defines other classes and nobody else is known to bring this one. A warning where a class of the
same controller is defined under another name, where the controller of the set is started as another one than its class
names (`--controller-class`), or where the older annotation names the class, which needs no
IngressClass. A note where the name is one that a known controller's classes go by, and for Ingresses without a class,
one note for all of them, where the set defines none. Silent for classes that controllers, their charts and clouds make
themselves (`nginx`, `alb`, `istio`, `gke-l7-*`, `azure-alb-external`...), and where a controller of the set takes
Ingresses without a class.

## References
- https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-class
- https://gateway-api.sigs.k8s.io/api-types/gatewayclass/
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


class NoController(Rule):
    """An Ingress or a Gateway that no controller serves."""

    code: ClassVar[str] = "IL101"
    name: ClassVar[str] = "no-controller"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "no controller takes the Ingress or Gateway, for lack of its class"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "no controller takes the object, so none of its routes are served",
            often=("404", "no-route"),
            sometimes=("connect-timeout", "connection-refused"),
        ),
    )
    reasons: ClassVar[frozenset[Reason]] = frozenset(
        {
            Reason.NO_INGRESS_CLASS,
            Reason.SEVERAL_DEFAULT_CLASSES,
            Reason.NO_GATEWAY_CLASS,
            Reason.INVALID_PARAMETERS,
        }
    )

    def check_verdict(self, verdict: Verdict, route: Route | None, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports what is wrong with classes."""
        path = way_in(route, "no controller takes the Ingress") if route else ()
        yield self.of_verdict(verdict, path)
