"""Runs the pipeline: paths in, a report out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Final, TypeVar

from msgspec.structs import replace

from ingress_lint import side_by_side
from ingress_lint.controllers.lowering.lowering import lower
from ingress_lint.finding import Finding
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.set_context import Elsewhere, SetContext, Unchecked
from ingress_lint.linting import SetLinter, of_problems
from ingress_lint.load.document import Document, Problem
from ingress_lint.load.loading import Loaded, Loader, OnFile
from ingress_lint.load.values import ValueReader
from ingress_lint.manifests import Manifests, ManifestSet, Options
from ingress_lint.objects.custom_groups import custom_groups
from ingress_lint.objects.definitions import definitions
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.kinds import wanted
from ingress_lint.objects.model import AnyObject
from ingress_lint.objects.reading import DEFAULT_NAMESPACE, ObjectReader, Reading, read_document
from ingress_lint.report import Report
from ingress_lint.reporter import Reporter
from ingress_lint.routes.model import Route
from ingress_lint.rule import RuleEntry
from ingress_lint.suppressions import Suppressions
from ingress_lint.units.building import Rendering
from ingress_lint.units.configured import Cluster
from ingress_lint.units.discovery import Settings, context, discover
from ingress_lint.units.plan import Identity, Plan, Unit
from ingress_lint.values.durations import seconds_or_go

_Namespace = TypeVar("_Namespace", str, str | None)
_Item = TypeVar("_Item")
_ANY_CLUSTER: Final = Cluster()


def _no_progress(_done: int, _total: int) -> None:
    """Shows nothing."""


def read(options: Options, on_file: OnFile = _no_progress) -> Manifests:
    """Finds what is deployed together under the paths, and takes every scope up to its routes."""
    readings = _Readings()
    loader = Loader(wanted, on_file, readings.add)
    found = discover(options.paths, loader, readings.identities, options.exclude, _settings(options))
    context_documents = context(options.context_paths, loader)
    loaded = loader.loaded
    loaded.missing_paths.extend(options.doubts)
    loaded.documents.sort(key=lambda document: (document.file.path, document.index))
    reader = ObjectReader(options.namespace)
    objects = _Objects(reader, readings)
    in_context = reader.settle(readings.of(context_documents))
    loaded.problems += _told_once(problem for plan in found.plans for problem in plan.problems)
    manifests = Manifests(loaded, left_out=found.left_out, barren=found.barren)
    scopes = [_Scope(plans, objects) for plans in _together(found.plans)]
    elsewhere, unplaced = _index(scopes), _index(scope for scope in scopes if not scope.in_cluster)
    unparsed = {problem.place.document for problem in loaded.problems}
    for scope in scopes:
        units = [unit for unit in scope.units if _is_meant(unit, options)]
        if not any(unit.state != "unchecked" for unit in units):
            manifests.units += units
            continue
        # what stands in another cluster is surely not in this one
        known = scope.context(loaded, unparsed, options, unplaced if scope.in_cluster else elsewhere)
        graph = ObjectGraph((*scope.objects, *in_context), known)
        cluster = options.clusters.get(scope.cluster or "", _ANY_CLUSTER)
        lowered = lower(graph, cluster.controller or options.controller)
        looked_at = tuple(scope.looked_at(units, lowered.routes, known.unparsed))
        manifests.units += looked_at
        holders = scope.holders({unit.name for unit in units})
        beside = frozenset(scope.all_holders.keys() - holders.keys())
        manifests.sets.append(
            ManifestSet(looked_at, graph, lowered.routes, holders, beside, lowered.verdicts, lowered.frontends)
        )
        manifests.places |= scope.places
    manifests.units.sort(key=lambda unit: (unit.path, unit.name, unit.kind))
    manifests.context = frozenset(context_documents)
    manifests.problems = [*loaded.problems, *reader.problems]
    manifests.placeholders = reader.placeholders
    return manifests


def _told_once(problems: Iterable[Problem]) -> Iterable[Problem]:
    """What is wrong with units, without what several have in common, such as a chart that two install."""
    return {
        (one.place.document.file.path, one.place.pointer, one.place.span, one.message): one for one in problems
    }.values()


def _settings(options: Options) -> Settings:
    limit = seconds_or_go(str(options.render.time_limit)) or 30.0
    rendering = Rendering(
        enabled=options.renders,
        network=options.render.network,
        seconds=limit,
        kustomize=options.render.kustomize,
        helm=options.render.helm,
        jobs=options.jobs,
        keeps=options.keeps,
        values=options.values,
        set=options.set,
        namespace=options.namespace or "",
        kube_version=options.kube_version or "",
    )
    return Settings(options.configured, options.clusters, rendering)


def _is_meant(unit: Unit, options: Options) -> bool:
    return any(fnmatchcase(unit.name, pattern) for pattern in options.units or ("*",))


def _together(plans: Iterable[Plan]) -> list[list[Plan]]:
    """The plans by what runs together: those of one cluster, and each alone of which none is known."""
    found: dict[str | int, list[Plan]] = {}
    for index, plan in enumerate(plans):
        found.setdefault(plan.together or index, []).append(plan)
    return list(found.values())


class _Scope:
    """The plans of what runs together, and their objects."""

    def __init__(self, plans: Sequence[Plan], objects: _Objects) -> None:
        self._plans = plans
        self._own = [(plan, objects.of(plan)) for plan in plans]
        self.in_cluster = bool(plans[0].together)
        self.cluster = plans[0].unit.cluster
        self.objects = list(dict.fromkeys(item for _, own in self._own for item in own))
        self.places = {
            document: plan.places
            for plan in plans
            if plan.places is not None
            for document in plan.documents
            if document not in plan.as_written
        }

    @property
    def units(self) -> list[Unit]:
        """All of its units."""
        return [plan.unit for plan in self._plans]

    def held(self) -> Iterator[tuple[str, AnyObject]]:
        """Each object with the name of a unit that holds it."""
        for plan, own in self._own:
            for item in own:
                yield plan.unit.name, item

    @cached_property
    def all_holders(self) -> Mapping[Document, tuple[str, ...]]:
        """For each document the units that hold it."""
        found: dict[Document, tuple[str, ...]] = {}
        for plan in self._plans:
            for document in plan.documents:
                found[document] = (*found.get(document, ()), plan.unit.name)
        return found

    def holders(self, names: Container[str]) -> Mapping[Document, tuple[str, ...]]:
        """For each document the units, of these names, that hold it."""
        if all(unit.name in names for unit in self.units):
            return self.all_holders
        held = {
            document: tuple(name for name in holding if name in names) for document, holding in self.all_holders.items()
        }
        return {document: holding for document, holding in held.items() if holding}

    def context(
        self, loaded: Loaded, unparsed: Container[Document], options: Options, elsewhere: Elsewhere
    ) -> SetContext:
        """What is known of it beyond its objects."""
        cluster = options.clusters.get(self.cluster or "", _ANY_CLUSTER)
        documents = list(dict.fromkeys(document for plan in self._plans for document in plan.documents))
        texts = {file.path for file in loaded.files}
        broken = dict.fromkeys(
            document.file.path
            for document in documents
            if (document in unparsed or document.template_language) and document.whole() is None
        )
        files = dict.fromkeys(document.file.path for document in documents)
        return SetContext(
            assume=cluster.assume or options.assume,
            unparsed=tuple(broken),
            encrypted=tuple(file for file in files if file in loaded.encrypted and file not in texts),
            elsewhere=elsewhere,
            externals=options.externals.union((item.kind, item.namespace, item.name) for item in cluster.externals),
            incomplete=next((plan.incomplete for plan in self._plans if plan.incomplete), ""),
            unchecked=_by_namespace(
                (plan.makes_in, Unchecked(plan.unit.name, plan.release))
                for plan in self._plans
                if plan.unit.state == "unchecked"
            ),
            releases=_by_namespace(
                (plan.default_namespace, plan.release)
                for plan in self._plans
                if plan.release and plan.unit.state != "unchecked"
            ),
            generated=frozenset((GroupKind("", kind), name) for plan in self._plans for kind, name in plan.generated),
            now=options.now or datetime.now(UTC),
            custom_groups=custom_groups(documents),
            definitions=definitions(documents),
            controllers=options.declared_in(self.cluster),
            built=all(plan.built for plan in self._plans if plan.unit.state != "unchecked"),
            gathered=None if self.in_cluster else self._plans[0].gathered,
            deployed=self.in_cluster,
        )

    def looked_at(self, units: Sequence[Unit], routes: Iterable[Route], broken: Sequence[str]) -> Iterator[Unit]:
        """Those of its `units` with what is in them; one with a file that did not parse is partial."""
        making = Counter(name for route in routes for name in self.all_holders.get(route.owner.document, ()))
        held = {plan.unit: (plan, own) for plan, own in self._own}
        for unit in units:
            if unit.state == "unchecked":
                yield unit
                continue
            plan, own = held[unit]
            files = {document.file.path for document in plan.documents}
            reason = next((f"{file} did not parse" for file in broken if file in files), "")
            state, why = (unit.state, unit.reason) if unit.reason or not reason else ("partial", reason)
            yield replace(unit, objects=len(own), routes=making[unit.name], state=state, reason=why)


def _index(scopes: Iterable[_Scope]) -> Elsewhere:
    """For the kind, namespace and name of every object the name of the first unit that holds it."""
    several = list(scopes)
    index: defaultdict[GroupKind, dict[tuple[str, str], str]] = defaultdict(dict)
    for scope in several if len(several) > 1 else ():
        for unit, item in scope.held():
            index[item.group_kind].setdefault((item.namespace, item.name), unit)
    return dict(index)


class _Readings:
    """What documents hold, read as soon as they are loaded, so that their values need not be kept."""

    def __init__(self) -> None:
        self._found: dict[Document, Reading] = {}
        self._again = ValueReader()

    def add(self, document: Document) -> None:
        """Reads a document, and lets its value go where all that is asked of its objects is known by then."""
        reading = self._found[document] = read_document(document)
        if reading.objects and all(item.body is not None for item in reading.objects):
            document.let_go(self._again.value)

    def of(self, documents: Iterable[Document]) -> Iterator[Reading]:
        """What these documents hold, in their order."""
        return (self._found[document] for document in documents if document in self._found)

    def identities(self, document: Document) -> Iterator[Identity]:
        """What the objects of a document are, with the namespace that they have where nothing moves them."""
        for item in self._found[document].objects if document in self._found else ():
            yield item.group, item.kind, item.namespace or DEFAULT_NAMESPACE, item.name


class _Objects:
    """The objects of plans. Several that hold a document share its objects, unless they move it to other namespaces."""

    def __init__(self, reader: ObjectReader, readings: _Readings) -> None:
        self._reader = reader
        self._readings = readings
        self._read: dict[tuple[Document, str, str], tuple[AnyObject, ...]] = {}

    def of(self, plan: Plan) -> list[AnyObject]:
        """The objects of a plan, in the order of its documents."""
        keys = {
            document: (document, plan.namespaces.get(document, ""), plan.default_namespace)
            for document in plan.documents
        }
        by_namespace: defaultdict[str, list[Document]] = defaultdict(list)
        for document, key in keys.items():
            if key not in self._read:
                by_namespace[key[1]].append(document)
        for namespace, documents in by_namespace.items():
            made = defaultdict(list)
            readings = self._readings.of(documents)
            for item in self._reader.settle(readings, namespace, default=plan.default_namespace):
                made[item.document].append(item)
            for document in documents:
                self._read[keys[document]] = tuple(made[document])
        return [item for key in keys.values() for item in self._read[key]]


def check(
    options: Options, rules: Sequence[RuleEntry], on_file: OnFile = _no_progress, *, catalogue: Sequence[RuleEntry] = ()
) -> Report:
    """Lints: the report of what `rules` find.

    `catalogue` is every rule there is, where `rules` are but some: what the manifests suppress is looked up in it.
    """
    manifests = read(options, on_file)
    reporter = Reporter(manifests, rules, options)
    suppressions = Suppressions(manifests, catalogue or rules, reporter.locator)
    chosen = {rule.code for rule in rules}
    further = suppressions.codes - chosen
    running = [*rules, *(rule for rule in catalogue if rule.code in further)]
    failures: list[str] = []
    findings = [*of_problems(running, manifests.problems, failures)]

    def lint(index: int) -> tuple[list[Finding], list[str]]:
        linter = SetLinter(manifests.sets[index], running)
        return list(linter.everything()), linter.failures

    weights = [len(held.graph.objects) for held in manifests.sets]
    linted = side_by_side.each(lint, weights, options.jobs or side_by_side.cores(), manifests.documents)
    for held, (found, broken) in zip(manifests.sets, linted, strict=True):
        findings += (
            replace(finding, units=held.names_of(finding.place.document))
            for finding in found
            if held.shows(finding.place.document)
        )
        failures += broken
    reporter.locator.prepare((finding.place.document for finding in findings), options.jobs)
    findings = suppressions.apply(findings)
    findings += of_problems(rules, suppressions.unused(), failures)
    report = reporter.report(finding for finding in findings if finding.code in chosen)
    return replace(report, failures=tuple(dict.fromkeys(failures))) if failures else report


def _by_namespace(items: Iterable[tuple[_Namespace, _Item]]) -> dict[_Namespace, list[_Item]]:
    found: dict[_Namespace, list[_Item]] = {}
    for namespace, item in items:
        found.setdefault(namespace, []).append(item)
    return found
