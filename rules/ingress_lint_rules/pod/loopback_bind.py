"""## What it does
Finds containers that listen on 127.0.0.1 or localhost at the port that a route leads to.

## What you see
502 or 503, `connect() failed (111: Connection refused)` in the proxy's log. `kubectl port-forward` and
`kubectl exec ... curl localhost` work, which makes the application look healthy.

## Why it breaks
Each pod has a loopback interface of its own. Packets from a proxy, a node or another pod arrive at the pod's address, on
another interface, where nobody listens; the kernel refuses the connection. `kubectl port-forward` connects from within
the pod, and so cannot show it.

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
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - name: shop
          image: example/shop
          args: [--listen, "127.0.0.1:8080"]
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
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - name: shop
          image: example/shop
          args: [--listen, "0.0.0.0:8080"]
          ports: [{containerPort: 8080}]
```

## Fix
Bind every address: `0.0.0.0`, or `[::]` where the cluster has IPv6.

## Prove it
```sh
kubectl -n NAMESPACE exec POD -- ss -ltn
kubectl -n NAMESPACE run probe --rm -it --restart=Never --image=curlimages/curl -- curl -v http://POD_IP:PORT/
```

## How sure
An error where an option of the command line, a variable called after listening or binding, or a mounted configuration
file says so. A warning where a variable of another name says so (`HOST=localhost`), which the application may not read
or may read for something else, and where it is the default of a server that the manifest runs by name (gunicorn,
uvicorn, `flask run`) and that the image's own environment may change. Silent where another container or setting opens
the port to everybody, where the Service leads to a proxy in the pod that does so, and in pods of a mesh, whose sidecar
may connect over loopback.

## References
- https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/#are-the-pods-working
- https://docs.gunicorn.org/en/stable/settings.html#bind
- https://www.uvicorn.org/settings/#socket-binding
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.facts.evidence.binding import Binding
from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.facts.evidence.model import Certainty
from ingress_lint.facts.mesh.membership import membership
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import BackendRef, Endpoint, Route
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule
from ingress_lint.tracing.predictions import PREDICTIONS


class LoopbackBind(Rule):
    """A server that only its own pod can reach."""

    code: ClassVar[str] = "IL509"
    name: ClassVar[str] = "loopback-bind"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "the container listens on 127.0.0.1 only, where no proxy can connect"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the application listens on the loopback interface only, where no proxy can connect",
            often=("502", "connection-refused"),
            sometimes=(
                "503",
                "check-failed",
                "connection-failure",
                "no-healthy-upstream",
                "no-live-upstreams",
                "probe-failed",
                "retries-exhausted",
            ),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"endpoints"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks at the address behind each backend's port."""
        for backend in route.backends:
            for endpoint in backend.endpoints:
                binding = _loopback(endpoint, graph)
                if binding is not None and not membership(endpoint.workload, graph).mesh:
                    yield self._finding(route, backend, endpoint, binding)

    def _finding(self, route: Route, backend: BackendRef, endpoint: Endpoint, binding: Binding) -> Finding:
        sure = binding.certainty is not Certainty.HINT
        then = ", so" if sure else "; if that is where it listens,"
        status = PREDICTIONS[self.code].status_from(route.controller.value)
        seen = "the pod never becomes ready: clients get 503" if _probed(endpoint) else f"clients get {status}"
        related = [] if endpoint.port_place is None else [Related("the port that is declared", endpoint.port_place)]
        return self.finding(
            binding.place,
            f"{route.gateway} sends requests to port {binding.number} of {endpoint.workload}, but {binding.why}{then} "
            f"only the pod itself can connect: `kubectl port-forward` works, every other "
            f"connection is refused, and {seen}",
            severity=None if sure else Severity.WARNING,
            related=related,
            path=way(route, backend, Hop.POD, endpoint),
            fix="bind 0.0.0.0 (or [::])",
        )


def _loopback(endpoint: Endpoint, graph: ObjectGraph) -> Binding | None:
    """How the port is opened for the pod itself; None where others may connect, or where nothing shows it."""
    if endpoint.number is None or endpoint.container is None:
        return None
    evidence, own = listening_evidence(graph), []
    for container in endpoint.workload.containers:
        for binding in evidence.bindings(container):
            if binding.number == endpoint.number:
                if not binding.loopback:
                    return None
                if container is endpoint.container:
                    own.append(binding)
    return max(own, key=lambda binding: binding.certainty, default=None)


def _probed(endpoint: Endpoint) -> bool:
    """Whether the kubelet connects to the pod to see whether it is ready."""
    probe = endpoint.container.container.readiness_probe if endpoint.container else None
    action = (probe.http_get or probe.tcp_socket) if probe else None
    return action is not None and not action.host
