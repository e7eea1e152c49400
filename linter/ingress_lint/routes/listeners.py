"""Where clients connect."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from ingress_lint.load.document import Place
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.sourced import Sourced


class CertificateRef(Struct, frozen=True):
    """A certificate of a listener: a Secret (`namespace`, `name`), or one known by another `name` (an ARN).

    `namespace` is empty where it is unknown: some gateways look where their pods run.
    """

    kind: str
    namespace: str
    name: str
    place: Place
    hosts: tuple[Sourced[str], ...] = ()
    """The hosts that it is meant for."""


class ClientValidation(Struct, frozen=True):
    """How a listener checks the certificates of clients."""

    place: Place
    required: bool
    """Whether a client without a valid certificate is turned away."""
    usable: bool = True
    """Whether any certificate authority that it names can be read; without one no client gets in."""


class ListenerTLS(Struct, frozen=True):
    """How a listener treats TLS."""

    mode: Sourced[Literal["Terminate", "Passthrough"]]
    certificates: tuple[CertificateRef, ...] = ()
    clients: ClientValidation | None = None


class Listener(Struct, frozen=True):
    """Where clients connect. `gateway` names what listens, as people call it ("ALB", "ingress-nginx")."""

    gateway: str
    port: Sourced[int]
    protocol: Sourced[str]
    """HTTP, HTTPS, TLS, TCP or UDP."""
    hostname: Sourced[str] | None = None
    """The host that it serves, None for any."""
    tls: ListenerTLS | None = None
    instance: str = ""
    """Which one it belongs to, where there are several of that name: each cloud load balancer is its own, so that
    routes of two of them never compete. Empty for a gateway that all its routes share."""
    name: str = ""
    place: Place | None = None
    """Where it is written, None where the controller opens it on its own."""
    usable: bool = True
    """Whether its controller opens it; a listener in conflict, or without a usable certificate, it does not."""
    takes_proxy_protocol: Sourced[bool] | None = None
    """Whether each connection must start with a PROXY protocol header; None where that is unknown."""
    trusts_forwarded: Sourced[bool] | None = None
    """Whether it believes the X-Forwarded-* headers of whatever stands in front; None where that is unknown."""
    misdirected: str = ""
    """What a request for another listener's host gets that comes over a TLS connection made for this one; empty where it
    is served, where there is no HTTP/2, or where that is unknown."""


class ProxyPort(Struct, frozen=True):
    """What a port of a controller's own pods takes from the load balancer in front of them; None is unknown."""

    gateway: str
    """Whose pods they are, as people call it."""
    tls: Sourced[bool] | None = None
    """Whether it opens TLS."""
    proxy_protocol: Sourced[bool] | None = None
    """Whether each connection must start with a PROXY protocol header."""


class Frontend(Struct, frozen=True):
    """What clients connect to: all listeners of one gateway, whether a route uses them or not."""

    owner: AnyObject
    listeners: tuple[Listener, ...]
    isolated: bool = True
    """Whether a request sees only the routes of the one listener that fits its host best."""
    opens_unused: bool = True
    """Whether it listens on ports that no route uses."""
    on_pods: bool = False
    """Whether the ports of its listeners are those of its pods, with no Service known that leads there from others."""
