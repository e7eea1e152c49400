"""## What it does
Finds applications that are started so that they close each connection after one response.

## What you see
Under load, 502 and 504 in bursts, requests that hang for seconds, `nf_conntrack: table full, dropping packet` in the
node's log; thousands of connections in TIME_WAIT in the proxy's pod.

## Why it breaks
A proxy that keeps connections can use one for hundreds of requests, but only if the server keeps it too. Where the
server closes, each request costs a handshake, a local port and an entry in the conntrack table that outlives it.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: shop, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {ports: [{port: 80, targetPort: 8000}], selector: {app: shop}}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, labels: {app: shop}}
spec:
  containers:
    - name: shop
      image: example/shop
      command: [gunicorn, "shop:app", --bind, "0.0.0.0:8000", --worker-class, sync]
      ports: [{containerPort: 8000}]
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: shop, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {ports: [{port: 80, targetPort: 8000}], selector: {app: shop}}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, labels: {app: shop}}
spec:
  containers:
    - name: shop
      image: example/shop
      command: [gunicorn, "shop:app", --bind, "0.0.0.0:8000", --worker-class, gthread]
      ports: [{containerPort: 8000}]
```

## Fix
Let the server keep connections: another worker class for gunicorn (`gthread`, `gevent`), `KeepAlive On`, a keep-alive
time that is longer than the proxy's.

## Prove it
```sh
kubectl -n NAMESPACE exec POD -- curl -sv http://127.0.0.1:PORT/ -o /dev/null
kubectl debug node/NODE -it --image=busybox -- cat /proc/sys/net/netfilter/nf_conntrack_count
```

## How sure
A warning where somebody wrote the setting; a note where it is the server's default, which a file in the image may
change. Silent for servers that the manifest does not show, where a configuration file that it does not show decides, and
for backends that do not speak HTTP.

## References
- https://docs.gunicorn.org/en/stable/settings.html#keepalive
- https://docs.gunicorn.org/en/stable/design.html#sync-workers
- https://httpd.apache.org/docs/2.4/mod/core.html#keepalive
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from ingress_lint.facts.app_servers import app_server
from ingress_lint.finding import Finding, Hop, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import Route
from ingress_lint.routes.traffic import AppProtocol
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule

_HTTP: Final = frozenset({AppProtocol.HTTP, AppProtocol.HTTPS, AppProtocol.AUTO, AppProtocol.UNKNOWN})


class AppKeepAliveDisabled(Rule):
    """A server that uses no connection twice."""

    code: ClassVar[str] = "IL307"
    name: ClassVar[str] = "app-keep-alive-disabled"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "the application closes each connection after one response"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the application closes each connection after one answer, so that the proxy opens a new one for each request",
            often=("conntrack-full", "no-free-ports"),
            sometimes=("502", "504", "connect-timeout", "connection-reset", "hang", "premature-close"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"endpoints"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks at the server behind each backend."""
        for backend in route.backends:
            if backend.protocol.value not in _HTTP:
                continue
            for endpoint in backend.endpoints:
                server = app_server(endpoint.container, graph) if endpoint.container else None
                if server is None or server.closes is None:
                    continue
                closes = server.closes
                written = closes.setting.strip("`")
                written += "" if not written or closes.value in written else f" {closes.value}"
                how = f"by `{written}`" if written else "unless told otherwise"
                yield self.finding(
                    closes.place,
                    f"{server.name} in {endpoint.workload} closes each connection after one response ({how}), so that "
                    f"every request of {route.gateway} opens a new one: under load ports and conntrack entries run out, "
                    f"and clients get 502, 504 or no answer",
                    severity=None if written else Severity.NOTE,
                    path=way(route, backend, Hop.NODE, endpoint),
                    fix="use another worker class, such as `gthread`"
                    if closes.value == "sync"
                    else f"drop `{written}`",
                )
