"""Ingress objects of a class that no module here knows: what the Ingress specification promises, and nothing more."""

from __future__ import annotations

from typing import ClassVar

from ingress_lint.controllers.annotations import AnnotationTable
from ingress_lint.controllers.base import IngressController, PathContext, specified_path_match
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import AppProtocol, Listener, Origin, PathMatch, PathMatchType, Sourced, TargetKind


class GKEIngress(IngressController):
    """Any conformant controller; how it checks health or speaks to pods is unknown."""

    name: ClassVar[str] = "gke"
    title: ClassVar[str] = "GKE Ingress"
    gateway: ClassVar[str] = "Google load balancer"
    class_controllers: ClassVar[frozenset[str]] = frozenset({""})
    class_names: ClassVar[frozenset[str]] = frozenset({"gce"})
    annotations: ClassVar[AnnotationTable] = AnnotationTable(("networking.gke.io",), ())

    def listeners(self, graph: ObjectGraph, context: PathContext) -> tuple[Listener, ...]:
        """Port 80, which the specification requires."""
        port = Sourced(80, Origin.DEFAULT, context.default_place())
        return (Listener(self.gateway, port, Sourced("HTTP", Origin.DEFAULT, context.default_place())),)

    def path_match(self, graph: ObjectGraph, context: PathContext) -> Sourced[PathMatch]:
        """As specified; `ImplementationSpecific` is taken for the prefix that most controllers make of it."""
        return specified_path_match(context, PathMatchType.PREFIX)

    def protocol(self, graph: ObjectGraph, context: PathContext) -> Sourced[AppProtocol]:
        """Unknown: HTTP by custom, but a controller may infer TLS from a port or an annotation."""
        return Sourced(AppProtocol.UNKNOWN, Origin.DEFAULT, context.default_place())

    def target(self, graph: ObjectGraph, context: PathContext) -> Sourced[TargetKind]:
        """Unknown to the specification; pods, as most controllers do."""
        return Sourced(TargetKind.POD, Origin.DEFAULT, context.default_place())
