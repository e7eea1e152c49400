"""Listener → Route → Match and Filter → BackendRef → ServicePort → Endpoint.

One vocabulary for every controller, the Gateway API's. Each value that a controller decides is `Sourced`: it says who
decided it and which text to point at. Times are in seconds, sizes in bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field

from ingress_lint.graph.resolution import Resolution
from ingress_lint.graph.workload import Workload, WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service, ServicePort
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.model import AnyObject, IntOrString, KubernetesObject
from ingress_lint.objects.workloads import ContainerPort
from ingress_lint.routes.broken_backends import SPECIFIED, BrokenBackends
from ingress_lint.routes.filters import (
    CORS,
    ExtensionFilter,
    FixedResponse,
    HeaderModifier,
    RequestRedirect,
    URLRedirect,
    URLRewrite,
)
from ingress_lint.routes.listeners import Listener, ProxyPort
from ingress_lint.routes.matches import Match
from ingress_lint.routes.remedies import UNKNOWN, Remedies
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import (
    AppProtocol,
    HealthCheck,
    KeepAlive,
    Retries,
    SourceAddress,
    TargetKind,
    Timeouts,
)
from ingress_lint.routes.verdicts import Fate, Verdict


class Endpoint(Struct, frozen=True):
    """Where a Service port leads in the pods of one workload.

    `number` is None where a named target port is declared by no container. `container` is the one that declares the
    port, else None: an undeclared port may still be open.
    """

    workload: Workload
    number: int | None
    container: WorkloadContainer | None = None
    port: ContainerPort | None = None
    port_place: Place | None = None


class ResolvedPort(Struct, frozen=True):
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
    def app_protocol_place(self) -> Place:
        """Where the port says what is spoken there, or else would: beside the port of the pods that it is said of."""
        if self.port.app_protocol:
            return self.at("appProtocol")
        return self.at("port" if self.port.target_port is None else "targetPort")

    @property
    def pod_port(self) -> int | None:
        """The number behind it on the pods, None where that is unknown or not the same on all."""
        numbers = {endpoint.number for endpoint in self.endpoints}
        if len(numbers) == 1:
            return numbers.pop()
        return self.target if isinstance(self.target, int) else None


class BackendTLS(Struct, frozen=True):
    """How the proxy opens TLS to a backend, and which names it takes from the certificate there."""

    policy: AnyObject
    hostname: Sourced[str]
    """The server name it asks for, and the one the certificate must carry unless there are `alternatives`."""
    alternatives: tuple[str, ...] = ()
    """Of these hosts and URIs the certificate must carry one."""
    usable: bool = True
    """Whether any certificate authority that the policy names can be read; without one every connection fails."""


class RequestMirror(Struct, frozen=True):
    """Sends a copy to another backend, whose answer is dropped."""

    place: Place
    backend: BackendRef
    share: float = 1.0
    required: bool = False
    """Whether requests are answered with an error where that backend is none."""


class ExternalAuth(Struct, frozen=True):
    """Asks a backend, or whatever answers at a URL, whether a request may pass."""

    place: Place
    backend: BackendRef | None = None
    url: str = ""
    """Where it asks, for a backend too where that is known; `$host` in it stands for the request's own host."""
    unclear: str = "clients get an error"
    """What clients get for an answer that is neither yes nor no."""
    login: str = ""
    """Where it sends those who may not pass, in the form of `url`; empty where they are turned away."""
    login_place: Place | None = None


Filter = (
    RequestRedirect
    | URLRedirect
    | URLRewrite
    | HeaderModifier
    | RequestMirror
    | CORS
    | ExternalAuth
    | ExtensionFilter
    | FixedResponse
)


