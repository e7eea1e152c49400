"""## What it does
Checks that the port which somebody set for a load balancer's health check exists where the check asks: on the pods, or
on the nodes where the load balancer's targets are nodes.

## What you see
The pods are Ready, but every target of the load balancer is unhealthy, with "connection refused" or "request timed out"
as the reason. Clients get 502 or 503. Where the controller refuses the value, the load balancer is never updated.

## Why it breaks
Three numbers stand in a row, and all are called "the port": the Service's port, the port that the container listens on
(`targetPort`), and the port that each node opens (`nodePort`). A load balancer that reaches pods directly needs the
second, one that reaches nodes the third. The Service's own port exists only inside the cluster, and no load balancer
asks there.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    alb.ingress.kubernetes.io/target-type: ip
    alb.ingress.kubernetes.io/healthcheck-port: "80"
spec:
  ingressClassName: alb
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
      containers: [{name: shop, image: example/shop, ports: [{containerPort: 8080}]}]
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    alb.ingress.kubernetes.io/target-type: ip
    alb.ingress.kubernetes.io/healthcheck-port: "8080"
spec:
  ingressClassName: alb
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
      containers: [{name: shop, image: example/shop, ports: [{containerPort: 8080}]}]
```

## Fix
Leave the port out, so that the check asks the port that gets the traffic; or name the container's port where the
targets are pods, and a `nodePort` that the Service pins where they are nodes.

## Prove it
```sh
kubectl -n NAMESPACE get service NAME -o jsonpath='{.spec.ports}'
kubectl -n NAMESPACE get endpointslices -l kubernetes.io/service-name=NAME
aws elbv2 describe-target-health --target-group-arn ARN      # ALB, NLB
gcloud compute backend-services get-health NAME --global     # GKE
```

## How sure
An error where the number belongs to another place in the row (the Service's port or a NodePort where pods are asked, a
pod's port where nodes are asked) and where a name is no port of the Service. A warning for any other number that
nothing declares, since `containerPort` is informational and something else may listen on a node. Silent where a
container declares the port, a probe asks it, a setting of the container names it or another port of the Service leads to
it, and where it is a host port or the NodePort of some Service of the set.

## References
- https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#healthcheck-port
- https://cloud.google.com/kubernetes-engine/docs/how-to/ingress-configuration#direct_health
- https://kubernetes.io/docs/concepts/services-networking/service/#type-nodeport
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.routes.health import KUBE_PROXY_HEALTH, lacks_node_port, landings, without_healthy_targets
from ingress_lint.routes.model import BackendRef, ResolvedPort, Route
from ingress_lint.routes.remedies import told
from ingress_lint.routes.sourced import Sourced
from ingress_lint.routes.traffic import HealthCheck, TargetKind
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule
from ingress_lint.values.ports import is_number

_NODE_PORTS = range(30000, 32768)


class HealthCheckPortMismatch(Rule):
    """A health check of a port where nothing listens."""

    code: ClassVar[str] = "IL202"
    name: ClassVar[str] = "health-check-port-mismatch"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "the load balancer's health check asks a port that its targets do not open"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the health check asks a port where nobody listens, so no target is healthy",
            often=("502", "503", "check-failed", "no-healthy-upstream"),
            sometimes=("504", "check-timeout", "connection-refused"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"health_check"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks for the port of each backend's health check where the check asks for it."""
        for backend in route.backends:
            check, port = backend.health_check, backend.service_port
            if check is None or check.port is None or not check.port.explicit or port is None:
                continue
            if lacks_node_port(check, port):
                continue
            asked = check.port
            if isinstance(asked.value, str) and not is_number(asked.value):
                fault = _unknown_name(asked.value, port)
            elif check.resolved_port is None:
                continue
            else:
                fault = _not_there(check.resolved_port, check.target, backend, port, graph)
            if fault is not None:
                yield self._finding(route, backend, check, asked, fault)

    def _finding(
        self,
        route: Route,
        backend: BackendRef,
        check: HealthCheck,
        asked: Sourced[int | str],
        fault: tuple[Severity, str, Iterable[Related], str],
    ) -> Finding:
        severity, text, related, fix = fault
        port = asked.value if isinstance(asked.value, int) else f"`{asked.value}`"
        doubt = ":" if severity is Severity.ERROR else "; unless something else listens there,"
        return self.finding(
            asked.place,
            f"the {check.by} checks health at port {port}, {text}{doubt} {without_healthy_targets(route)}",
            severity=severity,
            related=related,
            path=way(route, backend, Hop.POD),
            fix=fix,
        )


