"""The policies of its own that Envoy Gateway rejects, and what it rejects of the filters of a rule.

A policy with a fault is `Accepted: False`, reason `Invalid`, and each route that it is for answers 500 by itself
(envoyproxy/gateway:internal/gatewayapi/{backendtrafficpolicy,clienttrafficpolicy,securitypolicy,envoyextensionpolicy}.go,
"setting 500 direct response"), but for external authorization and processing that may fail open. A rule with a fault in
its filters does so too, and the route is `Accepted: False`, reason `UnsupportedValue` (filters.go).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from msgspec.structs import replace

from ingress_lint.controllers.shared.policies.rejected import (
    EACH,
    Inner,
    InnerReferences,
    Refused,
    Value,
    occurrences,
    spec,
    wrong_values,
)
from ingress_lint.controllers.shared.route_facts import RouteFacts
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.group_kind import CONFIG_MAP, SECRET, GroupKind
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.model import BackendRef
from ingress_lint.routes.verdicts import Fate, Verdict
from ingress_lint.values.addresses import network
from ingress_lint.values.durations import go_duration
from ingress_lint.values.expressions import fault
from ingress_lint.values.hosts import is_subdomain
from ingress_lint.values.sizes import quantity

_BY: Final = "Envoy Gateway"
_POLICY: Final = Refused(
    _BY, "Accepted: False, reason Invalid", "clients of the routes that it is for get 500", Fate.ANSWERED, 500
)
_RULE: Final = Refused(
    _BY, "Accepted: False, reason UnsupportedValue", "clients of this rule get 500", Fate.ANSWERED, 500
)
Check = Callable[[Any], str | None]
_TO_BACKEND: Final = Refused(_BY, "ResolvedRefs: False", "requests that go there get 500")
_ADDRESSES: Final = ("unix", "ip", "fqdn")
_UINT32: Final = 2**32 - 1
_INT32: Final = 2**31 - 1
_SMALLEST_WINDOW: Final = 65535


# -- values ---------------------------------------------------------------------------------------------------------------


def _duration(value: Any) -> str | None:
    known = isinstance(value, str) and go_duration(value.removeprefix("-")) is not None
    return None if known else "which is no duration such as `10s`"


def _interval(value: Any) -> str | None:
    return "which leaves no time at all" if isinstance(value, str) and go_duration(value) == 0 else None


def _count(value: Any) -> str | None:
    fits = not isinstance(value, int) or 0 <= value <= _UINT32
    return None if fits else f"which is not between 0 and {_UINT32}"


def _size(least: int, most: int) -> Check:
    """A check of quantities of whole bytes between two bounds."""

    def check(value: Any) -> str | None:
        number = quantity(value)
        if number is None:
            return None
        if number % 1:
            return "which is no whole number of bytes"
        return None if least <= number <= most else f"which is not between {least} and {most} bytes"

    return check


def _at_least_a_kibibyte(value: Any) -> str | None:
    number = quantity(value)
    return "which is below the least, 1 KiB per second" if number is not None and number < 1024 else None


def _cidr(value: Any) -> str | None:
    known = not isinstance(value, str) or (network(value) is not None and "/" in value)
    return None if known else "which is no range such as `10.0.0.0/8`"


def _expression(value: Any) -> str | None:
    """What is wrong with a header or query match by expression."""
    if (
        not isinstance(value, dict)
        or value.get("type") != "RegularExpression"
        or not isinstance(value.get("value"), str)
    ):
        return None
    why = fault(value["value"], "RE2")
    return f"has a regular expression that does not compile ({why})" if why else None


def _back_off(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    base, most = (go_duration(str(value.get(name) or "")) for name in ("baseInterval", "maxInterval"))
    return "sets `maxInterval` below its `baseInterval`" if base and most and most < base else None


def _values(check: Check, *paths: str) -> tuple[Value, ...]:
    """One check of several fields."""
    return tuple(Value(tuple(path.split(".")), check) for path in paths)


_OF_BACKENDS: Final = (
    *_values(
        _duration,
        "timeout.tcp.connectTimeout",
        "timeout.http.connectionIdleTimeout",
        "timeout.http.maxConnectionDuration",
        "timeout.http.requestTimeout",
        "timeout.http.maxStreamDuration",
        "timeout.http.streamIdleTimeout",
        "tcpKeepalive.idleTime",
        "tcpKeepalive.interval",
        "retry.perRetry.timeout",
    ),
    *_values(_interval, "retry.perRetry.backOff.baseInterval", "retry.perRetry.backOff.maxInterval"),
    *_values(_back_off, "retry.perRetry.backOff"),
    *_values(
        _count,
        "circuitBreaker.maxConnections",
        "circuitBreaker.maxParallelRequests",
        "circuitBreaker.maxPendingRequests",
        "circuitBreaker.maxParallelRetries",
        "circuitBreaker.maxRequestsPerConnection",
    ),
    *_values(_size(0, _UINT32), "connection.bufferLimit", "requestBuffer.limit"),
    *_values(_size(_SMALLEST_WINDOW, _INT32), "http2.initialStreamWindowSize", "http2.initialConnectionWindowSize"),
    *_values(_at_least_a_kibibyte, "bandwidthLimit.request.limit.value", "bandwidthLimit.response.limit.value"),
    *_values(
        _expression,
        "rateLimit.global.rules.*.clientSelectors.*.headers.*",
        "rateLimit.local.rules.*.clientSelectors.*.headers.*",
        "rateLimit.global.rules.*.clientSelectors.*.queryParams.*",
        "rateLimit.local.rules.*.clientSelectors.*.queryParams.*",
    ),
    *_values(
        _cidr,
        "rateLimit.global.rules.*.clientSelectors.*.sourceCIDR.value",
        "rateLimit.local.rules.*.clientSelectors.*.sourceCIDR.value",
    ),
)
_OF_CLIENTS: Final = (
    *_values(
        _duration,
        "timeout.tcp.idleTimeout",
        "timeout.tcp.tlsHandshakeTimeout",
        "timeout.tcp.connectionInspectionTimeout",
        "timeout.http.requestReceivedTimeout",
        "timeout.http.idleTimeout",
        "timeout.http.streamIdleTimeout",
        "timeout.http.requestHeadersReceivedTimeout",
        "tcpKeepalive.idleTime",
        "tcpKeepalive.interval",
        "connection.connectionLimit.closeDelay",
        "connection.maxConnectionDuration",
        "connection.maxStreamDuration",
    ),
    *_values(_size(0, _UINT32), "connection.bufferLimit"),
    *_values(_size(_SMALLEST_WINDOW, _INT32), "http2.initialStreamWindowSize", "http2.initialConnectionWindowSize"),
    *_values(_size(1024, 8192 * 1024), "headers.maxRequestHeaderLimit"),
)
_VALUES: Final = {
    "BackendTrafficPolicy": _OF_BACKENDS,
    "ClientTrafficPolicy": _OF_CLIENTS,
    "SecurityPolicy": _values(_cidr, "authorization.rules.*.principal.clientCIDRs.*"),
    "EnvoyExtensionPolicy": _values(_duration, "extProc.*.messageTimeout"),
}
"""By kind of policy. Durations of health checks and of slow starts that are none are passed over (clustersettings.go)."""


# -- references -------------------------------------------------------------------------------------------------------------


def _backends(*paths: str) -> tuple[Inner, ...]:
    """Backends, one by one or in a list."""
    fields = [path.split(".") for path in paths]
    return tuple(Inner(path) for way in fields for path in ((*way, "backendRefs", EACH), (*way, "backendRef")))


_INNER: Final = {
    "BackendTrafficPolicy": (
        Inner(("responseOverride", EACH, "response", "body", "valueRef"), CONFIG_MAP, ("response.body",), any_key=True),
    ),
    "SecurityPolicy": (
        Inner(("oidc", "clientSecret"), SECRET, ("client-secret",)),
        Inner(("oidc", "clientIDRef"), SECRET, ("client-id",)),
        Inner(("basicAuth", "users"), SECRET, (".htpasswd",)),
        Inner(("apiKeyAuth", "credentialRefs", EACH), SECRET),
        Inner(("jwt", "providers", EACH, "localJWKS", "valueRef"), CONFIG_MAP, ("jwks",), any_key=True),
        *_backends("extAuth.http", "extAuth.grpc", "oidc.provider", "jwt.providers.*.remoteJWKS"),
    ),
    "EnvoyExtensionPolicy": (
        Inner(("lua", EACH, "valueRef"), CONFIG_MAP, ("lua",), any_key=True),
        *_backends("extProc.*"),
    ),
}
"""By kind of policy (securitypolicy.go, envoyextensionpolicy.go, backendtrafficpolicy.go: a key, else the first one)."""


class Rejections:
    """Which policies of one graph are rejected, and why."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._inner = InnerReferences(graph)
        self._of_policies: dict[AnyObject, tuple[Verdict, ...]] = {}

    def of(self, policy: AnyObject) -> tuple[Verdict, ...]:
        """Why a policy is rejected."""
        if policy not in self._of_policies:
            found = (
                *wrong_values(policy, _VALUES.get(policy.kind, ()), _POLICY),
                *self._inner.broken(policy, _INNER.get(policy.kind, ()), _POLICY),
            )
            self._of_policies[policy] = tuple(_if_closed(policy, verdict) for verdict in found)
        return self._of_policies[policy]


