"""Which of several routes Contour puts first in a virtual host of Envoy (internal/sorter/sorter.go, routeSorter).

A virtual host is one host as it is written, of any depth where it is a wildcard; that only one label is meant is a
condition of its routes (internal/dag/dag.go, wildcardDomainHeaderMatch). Routes of equal conditions are one, of which the
last that is added stays (VirtualHost.AddRoute).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ingress_lint.routes import hostnames
from ingress_lint.routes.matches import PathMatchType, ValueMatch
from ingress_lint.routes.matching import Candidate, Conduct, Criterion, Reversed, exact_regex_prefix
from ingress_lint.routes.paths import ENVOY_MERGING

_ANYTHING: Final = ".*"


def _length(candidate: Candidate) -> int:
    """The length of a path, of a prefix without the slash at its end."""
    if candidate.match is None:
        return 0
    path = candidate.match.path.value
    return len(path.value.rstrip("/") if path.type is PathMatchType.PREFIX else path.value)


def _by_segments(candidate: Candidate) -> bool:
    path = candidate.match.path.value if candidate.match else None
    return path is not None and path.type is PathMatchType.PREFIX and path.value != "/"


def _values(wanted: Iterable[ValueMatch]) -> Reversed:
    """Orders conditions by names, then exact before pattern before presence."""
    return Reversed(sorted((item.name, _rank(item), item.value, item.inverted) for item in wanted))


def _rank(wanted: ValueMatch) -> int:
    if wanted.type == "Exact":
        return 0
    return 2 if wanted.value == _ANYTHING else 1


CONDUCT: Final = Conduct(
    (
        Criterion(lambda c: hostnames.specificity(c.hostname), "a more specific host"),
        Criterion(exact_regex_prefix, "an exact path before a regular expression before a prefix"),
        Criterion(_length, "a longer path"),
        Criterion(_by_segments, "a prefix of segments before one of characters"),
        Criterion(lambda c: len(c.match.headers) if c.match else 0, "more headers"),
        Criterion(lambda c: len(c.match.query) if c.match else 0, "more query parameters"),
        Criterion(lambda c: _values(c.match.headers if c.match else ()), "the header that comes first"),
        Criterion(lambda c: _values(c.match.query if c.match else ()), "the query parameter that comes first"),
        Criterion(lambda c: c.position, "the later of two routes with equal conditions"),
    ),
    hosts_apart=True,
    defaults_apart=True,
    one_label_wildcards=True,
    wildcards_shut_out=True,
    paths=ENVOY_MERGING,
)
"""Of Ingresses and HTTPProxies; a default backend is a rule for any host (ingress_processor.go, rulesFromSpec)."""
