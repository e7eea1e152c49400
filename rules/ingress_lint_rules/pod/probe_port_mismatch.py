"""## What it does
Checks that the port a probe asks is one that its container has: a name must be declared by the same container, and a
number should be declared by some container of the pod.

## What you see
A readiness or startup probe on a name that is not there: the pod runs but stays at `0/1`, with "Readiness probe errored:
port \"http\" not found" among its events, and clients get 503. A liveness probe on such a name never runs, so that a
hung container is never restarted. A wrong number gives "connection refused" and the same 0/1, or a restart loop.

## Why it breaks
The kubelet looks up a probe's port name among the ports of the probe's own container, and nowhere else: neither the
Service's port names nor those of a container beside it count. Where it finds none it cannot even ask, throws the result
away, and a container that was never found ready stays unready. Nothing checks the name when the pod is created.

## Example
Bad:
```yaml
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
          ports: [{name: web, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /ready, port: http}}
```
Good:
```yaml
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
          ports: [{name: web, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /ready, port: web}}
```

## Fix
Name a port of the same container, or declare the one that is missing. For a port of another container of the pod use its
number: the containers of a pod share one address.

## Prove it
```sh
kubectl -n NAMESPACE describe pod POD | grep -A3 -i probe
kubectl -n NAMESPACE get pod POD -o jsonpath='{.spec.containers[*].ports}'
```

## How sure
An error for a name that the container does not declare, since the kubelet has no other place to look; a warning for one
of a liveness probe, which then just never runs. A note for a number that no container of the pod declares while the
container declares others: `containerPort` is informational, and the probe itself tells that its author knows of a port
there. A warning where something contradicts it: a port that the container declares or is told to open differs by one
digit, a port is declared by a name such as `health`, an option or the Service says otherwise. Silent where command,
arguments, environment or a mounted file name that number, where the image is known to open it, for `/healthz` and
`/readyz` at 8081, which managers scaffolded by kubebuilder answer by default (port 8081 alone where `--leader-elect`
tells such a manager), and for probes that ask another host. A warning as well where such a manager is told another
address for them (`--health-probe-bind-address`) and nothing else names the port that the probe asks, whatever the
container declares. Names that the API server refuses, and containers whose ports it refuses, are left to IL002.

## References
- https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#use-a-named-port
- https://github.com/kubernetes/kubernetes/blob/master/pkg/probe/util.go
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from ingress_lint.facts.answers import PROBE_TITLES
from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.facts.evidence.model import Listening
from ingress_lint.finding import Finding, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload, WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.model import IntOrString
from ingress_lint.objects.workloads import Probe
from ingress_lint.routes.model import Route
from ingress_lint.rule import Cause, Rule
from ingress_lint.values.patterns import deferred
from ingress_lint.values.ports import is_number, is_slip
from ingress_lint.values.spelling import close_matches

_NAME_EFFECT: Final = {
    "readinessProbe": "the pod never becomes ready, and clients get 503",
    "startupProbe": "the container never counts as started, the pod never becomes ready, and clients get 503",
    "livenessProbe": "the probe never runs, and a hung container is never restarted",
}
_NUMBER_EFFECT: Final = {
    "readinessProbe": "unless something listens there, the pod never becomes ready and clients get 503",
    "startupProbe": "unless something listens there, the container is restarted forever and clients get 503",
    "livenessProbe": "unless something listens there, the container is restarted again and again and clients get 502 or 503",
}
_PORT_NAME: Final = deferred(r"[0-9-]*[a-z][a-z0-9-]*", re.IGNORECASE | re.ASCII)
"""What the API server takes for a port's name; anything else it refuses, which IL002 reports."""
_REPLACED: Final = frozenset({"auto"})
"""Images that an admission webhook replaces together with the container's ports (Istio's gateway injection)."""
_MANAGER_HEALTH: Final = frozenset({(8081, "/healthz"), (8081, "/readyz")})
"""What managers that kubebuilder scaffolds answer by default (`--health-probe-bind-address`)."""
_MANAGER_PORT: Final = 8081
_ELECTION: Final = frozenset({"leader_elect", "enable_leader_election", "leader_election"})
"""By this option a manager is known, where a probe only connects."""
_MANAGER_PATHS: Final = frozenset({"/healthz", "/readyz"})
_HEALTH_ADDRESS: Final = deferred(r"health(?:z|_probe)?_(?:bind_)?addr(?:ess)?")
"""The option that says where they answer them (controller-runtime: `HealthProbeBindAddress`)."""

