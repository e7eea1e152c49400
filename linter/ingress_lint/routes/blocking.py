"""Which network policy keeps the requests of a route from a pod, and what a person would change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.facts.network_policies.clauses import Visit
from ingress_lint.facts.network_policies.deciding import OTHER_POLICIES, admission
from ingress_lint.facts.network_policies.kubernetes import NetworkPolicies, Peer, network_policies
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.labels import selects
from ingress_lint.load.document import Place
from ingress_lint.objects.model import AnyObject
from ingress_lint.objects.networking import NetworkPolicy, NetworkPolicyPort
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.traffic import TargetKind
from ingress_lint.values.patterns import deferred

_WORD: Final = deferred(r"[a-z0-9]+")


class Block(Struct, frozen=True):
    """Why a connection is dropped: the policy, the place to mend, and in words what it lets in."""

    policy: AnyObject
    place: Place
    why: str
    fix: str
    guess: bool = False
    leaving: bool = False
    """Whether it is the proxy that the policy selects, and not the pod."""


def blocked(route: Route, backend: BackendRef, visit: Visit, graph: ObjectGraph) -> Block | None:
    """What keeps the requests of a route from a pod, by `visit`, which names no visitor yet; None where nothing does."""
    return _block(route, backend, visit, graph) or _kept_in(route, visit, graph)


def _block(route: Route, backend: BackendRef, visit: Visit, graph: ObjectGraph) -> Block | None:
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


def _refused(route: Route, visit: Visit, graph: ObjectGraph) -> Block | None:
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
        return Block(policy, place, f"{policy} denies connections from {who}", f"leave {who} out of that rule")
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
        return Block(policy, policy.at("spec"), f"{policy} lets nobody in, and no other policy does", f"allow {who}")
    if all(clause.wants == "other ports" for clause in allowing):
        why = f"{nearest.policy} lets in connections to other ports only"
        return Block(nearest.policy, nearest.place, why, f"allow port {visit.number}, the pod's own")
    why = f"{nearest.policy} lets nobody in, and no other policy does"
    if nearest.wants:
        why = f"{nearest.policy} lets in only {nearest.wants}, and {who} is none of them"
    return Block(nearest.policy, nearest.place, why, f"allow {who}")


def _kept_in(route: Route, visit: Visit, graph: ObjectGraph) -> Block | None:
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
    return Block(
        policy,
        place,
        f"{policy} lets {proxy} open no connection to pods of namespace `{space}` at that port",
        f"allow port {visit.number} to the pods of namespace `{space}` there",
        leaving=True,
    )


def _closed(policies: NetworkPolicies, visit: Visit) -> Block:
    """No rule names the port."""
    for policy in policies.isolating(visit.workload):
        for index, rule in enumerate(policy.body.spec.ingress or ()):
            if rule.ports:
                named = ", ".join(dict.fromkeys(_named(port) for port in rule.ports))
                why = f"{policy} lets in connections to port {named} only, and no other policy to {visit.number}"
                place = policy.at("spec", "ingress", index, "ports")
                if len(rule.ports) == 1 and rule.ports[0].port is not None:
                    place = place.at(0, "port")
                return Block(policy, place, why, f"allow port {visit.number}, the pod's own")
    policy = policies.isolating(visit.workload)[0]
    place = policy.at("spec", "ingress") if policy.body.spec.ingress is not None else policy.at("spec")
    return Block(
        policy, place, f"{policy} lets nobody in, and no other policy does", "add a policy that allows the controller"
    )


def _shut_out(policies: NetworkPolicies, visit: Visit) -> Block:
    """The proxy is known, and no peer means it; the one that nearly does is to blame."""
    proxy = visit.visitor
    peers = list(policies.peers(visit))
    for peer in peers:
        terms = peer.peer
        if proxy is not None and terms.pod_selector is not None and terms.namespace_selector is None:
            named = terms.pod_selector.match_labels or terms.pod_selector.match_expressions
            if named and selects(terms.pod_selector, proxy.labels):
                return Block(
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
    return Block(policy, place, f"no peer of {_listed(peers)} means {who}", fix)


def _no_pod(route: Route, policies: NetworkPolicies, visit: Visit) -> Block:
    """A load balancer that sends to pods directly, and peers that are pods."""
    peers = list(policies.peers(visit))
    why = f"{_listed(peers)} lets in pods only, and the {route.gateway} connects from outside of the cluster"
    return Block(peers[0].policy, peers[0].place, why, "allow the load balancer's subnets with an `ipBlock`")


def _meant(route: Route, policies: NetworkPolicies, visit: Visit, graph: ObjectGraph) -> Block | None:
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
            return Block(
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
    return Block(
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
