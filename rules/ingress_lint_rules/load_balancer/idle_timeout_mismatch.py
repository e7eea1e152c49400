"""## What it does
Compares how long the load balancer or proxy keeps an idle connection to a pod with how long the server in the pod
keeps it.

## What you see
502 for a few requests out of thousands, more of them when there is little traffic. The proxy logs `upstream prematurely
closed connection while reading response header` or `connection reset by peer`; the application logs nothing.

## Why it breaks
A proxy keeps connections open to use them again. If the server closes one first, the proxy may send the next request at
that very moment: the request meets a closed connection, and the client gets 502. The hop in front must be the first to
give up a connection, so each server must keep connections longer than whatever stands in front of it.

## Example
Bad:
```yaml
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
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: registry.example.com/shop:1.4.2
          command: [uvicorn, "shop:app", --host, 0.0.0.0]
          ports: [{containerPort: 8000}]
```
Good:
```yaml
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
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: registry.example.com/shop:1.4.2
          command: [uvicorn, "shop:app", --host, 0.0.0.0, --timeout-keep-alive, "75"]
          ports: [{containerPort: 8000}]
```

## Fix
Let the server keep idle connections some seconds longer than the hop in front, or shorten the time of the hop in front.

## Prove it
```sh
kubectl -n NAMESPACE logs DEPLOYMENT_OF_THE_CONTROLLER | grep -e 'prematurely closed' -e 'reset by peer'
kubectl -n NAMESPACE exec POD -- sh -c '(printf "GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"; sleep 120) | time nc 127.0.0.1 PORT'
```

## How sure
A warning where the manifest runs a server by name, or by an image tag whose version decides. A note where the kind of
server is a guess (`java` with Spring's variables), where nothing says which controller serves the route, where both
times are equal, and where the proxy repeats every kind of request. Silent where either time is unknown, and for servers
that keep no connection (gunicorn's `sync` workers, FastCGI) or keep it for ever (Go).

## References
- https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html
- https://github.com/kubernetes/ingress-nginx/issues/11244
- https://docs.cloud.google.com/load-balancing/docs/https/request-distribution
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from ingress_lint.facts.app_servers import AppServer, IdleTimeout, app_server
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import BackendRef, Endpoint, Route
from ingress_lint.routes.sourced import Sourced
from ingress_lint.routes.traffic import AppProtocol
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule

_KEPT_BY_HTTP: Final = frozenset({AppProtocol.HTTP, AppProtocol.HTTPS, AppProtocol.AUTO, AppProtocol.UNKNOWN})


class IdleTimeoutMismatch(Rule):
    """A server that gives up idle connections before the proxy in front of it does."""

    code: ClassVar[str] = "IL209"
    name: ClassVar[str] = "idle-timeout-mismatch"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "the hop in front keeps idle connections longer than the server behind it"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the pod closes an idle connection at the moment when the proxy uses it again",
            often=("502", "connection-reset", "premature-close"),
            sometimes=("503", "no-live-upstreams"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"endpoints"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Compares the two for each server behind the route."""
        for backend in route.backends:
            keep_alive = backend.keep_alive
            front = keep_alive.upstream_idle
            if front is None or not keep_alive.reuses_upstream or backend.protocol.value not in _KEPT_BY_HTTP:
                continue
            for endpoint in backend.endpoints:
                server = app_server(endpoint.container, graph) if endpoint.container else None
                if server is not None and server.idle is not None and server.idle.seconds <= front.value:
                    yield self._race(route, backend, endpoint, server, server.idle, front)

    def _race(
        self,
        route: Route,
        backend: BackendRef,
        endpoint: Endpoint,
        server: AppServer,
        idle: IdleTimeout,
        front: Sourced[float],
    ) -> Finding:
        keep_alive = backend.keep_alive
        tie = idle.seconds == front.value
        guess = server.likely or route.assumed
        by = f" (`{idle.setting.strip('`')}`)" if idle.setting else " unless told otherwise"
        when = f"after the same {idle.seconds:g} s" if tie else f"after {idle.seconds:g} s"
        if keep_alive.retries_resets:
            outcome = "a request sent at that moment fails, and is sent twice"
        elif keep_alive.retries_idempotent:
            outcome = "a request that is not repeated, such as a POST, gets 502 when sent at that moment"
        else:
            outcome = "a request sent at that moment gets 502"
        rest = ""
        if server.likely:
            rest = f"; that {endpoint.workload.object.kind} `{endpoint.workload.object.name}` runs {server.name} is a guess"
        elif route.assumed:
            rest = f"; that {route.gateway} serves it is a guess, for no class says so"
        return self.finding(
            idle.place,
            f"{server.name} closes an idle connection {when}{by}, while {route.gateway} keeps it for {front.value:g} s: "
            f"{outcome}{rest}",
            severity=Severity.NOTE if tie or guess or keep_alive.retries_resets else None,
            related=[
                Related(f"{route.gateway} keeps idle connections for {front.value:g} s{_why(front)}", front.place)
            ],
            path=way(route, backend, Hop.POD, endpoint),
            fix=f"set {server.knob} above {front.value:g} s" if server.knob else "",
        )


def _why(front: Sourced[float]) -> str:
    return f" ({front.why})" if front.why else ""
