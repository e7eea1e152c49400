"""What annotations of routes and of Services do behind Kong's Gateways.

Kong/kubernetes-ingress-controller:internal/dataplane/translator/translator.go overrides the routes and services that it
makes of HTTPRoutes and GRPCRoutes by the annotations of these and of the Services behind them, as it does for Ingresses.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from ingress_lint.controllers.kong.settings import RouteSettings, ServiceSettings
from ingress_lint.controllers.shared.policies.treatment import Treatment
from ingress_lint.controllers.shared.route_facts import RouteFacts
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.gateway_routes import HTTPRoute
from ingress_lint.routes.filters import URLRewrite
from ingress_lint.routes.model import BackendRef
from ingress_lint.routes.verdicts import Verdict


class Policies(Treatment):
    """The annotations of one graph's routes and Services."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph

    def treat(self, backend: BackendRef, facts: RouteFacts) -> BackendRef:
        """The backend with what annotations make of the path and of the Host header."""
        if not facts.of_requests:
            return backend
        return replace(backend, filters=(*backend.filters, *self._stripped(facts), *self._host(backend)))

    def _stripped(self, facts: RouteFacts) -> Iterator[URLRewrite]:
        """`strip-path` of the HTTPRoute, unless a filter of the rule replaces the path
        (internal/dataplane/kongstate/route.go, overrideStripPath)."""
        body = facts.owner.body
        if not isinstance(body, HTTPRoute):
            return
        strip = RouteSettings(self._graph, facts.owner, facts.rule_place).strip_path
        rewritten = any(
            item.url_rewrite is not None and item.url_rewrite.path is not None
            for rule in body.spec.rules
            for item in rule.filters
        )
        if strip.value and not rewritten:
            yield URLRewrite(strip.place, path="/", replace_prefix=True)

    def _host(self, backend: BackendRef) -> Iterator[URLRewrite]:
        """`host-header` of the Service."""
        service = backend.service.object
        header = ServiceSettings(self._graph, service).reader.text("host-header") if service is not None else None
        if header is not None and header.value:
            yield URLRewrite(header.place, host=header.value)

    def verdicts(self) -> list[Verdict]:
        """Nothing: annotations are judged elsewhere."""
        return []
