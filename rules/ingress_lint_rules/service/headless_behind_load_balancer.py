"""## What it does
Finds Services without a cluster IP (`clusterIP: None`) behind something that needs one: a load balancer that targets
nodes, a proxy that is told to send to the cluster IP, or the Service's own type.

## What you see
`Service "web" is invalid: spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for LoadBalancer
services`. Or the load balancer is never made, because `service type must be either 'NodePort' or 'LoadBalancer'`, and
clients get 503, or 502 on GKE.

## Why it breaks
A headless Service is no more than a list of pods in DNS: kube-proxy opens no address and no port for it, so nothing on a
node takes a packet that is meant for it. Whatever sends to a node port or to a cluster IP finds none.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations: {alb.ingress.kubernetes.io/target-type: instance}
spec:
  ingressClassName: alb
  defaultBackend: {service: {name: shop, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {clusterIP: None, ports: [{port: 80, targetPort: 8080}], selector: {app: shop}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations: {alb.ingress.kubernetes.io/target-type: ip}
spec:
  ingressClassName: alb
  defaultBackend: {service: {name: shop, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {clusterIP: None, ports: [{port: 80, targetPort: 8080}], selector: {app: shop}}
```

## Fix
Add a second Service with the same selector for the load balancer, and keep the headless one for the StatefulSet. Or let
the load balancer target pods, which it finds behind a headless Service too.

## Prove it
```sh
kubectl -n NAMESPACE get service NAME -o jsonpath='{.spec.type} {.spec.clusterIP} {.spec.ports[*].nodePort}{"\\n"}'
kubectl -n NAMESPACE describe ingress INGRESS
```

## How sure
An error where the Service's type needs a cluster IP, and where the load balancer targets nodes. A warning where the
cluster decides whether it does, and for a proxy that is told to use the cluster IP: some go by the Service's DNS name
instead, and that leads to the pods at the Service's port; a note where the pods listen there. Silent for everything
that goes to the pods. Services without node ports that are not headless are left to IL204.

## References
- https://kubernetes.io/docs/concepts/services-networking/service/#headless-services
- https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#target-type
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.group_kind import SERVICE
from ingress_lint.routes.model import BackendRef, ResolvedPort, Route
from ingress_lint.routes.sourced import Origin
from ingress_lint.routes.traffic import TargetKind
from ingress_lint.routes.way import first_way, way
from ingress_lint.rule import Cause, Rule

_TO_PODS = "let the load balancer target pods, or give it a Service of its own, of type NodePort"


class HeadlessBehindLoadBalancer(Rule):
    """A Service without a cluster IP where one is needed."""

    code: ClassVar[str] = "IL407"
    name: ClassVar[str] = "headless-behind-load-balancer"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a headless Service where the load balancer needs a cluster IP or a node port"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "a headless Service has no address or node port that the load balancer could send to",
            often=("503", "no-endpoints"),
            sometimes=("502", "apply-refused", "no-healthy-upstream"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"service_port"})
    needs: ClassVar[frozenset[tuple[str, str]]] = frozenset({SERVICE})

    def check_set(self, graph: ObjectGraph, routes: tuple[Route, ...]) -> Iterable[Finding]:
        """Compares the type of each headless Service with what it lacks."""
        for service in graph.services:
            spec = service.body.spec
            if spec.headless and spec.type in ("NodePort", "LoadBalancer"):
                yield self.finding(
                    service.at("spec", "clusterIP"),
                    f"Service `{service.name}` is of type {spec.type}, which needs a cluster IP, and asks for none: the "
                    "API server refuses it, and clients get 503 or are refused",
                    related=[Related(f"the type is {spec.type}", service.at("spec", "type"))],
                    path=first_way(graph, routes, service, Hop.SERVICE),
                    fix="leave out `clusterIP: None`, or put it into a second Service of type ClusterIP",
                )

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Compares what each backend is targeted by with what a headless Service offers."""
        for backend in route.backends:
            port = backend.service_port
            if port is None or not port.service.body.spec.headless or port.service.body.spec.type != "ClusterIP":
                continue
            kind, why = backend.target.value, f" ({backend.target.why})" if backend.target.why else ""
            lacks = f"Service `{port.service.name}` is headless"
            if kind is TargetKind.NODE:
                message = (
                    f"the {route.gateway} targets nodes{why}, but {lacks} and opens no port on them; clients get 503"
                )
                yield self._finding(route, backend, port, message, _TO_PODS)
            elif kind is TargetKind.NODE_OR_POD:
                message = (
                    f"{lacks} and opens no port on the nodes, and {backend.target.why}; on a cluster that does not, the "
                    f"{route.gateway} has nothing to send requests to, and clients get 502"
                )
                yield self._finding(route, backend, port, message, _TO_PODS, Severity.WARNING)
            elif kind is TargetKind.CLUSTER_IP and backend.target.origin is Origin.DERIVED:
                message = f"{lacks}, and {route.gateway} needs its cluster IP{why}; clients get 503"
                yield self._finding(route, backend, port, message, "remove `clusterIP: None`")
            elif kind is TargetKind.CLUSTER_IP:
                there = port.pod_port == port.port.port
                listening = "as it happens, they listen on it" if there else f"they listen on {port.target} (502)"
                message = (
                    f"{route.gateway} is told to send to the cluster IP{why}, but {lacks} and has none; the route is left "
                    f"out (404), or leads to port {port.port.port} of the pods by DNS: {listening}"
                )
                fix = "remove `clusterIP: None`, or let it send to the pods"
                yield self._finding(route, backend, port, message, fix, Severity.NOTE if there else Severity.WARNING)

    def _finding(
        self,
        route: Route,
        backend: BackendRef,
        port: ResolvedPort,
        message: str,
        fix: str,
        severity: Severity | None = None,
    ) -> Finding:
        headless = port.service.at("spec", "clusterIP")
        return self.finding(
            backend.target.place,
            message,
            severity=severity,
            related=[Related("the Service is headless", headless)],
            path=way(route, backend, Hop.SERVICE),
            fix=fix,
        )
