"""The ports that F5 NGINX's own objects open, by their own words or by listeners of the GlobalConfiguration."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

from msgspec import Struct

from ingress_lint.controllers.nginx_inc.settings import GATEWAY, Installation, Settings
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.objects.nginx_inc import GlobalConfiguration, GlobalListener, TransportServer, VirtualServer
from ingress_lint.routes.listeners import CertificateRef, Listener, ListenerTLS
from ingress_lint.routes.sourced import Origin, Sourced

GROUP: Final = "k8s.nginx.org"
PASSTHROUGH: Final = "tls-passthrough"
_ANY_PORT: Final = 0


class ServerListeners(Struct, frozen=True):
    """Where clients reach a VirtualServer: `serving` leads to its routes, `plain` is without TLS."""

    serving: tuple[Listener, ...]
    plain: tuple[Listener, ...]


class Listeners:
    """The listeners of one graph."""

    def __init__(self, graph: ObjectGraph, installation: Installation) -> None:
        self._graph = graph
        self._installation = installation

    @cached_property
    def _global(self) -> dict[str, tuple[GlobalListener, Place]]:
        return {
            listener.name: (listener, item.at("spec", "listeners", index))
            for item in self._graph.of(GlobalConfiguration)
            for index, listener in enumerate(item.body.spec.listeners)
        }

    def _port(self, name: str, named: Place, default: int, absent: Place) -> Sourced[int]:
        """The port of a listener of the GlobalConfiguration; any where that is not in the set."""
        if not name:
            return Sourced(default, Origin.DEFAULT, absent, "the ports of the controller's Service")
        found = self._global.get(name)
        if found is None:
            why = f"listener `{name}` is defined in a GlobalConfiguration, which is not in this set"
            return Sourced(_ANY_PORT, Origin.DEFAULT, named, why)
        return Sourced(found[0].port, Origin.EXPLICIT, found[1].at("port"))

    def of_server(self, server: KubernetesObject[VirtualServer], *, usable: bool) -> ServerListeners:
        """Port 80, which only redirects by `tls.redirect`, and 443 with `tls`."""
        spec = server.body.spec
        absent = server.at("spec", "host")
        settings = Settings(self._installation, (), absent)
        names, place = spec.listener, server.at("spec", "listener")
        plain: tuple[Listener, ...] = ()
        secure: tuple[Listener, ...] = ()
        if names is None or names.http:
            port = self._port(names.http if names else "", place.at("http"), 80, absent)
            plain = (settings.listener(port, Sourced("HTTP", Origin.DEFAULT, absent), None, usable=usable),)
        if spec.tls is not None and (names is None or names.https):
            port = self._port(names.https if names else "", place.at("https"), 443, absent)
            at = server.at("spec", "tls")
            tls = ListenerTLS(
                Sourced("Terminate", Origin.EXPLICIT, at),
                tuple(_certificates(server, spec.tls.secret, at.at("secret"), spec.host)),
            )
            secure = (settings.listener(port, Sourced("HTTPS", Origin.EXPLICIT, at), tls, usable=usable),)
        redirect = spec.tls.redirect if spec.tls else None
        only_redirects = redirect is not None and redirect.enable and redirect.based_on == "scheme"
        return ServerListeners(secure if only_redirects else (*plain, *secure), plain)

    def of_transport(self, server: KubernetesObject[TransportServer], *, usable: bool) -> Listener:
        """The listener that a TransportServer names."""
        spec, place = server.body.spec, server.at("spec", "listener")
        host = Sourced(spec.host, Origin.EXPLICIT, server.at("spec", "host")) if spec.host else None
        if spec.listener.name == PASSTHROUGH:
            mode = ListenerTLS(Sourced("Passthrough", Origin.EXPLICIT, place.at("name")))
            port = Sourced(443, Origin.DEFAULT, place, "the ports of the controller's Service")
            protocol = Sourced("TLS", Origin.EXPLICIT, place.at("protocol"))
            return Listener(GATEWAY, port, protocol, host, mode, usable=usable, name=PASSTHROUGH)
        port = self._port(spec.listener.name, place.at("name"), _ANY_PORT, place)
        tls = None
        if spec.tls is not None and spec.tls.secret:
            at = server.at("spec", "tls")
            certificates = tuple(_certificates(server, spec.tls.secret, at.at("secret"), spec.host))
            tls = ListenerTLS(Sourced("Terminate", Origin.EXPLICIT, at), certificates)
        spoken = "TLS" if tls is not None else spec.listener.protocol.upper() or "TCP"
        protocol = Sourced(spoken, Origin.EXPLICIT, place.at("protocol"))
        return Listener(GATEWAY, port, protocol, host, tls, usable=usable, name=spec.listener.name)


def _certificates(item: KubernetesObject[Any], secret: str, place: Place, host: str) -> Iterator[CertificateRef]:
    if secret:
        hosts = (Sourced(host, Origin.EXPLICIT, item.at("spec", "host")),) if host else ()
        namespace, _, name = secret.rpartition("/")
        yield CertificateRef("Secret", namespace or item.namespace, name, place, hosts)
