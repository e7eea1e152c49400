"""## What it does
Finds allow-lists and NetworkPolicies that leave out the addresses from which the load balancer, or its health check,
comes.

## What you see
403 for everybody, those on the list too, with the address of a node in the controller's log; or targets that never
become healthy, and 502.

## Why it breaks
An allow-list is compared with the address that a connection comes from. That is the client's only where every hop keeps
it: kube-proxy puts a node's in its place unless `externalTrafficPolicy` is Local, and a load balancer that opens
connections of its own shows its own, unless it tells of the client in a PROXY protocol header or in an HTTP header that
is believed. A NetworkPolicy with an `ipBlock` for the clients drops the health checks, which come from the load
balancer: Google's from 35.191.0.0/16 and 130.211.0.0/22, others from the network of the nodes.

## Example
Bad: ingress-nginx sees nodes, and lets in an office:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations: {nginx.ingress.kubernetes.io/whitelist-source-range: 203.0.113.0/24}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: shop, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata:
  name: ingress-nginx-controller
  namespace: ingress-nginx
  annotations: {service.beta.kubernetes.io/azure-load-balancer-resource-group: shop}
spec:
  type: LoadBalancer
  selector: {app.kubernetes.io/name: ingress-nginx}
  ports: [{name: http, port: 80, targetPort: 80}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
spec:
  selector: {matchLabels: {app.kubernetes.io/name: ingress-nginx}}
  template:
    metadata: {labels: {app.kubernetes.io/name: ingress-nginx}}
    spec:
      containers:
        - name: controller
          image: registry.k8s.io/ingress-nginx/controller:v1.12.1
          ports: [{containerPort: 80}]
```
Good: the client's address gets through:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations: {nginx.ingress.kubernetes.io/whitelist-source-range: 203.0.113.0/24}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: shop, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata:
  name: ingress-nginx-controller
  namespace: ingress-nginx
  annotations: {service.beta.kubernetes.io/azure-load-balancer-resource-group: shop}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  selector: {app.kubernetes.io/name: ingress-nginx}
  ports: [{name: http, port: 80, targetPort: 80}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
spec:
  selector: {matchLabels: {app.kubernetes.io/name: ingress-nginx}}
  template:
    metadata: {labels: {app.kubernetes.io/name: ingress-nginx}}
    spec:
      containers:
        - name: controller
          image: registry.k8s.io/ingress-nginx/controller:v1.12.1
          ports: [{containerPort: 80}]
```

## Fix
Keep the client's address (`externalTrafficPolicy: Local`, or the PROXY protocol at both ends), let the controller
believe the load balancer's X-Forwarded-For, or put the list where clients are still seen: `loadBalancerSourceRanges`. In
a NetworkPolicy, add an `ipBlock` for the health checks.

## Prove it
```sh
kubectl -n CONTROLLER_NAMESPACE logs deploy/CONTROLLER | grep ' 403 '   # whose address is it?
kubectl -n NAMESPACE describe networkpolicy NAME
```

## How sure
An error for an allow-list where the cloud in front of the controller is known, the controller is told neither of the
PROXY protocol nor to believe headers, and no entry lies in a private network or where the load balancer comes from. A
warning where neither class nor annotations tell the cloud: kube-proxy replaces the client's address there, but what
runs in its place may not (Cilium with direct server return, for one). For NetworkPolicies an error where none of
Google's ranges is let in, a warning where one of them is not, and a warning for other load balancers, taking it that
they come from private addresses; one step down where it is open whether nodes or pods are the targets. Silent wherever
something else may lead to the controller (host ports, NodePorts), and for `loadBalancerSourceRanges`, from which clouds
leave their own checks out.

## References
- https://kubernetes.io/docs/tutorials/services/source-ip/#source-ip-for-services-with-type-loadbalancer
- https://github.com/kubernetes/ingress-nginx/issues/1859
- https://docs.cloud.google.com/load-balancing/docs/firewall-rules
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from ingress_lint.facts.network_policies.clauses import Visit
from ingress_lint.facts.network_policies.kubernetes import Peer, network_policies
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.routes.model import BackendRef, Endpoint, Front, Route
from ingress_lint.routes.ranges import PRIVATE_RANGES, lets_in
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, SourceAddress, TargetKind
from ingress_lint.routes.way import way, way_in
from ingress_lint.rule import Cause, Rule

_CONNECTIONS: Final = frozenset({AppProtocol.TCP, AppProtocol.TLS, AppProtocol.UDP})
_SEEN: Final = {SourceAddress.NODE: "a node's address", SourceAddress.LOAD_BALANCER: "the load balancer's own address"}


class SourceRangeBlocksLoadBalancer(Rule):
    """An allow-list or policy that leaves out what sends the requests."""

    code: ClassVar[str] = "IL207"
    name: ClassVar[str] = "source-range-blocks-load-balancer"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "an allow-list or NetworkPolicy leaves out the load balancer or its health check"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the proxy takes the address of a node or load balancer for the client's, and its allow-list does not hold it",
            often=("403",),
            sometimes=("check-wrong-status",),
        ),
        Cause(
            "the load balancer's own packets are not among those that are let in",
            often=("check-timeout", "no-healthy-upstream"),
            sometimes=("502", "503", "504", "check-failed", "connect-timeout"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"allowed_sources", "from_outside"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Compares each list with where packets come from."""
        if route.allowed_sources and route.allowed_by_peer and route.fronts:
            yield from self._allow_list(route)
        if route.from_outside:
            for backend in route.backends:
                if backend.target.value in (TargetKind.POD, TargetKind.NODE_OR_POD):
                    for endpoint in backend.endpoints:
                        yield from self._policies(route, backend, endpoint, graph)

    def _allow_list(self, route: Route) -> Iterator[Finding]:
        told = [listener.takes_proxy_protocol for listener in route.listeners]
        if not told or any(takes is None or takes.value for takes in told) or any(map(_open_on_nodes, route.proxies)):
            return
        replaced = [_replaced(front) for front in route.fronts]
        allowed = [(item.value, ()) for item in route.allowed_sources]
        if None in replaced or any(
            lets_in(allowed, wanted) is not False for front in route.fronts for wanted in _ranges(front)
        ):
            return
        if (seen := replaced[0]) is not None:
            yield self._turned_away(route, route.fronts[0], seen)

    def _turned_away(self, route: Route, front: Front, seen: Sourced[SourceAddress]) -> Finding:
        guess = any(item.backend is None for item in route.fronts)
        by_http = any(listener.protocol.value in ("HTTP", "HTTPS") for listener in route.listeners)
        outcome = "gets 403" if by_http else "is turned away"
        rest = ", unless something in place of kube-proxy keeps it" if guess else ""
        why = f" ({seen.why})" if seen.why else ""
        listed = ", ".join(dict.fromkeys(item.value for item in route.allowed_sources))
        return self.finding(
            route.allowed_sources[0].place,
            f"{route.gateway} lets in {listed} only, and sees {_SEEN[seen.value]} instead of the client's behind "
            f"{front.gateway} of Service `{front.service.name}`{why}: every client {outcome}{rest}",
            severity=Severity(max(self.severity - guess - route.assumed, Severity.NOTE)),
            related=[Related("the client's address is lost here", seen.place)],
            path=way_in(route, "it turns the address away that it sees"),
            fix=f"{_remedy(route, front, seen.value)}, or list the clients at the load balancer itself",
        )

    def _policies(self, route: Route, backend: BackendRef, endpoint: Endpoint, graph: ObjectGraph) -> Iterator[Finding]:
        policies, port, workload = network_policies(graph), backend.service_port, endpoint.workload
        if endpoint.number is None or port is None or not policies.isolating(workload):
            return
        visit = Visit(None, workload, endpoint.number, port.port.protocol)
        if not policies.settled(workload) or policies.admits(visit) is not None:
            return
        blocks = [peer for peer in policies.peers(visit) if peer.peer.ip_block is not None]
        known = backend.health_check.sources if backend.health_check else ()
        answers = {wanted: lets_in(map(_range, blocks), wanted) for wanted in known or PRIVATE_RANGES}
        left_out = [wanted for wanted, answer in answers.items() if answer is False]
        if None in answers.values() or not left_out or (not known and len(left_out) < len(answers)):
            return
        certain = len(left_out) == len(answers) and bool(known) and backend.target.value is TargetKind.POD
        whence = " and ".join(left_out) if known else "private addresses, as far as is known,"
        some = "" if len(left_out) == len(answers) or not known else " some of"
        yield self.finding(
            blocks[0].place.at("ipBlock", "cidr"),
            f"{route.gateway} sends{some} its requests and health checks from {whence} to port {endpoint.number} of "
            f"{workload}, but {blocks[0].policy} lets in {_listed(blocks)} only: they are dropped, the targets count as "
            f"unhealthy and clients get 502",
            severity=Severity.ERROR if certain else Severity.WARNING,
            related=[Related("the labels of the pods that it selects", workload.labels_place)],
            path=way(route, backend, Hop.POD, endpoint),
            fix=f"add an `ipBlock` for {' and one for '.join(left_out)}"
            if known
            else "allow the load balancer's subnets",
        )


