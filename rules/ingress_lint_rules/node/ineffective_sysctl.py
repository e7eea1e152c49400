"""## What it does
Looks at the kernel settings that pods ask for, in `securityContext.sysctls` and in scripts, and says which of them the
cluster refuses, or which reach something else than was meant.

## What you see
Pods that do not start: `SysctlForbidden`, `Invalid value: may not be specified when 'hostNetwork' is true`, or
`permission denied` for a file below /proc/sys. Or everything starts, and the nodes still log
`nf_conntrack: table full, dropping packet`, and clients time out under load.

## Why it breaks
A pod has its own network namespace with its own copy of most `net.*` settings. Limits such as
`net.netfilter.nf_conntrack_max` belong to the node: a pod's namespace has them read-only, or apart from the node's. Of
the others the kubelet allows a short list of safe ones, unless `allowedUnsafeSysctls` names more.

## Example
Bad:
```yaml
apiVersion: v1
kind: Pod
metadata: {name: gateway}
spec:
  securityContext:
    sysctls:
      - {name: net.netfilter.nf_conntrack_max, value: "1000000"}
  containers:
    - {name: gateway, image: nginx}
```
Good:
```yaml
apiVersion: v1
kind: Pod
metadata: {name: gateway}
spec:
  securityContext:
    sysctls:
      - {name: net.ipv4.ip_local_port_range, value: "1024 65535"}
  containers:
    - {name: gateway, image: nginx}
```

## Fix
Set a node's limits on the node: in its image, with kube-proxy's `conntrack` settings, or from a privileged DaemonSet
with `hostNetwork: true` that runs on every node. For an unsafe setting of the pod itself, list it in the kubelet's
`allowedUnsafeSysctls`.

## Prove it
```sh
kubectl get events --field-selector reason=SysctlForbidden
kubectl debug node/NODE -it --image=busybox -- sysctl net.netfilter.nf_conntrack_max
```

## How sure
An error for what no kubelet allows, and for unsafe settings that the kubelet configuration of the set does not list. A
warning for unsafe ones where the set holds no kubelet configuration, and for scripts, whose kernel and errors are not
seen. Silent for settings of a pod's own namespace that a privileged init container makes, and for `vm.max_map_count`
and its like, which a database sets on the node where it runs.

## References
- https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/
- https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/sysctl/safe_sysctls.go
- https://github.com/torvalds/linux/commit/2671fa4dc0109d3fb581bc3078fdf17b5d9080f6
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Final

from ingress_lint.facts.kernel.index import kernel_settings
from ingress_lint.facts.kernel.sysctls import CONNTRACK_LIMITS, SAFE, PodSysctl, ScriptedSysctl
from ingress_lint.finding import Finding, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import Route
from ingress_lint.rule import Cause, Rule

_DOES_NOT_START: Final = "the pod does not start, and whatever it serves answers 503"
_READ_ONLY: Final = "read-only"
_OF_THE_NODE: Final = "of the node"
_ONLY_HERE: Final = "only here"
_SOME_NODES: Final = "some nodes"
_FAULTS: Final[Mapping[str, tuple[str, str]]] = {
    _READ_ONLY: (
        "and is not privileged, so that /proc/sys is read-only for it: the command fails, and nothing changes",
        "give this container `securityContext.privileged: true`, or set it on the node itself",
    ),
    _OF_THE_NODE: (
        "from the pod's own network namespace, where kernels since 5.12.2 have no say over the node's value",
        "give the pod `hostNetwork: true`, or set it on the node itself",
    ),
    _ONLY_HERE: (
        "from the pod's own network namespace, so that it changes nothing for the node and the other pods that it is "
        "meant for",
        "give the pod `hostNetwork: true`; pods with a network namespace of their own need it in their "
        "`securityContext.sysctls`",
    ),
    _SOME_NODES: (
        "only on {nodes}; on all others the node's own table keeps its size, and drops connections when it is full",
        "set it from a DaemonSet that runs on every node, with kube-proxy's `conntrack` settings, or on the nodes "
        "themselves",
    ),
}
_TABLE_STAYS: Final = "the node's own table keeps its size, and drops connections when it is full"


class IneffectiveSysctl(Rule):
    """A kernel setting that does not reach what it is meant for."""

    code: ClassVar[str] = "IL303"
    name: ClassVar[str] = "ineffective-sysctl"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a sysctl that the cluster refuses, or that reaches something else than was meant"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the sysctl that was to make room on the nodes has no effect",
            sometimes=("conntrack-full", "connect-timeout"),
        ),
    )

    def check_set(self, graph: ObjectGraph, routes: tuple[Route, ...]) -> Iterable[Finding]:
        """Looks at every kernel setting that the set's pods ask for."""
        for entry in kernel_settings(graph).pod_sysctls:
            yield from self._entry(entry, graph)
        by_fault: defaultdict[tuple[int, str], list[ScriptedSysctl]] = defaultdict(list)
        for setting in kernel_settings(graph).scripted_sysctls:
            by_fault[id(setting.container), _fault(setting)].append(setting)
        for (_, fault), settings in by_fault.items():
            if fault:
                yield self._scripted(settings[0], fault, settings[1:])

    def _entry(self, entry: PodSysctl, graph: ObjectGraph) -> Iterator[Finding]:
        name = entry.name
        if entry.namespace == "":
            conntrack = name in CONNTRACK_LIMITS
            yield self.finding(
                entry.place,
                f"`{name}` is a setting of the whole node and not of a pod, so the kubelet or the kernel refuses it here: "
                f"{_DOES_NOT_START}{f', while {_TABLE_STAYS}' if conntrack else ''}",
                fix="raise it with kube-proxy's `conntrack.maxPerCore` and `conntrack.min`, or on the node itself"
                if conntrack
                else "set it on the node itself",
            )
        elif entry.of_the_host:
            shared = "hostNetwork" if entry.namespace == "network" else "hostIPC"
            yield self.finding(
                entry.place,
                f"`{name}` is set for a pod with `{shared}: true`, which has no {entry.namespace} namespace of its own; "
                f"Kubernetes refuses the pod, and whatever it serves answers 503",
                fix=f"remove it, or `{shared}`; set it on the node itself",
            )
        elif name not in SAFE and not kernel_settings(graph).kubelets.allow(name):
            yield self._unsafe(entry, graph)

    def _unsafe(self, entry: PodSysctl, graph: ObjectGraph) -> Finding:
        name = entry.name
        kubelet = kernel_settings(graph).kubelets.configuration
        if kubelet is not None:
            return self.finding(
                entry.place,
                f"`{name}` is none of the safe sysctls, and `allowedUnsafeSysctls` of the kubelet configuration does not "
                f"list it; {_DOES_NOT_START} (SysctlForbidden)",
                related=[Related("the kubelet is configured here", kubelet.place)],
                fix=f"add `{name}` to `allowedUnsafeSysctls`, or remove it here",
            )
        return self.finding(
            entry.place,
            f"`{name}` is none of the safe sysctls, and nothing in these manifests shows a kubelet whose "
            f"`allowedUnsafeSysctls` lists it; without that {_DOES_NOT_START} (SysctlForbidden)",
            severity=Severity.WARNING,
            fix=f"add `{name}` to `allowedUnsafeSysctls` of the kubelets where this pod runs, or remove it here",
        )

    def _scripted(self, setting: ScriptedSysctl, fault: str, others: Sequence[ScriptedSysctl]) -> Finding:
        words, fix = _FAULTS[fault]
        table = f": {_TABLE_STAYS}" if fault == _OF_THE_NODE and _is_of_conntrack(setting) else ""
        return self.finding(
            setting.place,
            f"container `{setting.container.name}` sets `{setting.name}` {words.format(nodes=setting.nodes)}{table}",
            severity=Severity.WARNING,
            related=[Related(f"`{other.name}` is set in the same way", other.place) for other in others],
            fix=fix,
        )


def _fault(setting: ScriptedSysctl) -> str:
    if not setting.privileged:
        return _READ_ONLY
    if not setting.on_the_host:
        if setting.of_the_node:
            return _OF_THE_NODE
        return _ONLY_HERE if setting.name.startswith("net.") and setting.only_tunes else ""
    return _SOME_NODES if _is_of_conntrack(setting) and setting.nodes else ""


def _is_of_conntrack(setting: ScriptedSysctl) -> bool:
    return "nf_conntrack" in setting.name
