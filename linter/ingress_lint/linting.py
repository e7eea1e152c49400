"""What rules find in one set, by what they look at: an object, a route, or the set as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ingress_lint.finding import Finding
from ingress_lint.manifests import ManifestSet
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.model import Route
from ingress_lint.rule import Rule

BUG: Final = "this is a bug of ingress-lint or of a rule pack; please report it"


class SetLinter:
    """Runs rules on a set. Objects that only resolve references are passed over."""

    def __init__(self, manifest_set: ManifestSet, rules: Sequence[Rule]) -> None:
        self._set = manifest_set
        self._graph = manifest_set.graph
        self.failures: list[str] = []
        """One line for each rule that broke down; what it would have found is not known."""
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
                try:
                    yield from rule.check_object(item, self._graph)
                except Exception as error:
                    self._fail(rule, item, error)

    def of_route(self, route: Route) -> Iterator[Finding]:
        """What they find on one route."""
        if route.owner.document.reported:
            for rule in self._per_route:
                try:
                    yield from rule.check_route(route, self._graph)
                except Exception as error:
                    self._fail(rule, route.owner, error)

    def of_whole(self) -> Iterator[Finding]:
        """What controllers refuse, and what no single object or route shows."""
        if self._per_verdict and self._set.verdicts:
            yield from self._of_verdicts()
        for rule in self._per_set:
            try:
                yield from rule.check_set(self._graph, self._set.routes)
            except Exception as error:
                self._fail(rule, None, error)

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
                    try:
                        yield from rule.check_verdict(verdict, first_routes.get(verdict.object), self._graph)
                    except Exception as error:
                        self._fail(rule, verdict.object, error)

    def _fail(self, rule: Rule, item: AnyObject | None, error: Exception) -> None:
        at = f" at {item}" if item is not None else ""
        self.failures.append(f"rule {rule.code} broke down{at} ({type(error).__name__}: {error}): {BUG}")


def overriding(rules: Sequence[Rule], method: str) -> list[Rule]:
    """The rules that look at what `method` shows them."""
    return [rule for rule in rules if getattr(type(rule), method) is not getattr(Rule, method)]
