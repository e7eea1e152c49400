"""## What it does
Finds Services on a route that lead nowhere by design: without a selector and without Endpoints, with Endpoints or
EndpointSlices that hold no ready address for their port, or with every workload behind them scaled to 0.

## What you see
503 from most proxies and load balancers, 502 from an ALB whose target group is empty. `kubectl get endpoints` shows
`<none>`.

## Why it breaks
Without a selector Kubernetes makes no endpoints for a Service; somebody else must, with an EndpointSlice or Endpoints of
the Service's name. Ports belong together by name and protocol: a port that has no name is not the one that the Service
calls `http`. An address under `notReadyAddresses`, or with the condition `ready: false`, gets no connections, whatever
`publishNotReadyAddresses` says: that counts only when Kubernetes makes the endpoints. kube-proxy takes addresses of the
Service's IP families alone. A workload with `replicas: 0` has no pods that could be endpoints.

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
Certain for what the manifests say. An endpoint that is `terminating` and still `serving` counts as one, since kube-proxy
uses it where no other is left. The type of addresses matters where a load balancer sends to nodes or to the cluster IP.
Silent where a file of the set could not be parsed, where an operator or a controller
of the set may fill the Service in, and where an autoscaler or a Rollout decides the number of pods.

## References
- https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors
- https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#conditions
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from ingress_lint.facts.endpoints import Cause as Emptied
from ingress_lint.facts.endpoints import Emptiness, emptiness
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import SERVICE_NAME_LABEL, ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.objects.core import EndpointSlice, Service
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.model import BackendRef, ResolvedPort, Route
from ingress_lint.routes.traffic import BY_KUBE_PROXY
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule

_ENDPOINT_SLICE: Final = GroupKind("discovery.k8s.io", "EndpointSlice")


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
            service, port = backend.service.object, backend.service_port
            if service is None or not isinstance(service.body, Service):
                continue
            asked = port.port if port is not None else None
            empty = emptiness(service, graph, asked, by_kube_proxy=backend.target.value in BY_KUBE_PROXY)
            if empty is None:
                continue
            if empty.cause is Emptied.NOBODY_FILLS:
                yield self._nobody_fills(route, backend, service, graph)
            elif empty.cause is Emptied.WRITTEN and port is not None:
                yield self._none_for_it(route, backend, port, empty)
            elif empty.cause is Emptied.SCALED_TO_ZERO:
                yield self._scaled_to_zero(route, backend, service, graph.selected_by(service))

    def _nobody_fills(
        self, route: Route, backend: BackendRef, service: KubernetesObject[Service], graph: ObjectGraph
    ) -> Finding:
        stray = _stray_slice(service, graph)
        label = f"`{SERVICE_NAME_LABEL}: {service.name}`"
        return self.finding(
            service.name_place,
            f"{route.owner.kind} `{route.owner.name}` sends requests to Service `{service.name}`, which has no selector, and "
            f"no Endpoints or EndpointSlice of these manifests fills it; the client gets {route.broken.no_endpoints}",
            related=[*_related_to(stray), Related("the route leads here", backend.place)],
            path=way(route, backend, Hop.SERVICE),
            fix=f"give EndpointSlice `{stray.name}` the label {label}"
            if stray is not None
            else f"add a `selector`, or an EndpointSlice with the label {label}",
        )

    def _none_for_it(self, route: Route, backend: BackendRef, port: ResolvedPort, empty: Emptiness) -> Finding:
        called = f"`{port.port.name}`" if port.port.name else str(port.port.port)
        return self.finding(
            empty.place,
            f"{route.owner.kind} `{route.owner.name}` sends requests to port {called} of Service "
            f"`{port.service.name}`, and {empty.why}, so that it has no endpoints; the client gets {route.broken.no_endpoints}",
            related=[
                Related("the Service's port", port.at("name" if port.port.name else "port")),
                Related("the route leads here", backend.place),
            ],
            path=way(route, backend, Hop.SERVICE),
            fix=empty.fix,
        )

    def _scaled_to_zero(
        self, route: Route, backend: BackendRef, service: KubernetesObject[Service], workloads: tuple[Workload, ...]
    ) -> Finding:
        first = workloads[0].object
        others = f" and {len(workloads) - 1} more" if len(workloads) > 1 else ""
        return self.finding(
            first.at("spec", "replicas"),
            f"{first.kind} `{first.name}`{others} has 0 replicas and no autoscaler, and Service `{service.name}`, where "
            f"{route.owner.kind} `{route.owner.name}` sends requests, has no other pods; the client gets {route.broken.no_endpoints}",
            related=[Related("the route leads here", backend.place)],
            path=way(route, backend, Hop.POD),
            fix="scale it up, add an autoscaler, or remove the route",
        )


def _stray_slice(service: KubernetesObject[Service], graph: ObjectGraph) -> KubernetesObject[EndpointSlice] | None:
    """The slice beside a Service that is called like it and belongs to no Service of the set."""
    for name in graph.names_like(_ENDPOINT_SLICE, service.namespace, service.name):
        found = graph.named(EndpointSlice, service.namespace, name) if name.startswith(service.name) else None
        if found is not None and graph.service(found.namespace, found.labels.get(SERVICE_NAME_LABEL, "")) is None:
            return found
    return None


def _related_to(stray: KubernetesObject[EndpointSlice] | None) -> Iterator[Related]:
    if stray is not None and SERVICE_NAME_LABEL in stray.labels:
        place = stray.at("metadata", "labels", SERVICE_NAME_LABEL)
        yield Related(f"belongs to Service `{stray.labels[SERVICE_NAME_LABEL]}`, which is not there", place)
    elif stray is not None:
        yield Related(f"has no label `{SERVICE_NAME_LABEL}`, so that it belongs to no Service", stray.name_place)
