"""## What it does
Finds containers that serve a route and have no readiness probe.

## What you see
502 or 503 for some seconds at each rollout, restart or scale-up; errors from one pod that hangs and stays in rotation.

## Why it breaks
Without a readiness probe a pod counts as ready as soon as its containers run, long before most applications accept
connections, and until they end. The Service sends it a share of the requests all that time.

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
spec: {ports: [{port: 80, targetPort: 8080}], selector: {app: shop}}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, labels: {app: shop}}
spec:
  containers:
    - name: shop
      image: example/shop
      ports: [{containerPort: 8080}]
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
spec: {ports: [{port: 80, targetPort: 8080}], selector: {app: shop}}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, labels: {app: shop}}
spec:
  containers:
    - name: shop
      image: example/shop
      ports: [{containerPort: 8080}]
      readinessProbe: {httpGet: {path: /ready, port: 8080}}
```

## Fix
Add a readiness probe that asks the port of the route, and answers only when requests can be served.

## Prove it
```sh
kubectl -n NAMESPACE rollout restart deploy/NAME &
while sleep 0.2; do curl -s -o /dev/null -w '%{http_code}\\n' https://HOST/; done
```

## How sure
A note, since small servers start before the first request arrives. Silent where a container of the pod has a readiness
probe that asks the route's port, where it is not known which container serves it, and for custom kinds, whose operators
may add one.

## References
- https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/#readiness-probe
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from ingress_lint.finding import Finding, Hop, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.workloads import Probe
from ingress_lint.routes.model import Endpoint, Route
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule

_PLAIN_KINDS: Final = frozenset(
    {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Pod", "Rollout"}
)


class NoReadinessProbe(Rule):
    """A container that gets requests before it can answer them."""

    code: ClassVar[str] = "IL505"
    name: ClassVar[str] = "no-readiness-probe"
    severity: ClassVar[Severity] = Severity.NOTE
    summary: ClassVar[str] = "a container that serves a route has no readiness probe"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "pods get requests before they listen, and while they end",
            often=("502", "connection-refused"),
            sometimes=("503", "connection-failure", "connection-reset", "no-live-upstreams", "retries-exhausted"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"endpoints"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks at each container behind the route."""
        for backend in route.backends:
            for endpoint in backend.endpoints:
                container = endpoint.container
                if container is None or endpoint.workload.object.kind not in _PLAIN_KINDS or _judged(endpoint):
                    continue
                yield self.finding(
                    container.at("name"),
                    f"container `{container.name}` of {endpoint.workload} serves port {endpoint.number} without a "
                    f"readiness probe: it gets requests as soon as its process runs, and clients get 502 until it "
                    f"listens",
                    path=way(route, backend, Hop.POD, endpoint),
                    fix=f"add a `readinessProbe` that asks port {endpoint.number}",
                )


def _judged(endpoint: Endpoint) -> bool:
    """Whether the container has a readiness probe, or another of the pod asks the port on its behalf."""
    if endpoint.container is not None and endpoint.container.container.readiness_probe is not None:
        return True
    return any(
        _port(probe) is not None and container.port_number(_port(probe) or "") == endpoint.number
        for container in endpoint.workload.containers
        if (probe := container.container.readiness_probe) is not None
    )


def _port(probe: Probe) -> int | str | None:
    action = probe.http_get or probe.tcp_socket or probe.grpc
    return action.port if action is not None else None
