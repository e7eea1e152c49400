"""The findings that concern a request: those on its route, and those whose place lies on its hops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from ingress_lint.finding import Finding, Hop, Severity
from ingress_lint.linting import SetLinter, of_problems
from ingress_lint.load.document import Document, Place, Pointer
from ingress_lint.load.positions import json_pointer
from ingress_lint.manifests import Manifests, ManifestSet
from ingress_lint.objects.model import AnyObject
from ingress_lint.report import ObjectRef, ReportedFinding
from ingress_lint.routes import hostnames
from ingress_lint.routes.model import Route
from ingress_lint.rule import RuleEntry
from ingress_lint.tracing.model import Trace, TracedHop, Verdict

_ORDER: Final = list(Hop)
_MARKS: Final[dict[Severity, Verdict]] = {Severity.ERROR: "fail", Severity.WARNING: "warning"}


class Concerns:
    """Runs rules on what requests meet; what several requests meet, once."""

    def __init__(self, manifests: Manifests, rules: Sequence[RuleEntry]) -> None:
        self._rules = rules
        self._linters: dict[int, SetLinter] = {}
        self._of_objects: dict[int, list[Finding]] = {}
        self._of_routes: dict[int, list[Finding]] = {}
        self._of_sets: dict[int, dict[Document, list[Finding]]] = {}
        self._of_documents: dict[Document, list[Finding]] = {}
        self._failures: list[str] = []
        for finding in of_problems(rules, manifests.problems, self._failures):
            self._of_documents.setdefault(finding.place.document, []).append(finding)

    @property
    def failures(self) -> tuple[str, ...]:
        """One line for each rule that broke down so far."""
        of_sets = (failure for linter in self._linters.values() for failure in linter.failures)
        return tuple(dict.fromkeys((*self._failures, *of_sets)))

    def of(self, trace: Trace) -> list[Finding]:
        """What concerns one request."""
        held = trace.held
        if held is None:
            return []
        linter = self._linter(held)
        found: list[Finding] = []
        for route in (trace.front.route if trace.front is not None else None, trace.route):
            if route is not None:
                if id(route) not in self._of_routes:
                    self._of_routes[id(route)] = list(linter.of_route(route))
                found += self._of_routes[id(route)]
                found += self._refused(route, held)
        places = _places(trace)
        objects = {id(hop.object): hop.object for hop in trace.hops if hop.object is not None}
        for item in objects.values():
            found += (finding for finding in self._about(item, held) if _lies_on(finding, item, places))
        if trace.outcome == "no-route":
            for owner in _kept_away(trace, held):
                found += self._about(owner, held)
            for dropped in _dropped(trace, held):
                found += self._refused(dropped, held)
        return list(dict.fromkeys(found))

    def _refused(self, route: Route, held: ManifestSet) -> Iterator[Finding]:
        """What is found where a controller refuses what hangs on a route, in whichever object that is."""
        for refusal in route.refusals:
            there = self._of_whole(held).get(refusal.place.document, ())
            yield from (item for item in there if item.place == refusal.place)

    def _linter(self, held: ManifestSet) -> SetLinter:
        if id(held) not in self._linters:
            self._linters[id(held)] = SetLinter(held, self._rules)
        return self._linters[id(held)]

    def _about(self, item: AnyObject, held: ManifestSet) -> Iterator[Finding]:
        """What is found in an object, and in the set or the document as a whole at a place of that object."""
        if id(item) not in self._of_objects:
            self._of_objects[id(item)] = list(self._linter(held).of_object(item))
        yield from self._of_objects[id(item)]
        yield from self._of_whole(held).get(item.document, ())
        yield from self._of_documents.get(item.document, ())

    def _of_whole(self, held: ManifestSet) -> dict[Document, list[Finding]]:
        """What is found in a set as a whole, by the document where it stands."""
        if id(held) not in self._of_sets:
            by_document = self._of_sets[id(held)] = {}
            for finding in self._linter(held).of_whole():
                by_document.setdefault(finding.place.document, []).append(finding)
        return self._of_sets[id(held)]


def _kept_away(trace: Trace, held: ManifestSet) -> Iterator[AnyObject]:
    """The objects whose routes name the host of a request that finds none, and are not among those it chose from."""
    served = {id(route) for route in trace.entry.routes} if trace.entry is not None else set()
    owners = {
        id(route.owner): route.owner
        for route in held.routes
        if id(route) not in served
        and any(hostnames.matches(name.value, trace.asked.request.host) for name in route.hostnames)
    }
    yield from owners.values()


def _dropped(trace: Trace, held: ManifestSet) -> Iterator[Route]:
    """The routes for the host of a request that their controller makes nothing of."""
    host = trace.asked.request.host
    for route in held.routes:
        if route.dropped and any(hostnames.matches(name.value, host) for name in route.hostnames):
            yield route


def _places(trace: Trace) -> list[Place]:
    return [
        place for hop in trace.hops for place in (hop.place, hop.object.name_place if hop.object else None) if place
    ]


def _lies_on(finding: Finding, item: AnyObject, places: Iterable[Place]) -> bool:
    """Whether a finding is in `item`, and not in a part of it that the request passes by."""
    place = finding.place
    return _is_in(place, item) and not any(
        _is_in(other, item) and _beside(place.pointer, other.pointer) for other in places
    )


def _is_in(place: Place, item: AnyObject) -> bool:
    return place.document is item.document and place.pointer[: len(item.base)] == item.base


def _beside(one: Pointer, other: Pointer) -> bool:
    """Whether two places are in different items of one list, such as two rules of an Ingress."""
    for step, counterpart in zip(one, other, strict=False):
        if step != counterpart:
            return isinstance(step, int) and isinstance(counterpart, int)
    return False


# -- on the hops ----------------------------------------------------------------------------------------------------


def hop_of(trace: Trace, finding: ReportedFinding) -> int:
    """The index of the hop where a finding shows: where the packet stops, else the last one up to there."""
    broken = next((step for step in finding.path if step.broken), None)
    hop = broken.hop if broken is not None else finding.hop
    owners = [broken.object if broken is not None else None, finding.object]
    reached = [i for i, found in enumerate(trace.hops) if _ORDER.index(found.hop) <= _ORDER.index(hop)]
    there = [i for i in reached if trace.hops[i].hop is hop]
    for index in there:
        place = trace.hops[index].place
        at = finding.rendered or finding.location
        if place and place.document.file.path == at.file and json_pointer(place.pointer) == at.pointer:
            return index
    for owner in owners:
        for index in there if hop is not Hop.MANIFEST else range(len(trace.hops)):
            if owner is not None and is_object(trace.hops[index].object, owner):
                return index
    return (there or reached or [0])[-1]


def judged(trace: Trace, findings: Iterable[ReportedFinding]) -> Trace:
    """A trace whose hops are no better than what is found on them."""
    hops = list(trace.hops)
    for finding in findings:
        index = hop_of(trace, finding)
        hops[index] = _worse(hops[index], _MARKS.get(finding.severity))
    return replace(trace, hops=tuple(hops))


def _worse(hop: TracedHop, verdict: Verdict | None) -> TracedHop:
    if verdict is None or hop.verdict == "fail" or (hop.verdict == "warning" and verdict == "warning"):
        return hop
    return replace(hop, verdict=verdict)


def is_object(item: AnyObject | None, owner: ObjectRef) -> bool:
    """Whether `owner` is an object of the set, as far as kind, namespace and name tell."""
    return item is not None and (item.kind, item.namespace, item.name) == (owner.kind, owner.namespace, owner.name)
