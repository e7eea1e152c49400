"""One object graph's Gateways and VirtualServices, worked out once."""

from __future__ import annotations

from collections.abc import Iterator

from ingress_lint.controllers.istio.attachment import Attacher
from ingress_lint.controllers.istio.destinations import Destinations
from ingress_lint.controllers.istio.gateways import BoundServer, Gateways
from ingress_lint.controllers.istio.virtual_services.routes import VirtualServices
from ingress_lint.facts.once_per_graph import once_per_graph
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.istio import VirtualService
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.listeners import Frontend
from ingress_lint.routes.matches import Match, PathMatch, PathMatchType
from ingress_lint.routes.matching import age
from ingress_lint.routes.model import Route
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.verdicts import Verdict

_FIRST = 2**31


class Analysis:
    """What Istio's own objects of one graph come to."""

    def __init__(self, graph: ObjectGraph, resolver: BackendResolver) -> None:
        self.gateways = Gateways(graph)
        self.destinations = Destinations(graph, resolver)
        attacher = Attacher(graph, self.gateways)
        lowering = VirtualServices(graph, self.destinations)
        routes: list[Route] = list(_redirects(self.gateways))
        verdicts: list[Verdict] = list(self.gateways.verdicts)
        for item in sorted(graph.of(VirtualService), key=age):
            if not item.body.spec.hosts:
                continue
            attachment = attacher.attach(item)
            verdicts += attachment.verdicts
            if not attachment.of_mesh:
                routes += lowering.lower(item, attachment)
        self.routes = tuple(routes)
        self.verdicts = (*verdicts, *self.destinations.rules.verdicts())
        self.frontends = tuple(self._frontends())

    def _frontends(self) -> Iterator[Frontend]:
        """Each Gateway, with the listeners of all that the same pods open: clients cannot tell them apart."""
        by_pods: dict[str, list[BoundServer]] = {}
        for bound in self.gateways.servers.values():
            for server in bound:
                by_pods.setdefault(server.listener.instance, []).append(server)
        listeners = {instance: tuple(server.listener for server in found) for instance, found in by_pods.items()}
        for name, bound in self.gateways.servers.items():
            if bound:
                yield Frontend(
                    self.gateways.by_name[name],
                    listeners[bound[0].listener.instance],
                    isolated=False,
                    on_pods=not any(server.pods.services for server in bound),
                )


def _redirects(gateways: Gateways) -> Iterator[Route]:
    """The redirect to HTTPS of each server that asks for it, before any rule."""
    for bound in gateways.servers.values():
        for first in {server.index: server for server in reversed(bound)}.values():
            redirect = first.redirect
            if redirect is None:
                continue
            gateway = first.gateway
            everything = PathMatch(PathMatchType.PREFIX, "/")
            mine = [server for server in bound if server.index == first.index]
            yield Route(
                controller=Sourced("istio", Origin.EXPLICIT, gateway.at("kind"), f"an Istio {gateway.kind}"),
                owner=gateway,
                rule=first.index,
                place=redirect.place,
                listeners=tuple(server.listener for server in mine),
                hostnames=tuple(server.listener.hostname for server in mine if server.listener.hostname),
                matches=(Match(Sourced(everything, Origin.DERIVED, redirect.place, "it redirects every path")),),
                backends=(),
                filters=(redirect,),
                priority=Sourced(_FIRST, Origin.DERIVED, redirect.place, "a redirect of the whole server"),
            )


@once_per_graph
def analyse(graph: ObjectGraph, resolver: BackendResolver) -> Analysis:
    """The analysis of a graph."""
    return Analysis(graph, resolver)
