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
it in, for pods and controllers on the host network, where nodes and not pods get the packets, and where Cilium's,
Calico's or cluster-wide policies have their say.

## References
- https://kubernetes.io/docs/concepts/services-networking/network-policies/#behavior-of-to-and-from-selectors
- https://github.com/kubernetes/kubernetes/issues/112467
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from msgspec import Struct

from ingress_lint.facts.network_policies import NetworkPolicies, Peer, Policy, Visit, network_policies
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.labels import selects
from ingress_lint.graph.workload import Workload
from ingress_lint.load.document import Place
from ingress_lint.objects.group_kind import NETWORK_POLICIES
from ingress_lint.objects.networking import NetworkPolicyPort
from ingress_lint.routes.model import BackendRef, Endpoint, Route
from ingress_lint.routes.traffic import TargetKind
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule
from ingress_lint.tracing.predictions import PREDICTIONS
from ingress_lint.values.patterns import deferred

_WORD: Final = deferred(r"[a-z0-9]+")


class _Block(Struct, frozen=True):
    """Why a connection is dropped: the policy, the place to mend, and in words what it lets in."""

    policy: Policy
    place: Place
    why: str
    fix: str
    guess: bool = False


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
    fields: ClassVar[frozenset[str]] = frozenset({"endpoints"})
    needs: ClassVar[frozenset[tuple[str, str]]] = NETWORK_POLICIES

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Asks the policies of each backend's pods about whoever sends the requests."""
        for backend in route.backends:
            if backend.target.value is TargetKind.NODE or backend.service_port is None:
                continue
            for endpoint in backend.endpoints:
                policies = network_policies(graph).isolating(endpoint.workload)
                if endpoint.number is None or not policies or not network_policies(graph).settled(endpoint.workload):
                    continue
                protocol = backend.service_port.port.protocol
                block = _block(route, backend, endpoint.workload, endpoint.number, protocol, graph)
                if block is not None:
                    yield self._finding(route, backend, endpoint, block)

    def _finding(self, route: Route, backend: BackendRef, endpoint: Endpoint, block: _Block) -> Finding:
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
                Related(f"{block.policy} selects these pods", block.policy.at("spec", "podSelector")),
                Related("their labels", endpoint.workload.labels_place),
                *(Related(f"{proxy} runs {route.gateway}", proxy.labels_place) for proxy in route.proxies[:1]),
            ],
            path=way(route, backend, Hop.POD, endpoint),
            fix=block.fix,
        )


def _block(
    route: Route, backend: BackendRef, workload: Workload, number: int, protocol: str, graph: ObjectGraph
) -> _Block | None:
    policies = network_policies(graph)
    anybody = Visit(None, workload, number, protocol)
    if not policies.open_to_anybody(anybody):
        return _closed(policies, anybody)
    if route.proxies:
        visits = [Visit(proxy, workload, number, protocol) for proxy in route.proxies]
        return _shut_out(policies, visits[0]) if all(policies.admits(visit) is False for visit in visits) else None
    if route.from_outside:
        direct = backend.target.value is TargetKind.POD
        return _no_pod(route, policies, anybody) if direct and policies.admits(anybody) is False else None
    return _meant(route, policies, anybody, graph)


def _closed(policies: NetworkPolicies, visit: Visit) -> _Block:
    """No rule names the port."""
    for policy in policies.isolating(visit.workload):
        for index, rule in enumerate(policy.body.spec.ingress or ()):
            if rule.ports:
                named = ", ".join(dict.fromkeys(_named(port) for port in rule.ports))
                why = f"{policy} lets in connections to port {named} only, and no other policy to {visit.number}"
                place = policy.at("spec", "ingress", index, "ports")
                return _Block(policy, place, why, f"allow port {visit.number}, the pod's own")
    policy = policies.isolating(visit.workload)[0]
    place = policy.at("spec", "ingress") if policy.body.spec.ingress is not None else policy.at("spec")
    return _Block(
        policy, place, f"{policy} lets nobody in, and no other policy does", "add a policy that allows the controller"
    )


