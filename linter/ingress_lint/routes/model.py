"""Listener → Route → Match and Filter → BackendRef → ServicePort → Endpoint.

One vocabulary for every controller, the Gateway API's. Each value that a controller decides is `Sourced`: it says who
decided it and which text to point at. Times are in seconds, sizes in bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Literal, TypeVar

from ingress_lint.graph.resolution import Resolution
from ingress_lint.graph.workload import Workload, WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service, ServicePort
from ingress_lint.objects.model import AnyObject, IntOrString, KubernetesObject
from ingress_lint.objects.workloads import ContainerPort
from ingress_lint.routes.verdicts import Verdict

T_co = TypeVar("T_co", covariant=True)


class Origin(StrEnum):
    """Who decided a value."""

    EXPLICIT = "explicit"
    """Somebody wrote it."""
    DERIVED = "derived"
    """The controller computes it from another field."""
    DEFAULT = "default"
    """Nobody wrote it."""


@dataclass(frozen=True, slots=True)
class Sourced(Generic[T_co]):
    """A value, who decided it, the text that decides it, and in words why (for `default` and `derived`).

    `place` of a default is where it would be set: the object whose annotation or field is absent.
    """

    value: T_co
    origin: Origin
    place: Place
    why: str = ""

    @property
    def explicit(self) -> bool:
        """Whether somebody wrote it."""
        return self.origin is Origin.EXPLICIT


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


@dataclass(frozen=True, slots=True)
class CertificateRef:
    """A certificate of a listener: a Secret (`namespace`, `name`), or one known by another `name` (an ARN).

    `namespace` is empty where it is unknown: some gateways look where their pods run.
    """

    kind: str
    namespace: str
    name: str
    place: Place
    hosts: tuple[Sourced[str], ...] = ()
    """The hosts that it is meant for."""


@dataclass(frozen=True, slots=True)
class ClientValidation:
    """How a listener checks the certificates of clients."""

    place: Place
    required: bool
    """Whether a client without a valid certificate is turned away."""
    usable: bool = True
    """Whether any certificate authority that it names can be read; without one no client gets in."""


@dataclass(frozen=True, slots=True)
class ListenerTLS:
    """How a listener treats TLS."""

    mode: Sourced[Literal["Terminate", "Passthrough"]]
    certificates: tuple[CertificateRef, ...] = ()
    clients: ClientValidation | None = None


@dataclass(frozen=True, slots=True)
class Listener:
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


class PathMatchType(StrEnum):
    """How a path is compared. The first three are the Gateway API's, the others are what controllers really do."""

    EXACT = "Exact"
    PREFIX = "PathPrefix"
    REGULAR_EXPRESSION = "RegularExpression"
    STRING_PREFIX = "StringPrefix"
    """By characters: /foo matches /foobar."""
    GLOB = "Glob"
    """With * and ?, as an ALB does; without them, exactly."""


@dataclass(frozen=True, slots=True)
class PathMatch:
    """A path and how it is compared."""

    type: PathMatchType
    value: str
    ignore_case: bool = False
    open_end: bool = False
    """Whether a regular expression need not match to the path's end."""


@dataclass(frozen=True, slots=True)
class ValueMatch:
    """A header or query parameter that must have a value, exactly or by regular expression."""

    name: str
    value: str
    type: Literal["Exact", "RegularExpression"] = "Exact"


@dataclass(frozen=True, slots=True)
class GRPCMethod:
    """The service and method of a gRPC call, as they are written; None is any. `Match.path` says the same as a path."""

    service: str | None
    method: str | None


@dataclass(frozen=True, slots=True)
class Match:
    """What a request must look like; every part must hold."""

    path: Sourced[PathMatch]
    headers: tuple[ValueMatch, ...] = ()
    query: tuple[ValueMatch, ...] = ()
    method: str | None = None
    grpc: GRPCMethod | None = None
    condition: str = ""
    """What else must hold and has no form here, as its controller writes it; whether it does is unknown."""


@dataclass(frozen=True, slots=True)
class RequestRedirect:
    """Answers with a redirect; a None keeps that part of the request's URL."""

    place: Place
    status: int = 302
    scheme: str | None = None
    host: str | None = None
    port: int | None = None
    path: str | None = None
    replace_prefix: bool = False


