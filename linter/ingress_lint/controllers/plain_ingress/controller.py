"""Ingress objects of a class that no module here knows: what the Ingress specification promises, and nothing more."""

from __future__ import annotations

from typing import ClassVar

from msgspec.structs import replace

from ingress_lint.controllers.shared.annotations import AnnotationTable
from ingress_lint.controllers.shared.base import IngressController, PathContext, certificates, specified_path_match
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.listeners import Listener, ListenerTLS
from ingress_lint.routes.matches import PathMatch, PathMatchType
from ingress_lint.routes.matching import INGRESS_CONDUCT, Conduct
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, TargetKind


class PlainIngress(IngressController):
    """Any conformant controller; how it checks health or speaks to pods is unknown."""

    name: ClassVar[str] = "ingress"
    title: ClassVar[str] = "the Ingress controller"
    gateway: ClassVar[str] = "Ingress controller"
    annotations: ClassVar[AnnotationTable] = AnnotationTable((), ())
    conduct: ClassVar[Conduct] = replace(INGRESS_CONDUCT, own_certificate=True)

    def listeners(self, graph: ObjectGraph, context: PathContext) -> tuple[Listener, ...]:
        """Port 80, and 443 where the Ingress has a certificate, as the specification requires."""
        port = Sourced(80, Origin.DEFAULT, context.default_place())
        plain = Listener(self.gateway, port, Sourced("HTTP", Origin.DEFAULT, context.default_place()))
        held = certificates(context.ingress)
        if not held:
            return (plain,)
        place, why = held[0].place, "a TLS block gives a certificate"
        tls = ListenerTLS(Sourced("Terminate", Origin.DERIVED, place, why), held)
        secure_port = Sourced(443, Origin.DERIVED, place, why)
        return (plain, Listener(self.gateway, secure_port, Sourced("HTTPS", Origin.DERIVED, place, why), tls=tls))

    def path_match(self, graph: ObjectGraph, context: PathContext) -> Sourced[PathMatch]:
        """As specified; `ImplementationSpecific` is taken for the prefix that most controllers make of it, a guess."""
        found = specified_path_match(context, PathMatchType.PREFIX)
        if context.is_default or context.path_type in ("Exact", "Prefix"):
            return found
        return Sourced(found.value, Origin.DEFAULT, found.place, "what it matches is for the controller to say")

    def protocol(self, graph: ObjectGraph, context: PathContext) -> Sourced[AppProtocol]:
        """Unknown: HTTP by custom, but a controller may infer TLS from a port or an annotation."""
        return Sourced(AppProtocol.UNKNOWN, Origin.DEFAULT, context.default_place())

    def target(self, graph: ObjectGraph, context: PathContext) -> Sourced[TargetKind]:
        """Unknown to the specification; pods, as most controllers do."""
        return Sourced(TargetKind.POD, Origin.DEFAULT, context.default_place())
