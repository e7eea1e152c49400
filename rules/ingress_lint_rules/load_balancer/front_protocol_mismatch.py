"""## What it does
Finds load balancers that end TLS and hand plain text to the ingress controller's TLS port, or TLS to its plain port.

## What you see
"400 The plain HTTP request was sent to HTTPS port" for every request by HTTPS, or `wrong version number` from the client
whose handshake meets a plain port.

## Why it breaks
A load balancer with a certificate opens TLS itself; what it sends on is plain, unless it is told to encrypt again. The
controller's Service still leads port 443 to the controller's own TLS port, as it must where nothing in front opens TLS.

## Example
Bad: the load balancer ends TLS on 443 and sends plain text to port 443 of the controller:
```yaml
apiVersion: v1
kind: Service
metadata:
  name: ingress-nginx-controller
  namespace: ingress-nginx
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-ssl-cert: arn:aws:acm:eu-west-1:111122223333:certificate/shop
    service.beta.kubernetes.io/aws-load-balancer-ssl-ports: https
spec:
  type: LoadBalancer
  selector: {app.kubernetes.io/name: ingress-nginx}
  ports:
    - {name: https, port: 443, targetPort: https}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
spec:
  selector: {matchLabels: {app.kubernetes.io/name: ingress-nginx}}
  template:
    metadata: {labels: {app.kubernetes.io/name: ingress-nginx}}
    spec:
      containers:
        - name: controller
          image: registry.k8s.io/ingress-nginx/controller:v1.12.1
          args: [/nginx-ingress-controller]
          ports: [{name: http, containerPort: 80}, {name: https, containerPort: 443}]
```
Good: what is plain goes to the plain port:
```yaml
apiVersion: v1
kind: Service
metadata:
  name: ingress-nginx-controller
  namespace: ingress-nginx
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-ssl-cert: arn:aws:acm:eu-west-1:111122223333:certificate/shop
    service.beta.kubernetes.io/aws-load-balancer-ssl-ports: https
spec:
  type: LoadBalancer
  selector: {app.kubernetes.io/name: ingress-nginx}
  ports:
    - {name: https, port: 443, targetPort: http}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
spec:
  selector: {matchLabels: {app.kubernetes.io/name: ingress-nginx}}
  template:
    metadata: {labels: {app.kubernetes.io/name: ingress-nginx}}
    spec:
      containers:
        - name: controller
          image: registry.k8s.io/ingress-nginx/controller:v1.12.1
          args: [/nginx-ingress-controller]
          ports: [{name: http, containerPort: 80}, {name: https, containerPort: 443}]
```

## Fix
Lead the port to the controller's plain port (`targetPort: http`), or let the load balancer encrypt again
(`aws-load-balancer-backend-protocol: ssl`), or take its certificate away so that it passes TLS through.

## Prove it
```sh
curl -sv http://NODE:NODEPORT/             # what the controller answers to plain text there
curl -svk https://NODE:NODEPORT/           # and to TLS
```

## How sure
An error where the set holds both the load balancer's Service and the pods of a controller whose ports are known. A
warning for a port 443 that is passed through to the plain port, as only custom says that clients speak TLS there.

## References
- https://kubernetes.github.io/ingress-nginx/deploy/#tls-termination-in-aws-load-balancer-nlb
- https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/#ssl-cert
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.listeners import ProxyPort
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.traffic import AppProtocol
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule

_TLS_BY_CUSTOM: Final = frozenset({443, 8443})
_PLAIN: Final = "plain text"
_TLS: Final = "TLS"
_SEEN: Final = {
    _PLAIN: 'clients get 400 ("The plain HTTP request was sent to HTTPS port")',
    _TLS: 'the handshake fails ("wrong version number") and clients get 502 or a reset',
}


class FrontProtocolMismatch(Rule):
    """Plain text for a controller's TLS port, or TLS for its plain one."""

    code: ClassVar[str] = "IL214"
    name: ClassVar[str] = "front-protocol-mismatch"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a load balancer hands plain text to the controller's TLS port, or TLS to its plain one"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the load balancer hands plain text to a TLS port, or TLS to a plain one",
            often=("400", "plain-http-to-https", "wrong-version-number"),
            sometimes=("502", "check-wrong-status"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"proxy_port"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Compares what each load balancer sends on with what the proxy opens behind it."""
        for backend in route.backends:
            proxy = backend.proxy_port
            if proxy is None or proxy.tls is None:
                continue
            spoken, why = _spoken(route, backend)
            if spoken and (spoken == _TLS) is not proxy.tls.value:
                yield self._mismatch(route, backend, proxy, spoken, why)

    def _mismatch(self, route: Route, backend: BackendRef, proxy: ProxyPort, spoken: str, why: str) -> Finding:
        assert proxy.tls is not None  # noqa: S101 - asked for by the caller
        port, listener = backend.service_port, route.listeners[0]
        number = port.pod_port if port else None
        takes = _TLS if proxy.tls.value else _PLAIN
        place = port.at("targetPort") if port and port.port.target_port is not None else backend.place
        guessed = why == _CUSTOM
        message = (
            f"{route.gateway} hands {spoken} to port {number} of {proxy.gateway} ({why}), which takes {takes}; "
            f"{'very likely ' if guessed else ''}{_SEEN[spoken]}"
        )
        decides = listener.tls.mode.place if listener.tls is not None else backend.protocol.place
        return self.finding(
            place,
            message,
            severity=Severity.WARNING if guessed or route.assumed else self.severity,
            related=(Related(f"{proxy.gateway} takes {takes} there", proxy.tls.place), Related(why, decides)),
            path=way(route, backend, Hop.POD),
            fix=f"lead this port to the one at which {proxy.gateway} takes {spoken}"
            + (", or let the load balancer encrypt again" if spoken == _PLAIN else ""),
        )


_CUSTOM: Final = "clients speak TLS to this port by custom, and it is passed through"


def _spoken(route: Route, backend: BackendRef) -> tuple[str, str]:
    """What arrives at the pod and why; nothing where that is the client's choice."""
    protocol = backend.protocol.value
    if not route.listeners or protocol in (AppProtocol.UDP, AppProtocol.UNKNOWN, AppProtocol.AUTO):
        return "", ""
    listener = route.listeners[0]
    ends_tls = listener.tls is not None and listener.tls.mode.value == "Terminate"
    if protocol.over_tls:
        return (_TLS, "it encrypts again") if ends_tls else (_TLS, "it is told to speak TLS")
    if ends_tls:
        return _PLAIN, "it ends TLS and is not told to encrypt again"
    if protocol.plain:
        return _PLAIN, f"it speaks {protocol}"
    by_custom = listener.port.value in _TLS_BY_CUSTOM and listener.protocol.value == "TCP"
    return (_TLS, _CUSTOM) if by_custom else ("", "")
