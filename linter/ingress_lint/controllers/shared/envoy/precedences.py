"""In what order implementations of the Gateway API try matches, where it is not as specified.

Envoy first chooses the virtual host of the most specific hostname, then the first route of it that fits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ingress_lint.routes import hostnames
from ingress_lint.routes.matches import PathMatchType, ValueMatch
from ingress_lint.routes.matching import (
    BY_AGE,
    Candidate,
    Criterion,
    Precedence,
    Reversed,
    age,
    exact_regex_prefix,
    path_length,
)


def _plain_length(candidate: Candidate) -> int:
    """The length of a path, 0 where it is `/` and takes every path."""
    path = candidate.match.path.value if candidate.match else None
    return 0 if path is None or (path.value == "/" and path.type is PathMatchType.PREFIX) else len(path.value)


def _plain_path_length(candidate: Candidate) -> int:
    """The length of a path that is no regular expression, 0 where it is one."""
    path = candidate.match.path.value if candidate.match else None
    return 0 if path is None or path.type is PathMatchType.REGULAR_EXPRESSION else len(path.value)


def _prefix_before_regex(candidate: Candidate) -> int:
    path = candidate.match.path.value if candidate.match else None
    if path is None or path.type is PathMatchType.REGULAR_EXPRESSION:
        return 0
    return 2 if path.type is PathMatchType.EXACT else 1


def _exact(wanted: Iterable[ValueMatch]) -> int:
    return sum(item.type == "Exact" for item in wanted)


_HOST: Final = Criterion(lambda c: hostnames.specificity(c.hostname), "a more specific hostname")
_KIND: Final = Criterion(exact_regex_prefix, "an exact path before a regular expression before a prefix")
ENVOY_GATEWAY: Final[Precedence] = (
    _HOST,
    _KIND,
    Criterion(_plain_length, "a longer path"),
    Criterion(lambda c: len(c.match.headers) + bool(c.match.method) if c.match else 0, "more headers"),
    Criterion(lambda c: _exact(c.match.headers) + bool(c.match.method) if c.match else 0, "more exact headers"),
    Criterion(lambda c: len(c.match.query) if c.match else 0, "more query parameters"),
    Criterion(lambda c: _exact(c.match.query) if c.match else 0, "more exact query parameters"),
    *BY_AGE,
)
"""envoyproxy/gateway:internal/gatewayapi/sort.go, where a method is a header."""
BY_KIND: Final[Precedence] = (
    _HOST,
    _KIND,
    Criterion(path_length, "a longer path"),
    Criterion(lambda c: bool(c.match and c.match.method), "a method"),
    Criterion(lambda c: len(c.match.headers) if c.match else 0, "more headers"),
    Criterion(lambda c: len(c.match.query) if c.match else 0, "more query parameters"),
    *BY_AGE,
)
"""projectcontour/contour:internal/sorter/sorter.go; of equal conditions the older route's stay (hasConflictRoute)."""
ISTIO: Final[Precedence] = (
    _HOST,
    Criterion(_prefix_before_regex, "an exact path before a prefix before a regular expression"),
    Criterion(path_length, "a longer path"),
    Criterion(lambda c: bool(c.match and c.match.method), "a method"),
    Criterion(lambda c: len(c.match.headers) if c.match else 0, "more headers"),
    Criterion(lambda c: len(c.match.query) if c.match else 0, "more query parameters"),
    *BY_AGE,
)
"""istio/istio:pilot/pkg/config/kube/gateway/conversion.go, sortHTTPRoutes."""
KGATEWAY: Final[Precedence] = (
    _HOST,
    _KIND,
    Criterion(_plain_path_length, "a longer path"),
    Criterion(lambda c: bool(c.match and c.match.method), "a method"),
    Criterion(lambda c: len(c.match.headers) if c.match else 0, "more headers"),
    Criterion(lambda c: len(c.match.query) if c.match else 0, "more query parameters"),
    *BY_AGE,
)
"""kgateway-dev/kgateway:internal/kgateway/translator/routeutils/sortable_route.go; no regular expression is longer."""


def _traefik_priority(candidate: Candidate) -> int:
    """traefik/traefik:pkg/provider/kubernetes/gateway/httproute.go, loadHTTPRoute and buildMatchRule."""
    route, match, path = candidate.route, candidate.match, candidate.match.path.value if candidate.match else None
    names = (hostnames.intersection(item.value, _listener_host(candidate)) or "" for item in route.hostnames)
    total = max(map(len, names), default=len(_listener_host(candidate)))
    total += len(getattr(route.owner.body.spec, "rules", ())) - route.rule
    if match is None or path is None:
        return total
    total += 1000 * (match.method is not None) + 100 * len(match.headers) + 10 * len(match.query)
    if path.type is PathMatchType.EXACT:
        return total + 100_000
    if path.type is PathMatchType.PREFIX and path.value == "/":
        return total + 1
    return total + 10_000 + 100 * len(path.value)


def _listener_host(candidate: Candidate) -> str:
    hostname = candidate.listener.hostname
    return hostname.value if hostname else hostnames.ANY


TRAEFIK: Final[Precedence] = (
    Criterion(_traefik_priority, "a higher sum of what its path, conditions and host count"),
    Criterion(lambda c: Reversed(age(c.route.owner)[0]), "the older object"),
    Criterion(lambda c: Reversed(age(c.route.owner)[1]), "the name that comes first in the alphabet"),
    Criterion(lambda c: -c.index, "the earlier match"),
)
