"""What annotations of Services do behind Kong's Gateways.

Kong/kubernetes-ingress-controller:internal/dataplane/translator/translator.go overrides the services that it makes of
HTTPRoutes and GRPCRoutes by the annotations of the Services behind them, as it does for Ingresses.
"""

from __future__ import annotations

from msgspec.structs import replace

from ingress_lint.controllers.kong.settings import ServiceSettings
from ingress_lint.controllers.shared.policies.treatment import Treatment
from ingress_lint.controllers.shared.route_facts import RouteFacts
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.filters import URLRewrite
from ingress_lint.routes.model import BackendRef
from ingress_lint.routes.verdicts import Verdict


class Policies(Treatment):
    """The annotations of one graph's Services."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph

    def treat(self, backend: BackendRef, facts: RouteFacts) -> BackendRef:
        """The Host header that the Service's `host-header` asks for."""
        service = backend.service.object
        if service is None or not facts.of_requests:
            return backend
        header = ServiceSettings(self._graph, service).reader.text("host-header")
        if header is None or not header.value:
            return backend
        return replace(backend, filters=(*backend.filters, URLRewrite(header.place, host=header.value)))

    def verdicts(self) -> list[Verdict]:
        """Nothing: annotations are judged elsewhere."""
        return []
