"""What rules find in one set, by what they look at: an object, a route, or the set as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ingress_lint.finding import Finding
from ingress_lint.manifests import ManifestSet
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.model import Route
from ingress_lint.rule import Rule


class SetLinter:
    """Runs rules on a set. Objects that only resolve references are passed over."""

    def __init__(self, manifest_set: ManifestSet, rules: Sequence[Rule]) -> None:
        self._set = manifest_set
        self._graph = manifest_set.graph
        self._per_object = overriding(rules, "check_object")
        self._per_route = overriding(rules, "check_route")
        self._per_verdict = overriding(rules, "check_verdict")
        self._per_set = overriding(rules, "check_set")

    def everything(self) -> Iterator[Finding]:
        """All that the rules find."""
        for item in self._graph.objects:
            yield from self.of_object(item)
        for route in self._set.routes:
            yield from self.of_route(route)
        yield from self.of_whole()

    def of_object(self, item: AnyObject) -> Iterator[Finding]:
        """What they find in one object."""
        if item.document.reported:
            for rule in self._per_object:
                yield from rule.check_object(item, self._graph)

    def of_route(self, route: Route) -> Iterator[Finding]:
        """What they find on one route."""
        if route.owner.document.reported:
            for rule in self._per_route:
                yield from rule.check_route(route, self._graph)

    def of_whole(self) -> Iterator[Finding]:
        """What controllers refuse, and what no single object or route shows."""
        if self._per_verdict and self._set.verdicts:
            yield from self._of_verdicts()
        for rule in self._per_set:
            yield from rule.check_set(self._graph, self._set.routes)

    def _of_verdicts(self) -> Iterator[Finding]:
        """What controllers refuse, without what the routes' own backends show."""
        routes = self._set.routes
        first_routes = {route.owner: route for route in reversed(routes)}
        of_backends = {
            (refusal.reason, refusal.place)
            for route in routes
            for backend in route.all_backends
            if (refusal := backend.refusal) is not None
        }
        for verdict in self._set.verdicts:
            if verdict.object.document.reported and (verdict.reason, verdict.place) not in of_backends:
                for rule in self._per_verdict:
                    yield from rule.check_verdict(verdict, first_routes.get(verdict.object), self._graph)


def overriding(rules: Sequence[Rule], method: str) -> list[Rule]:
    """The rules that look at what `method` shows them."""
    return [rule for rule in rules if getattr(type(rule), method) is not getattr(Rule, method)]
