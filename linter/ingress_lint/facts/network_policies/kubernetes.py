"""Who may connect to a pod, by the NetworkPolicies of the set.

Kubernetes' definition (kubernetes/website:content/en/docs/concepts/services-networking/network-policies.md): a pod that
no policy selects for ingress takes every connection; otherwise it takes what at least one rule of the policies that
select it allows. Within one peer both selectors must match; a `podSelector` alone means the policy's own namespace.
Every answer is True, False, or None for what the set does not tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Final

from msgspec import Struct

from ingress_lint.facts.network_policies.clauses import (
    Clause,
    Decision,
    Stage,
    Visit,
    decide,
    namespace_matches,
    pods_match,
)
from ingress_lint.facts.once_per_graph import once_per_graph
from ingress_lint.graph.control_plane import CONTROL_PLANE_LABELS
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.labels import selects
from ingress_lint.graph.workload import Workload
from ingress_lint.load.document import Place
from ingress_lint.objects.group_kind import NETWORK_POLICY
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.objects.networking import (
    NetworkPolicy,
    NetworkPolicyEgressRule,
    NetworkPolicyIngressRule,
    NetworkPolicyPeer,
    NetworkPolicyPort,
)
from ingress_lint.values.three_valued import either, every

Policy = KubernetesObject[NetworkPolicy]
_DNS: Final = 53
_EVERYWHERE: Final = frozenset({"0.0.0.0/0", "::/0"})
_OTHER_POLICIES: Final = frozenset(
    {
        "CiliumNetworkPolicy",
        "CiliumClusterwideNetworkPolicy",
        "GlobalNetworkPolicy",
        "StagedNetworkPolicy",
        "AdminNetworkPolicy",
        "BaselineAdminNetworkPolicy",
        "ClusterNetworkPolicy",
    }
)
"""Policies of other kinds, which may allow what NetworkPolicies do not, or be read before them."""


class Peer(Struct, frozen=True):
    """One peer of a policy's rule, with its place."""

    policy: Policy
    peer: NetworkPolicyPeer
    place: Place