def _if_closed(policy: AnyObject, verdict: Verdict) -> Verdict:
    """A verdict on what may fail open, which lets requests pass."""
    part = verdict.place.pointer[len(policy.base) + 1 :]
    asking = part[:2] if part[:1] == ("extProc",) else part[:1] if part[:1] == ("extAuth",) else ()
    whole = spec(policy).at(*asking)
    if not any(value is True for _, value in occurrences(whole, ("failOpen",))):
        return verdict
    message = verdict.message.replace(_POLICY.consequence, "requests pass without it, as it may fail open")
    return replace(verdict, message=message, fate=Fate.GOES_ON, status=None)


# -- filters --------------------------------------------------------------------------------------------------------------


def _header_name(value: Any) -> str | None:
    if value == "":
        return "and a header needs a name"
    if isinstance(value, str) and ("/" in value or ":" in value or value.lower() == "host"):
        return "and no filter changes Host, or a header with `/` or `:` in its name"
    return None


def _header_value(value: Any) -> str | None:
    words = value.replace("\t", " ").split(" ") if isinstance(value, str) else ()
    fits = all(word and word.isascii() and word.isprintable() for word in words)
    return None if fits else "which is no value of a header: words of ASCII with one space between them"


def _host(value: Any) -> str | None:
    return None if not isinstance(value, str) or is_subdomain(value) else "which is no host name in lower case"


