"""Whom a proxy asks by URL whether a request may pass: a Service of the cluster, or whatever answers elsewhere."""

from __future__ import annotations

from typing import Final

from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.group_kind import SERVICE
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.model import BackendRef
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, TargetKind
from ingress_lint.values.patterns import deferred
from ingress_lint.values.urls import server_url

_SERVICE_NAME: Final = deferred(r"([a-z0-9-]+)(?:\.([a-z0-9-]+)(?:\.svc(?:\.[a-z0-9.-]+)?)?)?")
_PORTS: Final = {"http": 80, "https": 443}


def asked_service(
    graph: ObjectGraph, backends: BackendResolver, url: str, namespace: str, place: Place
) -> BackendRef | None:
    """The Service that the host of a URL means in the cluster's DNS; None where it means another host.

    A name with fewer labels than `service.namespace.svc` is a Service's only where the set has that Service.
    """
    parsed = server_url(url)
    if parsed is None:
        return None
    parts, written = parsed
    found = _SERVICE_NAME.fullmatch(parts.hostname or "")
    if found is None or parts.scheme not in _PORTS:
        return None
    name, space = found[1], found[2] or namespace
    service = graph.service(space, name)
    if service is None and ".svc" not in found[0]:
        return None
    port = written or _PORTS[parts.scheme]
    protocol = AppProtocol.HTTPS if parts.scheme == "https" else AppProtocol.HTTP
    return BackendRef(
        place=place,
        kind="Service",
        group="",
        namespace=space,
        name=name,
        port=Sourced(port, Origin.EXPLICIT if written else Origin.DEFAULT, place, "the URL"),
        service=graph.resolve(SERVICE, space, name),
        service_port=backends.port(service, port) if service is not None else None,
        protocol=Sourced(protocol, Origin.DERIVED, place, "the scheme of the URL"),
        target=Sourced(TargetKind.CLUSTER_IP, Origin.DERIVED, place, "the URL names the Service"),
    )
