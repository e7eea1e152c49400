"""Ingresses that Contour serves. Sources are in projectcontour/contour: internal/dag/ingress_processor.go, policy.go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from msgspec.structs import replace

from ingress_lint.controllers.contour.annotations import ALLOW_HTTP, ANNOTATIONS, FORCE_SSL_REDIRECT
from ingress_lint.controllers.contour.envoy import (
    BY_ENVOY,
    GATEWAY,
    RESPONSE_TIMEOUT,
    STREAM_IDLE,
    Ports,
    keep_alive,
    service_protocol,
    timeout,
)
from ingress_lint.controllers.shared.base import (
    Claim,
    IngressController,
    IngressObject,
    PathContext,
    certificates,
    specified_path_match,
)
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.routes.answering import is_missing
from ingress_lint.routes.backends import BackendResolver
from ingress_lint.routes.broken_backends import UNAVAILABLE
from ingress_lint.routes.filters import RequestRedirect
from ingress_lint.routes.listeners import CertificateRef, Listener, ListenerTLS
from ingress_lint.routes.matches import PathMatch, PathMatchType
from ingress_lint.routes.model import Route
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, KeepAlive, Retries, Timeouts

_LOOKS_LIKE_REGEX: Final = frozenset("^+*[]%")
_BROKEN: Final = replace(UNAVAILABLE, missing=404, no_port=404)


class ContourIngresses(IngressController):
    """One run over one set: which hosts have a certificate is known before any route is made."""

    gateway: ClassVar[str] = GATEWAY

    def __init__(self, claims: Sequence[Claim]) -> None:
        self._certificates: dict[str, list[CertificateRef]] = {}
        self._listeners: dict[tuple[IngressObject, str], tuple[Listener, ...]] = {}
        for claim in claims:
            self._gather(claim.ingress)

    def _gather(self, ingress: IngressObject) -> None:
        namespace = ANNOTATIONS.reader(ingress).text("tls-cert-namespace")
        for certificate in certificates(ingress):
            found = replace(certificate, namespace=namespace.value) if namespace is not None else certificate
            for host in certificate.hosts:
                self._certificates.setdefault(host.value, []).append(found)

    def lower(self, graph: ObjectGraph, claims: Sequence[Claim], backends: BackendResolver) -> Iterator[Route]:
        """The route of each path, and the redirect to HTTPS where it is forced; the default backend first.

        Without its Service or its port, Contour makes nothing of a path.
        """
        for claim in claims:
            forced = self._forced(claim.ingress)
            for context in sorted(self.paths(graph, claim, backends), key=lambda item: not item.is_default):
                bare = self.route(graph, context)
                route = replace(
                    bare,
                    retries=_retries(claim.ingress),
                    broken=_BROKEN,
                    unmade=any(is_missing(backend) for backend in bare.backends),
                )
                yield route
                if forced is not None:
                    redirect = RequestRedirect(forced, 301, scheme="https")
                    plain = Ports(context.default_place()).plain(forced)
                    yield replace(route, listeners=(plain,), filters=(redirect,), backends=())

    @staticmethod
    def _forced(ingress: IngressObject) -> Place | None:
        on = ingress.annotations.get(FORCE_SSL_REDIRECT) == "true"
        return ingress.annotation_place(FORCE_SSL_REDIRECT) if on else None

    def listeners(self, graph: ObjectGraph, context: PathContext) -> tuple[Listener, ...]:
        """Port 80 unless HTTP is forbidden or only redirected, and 443 for a host that a TLS block names exactly.

        A route for any host is never served over TLS.
        """
        host = context.host.value if context.host else ""
        key = context.ingress, host
        if key not in self._listeners:
            self._listeners[key] = tuple(self._opened(context))
        return self._listeners[key]

    def _opened(self, context: PathContext) -> Iterator[Listener]:
        ports = Ports(context.default_place())
        ingress = context.ingress
        if self._forced(ingress) is None and ingress.annotations.get(ALLOW_HTTP) != "false":
            yield ports.plain(context.default_place())
        shown = tuple(self._certificates.get(context.host.value, ())) if context.host else ()
        if shown and context.host is not None:
            tls = ListenerTLS(Sourced("Terminate", Origin.DERIVED, shown[0].place), shown)
            yield ports.secure(context.host, tls)

    def path_match(self, graph: ObjectGraph, context: PathContext) -> Sourced[PathMatch]:
        """As specified; else a regular expression if it has any of `^+*[]%`, and by characters if not."""
        value = context.path_value or "/"
        regex = not _LOOKS_LIKE_REGEX.isdisjoint(value)
        if regex and context.path_type not in ("Exact", "Prefix"):
            why = "Contour takes a path with any of ^+*[]% for a regular expression"
            match = PathMatch(PathMatchType.REGULAR_EXPRESSION, value)
            return Sourced(match, Origin.DERIVED, context.place.at("path"), why)
        return specified_path_match(context, PathMatchType.STRING_PREFIX)

    def protocol(self, graph: ObjectGraph, context: PathContext) -> Sourced[AppProtocol]:
        """The Service's appProtocol, else its annotation."""
        return service_protocol(context.service, context.service_port, context.backend_place)

    def timeouts(self, graph: ObjectGraph, context: PathContext) -> Timeouts:
        """`response-timeout`, which has also been called request-timeout; 15 s."""
        reader = ANNOTATIONS.reader(context.ingress)
        written = reader.text("response-timeout") or reader.text("request-timeout")
        found = timeout(written.value, written.place) if written is not None else None
        absent = context.default_place()
        return Timeouts(
            read=Sourced(STREAM_IDLE, Origin.DEFAULT, absent, BY_ENVOY),
            request=found or Sourced(RESPONSE_TIMEOUT, Origin.DEFAULT, absent, BY_ENVOY),
        )

    def keep_alive(self, graph: ObjectGraph, context: PathContext) -> KeepAlive:
        """Envoy's."""
        retries = _retries(context.ingress)
        on = tuple(item.value for item in ANNOTATIONS.reader(context.ingress).items("retry-on"))
        return keep_alive(context.default_place(), retries, on, None)


def _retries(ingress: IngressObject) -> Retries | None:
    """`retry-on`, without which the other annotations on retries have no effect."""
    reader = ANNOTATIONS.reader(ingress)
    on = reader.text("retry-on")
    if on is None or not on.value:
        return None
    count = reader.integer("num-retries")
    return Retries(on.place, attempts=count.value if count is not None else None)