@dataclass(frozen=True, slots=True)
class URLRewrite:
    """Changes the host or path on the way to the backend. `path` may hold capture groups (`$1`) where `regex` is."""

    place: Place
    host: str | None = None
    path: str | None = None
    replace_prefix: bool = False
    regex: str | None = None


@dataclass(frozen=True, slots=True)
class HeaderModifier:
    """Changes headers on the way to the backend, or of the response."""

    place: Place
    set: tuple[tuple[str, str], ...] = ()
    add: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()
    of_response: bool = False


@dataclass(frozen=True, slots=True)
class RequestMirror:
    """Sends a copy to another backend, whose answer is dropped."""

    place: Place
    backend: BackendRef
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class FixedResponse:
    """Answers by itself; no backend sees the request."""

    place: Place
    status: int


@dataclass(frozen=True, slots=True)
class CORS:
    """Answers preflight requests by itself, and tells browsers who may read answers; times in seconds."""

    place: Place
    origins: tuple[str, ...]
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    credentials: bool = False
    max_age: int | None = None


@dataclass(frozen=True, slots=True)
class ExternalAuth:
    """Asks another backend whether a request may pass."""

    place: Place
    backend: BackendRef


@dataclass(frozen=True, slots=True)
class ExtensionFilter:
    """A step that only its implementation knows; what it does to a request is unknown."""

    place: Place
    group: str
    kind: str
    name: str


Filter = (
    RequestRedirect
    | URLRewrite
    | HeaderModifier
    | RequestMirror
    | CORS
    | ExternalAuth
    | ExtensionFilter
    | FixedResponse
)


@dataclass(frozen=True, slots=True)
class HealthCheck:
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

    @property
    def asks_path(self) -> bool:
        """Whether it asks for a path, so that an application can answer wrongly."""
        return self.path is not None and self.protocol.value in ("HTTP", "HTTPS", "HTTP2")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long the proxy waits. `read` is the longest silence it takes from the pod, `request` a total deadline."""

    connect: Sourced[float] | None = None
    read: Sourced[float] | None = None
    request: Sourced[float] | None = None
    attempt: Sourced[float] | None = None
    """A deadline for each try at a pod."""


@dataclass(frozen=True, slots=True)
class Retries:
    """When a proxy tries a request again; None leaves it to the proxy."""

    place: Place
    codes: tuple[int, ...] = ()
    attempts: int | None = None
    backoff: float | None = None


@dataclass(frozen=True, slots=True)
class KeepAlive:
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


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a Service port leads in the pods of one workload.

    `number` is None where a named target port is declared by no container. `container` is the one that declares the
    port, else None: an undeclared port may still be open.
    """

    workload: Workload
    number: int | None
    container: WorkloadContainer | None = None
    port: ContainerPort | None = None
    port_place: Place | None = None


@dataclass(frozen=True, slots=True)
class ResolvedPort:
    """The Service port that a backend names, with its place and the endpoints behind it."""

    service: KubernetesObject[Service]
    index: int
    port: ServicePort
    endpoints: tuple[Endpoint, ...]

    def at(self, *more: str | int) -> Place:
        """The place of one of the port's fields."""
        return self.service.at("spec", "ports", self.index, *more)

    @property
    def target(self) -> IntOrString:
        """The target port, which defaults to the port."""
        return self.port.port if self.port.target_port is None else self.port.target_port

    @property
    def pod_port(self) -> int | None:
        """The number behind it on the pods, None where that is unknown or not the same on all."""
        numbers = {endpoint.number for endpoint in self.endpoints}
        if len(numbers) == 1:
            return numbers.pop()
        return self.target if isinstance(self.target, int) else None


@dataclass(frozen=True, slots=True)
class BackendTLS:
    """How the proxy opens TLS to a backend, and which names it takes from the certificate there."""

    policy: AnyObject
    hostname: Sourced[str]
    """The server name it asks for, and the one the certificate must carry unless there are `alternatives`."""
    alternatives: tuple[str, ...] = ()
    """Of these hosts and URIs the certificate must carry one."""
    usable: bool = True
    """Whether any certificate authority that the policy names can be read; without one every connection fails."""


