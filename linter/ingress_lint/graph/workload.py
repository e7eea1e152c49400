"""What makes pods, in one form for every kind: labels, containers, ports and probes, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from msgspec import Struct

from ingress_lint.load.document import Place, Pointer
from ingress_lint.objects.model import AnyObject, IntOrString
from ingress_lint.objects.reading import string_map
from ingress_lint.objects.workloads import Container, ContainerPort, CronJob, Pod, PodSpec, Probe
from ingress_lint.objects.workloads import Workload as WorkloadBody
from ingress_lint.values.numbers import whole

_AUTOSCALED_BY_ITSELF = frozenset({"DaemonSet", "Pod", "Job", "CronJob"})


class WorkloadContainer(Struct, frozen=True, eq=False):
    """A container that runs as long as its pod: a regular one, or a sidecar among the init containers."""

    workload: Workload
    container: Container
    pointer: Pointer

    def at(self, *more: str | int) -> Place:
        """The place of one of its fields."""
        item = self.workload.object
        if item.left_out:
            return item.at(*self.pointer, *more)
        return Place(item.document, (*item.base, *self.pointer, *more))

    @property
    def name(self) -> str:
        """Its name, as messages show it."""
        return self.container.name or "unnamed"

    def port_named(self, name: str, protocol: str | None = None) -> tuple[int, ContainerPort] | None:
        """The port it declares under `name`, with its index."""
        for index, port in enumerate(self.container.ports):
            if port.name == name and protocol in (None, port.protocol):
                return index, port
        return None

    def port_numbered(self, number: int, protocol: str | None = None) -> tuple[int, ContainerPort] | None:
        """The port it declares with this number, with its index."""
        for index, port in enumerate(self.container.ports):
            if port.container_port == number and protocol in (None, port.protocol):
                return index, port
        return None

    def port_number(self, port: IntOrString, protocol: str | None = None) -> int | None:
        """The number behind a port number or name, None where the name is not declared here."""
        if isinstance(port, int):
            return port
        number = whole(port)
        if number is not None:
            return number
        named = self.port_named(port, protocol)
        return named[1].container_port if named else None


class Workload(Struct, frozen=True, eq=False, dict=True):
    """Anything that makes pods: a Deployment, a bare Pod, a CronJob, an Argo Rollout, any kind with a pod template."""

    object: AnyObject
    pod: PodSpec
    labels: Mapping[str, str]
    """The labels of its pods."""
    annotations: Mapping[str, str]
    """The annotations of its pods."""
    labels_pointer: Pointer
    spec_pointer: Pointer
    """Where the pod spec stands."""
    replicas: int | None

    @cached_property
    def containers(self) -> tuple[WorkloadContainer, ...]:
        """Its long-running containers: the regular ones, then native sidecars (`restartPolicy: Always`)."""
        regular = ((container, ("containers", index)) for index, container in enumerate(self.pod.containers))
        sidecars = (
            (container, ("initContainers", index))
            for index, container in enumerate(self.pod.init_containers)
            if container.restart_policy == "Always"
        )
        return tuple(
            WorkloadContainer(self, container, (*self.spec_pointer, *pointer))
            for group in (regular, sidecars)
            for container, pointer in group
        )

    @property
    def fixed_size(self) -> bool:
        """Whether `replicas` has no meaning for this kind."""
        return self.object.kind in _AUTOSCALED_BY_ITSELF

    @property
    def labels_place(self) -> Place:
        """Where the labels of its pods stand."""
        return self.object.at(*self.labels_pointer)

    def label_place(self, key: str) -> Place:
        """Where one label of its pods stands."""
        return self.object.at(*self.labels_pointer, key)

    def probes(self) -> Iterator[tuple[WorkloadContainer, str, Probe]]:
        """Every probe of its containers, with the name of the probe's field."""
        for container in self.containers:
            for field, probe in container.container.probes():
                yield container, field, probe

    def declares_ports(self) -> bool:
        """Whether any of its containers declares a port."""
        return any(container.container.ports for container in self.containers)

    def __str__(self) -> str:
        return str(self.object)


def workload_of(item: AnyObject) -> Workload | None:
    """The workload in an object, None where it makes no pods."""
    body = item.body
    if isinstance(body, WorkloadBody):
        template = body.spec.template
        pointer: Pointer = ("spec", "template")
        if template is None:
            return None
        replicas = body.spec.replicas
    elif isinstance(body, Pod):
        return Workload(item, body.spec, item.labels, item.annotations, ("metadata", "labels"), ("spec",), 1)
    elif isinstance(body, CronJob):
        template = body.spec.job_template.spec.template
        pointer = ("spec", "jobTemplate", "spec", "template")
        if template is None:
            return None
        replicas = None
    else:
        return None
    labels, annotations = string_map(template.metadata.labels), string_map(template.metadata.annotations)
    labels_pointer, spec_pointer = (*pointer, "metadata", "labels"), (*pointer, "spec")
    return Workload(item, template.spec, labels, annotations, labels_pointer, spec_pointer, replicas)
