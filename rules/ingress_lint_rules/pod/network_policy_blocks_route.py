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
apis/v1alpha2/clusternetworkpolicy_types.go, cilium/cilium:pkg/policy/api/{rule,ingress,entity}.go (1.18),
projectcalico/calico:felix/calc/policy_sorter.go and libcalico-go/lib/selector/parser.go (3.30).

## References
- https://kubernetes.io/docs/concepts/services-networking/network-policies/#behavior-of-to-and-from-selectors
- https://github.com/kubernetes/kubernetes/issues/112467
- https://network-policy-api.sigs.k8s.io/api-overview/
- https://docs.cilium.io/en/stable/security/policy/language/
- https://docs.tigera.io/calico/latest/reference/resources/networkpolicy
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.facts.network_policies.clauses import Visit
from ingress_lint.facts.network_policies.deciding import OTHER_POLICIES, admission
from ingress_lint.facts.network_policies.kubernetes import NetworkPolicies, Peer, network_policies
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.labels import selects
from ingress_lint.load.document import Place
from ingress_lint.objects.group_kind import NETWORK_POLICIES
from ingress_lint.objects.model import AnyObject
from ingress_lint.objects.networking import NetworkPolicy, NetworkPolicyPort
from ingress_lint.routes.model import BackendRef, Endpoint, Route
from ingress_lint.routes.traffic import TargetKind
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule
from ingress_lint.tracing.predictions import CONNECTION_LOST, PREDICTIONS
from ingress_lint.values.patterns import deferred

_WORD: Final = deferred(r"[a-z0-9]+")


class _Block(Struct, frozen=True):
    """Why a connection is dropped: the policy, the place to mend, and in words what it lets in."""

    policy: AnyObject
    place: Place
    why: str
    fix: str
    guess: bool = False
    leaving: bool = False
    """Whether it is the proxy that the policy selects, and not the pod."""


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
                block = _block(route, backend, visit, graph) or _kept_in(route, visit, graph)
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


def _block(route: Route, backend: BackendRef, visit: Visit, graph: ObjectGraph) -> _Block | None:
    if not graph.kinds.isdisjoint(OTHER_POLICIES):
        return _refused(route, visit, graph)
    policies = network_policies(graph)
    if not policies.isolating(visit.workload) or not policies.settled(visit.workload):
        return None
    if not policies.open_to_anybody(visit):
        return _closed(policies, visit)
    if route.proxies:
        visits = [replace(visit, visitor=proxy) for proxy in route.proxies]
        return _shut_out(policies, visits[0]) if all(policies.admits(one) is False for one in visits) else None
    if route.from_outside:
        direct = backend.target.value is TargetKind.POD
        return _no_pod(route, policies, visit) if direct and policies.admits(visit) is False else None
    return None if route.mesh else _meant(route, policies, visit, graph)


def _refused(route: Route, visit: Visit, graph: ObjectGraph) -> _Block | None:
    """What the policies of all kinds make of a connection, in the order in which they are asked."""
    space = visit.workload.object.namespace
    if graph.incomplete_in(space) or visit.workload.pod.host_network:
        return None
    entity = "world" if route.from_outside else "ingress" if route.mesh == "Cilium" else ""
    visits = [replace(visit, visitor=proxy) for proxy in route.proxies] or [replace(visit, entity=entity)]
    decisions = [admission(one, graph) for one in visits]
    if any(decision.admits is not False for decision in decisions):
        return None
    decision = decisions[0]
    who = str(visits[0].visitor or f"the {route.gateway}")
    if decision.clause is not None:
        policy, place = decision.clause.policy, decision.clause.place
        return _Block(policy, place, f"{policy} denies connections from {who}", f"leave {who} out of that rule")
    stage = decision.stage
    if stage is None:
        return None
    policies = network_policies(graph)
    if all(isinstance(policy.body, NetworkPolicy) for policy in stage.isolating):
        if not policies.open_to_anybody(visit):
            return _closed(policies, visit)
        return _shut_out(policies, visits[0]) if route.proxies else None
    allowing = [clause for clause in stage.clauses if clause.action == "Allow"]
    nearest = next((clause for clause in allowing if clause.wants != "other ports"), next(iter(allowing), None))
    if nearest is None:
        policy = stage.isolating[0]
        return _Block(policy, policy.at("spec"), f"{policy} lets nobody in, and no other policy does", f"allow {who}")
    if all(clause.wants == "other ports" for clause in allowing):
        why = f"{nearest.policy} lets in connections to other ports only"
        return _Block(nearest.policy, nearest.place, why, f"allow port {visit.number}, the pod's own")
    why = f"{nearest.policy} lets nobody in, and no other policy does"
    if nearest.wants:
        why = f"{nearest.policy} lets in only {nearest.wants}, and {who} is none of them"
    return _Block(nearest.policy, nearest.place, why, f"allow {who}")


def _kept_in(route: Route, visit: Visit, graph: ObjectGraph) -> _Block | None:
    """What keeps a proxy's pods from opening the connection at all."""
    if not graph.kinds.isdisjoint(OTHER_POLICIES):
        return None
    decisions = [network_policies(graph).egress(replace(visit, visitor=proxy)) for proxy in route.proxies]
    if not decisions or any(decision.admits is not False or decision.stage is None for decision in decisions):
        return None
    stage = decisions[0].stage
    if stage is None:
        return None
    clauses = [clause for clause in stage.clauses if clause.wants != "other ports"] or list(stage.clauses)
    policy = clauses[0].policy if clauses else stage.isolating[0]
    place = clauses[0].place if clauses else policy.at("spec")
    proxy, space = route.proxies[0], visit.workload.object.namespace
    return _Block(
        policy,
        place,
        f"{policy} lets {proxy} open no connection to pods of namespace `{space}` at that port",
        f"allow port {visit.number} to the pods of namespace `{space}` there",
        leaving=True,
    )


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
