"""## What it does
Finds proxies that open a new connection to the pod for every request.

## What you see
Under load, 502 and 504 in bursts, or requests that hang for seconds: `nf_conntrack: table full, dropping packet` in the
node's log, `cannot assign requested address` in the proxy's.

## Why it breaks
Each connection costs a handshake, a local port of the proxy that stays in TIME_WAIT for a minute, and an entry in each
node's conntrack table that lives on for two. With connections kept and used again, these costs are those of some
hundred connections; without, they grow with every request, until ports or table are full.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    nginx.ingress.kubernetes.io/configuration-snippet: |
      proxy_set_header Connection close;
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
Remove the setting. Where it hides 502s of connections that the pod closed first, let the pod keep them longer instead
(idle-timeout-mismatch).

## Prove it
```sh
kubectl -n NAMESPACE exec CONTROLLER_POD -- sh -c 'ss -tan state time-wait | wc -l'
kubectl debug node/NODE -it --image=busybox -- cat /proc/sys/net/netfilter/nf_conntrack_count
```

## How sure
A warning where somebody wrote the setting; a note where it is the controller's default. Silent where it is unknown
whether connections are kept.

## References
- https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/configmap/#upstream-keepalive-connections
- https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Hop, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import Route
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import KeepAlive
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule


class MissingKeepAlive(Rule):
    """A proxy that uses no connection to a pod twice."""

    code: ClassVar[str] = "IL305"
    name: ClassVar[str] = "missing-keep-alive"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "every request opens a new connection to the pod"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the proxy opens a connection for each request, until ports or conntrack entries run out",
            often=("conntrack-full", "no-free-ports"),
            sometimes=("502", "504", "connect-timeout", "connection-failure", "hang"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"backends"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks at how the proxy keeps connections to each backend."""
        for backend in route.backends:
            cause = _cause(backend.keep_alive)
            if cause is None:
                continue
            yield self.finding(
                cause.place,
                f"{route.gateway} opens a new connection to {backend} for each request, by {cause.value}, and each costs a "
                f"port and a conntrack entry: under load they run out, and clients get 502, 504 or no answer",
                severity=Severity.NOTE if cause.origin is Origin.DEFAULT else None,
                path=way(route, backend, Hop.LOAD_BALANCER),
                fix="let the proxy keep connections to the pods open for the next request",
            )


def _cause(keep_alive: KeepAlive) -> Sourced[str] | None:
    kept, requests = keep_alive.upstream_connections, keep_alive.upstream_requests
    if keep_alive.upstream_disabled is not None:
        return keep_alive.upstream_disabled
    if kept is not None and kept.value == 0:
        return Sourced("a pool of 0 idle connections", kept.origin, kept.place)
    if requests is not None and requests.value == 1:
        return Sourced("a limit of one request a connection", requests.origin, requests.place)
    return None
