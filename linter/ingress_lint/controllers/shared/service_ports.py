"""The route that a port of a LoadBalancer Service makes, whichever cloud serves it."""

from __future__ import annotations

from ingress_lint.graph.resolution import Existence, Resolution
from ingress_lint.routes.listeners import Listener
from ingress_lint.routes.model import BackendRef, ResolvedPort, Route
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, TargetKind


def port_backend(port: ResolvedPort, protocol: Sourced[AppProtocol], target: Sourced[TargetKind]) -> BackendRef:
    """The port as a backend of its own Service, with nothing else decided."""
    return BackendRef(
        place=port.at("port"),
        kind="Service",
        group="",
        namespace=port.service.namespace,
        name=port.service.name,
        port=Sourced(port.port.port, Origin.EXPLICIT, port.at("port")),
        service=Resolution(Existence.FOUND, port.service),
        service_port=port,
        protocol=protocol,
        target=target,
    )


def port_route(controller: Sourced[str], port: ResolvedPort, listener: Listener, backend: BackendRef) -> Route:
    """What comes to the listener goes to the port, whatever it asks for."""
    return Route(
        controller=controller,
        owner=port.service,
        rule=port.index,
        place=port.at(),
        listeners=(listener,),
        hostnames=(),
        matches=(),
        backends=(backend,),
    )
