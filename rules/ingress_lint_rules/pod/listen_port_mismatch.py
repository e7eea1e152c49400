"""## What it does
Compares the port that a container is told to listen on with the one that its Service leads to.

## What you see
502, or 503 where a readiness probe asks the Service's port; `connect() failed (111: Connection refused)` in the proxy's
log, while the application's own log says that it is listening.

## Why it breaks
`containerPort` opens nothing: it is a note for readers. The application listens where its command line, its environment
or its configuration says, and the Service sends packets to its target port, whether anybody listens there or not.

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
          env: [{name: PORT, value: "3000"}]
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
spec: {ports: [{port: 80, targetPort: 3000}], selector: {app: shop}}
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
          env: [{name: PORT, value: "3000"}]
          ports: [{containerPort: 3000}]
```

## Fix
Let the application, the container's declared port and the Service's target port agree. A target port by name needs only
one number to change.

## Prove it
```sh
kubectl -n NAMESPACE exec POD -- ss -ltn
kubectl -n NAMESPACE get endpointslices -l kubernetes.io/service-name=SERVICE
```

## How sure
An error where an option, a variable that means nothing else (`PORT`, `SERVER_PORT`, ASPNETCORE_URLS) or a mounted
configuration file names the port. A warning where a probe asks the Service's port all the same, and where the port is
the default of a server that the manifest runs by name, or of an official image that nothing tells otherwise. Silent
where anything in the pod names the Service's port, where the container declares the port that it is told as well or
declares several, where a setting's value is not known, and for images known to serve the Service's port. A target port
that no container declares while they declare others is IL501's.

## References
- https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports
- https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#ports
- https://learn.microsoft.com/aspnet/core/fundamentals/servers/kestrel/endpoints
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.facts.evidence.binding import Binding
from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.facts.evidence.model import Certainty
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.routes.model import BackendRef, Endpoint, Route
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule
from ingress_lint.tracing.predictions import PREDICTIONS


class ListenPortMismatch(Rule):
    """An application that listens elsewhere than its Service leads."""

    code: ClassVar[str] = "IL510"
    name: ClassVar[str] = "listen-port-mismatch"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "the application is told to listen on another port than the Service targets"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the application listens on another port than the Service sends to",
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
        """Compares each backend's target port with what the container behind it is told."""
        for backend in route.backends:
            for endpoint in backend.endpoints:
                container, number = endpoint.container, endpoint.number
                if container is None or number is None or not _serves_it_alone(container, number):
                    continue
                told = _told_elsewhere(container, number, graph)
                if told is not None:
                    yield self._finding(route, backend, endpoint, container, number, told)

    def _finding(
        self,
        route: Route,
        backend: BackendRef,
        endpoint: Endpoint,
        container: WorkloadContainer,
        number: int,
        told: Binding,
    ) -> Finding:
        probed = _probed(container, number)
        why = f"nothing tells {told.program} another port than {told.number}" if told.program else told.why
        then, severity = ", so", self.severity
        if probed:
            then, severity = f", though the {probed} asks {number}; unless it opens both,", Severity.WARNING
        elif told.certainty is Certainty.HINT:
            then, severity = "; unless something else does,", Severity.WARNING
        elif told.program:
            then, severity = "; unless its image does,", Severity.WARNING
        related = [Related(f"port {number} is declared here", endpoint.port_place)] if endpoint.port_place else []
        port = backend.service_port
        if port is not None:
            related.append(
                Related(
                    f"{port.service} leads here", port.at("port" if port.port.target_port is None else "targetPort")
                )
            )
        return self.finding(
            told.place,
            f"{backend.kind} `{backend.name}` leads to port {number} of {endpoint.workload}, but container "
            f"`{container.name}` listens on {told.number}: {why}{then} every connection is refused and clients get "
            f"{503 if probed else PREDICTIONS[self.code].status_from(route.controller.value)}",
            severity=severity,
            related=related,
            path=way(route, backend, Hop.POD, endpoint),
            fix=f"let it listen on {number}, or set `targetPort` and `containerPort` to {told.number}",
        )


def _serves_it_alone(container: WorkloadContainer, number: int) -> bool:
    """Whether the container is known for this port only, so that what it is told means this one."""
    ports = [port for port in container.container.ports if port.protocol == "TCP"]
    return not ports or [port.container_port for port in ports] == [number]


def _told_elsewhere(container: WorkloadContainer, number: int, graph: ObjectGraph) -> Binding | None:
    """The port that the container is told instead of this one; None where anything names it or may do so."""
    evidence = listening_evidence(graph).of(container)
    bindings = listening_evidence(graph).bindings(container)
    if any(binding.number == number for binding in bindings) or evidence.may_listen_elsewhere:
        return None
    image = evidence.image
    if image is not None and not evidence.replaces_configuration and any(known == number for known, _ in image.ports):
        return None
    told = [binding for binding in bindings if not binding.aside and binding.certainty is not Certainty.HINT]
    if len({binding.number for binding in told}) > 1 or _named_in_pod(container, number, graph):
        return None
    return told[0] if told else _published(container, number, graph)


def _published(container: WorkloadContainer, number: int, graph: ObjectGraph) -> Binding | None:
    """The port of an image that nothing tells another one, where no probe asks for `number`."""
    port = listening_evidence(graph).of(container).published_port
    if port in (None, number) or _probed(container, number):
        return None
    image = container.container.image
    why = f"that is the port of image `{image}` as it is published, and nothing here tells it another"
    return Binding(port, "", why, container.at("image"), Certainty.HINT)


def _named_in_pod(container: WorkloadContainer, number: int, graph: ObjectGraph) -> bool:
    """Whether a command line, an environment or a mounted file of the pod names the port, or another container serves it."""
    return any(
        listening_evidence(graph).of(other).told(number) is not None
        or (other is not container and other.port_numbered(number))
        for other in container.workload.containers
    )


def _probed(container: WorkloadContainer, number: int) -> str:
    """The probe that asks the port, as messages name it; empty for none."""
    for field, probe in container.container.probes():
        action = probe.http_get or probe.tcp_socket or probe.grpc
        if action is not None and container.port_number(action.port) == number:
            return field.removesuffix("Probe") + " probe"
    return ""
