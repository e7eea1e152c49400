"""Istio's objects, as far as a request from outside touches them (group networking.istio.io).

istio/api:networking/v1alpha3/{gateway,virtual_service,destination_rule,service_entry}.proto; every served version has the same fields. Every release adds some, so that
an unknown one is no mistake here.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import field

from ingress_lint.objects.model import Many, Model

ISTIO_GROUP: Final = "networking.istio.io"


# -- Gateway --------------------------------------------------------------------------------------------------------


class ServerPort(Model):
    """The port of a server. Its name tells servers apart in logs, nothing more."""

    number: int = 0
    name: str = ""
    protocol: str = ""


class ServerTLSSettings(Model):
    """How a server treats TLS; without a mode it passes TLS through, the first of the enumeration."""

    https_redirect: bool = False
    mode: str | None = None
    server_certificate: str = ""
    private_key: str = ""
    ca_certificates: str = ""
    credential_name: str = ""
    credential_names: Many[str] = ()
    ca_cert_credential_name: str = ""
    tls_certificates: Many[Any] = ()

    @property
    def names_certificate(self) -> bool:
        """Whether it says where its certificate comes from."""
        return bool(self.credential_name or self.credential_names or self.server_certificate or self.tls_certificates)


class Server(Model):
    """A port that a Gateway listens on, and the hosts that it takes there, each as `host` or `namespace/host`."""

    port: ServerPort = ServerPort()
    hosts: Many[str] = ()
    tls: ServerTLSSettings | None = None
    name: str = ""


class GatewaySpec(Model):
    """Servers, and the labels of the pods that open them."""

    selector: dict[str, Any] = field(default_factory=dict)
    servers: Many[Server] = ()


class Gateway(Model):
    """An Istio Gateway."""

    spec: GatewaySpec = GatewaySpec()


# -- VirtualService -------------------------------------------------------------------------------------------------


class StringMatch(Model):
    """A text to compare with; none of the three means that it must be there."""

    exact: str | None = None
    prefix: str | None = None
    regex: str | None = None


class L4Match(Model):
    """What every kind of match asks of where a connection comes in."""

    port: int | None = None
    source_labels: dict[str, Any] = field(default_factory=dict)
    source_namespace: str = ""
    gateways: Many[str] = ()


class HTTPMatchRequest(L4Match):
    """What a request must look like; every part must hold."""

    uri: StringMatch | None = None
    scheme: StringMatch | None = None
    method: StringMatch | None = None
    authority: StringMatch | None = None
    headers: dict[str, StringMatch] = field(default_factory=dict)
    without_headers: dict[str, StringMatch] = field(default_factory=dict)
    query_params: dict[str, StringMatch] = field(default_factory=dict)
    ignore_uri_case: bool = False


class PortSelector(Model):
    """A port of the destination."""

    number: int | None = None


class Destination(Model):
    """A host of the service registry: a Service by short or full name, or a host of a ServiceEntry."""

    host: str
    subset: str = ""
    port: PortSelector | None = None


class HeaderOperations(Model):
    """Changes to headers."""

    set: dict[str, str] = field(default_factory=dict)
    add: dict[str, str] = field(default_factory=dict)
    remove: Many[str] = ()


class Headers(Model):
    """Changes to the headers of requests and responses."""

    request: HeaderOperations | None = None
    response: HeaderOperations | None = None


class RouteDestination(Model):
    """A destination and its part of the connections."""

    destination: Destination
    weight: int = 0


class HTTPRouteDestination(RouteDestination):
    """A destination and its part of the requests."""

    headers: Headers | None = None


class HTTPRedirect(Model):
    """Answers with a redirect."""

    uri: str = ""
    authority: str = ""
    scheme: str = ""
    port: int | None = None
    derive_port: str | None = None
    redirect_code: int = 301


class HTTPDirectResponse(Model):
    """Answers by itself."""

    status: int


class Delegate(Model):
    """Another VirtualService whose rules stand here."""

    name: str = ""
    namespace: str = ""


class RegexRewrite(Model):
    """A path rewritten by an expression."""

    match: str = ""
    rewrite: str = ""


class HTTPRewrite(Model):
    """Changes the path and host on the way to the destination."""

    uri: str = ""
    authority: str = ""
    uri_regex_rewrite: RegexRewrite | None = None


class HTTPRetry(Model):
    """When a request is tried again."""

    attempts: int | None = None
    per_try_timeout: str | None = None
    retry_on: str = ""
    backoff: str | None = None


class Percent(Model):
    """A percentage, 0 to 100."""

    value: float = 0.0


class HTTPMirrorPolicy(Model):
    """A destination that gets copies."""

    destination: Destination
    percentage: Percent | None = None


class FaultAbort(Model):
    """Answers with an error instead."""

    http_status: int | None = None
    percentage: Percent | None = None


class HTTPFaultInjection(Model):
    """Faults on purpose."""

    abort: FaultAbort | None = None


class CorsPolicy(Model):
    """Cross-origin requests. `allow_origin` is the earlier form of `allow_origins`."""

    allow_origins: Many[StringMatch] = ()
    allow_origin: Many[str] = ()
    allow_methods: Many[str] = ()
    allow_headers: Many[str] = ()
    expose_headers: Many[str] = ()
    max_age: str | None = None
    allow_credentials: bool | None = None


class HTTPRoute(Model):
    """A rule for requests; of several the first that fits answers."""

    name: str = ""
    match: Many[HTTPMatchRequest] = ()
    route: Many[HTTPRouteDestination] = ()
    redirect: HTTPRedirect | None = None
    direct_response: HTTPDirectResponse | None = None
    delegate: Delegate | None = None
    rewrite: HTTPRewrite | None = None
    timeout: str | None = None
    retries: HTTPRetry | None = None
    fault: HTTPFaultInjection | None = None
    mirror: Destination | None = None
    mirrors: Many[HTTPMirrorPolicy] = ()
    mirror_percentage: Percent | None = None
    cors_policy: CorsPolicy | None = None
    headers: Headers | None = None


class TLSMatch(L4Match):
    """The server names of connections that the destination ends itself."""

    sni_hosts: Many[str] = ()


class TLSRoute(Model):
    """A rule for connections whose TLS the gateway passes through."""

    match: Many[TLSMatch] = ()
    route: Many[RouteDestination] = ()


class TCPRoute(Model):
    """A rule for connections of any content."""

    match: Many[L4Match] = ()
    route: Many[RouteDestination] = ()


class VirtualServiceSpec(Model):
    """Rules for some hosts. Without gateways they hold inside the mesh; without hosts they are for others to delegate to."""

    hosts: Many[str] = ()
    gateways: Many[str] = ()
    http: Many[HTTPRoute] = ()
    tls: Many[TLSRoute] = ()
    tcp: Many[TCPRoute] = ()
    export_to: Many[str] = ()


class VirtualService(Model):
    """A VirtualService."""

    spec: VirtualServiceSpec = VirtualServiceSpec()


# -- DestinationRule ------------------------------------------------------------------------------------------------


class TCPSettings(Model):
    """Connections to the destination."""

    connect_timeout: str | None = None
    idle_timeout: str | None = None


class HTTPSettings(Model):
    """Requests on connections to the destination."""

    max_requests_per_connection: int | None = None
    idle_timeout: str | None = None
    h2_upgrade_policy: str = field(default="DEFAULT", name="h2UpgradePolicy")
    use_client_protocol: bool = False


class ConnectionPoolSettings(Model):
    """How many connections there are, and how long they last."""

    tcp: TCPSettings | None = None
    http: HTTPSettings | None = None


class ClientTLSSettings(Model):
    """TLS towards the destination: DISABLE, SIMPLE, MUTUAL or ISTIO_MUTUAL."""

    mode: str = "DISABLE"
    sni: str = ""
    subject_alt_names: Many[str] = ()


class ProxyProtocol(Model):
    """The PROXY protocol header that each connection starts with."""

    version: str = "V1"


class PortTrafficPolicy(Model):
    """What holds for one port, in place of what holds for all."""

    port: PortSelector | None = None
    connection_pool: ConnectionPoolSettings | None = None
    outlier_detection: Any = None
    tls: ClientTLSSettings | None = None


class TrafficPolicy(Model):
    """How the proxy treats a destination."""

    connection_pool: ConnectionPoolSettings | None = None
    outlier_detection: Any = None
    tls: ClientTLSSettings | None = None
    port_level_settings: Many[PortTrafficPolicy] = ()
    proxy_protocol: ProxyProtocol | None = None


class Subset(Model):
    """Some of a destination's pods, by label."""

    name: str
    labels: dict[str, Any] = field(default_factory=dict)
    traffic_policy: TrafficPolicy | None = None


class DestinationRuleSpec(Model):
    """How proxies treat a host, and the subsets it has."""

    host: str = ""
    traffic_policy: TrafficPolicy | None = None
    subsets: Many[Subset] = ()


class DestinationRule(Model):
    """A DestinationRule."""

    spec: DestinationRuleSpec = DestinationRuleSpec()


# -- ServiceEntry ---------------------------------------------------------------------------------------------------


class ServiceEntrySpec(Model):
    """Hosts that are no Services."""

    hosts: Many[str] = ()


class ServiceEntry(Model):
    """A ServiceEntry."""

    spec: ServiceEntrySpec = ServiceEntrySpec()