def _replaced(front: Front) -> Sourced[SourceAddress] | None:
    """Whose address the proxy sees instead of the client's; None where it may be the client's."""
    if front.backend is None:
        spec = front.service.body.spec
        if spec.type != "LoadBalancer" or spec.external_traffic_policy == "Local":
            return None
        place = front.service.at("spec", "externalTrafficPolicy")
        return Sourced(SourceAddress.NODE, Origin.DERIVED, place, "externalTrafficPolicy is Cluster")
    proxied, found = front.backend.proxy_protocol, front.backend.arrives_from
    if found is None or found.value is SourceAddress.CLIENT or proxied is None or proxied.value:
        return None
    return found


def _remedy(route: Route, front: Front, seen: SourceAddress) -> str:
    """How the proxy gets to know of clients."""
    if front.backend is not None and front.backend.protocol.value not in _CONNECTIONS:
        return f"let {route.gateway} believe the X-Forwarded-For of {front.gateway}"
    if seen is SourceAddress.NODE:
        return f"set externalTrafficPolicy: Local on Service `{front.service.name}`"
    return f"turn on the PROXY protocol at both {front.gateway} and {route.gateway}"


def _ranges(front: Front) -> tuple[str, ...]:
    """Where the addresses lie that a proxy sees."""
    backend = front.backend
    known = backend.health_check.sources if backend is not None and backend.health_check else ()
    return (*known, *PRIVATE_RANGES)


def _open_on_nodes(proxy: Workload) -> bool:
    """Whether clients may reach a proxy past its Services."""
    return proxy.pod.host_network or any(
        port.host_port for container in proxy.containers for port in container.container.ports
    )


def _range(peer: Peer) -> tuple[str, tuple[str, ...]]:
    block = peer.peer.ip_block
    return (block.cidr, block.except_) if block is not None else ("", ())


def _listed(blocks: list[Peer]) -> str:
    written = dict.fromkeys(
        f"{cidr} (except {', '.join(less)})" if less else cidr for cidr, less in map(_range, blocks)
    )
    return ", ".join(written)
