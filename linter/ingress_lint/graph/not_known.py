"""What of a set's objects is not known, and so may be what something refers to or selects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

from ingress_lint.graph.workload import Workload
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.model import AnyObject
from ingress_lint.values.placeholders import is_placeholder, may_stand_for

_POD_MAKING: Final = frozenset(
    {"Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob"}
)


class NotKnown:
    """The objects whose names or labels hold placeholders, or of which no more than the name could be read."""

    def __init__(self, objects: Sequence[AnyObject], workloads: Sequence[Workload]) -> None:
        self._objects = objects
        self._workloads = workloads

    def names(self, kind: GroupKind, namespace: str, name: str) -> str:
        """Why nobody can say whether an object exists that no manifest names outright; empty where they can."""
        if is_placeholder(name) or is_placeholder(namespace):
            return "its name is a placeholder"
        for item in self._unnamed.get(kind, ()):
            if may_stand_for(item.name, name) and may_stand_for(item.namespace, namespace):
                return f"{item} may be it, whose name holds a placeholder"
        return ""

    def pods(self, namespace: str, selector: Mapping[str, str]) -> bool:
        """Whether a selector may select, in a namespace, pods whose labels are not known, or is not known itself."""
        if any(map(is_placeholder, (namespace, *selector.values()))):
            return True
        if any(may_stand_for(item.namespace, namespace) for item in self._unread):
            return True
        return any(
            may_stand_for(workload.object.namespace, namespace)
            and all(may_stand_for(workload.labels.get(key, ""), value) for key, value in selector.items())
            for workload in self._unlabelled
        )

    @cached_property
    def _unnamed(self) -> Mapping[GroupKind, list[AnyObject]]:
        """By kind, the objects whose name or namespace is not known."""
        found: defaultdict[GroupKind, list[AnyObject]] = defaultdict(list)
        for item in self._objects:
            if is_placeholder(item.name) or is_placeholder(item.namespace):
                found[item.group_kind].append(item)
        return found

    @cached_property
    def _unlabelled(self) -> Sequence[Workload]:
        """The workloads whose namespace or labels are not known."""
        return [
            workload
            for workload in self._workloads
            if is_placeholder(workload.object.namespace) or any(map(is_placeholder, workload.labels.values()))
        ]

    @cached_property
    def _unread(self) -> Sequence[AnyObject]:
        """The objects that make pods of which nothing is known."""
        return [item for item in self._objects if item.broken and item.kind in _POD_MAKING]
