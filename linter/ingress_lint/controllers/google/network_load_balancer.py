"""Google's passthrough network load balancers for Services of type LoadBalancer on GKE.

Sources: kubernetes/ingress-gce:pkg/healthchecksl4/healthchecksl4.go and pkg/annotations/service.go;
docs.cloud.google.com/kubernetes-engine/docs/concepts/service-load-balancer-parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ingress_lint.controllers.google.annotations import GKE_ANNOTATIONS
from ingress_lint.controllers.shared.annotations import AnnotationTable
from ingress_lint.controllers.shared.service_load_balancer import ServiceContext, ServiceLoadBalancer
from ingress_lint.routes.model import ResolvedPort
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import HealthCheck, SourceAddress, TargetKind


class GoogleNetworkLoadBalancer(ServiceLoadBalancer):
    """Packets reach the nodes as clients sent them; its health checks ask kube-proxy and cannot be set otherwise."""

    name: ClassVar[str] = "google-network-load-balancer"
    title: ClassVar[str] = "GKE"
    gateway: ClassVar[str] = "Google network load balancer"
    service_annotations: ClassVar[AnnotationTable] = GKE_ANNOTATIONS
    clouds: ClassVar[frozenset[str]] = frozenset({"google"})
    load_balancer_classes: ClassVar[Mapping[str, str]] = dict.fromkeys(
        (
            "networking.gke.io/l4-regional-external",
            "networking.gke.io/l4-regional-external-legacy",
            "networking.gke.io/l4-regional-internal",
            "networking.gke.io/l4-regional-internal-legacy",
        ),
        "google",
    )

    def target(self, context: ServiceContext) -> Sourced[TargetKind]:
        """Nodes, at the address that the client asked for."""
        return Sourced(TargetKind.PASSED_THROUGH, Origin.DEFAULT, context.place, "packets are passed through")

    def sent_from(self, context: ServiceContext) -> Sourced[SourceAddress]:
        """The client's."""
        return Sourced(SourceAddress.CLIENT, Origin.DEFAULT, context.place, "packets are passed through")

    def proxy_protocol(self, context: ServiceContext, port: ResolvedPort) -> Sourced[bool]:
        """Never, since it changes no packet."""
        return Sourced(False, Origin.DEFAULT, context.place, "packets are passed through")

    def health_check(self, context: ServiceContext, port: ResolvedPort) -> HealthCheck:
        """kube-proxy's answer, every 8 s (newL4HealthCheck)."""
        path, node_port, number = context.health_node()
        place, why = context.place, "fixed by the controller"
        return HealthCheck(
            by=self.gateway,
            protocol=Sourced("HTTP", path.origin, path.place, path.why),
            path=path,
            port=node_port,
            codes=context.by_default("200", "Google's health checks take nothing else"),
            interval=Sourced(8.0, Origin.DEFAULT, place, why),
            timeout=Sourced(1.0, Origin.DEFAULT, place, why),
            healthy_threshold=Sourced(1, Origin.DEFAULT, place, why),
            unhealthy_threshold=Sourced(3, Origin.DEFAULT, place, why),
            target=TargetKind.NODE,
            resolved_port=number,
        )
