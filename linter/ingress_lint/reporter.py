"""Findings made concrete: merged, located, given their objects and fingerprints, and ordered."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from typing import Final

from msgspec.structs import replace

from ingress_lint.build.locating import SourceLocator
from ingress_lint.finding import Finding, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Document, Place
from ingress_lint.load.positions import Location
from ingress_lint.manifests import Manifests, Options
from ingress_lint.report import ObjectRef, PathSpot, Report, ReportedFinding, Spot, Summary
from ingress_lint.rule import RuleEntry
from ingress_lint.units.plan import CHART

_SET: Final = "the value is set here"
_MOST_FILES: Final = 3
"""How many files one line names."""
_MOST_PATHS: Final = 3
"""As many as a command may repeat that is still read."""


class Reporter:
    """Turns what the rules of one run found into its report."""

    def __init__(self, manifests: Manifests, rules: Sequence[RuleEntry], options: Options) -> None:
        self._manifests = manifests
        self._options = options
        self._rules = {rule.code: rule for rule in sorted(rules, key=lambda rule: rule.code)}
        self._graphs: defaultdict[Document, list[tuple[tuple[str, ...], ObjectGraph]]] = defaultdict(list)
        for held in manifests.sets:
            for document, units in held.holders.items():
                self._graphs[document].append((units, held.graph))
        for document in manifests.context if manifests.sets else ():
            self._graphs[document].append(((), manifests.sets[0].graph))
        self.locator = SourceLocator(manifests.places)
        self._identities: Counter[str] = Counter()

    def report(self, findings: Iterable[Finding]) -> Report:
        """The report of `findings`."""
        located = [
            (self.locator.locate(finding.place), finding)
            for finding in _merged(findings)
            if finding.place.document.reported
        ]
        located.sort(key=lambda item: (item[0].file, item[0].line, item[0].column, item[1].code, item[1].message))
        told = self._once_a_chart(_shared(located))
        reported = tuple(self._reported(location, finding) for location, finding in told)
        manifests = self._manifests
        documents = [document for document in manifests.loaded.documents if document.reported]
        levels = Counter(finding.severity for finding in reported if not finding.suppressed)
        summary = Summary(
            files=len({document.file.path for document in documents} | {f.path for f in manifests.loaded.files}),
            documents=len(documents),
            objects=sum(1 for s in manifests.sets for o in s.graph.objects if o.document.reported),
            routes=sum(len(s.routes) for s in manifests.sets),
            units=len(manifests.units),
            unchecked=sum(unit.state == "unchecked" for unit in manifests.units),
            error=levels[Severity.ERROR],
            warning=levels[Severity.WARNING],
            note=levels[Severity.NOTE],
            suppressed=len(reported) - levels.total(),
        )
        unread = [*manifests.loaded.missing_paths, *(p.message for p in manifests.problems if p.unreadable)]
        shown = {spot.file for finding in reported for spot in _locations(finding)}
        files = {path: file for path, file in self.locator.files.items() if path in shown}
        return Report(
            reported,
            summary,
            tuple(self._rules.values()),
            tuple(manifests.units),
            files,
            tuple(self._accounts(documents)),
            tuple(unread),
            tuple(manifests.barren),
        )

    def _once_a_chart(self, located: Sequence[tuple[Location, Finding]]) -> Iterable[tuple[Location, Finding]]:
        """The findings, with what one rule says of a chart for want of a cluster said once, at the first place."""
        charts = {unit.name: unit.path for unit in self._manifests.units if unit.kind == CHART}
        first: dict[tuple[str, str], int] = {}
        told: list[tuple[Location, Finding]] = []
        more: Counter[int] = Counter()
        for location, finding in located:
            paths = {charts.get(name, "") for name in finding.units}
            path = paths.pop() if len(paths) == 1 else ""
            if not path or not finding.cluster_decides or finding.suppressed:
                told.append((location, finding))
                continue
            index = first.setdefault((finding.code, path), len(told))
            if index == len(told):
                told.append((location, finding))
            else:
                more[index] += 1
                known = told[index][1]
                units = tuple(dict.fromkeys((*known.units, *finding.units)))
                told[index] = told[index][0], replace(known, units=units)
        for index, number in more.items():
            location, finding = told[index]
            times = "once more" if number == 1 else f"{number} times more"
            told[index] = location, replace(finding, message=f"{finding.message} (the like {times} in this chart)")
        return told

    def _accounts(self, documents: Sequence[Document]) -> Iterator[str]:
        passed_over = Counter(document.kind for document in documents if not document.parsed and document.kind)
        if passed_over:
            kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(passed_over.items()))
            yield f"passed over {passed_over.total()} of {len(documents)} documents, of kinds that no rule reads: {kinds}"
        yield from self._unknown()
        left_out = self._manifests.left_out
        if left_out:
            reasons = ", ".join(f"{number} {why}" for why, number in sorted(left_out.items()))
            yield f"files and folders left out: {reasons}"
        sets = self._manifests.sets
        for held in sets if len(sets) > 1 else ():
            for unit in held.units:
                yield f"{unit.kind} {unit.name}: {unit.objects} objects, {unit.routes} routes"
        owners = {route.owner: route.controller for held in sets for route in held.routes}
        served = Counter((by.value, by.origin.value, by.why) for by in owners.values())
        for (controller, origin, why), number in sorted(served.items()):
            yield f"{controller} serves {_count(number, 'object')} ({origin}{why and ': ' + why})"

    def _unknown(self) -> Iterator[str]:
        """What was not judged, as nobody can know it from the manifests, or it is not read."""
        manifests, loaded = self._manifests, self._manifests.loaded
        if manifests.placeholders:
            yield f"{_count(manifests.placeholders, 'value')} unknown (placeholders)"
        for files, what in (
            (loaded.encrypted, "encrypted"),
            (loaded.templates, "not rendered"),
            (loaded.binary, "binary"),
        ):
            if files:
                named = ", ".join([*files][:_MOST_FILES]) + ", ..." * (len(files) > _MOST_FILES)
                yield f"{_count(len(files), 'file')} {what}: {named}"
        if unread := manifests.routing_unread:
            kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(unread.items()))
            yield f"{_count(unread.total(), 'object')} of routing kinds that ingress-lint does not read: {kinds}"

    def _reported(self, location: Location, finding: Finding) -> ReportedFinding:
        rule = self._rules[finding.code]
        units = finding.units or tuple(
            dict.fromkeys(name for names, _ in self._graphs.get(finding.place.document, ()) for name in names)
        )
        owner = self._object(finding.place, units)
        locate, source = self.locator.locate, self.locator.source(finding.place)
        reported = ReportedFinding(
            code=finding.code,
            name=rule.name,
            severity=self._options.severities.get(finding.code, finding.severity),
            hop=rule.hop,
            message=finding.message,
            object=owner,
            location=location,
            related=tuple(self._related(finding, units)),
            path=tuple(
                PathSpot(
                    step.hop, step.label, step.message, self._object(step.place, units), locate(step.place), step.broken
                )
                for step in finding.path
            ),
            fix=finding.fix,
            identity=self._identity(finding, owner, location),
            proof=self._proof(finding),
            suppressed=finding.suppressed,
            units=units,
            rendered=self.locator.rendered(finding.place),
            mapping=source.certainty if source else None,
            summary=rule.summary,
            assumes=finding.assumes,
        )
        hidden = "" if reported.suppressed else self._hidden(reported)
        return replace(reported, suppressed=hidden, from_outside=True) if hidden else reported

    def _related(self, finding: Finding, units: Sequence[str]) -> Iterator[Spot]:
        """The places that a finding relates, then those that had a part in what stands there and at its own."""
        locator = self.locator
        for related in finding.related:
            yield Spot(related.message, self._object(related.place, units), locator.locate(related.place))
        told: set[Location] = set()
        for place in (finding.place, *(related.place for related in finding.related)):
            source = locator.source(place)
            if source is None:
                continue
            for message, further in (*source.related, *((_SET, value) for value in source.values)):
                location = locator.locate(further)
                if location not in told:
                    told.add(location)
                    yield Spot(message, None, location, place is finding.place and further in source.values)

    def _hidden(self, finding: ReportedFinding) -> str:
        """Why the configuration, the command line or a baseline hides a finding; empty where they show it."""
        options, file = self._options, finding.location.file
        if finding.code in options.ignored:
            return "ignored by the configuration"
        if any(finding.code in codes and fnmatch(file, pattern) for pattern, codes in options.per_path_ignores):
            return "ignored in this file by the configuration"
        if finding.severity < options.min_severity:
            return "less severe than what is shown"
        known = options.baseline
        return "recorded in the baseline" if known and finding.fingerprint in known else ""

    def _proof(self, finding: Finding) -> str:
        """The diagnostic of the route that it lies on; what came by standard input cannot be read again."""
        url = finding.path[0].url if finding.path else ""
        paths = self._options.paths
        if not url or "-" in paths or len(paths) > _MOST_PATHS:
            return ""
        import shlex

        return shlex.join(["ingress-lint", "runbook", "--url", url, *sorted(paths)])

    def _object(self, place: Place, units: Sequence[str]) -> ObjectRef | None:
        """The object that holds a place, as these units have it."""
        found = self._graphs.get(place.document, ())
        graph = next(
            (graph for names, graph in found if not {*names}.isdisjoint(units)), found[0][1] if found else None
        )
        item = graph.object_at(place) if graph else None
        return ObjectRef(item.api_version, item.kind, item.namespace, item.name) if item else None

    def _identity(self, finding: Finding, owner: ObjectRef | None, location: Location) -> str:
        """The rule, file, object and field of a finding, and which of those with the same it is."""
        text = "\0".join((finding.code, location.file, str(owner), location.pointer))
        self._identities[text] += 1
        return f"{text}\0{self._identities[text]}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _locations(finding: ReportedFinding) -> Iterable[Location]:
    yield finding.location
    if finding.rendered is not None:
        yield finding.rendered
    for related in finding.related:
        yield related.location
    for step in finding.path:
        yield step.location


def _merged(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, with those of one rule on several routes at one place as one that counts the routes."""
    merged: dict[tuple[str, Place, str, tuple[str, ...]], Finding] = {}
    more: Counter[tuple[str, Place, str, tuple[str, ...]]] = Counter()
    for finding in findings:
        key = finding.code, finding.place, "" if finding.path else finding.message, finding.units
        known = merged.setdefault(key, finding)
        if known is not finding:
            more[key] += 1
            if finding.severity > known.severity:
                merged[key] = finding
    return [_counted(finding, more[key]) for key, finding in merged.items()]


def _shared(located: Iterable[tuple[Location, Finding]]) -> list[tuple[Location, Finding]]:
    """The findings, with those of one rule, place and message in several units as one that names them all."""
    shared: dict[tuple[str, Location, str], tuple[Location, Finding]] = {}
    for location, finding in located:
        key = finding.code, location, finding.message
        known = shared.setdefault(key, (location, finding))[1]
        if known is not finding:
            units = tuple(dict.fromkeys((*known.units, *finding.units)))
            worse = max(known, finding, key=lambda one: one.severity)
            shared[key] = location, replace(worse, units=units, suppressed=known.suppressed and finding.suppressed)
    return list(shared.values())


def _counted(finding: Finding, more: int) -> Finding:
    if not more or not finding.path:
        return finding
    return replace(finding, message=f"{finding.message} (and on {more} more route{'s' if more > 1 else ''})")
