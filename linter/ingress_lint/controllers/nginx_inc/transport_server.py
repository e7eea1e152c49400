"""TransportServers: connections, packets, and TLS passed through (nginx/kubernetes-ingress:internal/configs/transportserver.go)."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from ingress_lint.controllers.nginx_inc import CONTROLLER
from ingress_lint.controllers.nginx_inc.hosts import HostClaim, Hosts
from ingress_lint.controllers.nginx_inc.listeners import GROUP, PASSTHROUGH, Listeners
from ingress_lint.controllers.nginx_inc.settings import Installation
from ingress_lint.controllers.nginx_inc.upstreams import reference
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.objects.nginx_inc import TransportServer
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol


def passthrough_hosts(graph: ObjectGraph) -> Iterator[HostClaim]:
    """The hosts whose TLS TransportServers want passed through."""
    for item in graph.of(TransportServer):
        if item.body.spec.listener.name == PASSTHROUGH and item.body.spec.host:
            yield HostClaim(item.body.spec.host, item, item.at("spec", "host"))


def transport_routes(
    graph: ObjectGraph, resolver: BackendResolver, installation: Installation, hosts: Hosts, listeners: Listeners
) -> Iterator[Route]:
    """One route for each TransportServer."""
    for item in graph.of(TransportServer):
        passed = item.body.spec.listener.name == PASSTHROUGH
        listener = listeners.of_transport(item, usable=not passed or hosts.serves(item.body.spec.host, item))
        host = listener.hostname
        yield Route(
            controller=Sourced(
                CONTROLLER, Origin.EXPLICIT, item.at("kind"), f"only F5 NGINX reads a TransportServer of {GROUP}"
            ),
            owner=item,
            rule=0,
            place=item.at("spec"),
            listeners=(listener,),
            hostnames=(host,) if host else (),
            matches=(),
            backends=tuple(_backends(graph, resolver, item, listener.protocol.value, passed=passed)),
            passthrough_refused=_refused(item, installation) if passed else None,
        )


def _refused(item: KubernetesObject[TransportServer], installation: Installation) -> Sourced[str] | None:
    """Without `-enable-tls-passthrough` there is no such listener."""
    on = installation.switch("enable-tls-passthrough")
    if on is None or on.value:
        return None
    why = "F5 NGINX runs without -enable-tls-passthrough"
    return Sourced(why, Origin.EXPLICIT, item.at("spec", "listener", "name"))


def _backends(
    graph: ObjectGraph,
    resolver: BackendResolver,
    item: KubernetesObject[TransportServer],
    listened: str,
    *,
    passed: bool,
) -> Iterator[BackendRef]:
    spec = item.body.spec
    for index, upstream in enumerate(spec.upstreams):
        if spec.action is not None and upstream.name == spec.action.pass_:
            place = item.at("spec", "upstreams", index)
            spoken = AppProtocol.TLS if passed else AppProtocol.UDP if listened == "UDP" else AppProtocol.TCP
            backend = reference(graph, resolver, item.namespace, upstream, place)
            protocol = Sourced(spoken, Origin.DERIVED, item.at("spec", "listener", "protocol"))
            yield replace(backend, protocol=protocol)
