"""Contour's own objects, as far as a request's way touches them (group projectcontour.io).

projectcontour/contour:apis/projectcontour/v1/httpproxy.go and tlscertificatedelegation.go. Every release adds fields,
so that an unknown one is no mistake here.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import field

from ingress_lint.objects.model import Many, Model, Port


class HeaderMatchCondition(Model):
    """What a header must look like."""

    name: str
    present: bool = False
    not_present: bool = field(default=False, name="notpresent")
    contains: str = ""
    not_contains: str = field(default="", name="notcontains")
    exact: str = ""
    not_exact: str = field(default="", name="notexact")
    regex: str = ""
    ignore_case: bool = False
    treat_missing_as_empty: bool = False


class QueryParameterMatchCondition(Model):
    """What a query parameter must look like."""

    name: str
    exact: str = ""
    prefix: str = ""
    suffix: str = ""
    regex: str = ""
    contains: str = ""
    ignore_case: bool = False
    present: bool = False


class MatchCondition(Model):
    """One condition of a route or an include: a path, a header or a query parameter."""

    prefix: str = ""
    exact: str = ""
    regex: str = ""
    header: HeaderMatchCondition | None = None
    query_parameter: QueryParameterMatchCondition | None = None


class Include(Model):
    """Another HTTPProxy that serves what fits the conditions."""

    name: str
    namespace: str = ""
    conditions: Many[MatchCondition] = ()


class HeaderValue(Model):
    """A header with its value."""

    name: str
    value: str = ""


class HeadersPolicy(Model):
    """Changes of headers."""

    set: Many[HeaderValue] = ()
    remove: Many[str] = ()


class UpstreamValidation(Model):
    """How the certificate of a backend is checked."""

    ca_secret: str = ""
    subject_name: str = ""
    subject_names: Many[str] = ()


class Service(Model):
    """A Kubernetes Service as a backend. Where no service of a route has a weight all get the same."""

    name: str
    port: Port
    health_port: int | None = None
    protocol: Literal["h2", "h2c", "tls"] | None = None
    weight: int = 0
    validation: UpstreamValidation | None = None
    mirror: bool = False
    request_headers_policy: HeadersPolicy | None = None
    response_headers_policy: HeadersPolicy | None = None


class HTTPStatusRange(Model):
    """Statuses from `start` up to, and without, `end`."""

    start: int
    end: int


class HealthCheckPolicy(Model):
    """What Envoy asks the pods; times in seconds, and 0 is the default. Without a path, only for a connection."""

    path: str | None = None
    host: str = ""
    interval_seconds: int = 0
    timeout_seconds: int = 0
    unhealthy_threshold_count: int = 0
    healthy_threshold_count: int = 0
    expected_statuses: Many[HTTPStatusRange] = ()


class TimeoutPolicy(Model):
    """How long Envoy waits: durations as Go writes them, or `infinity`."""

    response: str = ""
    idle: str = ""
    idle_connection: str = ""


class RetryPolicy(Model):
    """When Envoy tries a request again."""

    count: int = 1
    per_try_timeout: str = ""
    retry_on: Many[str] = ()
    retriable_status_codes: Many[int] = ()


class ReplacePrefix(Model, kw_only=True):
    """What the prefix that a request matched is replaced by; without `prefix`, whatever it is."""

    prefix: str = ""
    replacement: str


class PathRewritePolicy(Model):
    """How the path is rewritten on its way to the pods."""

    replace_prefix: Many[ReplacePrefix] = ()


class RequestRedirectPolicy(Model):
    """Answers with a redirect."""

    scheme: str | None = None
    hostname: str | None = None
    port: int | None = None
    status_code: int = 302
    path: str | None = None
    prefix: str | None = None


class DirectResponsePolicy(Model):
    """Answers by itself."""

    status_code: int


class IPFilterPolicy(Model):
    """A range of client addresses."""

    cidr: str
    source: str = ""


class Route(Model):
    """What some requests of the host come to."""

    conditions: Many[MatchCondition] = ()
    services: Many[Service] = ()
    enable_websockets: bool = False
    permit_insecure: bool = False
    timeout_policy: TimeoutPolicy | None = None
    retry_policy: RetryPolicy | None = None
    health_check_policy: HealthCheckPolicy | None = None
    path_rewrite_policy: PathRewritePolicy | None = None
    request_headers_policy: HeadersPolicy | None = None
    response_headers_policy: HeadersPolicy | None = None
    request_redirect_policy: RequestRedirectPolicy | None = None
    direct_response_policy: DirectResponsePolicy | None = None
    ip_allow_policy: Many[IPFilterPolicy] = ()


class TCPProxyInclude(Model):
    """Another HTTPProxy whose `tcpproxy` counts."""

    name: str
    namespace: str = ""


class TCPProxy(Model):
    """Where connections lead, be TLS ended before or not."""

    services: Many[Service] = ()
    include: TCPProxyInclude | None = None
    includes: TCPProxyInclude | None = None
    health_check_policy: HealthCheckPolicy | None = None


class DownstreamValidation(Model):
    """How certificates of clients are checked."""

    ca_secret: str = ""
    skip_client_cert_validation: bool = False
    optional_client_certificate: bool = False


class TLS(Model):
    """How TLS of the virtual host is treated: ended with a certificate, or passed through."""

    secret_name: str = ""
    passthrough: bool = False
    client_validation: DownstreamValidation | None = None
    enable_fallback_certificate: bool = False


class CORSPolicy(Model, kw_only=True):
    """Who may read answers across origins."""

    allow_credentials: bool = False
    allow_origin: Many[str]
    allow_methods: Many[str] = ()
    allow_headers: Many[str] = ()
    expose_headers: Many[str] = ()
    max_age: str = ""


class ExtensionReference(Model):
    """An ExtensionService."""

    name: str = ""
    namespace: str = ""


class AuthorizationServer(Model):
    """Who is asked whether a request may pass."""

    extension_ref: ExtensionReference | None = None


class VirtualHost(Model):
    """The host of a root HTTPProxy."""

    fqdn: str
    tls: TLS | None = None
    cors_policy: CORSPolicy | None = None
    authorization: AuthorizationServer | None = None
    ip_allow_policy: Many[IPFilterPolicy] = ()


class HTTPProxySpec(Model):
    """A virtual host, or a part that others include."""

    virtualhost: VirtualHost | None = None
    ingress_class_name: str | None = None
    routes: Many[Route] = ()
    tcpproxy: TCPProxy | None = None
    includes: Many[Include] = ()


class HTTPProxy(Model):
    """An HTTPProxy."""

    spec: HTTPProxySpec = HTTPProxySpec()


class CertificateDelegation(Model):
    """A Secret, and the namespaces that may use it; `*` is all."""

    secret_name: str
    target_namespaces: Many[str] = ()


class TLSCertificateDelegationSpec(Model):
    """What a namespace lends to others."""

    delegations: Many[CertificateDelegation] = ()


class TLSCertificateDelegation(Model):
    """A TLSCertificateDelegation."""

    spec: TLSCertificateDelegationSpec = TLSCertificateDelegationSpec()


class ExtensionService(Model):
    """An ExtensionService; only that it exists matters here."""

    spec: Any = None
