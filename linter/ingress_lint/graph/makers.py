"""Which custom resources may make objects that no manifest shows: operators, releases, gateways."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final

from ingress_lint.graph.workload import Workload
from ingress_lint.objects.group_kind import CONFIG_MAP, DEPLOYMENT, SECRET, SERVICE, GroupKind
from ingress_lint.objects.model import AnyObject

BUILT_IN_GROUPS: Final = frozenset({"", "apps", "autoscaling", "batch", "extensions", "policy"})
_REFERRING_GROUPS: Final = frozenset(
    {
        "autoscaling.k8s.io",
        "cert-manager.io",
        "cilium.io",
        "cloud.google.com",
        "configuration.konghq.com",
        "crd.projectcalico.org",
        "elbv2.k8s.aws",
        "gateway.envoyproxy.io",
        "gateway.networking.k8s.io",
        "gateway.nginx.org",
        "k8s.nginx.org",
        "keda.sh",
        "monitoring.coreos.com",
        "networking.gke.io",
        "networking.istio.io",
        "networking.k8s.io",
        "projectcontour.io",
        "security.istio.io",
        "traefik.containo.us",
        "traefik.io",
    }
)
"""Groups whose objects refer to Services but never make any, but for `_MAKING_KINDS`."""
_PODLESS_GROUPS: Final = _REFERRING_GROUPS | {
    "acme.cert-manager.io",
    "bitnami.com",
    "external-secrets.io",
    "kyverno.io",
    "secrets-store.csi.x-k8s.io",
    "secrets.hashicorp.com",
    "velero.io",
}
_GATEWAY: Final = ("gateway.networking.k8s.io", "Gateway")
_MAKING_KINDS: Final = frozenset(
    {
        _GATEWAY,
        ("monitoring.coreos.com", "Alertmanager"),
        ("monitoring.coreos.com", "Prometheus"),
        ("monitoring.coreos.com", "PrometheusAgent"),
        ("monitoring.coreos.com", "ThanosRuler"),
    }
)
"""Kinds of the groups above whose controllers do make pods and Services."""
_DEPLOYING_KINDS: Final = frozenset(
    {
        ("argoproj.io", "Application"),
        ("argoproj.io", "ApplicationSet"),
        ("helm.toolkit.fluxcd.io", "HelmRelease"),
        ("kustomize.toolkit.fluxcd.io", "Kustomization"),
    }
)
"""Kinds of which what they make is units of its own, where that is looked for."""
PROMETHEUS_GROUP: Final = "monitoring.coreos.com"
OPERATED: Final = frozenset({"alertmanager-operated", "prometheus-operated", "thanos-ruler-operated"})
"""Services that the Prometheus operator makes (prometheus-operator/prometheus-operator:pkg/prometheus/server/statefulset.go)."""
CLUSTERS_OWN: Final = frozenset({"kube-system"})
"""Namespaces of which the cluster makes most, so that no manifests show all."""
_MADE: Final = frozenset({SERVICE, SECRET, CONFIG_MAP, DEPLOYMENT})
"""Kinds that operators make for their custom resources, by names that these tell."""


def _target_namespace(item: AnyObject) -> str | None:
    """Where a release or application puts its objects, if it says (Flux, K3s, Argo CD)."""
    return item.text("spec", "destination", "namespace") or item.text("spec", "targetNamespace") or None


class Makers:
    """The custom resources of a set, by the namespaces that they may fill.

    `deployed` says that what GitOps objects deploy is known, so that these make nothing besides.
    """

    def __init__(self, objects: Sequence[AnyObject], workloads: Sequence[Workload], *, deployed: bool) -> None:
        self._objects = objects
        self._workloads = workloads
        self._deployed = deployed

    def of(self, kind: GroupKind, namespace: str, name: str) -> AnyObject | None:
        """The custom resource that may make an object, by what it is called."""
        if kind not in _MADE:
            return None
        for maker in self._by_namespace.get(namespace, ()):
            if kind == SECRET and (maker.group, maker.kind) == _GATEWAY:
                continue  # it gets a proxy (GEP-1762), whose certificates others make
            if name in (maker.name, f"{maker.kind.lower()}-operated") or name.startswith(maker.name + "-"):
                return maker
        return None

    def of_pods(self, namespace: str) -> Iterator[AnyObject]:
        """The custom resources that may make pods in a namespace."""
        return (
            maker
            for maker in self._by_namespace.get(namespace, ())
            if (maker.group not in _PODLESS_GROUPS or (maker.group, maker.kind) in _MAKING_KINDS)
            and maker not in self._workload_objects
        )

    def custom_resources(self, namespace: str) -> Iterator[AnyObject]:
        """The objects of a namespace whose kinds are not Kubernetes' own."""
        return (
            item
            for item in self._objects
            if item.namespace == namespace
            and item.group not in BUILT_IN_GROUPS
            and (not item.group.endswith(".k8s.io") or item.group == "autoscaling.k8s.io")
        )

    @cached_property
    def _workload_objects(self) -> frozenset[AnyObject]:
        return frozenset(workload.object for workload in self._workloads)

    @cached_property
    def _by_namespace(self) -> Mapping[str, list[AnyObject]]:
        makers: defaultdict[str, list[AnyObject]] = defaultdict(list)
        for item in self._objects:
            group = item.group
            if self._deployed and (group, item.kind) in _DEPLOYING_KINDS:
                continue
            if (group, item.kind) in _MAKING_KINDS or (
                group not in BUILT_IN_GROUPS and group not in _REFERRING_GROUPS and not group.endswith(".k8s.io")
            ):
                for namespace in {item.namespace, _target_namespace(item)} - {None}:
                    makers[namespace or ""].append(item)
        return makers
