"""Replaced prefixes with and without a slash at the end (projectcontour/contour:internal/dag/httpproxy_processor.go,
expandPrefixMatches).

A route that replaces `/api/` by `/v1/` takes `/api` too, for which Contour adds a route of its own; as that compares by
characters it takes `/apix` as well. It adds none where another route of the HTTPProxy has either form of the prefix.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from ingress_lint.routes.filters import URLRewrite
from ingress_lint.routes.matches import Match, PathMatch, PathMatchType
from ingress_lint.routes.model import Filter, Route
from ingress_lint.routes.sourced import Sourced


def in_both_forms(routes: Iterable[Route]) -> Iterator[Route]:
    """The routes of one HTTPProxy and of what it includes, those that replace a prefix with both of its forms."""
    found = list(routes)
    rules = {(id(route.owner), route.rule, form) for route in found for form in _forms(route)}
    counted = Counter(form for *_, form in rules)
    for route in found:
        alone = any(counted[form] == 1 for form in _forms(route))
        yield _widened(route) if alone and any(map(_replaces, route.filters)) else route


def _forms(route: Route) -> Iterator[str]:
    """The prefix of a route, without a slash at its end; none where it asks for every path."""
    for match in route.matches:
        path = match.path.value
        if path.type is PathMatchType.STRING_PREFIX and path.value != "/":
            yield path.value.rstrip("/")


def _replaces(step: Filter) -> bool:
    return isinstance(step, URLRewrite) and step.replace_prefix


def _widened(route: Route) -> Route:
    return replace(
        route,
        matches=tuple(replace(match, path=_bare(match)) for match in route.matches),
        filters=tuple(
            replace(step, path=(step.path or "").rstrip("/") or "/")
            if isinstance(step, URLRewrite) and step.replace_prefix
            else step
            for step in route.filters
        ),
    )


def _bare(match: Match) -> Sourced[PathMatch]:
    return replace(match.path, value=replace(match.path.value, value=match.path.value.value.rstrip("/")))
