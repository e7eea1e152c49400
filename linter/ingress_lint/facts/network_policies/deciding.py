"""What all policies of a set together say of a connection to a pod."""

from __future__ import annotations

from typing import Final

from ingress_lint.facts.network_policies.clauses import Decision, Stage, Visit, decide
from ingress_lint.facts.network_policies.kubernetes import network_policies
from ingress_lint.facts.once_per_graph import once_per_graph
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.group_kind import GroupKind

OTHER_POLICIES: Final = frozenset(
    {
        *(GroupKind("cilium.io", kind) for kind in ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy")),
        *(
            GroupKind(group, kind)
            for group in ("projectcalico.org", "crd.projectcalico.org")
            for kind in ("NetworkPolicy", "GlobalNetworkPolicy")
        ),
        *(
            GroupKind("policy.networking.k8s.io", kind)
            for kind in ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")
        ),
    }
)
"""Policies of other kinds than Kubernetes' own, which allow what these do not, or are asked before them."""


def admission(visit: Visit, graph: ObjectGraph) -> Decision:
    """Whether a connection is let in: administrators' policies first, then Calico's tiers, the baseline last.

    Cilium's policies add up with NetworkPolicies, but for whom they deny.
    """
    if not _readable(graph):
        return Decision(None)
    from ingress_lint.facts.network_policies.admin import admin_stage, baseline_stage
    from ingress_lint.facts.network_policies.calico import calico_tiers
    from ingress_lint.facts.network_policies.cilium import cilium_stage

    cilium = cilium_stage(visit, graph)
    before, default, after = calico_tiers(visit, graph, network_policies(graph).ingress_stage(visit))
    denying = [clause for clause in cilium.clauses if clause.action == "Deny"]
    allowing = [clause for clause in cilium.clauses if clause.action == "Allow"]
    middle = Stage([*denying, *default.clauses, *allowing], [*default.isolating, *cilium.isolating])
    return decide([admin_stage(visit, graph), *before, middle, *after, baseline_stage(visit, graph)])


@once_per_graph
def _readable(graph: ObjectGraph) -> bool:
    """Whether every policy of other kinds could be read whole."""
    return all(item.body is not None and not item.left_out for item in graph.of_kind(*OTHER_POLICIES))
