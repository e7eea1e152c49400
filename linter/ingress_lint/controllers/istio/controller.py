"""Istio as a controller: Ingresses of its class, and its own Gateways and VirtualServices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from ingress_lint.controllers.istio import GATEWAY
from ingress_lint.controllers.shared.annotations import AnnotationTable
from ingress_lint.controllers.shared.base import Claim, Controller
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes import hostnames
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.listeners import Frontend
from ingress_lint.routes.matching import Conduct, Criterion, Precedence
from ingress_lint.routes.model import Route
from ingress_lint.routes.paths import ENVOY
from ingress_lint.routes.verdicts import Verdict

_PRECEDENCE: Final[Precedence] = (
    Criterion(lambda c: hostnames.specificity(c.hostname), "a more specific host"),
    Criterion(lambda c: c.route.priority.value if c.route.priority else 0, "a rule that is tried earlier"),
    Criterion(lambda c: -c.index, "the earlier match"),
)


class Istio(Controller):
    """Claims Ingresses by class; it reads no annotations of its own on them."""

    name: ClassVar[str] = "istio"
    title: ClassVar[str] = "Istio"
    gateway: ClassVar[str] = GATEWAY
    annotations: ClassVar[AnnotationTable] = AnnotationTable((), ())
    serves_classless: ClassVar[bool | None] = False
    takes_resources: ClassVar[bool] = False
    conduct: ClassVar[Conduct] = Conduct(_PRECEDENCE, hosts_apart=True, paths=ENVOY)

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """The routes of VirtualServices, then those of Ingresses."""
        from ingress_lint.controllers.istio.analysis import analyse
        from ingress_lint.controllers.istio.ingress import IstioIngress

        analysis = analyse(graph, backends)
        yield from analysis.routes
        if claims:
            yield from IstioIngress(analysis).lower(graph, claims, backends)

    def verdicts(self, graph: ObjectGraph, backends: BackendResolver) -> Iterable[Verdict]:
        """What Istio refuses of Gateways, and why VirtualServices hang on none."""
        from ingress_lint.controllers.istio.analysis import analyse

        return analyse(graph, backends).verdicts

    def frontends(self, graph: ObjectGraph, backends: BackendResolver) -> Iterable[Frontend]:
        """Every Gateway."""
        from ingress_lint.controllers.istio.analysis import analyse

        return analyse(graph, backends).frontends
