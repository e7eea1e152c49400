"""What rules find in one set, each called for what it declares that it is concerned with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ingress_lint.finding import Finding, Severity
from ingress_lint.load.unknown import is_unknown
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.rule import Rule, RuleEntry, RuleImportError

if TYPE_CHECKING:
    from ingress_lint.load.document import Problem
    from ingress_lint.manifests import ManifestSet
    from ingress_lint.objects.model import AnyObject

BUG: Final = "this is a bug of ingress-lint or of a rule pack; please report it"


_NAME: Final = ("metadata", "name")


class _Importer:
    """Imports the modules of rules when they are called for. One that cannot be imported is told of once."""

    def __init__(self, failures: list[str]) -> None:
        self._failures = failures
        self._broken: set[str] = set()

    def of(self, entries: Iterable[RuleEntry]) -> Iterator[Rule]:
        """The rules of `entries`, without those that cannot be imported."""
        for entry in entries:
            if entry.code not in self._broken:
                try:
                    yield entry.rule
                except RuleImportError as error:
                    self._broken.add(entry.code)
                    self._failures.append(f"{error}: {BUG}")


class _Fields:
    """Tells which of the fields `names` routes have, themselves or on their backends."""

    def __init__(self, names: frozenset[str]) -> None:
        self._of_routes = [name for name in sorted(names) if hasattr(Route, name)]
        self._of_backends = [name for name in sorted(names) if hasattr(BackendRef, name)]

    def of(self, route: Route) -> frozenset[str]:
        """Those that a route has."""
        present = [name for name in self._of_routes if getattr(route, name)]
        if self._of_backends:
            for backend in route.all_backends:
                present += [name for name in self._of_backends if getattr(backend, name)]
        return frozenset(present)


class SetLinter:
    """Runs rules on a set. Objects that only resolve references are passed over."""

    def __init__(self, manifest_set: ManifestSet, rules: Sequence[RuleEntry]) -> None:
        self._set = manifest_set
        self._graph = manifest_set.graph
        self.failures: list[str] = []
        """One line for each rule that broke down; what it would have found is not known."""
        self._imported = _Importer(self.failures)
        self._entries = {rule.code: rule for rule in rules}
        self._per_object = overriding(rules, "check_object")
        self._of_kinds: dict[tuple[str, str], list[Rule]] = {}
        self._per_verdict = overriding(rules, "check_verdict")
        fitting = [rule for rule in rules if rule.needs is None or not rule.needs.isdisjoint(self._graph.kinds)]
        self._per_route = overriding(fitting, "check_route")
        self._fields = _Fields(frozenset().union(*(rule.fields for rule in self._per_route if rule.fields)))
        self._of_fields: dict[frozenset[str], list[Rule]] = {}
        self._per_set = [rule for rule in fitting if not rule.hooks.isdisjoint(("check_routes", "check_set"))]

    def everything(self) -> Iterator[Finding]:
        """All that the rules find."""
        for finding in self._all():
            yield self._if_applied_together(finding)

    def _all(self) -> Iterator[Finding]:
        for item in self._graph.objects:
            yield from self.of_object(item)
        for route in self._set.routes:
            yield from self.of_route(route)
        yield from self.of_whole()

    def _if_applied_together(self, finding: Finding) -> Finding:
        """A finding, as a note where it compares files of which nothing says that they are ever applied together."""
        gathered = self._graph.context.gathered
        if gathered is None or not self._entries[finding.code].rule.compares:
            return finding
        if not gathered.are_apart(finding.place.document, [related.place.document for related in finding.related]):
            return finding
        message = f"{finding.message} (if both are applied: nothing says that their files belong together)"
        return replace(finding, severity=Severity.NOTE, message=message)

    def of_object(self, item: AnyObject) -> Iterator[Finding]:
        """What they find in one object."""
        if item.document.reported:
            for rule in self._rules_of_object(item):
                try:
                    yield from filter(_is_known, rule.check_object(item, self._graph))
                except Exception as error:
                    self._fail(rule, item, error)

    def of_route(self, route: Route) -> Iterator[Finding]:
        """What they find on one route."""
        if route.owner.document.reported:
            for rule in self._rules_of_route(route):
                try:
                    yield from filter(_is_known, rule.check_route(route, self._graph))
                except Exception as error:
                    self._fail(rule, route.owner, error)

    def of_whole(self) -> Iterator[Finding]:
        """What controllers refuse, and what no single object or route shows."""
        if self._per_verdict and self._set.verdicts:
            yield from self._of_verdicts()
        for rule in self._imported.of(entry for entry in self._per_set if self._has_work(entry)):
            try:
                if self._set.routes:
                    yield from filter(_is_known, rule.check_routes(self._set.routes, self._graph))
                yield from filter(_is_known, rule.check_set(self._graph, self._set.routes))
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
                concerned = (rule for rule in self._per_verdict if _is_among(verdict.reason, rule.reasons))
                for rule in self._imported.of(concerned):
                    try:
                        found = rule.check_verdict(verdict, first_routes.get(verdict.object), self._graph)
                        yield from filter(_is_known, found)
                    except Exception as error:
                        self._fail(rule, verdict.object, error)

    # -- who is concerned ---------------------------------------------------------------------------------------------

    def _rules_of_object(self, item: AnyObject) -> list[Rule]:
        key = item.api_version, item.kind
        if key not in self._of_kinds:
            group_kind = item.group, item.kind
            concerned = (rule for rule in self._per_object if rule.kinds is None or group_kind in rule.kinds)
            self._of_kinds[key] = list(self._imported.of(concerned))
        return self._of_kinds[key]

    def _rules_of_route(self, route: Route) -> list[Rule]:
        present = self._fields.of(route)
        if present not in self._of_fields:
            concerned = (r for r in self._per_route if r.fields is None or not r.fields.isdisjoint(present))
            self._of_fields[present] = list(self._imported.of(concerned))
        return self._of_fields[present]

    def _has_work(self, rule: RuleEntry) -> bool:
        """Whether the set has what a rule that looks at it as a whole is concerned with."""
        if "check_set" in rule.hooks:
            return True
        if rule.fields is None:
            return bool(self._set.routes)
        fields = _Fields(rule.fields)
        return any(fields.of(route) for route in self._set.routes)

    def _fail(self, rule: Rule, item: AnyObject | None, error: Exception) -> None:
        at = f" at {item}" if item is not None else ""
        self.failures.append(f"rule {rule.code} broke down{at} ({type(error).__name__}: {error}): {BUG}")


def _is_known(finding: Finding) -> bool:
    """Whether all that a finding rests on is known: its place, and those that it relates.

    A name that it relates only says which object is meant.
    """
    related = (item.place for item in finding.related if item.place.pointer[-2:] != _NAME)
    places = (finding.place, *related)
    return not any(is_unknown(place, parts=True) for place in places)


def of_problems(rules: Sequence[RuleEntry], problems: Iterable[Problem], failures: list[str]) -> Iterator[Finding]:
    """What rules say of the faults met while reading; `failures` gets a line for each rule that cannot be imported."""
    concerned, imported = overriding(rules, "check_problem"), _Importer(failures)
    for problem in problems:
        for rule in imported.of(entry for entry in concerned if _is_among(problem.kind, entry.problems)):
            yield from rule.check_problem(problem)


def importable(rules: Iterable[RuleEntry], failures: list[str]) -> list[RuleEntry]:
    """The rules whose modules can be imported, which they are now; `failures` gets a line for each of the others."""
    imported = _Importer(failures)
    return [entry for entry in rules for _ in imported.of([entry])]


def overriding(rules: Sequence[RuleEntry], method: str) -> list[RuleEntry]:
    """The rules that look at what `method` shows them."""
    return [rule for rule in rules if method in rule.hooks]


def _is_among(name: str, declared: frozenset[str] | None) -> bool:
    return declared is None or name in declared
