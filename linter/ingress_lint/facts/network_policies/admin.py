"""Policies of a cluster's administrators: before all others, and after them.

kubernetes-sigs/network-policy-api:apis/v1alpha1/adminnetworkpolicy_types.go, apis/v1alpha2/clusternetworkpolicy_types.go:
the lower priority first, within a policy the first rule; no rule means the next stage. Neither selects nor means pods on
the host network.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.facts.network_policies.clauses import (
    Action,
    Clause,
    Stage,
    Visit,
    namespace_matches,
    pods_match,
    port_number,
)
from ingress_lint.graph.control_plane import CONTROL_PLANE_LABELS
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.objects.cluster_network_policies import (
    AdminNetworkPolicy,
    AdminRule,
    BaselineAdminNetworkPolicy,
    Peer,
    ProtocolMatch,
)
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.values.three_valued import either, every

ADMIN_GROUP: Final = "policy.networking.k8s.io"
_ACTIONS: Final[dict[str, Action]] = {"Allow": "Allow", "Accept": "Allow", "Deny": "Deny", "Pass": "Pass"}

_Policy = KubernetesObject[AdminNetworkPolicy] | KubernetesObject[BaselineAdminNetworkPolicy]


def admin_stage(visit: Visit, graph: ObjectGraph) -> Stage:
    """The policies that are asked before all others."""
    found = [policy for policy in graph.of(AdminNetworkPolicy) if policy.body.spec.tier != "Baseline"]
    return Stage([clause for policy in _in_order(found) for clause in _clauses(policy, visit, graph)])


def baseline_stage(visit: Visit, graph: ObjectGraph) -> Stage:
    """The policies that are asked where no NetworkPolicy selects the pod."""
    found: list[_Policy] = [policy for policy in graph.of(AdminNetworkPolicy) if policy.body.spec.tier == "Baseline"]
    found += graph.of(BaselineAdminNetworkPolicy)
    return Stage([clause for policy in _in_order(found) for clause in _clauses(policy, visit, graph)])


def _in_order(policies: list[_Policy] | list[KubernetesObject[AdminNetworkPolicy]]) -> list[_Policy]:
    return sorted(policies, key=lambda policy: (policy.body.spec.priority, policy.name))


def _clauses(policy: _Policy, visit: Visit, graph: ObjectGraph) -> Iterator[Clause]:
    spec = policy.body.spec
    selected = _means(spec.subject, visit.workload, graph)
    if selected is False:
        return
    for index, rule in enumerate(spec.ingress):
        action = _ACTIONS.get(rule.action)
        if action is not None:
            known = visit.visitor is not None or bool(visit.entity)
            who = either(_means(peer, visit.visitor, graph) for peer in rule.from_) if known else None
            place = policy.at("spec", "ingress", index)
            yield Clause(policy, place, action, every((selected, who, _opens(rule, visit))))


def _means(peer: Peer, workload: Workload | None, graph: ObjectGraph) -> bool | None:
    if workload is None or workload.pod.host_network:
        return False
    space = workload.object.namespace
    if peer.namespaces is not None:
        return namespace_matches(peer.namespaces, space, graph)
    if peer.pods is None:
        return None
    where = namespace_matches(peer.pods.namespace_selector, space, graph)
    return every((where, pods_match(peer.pods.pod_selector, workload, CONTROL_PLANE_LABELS)))


def _opens(rule: AdminRule, visit: Visit) -> bool:
    """Whether a rule is about the port; without ports it is about every one."""
    if rule.protocols is not None:
        return any(_is_protocol(item, visit) for item in rule.protocols)
    for port in rule.ports or ():
        if port.port_number is not None:
            if (port.port_number.protocol, port.port_number.port) == (visit.protocol, visit.number):
                return True
        elif port.port_range is not None:
            of_range = port.port_range
            if of_range.protocol == visit.protocol and of_range.start <= visit.number <= of_range.end:
                return True
        elif visit.number in port_number(port.named_port, visit.workload, visit.protocol):
            return True
    return not rule.ports


def _is_protocol(item: ProtocolMatch, visit: Visit) -> bool:
    if item.destination_named_port:
        return visit.number in port_number(item.destination_named_port, visit.workload, visit.protocol)
    ports = {"TCP": item.tcp, "UDP": item.udp, "SCTP": item.sctp}.get(visit.protocol)
    if ports is None:
        return False
    named = ports.destination_port
    if named is None or (named.number is None and named.range is None):
        return True
    return named.number == visit.number or (
        named.range is not None and named.range.start <= visit.number <= named.range.end
    )
