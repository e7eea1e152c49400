"""Runs the pipeline: paths in, a report out."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from ingress_lint.controllers.lowering import lower
from ingress_lint.finding import Finding, Severity
from ingress_lint.graph.graph import Assumption, ObjectGraph, SetContext
from ingress_lint.load.document import Document, Loaded, Place, Problem
from ingress_lint.load.loading import Loader
from ingress_lint.load.positions import Location, Locator
from ingress_lint.objects.kinds import wanted
from ingress_lint.objects.model import AnyObject
from ingress_lint.objects.reading import ObjectReader
from ingress_lint.report import ObjectRef, PathSpot, Report, ReportedFinding, RuleInfo, Spot, Summary
from ingress_lint.routes.model import Route
from ingress_lint.rule import Rule

HELP = "https://github.com/ingress-lint/ingress-lint/blob/main/docs/rules/{code}.md"


@dataclass(frozen=True)
class Options:
    """What to read and how to take it. `namespace` None means `default`, or a rendered chart's own namespace."""

    paths: Sequence[str]
    context_paths: Sequence[str] = ()
    controller: str | None = None
    namespace: str | None = None
    assume: Assumption = "auto"


@dataclass(frozen=True)
class ManifestSet:
    """One set after all stages but the rules: what a cluster's namespace space would hold."""

    name: str
    graph: ObjectGraph
    routes: tuple[Route, ...]
    documents: tuple[Document, ...]


@dataclass
class Manifests:
    """Everything that was read."""

    loaded: Loaded
    sets: list[ManifestSet] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read(options: Options, on_file: Callable[[], None] = lambda: None) -> Manifests:
    """Loads the paths and takes every set up to its routes."""
    loader = Loader(wanted, on_file)
    loader.load(options.context_paths, reported=False)
    loader.load(options.paths)
    loaded = loader.loaded
    reader = ObjectReader(options.namespace)
    by_set: defaultdict[str, list[AnyObject]] = defaultdict(list)
    context: list[AnyObject] = []
    for name, found in _sets(loaded).items():
        by_set[name] = list(reader.read(found))
    context = by_set.pop(_CONTEXT_SET, [])
    everything = {name: {(o.kind, o.namespace, o.name) for o in objects} for name, objects in by_set.items()}
    counts = Counter(key for keys in everything.values() for key in keys) if len(everything) > 1 else Counter()
    unparsed = _unparsed(loaded)
    manifests = Manifests(loaded, problems=[*loaded.problems, *reader.problems])
    for name, objects in by_set.items():
        elsewhere = frozenset(key for key, count in counts.items() if count > (key in everything[name]))
        graph = ObjectGraph(
            (*objects, *context),
            SetContext(options.assume, unparsed=unparsed.get(name, ()), elsewhere=elsewhere),
        )
        documents = tuple(document for document in loaded.documents if document.set_name == name)
        manifests.sets.append(ManifestSet(name, graph, lower(graph, options.controller), documents))
    return manifests


_CONTEXT_SET = "\0context"


def _sets(loaded: Loaded) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = {}
    for document in loaded.documents:
        found.setdefault(document.set_name if document.reported else _CONTEXT_SET, []).append(document)
    return found


def _unparsed(loaded: Loaded) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for problem in loaded.problems:
        document = problem.place.document
        if document.value is None:
            found[document.set_name][document.file.path] = None
    return {name: tuple(files) for name, files in found.items()}


def check(options: Options, rules: Sequence[Rule], on_file: Callable[[], None] = lambda: None) -> Report:
    """Lints: the report of what `rules` find."""
    manifests = read(options, on_file)
    findings = [
        finding
        for rule in _overriding(rules, "check_problem")
        for problem in manifests.problems
        for finding in rule.check_problem(problem)
    ]
    objects_of: dict[Document, ObjectGraph] = {}
    for manifest_set in manifests.sets:
        findings.extend(_findings(manifest_set, rules))
        for document in manifest_set.documents:
            objects_of[document] = manifest_set.graph
    return _Reporter(manifests, objects_of, rules).report(findings)


def _overriding(rules: Sequence[Rule], method: str) -> list[Rule]:
    return [rule for rule in rules if getattr(type(rule), method) is not getattr(Rule, method)]


def _findings(manifest_set: ManifestSet, rules: Sequence[Rule]) -> Iterable[Finding]:
    graph = manifest_set.graph
    per_object = _overriding(rules, "check_object")
    per_route = _overriding(rules, "check_route")
    for item in graph.objects:
        if item.document.reported:
            for rule in per_object:
                yield from rule.check_object(item, graph)
    for route in manifest_set.routes:
        if route.owner.document.reported:
            for rule in per_route:
                yield from rule.check_route(route, graph)
    for rule in _overriding(rules, "check_set"):
        yield from rule.check_set(graph, manifest_set.routes)


