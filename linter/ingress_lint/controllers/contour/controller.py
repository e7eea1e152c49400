"""Contour, which configures Envoy. Sources, where no other is named, are in projectcontour/contour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from ingress_lint.controllers.contour.annotations import ANNOTATIONS
from ingress_lint.controllers.contour.envoy import CONTROLLER, GATEWAY
from ingress_lint.controllers.shared.annotations import AnnotationTable
from ingress_lint.controllers.shared.base import Claim, Controller
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes import hostnames
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.matches import PathMatchType
from ingress_lint.routes.matching import Candidate, Conduct, Criterion, path_length
from ingress_lint.routes.model import Route
from ingress_lint.routes.paths import ENVOY_MERGING
from ingress_lint.routes.verdicts import Verdict

_RANKS: Final = {PathMatchType.EXACT: 2, PathMatchType.REGULAR_EXPRESSION: 1}


def _path_rank(candidate: Candidate) -> int:
    return _RANKS.get(candidate.match.path.value.type, 0) if candidate.match else 0


class Contour(Controller):
    """Claims Ingresses by class; an HTTPProxy is nobody else's. It needs no IngressClass object."""

    name: ClassVar[str] = CONTROLLER
    title: ClassVar[str] = "Contour"
    gateway: ClassVar[str] = GATEWAY
    annotations: ClassVar[AnnotationTable] = ANNOTATIONS
    serves_classless: ClassVar[bool | None] = True
    conduct: ClassVar[Conduct] = Conduct(
        (
            Criterion(lambda c: not c.route.is_default, "rules of its own, and the other is a default backend"),
            Criterion(lambda c: hostnames.specificity(c.hostname), "a more specific host"),
            Criterion(_path_rank, "an exact path before a regular expression before a prefix"),
            Criterion(path_length, "a longer path"),
            Criterion(lambda c: len(c.match.headers) if c.match else 0, "more headers"),
            Criterion(lambda c: len(c.match.query) if c.match else 0, "more query parameters"),
            Criterion(lambda c: -c.position, "the earlier route"),
        ),
        hosts_apart=True,
        paths=ENVOY_MERGING,
        one_label_wildcards=True,
    )
    """Envoy chooses a virtual host, then its first route that fits; Contour sorts them (internal/sorter/sorter.go)."""

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
