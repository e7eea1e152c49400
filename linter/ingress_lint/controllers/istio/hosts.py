"""Names as Istio writes them: hosts of Services and of Gateways, references to Gateways, durations."""

from __future__ import annotations

from typing import Final, NamedTuple

from ingress_lint.load.document import Place
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.values.durations import go_duration
from ingress_lint.values.patterns import deferred

_SERVICE: Final = deferred(r"([^.*]+)\.([^.]+)\.svc\..+")
_INFINITE: Final = float("inf")

CLUSTER_DOMAIN: Final = "svc.cluster.local"


class NamespacedName(NamedTuple):
    """An object of a kind that the context tells."""

    namespace: str
    name: str


def full_host(host: str, namespace: str) -> str:
    """A host as the registry knows it: only a name without any dot is completed, from the namespace of its object.

    istio/istio:pkg/config/model.go, ResolveShortnameToFQDN.
    """
    if host == "*" or "." in host:
        return host.lower()
    return f"{host}.{namespace}.{CLUSTER_DOMAIN}".lower()


def service_of(host: str) -> NamespacedName | None:
    """The Service that a full host means, None where it is no cluster-local name."""
    found = _SERVICE.fullmatch(host)
    return NamespacedName(found[2], found[1]) if found else None


def overlap(left: str, right: str) -> bool:
    """Whether some host is one of both (istio/istio:pkg/config/host/name.go, Name.Matches)."""
    left, right = left.lower(), right.lower()
    if left.startswith("*") and right.startswith("*"):
        return left.endswith(right[1:]) or right.endswith(left[1:])
    if left.startswith("*"):
        return right.endswith(left[1:])
    return left.endswith(right[1:]) if right.startswith("*") else left == right


def gateway_name(reference: str, namespace: str) -> NamespacedName:
    """The Gateway that `name`, `namespace/name`, `./name` or, of old, `name.namespace.svc...` means.

    istio/istio:pilot/pkg/model/config.go, resolveGatewayName.
    """
    space, slash, name = reference.partition("/")
    if slash:
        return NamespacedName(namespace if space == "." else space, name)
    name, dot, rest = reference.partition(".")
    return NamespacedName(rest.partition(".")[0] if dot else namespace, name)


def deadline(duration: str | None, place: Place) -> Sourced[float] | None:
    """A time that somebody wrote, of which zero means for ever; None where nobody did."""
    found = go_duration(duration) if duration is not None else None
    return None if found is None else Sourced(found or _INFINITE, Origin.EXPLICIT, place)
