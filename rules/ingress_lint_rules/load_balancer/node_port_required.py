"""## What it does
Checks that a Service behind a load balancer can be reached the way the load balancer goes: by a port on every node
(ALB and NLB target type `instance`, GKE Ingress without network endpoint groups), or pod by pod (target type `ip`,
network endpoint groups).

## What you see
The load balancer is never made, or not changed any more, and the controller's events say `service type must be either
'NodePort' or 'LoadBalancer'`. Where it exists, its target group stays empty and clients get 503, or 502 on GKE.

## Why it breaks
A load balancer that targets nodes needs a port to send packets to on each of them. Only Services of type NodePort and
LoadBalancer open one; a ClusterIP exists inside the cluster alone. One that targets pods needs pods: addresses that
somebody wrote into Endpoints by hand belong to none, so they never become targets.

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
spec: {type: ClusterIP, ports: [{port: 80, targetPort: 8080}], selector: {app: shop}}
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
spec: {type: ClusterIP, ports: [{port: 80, targetPort: 8080}], selector: {app: shop}}
```

## Fix
Let the load balancer target pods: `alb.ingress.kubernetes.io/target-type: ip`, or on GKE the Service annotation
`cloud.google.com/neg: '{"ingress": true}'`. Or make the Service one of type NodePort.

## Prove it
```sh
kubectl -n NAMESPACE get service NAME -o jsonpath='{.spec.type} {.spec.ports[*].nodePort}{"\\n"}'
kubectl -n NAMESPACE describe ingress INGRESS      # events: service type must be ...
aws elbv2 describe-target-health --target-group-arn ARN
```

## How sure
An error where the load balancer targets nodes, by setting or by its controller's documented default, and the Service
opens no port on them. A warning where the cluster decides whether it targets nodes or pods, and where the Service's
addresses are written by hand behind a load balancer that targets pods. A note where nodes are the target only because
nobody chose, and nothing ties the pods to nodes: on AWS Fargate there are no nodes to target.
Headless Services are left to IL407 and ExternalName ones to IL406.

## References
- https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#target-type
- https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/1695
- https://cloud.google.com/kubernetes-engine/docs/how-to/container-native-load-balancing
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Endpoints, EndpointSlice
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.model import BackendRef, ResolvedPort, Route
from ingress_lint.routes.remedies import told
from ingress_lint.routes.sourced import Origin
from ingress_lint.routes.traffic import TargetKind
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule

_ON_EVERY_NODE: Final = frozenset({"kubernetes.io/os", "kubernetes.io/arch", "beta.kubernetes.io/os"})


class NodePortRequired(Rule):
    """A Service that the load balancer cannot reach the way it goes."""

    code: ClassVar[str] = "IL204"
    name: ClassVar[str] = "node-port-required"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "the load balancer targets nodes, but the Service opens no port on them"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the load balancer sends to node ports, and the Service has none",
            often=("503", "no-endpoints"),
            sometimes=("502", "no-healthy-upstream"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"service_port"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Compares what each backend is targeted by with what its Service offers."""
        for backend in route.backends:
            port = backend.service_port
            if port is None or port.service.body.spec.headless or port.service.body.spec.type == "ExternalName":
                continue
            target = backend.target
            if target.value is TargetKind.NODE_OR_POD:
                yield from self._perhaps_nodes(route, backend, port)
            elif target.value is TargetKind.NODE:
                yield from self._nodes(route, backend, port)
            elif target.value is TargetKind.POD and target.explicit:
                yield from self._pods(route, backend, port, graph)

    def _nodes(self, route: Route, backend: BackendRef, port: ResolvedPort) -> Iterator[Finding]:
        lacking = _lacking(port)
        if lacking is None:
            yield from self._no_nodes(route, backend, port)
            return
        why = f" ({backend.target.why})" if backend.target.why else ""
        by_http = any(listener.protocol.value in ("HTTP", "HTTPS") for listener in route.listeners)
        seen = "get 503 or no load balancer at all" if by_http else "are refused"
        yield self.finding(
            backend.target.place,
            f"the {route.gateway} targets nodes{why}, but {lacking}; it gets no targets, and clients {seen}",
            related=[Related("the Service opens no port on the nodes", _type_place(port))],
            path=way(route, backend, Hop.LOAD_BALANCER),
            fix=_to_pods(backend),
        )

    def _perhaps_nodes(self, route: Route, backend: BackendRef, port: ResolvedPort) -> Iterator[Finding]:
        lacking = _lacking(port)
        if lacking is not None:
            yield self.finding(
                backend.target.place,
                f"{lacking}, and {backend.target.why}; on a cluster that does not, the {route.gateway} has nothing to "
                "send requests to, and clients get 502",
                severity=Severity.WARNING,
                related=[Related("the Service opens no port on the nodes", _type_place(port))],
                path=way(route, backend, Hop.LOAD_BALANCER),
                fix=_to_pods(backend),
            )

    def _pods(self, route: Route, backend: BackendRef, port: ResolvedPort, graph: ObjectGraph) -> Iterator[Finding]:
        service = port.service
        by_hand = graph.endpoints_of(service)
        if service.body.spec.selector or not by_hand or any(_has_pods(item) for item in by_hand):
            return
        yield self.finding(
            backend.target.place,
            f"the {route.gateway} targets pods, but the addresses of Service `{service.name}` are written by hand and "
            "belong to no pod; they never become targets, and clients get 503",
            severity=Severity.WARNING,
            related=[Related("the addresses are written here", item.name_place) for item in by_hand],
            path=way(route, backend, Hop.LOAD_BALANCER),
            fix="let the load balancer target nodes, with a Service of type NodePort",
        )

    def _no_nodes(self, route: Route, backend: BackendRef, port: ResolvedPort) -> Iterator[Finding]:
        """A default that holds only where the pods run on nodes; a NodePort chosen by number shows that they do."""
        service = port.service
        chosen = backend.target.origin is not Origin.DEFAULT or port.port.node_port is not None
        workloads = [endpoint.workload for endpoint in port.endpoints]
        if chosen or service.body.spec.type != "NodePort" or not workloads or any(map(_on_nodes, workloads)):
            return
        yield self.finding(
            backend.target.place,
            f"the {route.gateway} targets nodes ({backend.target.why}); if the pods of Service `{service.name}` run "
            "without nodes of their own, as on AWS Fargate, it gets no targets and clients get 503",
            severity=Severity.NOTE,
            related=[Related("the Service is made for nodes as targets", _type_place(port))],
            path=way(route, backend, Hop.LOAD_BALANCER),
            fix="say which it should be: target pods on Fargate, or write down that nodes are meant",
        )


