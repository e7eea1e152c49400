"""Kinds by their API group: kinds of one name in two groups are two kinds."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple


class GroupKind(NamedTuple):
    """A kind of objects; `group` is empty for the core group."""

    group: str
    kind: str


SERVICE: Final = GroupKind("", "Service")
SECRET: Final = GroupKind("", "Secret")
CONFIG_MAP: Final = GroupKind("", "ConfigMap")
NAMESPACE: Final = GroupKind("", "Namespace")
DEPLOYMENT: Final = GroupKind("apps", "Deployment")
INGRESS: Final = GroupKind("networking.k8s.io", "Ingress")
INGRESS_CLASS: Final = GroupKind("networking.k8s.io", "IngressClass")
NETWORK_POLICY: Final = GroupKind("networking.k8s.io", "NetworkPolicy")
GATEWAY: Final = GroupKind("gateway.networking.k8s.io", "Gateway")
GATEWAY_CLASS: Final = GroupKind("gateway.networking.k8s.io", "GatewayClass")
INGRESSES: Final = frozenset({INGRESS, GroupKind("extensions", "Ingress")})
NETWORK_POLICIES: Final = frozenset({NETWORK_POLICY, GroupKind("extensions", "NetworkPolicy")})

_MOVED: Final = {
    GroupKind("extensions", "Ingress"): INGRESS,
    GroupKind("extensions", "NetworkPolicy"): NETWORK_POLICY,
    GroupKind("extensions", "Deployment"): DEPLOYMENT,
    GroupKind("extensions", "DaemonSet"): GroupKind("apps", "DaemonSet"),
    GroupKind("extensions", "ReplicaSet"): GroupKind("apps", "ReplicaSet"),
}
"""Kinds that the API server has served in two groups, as one and the same."""


@lru_cache(1024)
def group_kind(api_version: str, kind: str) -> GroupKind:
    """What an object of this `apiVersion` and `kind` is, by the group that its kind is in today."""
    found = GroupKind(api_version.rpartition("/")[0], kind)
    return _MOVED.get(found, found)
