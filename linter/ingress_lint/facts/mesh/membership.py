"""Which pods have a service mesh's proxy in front of their containers, as far as the set shows.

istio/istio:pkg/kube/inject/inject.go (the pod's label before its annotation before the namespace's labels),
linkerd/linkerd2:pkg/inject/inject.go, kumahq/kuma:pkg/plugins/runtime/k8s/metadata/annotations.go,
hashicorp/consul-k8s:control-plane/connect-inject/constants/annotations_and_labels.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload

ISTIO: Final = "Istio"
LINKERD: Final = "Linkerd"

_POD_KEYS: Final = {
    "sidecar.istio.io/inject": ISTIO,
    "linkerd.io/inject": LINKERD,
    "kuma.io/sidecar-injection": "Kuma",
    "consul.hashicorp.com/connect-inject": "Consul",
    "appmesh.k8s.aws/sidecarInjectorWebhook": "App Mesh",
}
_NAMESPACE_KEYS: Final = {
    "istio-injection": ISTIO,
    "istio.io/rev": ISTIO,
    "linkerd.io/inject": LINKERD,
    "kuma.io/sidecar-injection": "Kuma",
    "appmesh.k8s.aws/sidecarInjectorWebhook": "App Mesh",
}
_IMAGES: Final = {"proxyv2": ISTIO, "pilot": ISTIO, "linkerd": LINKERD, "linkerd2-proxy": LINKERD}
_DATAPLANE_MODE: Final = "istio.io/dataplane-mode"
_OFF: Final = frozenset({"false", "disabled", "none", "off", ""})


class Membership(Struct, frozen=True):
    """Whether a pod is in a mesh. `mesh` names it where that is so; `settled` is False where nothing in the set says."""

    mesh: str
    settled: bool
    ambient: bool = False
    """Whether it has no proxy of its own: Istio's ztunnel on its node takes its connections, which reads no requests."""


_OUTSIDE: Final = Membership("", settled=True)


def membership(workload: Workload, graph: ObjectGraph) -> Membership:
    """What the pod, then its containers, then its namespace tell. No mesh takes pods on the host network in."""
    for key, value in pod_metadata(workload):
        if key in _POD_KEYS and not (value in _OFF and _is_ambient(workload, graph)):
            return _OUTSIDE if value in _OFF else Membership(_POD_KEYS[key], settled=True)
    for container in workload.containers:
        name = container.container.image.partition("@")[0].rpartition("/")[2].partition(":")[0]
        if name in _IMAGES:
            return Membership(_IMAGES[name], settled=True)
    if workload.pod.host_network:
        return _OUTSIDE
    namespace = graph.namespace(workload.object.namespace)
    told = {**namespace.annotations, **namespace.labels} if namespace is not None else {}
    for key, mesh in _NAMESPACE_KEYS.items():
        if told.get(key, "") not in _OFF:
            return Membership(mesh, settled=True)
    if _is_ambient(workload, graph):
        return Membership(ISTIO, settled=True, ambient=True)
    return _OUTSIDE if namespace is not None else Membership("", settled=False)


def _is_ambient(workload: Workload, graph: ObjectGraph) -> bool:
    """Whether Istio's ztunnel takes a pod's connections (istio/istio:cni/pkg/util/podutil.go, PodRedirectionEnabled)."""
    namespace = graph.namespace(workload.object.namespace)
    of_namespace = namespace.labels.get(_DATAPLANE_MODE, "") if namespace is not None else ""
    return workload.labels.get(_DATAPLANE_MODE, of_namespace) == "ambient" and not workload.pod.host_network


def pod_metadata(workload: Workload) -> Iterator[tuple[str, str]]:
    """The labels and annotations of a workload's pods."""
    yield from workload.labels.items()
    yield from workload.annotations.items()
