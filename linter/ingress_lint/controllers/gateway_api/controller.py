"""The Gateway API as a controller: it serves no Ingress, and every object of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from ingress_lint.controllers.shared.annotations import AnnotationTable
from ingress_lint.controllers.shared.base import Claim, Controller
from ingress_lint.controllers.shared.implementations import SPECIFICATION
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.listeners import Frontend
from ingress_lint.routes.matching import SPECIFIED_CONDUCT, Conduct
from ingress_lint.routes.model import Route
from ingress_lint.routes.verdicts import Verdict


class GatewayAPI(Controller):
    """Every implementation of the Gateway API."""

    name: ClassVar[str] = SPECIFICATION.name
    title: ClassVar[str] = SPECIFICATION.title
    gateway: ClassVar[str] = "Gateway"
    annotations: ClassVar[AnnotationTable] = AnnotationTable((), ())
    conduct: ClassVar[Conduct] = SPECIFIED_CONDUCT

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """One route for each rule of each route object."""
        from ingress_lint.controllers.gateway_api.analysis import analyse

        return analyse(graph, backends).routes

    def verdicts(self, graph: ObjectGraph, backends: BackendResolver) -> Iterable[Verdict]:
        """What an implementation writes into the status of Gateways, ListenerSets, routes and policies."""
        from ingress_lint.controllers.gateway_api.analysis import analyse

        return analyse(graph, backends).verdicts

    def frontends(self, graph: ObjectGraph, backends: BackendResolver) -> Iterable[Frontend]:
        """Every Gateway."""
        from ingress_lint.controllers.gateway_api.analysis import analyse

        return analyse(graph, backends).frontends
