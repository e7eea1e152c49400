"""Kernel settings that pods ask for: in their security context, or by a script in a container."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from ingress_lint.graph.workload import Workload
from ingress_lint.load.document import Place, Pointer
from ingress_lint.objects.workloads import Container
from ingress_lint.values.patterns import deferred

SAFE: Final[Mapping[str, str]] = {
    "kernel.shm_rmid_forced": "",
    "net.ipv4.ip_local_port_range": "",
    "net.ipv4.tcp_syncookies": "",
    "net.ipv4.ping_group_range": "",
    "net.ipv4.ip_unprivileged_port_start": "",
    "net.ipv4.ip_local_reserved_ports": "1.27",
    "net.ipv4.tcp_keepalive_time": "1.29",
    "net.ipv4.tcp_fin_timeout": "1.29",
    "net.ipv4.tcp_keepalive_intvl": "1.29",
    "net.ipv4.tcp_keepalive_probes": "1.29",
    "net.ipv4.tcp_rmem": "1.32",
    "net.ipv4.tcp_wmem": "1.32",
}
"""Sysctls that every kubelet allows, with the release since which (kubernetes/kubernetes:pkg/kubelet/sysctl/safe_sysctls.go)."""
CONNTRACK_LIMITS: Final = frozenset(
    {
        "net.netfilter.nf_conntrack_max",
        "net.nf_conntrack_max",
        "net.netfilter.nf_conntrack_buckets",
        "net.netfilter.nf_conntrack_expect_max",
    }
)
_OF_THE_NODE: Final = CONNTRACK_LIMITS | {
    "net.core.netdev_max_backlog",
    "net.core.rmem_default",
    "net.core.rmem_max",
    "net.core.wmem_default",
    "net.core.wmem_max",
    "net.ipv4.tcp_mem",
    "net.ipv4.udp_mem",
}
"""Network settings that a pod's own network namespace does not have, or only reads (Linux:net/core/sysctl_net_core.c,
net/netfilter/nf_conntrack_standalone.c)."""
_IPC: Final = ("kernel.shm", "kernel.msg", "fs.mqueue.")
_SCRIPTED: Final = deferred(r"\bsysctl\s+(?:-[\w-]+\s+)*((?:[\"']?[\w./-]+\s*=\s*[\"']?[^\s;&|\"']+[\"']?\s*)+)")
_ASSIGNED: Final = deferred(r"([A-Za-z][\w./-]+)\s*=\s*[\"']?([^\s;&|\"']+)")
_ECHOED: Final = deferred(
    r"\becho\s+(?:-n\s+)?[\"']?([0-9]+(?: ++[0-9]+)*) *+[\"']?\s*+>\s*(?:/host)?/proc/sys/([\w./-]+)"
)
_ENTERS_HOST: Final = deferred(r"\bnsenter\b|\bchroot\s+/")
_IDLE: Final = deferred(r"\bsleep\b|\btail\s+-f\b|\bpause\b|\bwhile\s+(?:true|:)")
_COMMON_NODE_LABELS: Final = frozenset(
    {"kubernetes.io/os", "kubernetes.io/arch", "beta.kubernetes.io/os", "beta.kubernetes.io/arch"}
)


class PodSysctl(Struct, frozen=True):
    """An entry of a pod's `securityContext.sysctls`; `name` with dots."""

    name: str
    value: str
    workload: Workload
    place: Place

    @property
    def namespace(self) -> str:
        """The kernel namespace that it belongs to: `network` or `IPC`; empty where it is the whole node's."""
        if self.name in _OF_THE_NODE:
            return ""
        if self.name.startswith("net."):
            return "network"
        return "IPC" if self.name.startswith(_IPC) or self.name == "kernel.sem" else ""

    @property
    def of_the_host(self) -> bool:
        """Whether the pod shares that namespace with the node."""
        if self.namespace == "network":
            return self.workload.pod.host_network
        return self.namespace == "IPC" and self.workload.pod.host_ipc is True


