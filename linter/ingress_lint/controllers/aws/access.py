"""What opens the targets to an AWS load balancer, and what lets a rollout wait for it.

Sources: kubernetes-sigs/aws-load-balancer-controller:docs/deploy/security_groups.md, docs/deploy/pod_readiness_gate.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ingress_lint.controllers.aws.settings import controller_arguments
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import Endpoint
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import TargetKind

_MANAGED: Final = "--enable-manage-backend-security-group-rules"
_GATE: Final = "pod-readiness-gate-inject"
_LABEL: Final = f"elbv2.k8s.aws/{_GATE}"
_CONDITION: Final = "target-health."


def unopened(
    graph: ObjectGraph, groups: Sourced[str] | None, managed: Sourced[bool] | None, remedy: str
) -> Sourced[str] | None:
    """The `remedy`, where written `groups` take the place of those that the controller opens the targets to.

    None where it is told to open them all the same, or told not to, as by somebody who does it elsewhere.
    """
    if groups is None or not groups.value.strip() or managed is not None or _managed_everywhere(graph):
        return None
    return Sourced(remedy, groups.origin, groups.place)


def _managed_everywhere(graph: ObjectGraph) -> bool:
    """Whether the controller of the set is told to open the targets of all its load balancers."""
    values = (value for name, value, _ in controller_arguments(graph) if name == _MANAGED)
    return any(value.lower() != "false" for value in values)


def ungated(
    graph: ObjectGraph, namespace: str, target: Sourced[TargetKind], endpoints: Iterable[Endpoint]
) -> Sourced[str] | None:
    """What makes the controller give pods a readiness gate; None where it does so, or the set does not tell.

    It looks at the labels of their Namespace. EKS Auto Mode has a label of its own.
    """
    found = graph.namespace(namespace)
    if found is None or target.value is not TargetKind.POD:
        return None
    if any(key.rpartition("/")[2] == _GATE and value == "enabled" for key, value in found.labels.items()):
        return None
    gates = (gate for endpoint in endpoints for gate in endpoint.workload.pod.readiness_gates)
    if any(gate.condition_type.startswith(_CONDITION) for gate in gates):
        return None
    remedy = f"label Namespace `{namespace}` with `{_LABEL}: enabled`"
    return Sourced(remedy, Origin.DERIVED, found.name_place, f"Namespace `{namespace}` lacks the label `{_LABEL}`")
