"""## What it does
Finds load balancers and proxies that close a client's connection after one or a few requests.

## What you see
Slow pages: each request pays for a TCP and a TLS handshake. Under load, clients time out while the nodes log
`nf_conntrack: table full, dropping packet`. A load balancer in front that keeps its connections gets 502s.

## Why it breaks
A connection that serves one request leaves an entry in the node's conntrack table for two minutes. A browser that asks
for fifty files then leaves fifty entries where one would do.

## Example
Bad:
```yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
data:
  keep-alive: "0"
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
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
apiVersion: v1
kind: ConfigMap
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
data:
  keep-alive: "75"
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
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
Remove the setting, or raise it: a connection should outlive the pause between two clicks, and hundreds of requests.

## Prove it
```sh
curl -sv https://HOST/ https://HOST/ 2>&1 | grep -i -e 're-using' -e 'connection: close'
```

## How sure
A warning: somebody wrote the setting. Defaults are never reported.

## References
- https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/configmap/#keep-alive
- https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_requests
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from ingress_lint.finding import Finding, Hop, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import Route
from ingress_lint.routes.sourced import Sourced
from ingress_lint.routes.traffic import KeepAlive
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule

_FEW_REQUESTS: Final = 10


class ClientKeepAliveDisabled(Rule):
    """A proxy that closes clients' connections right away."""

    code: ClassVar[str] = "IL306"
    name: ClassVar[str] = "client-keep-alive-disabled"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "clients need a new connection for every request or every few"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "each request of a client costs a connection of its own",
            often=("conntrack-full",),
            sometimes=("502", "connect-timeout", "premature-close", "tls-handshake-timeout"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"backends"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks at the client's side of each backend's connections."""
        for backend in route.backends:
            for cause in _causes(backend.keep_alive):
                yield self.finding(
                    cause.place,
                    f"{route.gateway} {cause.value}: each new one costs the client a handshake and the node a conntrack "
                    f"entry, so that pages load slowly and time out under load",
                    path=way(route, backend, Hop.LOAD_BALANCER),
                    fix="remove the setting, or raise it so that a client's connection serves many requests",
                )


def _causes(keep_alive: KeepAlive) -> Iterable[Sourced[str]]:
    idle, requests = keep_alive.client_idle, keep_alive.client_requests
    if idle is not None and idle.explicit and idle.value == 0:
        yield Sourced("closes a client's connection after every response", idle.origin, idle.place)
    elif requests is not None and requests.explicit and requests.value <= _FEW_REQUESTS:
        many = "every request" if requests.value <= 1 else f"{requests.value} requests"
        yield Sourced(f"closes a client's connection after {many}", requests.origin, requests.place)
