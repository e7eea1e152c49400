"""Contour, which configures Envoy. Sources, where no other is named, are in projectcontour/contour."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from ingress_lint.controllers.contour.annotations import ANNOTATIONS, PREFIX
from ingress_lint.controllers.contour.envoy import CONTROLLER, GATEWAY, IMAGE
from ingress_lint.controllers.shared.annotations import AnnotationTable
from ingress_lint.controllers.shared.base import Claim, Controller
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes import hostnames
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.matches import PathMatchType
from ingress_lint.routes.matching import Candidate, Conduct, Criterion, path_length
from ingress_lint.routes.model import Route
from ingress_lint.routes.verdicts import Verdict

_RANKS: Final = {PathMatchType.EXACT: 2, PathMatchType.REGULAR_EXPRESSION: 1}


def _path_rank(candidate: Candidate) -> int:
    return _RANKS.get(candidate.match.path.value.type, 0) if candidate.match else 0


class Contour(Controller):
    """Claims Ingresses by class; an HTTPProxy is nobody else's. It needs no IngressClass object."""

    name: ClassVar[str] = CONTROLLER
    title: ClassVar[str] = "Contour"
    gateway: ClassVar[str] = GATEWAY
    class_controllers: ClassVar[frozenset[str]] = frozenset({"projectcontour.io/ingress-controller"})
    class_names: ClassVar[frozenset[str]] = frozenset({"contour"})
    annotations: ClassVar[AnnotationTable] = ANNOTATIONS
    groups: ClassVar[frozenset[str]] = frozenset({"projectcontour.io"})
    serves_classless: ClassVar[bool | None] = True
    service_hints: ClassVar[tuple[str, ...]] = (f"{PREFIX}/upstream-protocol.",)
    image: ClassVar[re.Pattern[str] | None] = IMAGE
    proxies_itself: ClassVar[bool] = False
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
        one_label_wildcards=True,
        broken_backend_status=503,
    )
    """Envoy chooses a virtual host, then its first route that fits; Contour sorts them (internal/sorter/sorter.go)."""

    def claims_class(self, class_name: str, *, by_field: bool) -> bool:
        """Further installations take names such as contour-internal."""
        return class_name in self.class_names or class_name.startswith("contour-") or class_name.endswith("-contour")

    def claims_controller(self, controller: str) -> bool:
        """IngressClasses name it as they like; no part of Contour reads `spec.controller`."""
        return controller.startswith(f"{PREFIX}/") and not controller.endswith("gateway-controller")

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
