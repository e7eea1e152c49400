"""## What it does
Finds Services on a route that lead nowhere by design: without a selector and without Endpoints, with Endpoints whose port
has another name, or with every workload behind them scaled to 0.

## What you see
503 from most proxies and load balancers, 502 from an ALB whose target group is empty. `kubectl get endpoints` shows
`<none>`.

## Why it breaks
Without a selector Kubernetes makes no endpoints for a Service; somebody else must, with an EndpointSlice or Endpoints of
the Service's name. Ports belong together by name: a port that has none is not the one that the Service calls `http`. A
workload with `replicas: 0` has no pods that could be endpoints.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  defaultBackend: {service: {name: legacy, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: legacy}
spec: {ports: [{port: 80}]}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  defaultBackend: {service: {name: legacy, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: legacy}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: legacy-1
  labels: {kubernetes.io/service-name: legacy}
addressType: IPv4
ports: [{port: 80}]
endpoints: [{addresses: [192.0.2.7]}]
```

## Fix
Add a selector or an EndpointSlice; scale the workload up, or give it an autoscaler; or remove the route.

## Prove it
```sh
kubectl -n NAMESPACE get endpointslices -l kubernetes.io/service-name=NAME
kubectl -n NAMESPACE get deployment NAME -o jsonpath='{.spec.replicas}'
```

## How sure
Certain for what the manifests say. Silent where a file of the set could not be parsed, where an operator or a controller
of the set may fill the Service in, and where an autoscaler or a Rollout decides the number of pods.

## References
- https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from ingress_lint.facts.endpoints import is_off, nobody_fills
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.objects.core import Endpoints, EndpointSlice, Service
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule


class NoEndpoints(Rule):
    """A routed Service that has no endpoints by design."""

    code: ClassVar[str] = "IL405"
    name: ClassVar[str] = "no-endpoints"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a routed Service has neither selector nor Endpoints, or its workload is scaled to 0"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the Service has no endpoints by design",
            often=("503", "no-endpoints", "no-healthy-upstream"),
            sometimes=("502",),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"backends"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks at each backend's Service and the workloads behind it."""
        for backend in route.backends:
            service = backend.service.object
            if service is None or not isinstance(service.body, Service) or graph.incomplete_in(service.namespace):
                continue
            spec = service.body.spec
            if spec.type == "ExternalName":
                continue
            if written := graph.endpoints_of(service):
                if not spec.selector:
                    yield from self._other_names(route, backend, service, written)
                continue
            if not spec.selector:
                if nobody_fills(service, graph):
                    yield self._nobody_fills(route, backend, service)
                continue
            workloads = graph.selected_by(service)
            if workloads and all(is_off(workload, graph) for workload in workloads):
                yield self._scaled_to_zero(route, backend, service, workloads)

    def _nobody_fills(self, route: Route, backend: BackendRef, service: KubernetesObject[Service]) -> Finding:
        return self.finding(
            service.name_place,
            f"{route.owner.kind} `{route.owner.name}` sends requests to Service `{service.name}`, which has no selector, and "
            "no Endpoints or EndpointSlice of these manifests fills it; the client gets 503",
            related=[Related("the route leads here", backend.place)],
            path=way(route, backend, Hop.SERVICE),
            fix="add a `selector`, or an EndpointSlice with the label `kubernetes.io/service-name: "
            + service.name
            + "`",
        )

    def _other_names(
        self, route: Route, backend: BackendRef, service: KubernetesObject[Service], written: tuple[AnyObject, ...]
    ) -> Iterator[Finding]:
        """Endpoints belong to the Service port of their name; a port without one stands apart from every named one."""
        port = backend.service_port
        named = [(item, index, name) for item in written for index, name in _port_names(item)]
        if port is None or not port.port.name or not named or port.port.name in {name for _, _, name in named}:
            return
        item, index, name = named[0]
        pointer = ("subsets", 0, "ports", index) if isinstance(item.body, Endpoints) else ("ports", index)
        called = f"is called `{name}`" if name else "has no name"
        yield self.finding(
            item.at(*pointer, "name") if name else item.at(*pointer),
            f"{route.owner.kind} `{route.owner.name}` sends requests to port `{port.port.name}` of Service "
            f"`{service.name}`, and the port in {item.kind} `{item.name}` {called}: endpoints count only for the port of "
            f"the same name, so it has none, and the client gets 503",
            related=[Related("the Service's port", port.at("name")), Related("the route leads here", backend.place)],
            path=way(route, backend, Hop.SERVICE),
            fix=f"call it `{port.port.name}`",
        )

    def _scaled_to_zero(
        self, route: Route, backend: BackendRef, service: KubernetesObject[Service], workloads: tuple[Workload, ...]
    ) -> Finding:
        first = workloads[0].object
        others = f" and {len(workloads) - 1} more" if len(workloads) > 1 else ""
        return self.finding(
            first.at("spec", "replicas"),
            f"{first.kind} `{first.name}`{others} has 0 replicas and no autoscaler, and Service `{service.name}`, where "
            f"{route.owner.kind} `{route.owner.name}` sends requests, has no other pods; the client gets 503",
            related=[Related("the route leads here", backend.place)],
            path=way(route, backend, Hop.POD),
            fix="scale it up, add an autoscaler, or remove the route",
        )


def _port_names(item: AnyObject) -> Iterator[tuple[int, str]]:
    """The names of an object's ports, in a subset of Endpoints or a slice; none where another port may be meant."""
    if isinstance(item.body, Endpoints):
        ports = item.body.subsets[0].ports if len(item.body.subsets) == 1 else ()
    else:
        ports = item.body.ports if isinstance(item.body, EndpointSlice) else ()
    yield from ((index, port.name or "") for index, port in enumerate(ports))
