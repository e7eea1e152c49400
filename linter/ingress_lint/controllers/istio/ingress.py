"""Ingresses of class `istio`: Istio turns each into a Gateway and VirtualServices of its own.

istio/istio:pilot/pkg/config/kube/ingress/{gateways,virtualservices,ingress}.go. Default backends are ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

from msgspec.structs import replace

from ingress_lint.controllers.istio import GATEWAY, MESH, destinations
from ingress_lint.controllers.istio.analysis import Analysis
from ingress_lint.controllers.shared.annotations import AnnotationTable
from ingress_lint.controllers.shared.base import Claim, IngressController, PathContext
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.istio import Destination, PortSelector
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.listeners import CertificateRef, Listener, ListenerTLS
from ingress_lint.routes.matches import PathMatch, PathMatchType
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, KeepAlive, Timeouts

_SELECTOR: Final[Mapping[str, str]] = {"istio": "ingressgateway"}
"""The pods that serve Ingresses, unless the mesh is told otherwise."""
_ANYTHING: Final = frozenset({"", "*", "/*", ".*"})


class IstioIngress(IngressController):
    """Lowers Ingresses; `Istio` claims them."""

    name: ClassVar[str] = "istio"
    title: ClassVar[str] = "Istio"
    gateway: ClassVar[str] = GATEWAY
    annotations: ClassVar[AnnotationTable] = AnnotationTable((), ())

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._pods = analysis.gateways.pods(_SELECTOR)

    def paths(self, graph: ObjectGraph, claim: Claim, backends: BackendResolver) -> Iterator[PathContext]:
        """Every path; default backends do not count."""
        return (context for context in super().paths(graph, claim, backends) if not context.is_default)

    def route(self, graph: ObjectGraph, context: PathContext) -> Route:
        """A longer path is tried earlier, and of two equally long ones an exact one (sortHTTPRoutes)."""
        route = super().route(graph, context)
        path = route.matches[0].path
        turn = 2 * len(path.value.value) + (path.value.type is PathMatchType.EXACT)
        priority = Sourced(turn, Origin.DERIVED, path.place, "longer paths are tried first")
        return replace(route, priority=priority, proxies=self._pods.workloads, mesh=MESH)

    def listeners(self, graph: ObjectGraph, context: PathContext) -> tuple[Listener, ...]:
        """Port 80 for every host, and port 443 for the hosts of each TLS block that names a Secret."""
        place = context.default_place()
        plain = Listener(self.gateway, Sourced(80, Origin.DEFAULT, place), Sourced("HTTP", Origin.DEFAULT, place))
        return (plain, *self._secure(context))

    def _secure(self, context: PathContext) -> Iterator[Listener]:
        ingress, host = context.ingress, context.host.value if context.host else "*"
        spaces = self._pods.namespaces
        space = next(iter(spaces)) if len(spaces) == 1 else ""
        for index, block in enumerate(ingress.body.spec.tls):
            place = ingress.at("spec", "tls", index)
            if not block.secret_name:
                continue
            certificate = CertificateRef("Secret", space, block.secret_name, place.at("secretName"))
            for number, name in enumerate(block.hosts or ("*",)):
                hostname = None if name == "*" else Sourced(name, Origin.EXPLICIT, place.at("hosts", number))
                if hostname is not None and host != "*" and host.lower() != name.lower() and not name.startswith("*."):
                    continue
                yield Listener(
                    self.gateway,
                    Sourced(443, Origin.DERIVED, place, "a TLS block"),
                    Sourced("HTTPS", Origin.DERIVED, place, "a TLS block"),
                    hostname,
                    ListenerTLS(Sourced("Terminate", Origin.DERIVED, place, "a TLS block"), (certificate,)),
                    place=place,
                )

    def path_match(self, graph: ObjectGraph, context: PathContext) -> Sourced[PathMatch]:
        """`ImplementationSpecific` is exact, or a prefix where it ends in `/*` or `.*` (createFallbackStringMatch)."""
        value, place = context.path_value or "", context.place.at("path")
        if context.path_type == "Exact":
            return Sourced(PathMatch(PathMatchType.EXACT, value), Origin.EXPLICIT, place)
        if context.path_type == "Prefix":
            return Sourced(PathMatch(PathMatchType.PREFIX, value or "/"), Origin.EXPLICIT, place)
        if value in _ANYTHING:
            return Sourced(PathMatch(PathMatchType.PREFIX, "/"), Origin.DERIVED, place, "it stands for every path")
        if value.endswith((".*", "/*")):
            why = "Istio takes what ends so for a prefix"
            return Sourced(PathMatch(PathMatchType.PREFIX, value[:-2] or "/"), Origin.DERIVED, place, why)
        return Sourced(PathMatch(PathMatchType.EXACT, value), Origin.EXPLICIT, place)

    def backend(self, graph: ObjectGraph, context: PathContext) -> BackendRef:
        """The Service, treated as the destination of a VirtualService is."""
        found = super().backend(graph, context)
        number = context.service_port.port.port if context.service_port else None
        treated = self._analysis.destinations.backend(
            Destination(host=found.name, port=PortSelector(number=number) if number else None),
            context.backend_place,
            destinations.Rule(context.ingress, context.place, AppProtocol.HTTP, (80, 443), self._pods.namespaces),
        )
        return replace(
            found,
            protocol=treated.protocol,
            timeouts=treated.timeouts,
            keep_alive=treated.keep_alive,
            tls=treated.tls,
            proxy_protocol=treated.proxy_protocol,
        )

    def protocol(self, graph: ObjectGraph, context: PathContext) -> Sourced[AppProtocol]:
        """Decided with the rest of the backend."""
        return Sourced(AppProtocol.UNKNOWN, Origin.DEFAULT, context.default_place())

    def timeouts(self, graph: ObjectGraph, context: PathContext) -> Timeouts:
        """Decided with the rest of the backend."""
        return Timeouts()

    def keep_alive(self, graph: ObjectGraph, context: PathContext) -> KeepAlive:
        """Decided with the rest of the backend."""
        return KeepAlive()
