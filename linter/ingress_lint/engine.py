"""Runs the pipeline: paths in, a report out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from msgspec.structs import replace

from ingress_lint.controllers.lowering.lowering import lower
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.set_context import Elsewhere, SetContext
from ingress_lint.linting import SetLinter, of_problems
from ingress_lint.load.document import Document
from ingress_lint.load.loading import Loader, OnFile
from ingress_lint.load.values import ValueReader
from ingress_lint.manifests import Manifests, ManifestSet, Options
from ingress_lint.objects.custom_groups import custom_groups
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.kinds import wanted
from ingress_lint.objects.model import AnyObject
from ingress_lint.objects.reading import DEFAULT_NAMESPACE, ObjectReader, Reading, read_document
from ingress_lint.report import Report
from ingress_lint.reporter import Reporter
from ingress_lint.rule import RuleEntry
from ingress_lint.suppressions import Suppressions
from ingress_lint.units.discovery import context, discover
from ingress_lint.units.plan import Identity, Plan, Unit


def _no_progress(_done: int, _total: int) -> None:
    """Shows nothing."""


def read(options: Options, on_file: OnFile = _no_progress) -> Manifests:
    """Finds what is deployed together under the paths, and takes every unit up to its routes."""
    readings = _Readings()
    loader = Loader(wanted, on_file, readings.add)
    found = discover(options.paths, loader, readings.identities, options.exclude)
    context_documents = context(options.context_paths, loader)
    loaded = loader.loaded
    loaded.missing_paths.extend(options.doubts)
    loaded.documents.sort(key=lambda document: (document.file.path, document.index))
    reader = ObjectReader(options.namespace)
    objects = _Objects(reader, readings)
    held = [(plan, objects.of(plan)) for plan in found.plans]
    in_context = reader.settle(readings.of(context_documents))
    elsewhere = _index(held)
    unparsed = {problem.place.document for problem in loaded.problems}
    texts = {file.path for file in loaded.files}
    manifests = Manifests(loaded, left_out=found.left_out, barren=found.barren)
    for plan, own in held:
        if not any(fnmatchcase(plan.unit.name, pattern) for pattern in options.units or ("*",)):
            continue
        if plan.unit.state == "unchecked":
            manifests.units.append(plan.unit)
            continue
        files = dict.fromkeys(document.file.path for document in plan.documents)
        broken = dict.fromkeys(
            document.file.path
            for document in plan.documents
            if (document in unparsed or document.template_language) and document.whole() is None
        )
        known = SetContext(
            options.assume,
            tuple(broken),
            tuple(file for file in files if file in loaded.encrypted and file not in texts),
            elsewhere,
            options.externals,
            plan.incomplete,
            frozenset((GroupKind("", kind), name) for kind, name in plan.generated),
            options.now or datetime.now(UTC),
            custom_groups(plan.documents),
            plan.built,
            options.declared_in(plan.unit.cluster),
        )
        graph = ObjectGraph((*own, *in_context), known)
        lowered = lower(graph, options.controller)
        unit = _looked_at(plan.unit, len(own), len(lowered.routes), next(iter(broken), ""))
        documents = (*plan.documents, *context_documents)
        manifests.units.append(unit)
        manifests.sets.append(ManifestSet(unit, graph, lowered.routes, documents, lowered.verdicts, lowered.frontends))
    manifests.problems = [*loaded.problems, *reader.problems]
    manifests.placeholders = reader.placeholders
    return manifests


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
        self._read: dict[tuple[Document, str], tuple[AnyObject, ...]] = {}

    def of(self, plan: Plan) -> list[AnyObject]:
        """The objects of a plan, in the order of its documents."""
        by_namespace: defaultdict[str, list[Document]] = defaultdict(list)
        for document in plan.documents:
            namespace = plan.namespaces.get(document, "")
            if (document, namespace) not in self._read:
                by_namespace[namespace].append(document)
        for namespace, documents in by_namespace.items():
            made = defaultdict(list)
            for item in self._reader.settle(self._readings.of(documents), namespace):
                made[item.document].append(item)
            for document in documents:
                self._read[document, namespace] = tuple(made[document])
        return [item for document in plan.documents for item in self._read[document, plan.namespaces.get(document, "")]]


def _index(held: Sequence[tuple[Plan, Sequence[AnyObject]]]) -> Elsewhere:
    """For the kind, namespace and name of every object the name of the first unit that holds it."""
    index: defaultdict[GroupKind, dict[tuple[str, str], str]] = defaultdict(dict)
    for plan, own in held if len(held) > 1 else ():
        for item in own:
            index[item.group_kind].setdefault((item.namespace, item.name), plan.unit.name)
    return dict(index)


def _looked_at(unit: Unit, objects: int, routes: int, broken: str) -> Unit:
    state, reason = (unit.state, unit.reason) if unit.reason or not broken else ("partial", f"{broken} did not parse")
    return replace(unit, objects=objects, routes=routes, state=state, reason=reason)


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
    for manifest_set in manifests.sets:
        linter = SetLinter(manifest_set, running)
        name = (manifest_set.unit.name,)
        findings.extend(replace(finding, units=name) for finding in linter.everything())
        failures += linter.failures
    findings = suppressions.apply(findings)
    findings += of_problems(rules, suppressions.unused(), failures)
    report = reporter.report(finding for finding in findings if finding.code in chosen)
    return replace(report, failures=tuple(dict.fromkeys(failures))) if failures else report