_Fault = tuple[Severity, str, Iterable[Related], str]


def _unknown_name(name: str, port: ResolvedPort) -> _Fault | None:
    service = port.service
    names = [p.name for p in service.body.spec.ports if p.name]
    if name in names:
        return None
    known = f"its ports are {', '.join(names)}" if names else "its ports have no names"
    related = (Related(f"the ports of {service}", service.at("spec", "ports")),)
    fix = f"name one of {', '.join(names)}" if names else "leave the port out"
    return Severity.ERROR, f"and {service} has no port of that name ({known})", related, fix


def _not_there(
    number: int, target: TargetKind, backend: BackendRef, port: ResolvedPort, graph: ObjectGraph
) -> _Fault | None:
    """What is wrong with a number at the targets; where they may be nodes or pods, it must be wrong at both."""
    on_node = _not_on_node(number, port, graph) if target in (TargetKind.NODE, TargetKind.NODE_OR_POD) else None
    if target is TargetKind.NODE or (target is TargetKind.NODE_OR_POD and on_node is None):
        return on_node
    return _not_on_pod(number, backend, port, graph)


def _not_on_pod(number: int, backend: BackendRef, port: ResolvedPort, graph: ObjectGraph) -> _Fault | None:
    found = landings(backend)
    if not found or any(landing.port_known for landing in found) or _targeted(number, port, found[0].workload):
        return None
    traffic = found[0].endpoint.number
    listening = f"the pods listen on {traffic}" if traffic else "the pods listen elsewhere"
    instruction = told(backend.remedies.check_port, traffic, f"set the health check's port to {traffic}")
    fix = f"{instruction}, or leave it out" if traffic else "leave the port out"
    for index, candidate in enumerate(port.service.body.spec.ports):
        place = port.service.at("spec", "ports", index)
        if candidate.port == number:
            text = f"which is the port of {port.service}; the check asks the pods themselves, and {listening}"
            return Severity.ERROR, text, (Related("the Service's port", place.at("port")),), fix
        if candidate.node_port == number:
            text = f"which is a NodePort; the check asks the pods themselves, and {listening}"
            return Severity.ERROR, text, (Related("the NodePort", place.at("nodePort")),), fix
    declaring = [container for container in found[0].workload.containers if container.container.ports]
    if not declaring or any(listening_evidence(graph).mention(landing.workload, number) for landing in found):
        return None
    text = f"which no container of {found[0].workload} declares ({listening})"
    related = (Related(f"the ports of container `{declaring[0].name}`", declaring[0].at("ports")),)
    return Severity.WARNING, text, related, fix


def _targeted(number: int, port: ResolvedPort, workload: Workload) -> bool:
    """Whether another port of the Service leads to the number, which a sidecar may serve that no manifest shows."""
    for other in port.service.body.spec.ports:
        target = other.port if other.target_port is None else other.target_port
        if target == number:
            return True
        if isinstance(target, str) and any(item.port_number(target) == number for item in workload.containers):
            return True
    return False


def _not_on_node(number: int, port: ResolvedPort, graph: ObjectGraph) -> _Fault | None:
    if number == KUBE_PROXY_HEALTH or _opened_on_nodes(number, graph):
        return None
    service = port.service
    pinned = port.port.node_port
    fix = f"set it to the NodePort {pinned}" if pinned else "leave the port out, so that the check asks the NodePort"
    fix = f"{fix}, or let the load balancer target the pods"
    if any(number in (endpoint.number, port.port.port) for endpoint in port.endpoints):
        whose = (
            "port of the pods" if any(number == endpoint.number for endpoint in port.endpoints) else "Service's port"
        )
        text = f"which is the {whose}; the check asks the nodes, which open the NodePort of {service} instead"
        return Severity.ERROR, text, (Related("the port behind it", port.at("port")),), fix
    if number in _NODE_PORTS and pinned is None:
        text = f"while {service} leaves its NodePort to the cluster, which picks another"
    else:
        text = f"which is no NodePort of {service} nor a host port of the set"
    return Severity.WARNING, text, (Related("the Service's port", port.at("nodePort")),), fix


def _opened_on_nodes(number: int, graph: ObjectGraph) -> bool:
    """Whether something of the set opens that port on nodes."""
    for service in graph.services:
        spec = service.body.spec
        if number == spec.health_check_node_port or any(number == port.node_port for port in spec.ports):
            return True
    return any(
        number == port.host_port or (workload.pod.host_network and number == port.container_port)
        for workload in graph.workloads
        for container in workload.containers
        for port in container.container.ports
    )
