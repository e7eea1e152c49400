"""## What it does
Checks that the target port of every Service is one that the selected pods have: by name where it is a name, by number
and protocol where it is a number.

## What you see
With a name that no container declares: 503 from ingress-nginx, Traefik and Envoy, 502 or 503 from cloud load balancers,
because the Service has no endpoint for that port; `kubectl describe service` shows empty `Endpoints`. With a wrong
number: 502 and "connect() failed (111: Connection refused)", because packets reach a port where nobody listens.

## Why it breaks
The endpoint controller looks a named target port up in each pod, by name and protocol, and leaves the pod out where it
finds none. A number is not looked up anywhere: the packet is sent to that port, and either something listens there or
the kernel answers with a reset. The `port` of a Service is for its clients, `targetPort` for the pods; without
`targetPort`, the same number is used for both.

## Example
Bad:
```yaml
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: http}]
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
          image: example/web
          ports: [{name: server, containerPort: 9001}]
```
Good:
```yaml
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: server}]
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
          image: example/web
          ports: [{name: server, containerPort: 9001}]
```

## Fix
Name a port that the container declares, or declare the one that is named. For a number, target the port that the
application listens on, which is the one its probes ask.

## Prove it
```sh
kubectl -n NAMESPACE get endpointslices -l kubernetes.io/service-name=SERVICE -o yaml
kubectl -n NAMESPACE get pods -l SELECTOR -o jsonpath='{.items[*].spec.containers[*].ports}'
kubectl -n NAMESPACE exec POD -- ss -ltn
```

## How sure
An error for a name that no selected pod declares (with that protocol), since the endpoint controller needs it. A
warning where no route uses that port and other ports of the same Service are served, so that it may be left over from
an option that is off, and for kinds whose operator may add containers; a note on a headless Service that no route uses,
where only the SRV record is missing.

A number that nobody declares is a warning, because `containerPort` is informational: an error where the pod declares
and probes one other port that no Service leads to, or where a workload of the Service's own name declares that number
and no Service selects it, a note where the Service's other ports are served and no route uses
this one. Silent where a command line, the environment, a probe or a mounted file names the number, where an image is
known to serve it, where the containers declare no port at all or only one for metrics, in pods on the host network,
where some of several selected workloads have the port (IL404), and on headless Services that no route uses.

## References
- https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports
- https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#ports
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Final

from msgspec import Struct

from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.facts.evidence.serving import serves_aside
from ingress_lint.facts.meant_pods import Declared, namesake, nearly_selected
from ingress_lint.finding import Finding, Hop, Related, Severity, Step
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload, WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service, ServicePort
from ingress_lint.objects.group_kind import SERVICE
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.objects.workloads import ContainerPort
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule
from ingress_lint.values.ports import number_or_name
from ingress_lint.values.spelling import close_matches

_INJECTED: Final = frozenset({"http-envoy-prom", "linkerd-admin", "linkerd-proxy"})
"""Names of ports that a mesh's injected sidecar declares."""
_PLAIN_KINDS: Final = frozenset({"", "apps", "batch", "extensions", "argoproj.io", "apps.openshift.io"})
"""Groups of workloads whose pods are their template and nothing more."""

_Routed = Mapping[tuple[KubernetesObject[Service], int], tuple[Route, BackendRef]]


