"""## What it does
Finds gRPC ports that the proxy in front speaks HTTP/1 to.

## What you see
502, and `UNAVAILABLE` or `INTERNAL` in gRPC clients; `upstream sent no valid HTTP/1.0 header` or
`upstream prematurely closed connection` in nginx's log.

## Why it breaks
gRPC is HTTP/2 and nothing else: streams, trailers with the call's status. A proxy speaks HTTP/1.1 to pods unless it is
told otherwise; a gRPC server answers that with an HTTP/2 frame and closes the connection.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: orders}
spec:
  ingressClassName: nginx
  rules:
    - host: orders.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: orders, port: {number: 50051}}}
---
apiVersion: v1
kind: Service
metadata: {name: orders}
spec: {ports: [{port: 50051}], selector: {app: orders}}
---
apiVersion: v1
kind: Pod
metadata: {name: orders, labels: {app: orders}}
spec:
  containers:
    - name: orders
      image: example/orders
      ports: [{containerPort: 50051}]
      readinessProbe: {grpc: {port: 50051}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: orders
  annotations: {nginx.ingress.kubernetes.io/backend-protocol: GRPC}
spec:
  ingressClassName: nginx
  rules:
    - host: orders.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: orders, port: {number: 50051}}}
---
apiVersion: v1
kind: Service
metadata: {name: orders}
spec: {ports: [{port: 50051}], selector: {app: orders}}
---
apiVersion: v1
kind: Pod
metadata: {name: orders, labels: {app: orders}}
spec:
  containers:
    - name: orders
      image: example/orders
      ports: [{containerPort: 50051}]
      readinessProbe: {grpc: {port: 50051}}
```

## Fix
Tell the proxy: `backend-protocol: GRPC` (ingress-nginx), `backend-protocol-version: GRPC` (ALB), scheme `h2c` (Traefik),
`appProtocol: kubernetes.io/h2c` and a GRPCRoute (Gateway API). Clients need HTTP/2 to the proxy as well, which most
proxies offer on TLS listeners only.

## Prove it
```sh
kubectl -n NAMESPACE port-forward deploy/NAME 50051:PORT &
grpcurl -plaintext localhost:50051 list
grpcurl HOST:443 list
```

## How sure
An error where the kubelet probes the port by gRPC. A warning where `appProtocol` says so, or where the names of the
Service's and the container's port agree on it. One step down where no class says which controller serves the route.
Silent where the proxy chooses by itself or is not known to, where it speaks HTTP over TLS, in whose handshake it may
agree on HTTP/2, where only one name says gRPC, and for gRPC-Web.

## References
- https://kubernetes.github.io/ingress-nginx/examples/grpc/
- https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#backend-protocol-version
- https://gateway-api.sigs.k8s.io/guides/backend-protocol/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.facts.evidence.model import Speech, Verdict
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.kinds import GATEWAY_GROUP
from ingress_lint.routes.model import BackendRef, Endpoint, Route
from ingress_lint.routes.remedies import told
from ingress_lint.routes.sourced import Origin
from ingress_lint.routes.traffic import AppProtocol
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule


class GRPCProtocolMissing(Rule):
    """HTTP/1 to a gRPC server."""

    code: ClassVar[str] = "IL507"
    name: ClassVar[str] = "grpc-protocol-missing"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "the proxy speaks HTTP/1 to a gRPC port"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the proxy speaks HTTP/1 to a server that knows only HTTP/2",
            often=("502", "http-version-mismatch"),
            sometimes=("premature-close", "connection-reset", "no-live-upstreams"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"endpoints"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Asks what is known of the port behind each backend that gets HTTP/1."""
        for backend in route.backends:
            port = backend.service_port
            if port is None or backend.protocol.value is not AppProtocol.HTTP:
                continue
            for endpoint in backend.endpoints:
                if endpoint.number is None:
                    continue
                spoken = listening_evidence(graph).application(
                    endpoint.workload, endpoint.number, port.service, port.index
                )
                if spoken is not None and spoken.speech is Speech.GRPC:
                    yield self._finding(route, backend, endpoint, spoken)

    def _finding(self, route: Route, backend: BackendRef, endpoint: Endpoint, spoken: Verdict) -> Finding:
        severity = Severity.ERROR if spoken.certain else Severity.WARNING
        speaks = backend.protocol
        by = "by default" if speaks.origin is Origin.DEFAULT else speaks.why
        seen = "calls fail with UNAVAILABLE and the client gets 502"
        message = (
            f"{route.gateway} speaks HTTP/1.1{f' ({by})' if by else ''} to {backend.kind} `{backend.name}`, but port "
            f"{endpoint.number} of {endpoint.workload} speaks gRPC, which is HTTP/2 only: {spoken.why}; "
            f"{'' if spoken.certain else 'very likely '}{seen}"
        )
        if route.assumed:
            severity = Severity(severity - 1)
            message += f" (taking {route.controller.value} as the controller, as nothing says which serves it)"
        related = [Related(piece.why, piece.place) for piece in spoken.evidence[:3]]
        place = backend.protocol.place
        if backend.protocol.origin is Origin.DEFAULT:  # one object may have several backends
            place = backend.port.place if backend.port else backend.place
        port = backend.service_port
        silent = port is not None and not port.port.app_protocol and route.owner.group == GATEWAY_GROUP
        if port is not None and silent and port.app_protocol_place != place:
            related.append(
                Related("nothing says it at the port of the Service (`appProtocol`)", port.app_protocol_place)
            )
        return self.finding(
            place,
            message,
            severity=severity,
            related=related,
            path=way(route, backend, Hop.POD, endpoint),
            fix=told(
                backend.remedies.protocols.get(AppProtocol.GRPC, ""),
                "",
                f"tell {route.gateway} that this backend speaks gRPC",
            ),
        )