class ScriptedSysctl(Struct, frozen=True):
    """A setting that a container's script makes; `name` with dots."""

    name: str
    value: str
    workload: Workload
    container: Container
    place: Place
    enters_host: bool
    """Whether the script goes to the node's own namespaces first."""

    @property
    def privileged(self) -> bool:
        """Whether the container may write to /proc/sys at all."""
        context = self.container.security_context
        if not isinstance(context, dict):
            return False
        return context.get("privileged") is True or context.get("procMount") == "Unmasked"

    @property
    def of_the_node(self) -> bool:
        """Whether it is one value for the whole node, that the pod's own network namespace does not have."""
        return self.name in _OF_THE_NODE

    @property
    def on_the_host(self) -> bool:
        """Whether it reaches the node's network namespace."""
        return self.enters_host or self.workload.pod.host_network

    @property
    def nodes(self) -> str:
        """On which nodes it runs, in words; empty where on all that the cluster has."""
        item = self.workload.object
        selector = set(self.workload.pod.node_selector) - _COMMON_NODE_LABELS
        labels = sorted(selector | _required_labels(self.workload.pod.affinity))
        if labels:
            return f"nodes chosen by `{labels[0]}`"
        return "" if item.kind == "DaemonSet" else f"nodes where a pod of {item.kind} `{item.name}` happens to run"

    @property
    def only_tunes(self) -> bool:
        """Whether the pod does nothing but make settings: what runs on in it sleeps, and no traffic comes to it."""
        if self.workload.object.kind != "DaemonSet" or self.workload.declares_ports():
            return False
        return all(_idles(running.container) for running in self.workload.containers)


def pod_sysctls(workload: Workload) -> Iterator[PodSysctl]:
    """The entries of a pod's `securityContext.sysctls`."""
    context = workload.pod.security_context
    entries = context.get("sysctls") if isinstance(context, dict) else None
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        name = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(name, str) and name:
            place = workload.object.at(*workload.spec_pointer, "securityContext", "sysctls", index, "name")
            yield PodSysctl(dotted(name), str(entry.get("value", "")), workload, place)


def scripted_sysctls(workload: Workload) -> Iterator[ScriptedSysctl]:
    """The settings that the scripts of a pod's containers make, its init containers included."""
    for field, containers in (
        ("initContainers", workload.pod.init_containers),
        ("containers", workload.pod.containers),
    ):
        for index, container in enumerate(containers):
            made = list(_assignments(container))
            enters = bool(made) and _ENTERS_HOST.search(_text(container)) is not None
            for where, name, value in made:
                place = workload.object.at(*workload.spec_pointer, field, index, *where[0]).inside(where[1])
                yield ScriptedSysctl(dotted(name), value, workload, container, place, enters)


def dotted(name: str) -> str:
    """A sysctl's name with dots; slashes mean the same."""
    return name.replace("/", ".")


def _text(container: Container) -> str:
    return " ".join(str(word) for word in (*container.command, *container.args))


def _assignments(container: Container) -> Iterator[tuple[tuple[Pointer, str], str, str]]:
    """The field and passage, name and value of each setting. Words of one command count as a whole."""
    text = _text(container)
    if "sysctl" not in text and "/proc/sys" not in text:
        return
    before: list[str] = []
    for field, words in (("command", container.command), ("args", container.args)):
        for index, word in enumerate(str(word) for word in words):
            where: Pointer = (field, index)
            for script in _SCRIPTED.finditer(word):
                for name, value in _ASSIGNED.findall(script[1]):
                    yield (where, name), name, value
            for value, name in _ECHOED.findall(word):
                yield (where, name), name, value
            if "=" in word and " " not in word and "sysctl" in (part.rpartition("/")[2] for part in before):
                name, _, value = word.partition("=")
                yield (where, name), name, value
            before.append(word)


def _idles(container: Container) -> bool:
    return "pause" in container.image.rpartition("/")[2] or _IDLE.search(_text(container)) is not None


def _required_labels(affinity: Any) -> set[str]:
    """The labels that every node must have which the pod may run on, but for those of any node."""
    node = affinity.get("nodeAffinity") if isinstance(affinity, dict) else None
    required = node.get("requiredDuringSchedulingIgnoredDuringExecution") if isinstance(node, dict) else None
    terms = required.get("nodeSelectorTerms") if isinstance(required, dict) else None
    found: list[set[str]] = []
    for term in terms if isinstance(terms, list) else ():
        expressions = term.get("matchExpressions") if isinstance(term, dict) else None
        found.append(
            {
                str(expression.get("key"))
                for expression in (expressions if isinstance(expressions, list) else ())
                if isinstance(expression, dict) and expression.get("operator") in ("In", "Exists")
            }
        )
    return set.intersection(*found) - _COMMON_NODE_LABELS if found else set()
