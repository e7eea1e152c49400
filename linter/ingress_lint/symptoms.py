"""The vocabulary of symptoms: what people see of a fault, in the words of each proxy, and what those words mean.

A symptom is named once for all proxies; its patterns find it in whatever is pasted: a status, a log line, a flag, the
output of a client. Rules name the symptoms that their faults cause. Sources of the wording:

- response flags: https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage
- reason codes of targets: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
- `statusDetails`: https://cloud.google.com/load-balancing/docs/https/https-logging-monitoring
- statuses of an ALB: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from ingress_lint.values.patterns import deferred

_LONGEST: Final = 20_000
"""As many characters of a pasted text are read, so that a whole log costs no more than a part of it."""
_DISTINCT_FLAG: Final = deferred(r"U|NR")
"""How the flags begin that no other abbreviation in a log looks like."""


class Symptom(Struct, frozen=True):
    """Something that is seen of a fault. `pattern` finds it in text, in any case of letters."""

    name: str
    meaning: str
    pattern: str
    status: bool = False
    """Whether it is no more than an HTTP status, which says less than any log line."""

    def shows_in(self, text: str) -> bool:
        """Whether `text` tells of it."""
        return re.search(self.pattern, text[:_LONGEST], re.IGNORECASE) is not None


def matching(text: str) -> tuple[Symptom, ...]:
    """The symptoms that `text` tells of, in the order of the vocabulary."""
    stripped = text.strip()
    return tuple(symptom for symptom in SYMPTOMS.values() if symptom.shows_in(stripped))


def _status(code: str, meaning: str, *patterns: str) -> Symptom:
    """An HTTP status: its number, or its words."""
    return Symptom(code, meaning, "|".join((_number(code), *patterns)), status=True)


def _line(name: str, meaning: str, *patterns: str) -> Symptom:
    """A line of a log, or a message of a client; `name` itself finds it as well."""
    return Symptom(name, meaning, "|".join((rf"\b{re.escape(name)}\b", *patterns)))


def _number(code: str) -> str:
    """A status, and not the same number as a port, a size, a time, a process or a part of a name."""
    before = r'(?:(?<=status:)|(?<=code:)|(?<=error:)|(?<=":)|(?<![\w.:#/*-]))(?<!" \d\d\d )'
    return rf"{before}{code}(?![\w#%]|[.:]\d|-\d)"


def _flag(short: str, long: str) -> str:
    """A response flag of Envoy: alone, behind a status, or by its long name; in capitals only."""
    if _DISTINCT_FLAG.match(short):
        return rf"(?-i:(?<![\w.-]){short}(?![\w.-]))|\b{long}\b"
    several = rf"(?:[A-Z]+,)*{short}(?:,[A-Z]+)*"
    return rf"(?-i:^{several}$|(?:\b(?:\d{{3}}|0) |flags?\W{{1,4}}){several}(?=$|[\s\"']))|\b{long}\b"


_STATUSES: Final = (
    _status(
        "400",
        "what arrives is no request that the server understands, often TLS where none is expected or the reverse",
        "bad request",
    ),
    _status("403", "somebody on the way refuses the client", r"403 forbidden"),
    _status("404", "nobody serves this host and path, or the pod does not know the path", r"404 not found"),
    _status(
        "413",
        "the request's body is larger than a proxy on the way takes",
        r"(?:request entity|payload|content) too large",
        "client intended to send too large body",
    ),
    _status("421", "the request came by a connection that was opened for another host", "misdirected request"),
    _status(
        "499",
        "the client, or the proxy in front, gave up before the answer came",
        r"client prematurely closed connection",
        _number("460"),
        "client_disconnected_before_any_response",
        _flag("DC", "DownstreamConnectionTermination"),
        _flag("DR", "DownstreamRemoteReset"),
    ),
    _status(
        "500",
        "the proxy matches the request and has nobody to send it to, or fails at its own work",
        "internal server error",
    ),
    _status("502", "the proxy reached for the pod and got no valid answer", "bad gateway"),
    _status("503", "the proxy knows of no pod that may answer", r"service (?:temporarily )?unavailable"),
    _status("504", "the proxy waited for the pod longer than it may", r"gateway time-?out"),
)

_LINES: Final = (
    _line(
        "redirect-loop",
        "a redirect leads back to where it came from",
        _number("308"),
        r"too[ _]many[ _]redirects|maximum \(\d+\) redirects",
        r"redirect(?:ion)? loop|redirected you too many times",
    ),
    _line(
        "premature-close",
        "the pod closed the connection before it had answered",
        r"upstream prematurely closed",
        r"connection termination\b",
        r"backend_connection_closed_before_data_sent_to_client",
        r"empty reply from server",
        r"server closed (?:the )?(?:idle )?connection",
        r"(?:socket hang up|caused by: EOF|unexpected EOF)",
        _flag("UC", "UpstreamConnectionTermination"),
    ),
    _line(
        "connection-reset",
        "one side broke the connection off while it was in use",
        r"connection reset|econnreset",
        r"(?:remote|local) reset",
        _flag("UR", "UpstreamRemoteReset"),
        _flag("LR", "LocalReset"),
    ),
    _line(
        "connection-refused",
        "nobody listens at the address and port that the connection was for",
        r"connection refused",
        r"econnrefused",
    ),
    _line(
        "connection-failure",
        "the proxy could not open a connection to the pod: it was refused, not answered, or its handshake failed",
        r"(?:connection|connect) failure",
        r"failed_to_connect_to_backend",
        _flag("UF", "UpstreamConnectionFailure"),
    ),
    _line(
        "retries-exhausted",
        "the proxy tried again as often as it may, and failed each time",
        _flag("URX", "UpstreamRetryLimitExceeded"),
    ),
    _line(
        "connect-timeout",
        "packets that open the connection are dropped on the way, so that nobody answers",
        r"timed out.{0,40}while connecting to upstream",
        r"dial tcp.{0,80}i/o timeout",
        r"connection timeout",
        r"connect(?:ion)? timed out(?!\) while reading)",
        r"failed to connect to .{0,200}timed? ?out",
        r"etimedout",
    ),
    _line(
        "response-timeout",
        "the connection is open and the answer does not come in time",
        r"timed out.{0,40}while (?:reading (?:response|upstream)|sending request)",
        r"upstream request timeout",
        r"response[ _]timeout",
        r"backend_timeout",
        r"operation timed out after",
        r"context deadline exceeded",
        r"awaiting headers",
        _flag("UT", "UpstreamRequestTimeout"),
        _flag("SI", "StreamIdleTimeout"),
        _flag("DT", "DurationTimeout"),
        _flag("UMSDR", "UpstreamMaxStreamDurationReached"),
    ),
    _line(
        "no-healthy-upstream",
        "the load balancer knows of no pod, or calls none of them healthy",
        r"no healthy (?:upstream|host|backend|target)",
        r"no_healthy_upstream",
        r"failed_to_pick_backend",
        _flag("UH", "NoHealthyUpstream"),
    ),
    _line(
        "no-live-upstreams",
        "nginx failed with every pod in turn and tries none of them for a while",
        r"no live upstreams",
    ),
    _line(
        "no-endpoints",
        "the Service has no pods that the proxy could send to",
        r"does not have any active endpoint",
        r"no (?:ready )?endpoints? (?:available|found)",
        r"no available server",
        r"no endpoints available for service",
        r"<NOSRV>",
        r"failure to get a peer",
        r"no (?:registered )?targets?\b",
        r"endpoints:? +<none>",
    ),
    _line(
        "no-cluster",
        "the route leads to a Service or subset that the proxy knows nothing of",
        r"cluster_not_found",
        _flag("NC", "NoClusterFound"),
    ),
    _line(
        "no-route",
        "no route takes this host and path",
        r"route_not_found",
        r"no route (?:found|matched)",
        r"404 page not found",
        r"default backend - 404",
        r"backend NotFound",
        r"filter_chain_not_found",
        _flag("NR", "NoRouteFound"),
    ),
    _line(
        "check-wrong-status",
        "the pod answers the load balancer's health check with a status other than it expects",
        r"Target\.ResponseCodeMismatch",
        r"health checks? failed with these codes",
    ),
    _line(
        "check-failed",
        "the load balancer's health check gets no connection, or no answer that it understands",
        r"Target\.FailedHealthChecks",
        r"health checks failed(?! with these)",
        r"failed (?:the |active )?health ?checks?",
        r"failed_(?:active_)?hc",
        _flag("LH", "FailedLocalHealthCheck"),
    ),
    _line(
        "check-timeout",
        "the load balancer's health check is not answered in time",
        r"Target\.Timeout",
        r"health checks?.{0,20}(?:request timed out|time-?out)",
    ),
    _line(
        "probe-failed",
        "the kubelet's readiness or startup probe fails, so that the pod gets no requests",
        r"(?:readiness|startup) probe (?:failed|errored)",
    ),
    _line(
        "restart-loop",
        "the kubelet restarts the container again and again",
        r"crashloopbackoff",
        r"back-off restarting",
        r"liveness probe failed",
    ),
    _line(
        "wrong-version-number",
        "one side speaks TLS where the other expects plain text",
        r"wrong[ _]version[ _]number",
        r"ssl_do_handshake\(\) failed",
        r"does not look like a tls handshake",
        r"closed connection in ssl handshake",
        r"err_ssl_protocol_error",
        r"gave http response to https client",
        r"packet length too long",
        r"unknown protocol.{0,40}ssl|ssl.{0,40}unknown protocol",
    ),
    _line(
        "plain-http-to-https",
        "plain HTTP arrives where TLS is expected",
        r"plain http request was sent to https port",
        r"sent an http request to an https server",
    ),
    _line(
        "tls-handshake-timeout",
        "the connection opens, and the TLS handshake does not come to its end",
        r"(?:tls|ssl) handshake:? time-?out",
        r"(?:tls|ssl) handshake.{0,40}timed? ?out",
        r"timed? ?out.{0,40}(?:tls|ssl)[- ]handshak",
        r"timed out.{0,20}while ssl",
    ),
    _line(
        "wrong-certificate",
        "the certificate that is shown is not one for this host, or not one that the client trusts",
        r"fake certificate",
        r"traefik default cert",
        r"err_cert_|certificate (?:is|was) (?:not )?valid for",
        r"certificate has expired|self[- ]signed certificate|no alternative certificate subject",
        r"unable to get local issuer|certificate signed by unknown authority|certificate verify failed",
    ),
    _line(
        "conntrack-full",
        "a node drops packets of new connections, as its table of connections is full",
        r"nf_conntrack: (?:nf_conntrack: )?table full",
        r"conntrack.{0,20}\bfull\b",
        r"insert_failed",
    ),
    _line(
        "no-free-ports",
        "the proxy has no local port left for a further connection to the same pod",
        r"cannot assign requested address",
        r"eaddrnotavail",
    ),
    _line(
        "header-too-big",
        "the pod's answer, or the request, has larger headers than the proxy has room for",
        r"too big header",
        r"request header or cookie too large",
        r"header fields too large",
        _number("(?:431|494)"),
    ),
    _line(
        "broken-proxy-header",
        "one side sends or waits for the PROXY protocol and the other does not",
        r"broken header",
        r"proxy[ _]protocol",
    ),
    _line(
        "http-version-mismatch",
        "the proxy and the pod speak different versions of HTTP",
        r"no valid HTTP/1\.\d header",
        r"upstream (?:sent )?(?:invalid|protocol error|unsupported)",
        _number("464"),
        r"(?-i:\bUNAVAILABLE\b)",
        r"http2: .{0,40}(?:preface|frame)",
        r"failed_to_negotiate_alpn",
        _flag("UPE", "UpstreamProtocolError"),
        _flag("DPE", "DownstreamProtocolError"),
    ),
    _line(
        "name-not-resolved",
        "the proxy cannot find the address of the backend's name",
        r"could not be resolved",
        r"no such host",
        r"name or service not known",
        r"(?-i:\bENOTFOUND\b)",
        _flag("DF", "DnsResolutionFailed"),
    ),
    _line(
        "login-not-asked",
        "the login service does not say yes or no to the proxy's question",
        r"auth request unexpected status",
        r"ext_authz",
        _flag("UAEX", "UnauthorizedExternalService"),
    ),
    _line(
        "apply-refused",
        "the API server or a webhook does not take the object, so that what was there before goes on",
        r"error (?:validating|converting yaml)",
        r"unknown field",
        r"cannot unmarshal",
        r"no matches for kind",
        r"admission webhook .{0,80}denied",
        r'" is invalid: ',
        r"provided port is (?:already allocated|not in the valid range)",
    ),
    _line("hang", "bytes stop coming, and nobody says why", r"\b(?:hangs?|hanging|hung|stalls?|stalled)\b(?! up)"),
)

_LIMITS: Final = (
    _line(
        "circuit-open",
        "Envoy refuses the request, as it has as many open as its circuit breaker allows",
        r"upstream_overflow",
        r"reset reason: overflow",
        _flag("UO", "UpstreamOverflow"),
    ),
    _line(
        "rate-limited",
        "a rate limit refuses the request, or the service that counts for it fails",
        _number("429"),
        r"too many requests",
        _flag("RL", "RateLimited"),
        _flag("RLSE", "RateLimitServiceError"),
    ),
    _line(
        "overloaded",
        "Envoy sheds load to protect itself",
        r"overload manager",
        _flag("OM", "OverloadManagerTerminated"),
        _flag("DO", "DropOverload"),
        _flag("UDO", "UnconditionalDropOverload"),
    ),
    _line(
        "fault-injected",
        "a fault that somebody configured delays or ends the request",
        r"fault filter abort",
        _flag("DI", "DelayInjected"),
        _flag("FI", "FaultInjected"),
    ),
    _line(
        "invalid-envoy-header",
        "Envoy refuses the request for one of its own `x-envoy-` headers",
        _flag("IH", "InvalidEnvoyRequestHeaders"),
    ),
    _line("from-cache", "Envoy answers from its cache and asks nobody", _flag("RFCF", "ResponseFromCacheFilter")),
    _line(
        "no-filter-config",
        "Envoy has not got the configuration of one of its filters in time",
        _flag("NFCF", "NoFilterConfigFound"),
    ),
)
"""What proxies do of their own accord; the manifests of a route seldom show why."""

SYMPTOMS: Final[Mapping[str, Symptom]] = {symptom.name: symptom for symptom in (*_STATUSES, *_LINES, *_LIMITS)}
"""Every symptom by name, statuses first."""
