"""The kernel settings of a set."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from ingress_lint.facts.kernel.sysctls import PodSysctl, ScriptedSysctl, pod_sysctls, scripted_sysctls
from ingress_lint.facts.once_per_graph import once_per_graph
from ingress_lint.facts.overlay.kinds import KINDS
from ingress_lint.graph.graph import ObjectGraph

if TYPE_CHECKING:
    from ingress_lint.facts.kernel.kube_proxy import Conntrack
    from ingress_lint.facts.kernel.kubelet import Kubelets

_NODE_LOCAL_DNS: Final = ("node-local-dns", "nodelocaldns")


class KernelSettings:
    """What pods and kube-proxy set in the nodes' kernels."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph
        self._workloads = graph.workloads

    @cached_property
    def pod_sysctls(self) -> tuple[PodSysctl, ...]:
        """The entries of every pod's `securityContext.sysctls`."""
        return tuple(found for workload in self._workloads for found in pod_sysctls(workload))

    @cached_property
    def scripted_sysctls(self) -> tuple[ScriptedSysctl, ...]:
        """The settings that scripts in containers make."""
        return tuple(found for workload in self._workloads for found in scripted_sysctls(workload))

    @cached_property
    def conntracks(self) -> tuple[Conntrack, ...]:
        """The conntrack settings of the set's kube-proxies."""
        if self._graph.kinds.isdisjoint(KINDS):
            return ()  # as in most sets, which then need not import how kube-proxy is configured
        from ingress_lint.facts.kernel.kube_proxy import conntracks
        from ingress_lint.facts.overlay.sources import node_sources

        return tuple(found for found in conntracks(node_sources(self._graph)) if found)

    @cached_property
    def kubelets(self) -> Kubelets:
        """What the kubelets allow."""
        from ingress_lint.facts.kernel.kubelet import Kubelets
        from ingress_lint.facts.overlay.sources import node_sources

        return Kubelets(node_sources(self._graph))

    @cached_property
    def node_local_dns(self) -> bool:
        """Whether a NodeLocal DNSCache answers the pods, whose lookups then pass conntrack by."""
        return any(workload.object.name in _NODE_LOCAL_DNS for workload in self._workloads)


@once_per_graph
def kernel_settings(graph: ObjectGraph) -> KernelSettings:
    """What the set tells the nodes' kernels: sysctls, and the conntrack settings of kube-proxy."""
    return KernelSettings(graph)
