"""HTTPRouteFilters: answers, rewrites and matches by cookie that a rule takes from objects of Envoy Gateway's own.

envoyproxy/gateway:api/v1alpha1/httproutefilter_types.go, internal/gatewayapi/filters.go (processExtensionRefHTTPFilter).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.gateway_policies import CookieMatch, ExtendedFilter, ExtendedMatch
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.filters import ExtensionFilter, FixedResponse, URLRewrite
from ingress_lint.routes.matches import Match, ValueMatch
from ingress_lint.routes.model import Filter, Route
from ingress_lint.values.patterns import deferred

_KIND: Final = GroupKind("gateway.envoyproxy.io", "HTTPRouteFilter")
_GROUP: Final = deferred(r"\\([0-9])")


def with_route_filters(graph: ObjectGraph, route: Route) -> Route:
    """A rule with what the HTTPRouteFilters do that it names."""
    named = [found for step in route.extensions if (found := _named(graph, step, route)) is not None]
    groups = [group for item in named for group in item.body.spec.matches]
    return replace(
        route,
        matches=tuple(_narrowed(match, group) for match in route.matches for group in groups)
        if groups
        else route.matches,
        filters=tuple(found for step in route.filters for found in _steps(graph, step, route)),
    )


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
