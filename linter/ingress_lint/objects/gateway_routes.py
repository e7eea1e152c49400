"""The Gateway API's routes: HTTPRoute, GRPCRoute, TLSRoute, TCPRoute, UDPRoute, in every version there was.

kubernetes-sigs/gateway-api:apis/v1/httproute_types.go, grpcroute_types.go, tlsroute_types.go, shared_types.go
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from ingress_lint.objects.gateway import LocalObjectReference
from ingress_lint.objects.kinds import GATEWAY_GROUP
from ingress_lint.objects.model import ClosedModel, Many, Model, Port

Duration = Annotated[str, Meta(pattern=r"^([0-9]{1,5}(h|m|s|ms)){1,4}\Z")]
Weight = Annotated[int, Meta(ge=0, le=1_000_000)]
HTTPMethod = Literal["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]


class ParentReference(ClosedModel, kw_only=True):
    """What a route hangs on: a Gateway or ListenerSet, or a Service of a mesh."""

    group: str = GATEWAY_GROUP
    kind: str = "Gateway"
    name: str
    namespace: str | None = None
    section_name: str | None = None
    port: Port | None = None


class BackendObjectReference(ClosedModel, kw_only=True):
    """Where requests go: a Service, unless it says otherwise."""

    group: str = ""
    kind: str = "Service"
    name: str
    namespace: str | None = None
    port: Port | None = None


class BackendRef(BackendObjectReference):
    """A backend with its part of the traffic."""

    weight: Weight = 1


class HTTPHeader(ClosedModel):
    """A header to write."""

    name: str
    value: str


class HTTPHeaderFilter(ClosedModel):
    """Headers to write and to drop."""

    set: Many[HTTPHeader] = ()
    add: Many[HTTPHeader] = ()
    remove: Many[str] = ()


class Fraction(ClosedModel):
    """A part of the requests."""

    numerator: int
    denominator: int = 100


class HTTPRequestMirrorFilter(ClosedModel):
    """Sends copies of requests elsewhere."""

    backend_ref: BackendObjectReference
    percent: Annotated[int, Meta(ge=0, le=100)] | None = None
    fraction: Fraction | None = None


class HTTPPathModifier(ClosedModel):
    """A new path, or a new prefix for the one that matched."""

    type: Literal["ReplaceFullPath", "ReplacePrefixMatch"]
    replace_full_path: str | None = None
    replace_prefix_match: str | None = None


class HTTPRequestRedirectFilter(ClosedModel):
    """Answers with a redirect; what is absent stays as the client asked."""

    scheme: Literal["http", "https"] | None = None
    hostname: str | None = None
    path: HTTPPathModifier | None = None
    port: Port | None = None
    status_code: Literal[301, 302, 303, 307, 308] = 302


class HTTPURLRewriteFilter(ClosedModel):
    """Changes host and path on the way to the backend."""

    hostname: str | None = None
    path: HTTPPathModifier | None = None


class HTTPCORSFilter(ClosedModel):
    """Answers preflight requests, and tells browsers who may read answers."""

    allow_origins: Many[str] = ()
    allow_credentials: bool | None = None
    allow_methods: Many[str] = ()
    allow_headers: Many[str] = ()
    expose_headers: Many[str] = ()
    max_age: int = 5


class GRPCAuthConfig(ClosedModel):
    """What an authorisation server over gRPC is told."""

    allowed_headers: Many[str] = ()


class HTTPAuthConfig(ClosedModel):
    """What an authorisation server over HTTP is told."""

    path: str | None = None
    allowed_headers: Many[str] = ()
    allowed_response_headers: Many[str] = ()


class HTTPExternalAuthFilter(ClosedModel):
    """Asks another backend whether a request may pass."""

    protocol: Literal["HTTP", "GRPC"]
    backend_ref: BackendObjectReference
    grpc: GRPCAuthConfig | None = None
    http: HTTPAuthConfig | None = None
    forward_body: dict[str, Any] | None = None


class GRPCRouteFilter(ClosedModel):
    """A step that a call takes on its way."""

    type: Literal["RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "ExtensionRef"]
    request_header_modifier: HTTPHeaderFilter | None = None
    response_header_modifier: HTTPHeaderFilter | None = None
    request_mirror: HTTPRequestMirrorFilter | None = None
    extension_ref: LocalObjectReference | None = None


class HTTPRouteFilter(ClosedModel):
    """A step that a request takes on its way."""

    type: Literal[
        "RequestHeaderModifier",
        "ResponseHeaderModifier",
        "RequestMirror",
        "RequestRedirect",
        "URLRewrite",
        "CORS",
        "ExternalAuth",
        "ExtensionRef",
    ]
    request_header_modifier: HTTPHeaderFilter | None = None
    response_header_modifier: HTTPHeaderFilter | None = None
    request_mirror: HTTPRequestMirrorFilter | None = None
    request_redirect: HTTPRequestRedirectFilter | None = None
    url_rewrite: HTTPURLRewriteFilter | None = None
    cors: HTTPCORSFilter | None = None
    external_auth: HTTPExternalAuthFilter | None = None
    extension_ref: LocalObjectReference | None = None


class HTTPBackendRef(BackendRef):
    """A backend with steps of its own."""

    filters: Many[HTTPRouteFilter] = ()


class GRPCBackendRef(BackendRef):
    """A backend with steps of its own."""

    filters: Many[GRPCRouteFilter] = ()


class HTTPPathMatch(ClosedModel):
    """A path to compare."""

    type: Literal["Exact", "PathPrefix", "RegularExpression"] = "PathPrefix"
    value: str = "/"


class ValueMatch(ClosedModel, kw_only=True):
    """A header or query parameter to compare."""

    type: Literal["Exact", "RegularExpression"] = "Exact"
    name: str
    value: str


class HTTPRouteMatch(ClosedModel):
    """What a request must look like."""

    path: HTTPPathMatch | None = None
    headers: Many[ValueMatch] = ()
    query_params: Many[ValueMatch] = ()
    method: HTTPMethod | None = None


class GRPCMethodMatch(ClosedModel):
    """The gRPC service and method to compare; an absent one is any."""

    type: Literal["Exact", "RegularExpression"] = "Exact"
    service: str | None = None
    method: str | None = None


class GRPCRouteMatch(ClosedModel):
    """What a call must look like."""

    method: GRPCMethodMatch | None = None
    headers: Many[ValueMatch] = ()


class HTTPRouteTimeouts(ClosedModel):
    """Deadlines: of the whole request, and of one try at a backend. Zero is none."""

    request: Duration | None = None
    backend_request: Duration | None = None


class HTTPRouteRetry(ClosedModel):
    """When and how often a request is tried again."""

    codes: Many[int] = ()
    attempts: int | None = None
    backoff: Duration | None = None


class CookieConfig(ClosedModel):
    """How long a session's cookie lives."""

    lifetime_type: Literal["Permanent", "Session"] = "Session"