_HEALTH_WORDS: Final = frozenset({"health", "healthz", "healthcheck", "probe", "probes", "liveness", "readiness"})
"""Of these are the names of ports and options for health checks."""


class ProbePortMismatch(Rule):
    """A probe of a port that its container does not have."""

    code: ClassVar[str] = "IL506"
    name: ClassVar[str] = "probe-port-mismatch"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a probe asks a port that its container does not declare"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the readiness probe asks a port that is not there, so the pod never becomes ready",
            often=("503", "no-endpoints", "no-healthy-upstream", "probe-failed"),
        ),
        Cause(
            "the liveness probe asks a port where nobody listens, so the container is restarted again and again",
            often=("restart-loop",),
            sometimes=("502", "connection-refused"),
        ),
    )

    def check_set(self, graph: ObjectGraph, routes: tuple[Route, ...]) -> Iterable[Finding]:
        """Looks up the port of every probe of every workload."""
        for workload in graph.workloads:
            for container, field, probe in workload.probes():
                port = _asked(probe)
                if port is None or _lacks_ports(container):
                    continue
                path = probe.http_get.path if probe.http_get else ""
                health = _health_address(container, container.port_number(port), path, graph)
                if health is not None:
                    yield self._not_health(workload, container, field, port, _place(container, field, probe), health)
                elif isinstance(port, int):
                    yield from self._undeclared(workload, container, field, port, path, probe, graph)
                elif _PORT_NAME.fullmatch(port) and container.port_number(port) is None:
                    yield self._unknown_name(workload, container, field, port, _place(container, field, probe))

    def _unknown_name(
        self, workload: Workload, container: WorkloadContainer, field: str, name: str, place: Place
    ) -> Finding:
        names = [port.name for port in container.container.ports if port.name]
        beside = next((c for c in workload.containers if c is not container and c.port_named(name)), None)
        related = [Related(f"the ports of container `{container.name}`", container.at("ports"))] if names else []
        if beside is not None:
            known = f"only container `{beside.name}` has one"
            fix = f"use the number, {beside.port_number(name)}: a name is looked up in the probe's own container"
            related.append(Related(f"container `{beside.name}` declares `{name}`", beside.at("ports")))
        elif names:
            known = f"its ports are {', '.join(f'`{each}`' for each in names)}"
            near = close_matches(name, names, 1, 0.5) or names
            fix = f"did you mean `{near[0]}`?"
        else:
            known = "it names none"
            fix = f"declare a port named `{name}`, or use its number"
        return self.finding(
            place,
            f"the {PROBE_TITLES[field]} of {workload} asks port `{name}`, which container `{container.name}` does not "
            f"have ({known}): {_NAME_EFFECT[field]}",
            severity=Severity.WARNING if field == "livenessProbe" else Severity.ERROR,
            related=related,
            fix=fix,
        )

    def _not_health(
        self,
        workload: Workload,
        container: WorkloadContainer,
        field: str,
        port: IntOrString,
        place: Place,
        health: Listening,
    ) -> Finding:
        asked = port if isinstance(port, int) else f"{container.port_number(port)} (`{port}`)"
        return self.finding(
            place,
            f"the {PROBE_TITLES[field]} of {workload} asks port {asked}, but {health.setting} tells container "
            f"`{container.name}` to answer it at {health.number}: {_NUMBER_EFFECT[field]}",
            severity=Severity.WARNING,
            related=[Related(f"here it is told {health.number}", health.place)],
            fix=f"ask port {health.number}, or let {health.setting} name {container.port_number(port)}",
        )

    def _undeclared(
        self,
        workload: Workload,
        container: WorkloadContainer,
        field: str,
        number: int,
        path: str,
        probe: Probe,
        graph: ObjectGraph,
    ) -> Iterator[Finding]:
        declared = [port.container_port for port in container.container.ports if port.protocol == "TCP"]
        if not declared or any(other.port_numbered(number) for other in workload.containers):
            return
        if any(listening_evidence(graph).of(other).told(number) for other in workload.containers):
            return
        told = listening_evidence(graph).of(container)
        image = told.image
        if container.container.image in _REPLACED or (number, path) in _MANAGER_HEALTH:
            return
        if number == _MANAGER_PORT and not path and any(option.name in _ELECTION for option in told.settings):
            return
        if image is not None and any(number == port for port, _ in image.ports):
            return
        known = ", ".join(str(port) for port in declared)
        related = [Related(f"the ports of container `{container.name}`", container.at("ports"))]
        contradicting = [*_health_ports(container, number, graph), *_service_ports(workload, number, graph)]
        opened = [*declared, *(listening.number for listening in told.listenings)]
        meant = next((port for port in opened if is_slip(number, port)), None)
        fix = f"ask port {declared[0]}, or declare {number}" if len(declared) == 1 else f"declare port {number}"
        yield self.finding(
            _place(container, field, probe),
            f"the {PROBE_TITLES[field]} of {workload} asks port {number}, which no container declares (`{container.name}` "
            f"declares {known}): {_NUMBER_EFFECT[field]}",
            severity=Severity.WARNING if contradicting or meant is not None else Severity.NOTE,
            related=[*related, *contradicting],
            fix=fix if meant is None else f"ask port {meant}, or declare {number}",
        )


