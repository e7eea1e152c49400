"""Traefik: Ingresses by its Kubernetes Ingress provider, and its own IngressRoutes.

Routers are tried by the length of their rules. It has no active health checks except for ExternalName Services.
Sources, where no other is named: traefik/traefik, pkg/provider/kubernetes/ingress/{kubernetes,annotations}.go and
docs/content/reference/routing-configuration/kubernetes/ingress.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from msgspec.structs import replace

from ingress_lint.controllers.shared.annotations import AnnotationTable
from ingress_lint.controllers.shared.base import Claim, Controller
from ingress_lint.controllers.traefik.annotations import ANNOTATIONS
from ingress_lint.controllers.traefik.installation import CONTROLLER, GATEWAY, installation
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.broken_backends import BrokenBackends
from ingress_lint.routes.listeners import ProxyPort
from ingress_lint.routes.matching import INGRESS_CONDUCT, Conduct, Criterion, Precedence, Reversed, age
from ingress_lint.routes.model import Route
from ingress_lint.routes.paths import GO
from ingress_lint.routes.verdicts import Verdict

_PRECEDENCE: Final[Precedence] = (
    Criterion(lambda c: c.route.priority.value if c.route.priority else 0, "a higher priority"),
    Criterion(lambda c: not c.route.is_default, "rules of its own, and the other is a default backend"),
    Criterion(lambda c: Reversed(age(c.route.owner)[0]), "the older object"),
    Criterion(lambda c: Reversed(age(c.route.owner)[1]), "the name that comes first in the alphabet"),
    Criterion(lambda c: c.position, "the later rule"),
)
"""The length of the rule, unless a priority is set (pkg/muxer/http/mux.go). Of equal rules of one Ingress the last is kept;
of equal rules of several objects nothing in it decides."""


class Traefik(Controller):
    """Claims Ingresses by class; an IngressRoute is nobody else's."""

    name: ClassVar[str] = CONTROLLER
    title: ClassVar[str] = "Traefik"
    gateway: ClassVar[str] = GATEWAY
    annotations: ClassVar[AnnotationTable] = ANNOTATIONS
    serves_classless: ClassVar[bool | None] = True
    takes_resources: ClassVar[bool] = False
    conduct: ClassVar[Conduct] = replace(INGRESS_CONDUCT, precedence=_PRECEDENCE, paths=GO, opens_tls=True)
    broken: ClassVar[BrokenBackends] = BrokenBackends(
        missing=404, no_port=404, not_permitted=404, no_weight=503, none=503
    )
    """It makes no router of a path whose Service or port is not there: loadConfigurationFromIngresses, and
    loadIngressRouteConfiguration in pkg/provider/kubernetes/crd/kubernetes_http.go."""

    def proxy_port(self, container: WorkloadContainer, port: int, graph: ObjectGraph) -> ProxyPort:
        """What the entry point there takes."""
        return installation(graph).proxy_port(port)

    def stands_in(self, routes: Iterable[Route], graph: ObjectGraph) -> Iterable[Route]:
        """The routes of its provider for ingress-nginx."""
        from ingress_lint.controllers.traefik.nginx_provider import served

        return served(routes, installation(graph))

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """Routers of Ingresses, then of IngressRoutes; entry points that only redirect serve none of them."""
        from ingress_lint.controllers.traefik.custom_resources import analyse
        from ingress_lint.controllers.traefik.ingress import TraefikIngresses, entry_point_redirects
        from ingress_lint.controllers.traefik.refusals import with_refusals

        analysis = analyse(graph, backends)
        lowered = (*TraefikIngresses(analysis).lower(graph, claims, backends), *analysis.routes)
        routes = [with_refusals(route, graph, analysis.installation) for route in lowered]
        redirects = list(entry_point_redirects(analysis)) if routes else []
        taken = {listener.name for route in redirects for listener in route.listeners}
        for route in routes:
            left = tuple(listener for listener in route.listeners if listener.name not in taken)
            if left == route.listeners:
                yield route
            elif left:
                yield replace(route, listeners=left)
        yield from redirects

    def verdicts(self, graph: ObjectGraph, backends: BackendResolver) -> Iterable[Verdict]:
        """Rules that it cannot read, and backends that it may not follow."""
        from ingress_lint.controllers.traefik.custom_resources import analyse

        return analyse(graph, backends).verdicts
