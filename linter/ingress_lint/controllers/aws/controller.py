"""The AWS Load Balancer Controller: an ALB for Ingresses, an NLB for Services of type LoadBalancer.

EKS Auto Mode runs the same code under class names of its own (docs.aws.amazon.com/eks: auto-configure-alb.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from ingress_lint.controllers.aws.annotations import ALB_ANNOTATIONS, NLB_ANNOTATIONS
from ingress_lint.controllers.aws.application_load_balancer import ApplicationLoadBalancers, group_order
from ingress_lint.controllers.aws.network_load_balancer import network_load_balancer_routes
from ingress_lint.controllers.shared.annotations import AnnotationTable
from ingress_lint.controllers.shared.base import Claim, Controller
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.matches import PathMatchType
from ingress_lint.routes.matching import Candidate, Conduct, Criterion, Reversed, prefix_length
from ingress_lint.routes.model import Route

_RANKS: Final = {PathMatchType.EXACT: 2, PathMatchType.PREFIX: 1}


def _path_type(candidate: Candidate) -> int:
    return _RANKS.get(candidate.match.path.value.type, 0) if candidate.match else 0


def _earlier_in_group(candidate: Candidate) -> Reversed:
    return Reversed(group_order(candidate.route.owner))


class AWSLoadBalancerController(Controller):
    """Claims by IngressClass controller or by class name.

    Source: kubernetes-sigs/aws-load-balancer-controller:docs/guide/ingress/ingress_class.md.
    """

    name: ClassVar[str] = "aws-load-balancer-controller"
    title: ClassVar[str] = "the AWS Load Balancer Controller"
    gateway: ClassVar[str] = "ALB"
    annotations: ClassVar[AnnotationTable] = ALB_ANNOTATIONS
    service_annotations: ClassVar[AnnotationTable | None] = NLB_ANNOTATIONS

    conduct: ClassVar[Conduct] = Conduct(
        (
            Criterion(lambda c: not c.route.is_default, "rules of its own, and the other is a default backend"),
            Criterion(_earlier_in_group, "the earlier place in its IngressGroup"),
            Criterion(lambda c: -c.route.rule, "the earlier rule"),
            Criterion(_path_type, "a path type that comes first: Exact, then Prefix"),
            Criterion(prefix_length, "a longer prefix"),
            Criterion(lambda c: -c.position, "the earlier path"),
        ),
    )
    """The order of listener rules: a rule for any host stands where it is written (docs/guide/ingress/spec.md)."""
    shared: ClassVar[bool] = False
    outside: ClassVar[bool] = True
    external_names_refused: ClassVar[str] = "its target group stays empty or is never made, and clients get 503"
    """kubernetes-sigs/aws-load-balancer-controller: issues 1223, 3505."""

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """The routes of the Ingresses it claims, then of the Services that are load balancers themselves."""
        yield from ApplicationLoadBalancers(graph, claims).lower(graph, claims, backends)
        yield from network_load_balancer_routes(self.name, graph, backends)