def _health_address(
    container: WorkloadContainer, number: int | None, path: str, graph: ObjectGraph
) -> Listening | None:
    """Where a manager answers its probes, if it is told another port than the one asked, which nothing else names."""
    if number is None or path not in _MANAGER_PATHS:
        return None
    evidence = listening_evidence(graph).of(container)
    told = [
        listening
        for option, listening in evidence.openings
        if "health" in option.name and _HEALTH_ADDRESS.fullmatch(option.name)
    ]
    if len(told) != 1 or told[0].number == number or evidence.told(number) is not None:
        return None
    others = (other for other in container.workload.containers if other is not container)
    return None if any(other.port_numbered(number) for other in others) else told[0]


def _health_ports(container: WorkloadContainer, number: int, graph: ObjectGraph) -> Iterator[Related]:
    """What says that a container answers health checks at another port than the one that a probe asks."""
    for index, port in enumerate(container.container.ports):
        if port.protocol == "TCP" and not _HEALTH_WORDS.isdisjoint(port.name.lower().split("-")):
            yield Related(f"port {port.container_port} is named `{port.name}`", container.at("ports", index, "name"))
    for option, told in listening_evidence(graph).of(container).openings:
        if told.number != number and not _HEALTH_WORDS.isdisjoint(option.parts):
            yield Related(f"{told.setting} names port {told.number}", told.place)


def _lacks_ports(container: WorkloadContainer) -> bool:
    """Whether a port of the container does not fit its schema, so that its name or number is unknown here."""
    if not container.workload.object.left_out:
        return False
    ports = (*container.pointer, "ports")
    return any(pointer[: len(ports)] == ports for pointer in container.workload.object.left_out)


def _service_ports(workload: Workload, number: int, graph: ObjectGraph) -> Iterator[Related]:
    """The Services whose own port the probe asks: it exists only at the Service's address."""
    for service in graph.services:
        if service.namespace == workload.object.namespace and workload in graph.selected_by(service):
            for index, port in enumerate(service.body.spec.ports):
                if port.port == number and port.target_port not in (None, number):
                    place = service.at("spec", "ports", index, "port")
                    yield Related(f"{number} is the port of {service}, which leads to {port.target_port}", place)


def _asked(probe: Probe) -> IntOrString | None:
    """The port that a probe asks of its own pod. A number in quotes is no name that the API server takes (IL002)."""
    if probe.grpc is not None:
        return probe.grpc.port
    action = probe.http_get if probe.http_get is not None else probe.tcp_socket
    if action is None or action.host or (isinstance(action.port, str) and is_number(action.port)):
        return None
    return action.port


def _place(container: WorkloadContainer, field: str, probe: Probe) -> Place:
    """Where that port stands."""
    action = "grpc" if probe.grpc is not None else "httpGet" if probe.http_get is not None else "tcpSocket"
    return container.at(field, action, "port")
