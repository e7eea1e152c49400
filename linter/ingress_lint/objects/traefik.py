"""Traefik's own objects, as far as a request's way touches them (groups traefik.io and, before v3, traefik.containo.us).

traefik/traefik:pkg/provider/kubernetes/crd/traefikio/v1alpha1 and pkg/config/dynamic. Every release adds fields, so
that an unknown one is no mistake here.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import field

from ingress_lint.objects.model import IntOrString, Many, Model


class ObjectReference(Model):
    """A reference by name; without a namespace, to one of the same. A name with `@` is another provider's."""

    name: str
    namespace: str | None = None


class ServerHealthCheck(Model):
    """An active check, which works for ExternalName Services only; times in seconds or with a unit."""

    scheme: str = ""
    mode: str = ""
    path: str = ""
    status: int | None = None
    port: int | None = None
    interval: IntOrString | None = None
    timeout: IntOrString | None = None
    hostname: str = ""


class LoadBalancerSpec(ObjectReference):
    """A Kubernetes Service or a TraefikService as a backend."""

    kind: str = ""
    port: IntOrString | None = None
    scheme: str = ""
    pass_host_header: bool | None = None
    servers_transport: str = ""
    weight: int | None = None
    native_lb: bool | None = field(default=None, name="nativeLB")
    node_port_lb: bool = field(default=False, name="nodePortLB")
    health_check: ServerHealthCheck | None = None
    middlewares: Many[ObjectReference] = ()


class Domain(Model):
    """The names of a certificate to ask for."""

    main: str = ""
    sans: Many[str] = ()


class TLS(Model):
    """Ends TLS at the entry points. `passthrough` exists on IngressRouteTCP only."""

    secret_name: str = ""
    passthrough: bool = False
    options: ObjectReference | None = None
    store: ObjectReference | None = None
    cert_resolver: str = ""
    domains: Many[Domain] = ()


class RouteRule(Model):
    """What an HTTP router takes, and where it leads."""

    match: str
    kind: str = "Rule"
    priority: int = 0
    syntax: str = ""
    services: Many[LoadBalancerSpec] = ()
    middlewares: Many[ObjectReference] = ()


class IngressRouteSpec(Model, kw_only=True):
    """The HTTP routers of an IngressRoute."""

    ingress_class_name: str | None = None
    entry_points: Many[str] = ()
    routes: Many[RouteRule]
    tls: TLS | None = None
    parent_refs: Many[ObjectReference] = ()


class IngressRoute(Model):
    """An IngressRoute."""

    spec: IngressRouteSpec


class ProxyProtocol(Model):
    """The version of the PROXY protocol that a TCP backend gets."""

    version: int = 2


class ServiceTCP(ObjectReference):
    """A Kubernetes Service as the backend of connections."""

    port: IntOrString | None = None
    weight: int | None = None
    proxy_protocol: ProxyProtocol | None = None
    servers_transport: str = ""
    tls: bool = False
    native_lb: bool | None = field(default=None, name="nativeLB")
    node_port_lb: bool = field(default=False, name="nodePortLB")


class RouteTCP(Model):
    """What a TCP router takes, and where it leads."""

    match: str
    priority: int = 0
    syntax: str = ""
    services: Many[ServiceTCP] = ()
    middlewares: Many[ObjectReference] = ()


class IngressRouteTCPSpec(Model, kw_only=True):
    """The TCP routers of an IngressRouteTCP."""

    ingress_class_name: str | None = None
    entry_points: Many[str] = ()
    routes: Many[RouteTCP]
    tls: TLS | None = None


class IngressRouteTCP(Model):
    """An IngressRouteTCP."""

    spec: IngressRouteTCPSpec


class RouteUDP(Model):
    """Where a UDP router leads; it takes every packet of its entry points."""

    services: Many[ServiceTCP] = ()


class IngressRouteUDPSpec(Model, kw_only=True):
    """The UDP routers of an IngressRouteUDP."""

    ingress_class_name: str | None = None
    entry_points: Many[str] = ()
    routes: Many[RouteUDP]


class IngressRouteUDP(Model):
    """An IngressRouteUDP."""

    spec: IngressRouteUDPSpec


class Weighted(Model):
    """Backends that share the traffic."""

    services: Many[LoadBalancerSpec] = ()


class MirrorService(LoadBalancerSpec):
    """A backend that gets copies of a part of the requests, in percent."""

    percent: int = 0


class Mirroring(LoadBalancerSpec):
    """A backend whose requests are copied to others."""

    mirrors: Many[MirrorService] = ()


class Failover(Model):
    """A backend and the one that replaces it."""

    service: LoadBalancerSpec | None = None
    fallback: LoadBalancerSpec | None = None


class TraefikServiceSpec(Model):
    """One of the ways to combine backends."""

    weighted: Weighted | None = None
    mirroring: Mirroring | None = None
    highest_random_weight: Weighted | None = None
    failover: Failover | None = None


class TraefikService(Model):
    """A TraefikService."""

    spec: TraefikServiceSpec = TraefikServiceSpec()