def _to_pods(backend: BackendRef) -> str:
    """What brings the load balancer's targets and the Service together."""
    instruction = told(backend.remedies.target_pods, "", "let the load balancer target pods")
    return f"{instruction}, or make the Service one of type NodePort"


def _lacking(port: ResolvedPort) -> str | None:
    """Why the Service opens no port on the nodes, None where it does."""
    service, spec = port.service, port.service.body.spec
    if spec.type == "ClusterIP":
        return f"Service `{service.name}` is of type ClusterIP and opens no port on them"
    if not spec.allocate_load_balancer_node_ports and spec.type == "LoadBalancer" and port.port.node_port is None:
        return f"Service `{service.name}` opens no port on them: allocateLoadBalancerNodePorts is false"
    return None


def _type_place(port: ResolvedPort) -> Place:
    field = "type" if port.service.body.spec.allocate_load_balancer_node_ports else "allocateLoadBalancerNodePorts"
    return port.service.at("spec", field)


def _has_pods(item: AnyObject) -> bool:
    """Whether any of the addresses names the object that it belongs to."""
    body = item.body
    if isinstance(body, Endpoints):
        addresses = (address for subset in body.subsets for address in subset.addresses)
        return any(isinstance(address, dict) and address.get("targetRef") for address in addresses)
    return isinstance(body, EndpointSlice) and any(endpoint.target_ref for endpoint in body.endpoints)


def _on_nodes(workload: Workload) -> bool:
    """Whether something shows that the pods run on nodes that the cluster's owner has."""
    pod = workload.pod
    node_affinity = pod.affinity.get("nodeAffinity") if isinstance(pod.affinity, dict) else None
    ports = (port for container in workload.containers for port in container.container.ports)
    return (
        workload.object.kind == "DaemonSet"
        or pod.host_network
        or bool(node_affinity or pod.node_selector.keys() - _ON_EVERY_NODE)
        or any(port.host_port for port in ports)
    )
