"""ingress-nginx, the Kubernetes project's controller (retired in March 2026: kubernetes/ingress-nginx:README.md).

It makes one nginx server of all Ingresses that name a host, so that what one of them says of TLS, aliases or regular
expressions holds for the paths of the others. It has no active health checks: members are the ready endpoints.
Sources are paths in kubernetes/ingress-nginx.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from ingress_lint.controllers.ingress_nginx.annotations import ANNOTATIONS
from ingress_lint.controllers.ingress_nginx.installation import (
    CONTROLLER,
    GATEWAY,
    Installation,
    installations,
    installed,
    serving,
)
from ingress_lint.controllers.ingress_nginx.refusals import refused_snippets, snippets
from ingress_lint.controllers.ingress_nginx.settings import Settings
from ingress_lint.controllers.shared.annotations import AnnotationTable
from ingress_lint.controllers.shared.base import Claim, Controller, IngressObject
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.listeners import ProxyPort
from ingress_lint.routes.matching import Conduct, Criterion, Reversed, age, is_exact, path_length
from ingress_lint.routes.model import Route
from ingress_lint.routes.paths import NGINX
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.verdicts import Verdict


class IngressNginx(Controller):
    """Claims by class; which installation serves an Ingress decides the settings in force (`Settings`)."""

    name: ClassVar[str] = CONTROLLER
    title: ClassVar[str] = "ingress-nginx"
    gateway: ClassVar[str] = GATEWAY
    annotations: ClassVar[AnnotationTable] = ANNOTATIONS
    retired: ClassVar[str] = "in March 2026"
    """kubernetes/ingress-nginx:README.md."""
    serves_classless: ClassVar[bool | None] = False
    takes_resources: ClassVar[bool] = False
    conduct: ClassVar[Conduct] = Conduct(
        (
            Criterion(lambda c: not c.route.is_default, "rules of its own, and the other is a default backend"),
            Criterion(is_exact, "an exact path"),
            Criterion(path_length, "a longer path"),
            Criterion(lambda c: c.match.path.value.value if c.match else "", "a path that nginx tries first"),
            Criterion(lambda c: len(c.match.headers) if c.match else 0, "a canary's condition"),
            Criterion(lambda c: Reversed(age(c.route.owner)[0]), "the older Ingress"),
            Criterion(lambda c: -c.position, "the earlier route"),
        ),
        hosts_apart=True,
        paths=NGINX,
        one_label_wildcards=True,
        own_certificate=True,
        tells_scheme=True,
    )
    """Of a host's locations nginx takes an exact one, then the longest prefix; regular expressions it tries in order of
    length, longest first (internal/ingress/controller/controller.go, getBackendServers)."""

    def annotation_prefixes(self, graph: ObjectGraph, ingress: IngressObject) -> tuple[str, ...]:
        """The installation's own prefix, where `--annotations-prefix` names one (pkg/flags/flags.go)."""
        return (self._serving(graph, ingress).prefix,)

    def refused_annotations(self, graph: ObjectGraph, ingress: IngressObject) -> Iterable[Verdict]:
        """Snippets that the administrator does not allow."""
        installation = self._serving(graph, ingress)
        if not snippets(ingress, installation.prefix):
            return ()
        return refused_snippets(Settings(graph, installation, ingress))

    @staticmethod
    def _serving(graph: ObjectGraph, ingress: IngressObject) -> Installation:
        return serving(installations(graph), ingress, graph)

    def proxy_port(self, container: WorkloadContainer, port: int, graph: ObjectGraph) -> ProxyPort:
        """TLS on the port of `--https-port` alone; `use-proxy-protocol` concerns both (rootfs/etc/nginx/template)."""
        own = installed(container, graph)
        if port not in (own.http_port, own.https_port):
            return ProxyPort(self.gateway)
        place = container.at("args") if container.container.args else container.at("image")
        secure = Sourced(port == own.https_port, Origin.DERIVED, place, f"port {own.https_port} is its port for TLS")
        return ProxyPort(self.gateway, secure, own.takes_proxy_protocol(place))

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """One route for each path, and one for each redirect that nginx answers by itself."""
        if not claims:
            return ()
        from ingress_lint.controllers.ingress_nginx.routes import IngressNginxRoutes

        return IngressNginxRoutes(graph, claims).lower(graph, claims, backends)
