"""Kinds that are not judged: those that a program on somebody's own machine reads, and those that route but are not read."""

from __future__ import annotations

from typing import Any, Final

_CLIENT_SIDE_GROUPS: Final = frozenset(
    {
        "apiserver.config.k8s.io",
        "audit.k8s.io",
        "backstage.io",
        "chainsaw.kyverno.io",
        "cli.kyverno.io",
        "client.authentication.k8s.io",
        "config.kubernetes.io",
        "ctlptl.dev",
        "eksctl.io",
        "fn.kpt.dev",
        "imgpkg.carvel.dev",
        "install.istio.io",
        "k0sctl.k0sproject.io",
        "k3d.io",
        "kapp.k14s.io",
        "kbld.k14s.io",
        "kind.x-k8s.io",
        "kpt.dev",
        "krew.googlecontainertools.github.com",
        "kubeadm.k8s.io",
        "kubescheduler.config.k8s.io",
        "kustomize.config.k8s.io",
        "kuttl.dev",
        "mirror.openshift.io",
        "meta.pkg.crossplane.io",
        "skaffold",
        "telepresence.io",
        "troubleshoot.sh",
        "vendir.k14s.io",
    }
)
_CLIENT_SIDE_KINDS: Final = frozenset(
    {
        ("v1", "Config"),
        ("v1alpha1", "Config"),
    }
)
"""By apiVersion: kubeconfig, and files of programs that give no group."""

_SELECTING: Final = frozenset(("apps/v1", kind) for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"))

_ROUTING_GROUPS: Final[dict[str, frozenset[str]]] = {
    "apisix.apache.org": frozenset({"ApisixRoute", "ApisixTls", "ApisixUpstream"}),
    "appmesh.k8s.aws": frozenset({"GatewayRoute", "VirtualGateway", "VirtualRouter"}),
    "cis.f5.com": frozenset({"VirtualServer", "TransportServer", "IngressLink"}),
    "citrix.com": frozenset({"HTTPRoute", "listener", "Listener"}),
    "enroute.saaras.io": frozenset({"GatewayHost"}),
    "gateway.solo.io": frozenset({"Gateway", "RouteTable", "VirtualHostOption", "VirtualService"}),
    "getambassador.io": frozenset({"AmbassadorHost", "AmbassadorMapping", "Host", "Listener", "Mapping", "TCPMapping"}),
    "x.getambassador.io": frozenset(
        {"AmbassadorHost", "AmbassadorListener", "AmbassadorMapping", "AmbassadorTCPMapping"}
    ),
    "gloo.solo.io": frozenset({"Upstream", "UpstreamGroup"}),
    "ngrok.k8s.ngrok.com": frozenset({"AgentEndpoint", "CloudEndpoint"}),
    "ingress.k8s.ngrok.com": frozenset({"Domain", "HTTPSEdge", "TCPEdge", "TLSEdge", "Tunnel"}),
    "route.openshift.io": frozenset({"Route"}),
    "serving.knative.dev": frozenset({"DomainMapping", "Route", "Service"}),
    "serving.kserve.io": frozenset({"InferenceService"}),
    "stunner.l7mp.io": frozenset({"UDPRoute"}),
    "voyager.appscode.com": frozenset({"Ingress"}),
    "zalando.org": frozenset({"RouteGroup"}),
}


def is_client_side(api_version: str, kind: str) -> bool:
    """Whether a file of this kind is for a program and no API server, so that nothing of it is in a cluster."""
    group = api_version.rpartition("/")[0]
    return group in _CLIENT_SIDE_GROUPS or (api_version, kind) in _CLIENT_SIDE_KINDS


def is_manifest(value: dict[str, Any]) -> bool:
    """Whether a mapping with a `kind` is meant to be an object, and is no schema that says what objects hold."""
    return not any(isinstance(value.get(field), dict) for field in ("apiVersion", "kind"))


def is_patch(api_version: str, kind: str, value: dict[str, Any]) -> bool:
    """Whether a workload says no more than what another one is changed to: it selects no pods and names no image."""
    spec = value.get("spec")
    if (api_version, kind) not in _SELECTING or not isinstance(spec, dict) or "selector" in spec:
        return False
    template = spec.get("template")
    pod = template.get("spec") if isinstance(template, dict) else None
    containers = pod.get("containers") if isinstance(pod, dict) else None
    return not any(
        isinstance(one, dict) and "image" in one for one in (containers if isinstance(containers, list) else ())
    )


def routes_unread(group: str, kind: str) -> bool:
    """Whether objects of a kind take requests, and the linter does not read how."""
    return kind in _ROUTING_GROUPS.get(group, ())
