"""Runs the pipeline: paths in, a report out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec.structs import replace

from ingress_lint.controllers.lowering.lowering import lower
from ingress_lint.graph.graph import ObjectGraph, SetContext
from ingress_lint.linting import SetLinter, of_problems
from ingress_lint.load.document import Document
from ingress_lint.load.loading import Loaded, Loader, OnFile
from ingress_lint.load.values import ValueReader
from ingress_lint.manifests import Manifests, ManifestSet, Options
from ingress_lint.objects.custom_groups import custom_groups
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.kinds import wanted
from ingress_lint.objects.model import AnyObject
from ingress_lint.objects.reading import ObjectReader, Reading, read_document
from ingress_lint.report import Report
from ingress_lint.reporter import Reporter
from ingress_lint.rule import RuleEntry
from ingress_lint.suppressions import Suppressions

_CONTEXT_SET: Final = "\0context"


def _no_progress(_done: int, _total: int) -> None:
    """Shows nothing."""


def read(options: Options, on_file: OnFile = _no_progress) -> Manifests:
    """Loads the paths and takes every set up to its routes."""
    readings = _Readings()
    loaded = _load(options, on_file, readings)
    reader = ObjectReader(options.namespace)
    documents = _sets(loaded)
    context_documents = documents.pop(_CONTEXT_SET, [])
    context = reader.settle(readings.of(context_documents))
    roots = loaded.kustomizations
    objects = {
        name: reader.settle(readings.of(found), roots[name].namespace if name in roots else "")
        for name, found in documents.items()
    }
    unparsed, elsewhere = _unparsed(loaded), _elsewhere(objects)
    manifests = Manifests(loaded, problems=[*loaded.problems, *reader.problems], placeholders=reader.placeholders)
    texts = {file.path for file in loaded.files}
    for name, own in objects.items():
        root = roots.get(name)
        known = SetContext(
            options.assume,
            unparsed.get(name, ()),
            tuple(file for file, of_set in loaded.encrypted.items() if of_set == name and file not in texts),
            elsewhere[name],
            options.externals,
            root.incomplete if root else "",
            frozenset((GroupKind("", kind), name) for kind, name in root.generated) if root else frozenset(),
            options.now or datetime.now(UTC),
            custom_groups(documents[name]),
        )
        graph = ObjectGraph((*own, *context), known)
        lowered = lower(graph, options.controller)
        held = (*documents[name], *context_documents)
        manifests.sets.append(ManifestSet(name, graph, lowered.routes, held, lowered.verdicts, lowered.frontends))
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


def _load(options: Options, on_file: OnFile, readings: _Readings) -> Loaded:
    loader = Loader(wanted, on_file, readings.add)
    loader.load(options.paths)
    loader.load(options.context_paths, reported=False)
    loader.loaded.documents.sort(key=lambda document: (document.file.path, document.index))
    return loader.loaded


def _elsewhere(objects: Mapping[str, Sequence[AnyObject]]) -> dict[str, frozenset[tuple[GroupKind, str, str]]]:
    """For each set, the kind, namespace and name of every object that only other sets hold."""
    keys = {name: {(item.group_kind, item.namespace, item.name) for item in own} for name, own in objects.items()}
    everything = set().union(*keys.values()) if len(keys) > 1 else set()
    return {name: frozenset(everything - own) for name, own in keys.items()}


def _sets(loaded: Loaded) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = {}
    for document in loaded.documents:
        found.setdefault(document.set_name if document.reported else _CONTEXT_SET, []).append(document)
    return found


def _unparsed(loaded: Loaded) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    templates = (document for document in loaded.documents if document.template_language)
    for document in (*(problem.place.document for problem in loaded.problems), *templates):
        if document.whole() is None:
            found[document.set_name][document.file.path] = None
    return {name: tuple(files) for name, files in found.items()}


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
        findings.extend(linter.everything())
        failures += linter.failures
    findings = suppressions.apply(findings)
    findings += of_problems(rules, suppressions.unused(), failures)
    report = reporter.report(finding for finding in findings if finding.code in chosen)
    return replace(report, failures=tuple(dict.fromkeys(failures))) if failures else report
