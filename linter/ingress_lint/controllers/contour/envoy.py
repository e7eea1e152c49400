"""What both of Contour's ways to write routes come to in Envoy: protocols, timeouts, retries, listeners.

Contour leaves Envoy's defaults in place: 15 s for a response, 5 minutes without a byte, 1 hour for an idle connection
to a pod (projectcontour/contour:site/content/docs/main/config/request-routing.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, Final

from msgspec import Struct

from ingress_lint.controllers.contour.annotations import ANNOTATIONS, PREFIX
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.contour import TLSCertificateDelegation
from ingress_lint.objects.core import Service
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.listeners import CertificateRef, Listener, ListenerTLS
from ingress_lint.routes.model import ResolvedPort
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, KeepAlive, Retries
from ingress_lint.values.durations import go_duration

CONTROLLER: Final = "contour"
GATEWAY: Final = "Contour"
GROUP: Final = "projectcontour.io"
RESPONSE_TIMEOUT: Final = 15.0
STREAM_IDLE: Final = 300.0
_UPSTREAM_IDLE: Final = 3600.0
_INFINITE: Final = float("inf")
BY_ENVOY: Final = "Envoy's default"
_BY_ANNOTATION: Final = {"tls": AppProtocol.HTTPS, "h2": AppProtocol.HTTP2, "h2c": AppProtocol.H2C}
_BY_APP_PROTOCOL: Final = {"https": AppProtocol.HTTPS, "kubernetes.io/h2c": AppProtocol.H2C}
_COVERS_RESETS: Final = frozenset({"5xx", "gateway-error", "reset", "reset-before-request"})


def written_protocol(name: str, place: Place) -> Sourced[AppProtocol]:
    """What `protocol` of a service says."""
    return Sourced(_BY_ANNOTATION[name], Origin.EXPLICIT, place)


def service_protocol(
    service: KubernetesObject[Service] | None, port: ResolvedPort | None, absent: Place
) -> Sourced[AppProtocol]:
    """What a Service says: appProtocol, which where it is set is all that counts, else the annotations by port.

    internal/dag/accessors.go, upstreamProtocol; an appProtocol that Contour does not know is plain HTTP.
    """
    if service is None or port is None:
        return Sourced(AppProtocol.HTTP, Origin.DEFAULT, absent)
    told = port.port.app_protocol
    if told is not None:
        known = _BY_APP_PROTOCOL.get(told)
        why = (
            "" if known or told in ("http", "kubernetes.io/ws") else f"appProtocol `{told}` means plain HTTP to Contour"
        )
        origin = Origin.DERIVED if why else Origin.EXPLICIT
        return Sourced(known or AppProtocol.HTTP, origin, port.at("appProtocol"), why)
    reader = ANNOTATIONS.reader(service)
    for wanted in filter(None, (port.port.name, str(port.port.port))):
        for name, protocol in _BY_ANNOTATION.items():
            for item in reader.items(f"upstream-protocol.{name}"):
                if item.value == wanted:
                    return Sourced(protocol, item.origin, item.place)
    why = f"no appProtocol and no {PREFIX}/upstream-protocol annotation on Service `{service.name}`"
    place = service.at("metadata", "annotations") if service.annotations else service.name_place
    return Sourced(AppProtocol.HTTP, Origin.DEFAULT, place, why)


def timeout(text: str, place: Place) -> Sourced[float] | None:
    """A timeout that somebody wrote; None for what leaves the default: nothing, zero, or what cannot be read."""
    if text in ("infinity", "infinite"):
        return Sourced(_INFINITE, Origin.EXPLICIT, place)
    value = go_duration(text)
    return Sourced(value, Origin.EXPLICIT, place) if value else None


def keep_alive(
    absent: Place, retries: Retries | None, retry_on: Iterable[str], idle: Sourced[float] | None
) -> KeepAlive:
    """Envoy's pool of connections to pods; only a retry policy hides that a kept one turned out closed."""
    hidden = retries is not None and bool(_COVERS_RESETS.intersection(retry_on))
    return KeepAlive(
        upstream_idle=idle or Sourced(_UPSTREAM_IDLE, Origin.DEFAULT, absent, BY_ENVOY),
        retries_resets=hidden,
        retries_idempotent=hidden,
    )


class Ports(Struct, frozen=True):
    """The listeners of one Contour: port 80, and 443 for the hosts that have a certificate or pass TLS through."""

    absent: Place
    """Where Envoy's Service would be written, as far as the object at hand goes."""

    def plain(self, place: Place, *, usable: bool = True) -> Listener:
        """Port 80."""
        return Listener(
            GATEWAY,
            Sourced(80, Origin.DEFAULT, self.absent, "the ports of Envoy's Service"),
            Sourced("HTTP", Origin.DEFAULT, place),
            usable=usable,
        )

    def secure(self, host: Sourced[str], tls: ListenerTLS, protocol: str = "HTTPS", *, usable: bool = True) -> Listener:
        """Port 443, of which each host has its own filter chain, which refuses other hosts (issue 5240)."""
        return Listener(
            GATEWAY,
            Sourced(443, Origin.DEFAULT, self.absent, "the ports of Envoy's Service"),
            Sourced(protocol, Origin.DERIVED, tls.mode.place),
            host,
            tls,
            usable=usable,
            misdirected="421",
        )


class Delegations:
    """Which Secrets a namespace lends to others, by its TLSCertificateDelegations."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph

    @cached_property
    def _by_namespace(self) -> dict[str, list[KubernetesObject[Any]]]:
        found: dict[str, list[KubernetesObject[Any]]] = {}
        for item in self._graph.of(TLSCertificateDelegation):
            found.setdefault(item.namespace, []).append(item)
        return found

    def known(self, namespace: str) -> bool:
        """Whether the set shows any delegation of a namespace."""
        return namespace in self._by_namespace

    def permits(self, namespace: str, secret: str, to: str) -> bool:
        """Whether a namespace lends a Secret to another (internal/dag/cache.go, DelegationPermitted)."""
        return namespace == to or any(
            delegation.secret_name == secret and any(target in ("*", to) for target in delegation.target_namespaces)
            for item in self._by_namespace.get(namespace, ())
            for delegation in item.body.spec.delegations
        )


def certificate(namespace: str, name: str, place: Place, hosts: tuple[Sourced[str], ...]) -> CertificateRef:
    """A Secret, maybe with its namespace before a slash."""
    other, _, own = name.rpartition("/")
    return CertificateRef("Secret", other or namespace, own, place, hosts)
