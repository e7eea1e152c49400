"""HAProxy Ingress, the community's controller (annotations haproxy-ingress.github.io/* and ingress.kubernetes.io/*).

Not to be taken for HAProxy Technologies' (haproxy.py). Sources are in jcmoraisjr/haproxy-ingress:
docs/content/en/docs/configuration/keys.md, pkg/converters/ingress/defaults.go and annotations/{backend,host}.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from ingress_lint.controllers.haproxy.annotations import HAPROXY_INGRESS_ANNOTATIONS
from ingress_lint.controllers.haproxy.community import GATEWAY
from ingress_lint.controllers.haproxy.settings import (
    Installation,
    installation,
    proxy_port,
)
from ingress_lint.controllers.shared.annotations import AnnotationTable
from ingress_lint.controllers.shared.base import Claim, Controller
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.listeners import ProxyPort
from ingress_lint.routes.model import Route

_CONFIG_NAMES: Final = frozenset({"haproxy-ingress"})


class HAProxyIngress(Controller):
    """Claims by class; what it makes of Ingresses is in routes.py."""

    name: ClassVar[str] = "haproxy-ingress"
    title: ClassVar[str] = "HAProxy Ingress"
    gateway: ClassVar[str] = GATEWAY
    annotations: ClassVar[AnnotationTable] = HAPROXY_INGRESS_ANNOTATIONS
    serves_classless: ClassVar[bool | None] = False

    def proxy_port(self, container: WorkloadContainer, port: int, graph: ObjectGraph) -> ProxyPort:
        """TLS on 443, which newer releases open as 8443."""
        from ingress_lint.controllers.haproxy.community.routes import takes_proxy_protocol

        return proxy_port(GATEWAY, container, port, takes_proxy_protocol(self._installation(graph).config))

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterable[Route]:
        """One route a path, and one for each redirect."""
        if not claims:
            return ()
        from ingress_lint.controllers.haproxy.community.routes import HAProxyIngressRoutes

        return HAProxyIngressRoutes(self._installation(graph), claims).lower(graph, claims, backends)

    def _installation(self, graph: ObjectGraph) -> Installation:
        return installation(graph, self.name, self.annotations, _CONFIG_NAMES)
