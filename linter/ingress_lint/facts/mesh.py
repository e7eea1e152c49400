"""Which pods have a service mesh's proxy in front of their containers, as far as the set shows.

istio/istio:pkg/kube/inject/inject.go (the pod's label before its annotation before the namespace's labels),
linkerd/linkerd2:pkg/inject/inject.go, kumahq/kuma:pkg/plugins/runtime/k8s/metadata/annotations.go,
hashicorp/consul-k8s:control-plane/connect-inject/constants/annotations_and_labels.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.load.document import Place
from ingress_lint.objects.model import KubernetesObject

if TYPE_CHECKING:
    from ingress_lint.objects.istio import PeerAuthentication, WorkloadSelector

_POD_KEYS: Final = {
    "sidecar.istio.io/inject": "Istio",
    "linkerd.io/inject": "Linkerd",
    "kuma.io/sidecar-injection": "Kuma",
    "consul.hashicorp.com/connect-inject": "Consul",
    "appmesh.k8s.aws/sidecarInjectorWebhook": "App Mesh",
}
_NAMESPACE_KEYS: Final = {
    "istio-injection": "Istio",
    "istio.io/rev": "Istio",
    "istio.io/dataplane-mode": "Istio",
    "linkerd.io/inject": "Linkerd",
    "kuma.io/sidecar-injection": "Kuma",
    "appmesh.k8s.aws/sidecarInjectorWebhook": "App Mesh",
}
_IMAGES: Final = {"proxyv2": "Istio", "pilot": "Istio", "linkerd": "Linkerd", "linkerd2-proxy": "Linkerd"}
_LINKERD_POLICY: Final = "config.linkerd.io/default-inbound-policy"
_ISTIO_SECURITY: Final = "security.istio.io"
_ISTIO_ROOT: Final = "istio-system"
_OFF: Final = frozenset({"false", "disabled", "none", "off", ""})


class Membership(Struct, frozen=True):
    """Whether a pod is in a mesh. `mesh` names it where that is so; `settled` is False where nothing in the set says."""

    mesh: str
    settled: bool


def membership(workload: Workload, graph: ObjectGraph) -> Membership:
    """What the pod, then its containers, then its namespace tell."""
    for key, value in _pod_metadata(workload):
        if key in _POD_KEYS:
            return Membership("" if value in _OFF else _POD_KEYS[key], settled=True)
    for container in workload.containers:
        name = container.container.image.partition("@")[0].rpartition("/")[2].partition(":")[0]
        if name in _IMAGES:
            return Membership(_IMAGES[name], settled=True)
    namespace = graph.namespace(workload.object.namespace)
    if namespace is None:
        return Membership("", settled=False)
    for key, value in (*namespace.labels.items(), *namespace.annotations.items()):
        if key in _NAMESPACE_KEYS:
            return Membership("" if value in _OFF else _NAMESPACE_KEYS[key], settled=True)
    return Membership("", settled=True)


class Demand(Struct, frozen=True):
    """Something that makes a pod's proxy refuse whoever does not speak the mesh's TLS."""

    title: str
    place: Place


def demand(workload: Workload, number: int, graph: ObjectGraph) -> Demand | None:
    """What demands the mesh's TLS at a port of a pod; None where nothing does, or where the set leaves it open.

    Istio's policies: the port's before the pod's before the namespace's before the root namespace's, UNSET passing on
    (istio/istio:pilot/pkg/security/authn/policy_applier.go). Linkerd's `config.linkerd.io/default-inbound-policy`.
    """
    pod = dict(_pod_metadata(workload))
    if pod.keys() & {"traffic.sidecar.istio.io/includeInboundPorts"} or str(number) in pod.get(
        "traffic.sidecar.istio.io/excludeInboundPorts", ""
    ).replace(" ", "").split(","):
        return None
    namespace = graph.namespace(workload.object.namespace)
    linkerd = pod.get(_LINKERD_POLICY) or (namespace.annotations.get(_LINKERD_POLICY, "") if namespace else "")
    if linkerd.endswith("-authenticated"):
        own = _LINKERD_POLICY in pod or namespace is None
        place = (
            workload.object.at(*workload.labels_pointer[:-1], "annotations", _LINKERD_POLICY)
            if own or namespace is None
            else namespace.annotation_place(_LINKERD_POLICY)
        )
        return Demand(f"Linkerd's inbound policy `{linkerd}`", place)
    return _peer_authentication(workload, number, graph)


def _peer_authentication(workload: Workload, number: int, graph: ObjectGraph) -> Demand | None:
    if _ISTIO_SECURITY not in graph.groups:
        return None
    from ingress_lint.objects.istio import PeerAuthentication

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


def _pod_metadata(workload: Workload) -> Iterator[tuple[str, str]]:
    yield from workload.labels.items()
    yield from workload.annotations.items()
