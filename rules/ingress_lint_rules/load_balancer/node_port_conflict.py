"""## What it does
Checks that every node port that a Service asks for by number is free, and within the range that the API server hands
out.

## What you see
`Service "web" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated`, or `provided
port is not in the valid range. The range of valid ports is 30000-32767`. The Service is not made, or keeps its old
ports. Connections to the node port are refused or reach the other Service.

## Why it breaks
A node port is open on every node of the cluster and leads to one Service, whatever its namespace. The API server keeps
one list of them all, by number alone: TCP and UDP may share a number only within one Service, and there only for the
same `port`. The `healthCheckNodePort` of a Service comes from the same list.

## Example
Bad:
```yaml
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}
---
apiVersion: v1
kind: Service
metadata: {name: admin}
spec: {type: NodePort, selector: {app: admin}, ports: [{port: 80, nodePort: 30080}]}
```
Good:
```yaml
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}
---
apiVersion: v1
kind: Service
metadata: {name: admin}
spec: {type: NodePort, selector: {app: admin}, ports: [{port: 80, nodePort: 30081}]}
```

## Fix
Give one of the two another number, or leave `nodePort` out so that the cluster chooses a free one.

## Prove it
```sh
kubectl get services --all-namespaces -o wide | grep PORT
kubectl apply --dry-run=server -f FILE
```

## How sure
An error. A warning where the two Services stand in different folders, or have one name in two namespaces: they may be
meant for different clusters. The range is that of `--service-node-port-range` where the set shows how the API server
is started, else Kubernetes' own. Silent on Services of type ClusterIP and ExternalName, which have no node ports.

## References
- https://kubernetes.io/docs/concepts/services-networking/service/#type-nodeport
- https://github.com/kubernetes/kubernetes/issues/91404
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from msgspec import Struct

from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service
from ingress_lint.objects.group_kind import SERVICE
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.model import Route
from ingress_lint.routes.way import first_way
from ingress_lint.rule import Cause, Rule
from ingress_lint.values.ports import port_range

_OPENS_PORTS: Final = ("NodePort", "LoadBalancer")
_DEFAULT: Final = range(30000, 32768)


class _Claim(Struct, frozen=True):
    """A node port that a Service asks for. `port` is None for the one of its health check."""

    service: KubernetesObject[Service]
    number: int
    port: int | None
    protocol: str
    place: Place

    def shares_with(self, other: _Claim) -> bool:
        """Whether both may have one number: other protocols of one port of one Service."""
        same = self.service.key == other.service.key
        return same and self.port is not None and self.port == other.port and self.protocol != other.protocol

    def __str__(self) -> str:
        what = "its health check" if self.port is None else f"port {self.port}/{self.protocol}"
        return f"Service `{self.service.namespace}/{self.service.name}` ({what})"


class NodePortConflict(Rule):
    """A node port that a Service cannot have."""

    code: ClassVar[str] = "IL208"
    name: ClassVar[str] = "node-port-conflict"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a node port is claimed twice, or outside the range of node ports"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the node port is taken or out of range, so the Service is not made",
            often=("apply-refused",),
            sometimes=("connection-refused",),
        ),
    )
    needs: ClassVar[frozenset[tuple[str, str]]] = frozenset({SERVICE})

    def check_set(self, graph: ObjectGraph, routes: tuple[Route, ...]) -> Iterable[Finding]:
        """Compares the node ports of all Services with each other and with the range."""
        seen: dict[int, list[_Claim]] = {}
        allowed: tuple[range, Place | None] | None = None
        for service in graph.services:
            for claim in _claims(service):
                others = [other for other in seen.setdefault(claim.number, []) if _both_made(other, claim)]
                seen[claim.number].append(claim)
                rival = next((other for other in others if not claim.shares_with(other)), None)
                if rival is not None:
                    yield self._twice(rival, claim, graph, routes)
                elif not others:
                    allowed = allowed or _allowed(graph)
                    if claim.number not in allowed[0]:
                        yield self._outside(claim, allowed, graph, routes)

    def _twice(self, first: _Claim, second: _Claim, graph: ObjectGraph, routes: tuple[Route, ...]) -> Finding:
        one, other = first.service, second.service
        folders = [os.path.dirname(item.document.file.path) for item in (one, other)]
        apart = folders[0] != folders[1] and not one.document.template
        cloned = one.name == other.name and one.namespace != other.namespace
        if one.key == other.key:
            outcome = "the API server refuses the Service, and clients are refused"
        else:
            outcome = "the API server refuses whichever comes second, and its clients reach the other Service"
        if apart or cloned:
            outcome = f"if both go to one cluster, {outcome}"
        return self.finding(
            second.place,
            f"{second} asks for node port {second.number}, which {first} has; {outcome}",
            severity=Severity.WARNING if apart or cloned else None,
            related=[Related(f"node port {first.number} is claimed here first", first.place)],
            path=first_way(graph, routes, other, Hop.NODE),
            fix="choose another number, or leave it out so that the cluster chooses a free one",
        )

    def _outside(
        self, claim: _Claim, allowed: tuple[range, Place | None], graph: ObjectGraph, routes: tuple[Route, ...]
    ) -> Finding:
        numbers, place = allowed
        written = f"{numbers.start}-{numbers.stop - 1}"
        return self.finding(
            claim.place,
            f"{claim} asks for node port {claim.number}, and the API server hands out {written}"
            f"{'' if place else ' unless told otherwise'}; it refuses the Service, and clients are refused",
            related=[Related(f"the range is set to {written}", place)] if place else (),
            path=first_way(graph, routes, claim.service, Hop.NODE),
            fix=f"choose a number within {written}, or leave it out",
        )


def _claims(service: KubernetesObject[Service]) -> Iterator[_Claim]:
    spec = service.body.spec
    if spec.type not in _OPENS_PORTS:
        return
    for index, port in enumerate(spec.ports):
        if port.node_port:
            place = service.at("spec", "ports", index, "nodePort")
            yield _Claim(service, port.node_port, port.port, port.protocol, place)
    local = spec.type == "LoadBalancer" and spec.external_traffic_policy == "Local"
    if local and spec.health_check_node_port:
        place = service.at("spec", "healthCheckNodePort")
        yield _Claim(service, spec.health_check_node_port, None, "TCP", place)


def _both_made(one: _Claim, other: _Claim) -> bool:
    """Whether both claims count; of two objects of one name only one is ever there."""
    return one.service is other.service or one.service.key != other.service.key


def _allowed(graph: ObjectGraph) -> tuple[range, Place | None]:
    """The range of node ports, and where the set says so."""
    for workload in graph.workloads:
        for container in workload.containers:
            if container.name != "kube-apiserver":
                continue
            for field in ("command", "args"):
                for index, word in enumerate(getattr(container.container, field)):
                    option, _, value = str(word).partition("=")
                    found = port_range(value) if option == "--service-node-port-range" else None
                    if found:
                        return found, container.at(field, index)
    return _DEFAULT, None