def _shut_out(policies: NetworkPolicies, visit: Visit) -> _Block:
    """The proxy is known, and no peer means it; the one that nearly does is to blame."""
    proxy = visit.visitor
    peers = list(policies.peers(visit))
    for peer in peers:
        terms = peer.peer
        if proxy is not None and terms.pod_selector is not None and terms.namespace_selector is None:
            named = terms.pod_selector.match_labels or terms.pod_selector.match_expressions
            if named and selects(terms.pod_selector, proxy.labels):
                return _Block(
                    peer.policy,
                    _label_place(peer),
                    f"the `podSelector` of {peer.policy}, without a `namespaceSelector`, means pods of namespace "
                    f"`{peer.policy.namespace}`, and {proxy} runs in `{proxy.object.namespace}`",
                    _same_peer(f"namespace `{proxy.object.namespace}`"),
                )
    if not peers:
        return _closed(policies, visit)
    policy, place = peers[0].policy, peers[0].place
    who = f"{proxy} in namespace `{proxy.object.namespace}`" if proxy is not None else "it"
    fix = f"allow the pods of {proxy}, and their namespace" if proxy is not None else ""
    return _Block(policy, place, f"no peer of {_listed(peers)} means {who}", fix)


def _no_pod(route: Route, policies: NetworkPolicies, visit: Visit) -> _Block:
    """A load balancer that sends to pods directly, and peers that are pods."""
    peers = list(policies.peers(visit))
    why = f"{_listed(peers)} lets in pods only, and the {route.gateway} connects from outside of the cluster"
    return _Block(peers[0].policy, peers[0].place, why, "allow the load balancer's subnets with an `ipBlock`")


def _meant(route: Route, policies: NetworkPolicies, visit: Visit, graph: ObjectGraph) -> _Block | None:
    """The controller is not in the set, and the peers, of which one may name it, are pods of the policy's namespace."""
    wanted = set(_WORD.findall(route.controller.value))
    if policies.admits(visit) is not False or wanted <= set(_WORD.findall(visit.workload.object.namespace)):
        return None
    peers = list(policies.peers(visit))
    if any(peer.peer.namespace_selector is not None for peer in peers):
        return None
    for peer in peers:
        selector = peer.peer.pod_selector
        if selector is None or not any(wanted <= words for words in _values(peer)):
            continue
        here = graph.pods(peer.policy.namespace).matching({})
        if not any(selects(selector, workload.labels) for workload in here):
            return _Block(
                peer.policy,
                _label_place(peer),
                f"the `podSelector` of {peer.policy} that names it, without a `namespaceSelector`, means pods of "
                f"namespace `{peer.policy.namespace}`, which has none such in these manifests; unless the controller "
                f"runs there",
                _same_peer("the controller's namespace"),
                guess=True,
            )
    if not peers:
        return None
    return _Block(
        peers[0].policy,
        peers[0].place,
        f"{_listed(peers)} lets in only pods of namespace `{visit.workload.object.namespace}`, of which none in these "
        f"manifests is its own; unless the controller runs there",
        "add a peer with a `namespaceSelector` for the controller's namespace",
        guess=True,
    )


def _values(peer: Peer) -> Iterator[set[str]]:
    selector = peer.peer.pod_selector
    if selector is not None:
        yield from (set(_WORD.findall(str(value))) for value in selector.match_labels.values())
        yield from (set(_WORD.findall(value)) for term in selector.match_expressions for value in term.values)


def _label_place(peer: Peer) -> Place:
    """The first label that a peer selects pods by."""
    selector = peer.peer.pod_selector
    labels = list(selector.match_labels) if selector is not None else []
    return peer.place.at("podSelector", "matchLabels", labels[0]) if labels else peer.place.at("podSelector")


def _same_peer(namespace: str) -> str:
    return f"add a `namespaceSelector` for {namespace} to the same peer"


def _named(port: NetworkPolicyPort) -> str:
    number = f"{port.port}-{port.end_port}" if port.end_port else f"{port.port or 'any'}"
    return number if port.protocol == "TCP" else f"{number} ({port.protocol})"


def _listed(peers: Iterable[Peer]) -> str:
    policies = list(dict.fromkeys(str(peer.policy) for peer in peers))
    return policies[0] if len(policies) == 1 else f"{policies[0]} and {len(policies) - 1} more"
