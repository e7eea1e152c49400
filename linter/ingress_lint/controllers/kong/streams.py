"""Connections and packets through Kong: TCPIngress and UDPIngress.

Kong/kubernetes-ingress-controller:internal/dataplane/translator/translate_tcpingress.go and translate_udpingress.go. The
Service's annotations count for neither; a `host` is the server name of TLS that Kong ends.
"""

from __future__ import annotations

from collections.abc import Iterator

from ingress_lint.controllers.kong.installation import GATEWAY
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence, Resolution
from ingress_lint.load.document import Place
from ingress_lint.objects.group_kind import SERVICE
from ingress_lint.objects.kong import StreamBackend, StreamIngressSpec, StreamRule, TCPIngress, UDPIngress
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.listeners import CertificateRef, Listener, ListenerTLS
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, TargetKind


def stream_routes(graph: ObjectGraph, backends: BackendResolver) -> Iterator[Route]:
    """One route for each rule."""
    for item in graph.of(TCPIngress):
        for index, rule in enumerate(item.body.spec.rules):
            yield _route(graph, backends, item, index, rule, AppProtocol.TCP)
    for packets in graph.of(UDPIngress):
        for index, rule in enumerate(packets.body.spec.rules):
            yield _route(graph, backends, packets, index, rule, AppProtocol.UDP)


def _route(
    graph: ObjectGraph,
    backends: BackendResolver,
    item: AnyObject,
    index: int,
    rule: StreamRule,
    protocol: AppProtocol,
) -> Route:
    place = item.at("spec", "rules", index)
    host = Sourced(rule.host, Origin.EXPLICIT, place.at("host")) if rule.host else None
    spoken = "TLS" if host is not None else str(protocol)
    listener = Listener(
        GATEWAY,
        Sourced(rule.port, Origin.EXPLICIT, place.at("port")),
        Sourced(spoken, Origin.DERIVED, host.place if host else place),
        host,
        ListenerTLS(Sourced("Terminate", Origin.DERIVED, host.place), tuple(_certificates(item, rule.host or "")))
        if host
        else None,
    )
    return Route(
        controller=Sourced("kong", Origin.EXPLICIT, item.at("kind"), f"only Kong reads a {item.kind}"),
        owner=item,
        rule=index,
        place=place,
        listeners=(listener,),
        hostnames=(host,) if host else (),
        matches=(),
        backends=(_backend(graph, backends, item, rule.backend, place.at("backend"), protocol),),
    )


def _certificates(item: AnyObject, host: str) -> Iterator[CertificateRef]:
    spec: StreamIngressSpec = item.body.spec
    for index, block in enumerate(spec.tls):
        if host in block.hosts and block.secret_name:
            place = item.at("spec", "tls", index)
            hosts = tuple(
                Sourced(name, Origin.EXPLICIT, place.at("hosts", number)) for number, name in enumerate(block.hosts)
            )
            yield CertificateRef("Secret", item.namespace, block.secret_name, place.at("secretName"), hosts)


def _backend(
    graph: ObjectGraph,
    backends: BackendResolver,
    item: AnyObject,
    written: StreamBackend,
    place: Place,
    protocol: AppProtocol,
) -> BackendRef:
    service = graph.service(item.namespace, written.service_name)
    return BackendRef(
        place=place.at("serviceName"),
        kind="Service",
        group="",
        namespace=item.namespace,
        name=written.service_name,
        port=Sourced(written.service_port, Origin.EXPLICIT, place.at("servicePort")),
        service=Resolution(Existence.FOUND, service)
        if service
        else graph.resolve(SERVICE, item.namespace, written.service_name),
        service_port=backends.port(service, written.service_port) if service else None,
        protocol=Sourced(protocol, Origin.DERIVED, item.at("kind")),
        target=Sourced(TargetKind.POD, Origin.DEFAULT, place),
    )