class BackendRef(Struct, frozen=True):
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
    """The largest request body that is let through; None where there is no limit, or none is known."""
    header_limit: Sourced[int] | None = None
    """The largest header of a response that is taken from it; None where that is unknown, or far more than it sends."""
    proxy_protocol: Sourced[bool] | None = None
    """Whether each connection to it starts with a PROXY protocol header; None where that is unknown."""
    proxy_port: ProxyPort | None = None
    """What the pods behind it take where they are another controller's proxy."""
    arrives_from: Sourced[SourceAddress] | None = None
    """Whose address its packets carry when they arrive at the pod; None where that is unknown."""
    hairpin: Sourced[str] | None = None
    """What comes of a connection to the load balancer that a pod of the cluster opens; None where it works, or may."""
    filters: tuple[Filter, ...] = ()
    tls: BackendTLS | None = None
    """What is said of TLS towards it, None where nothing is; `protocol` tells whether TLS is spoken."""
    refusal: Verdict | None = None
    """Why its controller sends it nothing, None where it does."""
    unopened: Sourced[str] | None = None
    """How to let its controller open the targets to the load balancer, whose security groups or firewall are replaced at
    this place; None where something opens them, or nothing is replaced."""
    ungated: Sourced[str] | None = None
    """What lets a rollout wait until the load balancer takes a new pod; None where it waits, or that is unknown."""
    remedies: Remedies = UNKNOWN
    """How somebody tells its controller to treat it otherwise."""

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where its packets arrive, one for each workload behind the Service."""
        return self.service_port.endpoints if self.service_port else ()

    def __str__(self) -> str:
        port = f":{self.port.value}" if self.port else ""
        return f"{self.kind} {self.namespace}/{self.name}{port}"


class Attachment(Struct, frozen=True):
    """What a route needs beside its backends: a middleware, TLS options, the Secret of a login."""

    place: Place
    """Where the route names it."""
    kind: GroupKind
    namespace: str
    name: str
    object: Resolution[Any]
    consequence: str
    """What clients see where it is missing."""


class Front(Struct, frozen=True):
    """What leads from outside to the proxies of a route: a Service, and the load balancer that sends to it."""

    service: KubernetesObject[Service]
    gateway: str = "the load balancer"
    """The load balancer as people call it, where it is known."""
    backend: BackendRef | None = None
    """How the load balancer treats the proxies; None where it is not known which one it is."""
    ports: tuple[ProxyPort, ...] = ()
    """What the proxies take on the Service's ports, where nothing that sends there is known."""


class Route(Struct, frozen=True):
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
    allowed_by_peer: bool = False
    """Whether these are compared with the address that a connection comes from, or that a PROXY protocol header names,
    and with nothing that an HTTP header says; else that is unknown."""
    passthrough_refused: Sourced[str] | None = None
    """TLS passthrough that was asked for and is not given; the value says why."""
    priority: Sourced[int] | None = None
    """Of several routes that fit a request the highest wins; None where how exactly they match it decides."""
    attached: tuple[Attachment, ...] = ()
    proxies: tuple[Workload, ...] = ()
    """The workloads of the set whose pods send its requests to the backends; empty where they are not known."""
    fronts: tuple[Front, ...] = ()
    """What leads from outside to `proxies`, as far as the set shows it."""
    mesh: str = ""
    """The mesh that these are part of by what they are, such as Istio's own gateways; empty where that is not so."""
    service_accounts: tuple[tuple[str, str], ...] = ()
    """Namespace and name of the service accounts of proxies that their controller makes, so that no set holds them."""
    from_outside: bool = False
    """Whether what sends them stands outside of the cluster."""
    broken: BrokenBackends = SPECIFIED
    """What clients get where no backend can answer."""
    external_names_refused: str = ""
    """What comes of a backend of type ExternalName where its controller takes none; empty where it does, or may."""
    unmade: bool = False
    """Whether its controller makes no route of it for want of a backend, so that the next one that fits answers."""
    refusals: tuple[Verdict, ...] = ()
    """What its controller refuses of it and of what hangs on it, beside its listeners and backends."""

    @property
    def dropped(self) -> bool:
        """Whether its controller makes nothing of it, so that it gets no requests."""
        return self.unmade or any(refusal.known and refusal.fate is Fate.DROPPED for refusal in self.refusals)

    @property
    def gateway(self) -> str:
        """What clients connect to, as people call it."""
        return self.listeners[0].gateway if self.listeners else self.controller.value

    @property
    def all_backends(self) -> Iterator[BackendRef]:
        """Every backend that it names: those that answer, those that get copies, those that are asked.

        A Service that a URL leads to is none of them: the name is looked up in DNS, as any other host.
        """
        yield from self.backends
        if self.fallback is not None:
            yield self.fallback
        for steps in (self.filters, *[backend.filters for backend in self.backends]):
            for step in steps:
                asked = None
                if isinstance(step, RequestMirror) or (isinstance(step, ExternalAuth) and not step.url):
                    asked = step.backend
                if asked is not None:
                    yield asked

    @property
    def logins(self) -> tuple[ExternalAuth, ...]:
        """What is asked whether a request may pass."""
        return tuple([step for step in self.filters if isinstance(step, ExternalAuth)])

    @property
    def extensions(self) -> tuple[ExtensionFilter, ...]:
        """The filters that an object of its controller describes, its own and those of its backends."""
        groups = (self.filters, *[backend.filters for backend in self.backends])
        return tuple([step for steps in groups for step in steps if isinstance(step, ExtensionFilter)])

    def only_mirrors_to(self, backend: BackendRef) -> bool:
        """Whether a backend gets no more than copies of requests, so that no client notices when it fails."""
        required = [step.backend for step in self.filters if isinstance(step, RequestMirror) and step.required]
        asked = [step.backend for step in self.logins]
        return not any(item is backend for item in (*self.backends, self.fallback, *asked, *required))

    @property
    def assumed(self) -> bool:
        """Whether nothing in the manifests says which controller serves it."""
        return self.controller.origin is Origin.DEFAULT
