"""What an AWS health check asks where nobody writes it, and at which port, for ALBs and NLBs alike.

Source: kubernetes-sigs/aws-load-balancer-controller:pkg/ingress/model_build_target_group.go and
pkg/service/model_build_target_group.go, buildTargetGroupHealthCheckPort; pkg/service/model_builder.go.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from ingress_lint.objects.core import Service
from ingress_lint.objects.model import IntOrString, KubernetesObject
from ingress_lint.routes.model import ResolvedPort
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import TargetKind
from ingress_lint.values.numbers import whole
from ingress_lint.values.ports import number_or_name

TRAFFIC_PORT: Final = "traffic-port"


class CheckDefaults(Struct, frozen=True):
    """A health check's defaults, times in seconds; None where they are unknown."""

    protocol: str = "TCP"
    path: str = "/"
    of_kube_proxy: bool = False
    """Whether it asks kube-proxy which nodes have pods, at the Service's healthCheckNodePort."""
    interval: int | None = 10
    timeout: int | None = 10
    healthy: int | None = 3
    unhealthy: int | None = 3


OF_KUBE_PROXY: Final = CheckDefaults("HTTP", "/healthz", True, 10, 6, 2, 2)
"""What an NLB asks of nodes where `externalTrafficPolicy` is Local."""


def kube_proxy_port(service: KubernetesObject[Service]) -> tuple[Sourced[IntOrString], int | None]:
    """The port at which kube-proxy tells whether a node has pods of a Service, and its number where one is written."""
    number = service.body.spec.health_check_node_port
    place = service.at("spec", "healthCheckNodePort")
    value: IntOrString = number or "healthCheckNodePort"
    return Sourced(value, Origin.DERIVED, place, "externalTrafficPolicy is Local"), number


def written_port(written: Sourced[str] | None) -> Sourced[IntOrString] | None:
    """The port that an annotation names, by number or name; None for the traffic port."""
    if written is None or written.value == TRAFFIC_PORT:
        return None
    return Sourced(number_or_name(written.value), written.origin, written.place)


def checked_port(
    written: Sourced[str] | None,
    service: KubernetesObject[Service] | None,
    traffic: ResolvedPort | None,
    target: TargetKind,
) -> int | None:
    """The port that a check reaches on the node or pod; None where that is unknown, or where the controller gives up.

    A number is taken as it is, on the node too; a name is one of the Service's ports, and with pods as targets that
    port's target must be a number.
    """
    if written is None or written.value == TRAFFIC_PORT:
        if traffic is None:
            return None
        return traffic.port.node_port if target is TargetKind.NODE else traffic.pod_port
    number = whole(written.value)
    if number is not None:
        return number
    for port in service.body.spec.ports if service else ():
        if port.name == written.value:
            if target is TargetKind.NODE:
                return port.node_port
            behind = port.port if port.target_port is None else port.target_port
            return behind if isinstance(behind, int) else None
    return None
