"""Which pods have a service mesh's proxy in front of their containers, as far as the set shows.

istio/istio:pkg/kube/inject/inject.go (the pod's label before its annotation before the namespace's labels),
linkerd/linkerd2:pkg/inject/inject.go, kumahq/kuma:pkg/plugins/runtime/k8s/metadata/annotations.go,
hashicorp/consul-k8s:control-plane/connect-inject/constants/annotations_and_labels.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ingress_lint.graph.workload import Workload
from ingress_lint.objects.reading import string_map

if TYPE_CHECKING:
    from ingress_lint.graph.graph import ObjectGraph

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
_OFF: Final = frozenset({"false", "disabled", "none", "off", ""})


@dataclass(frozen=True, slots=True)
class Membership:
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
    namespace = graph.get("Namespace", "", workload.object.namespace)
    if namespace is None:
        return Membership("", settled=False)
    for key, value in (*namespace.labels.items(), *namespace.annotations.items()):
        if key in _NAMESPACE_KEYS:
            return Membership("" if value in _OFF else _NAMESPACE_KEYS[key], settled=True)
    return Membership("", settled=True)


def _pod_metadata(workload: Workload) -> Iterator[tuple[str, str]]:
    yield from workload.labels.items()
    value: Any = workload.object.source
    for step in (*workload.labels_pointer[:-1], "annotations"):
        value = value.get(step) if isinstance(value, Mapping) else None
    yield from string_map(value if isinstance(value, Mapping) else {}).items()
