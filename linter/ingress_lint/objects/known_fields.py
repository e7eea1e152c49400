"""Fields of Kubernetes' own kinds that nobody reads: misspelt, or put a level too high or too low.

The tables are the OpenAPI description's (kubernetes/kubernetes:api/openapi-spec, release 1.37) and what older releases
had besides. The parts of an object that a `ClosedModel` reads are checked there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ingress_lint.load.document import Pointer
from ingress_lint.objects.schema_messages import SchemaError, name_of
from ingress_lint.values.spelling import close_matches


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NONE: Final[frozenset[str]] = frozenset()
_METADATA: Final = _names(
    "annotations clusterName creationTimestamp deletionGracePeriodSeconds deletionTimestamp finalizers generateName "
    "generation initializers labels managedFields name namespace ownerReferences resourceVersion selfLink uid"
)
_POD: Final = _names(
    "activeDeadlineSeconds affinity automountServiceAccountToken containers dnsConfig dnsPolicy enableServiceLinks "
    "ephemeralContainers evictionResponders hostAliases hostIPC hostNetwork hostPID hostUsers hostname "
    "hostnameOverride imagePullSecrets initContainers nodeName nodeSelector os overhead preemptionPolicy priority "
    "priorityClassName readinessGates resourceClaims resources restartPolicy runtimeClassName schedulerName "
    "schedulingGates schedulingGroup securityContext serviceAccount serviceAccountName setHostnameAsFQDN "
    "shareProcessNamespace subdomain terminationGracePeriodSeconds tolerations topologySpreadConstraints volumes "
    "workloadRef"
)
_CONTAINER: Final = _names(
    "args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports readinessProbe resizePolicy "
    "resources restartPolicy restartPolicyRules securityContext startupProbe stdin stdinOnce terminationMessagePath "
    "terminationMessagePolicy tty volumeDevices volumeMounts workingDir"
)
_TEMPLATE: Final = frozenset({"metadata", "spec"})
_HEAD: Final = frozenset({"apiVersion", "kind", "metadata"})
_OBJECT: Final = _HEAD | {"spec", "status"}
_SCALED: Final = _names("minReadySeconds replicas revisionHistoryLimit selector template")
_SPECS: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("apps/v1", "Deployment"): _SCALED | {"paused", "progressDeadlineSeconds", "strategy", "rollbackTo"},
    ("apps/v1", "StatefulSet"): _SCALED
    | {
        "ordinals",
        "persistentVolumeClaimRetentionPolicy",
        "podManagementPolicy",
        "serviceName",
        "updateStrategy",
        "volumeClaimTemplates",
    },
    ("apps/v1", "DaemonSet"): (_SCALED - {"replicas"}) | {"updateStrategy", "templateGeneration"},
    ("apps/v1", "ReplicaSet"): _SCALED - {"revisionHistoryLimit"},
}
_TOPS: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("v1", "Service"): _OBJECT,
    ("v1", "Pod"): _OBJECT,
    ("v1", "ConfigMap"): _HEAD | {"binaryData", "data", "immutable"},
    ("v1", "Secret"): _HEAD | {"data", "immutable", "stringData", "type"},
    ("v1", "ReplicationController"): _OBJECT,
    ("batch/v1", "Job"): _OBJECT,
    ("batch/v1", "CronJob"): _OBJECT,
    ("networking.k8s.io/v1", "Ingress"): _OBJECT,
    ("networking.k8s.io/v1", "IngressClass"): _HEAD | {"spec"},
    ("networking.k8s.io/v1", "NetworkPolicy"): _OBJECT,
    **dict.fromkeys(_SPECS, _OBJECT),
}
_TEMPLATES: Final[Mapping[str, Pointer]] = {
    "Pod": (),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
_USUAL_TEMPLATE: Final[Pointer] = ("spec", "template")
_WORKLOADS: Final = frozenset(
    {"Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob"}
)


def unknown_fields(api_version: str, kind: str, value: dict[str, Any]) -> Iterator[SchemaError]:
    """The fields of an object that Kubernetes does not have; none where the kind is not Kubernetes' own."""
    top = _TOPS.get((api_version, kind))
    if top is None:
        return
    if isinstance(value.get("sops"), dict):
        top |= {"sops"}  # SOPS takes it away as it decrypts the object
    for found, pointer, known, misplaced in _parts(api_version, kind, top, value):
        if isinstance(found, dict) and not found.keys() <= known:
            yield from _unknown(found, pointer, known, misplaced)


_Part = tuple[Any, Pointer, frozenset[str], frozenset[str]]
"""What stands at a pointer, the fields that it may have, and those that it is most likely to have by mistake."""


def _parts(api_version: str, kind: str, top: frozenset[str], value: dict[str, Any]) -> Iterator[_Part]:
    own = _SPECS.get((api_version, kind), _NONE)
    yield value, (), top, own
    yield value.get("metadata"), ("metadata",), _METADATA, top
    if own:
        yield value.get("spec"), ("spec",), own, _POD
    if kind in _WORKLOADS:
        yield from _parts_of_pod(value, _TEMPLATES.get(kind, _USUAL_TEMPLATE))


def _parts_of_pod(value: dict[str, Any], pointer: Pointer) -> Iterator[_Part]:
    template = _get(value, pointer)
    if not isinstance(template, dict):
        return
    if pointer:
        yield template, pointer, _TEMPLATE, _POD
        yield template.get("metadata"), (*pointer, "metadata"), _METADATA, _NONE
    pod = template.get("spec")
    if isinstance(pod, dict):
        yield pod, (*pointer, "spec"), _POD, _CONTAINER
        for field in ("containers", "initContainers"):
            containers = pod.get(field)
            for index, container in enumerate(containers if isinstance(containers, list) else ()):
                yield container, (*pointer, "spec", field, index), _CONTAINER, _POD


def _unknown(
    found: dict[str, Any], pointer: Pointer, known: frozenset[str], misplaced: frozenset[str]
) -> Iterator[SchemaError]:
    for field in found.keys() - known:
        near = close_matches(field, sorted(known), 1, 0.75)
        where = name_of(pointer)
        message = f"{where} has no field `{field}`, so kubectl refuses the object, and what accepts it drops the field"
        fix = ""
        if near:
            message, fix = f"{message}; did you mean `{near[0]}`?", f"rename it to `{near[0]}`"
        elif field in misplaced:
            level = _LEVELS.get(misplaced, "another level of the object")
            message, fix = f"{message}; it belongs to {level}", f"move `{field}` to {level}"
        yield SchemaError((*pointer, field), message, (*pointer, field), at_key=True, fix=fix)


_LEVELS: Final = {_CONTAINER: "a container", _POD: "the pod's `spec`"}


def _get(value: Any, pointer: Pointer) -> Any:
    for step in pointer:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value
