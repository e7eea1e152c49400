"""Whether a Service has endpoints at all, as far as manifests can tell.

Pods may come from where no manifest shows them: operators, other repositories, the cluster itself. So an empty Service is
known to be empty only where the set shows every pod that it could select.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final

from msgspec import Struct

from ingress_lint.facts.once_per_graph import once_per_graph
from ingress_lint.facts.written_endpoints import written_lack
from ingress_lint.graph.control_plane import OF_JOBS
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.labels import LabelIndex
from ingress_lint.graph.makers import CLUSTERS_OWN, PROMETHEUS_GROUP
from ingress_lint.graph.workload import Workload
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service, ServicePort
from ingress_lint.objects.kinds import GATEWAY_GROUP
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.objects.reading import string_map
from ingress_lint.values.patterns import deferred
from ingress_lint.values.spelling import likeness

_RUN_ONCE: Final = frozenset({"Job", "CronJob"})
_ROLES: Final = frozenset(
    {"active", "follower", "leader", "main", "master", "passive", "primary", "replica", "slave", "standby"}
    | {"true", "false"}
)
"""What programs call themselves once they have elected a leader (Vault, Patroni, the MinIO operator)."""
_ON_EVERYTHING: Final = frozenset({"app.kubernetes.io/managed-by", "heritage", "helm.sh/chart", "chart"})
"""Labels that say nothing of what a pod serves."""
_OF_PROXIES: Final = deferred("gateway|proxy|envoy|istio|nginx|kong|traefik|contour", re.IGNORECASE)
"""What the keys or values of labels hold that implementations of the Gateway API put on the pods of a Gateway."""
_ALIKE: Final = 0.6
"""Above this ratio two texts may be misspellings of one another."""
_OF_MONITORING: Final = deferred("prometheus|alertmanager|thanos-?ruler", re.IGNORECASE)
_TARGET_FIELDS: Final = ("workloadRef", "scaleTargetRef", "targetRef")


def selection_is_known(service: KubernetesObject[Service], selector: Mapping[str, str], graph: ObjectGraph) -> bool:
    """Whether the manifests show every pod that a Service with this selector could select."""
    namespace = service.namespace
    if graph.endpoints_of(service) or graph.incomplete_in(namespace) or graph.not_known.pods(namespace, selector):
        return False
    if graph.context.assume == "complete":
        return True
    return (
        namespace not in CLUSTERS_OWN
        and _shows_pods(service, selector, graph)
        and not any(_may_make(maker, selector) for maker in graph.makers.of_pods(namespace))
        and not _elects(selector, graph.pods(namespace))
        and OF_JOBS.isdisjoint(graph.control_plane_selector(service))
        and not _operated(selector, graph.operated_groups)
        and any(workload.object.kind not in _RUN_ONCE for workload in graph.pods(namespace).matching({}))
    )


def nobody_fills(service: KubernetesObject[Service], graph: ObjectGraph) -> bool:
    """Whether a Service has no selector, and nothing of the set can make endpoints for it."""
    spec = service.body.spec
    return not (
        spec.selector or spec.type == "ExternalName" or graph.endpoints_of(service) or _may_be_filled(service, graph)
    )


def is_off(workload: Workload, graph: ObjectGraph) -> bool:
    """Whether a workload has no pods: 0 replicas, and nothing of the set that would change that."""
    if workload.replicas != 0 or workload.fixed_size or graph.autoscaled(workload):
        return False
    return not any(
        item.text("spec", field, "name") == workload.object.name
        for item in graph.makers.custom_resources(workload.object.namespace)
        for field in _TARGET_FIELDS
    )


class Cause(StrEnum):
    """What leaves a Service without endpoints."""

    NOBODY_FILLS = "it has no selector, and nothing fills it"
    WRITTEN = "those that are written are none for it"
    SELECTS_NOTHING = "its selector matches no pod"
    SCALED_TO_ZERO = "every workload behind it has 0 replicas"


class Emptiness(Struct, frozen=True):
    """Why a Service port has no endpoints, and the text that says so."""

    cause: Cause
    why: str
    place: Place
    fix: str = ""


def emptiness(
    service: KubernetesObject[Service],
    graph: ObjectGraph,
    port: ServicePort | None = None,
    *,
    by_kube_proxy: bool = False,
) -> Emptiness | None:
    """Why a Service is known to have no endpoints, or none for one of its ports; None where it has some or nobody can tell.

    `by_kube_proxy` for packets that are sent to its cluster IP or to a node.
    """
    spec, written = service.body.spec, graph.endpoints_of(service)
    if spec.type == "ExternalName":
        return None
    if nobody_fills(service, graph):
        return Emptiness(Cause.NOBODY_FILLS, Cause.NOBODY_FILLS, service.name_place)
    if written:
        kept = spec.selector or port is None or _may_be_filled(service, graph)
        lack = None if kept or port is None else written_lack(spec, port, written, by_kube_proxy=by_kube_proxy)
        return None if lack is None else Emptiness(Cause.WRITTEN, lack.why, lack.place, lack.fix)
    selector, workloads = graph.selector(service), graph.selected_by(service)
    if not workloads and spec.selector and selection_is_known(service, selector, graph):
        return Emptiness(Cause.SELECTS_NOTHING, Cause.SELECTS_NOTHING, service.at("spec", "selector"))
    if workloads and not graph.incomplete_in(service.namespace) and all(is_off(item, graph) for item in workloads):
        place = workloads[0].object.at("spec", "replicas")
        return Emptiness(Cause.SCALED_TO_ZERO, Cause.SCALED_TO_ZERO, place)
    return None


def _may_be_filled(service: KubernetesObject[Service], graph: ObjectGraph) -> bool:
    """Whether what no manifest shows may give a Service without selector endpoints.

    For a Gateway only a Service that is called after it gets some, such as `cilium-gateway-NAME` of Cilium
    (cilium/cilium:operator/pkg/model/translation/gateway-api/translator.go).
    """
    makers = graph.makers.of_pods(service.namespace)
    return graph.incomplete_in(service.namespace) or any(
        (maker.group, maker.kind) != (GATEWAY_GROUP, "Gateway") or maker.name in service.name for maker in makers
    )


def _shows_pods(service: KubernetesObject[Service], selector: Mapping[str, str], graph: ObjectGraph) -> bool:
    """Whether a set shows the pods that a Service is for: its folder has some, or leads to some, or any look like them."""
    folder = service.document.file.folder
    return (
        graph.context.built
        or (service.namespace, folder) in _folders_of_pods(graph)
        or nearest_workload(service, selector, graph) is not None
    )


@once_per_graph
def _folders_of_pods(graph: ObjectGraph) -> frozenset[tuple[str, str]]:
    """The folders with workloads, or with Services that select some, each with the namespace of these."""
    workloads = (workload.object for workload in graph.workloads)
    leading = (service for service in graph.services if graph.selected_by(service))
    return frozenset((item.namespace, item.document.file.folder) for item in (*workloads, *leading))


def _may_make(maker: AnyObject, selector: Mapping[str, str]) -> bool:
    """Whether pods with these labels may be of `maker`'s making.

    A Gateway's are its proxies. They carry its name, the implementation's own labels, and what the Gateway has or gives
    as labels (gateway-api.sigs.k8s.io/geps/gep-1762).
    """
    if (maker.group, maker.kind) != (GATEWAY_GROUP, "Gateway"):
        return True
    infrastructure = maker.body.spec.infrastructure if maker.body is not None else None
    given = {*maker.labels.items(), *string_map(infrastructure.labels if infrastructure else {}).items()}
    return all(
        pair in given or maker.name in pair[1] or any(map(_OF_PROXIES.search, pair)) for pair in selector.items()
    )


def _elects(selector: Mapping[str, str], pods: LabelIndex[Workload]) -> bool:
    """Whether the pods lack no more than a label that says which of them leads, and so is given while they run."""
    given = {key: value for key, value in selector.items() if value not in _ROLES}
    return bool(given) and len(given) < len(selector) and bool(pods.matching(given))


def _operated(selector: Mapping[str, str], groups: frozenset[str]) -> bool:
    """Whether the pods may be an operator's, by a label under the domain of one of its API groups.

    The Prometheus operator's carry words instead (prometheus-operator/prometheus-operator:pkg/prometheus/labels.go).
    """
    prefixes = {prefix for key in selector for prefix, slash, _ in (key.partition("/"),) if slash}
    if any(_akin(prefix, group) for prefix in prefixes for group in groups):
        return True
    return PROMETHEUS_GROUP in groups and any(_OF_MONITORING.search(text) for pair in selector.items() for text in pair)


def _akin(prefix: str, group: str) -> bool:
    """Whether a label's prefix is an API group, a domain above or below it, or one beside it under the same three labels.

    Operators of several groups label pods by what they share: `common.k8s.elastic.co`, `strimzi.io`, `cnpg.io`.
    """
    if prefix == group or prefix.endswith(f".{group}") or group.endswith(f".{prefix}"):
        return True
    parent = prefix.partition(".")[2]
    return parent.count(".") >= 2 and group.endswith(f".{parent}")


def nearest_workload(
    service: KubernetesObject[Service], selector: Mapping[str, str], graph: ObjectGraph
) -> Workload | None:
    """The workload that the Service was most likely meant for, None where none resembles the selector."""
    best: Workload | None = None
    best_score = (0, 0.0)
    for workload in graph.pods_like(service.namespace, (service.name, *selector.values())):
        labels = workload.labels
        equal = sum(1 for key in selector.keys() - _ON_EVERYTHING if labels.get(key) == selector[key])
        alike = sum(_likeness(selector[key], labels[key]) for key in selector.keys() & labels.keys())
        moved = len(set(selector.values()) & set(labels.values()))
        score = equal, alike + moved + _likeness(service.name, workload.object.name)
        if score > best_score:
            best, best_score = workload, score
    return best


@lru_cache(256)
def _likeness(one: str, other: str) -> float:
    return likeness(one, other, _ALIKE)