def _scheme(value: Any) -> str | None:
    return None if value in ("http", "https") else "and only `http` and `https` are known"


def _both(value: Any) -> str | None:
    """What is wrong with a path modifier that sets what belongs to another type."""
    if not isinstance(value, dict):
        return None
    other = {"ReplaceFullPath": "replacePrefixMatch", "ReplacePrefixMatch": "replaceFullPath"}.get(
        str(value.get("type"))
    )
    return f"sets `{other}`, which its type does not take" if other is not None and value.get(other) else None


def _of_filters() -> Iterator[Value]:
    for modifier in ("requestHeaderModifier", "responseHeaderModifier"):
        way = ("filters", EACH, modifier)
        yield Value((*way, "remove", EACH), _header_name)
        for action in ("set", "add"):
            yield Value((*way, action, EACH, "name"), _header_name)
            yield Value((*way, action, EACH, "value"), _header_value)
    for rewriting in ("urlRewrite", "requestRedirect"):
        yield Value(("filters", EACH, rewriting, "hostname"), _host)
    yield Value(("filters", EACH, "requestRedirect", "scheme"), _scheme)
    yield Value(("filters", EACH, "urlRewrite", "path"), _both)


_FILTERS: Final = tuple(_of_filters())


_REWRITTEN: Final = (
    Value(
        ("filters", EACH, "urlRewrite", "path"),
        lambda _: "is set, and the path of one backend's requests cannot be rewritten",
    ),
)
_BACKEND: Final = GroupKind("gateway.envoyproxy.io", "Backend")


def refused_backend(graph: ObjectGraph, backend: BackendRef, owner: AnyObject) -> Verdict | None:
    """Why requests to a backend get 500: it is a socket, names IP addresses beside host names, or has its path rewritten.

    envoyproxy/gateway:internal/gatewayapi/validate.go, validateBackendRefBackend and validateBackendRefFilters; route.go,
    "mixed FQDN and IP or Unix address type".
    """
    reference = Place(backend.place.document, backend.place.pointer[:-1])
    rewritten = next(wrong_values(owner, _REWRITTEN, _TO_BACKEND, reference), None)
    item = graph.get(_BACKEND, backend.namespace, backend.name) if (backend.group, backend.kind) == _BACKEND else None
    if rewritten is not None or item is None:
        return rewritten
    found = {kind: [place for place, _ in occurrences(spec(item), ("endpoints", EACH, kind))] for kind in _ADDRESSES}
    if sockets := found["unix"]:
        wrong, why = sockets[0], "a socket, and no route may lead to one"
    elif found["ip"] and (names := found["fqdn"]):
        wrong, why = names[0], "host names beside IP addresses, and a Backend has either"
    else:
        return None
    return _TO_BACKEND.verdict(
        owner,
        backend.place,
        f"{owner.kind} `{owner.name}` sends requests to Backend `{item.name}`, which has {why}",
        related=((f"Backend `{item.name}`", wrong),),
    )


def refused_filters(facts: RouteFacts) -> Iterator[Verdict]:
    """What is rejected of the filters of a rule."""
    yield from wrong_values(facts.owner, _FILTERS, _RULE, facts.rule_place)
