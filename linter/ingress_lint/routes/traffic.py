"""How a proxy or load balancer treats a backend: what it speaks, how it checks, how long it waits.

Times are in seconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from ingress_lint.load.document import Place
from ingress_lint.objects.model import IntOrString
from ingress_lint.routes.sourced import Sourced


class AppProtocol(StrEnum):
    """What a proxy or load balancer speaks to the pod."""

    HTTP = "HTTP"
    HTTPS = "HTTPS"
    H2C = "H2C"
    HTTP2 = "HTTP2"
    """HTTP/2 over TLS."""
    GRPC = "GRPC"
    GRPCS = "GRPCS"
    FASTCGI = "FCGI"
    TCP = "TCP"
    TLS = "TLS"
    """TLS passed through, opened by the pod."""
    UDP = "UDP"
    AUTO = "AUTO"
    UNKNOWN = "UNKNOWN"

    @property
    def over_tls(self) -> bool:
        """Whether the pod must open TLS."""
        return self in (AppProtocol.HTTPS, AppProtocol.HTTP2, AppProtocol.GRPCS, AppProtocol.TLS)

    @property
    def plain(self) -> bool:
        """Whether the pod must speak without TLS."""
        return self in (AppProtocol.HTTP, AppProtocol.H2C, AppProtocol.GRPC, AppProtocol.FASTCGI)


class TargetKind(StrEnum):
    """What the load balancer sends packets to."""

    POD = "pod"
    NODE = "node"
    CLUSTER_IP = "cluster-ip"
    PASSED_THROUGH = "passed-through"
    """Nodes, at the address that the client asked for, so that no NodePort is needed."""
    NODE_OR_POD = "node-or-pod"
    """One of the two, as the cluster decides and the manifests do not tell."""


BY_KUBE_PROXY: Final = frozenset({TargetKind.NODE, TargetKind.CLUSTER_IP, TargetKind.PASSED_THROUGH})
"""Targets from which kube-proxy, or what stands for it, leads to the pods."""


class SourceAddress(StrEnum):
    """Whose address a packet carries."""

    CLIENT = "client"
    NODE = "node"
    """A node's, which kube-proxy puts in place of the sender's."""
    LOAD_BALANCER = "load-balancer"


class HealthCheck(Struct, frozen=True):
    """The active check that decides whether a target gets traffic; not the kubelet's probes.

    `by` names who asks. `port` is None for the traffic port. `codes` is as the load balancer writes it ("200-399").
    """

    by: str
    protocol: Sourced[str]
    """HTTP, HTTPS, HTTP2, TCP or GRPC."""
    path: Sourced[str] | None
    port: Sourced[IntOrString] | None
    codes: Sourced[str] | None
    interval: Sourced[float] | None = None
    timeout: Sourced[float] | None = None
    healthy_threshold: Sourced[int] | None = None
    unhealthy_threshold: Sourced[int] | None = None
    host: Sourced[str] | None = None
    target: TargetKind = TargetKind.POD
    resolved_port: int | None = None
    """The port the check reaches, on the pod for `POD` targets or on the node; None where that is unknown."""
    read_once: bool = False
    """Whether what it derives from the pods is read only when the check is made, and never again."""
    strict_timeout: bool = False
    """Whether a timeout that is not below the interval is refused."""
    skipped: Sourced[str] | None = None
    """The path that it asks for where, as was seen of some releases, it does not read what `path` is derived from."""
    sources: tuple[str, ...] = ()
    """The address ranges that it asks from where these are known beforehand, and the load balancer's requests too."""

    @property
    def asks_path(self) -> bool:
        """Whether it asks for a path, so that an application can answer wrongly."""
        return self.path is not None and self.protocol.value in ("HTTP", "HTTPS", "HTTP2")

    @property
    def notices_after(self) -> float | None:
        """How many seconds it takes at most to notice that a target fails; None where that is unknown."""
        if self.interval is None or self.unhealthy_threshold is None:
            return None
        return self.interval.value * self.unhealthy_threshold.value


class Timeouts(Struct, frozen=True):
    """How long the proxy waits. `read` is the longest silence it takes from the pod, `request` a total deadline."""

    connect: Sourced[float] | None = None
    read: Sourced[float] | None = None
    request: Sourced[float] | None = None
    attempt: Sourced[float] | None = None
    """A deadline for each try at a pod."""
    drain: Sourced[float] | None = None
    """How long requests under way may still take at a target that is taken out of rotation."""


class Retries(Struct, frozen=True):
    """When a proxy tries a request again; None leaves it to the proxy."""

    place: Place
    codes: tuple[int, ...] = ()
    attempts: int | None = None
    backoff: float | None = None


class KeepAlive(Struct, frozen=True):
    """How connections are kept. A None is unknown, which is not the same as off."""

    upstream_idle: Sourced[float] | None = None
    """How long an idle connection to the pod is kept for reuse; infinite is `float("inf")`."""
    upstream_connections: Sourced[int] | None = None
    """How many idle connections to pods are kept; 0 opens one for each request."""
    upstream_requests: Sourced[int] | None = None
    """After how many requests a connection to the pod is closed."""
    upstream_disabled: Sourced[str] | None = None
    """Set where each request gets a connection of its own; the value says how ("Connection: close in a snippet")."""
    client_idle: Sourced[float] | None = None
    client_requests: Sourced[int] | None = None
    retries_resets: bool = False
    """Whether the proxy hides a reset of a reused connection by trying again."""
    retries_idempotent: bool = False
    """Whether it does so for requests that may be repeated, such as GET; a POST then still fails."""

    @property
    def reuses_upstream(self) -> bool:
        """Whether a connection to a pod may carry a second request, as far as is known."""
        none_kept = self.upstream_connections is not None and self.upstream_connections.value == 0
        closed_after_one = self.upstream_requests is not None and self.upstream_requests.value == 1
        return self.upstream_disabled is None and not none_kept and not closed_after_one