class _Reporter:
    """Makes findings concrete: merges what is one fault, finds lines, objects and fingerprints, and orders."""

    def __init__(self, manifests: Manifests, graphs: dict[Document, ObjectGraph], rules: Sequence[Rule]) -> None:
        self._manifests = manifests
        self._graphs = graphs
        self._rules = {rule.code: rule for rule in rules}
        self._locator = Locator()
        self._fingerprints: Counter[str] = Counter()

    def report(self, findings: Iterable[Finding]) -> Report:
        located = [
            (self._locator.locate(finding.place), finding)
            for finding in _merged(findings)
            if finding.place.document.reported
        ]
        located.sort(key=lambda item: (item[0].file, item[0].line, item[0].column, item[1].code, item[1].message))
        reported = tuple(self._reported(location, finding) for location, finding in located)
        manifests = self._manifests
        documents = [document for document in manifests.loaded.documents if document.reported]
        levels = Counter(finding.severity for finding in reported)
        summary = Summary(
            files=len({document.file.path for document in documents} | {f.path for f in manifests.loaded.files}),
            documents=len(documents),
            objects=sum(1 for s in manifests.sets for o in s.graph.objects if o.document.reported),
            routes=sum(len(s.routes) for s in manifests.sets),
            error=levels[Severity.ERROR],
            warning=levels[Severity.WARNING],
            note=levels[Severity.NOTE],
        )
        unread = [*manifests.loaded.missing_paths, *(p.message for p in manifests.problems if p.unreadable)]
        shown = {spot.file for finding in reported for spot in _locations(finding)}
        files = {file.path: file for file in manifests.loaded.files if file.path in shown}
        infos = tuple(rule_info(rule) for _, rule in sorted(self._rules.items()))
        return Report(reported, summary, infos, files, tuple(unread))

    def _reported(self, location: Location, finding: Finding) -> ReportedFinding:
        rule = self._rules[finding.code]
        owner = self._object(finding.place)
        locate = self._locator.locate
        return ReportedFinding(
            code=finding.code,
            name=rule.name,
            severity=finding.severity,
            hop=rule.hop,
            message=finding.message,
            object=owner,
            location=location,
            related=tuple(
                Spot(related.message, self._object(related.place), locate(related.place)) for related in finding.related
            ),
            path=tuple(
                PathSpot(step.hop, step.label, step.message, self._object(step.place), locate(step.place), step.broken)
                for step in finding.path
            ),
            fix=finding.fix,
            fingerprint=self._fingerprint(finding, owner, location),
        )

    def _object(self, place: Place) -> ObjectRef | None:
        graph = self._graphs.get(place.document)
        item = graph.object_at(place) if graph else None
        return ObjectRef(item.api_version, item.kind, item.namespace, item.name) if item else None

    def _fingerprint(self, finding: Finding, owner: ObjectRef | None, location: Location) -> str:
        """Stable while the object keeps its file, its name and the structure above the fault."""
        parts = (finding.code, location.file, str(owner), location.pointer)
        text = "\0".join(parts)
        self._fingerprints[text] += 1
        return hashlib.sha256(f"{text}\0{self._fingerprints[text]}".encode()).hexdigest()[:32]


def _locations(finding: ReportedFinding) -> Iterable[Location]:
    yield finding.location
    for related in finding.related:
        yield related.location
    for step in finding.path:
        yield step.location


def _merged(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, with those of one rule on several routes at one place as one that counts the routes."""
    merged: dict[tuple[str, Place, str], Finding] = {}
    more: Counter[tuple[str, Place, str]] = Counter()
    for finding in findings:
        key = finding.code, finding.place, "" if finding.path else finding.message
        known = merged.setdefault(key, finding)
        if known is not finding:
            more[key] += 1
            if finding.severity > known.severity:
                merged[key] = finding
    return [_counted(finding, more[key]) for key, finding in merged.items()]


def _counted(finding: Finding, more: int) -> Finding:
    if not more or not finding.path:
        return finding
    return replace(finding, message=f"{finding.message} (and on {more} more route{'s' if more > 1 else ''})")


def rule_info(rule: Rule) -> RuleInfo:
    """A rule as outputs describe it."""
    return RuleInfo(
        rule.code, rule.name, rule.severity, rule.hop, rule.summary, rule.documentation, HELP.format(code=rule.code)
    )
