"""One object graph's gateways, routes and policies, worked out once."""

from __future__ import annotations

from collections.abc import Iterator

from ingress_lint.controllers.gateway_api.attachment import Attacher, RouteObject
from ingress_lint.controllers.gateway_api.backend_tls import BackendTLSPolicies
from ingress_lint.controllers.gateway_api.backends import Backends
from ingress_lint.controllers.gateway_api.delegation import Delegation
from ingress_lint.controllers.gateway_api.gateways.exposure import Exposure
from ingress_lint.controllers.gateway_api.gateways.views import Gateways
from ingress_lint.controllers.gateway_api.routes import lower_route
from ingress_lint.controllers.gateway_api.vendor_policies import VendorPolicies
from ingress_lint.controllers.shared.references import References
from ingress_lint.facts.once_per_graph import once_per_graph
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.gateway_routes import GRPCRoute, HTTPRoute, TCPRoute, TLSRoute, UDPRoute
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.listeners import Frontend
from ingress_lint.routes.model import Route
from ingress_lint.routes.verdicts import Verdict


class Analysis:
    """What the Gateway API's objects of one graph come to."""

    def __init__(self, graph: ObjectGraph, resolver: BackendResolver) -> None:
        references = References(graph)
        gateways = Gateways(graph, references)
        policies = BackendTLSPolicies(graph, references)
        vendor_policies = VendorPolicies(graph)
        backends = Backends(graph, references, policies, vendor_policies, resolver)
        attacher = Attacher(graph, gateways)
        self.frontends: tuple[Frontend, ...] = tuple(view.frontend for view in gateways.views)
        routes: list[Route] = []
        verdicts: list[Verdict] = [
            *gateways.verdicts,
            *Exposure(graph).verdicts(gateways.views),
            *policies.verdicts,
        ]
        written: Iterator[RouteObject] = graph.of(HTTPRoute, GRPCRoute, TLSRoute, TCPRoute, UDPRoute)
        for route in written:
            attachment = attacher.attach(route)
            verdicts += attachment.verdicts
            if not attachment.of_mesh:
                routes += lower_route(route, attachment, backends)
        self.routes = tuple(Delegation(routes).followed())
        self.verdicts = _distinct([*verdicts, *vendor_policies.verdicts(), *backends.verdicts])


def _distinct(verdicts: list[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts, of those for one reason at one place only the first: listeners share what their Gateway says."""
    return tuple({(verdict.reason, verdict.place): verdict for verdict in reversed(verdicts)}.values())[::-1]


@once_per_graph
def analyse(graph: ObjectGraph, resolver: BackendResolver) -> Analysis:
    """The analysis of a graph."""
    return Analysis(graph, resolver)