class SessionPersistence(ClosedModel):
    """Keeps the requests of one client on one pod."""

    session_name: str | None = None
    absolute_timeout: Duration | None = None
    idle_timeout: Duration | None = None
    type: Literal["Cookie", "Header"] = "Cookie"
    cookie_config: CookieConfig | None = None


class HTTPRouteRule(ClosedModel):
    """Matches, steps and backends; no matches means every path."""

    name: str | None = None
    matches: Many[HTTPRouteMatch] = ()
    filters: Many[HTTPRouteFilter] = ()
    backend_refs: Many[HTTPBackendRef] = ()
    timeouts: HTTPRouteTimeouts | None = None
    retry: HTTPRouteRetry | None = None
    session_persistence: SessionPersistence | None = None


class GRPCRouteRule(ClosedModel):
    """Matches, steps and backends; no matches means every method."""

    name: str | None = None
    matches: Many[GRPCRouteMatch] = ()
    filters: Many[GRPCRouteFilter] = ()
    backend_refs: Many[GRPCBackendRef] = ()
    session_persistence: SessionPersistence | None = None


class ConnectionRule(ClosedModel):
    """The backends of a connection."""

    name: str | None = None
    backend_refs: Many[BackendRef] = ()


class RouteSpec(ClosedModel):
    """What every route has."""

    parent_refs: Many[ParentReference] = ()
    use_default_gateways: Literal["All", "None"] | None = None


class HTTPRouteSpec(RouteSpec):
    """An HTTPRoute's routing."""

    hostnames: Many[str] = ()
    rules: Many[HTTPRouteRule] = (HTTPRouteRule(),)


class GRPCRouteSpec(RouteSpec):
    """A GRPCRoute's routing."""

    hostnames: Many[str] = ()
    rules: Many[GRPCRouteRule] = ()


class TLSRouteSpec(RouteSpec):
    """A TLSRoute's routing, by the server name that the client asks for."""

    hostnames: Many[str] = ()
    rules: Many[ConnectionRule] = ()


class ConnectionRouteSpec(RouteSpec):
    """A TCPRoute's or UDPRoute's routing."""

    rules: Many[ConnectionRule] = ()


class HTTPRoute(Model):
    """An HTTPRoute."""

    spec: HTTPRouteSpec = HTTPRouteSpec()


class GRPCRoute(Model):
    """A GRPCRoute."""

    spec: GRPCRouteSpec = GRPCRouteSpec()


class TLSRoute(Model):
    """A TLSRoute."""

    spec: TLSRouteSpec


class TCPRoute(Model):
    """A TCPRoute."""

    spec: ConnectionRouteSpec


class UDPRoute(Model):
    """A UDPRoute."""

    spec: ConnectionRouteSpec


AnyRoute = HTTPRoute | GRPCRoute | TLSRoute | TCPRoute | UDPRoute
