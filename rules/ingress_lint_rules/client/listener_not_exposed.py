"""## What it does
Checks that each port a gateway listens on can be reached: that the Service in front of the gateway's pods has it, and
that Traefik has the entry points that Gateways and IngressRoutes ask for.

## What you see
Connections to the port time out or are refused, although the gateway's own configuration is accepted.

## Why it breaks
A gateway opens the port in its pods. Clients come through a Service, whose ports somebody else wrote: what it does not
list leads nowhere. A Gateway that is served by pods which are there already changes nothing about their Service: Istio's
own Gateways, and those of the Gateway API under Traefik, Kong, Contour and the first NGINX Gateway Fabric. Traefik asks
for the port of one of its entry points in the pod (8000), not for that of its Service (80).

## Example
Bad:
```yaml
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
    - {port: {number: 8443, name: http, protocol: HTTP}, hosts: ["*"]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  template:
    metadata: {labels: {istio: ingressgateway}}
    spec: {containers: [{name: istio-proxy, image: istio/proxyv2}]}
---
apiVersion: v1
kind: Service
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec:
  type: LoadBalancer
  selector: {istio: ingressgateway}
  ports: [{name: http, port: 80, targetPort: 8080}]
```
Good:
```yaml
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
    - {port: {number: 8080, name: http, protocol: HTTP}, hosts: ["*"]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  template:
    metadata: {labels: {istio: ingressgateway}}
    spec: {containers: [{name: istio-proxy, image: istio/proxyv2}]}
---
apiVersion: v1
kind: Service
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec:
  type: LoadBalancer
  selector: {istio: ingressgateway}
  ports: [{name: http, port: 80, targetPort: 8080}]
```

## Fix
Add the port to the Service, or listen on one that it has.

## Prove it
```sh
kubectl -n NAMESPACE get service SERVICE -o jsonpath='{.spec.ports}'
```

## How sure
An error: both the listener and the Service, or Traefik's command line, are in the set. A warning where the Service has
a cluster IP only, since something else leads clients to it, maybe by its other ports, for an IngressRoute on an entry
point that Traefik's Service does not show, as another one may, and for an Istio Gateway whose selector no pod has,
where the set has gateway pods with nearly the same label. Silent where they are not in the set, and where the
implementation makes a Service for each Gateway (Envoy Gateway, Cilium, NGINX Gateway Fabric since 2.0).

## References
- https://istio.io/latest/docs/reference/config/networking/gateway/
- https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/#manual-deployment
- https://doc.traefik.io/traefik/reference/install-configuration/providers/kubernetes/kubernetes-gateway/
- https://gateway-api.sigs.k8s.io/reference/spec/#listenerconditionreason
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import Route
from ingress_lint.routes.verdicts import Reason, Verdict
from ingress_lint.rule import Cause, Rule


class ListenerNotExposed(Rule):
    """A listener that no Service leads to."""

    code: ClassVar[str] = "IL117"
    name: ClassVar[str] = "listener-not-exposed"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "the Service in front of a gateway lacks a port that the gateway listens on"
    compares: ClassVar[bool] = True
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the gateway's Service does not lead to the port that the gateway listens on",
            often=("connection-refused",),
            sometimes=("connect-timeout",),
        ),
    )
    reasons: ClassVar[frozenset[Reason]] = frozenset({Reason.PORT_UNAVAILABLE})

    def check_verdict(self, verdict: Verdict, route: Route | None, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports listeners on ports that nothing leads to."""
        yield self.of_verdict(verdict)
