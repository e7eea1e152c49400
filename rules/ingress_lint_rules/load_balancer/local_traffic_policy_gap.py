"""## What it does
Finds Services with `externalTrafficPolicy: Local` whose load balancer may send to nodes that have no pod for it.

## What you see
Connections that hang or are refused for some seconds at each rollout or node drain, or one in so many for ever. Pods
with very unequal load.

## Why it breaks
`Local` keeps the client's address by serving only from the node where the packet arrives: a node without a ready pod
drops it. So the load balancer must know which nodes have one, and learns it from its health check alone, some intervals
late. With a single pod, every move of it to another node is an outage of that length. Where the check asks kube-proxy
whether the node as a whole is fit (port 10256), nodes without a pod stay in rotation for ever. And since traffic is
shared by node, two pods on one node get half of what a pod alone on its node gets.

## Example
Bad: one pod, which each rollout moves:
```yaml
apiVersion: v1
kind: Service
metadata:
  name: gateway
  annotations: {cloud.google.com/l4-rbs: enabled}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  selector: {app: gateway}
  ports: [{port: 443, targetPort: 8443}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: gateway}
spec:
  replicas: 1
  selector: {matchLabels: {app: gateway}}
  template:
    metadata: {labels: {app: gateway}}
    spec:
      containers: [{name: gateway, image: "envoyproxy/envoy:v1.33.0", ports: [{containerPort: 8443}]}]
```
Good: several pods, each on a node of its own:
```yaml
apiVersion: v1
kind: Service
metadata:
  name: gateway
  annotations: {cloud.google.com/l4-rbs: enabled}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  selector: {app: gateway}
  ports: [{port: 443, targetPort: 8443}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: gateway}
spec:
  replicas: 3
  selector: {matchLabels: {app: gateway}}
  template:
    metadata: {labels: {app: gateway}}
    spec:
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector: {matchLabels: {app: gateway}}
      containers: [{name: gateway, image: "envoyproxy/envoy:v1.33.0", ports: [{containerPort: 8443}]}]
```

## Fix
Run a DaemonSet, or several pods with anti-affinity or topology spread by `kubernetes.io/hostname`, and let each live on
after it was told to end until the load balancer has noticed (a preStop hook that sleeps). Leave the health check's port
to the cloud, which asks `healthCheckNodePort`. Or use `Cluster`, and learn of clients by the PROXY protocol.

## Prove it
```sh
kubectl -n NAMESPACE get pods -o wide -l SELECTOR     # on which nodes they are
curl -i http://NODE:HEALTH_CHECK_NODE_PORT/healthz    # 503 on a node without one
```

## How sure
A warning for a single pod, and for a check of port 10256. A note where a preStop hook of unknown length may bridge the
gap, and where nothing keeps several pods apart, as the scheduler mostly does so by itself. Silent for DaemonSets, where
an autoscaler decides how many pods there are, where the hook sleeps long enough, and where neither class nor
annotations tell whose load balancer it is: some follow the pods without any check.

## References
- https://kubernetes.io/docs/tasks/access-application-cluster/create-external-load-balancer/#preserving-the-client-source-ip
- https://kubernetes.io/docs/reference/networking/virtual-ips/#external-traffic-policy
- https://github.com/kubernetes/enhancements/tree/master/keps/sig-network/1669-proxy-terminating-endpoints
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from ingress_lint.facts.termination import pre_stop
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.routes.health import KUBE_PROXY_HEALTH, sees_pods_of_node
from ingress_lint.routes.model import BackendRef, ResolvedPort, Route
from ingress_lint.routes.traffic import HealthCheck
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule

_SCALED_KINDS: Final = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout"})


class LocalTrafficPolicyGap(Rule):
    """A load balancer that sends to nodes which have no pod for it."""

    code: ClassVar[str] = "IL206"
    name: ClassVar[str] = "local-traffic-policy-gap"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "with externalTrafficPolicy Local the load balancer may send to nodes without a pod"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the load balancer sends to nodes without a pod, which drop the packets",
            often=("connect-timeout",),
            sometimes=("check-failed", "connection-refused", "hang"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"health_check"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Compares what the load balancer knows of nodes with where the pods are."""
        for backend in route.backends:
            check, port = backend.health_check, backend.service_port
            workloads = {endpoint.workload for endpoint in backend.endpoints}
            if check is None or port is None or len(workloads) != 1:
                continue
            (workload,) = workloads
            sees_pods = sees_pods_of_node(check, port)
            if workload.object.kind not in _SCALED_KINDS or sees_pods is None:
                continue
            if not sees_pods:
                yield self._blind(route, backend, check, port, workload)
            elif not graph.autoscaled(workload):
                yield from self._gap(route, backend, check, port, workload)

    def _blind(
        self, route: Route, backend: BackendRef, check: HealthCheck, port: ResolvedPort, workload: Workload
    ) -> Finding:
        return self.finding(
            check.port.place if check.port else port.at(),
            f"{route.gateway} asks port {KUBE_PROXY_HEALTH}, where kube-proxy answers for the node as a whole, but only "
            f"nodes with a pod of {workload} take packets for Service `{port.service.name}` (externalTrafficPolicy is "
            f"Local): connections to any other node hang",
            related=[_policy(port)],
            path=way(route, backend, Hop.NODE),
            fix="leave the health check's port out, so that it asks the Service's healthCheckNodePort",
        )

    def _gap(
        self, route: Route, backend: BackendRef, check: HealthCheck, port: ResolvedPort, workload: Workload
    ) -> Iterator[Finding]:
        replicas = 1 if workload.replicas is None else workload.replicas
        if replicas == 1:
            yield from self._single(route, backend, check, port, workload)
        elif replicas > 1 and not _kept_apart(workload):
            yield self.finding(
                _policy(port).place,
                f"{route.gateway} shares connections among the nodes with a pod of {workload} (externalTrafficPolicy is "
                f"Local), and nothing keeps its {replicas} pods on different nodes: where they share one, each gets less "
                f"than its part, and a drain of that node drops connections until {route.gateway} notices",
                severity=Severity.NOTE,
                related=[
                    Related(
                        "the pods, without anti-affinity or topology spread", workload.object.at(*workload.spec_pointer)
                    )
                ],
                path=way(route, backend, Hop.NODE),
                fix="spread the pods by kubernetes.io/hostname",
            )

    def _single(
        self, route: Route, backend: BackendRef, check: HealthCheck, port: ResolvedPort, workload: Workload
    ) -> Iterator[Finding]:
        window = check.notices_after
        hooks = [hook for container in workload.containers if (hook := pre_stop(container)) is not None]
        if window is not None and any(hook.seconds >= window for hook in hooks):
            return
        after = "some seconds" if window is None else f"up to {window:g} s"
        unknown = [hook for hook in hooks if not hook.seconds]
        unless = ", unless its preStop hook lets it serve until then" if unknown else ""
        yield self.finding(
            _policy(port).place,
            f"only the node with the one pod of {workload} takes packets (externalTrafficPolicy is Local), and "
            f"{route.gateway} takes {after} to notice that it has moved: at each rollout or drain connections hang for "
            f"that long{unless}",
            severity=Severity.NOTE if unknown else None,
            related=[Related("one pod", workload.object.at("spec", "replicas"))],
            path=way(route, backend, Hop.NODE),
            fix="run several pods on different nodes, and let each live on until the load balancer has noticed",
        )


def _policy(port: ResolvedPort) -> Related:
    return Related("packets stay on the node where they arrive", port.service.at("spec", "externalTrafficPolicy"))


def _kept_apart(workload: Workload) -> bool:
    """Whether something keeps the pods of a workload on different nodes."""
    pod = workload.pod
    affinity = pod.affinity.get("podAntiAffinity") if isinstance(pod.affinity, dict) else None
    ports = (port for container in workload.containers for port in container.container.ports)
    return bool(
        affinity or pod.topology_spread_constraints or pod.host_network or any(port.host_port for port in ports)
    )
