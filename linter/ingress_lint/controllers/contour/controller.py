"""Contour, which configures Envoy. Sources, where no other is named, are in projectcontour/contour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from ingress_lint.controllers.contour.annotations import ANNOTATIONS
from ingress_lint.controllers.contour.envoy import CONTROLLER, GATEWAY
from ingress_lint.controllers.contour.precedence import CONDUCT
from ingress_lint.controllers.shared.annotations import AnnotationTable
from ingress_lint.controllers.shared.base import Claim, Controller
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.matching import Conduct
from ingress_lint.routes.model import Route
from ingress_lint.routes.verdicts import Verdict


class Contour(Controller):
    """Claims Ingresses by class; an HTTPProxy is nobody else's. It needs no IngressClass object."""

    name: ClassVar[str] = CONTROLLER
    title: ClassVar[str] = "Contour"
    gateway: ClassVar[str] = GATEWAY
    annotations: ClassVar[AnnotationTable] = ANNOTATIONS
    serves_classless: ClassVar[bool | None] = True
    conduct: ClassVar[Conduct] = CONDUCT

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """Routes of Ingresses, then those of HTTPProxies."""
        from ingress_lint.controllers.contour.http_proxy import analyse
        from ingress_lint.controllers.contour.ingress import ContourIngresses

        if claims:
            yield from ContourIngresses(claims).lower(graph, claims, backends)
        yield from analyse(graph, backends).routes

    def verdicts(self, graph: ObjectGraph, backends: BackendResolver) -> Iterable[Verdict]:
        """What Contour writes into the status of HTTPProxies."""
        from ingress_lint.controllers.contour.http_proxy import analyse

        return analyse(graph, backends).verdicts