class _Target(Struct, frozen=True):
    """One port of one Service, with what it selects and the route that uses it."""

    service: KubernetesObject[Service]
    index: int
    port: ServicePort
    target: int | str
    workloads: tuple[Workload, ...]
    routed: tuple[Route, BackendRef] | None

    @property
    def selection(self) -> tuple[KubernetesObject[Service], tuple[Workload, ...]]:
        """The Service, and what it selects."""
        return self.service, self.workloads

    @property
    def place(self) -> Place:
        """Where the target port is decided."""
        field = "port" if self.port.target_port is None else "targetPort"
        return self.service.at("spec", "ports", self.index, field)

    def declared(self) -> Iterator[tuple[WorkloadContainer, int, ContainerPort]]:
        """Every port that the pods declare, with its index."""
        for workload in self.workloads:
            for container in workload.containers:
                for index, port in enumerate(container.container.ports):
                    yield container, index, port

    def others(self) -> list[tuple[WorkloadContainer, int, ContainerPort]]:
        """The ports of its protocol that the pods declare to serve, those for metrics and the like aside."""
        return [
            found
            for found in self.declared()
            if found[2].protocol == self.port.protocol
            and found[2].name not in _INJECTED
            and not serves_aside(found[2].name)
        ]

    @property
    def unused(self) -> bool:
        """Whether nobody is sent there: clients of a headless Service connect to the port that they themselves choose."""
        return self.service.body.spec.headless and self.routed is None

    def has_served_sibling(self) -> bool:
        """Whether another port of the Service leads to a declared one, so that this one may be left over."""
        return any(
            _target_of(sibling) in (port.container_port, port.name)
            for index, sibling in enumerate(self.service.body.spec.ports)
            if index != self.index
            for _, _, port in self.declared()
        )

    def matches(self, port: ContainerPort) -> bool:
        """Whether a declared port is the target, protocol aside."""
        return port.name == self.target if isinstance(self.target, str) else port.container_port == self.target

    def pods(self) -> str:
        """The selected workloads, as messages name them."""
        first, more = str(self.workloads[0]), len(self.workloads) - 1
        return f"{first} and {more} more workload{'s' if more > 1 else ''}" if more else first