class NetworkPolicies:
    """The policies of a set, asked by pod and port."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph

    @cached_property
    def _by_namespace(self) -> Mapping[str, list[Policy]]:
        found: defaultdict[str, list[Policy]] = defaultdict(list)
        for policy in self._graph.network_policies:
            if policy.body.spec.policy_types is None or "Ingress" in policy.body.spec.policy_types:
                found[policy.namespace].append(policy)
        return found

    def isolating(self, workload: Workload) -> tuple[Policy, ...]:
        """The policies that decide who may connect to a workload's pods; none where everybody may."""
        return tuple(
            policy
            for policy in self._by_namespace.get(workload.object.namespace, ())
            if selects(policy.body.spec.pod_selector, workload.labels)
        )

    def settled(self, workload: Workload) -> bool:
        """Whether these policies are all there is to know about a workload's pods."""
        return not (
            workload.pod.host_network
            or self._graph.incomplete_in(workload.object.namespace)
            or workload.object.namespace in self._uncertain
            or "" in self._uncertain
        )

    @cached_property
    def _uncertain(self) -> frozenset[str]:
        """The namespaces with policies of other kinds or too broken to read, the empty one for cluster-wide ones."""
        return frozenset(
            item.namespace
            for item in self._graph.objects
            if item.kind in _OTHER_POLICIES
            or (item.group_kind == NETWORK_POLICY and (not isinstance(item.body, NetworkPolicy) or item.left_out))
        )

    # -- one connection ---------------------------------------------------------------------------------------------

    def admits(self, visit: Visit) -> bool | None:
        """Whether a connection is let in."""
        policies = self.isolating(visit.workload)
        if not policies:
            return True
        return either(
            every((opens(rule, visit), either(self.matches(peer, visit.visitor) for peer in peers) if peers else True))
            for policy in policies
            for rule, peers in _rules(policy)
        )

    def ingress_stage(self, visit: Visit) -> Stage:
        """What they say of a connection, together with policies of other kinds."""
        policies, known = self.isolating(visit.workload), visit.visitor is not None or bool(visit.entity)
        clauses = []
        for policy in policies:
            for index, (rule, peers) in enumerate(_rules(policy)):
                means = opens(rule, visit)
                rest = policy.at("spec", "ingress", index)
                wants = "other pods" if means else "other ports"
                if not peers:
                    clauses.append(Clause(policy, rest, "Allow", means, wants))
                for peer in peers:
                    who = self.matches(peer, visit.visitor) if known else None
                    clauses.append(Clause(policy, peer.place, "Allow", every((means, who)), wants))
        return Stage(clauses, policies)

    def egress(self, visit: Visit) -> Decision:
        """Whether the policies of the visitor's namespace let it open a connection."""
        visitor = visit.visitor
        if visitor is None or not self.settled(visitor):
            return Decision(None)
        policies = self._leaving(visitor)
        clauses = []
        for policy in policies:
            for index, rule in enumerate(policy.body.spec.egress or ()):
                place = policy.at("spec", "egress", index)
                peers = [Peer(policy, peer, place.at("to", number)) for number, peer in enumerate(rule.to or ())]
                opened = opens(rule, visit)
                who = either(self.matches(peer, visit.workload) for peer in peers) if peers else True
                where = place.at("to") if opened else place.at("ports")
                clauses.append(Clause(policy, where, "Allow", every((opened, who)), "" if opened else "other ports"))
        return decide([Stage(clauses, policies)])

    def names_cut_off(self, visitor: Workload) -> Policy | None:
        """The policy that keeps a workload's pods from asking DNS: they are isolated, and no rule opens port 53."""
        policies = self._leaving(visitor) if self.settled(visitor) else ()
        asked = [Visit(visitor, visitor, _DNS, protocol) for protocol in ("UDP", "TCP")]
        rules = [rule for policy in policies for rule in policy.body.spec.egress or ()]
        return None if not policies or any(opens(rule, visit) for rule in rules for visit in asked) else policies[0]

    def _leaving(self, visitor: Workload) -> tuple[Policy, ...]:
        """The policies that decide where a workload's pods may connect to."""
        return tuple(
            policy
            for policy in self._of_egress.get(visitor.object.namespace, ())
            if selects(policy.body.spec.pod_selector, visitor.labels)
        )

    @cached_property
    def _of_egress(self) -> Mapping[str, list[Policy]]:
        found: defaultdict[str, list[Policy]] = defaultdict(list)
        for policy in self._graph.network_policies:
            spec = policy.body.spec
            if "Egress" in spec.policy_types if spec.policy_types is not None else spec.egress is not None:
                found[policy.namespace].append(policy)
        return found

    def open_to_anybody(self, visit: Visit) -> bool:
        """Whether any rule names the port at all, whoever may use it."""
        policies = self.isolating(visit.workload)
        return not policies or any(opens(rule, visit) for policy in policies for rule, _ in _rules(policy))

    def peers(self, visit: Visit) -> Iterator[Peer]:
        """Every peer that may use the port."""
        for policy in self.isolating(visit.workload):
            for rule, peers in _rules(policy):
                if opens(rule, visit):
                    yield from peers

    def matches(self, peer: Peer, visitor: Workload | None) -> bool | None:
        """Whether a peer means a visitor."""
        terms = peer.peer
        if terms.ip_block is not None:
            return True if terms.ip_block.cidr in _EVERYWHERE and not terms.ip_block.except_ else None
        if visitor is None:
            return False
        if visitor.pod.host_network:
            return None
        namespace = visitor.object.namespace
        where = (
            namespace == peer.policy.namespace
            if terms.namespace_selector is None
            else namespace_matches(terms.namespace_selector, namespace, self._graph)
        )
        return every(
            (
                where,
                True if terms.pod_selector is None else pods_match(terms.pod_selector, visitor, CONTROL_PLANE_LABELS),
            )
        )


def opens(rule: NetworkPolicyIngressRule | NetworkPolicyEgressRule, visit: Visit) -> bool:
    """Whether a rule names the port; without ports it names every one."""
    return not rule.ports or any(_is_port(port, visit) for port in rule.ports)


def _is_port(port: NetworkPolicyPort, visit: Visit) -> bool:
    if port.protocol != visit.protocol:
        return False
    if port.port is None:
        return True
    if isinstance(port.port, int):
        return port.port <= visit.number <= (port.end_port or port.port)
    return any(
        declared[1].container_port == visit.number
        for container in visit.workload.containers
        if (declared := container.port_named(port.port, port.protocol)) is not None
    )


def _rules(policy: Policy) -> Iterator[tuple[NetworkPolicyIngressRule, tuple[Peer, ...]]]:
    """The rules of a policy with their peers; without peers a rule is for everybody."""
    for index, rule in enumerate(policy.body.spec.ingress or ()):
        place = policy.at("spec", "ingress", index, "from")
        yield rule, tuple(Peer(policy, peer, place.at(number)) for number, peer in enumerate(rule.from_ or ()))


@once_per_graph
def network_policies(graph: ObjectGraph) -> NetworkPolicies:
    """Who may connect to which pods."""
    return NetworkPolicies(graph)
