"""How Traefik talks to backends: scheme, timeouts, kept connections, and which certificates it takes.

traefik/traefik:docs/content/reference/routing-configuration/kubernetes/crd/http/serverstransport.md and
pkg/config/static/static_config.go. Go's client tries a request again when a kept connection turns out closed, if the
request may be repeated and has no body (golang/go:src/net/http/transport.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from ingress_lint.load.document import Place
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.objects.traefik import ServersTransport
from ingress_lint.routes.model import BackendTLS, ResolvedPort
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import AppProtocol, KeepAlive, Timeouts
from ingress_lint.values.durations import seconds_or_go

SCHEMES: Final[Mapping[str, AppProtocol]] = {
    "http": AppProtocol.HTTP,
    "https": AppProtocol.HTTPS,
    "h2c": AppProtocol.H2C,
}
_DIAL: Final = 30.0
_IDLE: Final = 90.0
_CLIENT_IDLE: Final = 180.0
_INFINITE: Final = float("inf")
_BY_TRAEFIK: Final = "Traefik's default"


def protocol(port: ResolvedPort | None, scheme: Sourced[str] | None, absent: Place) -> Sourced[AppProtocol]:
    """What somebody wrote, else TLS for Service port 443 or a port name that starts with `https`, else plain HTTP.

    pkg/provider/kubernetes/ingress/kubernetes.go, getProtocol; crd/kubernetes_http.go, parseServiceProtocol.
    """
    if scheme is not None and scheme.value:
        known = SCHEMES.get(scheme.value)
        if known is None:
            return Sourced(AppProtocol.UNKNOWN, Origin.EXPLICIT, scheme.place, f"`{scheme.value}` is no scheme")
        return Sourced(known, Origin.EXPLICIT, scheme.place)
    if port is None:
        return Sourced(AppProtocol.UNKNOWN, Origin.DEFAULT, absent, "the Service's port is not known")
    if port.port.port == 443:
        return Sourced(AppProtocol.HTTPS, Origin.DERIVED, port.at("port"), "as it does to Service port 443")
    if port.port.name.startswith("https"):
        why = "as it does to Service ports whose name starts with `https`"
        return Sourced(AppProtocol.HTTPS, Origin.DERIVED, port.at("name"), why)
    why = "the Service port is neither 443 nor named `https…`, and nothing sets a scheme"
    return Sourced(AppProtocol.HTTP, Origin.DEFAULT, absent, why)


class Transport(Struct, frozen=True):
    """A ServersTransport in force, or Traefik's own where `object` is None; `absent` is where one would be named."""

    object: KubernetesObject[ServersTransport] | None
    absent: Place

    def _time(self, name: str, field: str, default: float) -> Sourced[float]:
        """A time limit, infinite where it is 0."""
        timeouts = self.object.body.spec.forwarding_timeouts if self.object else None
        written = getattr(timeouts, field) if timeouts else None
        value = seconds_or_go(str(written)) if written is not None else None
        if self.object is None or value is None:
            place = self.object.at("spec") if self.object else self.absent
            return Sourced(default, Origin.DEFAULT, place, _BY_TRAEFIK)
        return Sourced(value or _INFINITE, Origin.EXPLICIT, self.object.at("spec", "forwardingTimeouts", name))

    @property
    def timeouts(self) -> Timeouts:
        """30 s to connect, and no limit on the answer."""
        return Timeouts(
            connect=self._time("dialTimeout", "dial_timeout", _DIAL),
            read=self._time("responseHeaderTimeout", "response_header_timeout", _INFINITE),
        )

    def keep_alive(self, client_idle: Sourced[str] | None) -> KeepAlive:
        """90 s towards pods; 180 s towards clients unless their entry point says otherwise."""
        limit = self.object.body.spec.max_idle_conns_per_host if self.object else None
        own = seconds_or_go(client_idle.value) if client_idle else None
        return KeepAlive(
            upstream_idle=self._time("idleConnTimeout", "idle_conn_timeout", _IDLE),
            upstream_connections=Sourced(limit, Origin.EXPLICIT, self.object.at("spec", "maxIdleConnsPerHost"))
            if self.object and limit
            else None,
            client_idle=Sourced(own, Origin.EXPLICIT, client_idle.place)
            if client_idle and own is not None
            else Sourced(_CLIENT_IDLE, Origin.DEFAULT, self.absent, _BY_TRAEFIK),
            retries_idempotent=True,
        )

    @property
    def tls(self) -> BackendTLS | None:
        """The server name that it asks for, where somebody wrote one."""
        if self.object is None or not self.object.body.spec.server_name:
            return None
        name = Sourced(self.object.body.spec.server_name, Origin.EXPLICIT, self.object.at("spec", "serverName"))
        return BackendTLS(self.object, name)