class TargetPortMismatch(Rule):
    """A Service port that leads to no port of its pods."""

    code: ClassVar[str] = "IL501"
    name: ClassVar[str] = "target-port-mismatch"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a Service's target port is none that the selected pods have"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "no container declares the name that is the Service's target port, so the Service has no endpoint",
            often=("503", "no-endpoints"),
            sometimes=("502", "no-healthy-upstream"),
        ),
        Cause(
            "nobody in the pod listens at the number that is the Service's target port",
            often=("502", "connection-refused"),
            sometimes=("check-failed", "connection-failure", "no-live-upstreams", "retries-exhausted"),
        ),
    )
    needs: ClassVar[frozenset[tuple[str, str]]] = frozenset({SERVICE})

    def check_set(self, graph: ObjectGraph, routes: tuple[Route, ...]) -> Iterable[Finding]:
        """Looks each Service's target ports up in the pods it selects, once, whether a route uses it or not."""
        routed = _routed(routes)
        for service in graph.services:
            workloads = tuple(workload for workload in graph.selected_by(service) if workload.containers)
            if not workloads or service.body.spec.type == "ExternalName" or graph.endpoints_of(service):
                continue
            for index, port in enumerate(service.body.spec.ports):
                target = _Target(service, index, port, _target_of(port), workloads, routed.get((service, index)))
                same = [found for _, _, found in target.declared() if target.matches(found)]
                if any(found.protocol == port.protocol for found in same):
                    continue
                if same:
                    yield from self._other_protocol(target, graph)
                elif isinstance(target.target, str):
                    yield from self._undeclared_name(target, target.target, graph)
                else:
                    yield from self._undeclared_number(target, target.target, graph)

    def _other_protocol(self, target: _Target, graph: ObjectGraph) -> Iterator[Finding]:
        container, index, port = next(found for found in target.declared() if target.matches(found[2]))
        wanted, declared = target.port.protocol, port.protocol
        named = isinstance(target.target, str)
        if isinstance(target.target, int) and (
            target.unused or listening_evidence(graph).publishes(target.workloads, target.target, wanted)
        ):
            return
        what = f"port `{target.target}`" if named else f"port {target.target}"
        consequence = (
            f"so the Service has no endpoint for it, and {_refused(target, 'no endpoint')}"
            if named
            else f"so unless something listens there for {wanted} as well, {_refused(target, 'refused')}"
        )
        yield self._finding(
            target,
            f"Service `{target.service.name}` targets {what} by {wanted}, and container `{container.name}` of "
            f"{container.workload} declares it for {declared} only, {consequence}",
            self._severity(target, graph) if named else Severity.WARNING,
            [Related(f"declared for {declared} here", container.at("ports", index))],
            f"declare {what} for {wanted} too, or set `protocol: {declared}` in the Service",
        )

    def _undeclared_name(self, target: _Target, name: str, graph: ObjectGraph) -> Iterator[Finding]:
        if name in _INJECTED:
            return
        candidates = [found for found in target.declared() if found[2].protocol == target.port.protocol]
        meant = None if candidates else nearly_selected(*target.selection, name, target.port.protocol, graph)
        if meant is not None:
            yield self._wrong_pods(target, f"the port named `{name}`", meant, graph)
            return
        best = _nearest(target, name, candidates)
        fix = "name a port that the containers declare, or declare this one"
        if best is not None:
            _, _, port = best
            fix = f"did you mean `targetPort: {port.name or port.container_port}`?"
        yield self._finding(
            target,
            f"Service `{target.service.name}` targets the port named `{name}`, which no container of {target.pods()} "
            f"declares ({_listed(candidates)}), so it has no endpoint for port {target.port.port}, and "
            f"{_refused(target, 'no endpoint')}",
            self._severity(target, graph),
            _pointed(candidates if best is None else [best]),
            fix,
        )

    def _wrong_pods(
        self, target: _Target, wanted: str, meant: Declared, graph: ObjectGraph, seen: str = "no endpoint"
    ) -> Finding:
        container, index = meant
        workload, selector = container.workload, target.service.at("spec", "selector")
        differing = [
            Related(f"{workload} does not have this label", selector.at(key))
            for key, value in graph.selector(target.service).items()
            if workload.labels.get(key) != value
        ]
        return self._finding(
            target,
            f"Service `{target.service.name}` targets {wanted}, which {workload} declares, but its selector picks "
            f"{target.pods()} instead, where no container does, so "
            f"{f'it has no endpoint for port {target.port.port}' if seen == 'no endpoint' else 'nobody listens there'}, and "
            f"{_refused(target, seen)}",
            self._severity(target, graph),
            [
                *(differing or [Related("what it selects by", selector)]),
                Related(f"the port that it names, in {workload}", container.at("ports", index)),
                Related("the labels of these pods", workload.labels_place),
            ],
            f"select the pods of {workload}",
        )

    def _undeclared_number(self, target: _Target, number: int, graph: ObjectGraph) -> Iterator[Finding]:
        candidates = target.others()
        if (
            not candidates
            or target.unused
            or any(workload.pod.host_network or not workload.declares_ports() for workload in target.workloads)
            or any(listening_evidence(graph).mention(workload, number) for workload in target.workloads)
            or listening_evidence(graph).publishes(target.workloads, number, target.port.protocol)
            or any(listens == number for workload in target.workloads for listens in _configured(workload, graph))
        ):
            return
        meant = namesake(*target.selection, number, target.port.protocol, graph)
        if meant is not None:
            yield self._wrong_pods(target, f"port {number}", meant, graph, "refused")
            return
        main = _unreached_main_port(target, graph)
        message = (
            f"Service `{target.service.name}` targets port {number}, which no container of {target.pods()} declares "
            f"({_listed(candidates)})"
        )
        if main is None:
            yield self._finding(
                target,
                f"{message} and nothing else in the pod names; unless something listens there all the same, "
                f"{_refused(target, 'refused')}",
                Severity.NOTE if target.routed is None and target.has_served_sibling() else Severity.WARNING,
                _pointed(candidates),
                f"target a declared port, or declare {number} if the application listens there",
            )
            return
        container, index, port = main
        yield self._finding(
            target,
            f"{message}; the probes ask port {port.container_port}, to which no Service leads, so nobody listens on "
            f"{number} and {_refused(target, 'refused')}",
            self._severity(target, graph),
            [Related("the port that the container declares and its probes ask", container.at("ports", index))],
            f"set `targetPort: {port.name or port.container_port}`",
        )

    @staticmethod
    def _severity(target: _Target, graph: ObjectGraph) -> Severity:
        sure = all(workload.object.group in _PLAIN_KINDS for workload in target.workloads)
        if target.unused:
            return Severity.NOTE
        if not sure or graph.context.unparsed or (target.routed is None and target.has_served_sibling()):
            return Severity.WARNING
        return Severity.ERROR

    def _finding(
        self, target: _Target, message: str, severity: Severity, related: Iterable[Related], fix: str
    ) -> Finding:
        path: tuple[Step, ...] = ()
        if target.routed is not None:
            route, backend = target.routed
            path = way(route, backend, Hop.POD)
        return self.finding(target.place, message, severity=severity, related=related, path=path, fix=fix)


