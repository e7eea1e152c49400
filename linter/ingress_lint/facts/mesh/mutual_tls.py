"""What makes a pod's proxy refuse connections without the mesh's TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from ingress_lint.facts.mesh.linkerd_authorization import linkerd_default, server_of
from ingress_lint.facts.mesh.membership import pod_metadata
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.load.document import Place
from ingress_lint.objects.model import KubernetesObject

if TYPE_CHECKING:
    from ingress_lint.objects.istio_security import PeerAuthentication, WorkloadSelector

_ISTIO_SECURITY: Final = "security.istio.io"
_ISTIO_ROOT: Final = "istio-system"


class Demand(Struct, frozen=True):
    """Something that makes a pod's proxy refuse whoever does not speak the mesh's TLS."""

    title: str
    place: Place
    answers: bool = False
    """Whether the proxy takes the connection all the same, and answers 403."""


def bypasses_proxy(workload: Workload, number: int) -> bool:
    """Whether a pod tells its sidecar to leave the connections to a port alone."""
    pod = dict(pod_metadata(workload))
    excluded = pod.get("traffic.sidecar.istio.io/excludeInboundPorts", "").replace(" ", "").split(",")
    return "traffic.sidecar.istio.io/includeInboundPorts" in pod or str(number) in excluded


def demand(workload: Workload, number: int, graph: ObjectGraph) -> Demand | None:
    """What demands the mesh's TLS at a port of a pod; None where nothing does, or where the set leaves it open.

    Istio's policies: the port's before the pod's before the namespace's before the root namespace's, UNSET passing on
    (istio/istio:pilot/pkg/security/authn/policy_applier.go). Linkerd's `config.linkerd.io/default-inbound-policy`.
    """
    if bypasses_proxy(workload, number):
        return None
    default = linkerd_default(workload, graph) if server_of(workload, number, graph) is None else None
    if default is not None and default.policy.endswith("-authenticated"):
        return Demand(f"Linkerd's inbound policy `{default.policy}`", default.place, answers=True)
    return _peer_authentication(workload, number, graph)


def _peer_authentication(workload: Workload, number: int, graph: ObjectGraph) -> Demand | None:
    if _ISTIO_SECURITY not in graph.groups:
        return None
    from ingress_lint.objects.istio_security import PeerAuthentication

    policies = list(graph.of(PeerAuthentication))
    here = [item for item in policies if item.namespace == workload.object.namespace]
    own = [item for item in here if _for_pod(item.body.spec.selector, workload)]
    levels: list[list[tuple[str, Demand]]] = [[], [], [], []]
    for item in own:
        for port, mtls in item.body.spec.port_level_mtls.items():
            if str(port) == str(number):
                levels[0].append((mtls.mode, Demand(str(item), item.at("spec", "portLevelMtls", port, "mode"))))
        levels[1].append(_mode(item))
    levels[2] = [_mode(item) for item in here if not _selects_some(item.body.spec.selector)]
    levels[3] = [
        _mode(item) for item in policies if item.namespace == _ISTIO_ROOT and not _selects_some(item.body.spec.selector)
    ]
    for level in levels:
        told = [(mode, found) for mode, found in level if mode != "UNSET"]
        if told:
            return told[0][1] if {mode for mode, _ in told} == {"STRICT"} else None
    return None


def _mode(item: KubernetesObject[PeerAuthentication]) -> tuple[str, Demand]:
    mtls = item.body.spec.mtls
    return mtls.mode if mtls else "UNSET", Demand(str(item), item.at("spec", "mtls", "mode"))


def _selects_some(selector: WorkloadSelector | None) -> bool:
    return selector is not None and bool(selector.match_labels)


def _for_pod(selector: WorkloadSelector | None, workload: Workload) -> bool:
    return selector is not None and _selects_some(selector) and selector.match_labels.items() <= workload.labels.items()
