"""## What it does
Checks that the port a route names, by number or by name, is a port of the Service.

## What you see
503 from ingress-nginx, 404 from Traefik, 500 from Gateway API implementations, a rejected object (and 404) from GKE and the
AWS controller. In the controller's log: `service port not found`, `does not have any active Endpoint`.

## Why it breaks
A route names the Service's `port`, not the container's: the Service may listen on 80 and send to 8080. Names must be
those of the Service's ports; the names of container ports do not count.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  defaultBackend: {service: {name: web, port: {number: 8081}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80, targetPort: 8080}], selector: {app: web}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  defaultBackend: {service: {name: web, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80, targetPort: 8080}], selector: {app: web}}
```

## Fix
Name one of the Service's ports, or add the port to the Service.

## Prove it
```sh
kubectl -n NAMESPACE get service NAME -o jsonpath='{.spec.ports}'
kubectl -n NAMESPACE describe ingress INGRESS
```

## How sure
Certain where the Service is in the set and can be read. Silent for ExternalName Services, which need no ports, and for
ingress-nginx where the number or name is that of the target port, which it takes as well; a warning there where nothing
says which controller serves the route.

## References
- https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports
- https://kubernetes.io/docs/reference/kubernetes-api/service-resources/ingress-v1/#IngressBackend
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.core import Service, ServicePort
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule
from ingress_lint.values.spelling import close_matches


class BackendPortNotFound(Rule):
    """A route to a port that its Service does not have."""

    code: ClassVar[str] = "IL402"
    name: ClassVar[str] = "backend-port-not-found"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a route's backend port is no port of the Service"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the route's port is no port of the Service",
            often=("500", "503", "no-endpoints"),
            sometimes=("404", "502", "no-cluster", "no-healthy-upstream", "no-route"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"service"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks for each backend's port."""
        for backend in route.all_backends:
            service = backend.service.object
            if backend.port is None or backend.service_port is not None or service is None:
                continue
            readable = isinstance(service.body, Service) and not service.left_out
            if readable and service.body.spec.type != "ExternalName":
                yield self._missing(route, backend, backend.port, service, graph)

    def _missing(
        self,
        route: Route,
        backend: BackendRef,
        wanted: Sourced[int | str],
        service: KubernetesObject[Service],
        graph: ObjectGraph,
    ) -> Finding:
        ports = service.body.spec.ports
        mistaken = next(_mistaken(wanted.value, ports), None)
        index, why = mistaken if mistaken is not None else (_nearest(wanted.value, ports), "")
        has = " and ".join(_shown(port) for port in ports) or "no port at all"
        seen = f"The client gets {route.broken.no_port}"
        if route.only_mirrors_to(backend):
            seen = "The copies are dropped"
        unwritten = wanted.origin is Origin.DERIVED and bool(wanted.why)
        message = (
            f"{route.owner.kind} `{route.owner.name}` sends requests to port {_quoted(wanted.value)} of Service "
            f"`{service.name}`{f' ({wanted.why})' if unwritten else ''}, which has {has}{why}. {seen}"
        )
        related, fix = [], f"add the port to Service `{service.name}`"
        if ports:
            related = [Related(f"Service `{service.name}` has {has}", service.at("spec", "ports", index, "port"))]
        if backend.place != wanted.place:
            related.append(Related(f"Service `{service.name}` is named here", backend.place))
        if len(ports) == 1 or mistaken is not None or index:
            port = ports[index]
            named = isinstance(wanted.value, str) and port.name
            fix = f"name port {_quoted(port.name if named else port.port)}"
        elif unwritten:
            fix = "name the port that is meant"
        namesake = graph.service(backend.namespace, route.owner.name)
        if namesake is not None and namesake is not service and _has(wanted.value, namesake.body.spec.ports):
            related.append(Related(f"Service `{namesake.name}` has such a port", namesake.name_place))
            fix = f"did you mean Service `{namesake.name}`?"
        severity = self.severity
        if route.assumed and any(wanted.value == port.target_port for port in ports):
            severity, message = (
                Severity.WARNING,
                f"{message}, unless ingress-nginx serves it, which takes target ports too",
            )
        path = way(route, backend, Hop.SERVICE)
        return self.finding(wanted.place, message, severity=severity, related=related, path=path, fix=fix)


def _mistaken(wanted: int | str, ports: Iterable[ServicePort]) -> Iterator[tuple[int, str]]:
    """The ports that somebody may have meant, for what they call otherwise."""
    for index, port in enumerate(ports):
        if wanted == port.target_port:
            yield index, f"; {_quoted(wanted)} is the target port of port {port.port}, and routes name the port itself"
        elif wanted == port.node_port:
            yield index, f"; {_quoted(wanted)} is the node port of port {port.port}, and routes name the port itself"


def _has(wanted: int | str, ports: Iterable[ServicePort]) -> bool:
    return any(wanted in (port.port, port.name) for port in ports)


def _nearest(wanted: int | str, ports: tuple[ServicePort, ...]) -> int:
    names = [port.name for port in ports]
    near = close_matches(str(wanted), [name for name in names if name], 1, 0.5)
    return names.index(near[0]) if near else 0


def _shown(port: ServicePort) -> str:
    return f"port {port.port} (`{port.name}`)" if port.name else f"port {port.port}"


def _quoted(value: int | str) -> str:
    return str(value) if isinstance(value, int) else f"`{value}`"