def _routed(routes: Iterable[Route]) -> _Routed:
    found: dict[tuple[KubernetesObject[Service], int], tuple[Route, BackendRef]] = {}
    for route in routes:
        for backend in route.backends:
            if backend.service_port is not None:
                key = backend.service_port.service, backend.service_port.index
                found.setdefault(key, (route, backend))
    return found


def _target_of(port: ServicePort) -> int | str:
    return number_or_name(port.port if port.target_port is None else port.target_port)


def _configured(workload: Workload, graph: ObjectGraph) -> Iterator[int]:
    return (listening.number for _, listening in listening_evidence(graph).listenings(workload))


def _unreached_main_port(target: _Target, graph: ObjectGraph) -> tuple[WorkloadContainer, int, ContainerPort] | None:
    """The one port that the pod declares and its probes ask, where no Service leads to it: the one that was meant."""
    if len(target.workloads) > 1 or len(target.service.body.spec.ports) > 1:
        return None
    workload = target.workloads[0]
    declared = target.others()
    if len(declared) != 1 or len(workload.containers) > 1:
        return None
    container, _, port = declared[0]
    asked = {
        container.port_number(action.port)
        for _, probe in container.container.probes()
        if (action := probe.http_get or probe.tcp_socket or probe.grpc) is not None
    }
    if asked != {port.container_port} or _reached(workload, port, graph):
        return None
    return declared[0]


def _reached(workload: Workload, port: ContainerPort, graph: ObjectGraph) -> bool:
    """Whether any Service leads to a declared port of a workload."""
    return any(
        _target_of(candidate) in (port.container_port, port.name)
        for service in graph.services
        if service.namespace == workload.object.namespace and workload in graph.selected_by(service)
        for candidate in service.body.spec.ports
    )


def _nearest(
    target: _Target, name: str, candidates: Sequence[tuple[WorkloadContainer, int, ContainerPort]]
) -> tuple[WorkloadContainer, int, ContainerPort] | None:
    """The declared port that was most likely meant: by name, by number, or the only one that is left."""
    taken = {
        _target_of(sibling) for index, sibling in enumerate(target.service.body.spec.ports) if index != target.index
    }
    free = [found for found in candidates if not {found[2].name, found[2].container_port} & taken]
    near = close_matches(name, [port.name for _, _, port in free if port.name], 1, 0.6)
    by_name = (found for found in free if near and found[2].name == near[0])
    by_number = (found for found in free if found[2].container_port == target.port.port)
    return next(by_name, None) or next(by_number, None) or (free[0] if len(free) == 1 else None)


def _listed(ports: Sequence[tuple[WorkloadContainer, int, ContainerPort]]) -> str:
    shown = [
        f"`{port.name}` ({port.container_port})" if port.name else str(port.container_port) for _, _, port in ports
    ]
    shown = list(dict.fromkeys(shown))
    if not shown:
        return "they declare none"
    more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
    return f"they declare {' and '.join(shown) if len(shown) < 3 else ', '.join(shown[:5])}{more}"


def _pointed(ports: Sequence[tuple[WorkloadContainer, int, ContainerPort]]) -> list[Related]:
    return [
        Related(
            f"container `{container.name}` declares {f'`{port.name}` ' if port.name else ''}{port.container_port}",
            container.at("ports", index),
        )
        for container, index, port in ports[:3]
    ]


def _refused(target: _Target, how: str) -> str:
    """What the client sees."""
    if target.unused:
        return "DNS answers no SRV record for it"
    if target.routed is not None:
        return "the client gets 503" if how == "no endpoint" else "the client gets 502"
    return "its packets are lost" if target.port.protocol == "UDP" else "every connection to it is refused"