@dataclass(frozen=True, slots=True)
class BackendRef:
    """Where a route leads, and how its controller treats it.

    `port` is what the reference says, None where it names none. `service` answers whether the Service exists;
    `service_port` is None where Service or port is not there.
    """

    place: Place
    kind: str
    group: str
    namespace: str
    name: str
    port: Sourced[int | str] | None
    service: Resolution[Service]
    service_port: ResolvedPort | None
    protocol: Sourced[AppProtocol]
    target: Sourced[TargetKind]
    weight: int = 1
    health_check: HealthCheck | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)
    keep_alive: KeepAlive = field(default_factory=KeepAlive)
    body_limit: Sourced[int] | None = None
    proxy_protocol: Sourced[bool] | None = None
    """Whether each connection to it starts with a PROXY protocol header; None where that is unknown."""
    filters: tuple[Filter, ...] = ()
    tls: BackendTLS | None = None
    """What is said of TLS towards it, None where nothing is; `protocol` tells whether TLS is spoken."""
    refusal: Verdict | None = None
    """Why its controller sends it nothing, None where it does."""

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where its packets arrive, one for each workload behind the Service."""
        return self.service_port.endpoints if self.service_port else ()

    def __str__(self) -> str:
        port = f":{self.port.value}" if self.port else ""
        return f"{self.kind} {self.namespace}/{self.name}{port}"


@dataclass(frozen=True, slots=True)
class Attachment:
    """What a route needs beside its backends: a middleware, TLS options, the Secret of a login."""

    place: Place
    """Where the route names it."""
    kind: str
    namespace: str
    name: str
    object: Resolution[Any]
    consequence: str
    """What clients see where it is missing."""


@dataclass(frozen=True, slots=True)
class Route:
    """One rule of one object as its controller serves it: the same backends for a set of matches.

    `rule` is the index of the rule, and `place` where the rule stands. `hostnames` is empty for any host.
    """

    controller: Sourced[str]
    """Which controller serves it: explicit by class, derived from annotations or the set, else assumed (default)."""
    owner: AnyObject
    rule: int
    place: Place
    listeners: tuple[Listener, ...]
    hostnames: tuple[Sourced[str], ...]
    matches: tuple[Match, ...]
    backends: tuple[BackendRef, ...]
    filters: tuple[Filter, ...] = ()
    is_default: bool = False
    """Whether it answers only what no other route does."""
    first_match: int = 0
    """The index, within the rule, of the first of `matches`: an Ingress rule becomes one route a path."""
    retries: Retries | None = None
    fallback: BackendRef | None = None
    """What answers where the backends have no endpoints."""
    allowed_sources: tuple[Sourced[str], ...] = ()
    """The address ranges that may use it, all of them where it is empty."""
    passthrough_refused: Sourced[str] | None = None
    """TLS passthrough that was asked for and is not given; the value says why."""
    priority: Sourced[int] | None = None
    """Of several routes that fit a request the highest wins; None where how exactly they match it decides."""
    attached: tuple[Attachment, ...] = ()
    proxies: tuple[Workload, ...] = ()
    """The workloads of the set whose pods send its requests to the backends; empty where they are not known."""
    from_outside: bool = False
    """Whether what sends them stands outside of the cluster."""
    external_names_refused: str = ""
    """What comes of a backend of type ExternalName where its controller takes none; empty where it does, or may."""

    @property
    def gateway(self) -> str:
        """What clients connect to, as people call it."""
        return self.listeners[0].gateway if self.listeners else self.controller.value

    @property
    def all_backends(self) -> Iterator[BackendRef]:
        """Every backend that it names: those that answer, those that get copies, those that are asked."""
        yield from self.backends
        if self.fallback is not None:
            yield self.fallback
        steps = (*self.filters, *(step for backend in self.backends for step in backend.filters))
        yield from (step.backend for step in steps if isinstance(step, RequestMirror | ExternalAuth))

    def only_mirrors_to(self, backend: BackendRef) -> bool:
        """Whether a backend gets no more than copies of requests, so that no client notices when it fails."""
        return not any(item is backend for item in (*self.backends, self.fallback)) and not any(
            isinstance(step, ExternalAuth) and step.backend is backend for step in self.filters
        )

    @property
    def assumed(self) -> bool:
        """Whether nothing in the manifests says which controller serves it."""
        return self.controller.origin is Origin.DEFAULT


@dataclass(frozen=True, slots=True)
class Frontend:
    """What clients connect to: all listeners of one gateway, whether a route uses them or not."""

    owner: AnyObject
    listeners: tuple[Listener, ...]
    isolated: bool = True
    """Whether a request sees only the routes of the one listener that fits its host best."""
    hosts_apart: bool = False
    """Whether the routes of a less specific hostname never answer for a host that another route names better."""
