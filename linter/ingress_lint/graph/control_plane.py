"""Labels that the control plane puts on pods. No template carries them, and each tells what may have made the pod.

kubernetes/website:content/en/docs/reference/labels-annotations-taints/_index.md; names and ordinals of a StatefulSet's
pods: content/en/docs/concepts/workloads/controllers/statefulset.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingress_lint.graph.workload import Workload
from ingress_lint.values.numbers import whole

POD_NAME: Final = "statefulset.kubernetes.io/pod-name"
POD_INDEX: Final = "apps.kubernetes.io/pod-index"
OF_JOBS: Final = frozenset(
    {
        "batch.kubernetes.io/job-name",
        "batch.kubernetes.io/job-completion-index",
        "batch.kubernetes.io/controller-uid",
        "job-name",
        "controller-uid",
    }
)
"""Labels of the pods of Jobs, which come and go."""
_ANY: Final = frozenset({"CronJob", "DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "StatefulSet"})
_OWNERS: Final[Mapping[str, frozenset[str]]] = {
    POD_NAME: frozenset({"StatefulSet"}),
    POD_INDEX: frozenset({"StatefulSet"}),
    **dict.fromkeys(OF_JOBS, frozenset({"Job", "CronJob"})),
    "controller-revision-hash": frozenset({"DaemonSet", "StatefulSet"}),
    "pod-template-hash": frozenset({"Deployment", "ReplicaSet"}),
    "pod-template-generation": frozenset({"DaemonSet"}),
    "rollouts-pod-template-hash": frozenset({"Rollout"}),
    "topology.kubernetes.io/zone": _ANY,
    "topology.kubernetes.io/region": _ANY,
}
CONTROL_PLANE_LABELS: Final = frozenset(_OWNERS)
"""Labels that the control plane puts on pods."""


def may_carry(workload: Workload, key: str, value: str, *, sized: bool) -> bool:
    """Whether the control plane may give a pod of a workload this label; for kinds that nobody here knows it may.

    `sized` tells that the workload has as many pods as its manifest says.
    """
    kind, name = workload.object.kind, workload.object.name
    if key in workload.labels:
        return workload.labels[key] == value
    if kind in _ANY and kind not in _OWNERS[key]:
        return False
    if key == POD_NAME:
        stem, _, ordinal = value.rpartition("-")
        return stem == name and (kind != "StatefulSet" or _has_ordinal(workload, ordinal, sized=sized))
    if key == POD_INDEX:
        return kind != "StatefulSet" or _has_ordinal(workload, value, sized=sized)
    if key in ("job-name", "batch.kubernetes.io/job-name"):
        return value == name if kind == "Job" and workload.object.names_itself else value.startswith(f"{name}-")
    return True


def ordinals(workload: Workload) -> range | None:
    """The ordinals of a StatefulSet's pods, None where its manifest leaves their number open."""
    spec = workload.object.mapping("spec")
    first = workload.object.mapping("spec", "ordinals").get("start", 0)
    replicas = workload.replicas if "replicas" in spec else 1
    if workload.object.group != "apps" or replicas is None or type(first) is not int:
        return None
    return range(first, first + replicas)


def _has_ordinal(workload: Workload, ordinal: str, *, sized: bool) -> bool:
    number, known = whole(ordinal), ordinals(workload)
    return number is not None and str(number) == ordinal and (not sized or known is None or number in known)