class Prefix(Model):
    """A path to put in front."""

    prefix: str = ""


class StripPrefix(Model):
    """Paths to take away from the front."""

    prefixes: Many[str] = ()


class StripPrefixRegex(Model):
    """Regular expressions of what to take away from the front."""

    regex: Many[str] = ()


class ReplacePath(Model):
    """A path that replaces every other."""

    path: str = ""


class Replacement(Model):
    """A regular expression and what replaces its matches."""

    regex: str = ""
    replacement: str = ""
    permanent: bool = False


class RedirectRegex(Model):
    """A redirect by the whole URL."""

    regex: str = ""
    replacement: str = ""
    permanent: bool = False


class RedirectScheme(Model):
    """A redirect to another scheme, for requests that came by another."""

    scheme: str = ""
    port: str = ""
    permanent: bool = False


class SourceRange(Model):
    """The addresses that may pass."""

    source_range: Many[str] = ()
    ip_strategy: Any = None
    """How a client's address is found in X-Forwarded-For; that of the connection counts without."""


class Headers(Model):
    """Headers to change; an empty value removes one."""

    custom_request_headers: dict[str, str] = field(default_factory=dict)
    custom_response_headers: dict[str, str] = field(default_factory=dict)
    access_control_allow_credentials: bool = False
    access_control_allow_headers: Many[str] = ()
    access_control_allow_methods: Many[str] = ()
    access_control_allow_origin_list: Many[str] = ()
    access_control_allow_origin_list_regex: Many[str] = ()
    access_control_expose_headers: Many[str] = ()
    access_control_max_age: int | None = None
    ssl_redirect: bool = False
    ssl_temporary_redirect: bool = False


class ErrorPage(Model):
    """The backend that answers in place of some statuses."""

    status: Many[str] = ()
    service: LoadBalancerSpec | None = None
    query: str = ""


class SecretCredentials(Model):
    """The Secret that holds the credentials."""

    secret: str = ""


class ForwardAuth(Model):
    """The URL that is asked whether a request may pass."""

    address: str = ""


class Chain(Model):
    """Middlewares one after another."""

    middlewares: Many[ObjectReference] = ()


class Buffering(Model):
    """The largest request that is passed on, in bytes; 0 is any."""

    max_request_body_bytes: int = 0


class Retry(Model):
    """How often a request is tried where the backend does not answer."""

    attempts: int = 0


class MiddlewareSpec(Model):
    """One step that a request takes; exactly one field is set."""

    add_prefix: Prefix | None = None
    strip_prefix: StripPrefix | None = None
    strip_prefix_regex: StripPrefixRegex | None = None
    replace_path: ReplacePath | None = None
    replace_path_regex: Replacement | None = None
    redirect_regex: RedirectRegex | None = None
    redirect_scheme: RedirectScheme | None = None
    headers: Headers | None = None
    errors: ErrorPage | None = None
    chain: Chain | None = None
    ip_white_list: SourceRange | None = None
    ip_allow_list: SourceRange | None = None
    basic_auth: SecretCredentials | None = None
    digest_auth: SecretCredentials | None = None
    forward_auth: ForwardAuth | None = None
    buffering: Buffering | None = None
    retry: Retry | None = None
    plugin: dict[str, Any] | None = None


class Middleware(Model):
    """A Middleware."""

    spec: MiddlewareSpec = MiddlewareSpec()


class MiddlewareTCPSpec(Model):
    """One step that a connection takes."""

    ip_white_list: SourceRange | None = None
    ip_allow_list: SourceRange | None = None


class MiddlewareTCP(Model):
    """A MiddlewareTCP."""

    spec: MiddlewareTCPSpec = MiddlewareTCPSpec()


class ForwardingTimeouts(Model):
    """How long Traefik waits for a backend, in seconds or with a unit."""

    dial_timeout: IntOrString | None = None
    response_header_timeout: IntOrString | None = None
    idle_conn_timeout: IntOrString | None = None


class ServersTransportSpec(Model):
    """How Traefik connects to a backend."""

    server_name: str = ""
    insecure_skip_verify: bool = False
    max_idle_conns_per_host: int | None = None
    forwarding_timeouts: ForwardingTimeouts | None = None
    disable_http2: bool = field(default=False, name="disableHTTP2")


class ServersTransport(Model):
    """A ServersTransport."""

    spec: ServersTransportSpec = ServersTransportSpec()


class ClientAuth(Model):
    """How certificates of clients are checked."""

    secret_names: Many[str] = ()
    client_auth_type: (
        Literal[
            "NoClientCert",
            "RequestClientCert",
            "RequireAnyClientCert",
            "VerifyClientCertIfGiven",
            "RequireAndVerifyClientCert",
        ]
        | None
    ) = None


class TLSOptionSpec(Model):
    """How TLS is ended."""

    client_auth: ClientAuth | None = None
    sni_strict: bool = False


class TLSOption(Model):
    """A TLSOption."""

    spec: TLSOptionSpec = TLSOptionSpec()
