"""## What it does
Checks that the Secrets from which listeners take their certificates exist, in the right namespace, and hold a
certificate with its key; and that the authorities by which client or backend certificates are checked can be read.

## What you see
An Ingress controller shows its own certificate ("Kubernetes Ingress Controller Fake Certificate", "TRAEFIK DEFAULT
CERT"), and browsers refuse it. A Gateway API listener is not opened at all: the connection is reset. Without its
authorities a gateway refuses every client certificate, or every backend (502, 503).

## Why it breaks
Nothing checks the name when the Ingress or Gateway is applied. An Ingress finds its Secret in its own namespace only,
and `kubectl create secret generic --from-file` names the keys after the files, not `tls.crt` and `tls.key`.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  tls:
    - {hosts: [shop.example.com], secretName: shop-tls}
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}
---
apiVersion: v1
kind: Secret
metadata: {name: shop-tls}
type: Opaque
stringData: {shop.crt: "-----BEGIN CERTIFICATE-----", shop.key: "-----BEGIN PRIVATE KEY-----"}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  tls:
    - {hosts: [shop.example.com], secretName: shop-tls}
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}
---
apiVersion: v1
kind: Secret
metadata: {name: shop-tls}
type: kubernetes.io/tls
stringData: {tls.crt: "-----BEGIN CERTIFICATE-----", tls.key: "-----BEGIN PRIVATE KEY-----"}
```

## Fix
Make the Secret with `kubectl create secret tls NAME --cert FILE --key FILE` in the namespace of the Ingress, let
cert-manager make it, or name the one that exists.

## Prove it
```sh
kubectl -n NAMESPACE get secret SECRET -o jsonpath='{.type} {.data}'
openssl s_client -connect HOST:443 -servername HOST </dev/null | openssl x509 -noout -subject -issuer
```

## How sure
An error where the Secret is there and of no use, and where the set keeps other certificates of that namespace but not
this one. A warning where the name is close to another's, where it lies or is made in another namespace, or where only some
implementations refuse its type. Otherwise a missing Secret is a note, as certificates are mostly made elsewhere. Silent
where a Certificate, an issuer annotation, an ExternalSecret, a SealedSecret or a copying tool may make it, and for values
that are encrypted or filled in later.

## References
- https://kubernetes.io/docs/concepts/services-networking/ingress/#tls
- https://kubernetes.io/docs/concepts/configuration/secret/#tls-secrets
- https://gateway-api.sigs.k8s.io/guides/tls/
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


class TLSSecretUnusable(Rule):
    """A certificate that its listener cannot use."""

    code: ClassVar[str] = "IL105"
    name: ClassVar[str] = "tls-secret-unusable"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "the Secret with a listener's certificate is missing, elsewhere, or of no use"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the Secret with the certificate is of no use, so the controller shows its own, or opens no listener",
            often=("wrong-certificate",),
            sometimes=("connection-refused", "connection-reset"),
        ),
        Cause(
            "without the authorities it is told to trust, the gateway refuses every backend",
            sometimes=("502", "503"),
        ),
    )
    reasons: ClassVar[frozenset[Reason]] = frozenset(
        {
            Reason.INVALID_CERTIFICATE_REF,
            Reason.INVALID_CLIENT_CERTIFICATE_REF,
            Reason.INVALID_CA_CERTIFICATE_REF,
            Reason.INVALID_CA_CERTIFICATE_KIND,
            Reason.NO_VALID_CA_CERTIFICATE,
        }
    )

    def check_verdict(self, verdict: Verdict, route: Route | None, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports what is wrong with Secrets and ConfigMaps that TLS needs."""
        path = way_in(route, f"{route.gateway} has no certificate for the host") if route else ()
        yield self.of_verdict(verdict, path)
