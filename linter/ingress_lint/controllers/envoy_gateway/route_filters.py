"""What Envoy Gateway makes of the filters of a rule.

HTTPRouteFilters are answers, rewrites and matches by cookie. Of several changes of one header only the first counts, and
headers are removed before others are added. A match for a method takes the preflight requests of a CORS filter too.
envoyproxy/gateway:api/v1alpha1/httproutefilter_types.go, internal/gatewayapi/filters.go and route.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.gateway_policies import CookieMatch, ExtendedFilter, ExtendedMatch
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.filters import CORS, ExtensionFilter, FixedResponse, HeaderModifier, URLRewrite
from ingress_lint.routes.matches import Match, ValueMatch
from ingress_lint.routes.model import Filter, Route
from ingress_lint.values.patterns import deferred

_PREFLIGHT: Final = ("Origin", "Access-Control-Request-Method")
_KIND: Final = GroupKind("gateway.envoyproxy.io", "HTTPRouteFilter")
_GROUP: Final = deferred(r"\\([0-9])")


def as_translated(graph: ObjectGraph, route: Route) -> Route:
    """A rule with what its filters come to in Envoy."""
    named = [found for step in route.extensions if (found := _named(graph, step, route)) is not None]
    cookies = [group for item in named for group in item.body.spec.matches]
    steps = [found for step in route.filters for found in _steps(graph, step, route)]
    matches = route.matches
    if cookies:
        matches = tuple(_narrowed(match, group) for match in matches for group in cookies)
    elif any(isinstance(step, CORS) for step in steps):
        matches = (*matches, *_preflights(matches))
    return replace(route, matches=matches, filters=_with_first_headers(steps))


def _preflights(matches: Iterable[Match]) -> Iterator[Match]:
    for match in matches:
        if match.method not in (None, "OPTIONS"):
            asked = (ValueMatch(name, ".*", "RegularExpression") for name in _PREFLIGHT)
            yield replace(match, method="OPTIONS", headers=(*match.headers, *asked))


def _with_first_headers(steps: Iterable[Filter]) -> tuple[Filter, ...]:
    """The steps without what they say again of a header that they have added or set before."""
    changed: set[tuple[bool, str]] = set()
    found: list[Filter] = []
    for step in steps:
        if isinstance(step, HeaderModifier):
            added = tuple(_first(step.add, changed, of_response=step.of_response))
            kept = tuple(_first(step.set, changed, of_response=step.of_response))
            removed = replace(step, add=(), set=())
            found += [removed] if step.remove else []
            found.append(replace(step, add=added, set=kept, remove=()))
        else:
            found.append(step)
    return tuple(found)


def _first(
    written: Iterable[tuple[str, str]], changed: set[tuple[bool, str]], *, of_response: bool
) -> Iterator[tuple[str, str]]:
    for name, value in written:
        key = of_response, name.lower()
        if key not in changed:
            changed.add(key)
            yield name, value


def _named(graph: ObjectGraph, step: ExtensionFilter, route: Route) -> KubernetesObject[ExtendedFilter] | None:
    if (step.group, step.kind) != _KIND:
        return None
    return graph.named(ExtendedFilter, route.owner.namespace, step.name)


def _steps(graph: ObjectGraph, step: Filter, route: Route) -> Iterator[Filter]:
    found = _named(graph, step, route) if isinstance(step, ExtensionFilter) else None
    if found is None:
        yield step
        return
    written, place = found.body.spec, found.at("spec")
    if written.direct_response is not None:
        yield FixedResponse(place.at("directResponse"), written.direct_response.status_code)
    path = written.url_rewrite.path if written.url_rewrite else None
    if path is not None and path.replace_regex_match is not None:
        replaced = path.replace_regex_match
        new = _GROUP.sub(r"$\1", replaced.substitution)
        yield URLRewrite(place.at("urlRewrite", "path"), path=new, regex=replaced.pattern)


def _narrowed(match: Match, group: ExtendedMatch) -> Match:
    return replace(match, headers=(*match.headers, *map(_cookie, group.cookies)))


def _cookie(wanted: CookieMatch) -> ValueMatch:
    value = wanted.value if wanted.type == "RegularExpression" else re.escape(wanted.value)
    return ValueMatch("Cookie", rf"(.*;\s*)?{re.escape(wanted.name)}=(?:{value})\s*(;.*)?", "RegularExpression")
