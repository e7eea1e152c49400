"""Which pods somebody meant whose Service selects others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ingress_lint.facts.once_per_graph import once_per_graph
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload, WorkloadContainer
from ingress_lint.objects.core import Service
from ingress_lint.objects.model import KubernetesObject

Declared = tuple[WorkloadContainer, int]
"""A container and the index of a port that it declares."""


def nearly_selected(
    service: KubernetesObject[Service], selected: Sequence[Workload], name: str, protocol: str, graph: ObjectGraph
) -> Declared | None:
    """A port of that name in pods that the selector nearly picks: some of its labels, not all."""
    selector = graph.selector(service).items()
    best: tuple[int, WorkloadContainer, int] | None = None
    for workload in graph.pods(service.namespace).matching({}):
        shared = len(selector & workload.labels.items())
        if shared and workload not in selected and (best is None or shared > best[0]):
            for container in workload.containers:
                found = container.port_named(name, protocol)
                if found is not None:
                    best = shared, container, found[0]
                    break
    return best[1:] if best else None


def namesake(
    service: KubernetesObject[Service], selected: Sequence[Workload], number: int, protocol: str, graph: ObjectGraph
) -> Declared | None:
    """A port of that number in the pods of a workload that has the Service's name and that no Service selects."""
    for workload in _by_name(graph).get((service.namespace, service.name), ()):
        if workload in selected or id(workload) in _selected(graph):
            continue
        for container in workload.containers:
            for index, port in enumerate(container.container.ports):
                if (port.container_port, port.protocol) == (number, protocol):
                    return container, index
    return None


@once_per_graph
def _by_name(graph: ObjectGraph) -> Mapping[tuple[str, str], list[Workload]]:
    found: dict[tuple[str, str], list[Workload]] = {}
    for workload in graph.workloads:
        found.setdefault((workload.object.namespace, workload.object.name), []).append(workload)
    return found


@once_per_graph
def _selected(graph: ObjectGraph) -> frozenset[int]:
    """The identities of all workloads that some Service selects."""
    return frozenset(id(workload) for service in graph.services for workload in graph.selected_by(service))
