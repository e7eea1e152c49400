"""F5 NGINX Ingress Controller's own objects, as far as a request's way touches them (group k8s.nginx.org).

nginx/kubernetes-ingress:pkg/apis/configuration/v1/types.go. Every release adds fields, so that an unknown one is no
mistake here. Times and sizes are text as nginx writes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import field

from ingress_lint.objects.model import Many, Model, Port


class Switch(Model):
    """Something that is on or off."""

    enable: bool = False


class HealthCheck(Model):
    """What NGINX Plus asks the pods."""

    enable: bool = False
    path: str = ""
    interval: str = ""
    fails: int = 0
    passes: int = 0
    port: int | None = None
    tls: Switch | None = None
    connect_timeout: str = field(default="", name="connect-timeout")
    read_timeout: str = field(default="", name="read-timeout")
    status_match: str = ""


class Upstream(Model):
    """A Kubernetes Service as a backend; `service` may have its namespace before a slash."""

    name: str
    service: str
    port: Port
    type: str = ""
    keepalive: int | None = None
    connect_timeout: str = field(default="", name="connect-timeout")
    read_timeout: str = field(default="", name="read-timeout")
    next_upstream: str = field(default="", name="next-upstream")
    client_max_body_size: str = field(default="", name="client-max-body-size")
    buffer_size: str = field(default="", name="buffer-size")
    tls: Switch | None = None
    health_check: HealthCheck | None = None
    use_cluster_ip: bool = field(default=False, name="use-cluster-ip")
    slow_start: str = field(default="", name="slow-start")
    queue: Any = None


class ActionRedirect(Model):
    """Answers with a redirect; the URL may hold variables."""

    url: str
    code: int = 301


class ActionReturn(Model):
    """Answers by itself."""

    code: int = 200
    body: str = ""


class Header(Model):
    """A header with its value."""

    name: str
    value: str = ""


class ProxyRequestHeaders(Model):
    """Changes of a request's headers."""

    set: Many[Header] = ()


class ActionProxy(Model):
    """Leads to an upstream, with changes."""

    upstream: str
    rewrite_path: str = ""
    request_headers: ProxyRequestHeaders | None = None


class Action(Model):
    """What requests come to; one of these."""

    pass_: str = field(default="", name="pass")
    redirect: ActionRedirect | None = None
    return_: ActionReturn | None = field(default=None, name="return")
    proxy: ActionProxy | None = None


class Split(Model):
    """A part of the requests, in percent."""

    weight: int
    action: Action


class Condition(Model, kw_only=True):
    """What a header, cookie, argument or variable must be; `!` before the value means it must not."""

    header: str = ""
    cookie: str = ""
    argument: str = ""
    variable: str = ""
    value: str


class Match(Model):
    """What requests come to that fit all conditions."""

    conditions: Many[Condition]
    action: Action | None = None
    splits: Many[Split] = ()


class PolicyReference(Model):
    """A Policy by name."""

    name: str
    namespace: str = ""


class Route(Model):
    """A path, and what its requests come to: an action, splits, matches, or a VirtualServerRoute."""

    path: str
    route: str = ""
    route_selector: Any = None
    policies: Many[PolicyReference] = ()
    action: Action | None = None
    splits: Many[Split] = ()
    matches: Many[Match] = ()


class TLSRedirect(Model):
    """Sends plain requests to HTTPS."""

    enable: bool = False
    code: int = 301
    based_on: str = "scheme"


class TLS(Model):
    """Ends TLS; without a secret, with the controller's wildcard certificate if it has one."""

    secret: str = ""
    redirect: TLSRedirect | None = None
    cert_manager: Any = field(default=None, name="cert-manager")


class ListenerNames(Model):
    """Listeners of the GlobalConfiguration."""

    http: str = ""
    https: str = ""


class VirtualServerSpec(Model):
    """A host."""

    host: str = ""
    ingress_class_name: str = ""
    listener: ListenerNames | None = None
    tls: TLS | None = None
    policies: Many[PolicyReference] = ()
    upstreams: Many[Upstream] = ()
    routes: Many[Route] = ()
    internal_route: bool = False


class VirtualServer(Model):
    """A VirtualServer."""

    spec: VirtualServerSpec = VirtualServerSpec()


class VirtualServerRouteSpec(Model):
    """A part of a host."""

    host: str = ""
    ingress_class_name: str = ""
    upstreams: Many[Upstream] = ()
    subroutes: Many[Route] = ()


class VirtualServerRoute(Model):
    """A VirtualServerRoute."""

    spec: VirtualServerRouteSpec = VirtualServerRouteSpec()


class StreamListener(Model):
    """A listener of the GlobalConfiguration, or `tls-passthrough`."""

    name: str = ""
    protocol: str = ""


class StreamUpstream(Model):
    """A Kubernetes Service behind connections or packets."""

    name: str
    service: str
    port: Port


class StreamAction(Model):
    """Where connections lead."""

    pass_: str = field(default="", name="pass")


class StreamTLS(Model):
    """Ends TLS of connections."""

    secret: str = ""


class TransportServerSpec(Model):
    """What a listener for connections or packets leads to."""

    host: str = ""
    ingress_class_name: str = ""
    listener: StreamListener = StreamListener()
    tls: StreamTLS | None = None
    upstreams: Many[StreamUpstream] = ()
    action: StreamAction | None = None


class TransportServer(Model):
    """A TransportServer."""

    spec: TransportServerSpec = TransportServerSpec()


class GlobalListener(Model):
    """A port that nginx opens."""

    name: str
    port: Port
    protocol: str = "HTTP"
    ssl: bool = False


class GlobalConfigurationSpec(Model):
    """Settings of the controller."""

    listeners: Many[GlobalListener] = ()


class GlobalConfiguration(Model):
    """A GlobalConfiguration."""

    spec: GlobalConfigurationSpec = GlobalConfigurationSpec()


class AccessControl(Model):
    """Which client addresses may come in."""

    allow: Many[str] = ()


class PolicySpec(Model):
    """One of many things; only access control changes who gets in, as far as manifests tell."""

    access_control: AccessControl | None = None
    basic_auth: dict[str, Any] = field(default_factory=dict)
    jwt: dict[str, Any] = field(default_factory=dict)
    oidc: dict[str, Any] = field(default_factory=dict)
    api_key: dict[str, Any] = field(default_factory=dict)
    ingress_mtls: dict[str, Any] = field(default_factory=dict, name="ingressMTLS")
    egress_mtls: dict[str, Any] = field(default_factory=dict, name="egressMTLS")

    @property
    def secrets(self) -> Iterator[tuple[tuple[str, str], str]]:
        """The Secrets that it names, each with the field that does."""
        for part, written, key in (
            ("basicAuth", self.basic_auth, "secret"),
            ("jwt", self.jwt, "secret"),
            ("oidc", self.oidc, "clientSecret"),
            ("apiKey", self.api_key, "clientSecret"),
            ("ingressMTLS", self.ingress_mtls, "clientCertSecret"),
            ("egressMTLS", self.egress_mtls, "tlsSecret"),
            ("egressMTLS", self.egress_mtls, "trustedCertSecret"),
        ):
            name = written.get(key)
            if isinstance(name, str) and name:
                yield (part, key), name


class Policy(Model):
    """A Policy."""

    spec: PolicySpec = PolicySpec()
