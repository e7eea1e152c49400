"""The AWS Load Balancer Controller: an ALB for Ingresses, an NLB for Services of type LoadBalancer.

EKS Auto Mode runs the same code under class names of its own (docs.aws.amazon.com/eks: auto-configure-alb.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from ingress_lint.controllers.annotations import AnnotationTable
from ingress_lint.controllers.aws_annotations import ALB_ANNOTATIONS, NLB_ANNOTATIONS
from ingress_lint.controllers.aws_application_load_balancer import ApplicationLoadBalancers
from ingress_lint.controllers.aws_network_load_balancer import network_load_balancer_routes
from ingress_lint.controllers.base import Claim, Controller
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.model import Route


class AWSLoadBalancerController(Controller):
    """Claims by IngressClass controller or by class name.

    Source: kubernetes-sigs/aws-load-balancer-controller:docs/guide/ingress/ingress_class.md.
    """

    name: ClassVar[str] = "aws-load-balancer-controller"
    title: ClassVar[str] = "the AWS Load Balancer Controller"
    gateway: ClassVar[str] = "ALB"
    class_controllers: ClassVar[frozenset[str]] = frozenset({"ingress.k8s.aws/alb", "eks.amazonaws.com/alb"})
    class_names: ClassVar[frozenset[str]] = frozenset({"alb"})
    annotations: ClassVar[AnnotationTable] = ALB_ANNOTATIONS
    service_annotations: ClassVar[AnnotationTable | None] = NLB_ANNOTATIONS
    service_hints: ClassVar[tuple[str, ...]] = ("alb.ingress.kubernetes.io/",)

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """The routes of the Ingresses it claims, then of the Services that are load balancers themselves."""
        yield from ApplicationLoadBalancers(graph, claims).lower(graph, claims, backends)
        yield from network_load_balancer_routes(self.name, graph, backends)
