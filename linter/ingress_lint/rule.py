"""What a rule is, and a pack of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import cached_property
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar, Final

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.finding import Finding, Hop, Related, Severity, Step

if TYPE_CHECKING:
    from ingress_lint.graph.graph import ObjectGraph
    from ingress_lint.load.document import Place, Problem, ProblemKind
    from ingress_lint.objects.model import AnyObject
    from ingress_lint.routes.model import Route
    from ingress_lint.routes.verdicts import Reason, Verdict

HOOKS: Final = ("check_problem", "check_object", "check_route", "check_routes", "check_verdict", "check_set")
HELP: Final = "https://github.com/ingress-lint/ingress-lint/blob/main/docs/rules/{code}.md"


class Cause(Struct, frozen=True):
    """Why a rule's fault ends in symptoms, which are named as in `ingress_lint.symptoms`."""

    why: str
    """A sentence without its full stop, true of every finding that shows one of them."""
    often: tuple[str, ...] = ()
    """What is seen of the fault as a rule."""
    sometimes: tuple[str, ...] = ()
    """What is seen of it on some controllers, or some of the time."""


class Rule:
    """One fault. A rule overrides the narrowest of the `check_*` methods that sees what it needs.

    It also declares what it is concerned with, and is called for nothing else: where a run has nothing of the kind, the
    module of a rule that a table lists is not even imported. None is for whatever there is.

    The docstring of the module that defines it is its documentation, in Markdown under the fixed headings.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity]
    """The severity of its findings where the evidence is direct."""
    summary: ClassVar[str]
    """One line: what it finds."""
    symptoms: ClassVar[tuple[Cause, ...]] = ()
    """What is seen of its faults, for `explain --symptom`; empty where it is nothing that a request shows."""
    problems: ClassVar[frozenset[ProblemKind] | None] = None
    """The kinds of problems that `check_problem` is called for."""
    kinds: ClassVar[frozenset[tuple[str, str]] | None] = None
    """The objects that `check_object` is called for."""
    reasons: ClassVar[frozenset[Reason] | None] = None
    """The reasons of the verdicts that `check_verdict` is called for."""
    fields: ClassVar[frozenset[str] | None] = None
    """Fields of a `Route` or of a `BackendRef`: `check_route` is called for routes that have one of them, themselves or
    on any of their backends, and `check_routes` where such a route is among them."""
    needs: ClassVar[frozenset[tuple[str, str]] | None] = None
    """Of these objects the set must hold one for `check_route`, `check_routes` and `check_set` to be called."""
    compares: ClassVar[bool] = False
    """Whether its findings hold objects against one another that need not know of each other: they are notes where nothing
    says that the files, which `related` names, are applied together."""

    def check_problem(self, problem: Problem) -> Iterable[Finding]:
        """Called for each fault met while reading the input."""
        return ()

    def check_object(self, item: AnyObject, graph: ObjectGraph) -> Iterable[Finding]:
        """Called for each object."""
        return ()

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Called for each route."""
        return ()

    def check_verdict(self, verdict: Verdict, route: Route | None, graph: ObjectGraph) -> Iterable[Finding]:
        """Called for each thing that a controller refuses, but for backends, which `check_route` sees.

        `route` is the first one of the object refused, None where it makes none.
        """
        return ()

    def check_routes(self, routes: tuple[Route, ...], graph: ObjectGraph) -> Iterable[Finding]:
        """Called once for each set that has routes, for what no single route shows."""
        return ()

    def check_set(self, graph: ObjectGraph, routes: tuple[Route, ...]) -> Iterable[Finding]:
        """Called once for each set, for what no single object shows."""
        return ()

    def finding(
        self,
        place: Place,
        message: str,
        *,
        severity: Severity | None = None,
        related: Iterable[Related] = (),
        path: Iterable[Step] = (),
        fix: str = "",
    ) -> Finding:
        """A finding of this rule; `severity` where the evidence calls for another than the rule's own."""
        return Finding(self.code, severity or self.severity, message, place, tuple(related), tuple(path), fix)

    def of_verdict(self, verdict: Verdict, path: Iterable[Step] = ()) -> Finding:
        """A finding that says what a verdict says, as severe as that is sure."""
        from ingress_lint.routes.verdicts import Certainty

        severity = {
            Certainty.KNOWN: self.severity,
            Certainty.LIKELY: Severity(max(self.severity - 1, Severity.NOTE)),
            Certainty.UNKNOWN: Severity.NOTE,
        }[verdict.certainty]
        related = (Related(caption, place) for caption, place in verdict.related)
        message = verdict.message
        if verdict.certainty is Certainty.UNKNOWN and "unless" not in message:
            message += ", as far as these manifests tell"
        found = self.finding(verdict.place, message, severity=severity, related=related, path=path, fix=verdict.fix)
        return replace(found, cluster_decides=verdict.certainty is Certainty.UNKNOWN)

    def of_refusals(self, route: Route, reason: Reason) -> Iterator[Finding]:
        """The findings that say why a controller sends nothing to backends; warnings for those that get copies only."""
        from ingress_lint.routes.way import way

        for backend in route.all_backends:
            if backend.refusal is not None and backend.refusal.reason is reason:
                found = self.of_verdict(backend.refusal, way(route, backend, Hop.SERVICE))
                mirrored = route.only_mirrors_to(backend)
                yield replace(found, severity=min(found.severity, Severity.WARNING)) if mirrored else found

    def of_problem(self, problem: Problem) -> Finding:
        """A finding that says what a problem of the input says."""
        related = (Related(caption, place) for caption, place in problem.related)
        severity = Severity[problem.level.upper()]
        return self.finding(problem.place, problem.message, severity=severity, related=related, fix=problem.fix)


