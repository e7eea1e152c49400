"""Whose address packets carry behind a load balancer and a node."""

from __future__ import annotations

from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import SourceAddress, TargetKind


def of_proxy(
    service: KubernetesObject[Service] | None, target: TargetKind, place: Place
) -> Sourced[SourceAddress] | None:
    """Behind a load balancer that opens connections of its own."""
    own = Sourced(SourceAddress.LOAD_BALANCER, Origin.DEFAULT, place, "it opens connections of its own")
    if target is TargetKind.POD:
        return own
    return through_nodes(service, own) if service is not None and target is TargetKind.NODE else None


def through_nodes(
    service: KubernetesObject[Service], sent: Sourced[SourceAddress] | None
) -> Sourced[SourceAddress] | None:
    """Behind a node, which keeps the address that was `sent` only with `externalTrafficPolicy: Local`.

    kubernetes/website:content/en/docs/tutorials/services/source-ip.md
    """
    if service.body.spec.external_traffic_policy == "Local":
        return sent
    place = service.at("spec", "externalTrafficPolicy")
    return Sourced(SourceAddress.NODE, Origin.DERIVED, place, "externalTrafficPolicy is Cluster")
