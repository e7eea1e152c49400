"""What a rule is, and a pack of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.finding import Finding, Hop, Related, Severity, Step
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place, Problem
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.model import Route
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict
from ingress_lint.routes.way import way


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

    @property
    def hop(self) -> Hop:
        """Where on a packet's way its faults lie."""
        return Hop.of_code(self.code)

    @property
    def documentation(self) -> str:
        """Its page."""
        return (sys.modules[type(self).__module__].__doc__ or "").strip()

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

    def check_set(self, graph: ObjectGraph, routes: tuple[Route, ...]) -> Iterable[Finding]:
        """Called once for each set, for what no single object or route shows."""
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
        severity = {
            Certainty.KNOWN: self.severity,
            Certainty.LIKELY: Severity(max(self.severity - 1, Severity.NOTE)),
            Certainty.UNKNOWN: Severity.NOTE,
        }[verdict.certainty]
        related = (Related(caption, place) for caption, place in verdict.related)
        message = verdict.message
        if verdict.certainty is Certainty.UNKNOWN and "unless" not in message:
            message += ", as far as these manifests tell"
        return self.finding(verdict.place, message, severity=severity, related=related, path=path, fix=verdict.fix)

    def of_refusals(self, route: Route, reason: Reason) -> Iterator[Finding]:
        """The findings that say why a controller sends nothing to backends; warnings for those that get copies only."""
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


class Pack(Struct, frozen=True):
    """Rules that come together. A distribution offers one under the entry point group `ingress_lint.rules`."""

    name: str
    rules: tuple[type[Rule], ...]

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
    for found in walk_packages(package.__path__, package.__name__ + "."):
        yield import_module(found.name)