class RuleImportError(Exception):
    """A rule whose module cannot be imported; the message is one line that names both."""


class RuleEntry(Struct, frozen=True, dict=True):
    """A rule as a pack lists it: what it is and what it is concerned with, known before its module is imported.

    The fields have the names and the meaning of the attributes of `Rule`.
    """

    code: str
    name: str
    severity: Severity
    summary: str
    source: str | type[Rule]
    """Its class, or where to import that from: `package.module:Class`."""
    hooks: frozenset[str]
    """The `check_*` methods that it overrides."""
    problems: frozenset[str] | None = None
    kinds: frozenset[tuple[str, str]] | None = None
    reasons: frozenset[str] | None = None
    fields: frozenset[str] | None = None
    needs: frozenset[tuple[str, str]] | None = None

    @classmethod
    def of(cls, rule: type[Rule]) -> RuleEntry:
        """The entry of a rule that is imported."""
        hooks = frozenset(hook for hook in HOOKS if getattr(rule, hook) is not getattr(Rule, hook))
        return cls(
            rule.code,
            rule.name,
            rule.severity,
            rule.summary,
            rule,
            hooks,
            rule.problems,
            rule.kinds,
            rule.reasons,
            rule.fields,
            rule.needs,
        )

    @property
    def hop(self) -> Hop:
        """Where on a packet's way its faults lie."""
        return Hop.of_code(self.code)

    @property
    def help_uri(self) -> str:
        """Where its page is published."""
        return HELP.format(code=self.code)

    @cached_property
    def rule(self) -> Rule:
        """The rule, whose module is imported now; raises `RuleImportError` where that fails."""
        if not isinstance(self.source, str):
            return self.source()
        module, _, name = self.source.partition(":")
        try:
            rule: Rule = getattr(import_module(module), name)()
        except Exception as error:
            told = f"{type(error).__name__}: {error}"
            raise RuleImportError(f"rule {self.code} cannot be imported from {self.source} ({told})") from error
        return rule

    @property
    def documentation(self) -> str:
        """Its page; raises `RuleImportError`."""
        return (sys.modules[type(self.rule).__module__].__doc__ or "").strip()


class Pack(Struct, frozen=True):
    """Rules that come together. A distribution offers one under the entry point group `ingress_lint.rules`."""

    name: str
    rules: tuple[type[Rule], ...] = ()
    """Rules that are imported with the pack."""
    table: tuple[RuleEntry, ...] = ()
    """Rules that are imported when they are needed."""

    @property
    def entries(self) -> tuple[RuleEntry, ...]:
        """All of them."""
        return (*self.table, *(RuleEntry.of(rule) for rule in self.rules))

    @classmethod
    def discover(cls, name: str, package: ModuleType) -> Pack:
        """The pack of every rule that a module somewhere below `package` defines, ordered by code."""
        rules = [
            member
            for module in _modules(package)
            for member in vars(module).values()
            if isinstance(member, type) and issubclass(member, Rule) and member.__module__ == module.__name__
        ]
        return cls(name, tuple(sorted(rules, key=lambda rule: rule.code)))


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    from pkgutil import walk_packages

    for found in walk_packages(package.__path__, package.__name__ + "."):
        yield import_module(found.name)
