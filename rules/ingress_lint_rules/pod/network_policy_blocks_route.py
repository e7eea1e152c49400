"""## What it does
Finds routes whose proxy or load balancer no NetworkPolicy lets through to the pod.

## What you see
504 after the proxy's connect timeout, or 502 and 503; load balancer targets that never become healthy. Probes stay
green, as the kubelet is always let in, and so does `kubectl port-forward`.

## Why it breaks
As soon as one NetworkPolicy selects a pod for ingress, only what some policy allows may connect to it. Packets of all
others are dropped without an answer. A `podSelector` without a `namespaceSelector` means pods of the policy's own
namespace, and ingress controllers mostly run in another; load balancers that send to pods directly are no pods at all.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: shop, namespace: shop}
spec:
  podSelector: {}
  ingress:
    - from: [{podSelector: {matchLabels: {app.kubernetes.io/name: ingress-nginx}}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
spec:
  selector: {matchLabels: {app.kubernetes.io/name: ingress-nginx}}
  template:
    metadata: {labels: {app.kubernetes.io/name: ingress-nginx}}
    spec: {containers: [{name: controller, image: "registry.k8s.io/ingress-nginx/controller:v1.12.0"}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop}
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: shop, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: shop}
spec: {ports: [{port: 80, targetPort: 8080}], selector: {app: shop}}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, namespace: shop, labels: {app: shop}}
spec: {containers: [{name: shop, image: example/shop, ports: [{containerPort: 8080}]}]}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: shop, namespace: shop}
spec:
  podSelector: {}
  ingress:
    - from:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}
          podSelector: {matchLabels: {app.kubernetes.io/name: ingress-nginx}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
spec:
  selector: {matchLabels: {app.kubernetes.io/name: ingress-nginx}}
  template:
    metadata: {labels: {app.kubernetes.io/name: ingress-nginx}}
    spec: {containers: [{name: controller, image: "registry.k8s.io/ingress-nginx/controller:v1.12.0"}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop}
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: shop, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: shop}
spec: {ports: [{port: 80, targetPort: 8080}], selector: {app: shop}}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, namespace: shop, labels: {app: shop}}
spec: {containers: [{name: shop, image: example/shop, ports: [{containerPort: 8080}]}]}
```

## Fix
Allow the controller's namespace and pods in one peer (`namespaceSelector` and `podSelector` in the same list item), to
the pod's port and not the Service's. For a load balancer that sends to pods, allow its subnets with an `ipBlock`.

## Prove it
```sh
kubectl -n NAMESPACE get networkpolicies
kubectl -n CONTROLLER_NAMESPACE exec CONTROLLER_POD -- curl -sv --max-time 5 http://POD_IP:PORT/
```

## How sure
An error where the set runs the controller (by its image) and no rule lets its pods in, where a load balancer sends to
pods and every rule that names the port wants pods, and where no rule names the port at all. A warning where the
controller is not in the set, and every peer means pods of the policy's own namespace. One step down where no class says
which controller serves the route. Silent where an `ipBlock` or a label of a namespace that the set does not hold may let
it in, for pods and controllers on the host network (but where Cilium's policies name hosts), and where nodes and not pods
get the packets. Where policies of administrators, Cilium or Calico are in the set, all of them are asked in their order:
an error where they refuse every proxy for certain, silence where they may let one in. Policies of the controller's own
namespace count where they let its pods open no connection to the pod, or, for an ExternalName backend, ask no DNS.

Verified by reading, with no controller in particular: kubernetes/website:content/en/docs/concepts/services-networking/
network-policies.md, kubernetes-sigs/network-policy-api:apis/v1alpha1/adminnetworkpolicy_types.go and
apis/v1alpha2/clusternetworkpolicy_types.go, cilium/cilium:pkg/policy/api/{rule,ingress,entity}.go, and
projectcalico/calico:felix/calc/policy_sorter.go and libcalico-go/lib/selector/parser/parser.go. Releases are not told apart.

## References
- https://kubernetes.io/docs/concepts/services-networking/network-policies/#behavior-of-to-and-from-selectors
- https://github.com/kubernetes/kubernetes/issues/112467
- https://network-policy-api.sigs.k8s.io/api-overview/
- https://docs.cilium.io/en/stable/security/policy/language/
- https://docs.tigera.io/calico/latest/reference/resources/networkpolicy
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from ingress_lint.facts.network_policies.clauses import Visit
from ingress_lint.facts.network_policies.deciding import OTHER_POLICIES
from ingress_lint.facts.network_policies.kubernetes import network_policies
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.group_kind import NETWORK_POLICIES
from ingress_lint.objects.model import AnyObject
from ingress_lint.objects.networking import NetworkPolicy
from ingress_lint.routes.blocking import Block, blocked
from ingress_lint.routes.model import BackendRef, Endpoint, Route
from ingress_lint.routes.traffic import TargetKind
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule
from ingress_lint.tracing.predictions import CONNECTION_LOST, PREDICTIONS


class NetworkPolicyBlocksRoute(Rule):
    """A pod that drops what its proxy sends."""

    code: ClassVar[str] = "IL508"
    name: ClassVar[str] = "network-policy-blocks-route"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "NetworkPolicies keep the proxy or load balancer from the pod"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "a NetworkPolicy drops the proxy's packets to the pod",
            often=("504", "connect-timeout"),
            sometimes=(
                "502",
                "503",
                "check-failed",
                "check-timeout",
                "connection-failure",
                "no-healthy-upstream",
                "no-live-upstreams",
                "retries-exhausted",
            ),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"backends"})
    needs: ClassVar[frozenset[tuple[str, str]]] = NETWORK_POLICIES | OTHER_POLICIES

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Asks the policies of each backend's pods about whoever sends the requests."""
        for backend in route.backends:
            if backend.target.value is TargetKind.NODE:
                continue
            yield from self._names(route, backend, graph)
            if backend.service_port is None:
                continue
            for endpoint in backend.endpoints:
                if endpoint.number is None:
                    continue
                protocol = backend.service_port.port.protocol
                visit = Visit(None, endpoint.workload, endpoint.number, protocol)
                block = blocked(route, backend, visit, graph)
                if block is not None:
                    yield self._finding(route, backend, endpoint, block)

    def _names(self, route: Route, backend: BackendRef, graph: ObjectGraph) -> Iterator[Finding]:
        """A backend that is but a name, and a proxy that cannot ask for its addresses."""
        service = backend.service.object
        if service is None or service.body.spec.type != "ExternalName" or not route.proxies or route.assumed:
            return
        cut_off = [network_policies(graph).names_cut_off(proxy) for proxy in route.proxies]
        policy = cut_off[0]
        if policy is None or None in cut_off:
            return
        yield self.finding(
            policy.at("spec", "egress") if policy.body.spec.egress is not None else policy.at("spec"),
            f"{route.gateway} looks up `{service.body.spec.external_name}` of {service}, but {policy} lets its pods "
            f"ask no DNS, as no rule opens port 53: no address is found and the client gets "
            f"{CONNECTION_LOST.status_from(route.controller.value)}",
            related=[Related(f"{proxy} runs {route.gateway}", proxy.labels_place) for proxy in route.proxies[:1]],
            path=way(route, backend, Hop.SERVICE),
            fix="allow port 53, UDP and TCP, to the cluster's DNS",
        )

    def _finding(self, route: Route, backend: BackendRef, endpoint: Endpoint, block: Block) -> Finding:
        severity = Severity.WARNING if block.guess else Severity.ERROR
        rest = ""
        if route.assumed:
            severity = Severity(severity - 1)
            rest = f" (taking {route.controller.value} as the controller, as nothing says which serves it)"
        return self.finding(
            block.place,
            f"{route.gateway} sends requests to port {endpoint.number} of {endpoint.workload}, but {block.why}"
            f"{', its' if block.guess else ': its'} packets are dropped and the client gets {PREDICTIONS[self.code].status_from(route.controller.value)}{rest}",
            severity=severity,
            related=[
                Related(f"{block.policy} selects {'its' if block.leaving else 'these'} pods", _selector(block.policy)),
                Related("their labels" if not block.leaving else "the pods", endpoint.workload.labels_place),
                *(Related(f"{proxy} runs {route.gateway}", proxy.labels_place) for proxy in route.proxies[:1]),
            ],
            path=way(route, backend, Hop.POD, endpoint),
            fix=block.fix,
        )


def _selector(policy: AnyObject) -> Place:
    """What a policy selects pods by, where its kind has one field for that."""
    return policy.at("spec", "podSelector") if isinstance(policy.body, NetworkPolicy) else policy.at("spec")
