"""## What it does
Checks that the ACME server's question for an HTTP-01 challenge would come to the Ingress or HTTPRoute that cert-manager
makes for it: that somebody serves the solver's class or Gateway, at the address that the host leads to.

## What you see
The certificate never becomes ready, and its Challenge stays `pending` with `wrong status code '404', expected '200'`.
Browsers warn of the gateway's own certificate, or of the old one once it has expired.

## Why it breaks
For each challenge cert-manager makes an Ingress of the solver's class, and the ACME server asks the host for its path on
port 80. Where another controller serves the host, or each Ingress gets a load balancer and an address of its own (GKE,
ALB), the question goes elsewhere.

## Example
Bad:
```yaml
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {name: letsencrypt}
spec:
  acme:
    server: https://acme-v02.api.letsencrypt.org/directory
    privateKeySecretRef: {name: letsencrypt}
    solvers:
      - http01: {ingress: {ingressClassName: nginx}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations: {cert-manager.io/cluster-issuer: letsencrypt}
spec:
  ingressClassName: traefik
  tls: [{hosts: [shop.example.com], secretName: shop-tls}]
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: shop, port: {number: 80}}}
```
Good:
```yaml
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {name: letsencrypt}
spec:
  acme:
    server: https://acme-v02.api.letsencrypt.org/directory
    privateKeySecretRef: {name: letsencrypt}
    solvers:
      - http01: {ingress: {ingressClassName: traefik}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations: {cert-manager.io/cluster-issuer: letsencrypt}
spec:
  ingressClassName: traefik
  tls: [{hosts: [shop.example.com], secretName: shop-tls}]
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: shop, port: {number: 80}}}
```

## Fix
Solve by the class or Gateway that serves the host. Where each Ingress has a load balancer of its own, let cert-manager
edit the Ingress that is there (`acme.cert-manager.io/http01-edit-in-place: "true"`, or the solver's `name`).

## Prove it
```sh
kubectl get challenges -A -o wide
curl -si http://HOST/.well-known/acme-challenge/x | head -n 1
```

## How sure
A warning: the host may be led to a second controller while the challenge lasts. A note where the class is one that an
installation brings along and these manifests only define others. Silent for DNS-01, for issuers with several solvers
where the host decides which of them is meant, where the challenge is written into the Ingress that is there, and where a
redirect to HTTPS belongs to another route, which the challenge's own path beats. Istio's `httpsRedirect` belongs to the
Gateway and comes before every route (istio/istio#27643).

## References
- https://cert-manager.io/docs/configuration/acme/http01/
- https://cert-manager.io/docs/tutorials/getting-started-with-cert-manager-on-google-kubernetes-engine-using-lets-encrypt-for-ingress-ssl/
- https://letsencrypt.org/docs/challenge-types/#http-01-challenge
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


class ACMESolverUnreachable(Rule):
    """A challenge that is asked for where nobody answers it."""

    code: ClassVar[str] = "IL120"
    name: ClassVar[str] = "acme-solver-unreachable"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "an HTTP-01 challenge would not reach the Ingress or HTTPRoute that is made for it"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the challenge of a certificate never reaches its solver, so that the certificate is never made",
            often=("wrong-certificate",),
            sometimes=("404",),
        ),
    )
    reasons: ClassVar[frozenset[Reason]] = frozenset({Reason.SOLVER_UNREACHABLE})

    def check_verdict(self, verdict: Verdict, route: Route | None, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports solvers that are not served where the host leads."""
        yield self.of_verdict(verdict, way_in(route, "the challenge is unknown there") if route else ())
