"""Routes that hand requests to other HTTPRoutes, as kgateway has it: these take what their parent's match leaves them.

kgateway-dev/kgateway:internal/kgateway/translator/httproute/delegation.go and delegation_helpers.go. A child has no
hostnames of its own. A match of it counts where it asks for all that the parent's asks for, and a path below its path; or
else, where an annotation says so, it is joined to the parent's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from ingress_lint.objects.gateway_routes import HTTPRoute
from ingress_lint.objects.kinds import GATEWAY_GROUP
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.matches import Match, PathMatchType
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.sourced import Origin

_DELEGATING: Final = "kgateway"
_BY_LABEL: Final = "delegation.kgateway.dev"
_LABEL: Final = "delegation.kgateway.dev/label"
_INHERITING: Final = (
    "delegation.kgateway.dev/inherit-parent-matcher",
    "delegation.gateway.solo.io/inherit-parent-matcher",
)
_TRUE: Final = ("true", "yes", "enabled")
_MOST: Final = 20_000
"""Routes of a set that are followed to children: a tree that doubles at each level ends here."""


class Delegation:
    """The HTTPRoutes of one graph that others may hand requests to."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = list(routes)
        self._children: defaultdict[str, list[AnyObject]] = defaultdict(list)
        self._rules: defaultdict[AnyObject, list[Route]] = defaultdict(list)
        for route in self._routes:
            if route.owner.kind == HTTPRoute.__name__ and not route.listeners and not route.hostnames:
                if route.owner not in self._rules:
                    self._children[route.owner.namespace].append(route.owner)
                self._rules[route.owner].append(route)
        self._left = _MOST

    def followed(self) -> Iterator[Route]:
        """All routes, those that hand on requests followed by what takes them in their place."""
        taken: set[AnyObject] = set()
        found: list[Route] = []
        for route in self._routes:
            if route.listeners:
                own = list(self._below(route, (route.owner,)))
                taken.update(item.owner for item in own)
                found += [self._handed_on(route, (route.owner,)), *own]
            else:
                found.append(route)
        return (route for route in found if route.listeners or route.owner not in taken)

    def _below(self, parent: Route, visited: tuple[AnyObject, ...]) -> Iterator[Route]:
        if parent.controller.value != _DELEGATING:
            return
        for backend in parent.backends:
            for child in self._named(backend):
                if child in visited or not _accepts(child, parent.owner):
                    continue
                for rule in self._rules[child]:
                    found = _delegated(rule, parent)
                    if found is None or not self._left:
                        continue
                    self._left -= 1
                    chain = (*visited, child)
                    yield self._handed_on(found, chain)
                    yield from self._below(found, chain)

    def _handed_on(self, route: Route, chain: tuple[AnyObject, ...]) -> Route:
        """A route, which takes nothing itself where it hands requests to others, be it in a circle."""
        above = {(item.namespace, item.name) for item in chain}
        hands_on = any((item.namespace, item.name) in above or self._named(item) for item in route.backends)
        delegating = route.controller.value == _DELEGATING and all(map(_is_route, route.backends))
        return replace(route, unmade=True) if delegating and hands_on else route

    def _named(self, backend: BackendRef) -> list[AnyObject]:
        """The children that a backend stands for: one by name, all of a namespace, or those with a label."""
        everywhere = backend.group == _BY_LABEL and backend.namespace == "all"
        spaces = self._children.values() if everywhere else [self._children.get(backend.namespace, [])]
        if backend.group == _BY_LABEL:
            return [child for space in spaces for child in space if child.labels.get(_LABEL) == backend.name]
        if not _is_route(backend):
            return []
        return [child for space in spaces for child in space if backend.name in ("*", child.name)]


def _is_route(backend: BackendRef) -> bool:
    return backend.group == _BY_LABEL or (backend.group, backend.kind) == (GATEWAY_GROUP, HTTPRoute.__name__)


def _accepts(child: AnyObject, parent: AnyObject) -> bool:
    """Whether a child names the parent, where it names any."""
    references = child.body.spec.parent_refs
    return not references or any(
        (item.group, item.kind, item.name, item.namespace or child.namespace)
        == (GATEWAY_GROUP, HTTPRoute.__name__, parent.name, parent.namespace)
        for item in references
    )


def _delegated(rule: Route, parent: Route) -> Route | None:
    """A rule of a child as its parent's matches leave it; None where they leave nothing."""
    inherits = any(rule.owner.annotations.get(key, "").lower() in _TRUE for key in _INHERITING)
    matches = tuple(
        found
        for outer in parent.matches
        for match in rule.matches
        if (found := _joined(outer, match) if inherits else _within(outer, match)) is not None
    )
    if not matches:
        return None
    return replace(
        rule,
        controller=parent.controller,
        listeners=parent.listeners,
        hostnames=parent.hostnames,
        matches=matches,
        filters=(*parent.filters, *rule.filters),
    )


def _within(outer: Match, match: Match) -> Match | None:
    """A match that asks for all that the outer one does; None where it does not."""
    path = outer.path.value
    fits = (
        path.type is PathMatchType.PREFIX
        and match.path.value.value.startswith(path.value)
        and set(outer.headers) <= set(match.headers)
        and set(outer.query) <= set(match.query)
        and outer.method in (None, match.method)
    )
    return match if fits else None


def _joined(outer: Match, match: Match) -> Match:
    """A match with what the outer one asks for besides, its path below the outer one's."""
    if match.path.origin is Origin.DEFAULT:
        path = outer.path
    else:
        below = f"{outer.path.value.value.rstrip('/')}/{match.path.value.value.lstrip('/')}"
        path = replace(match.path, value=replace(match.path.value, value=below))
    return replace(
        match,
        path=path,
        headers=tuple(dict.fromkeys((*match.headers, *outer.headers))),
        query=tuple(dict.fromkeys((*match.query, *outer.query))),
        method=match.method or outer.method,
    )
