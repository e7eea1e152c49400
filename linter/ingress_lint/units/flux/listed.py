"""What a Flux Kustomization applies where that shows in its files without a build: most apps of a repository are such."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, field

from ingress_lint import inputs
from ingress_lint.build.kustomize import Built
from ingress_lint.build.sources import items
from ingress_lint.build.tree import Layer, TreeReader
from ingress_lint.load.document import Document, SourceFile
from ingress_lint.load.files import display_path
from ingress_lint.units.flux.envsubst import is_used_in, without_quotes
from ingress_lint.units.flux.folders import Folders
from ingress_lint.units.flux.kustomization import Source
from ingress_lint.units.flux.objects import GROUPS, mapping, text
from ingress_lint.units.site import Site
from ingress_lint.values.expressions import compiled
from ingress_lint.values.patterns import deferred

_FIELDS: Final = frozenset({"apiVersion", "kind", "metadata", "resources", "components", "namespace", "patches"})
_RENAMED: Final = ("Namespace", "List")
"""The kinds of which a namespace changes more than where they are."""
_SELECTORS: Final = ("annotationSelector", "namespace", "version")
_REQUIREMENT: Final = deferred(
    r"\s*(!?)\s*([\w./-]+)\s*(?:(==?|!=)\s*([\w./-]*)|(in|notin)\s*\(([^()]*)\))?\s*(?:,|\Z)"
)
"""One part of a label selector (kubernetes/apimachinery:pkg/labels/selector.go)."""
_DIRECTIVES: Final = ("$patch", "$retainKeys", "$setElementOrder", "$deleteFromPrimitiveList")
_IDENTITY: Final = ("apiVersion", "kind", "metadata")


class Entry(Struct):
    """A document, the namespace that it is moved to (empty where it is not), and what is merged into its value."""

    document: Document
    namespace: str = ""
    patches: list[Mapping[str, Any]] = field(default_factory=list)

    def patched(self, value: dict[str, Any]) -> dict[str, Any]:
        """What becomes of the document's value; objects of custom kinds are merged like JSON, as kustomize does it."""
        for patch in self.patches:
            value = _merged(value, patch)
        return value


class Listed(Struct, frozen=True):
    """What files hold, in the order of a build. Patches reach Flux's own objects among it alone."""

    entries: tuple[Entry, ...]

    @property
    def documents(self) -> tuple[Document, ...]:
        """The documents as the files have them."""
        return tuple(entry.document for entry in self.entries)

    @property
    def is_moved(self) -> bool:
        """Whether any is moved to a namespace."""
        return any(entry.namespace for entry in self.entries)

    def namespaces(self, documents: Iterable[Document]) -> dict[Document, str]:
        """Where documents are moved that stand for those of the files."""
        return {one: entry.namespace for one, entry in zip(documents, self.entries, strict=False) if entry.namespace}

    @property
    def has_variables(self) -> bool:
        """Whether there is anything that Flux may fill in."""
        return any(is_used_in(document.text) for document in self.documents)

    def built(self, source: Source, site: Site) -> Built:
        """The text to fill variables into: what a build would give, but for the namespace and the patches."""
        sources, overlay = site.builder.sources, source.overlay
        above = (
            () if overlay is None else (Layer("", source.folder, overlay.document, overlay.fields, overlay.pointers),)
        )
        tree = TreeReader(sources).read(source.folder, *above)
        whole = "---\n".join(f"{document.text.rstrip()}\n" for document in self.documents)
        for written in (without_quotes(whole), whole):
            file = SourceFile(f"{display_path(source.folder)} (built)", written)
            documents = sources.split(file)
            if all(document.value is not None for document in documents):
                break
        return Built(source.root(site), None, tree, sources, file, documents)


def listed(source: Source, folders: Folders, site: Site) -> Listed | None:
    """What is applied, None where only a build can tell."""
    fields = {} if source.overlay is None else source.overlay.fields
    entries = _Reader(folders, site).read({"resources": [source.folder]} | dict(fields), source.folder)
    if entries is None or len({entry.document for entry in entries}) < len(entries):
        return None
    return Listed(tuple(entries))


class _Reader:
    """Follows kustomizations that do no more than to list, to move, and to patch Flux's own objects."""

    def __init__(self, folders: Folders, site: Site) -> None:
        self._folders = folders
        self._site = site
        self._seen: set[str] = set()

    def read(self, kustomization: Mapping[str, Any], folder: str) -> list[Entry] | None:
        """What a kustomization of a folder applies; None where that takes a build."""
        if not kustomization.keys() <= _FIELDS:
            return None
        entries: list[Entry] = []
        for item in (*items(kustomization, "resources"), *items(kustomization, "components")):
            found = self._item(inputs.real_path_in(folder, item)) if isinstance(item, str) else None
            if found is None:
                return None
            entries += found
        if not all(self._patch(patch, folder, entries) for patch in items(kustomization, "patches")):
            return None
        return _moved(entries, text(kustomization, "namespace"))

    def _item(self, path: str) -> list[Entry] | None:
        if inputs.is_folder(path):
            kustomization = self._folders.kustomization(path)
            if path in self._seen or not kustomization:
                return None
            self._seen.add(path)
            return self.read(kustomization, path)
        documents = self._site.read(path) if inputs.is_file(path) else ()
        if not inputs.is_file(path) or any(not (document.parsed or document.kind) for document in documents):
            return None
        return [Entry(document) for document in documents]

    def _patch(self, patch: Any, folder: str, entries: Sequence[Entry]) -> bool:
        """Adds a patch to the entries that it means; False where it takes a build."""
        written = text(patch, "patch")
        if not written and text(patch, "path"):
            file = self._site.builder.sources.file(inputs.real_path_in(folder, text(patch, "path")))
            written = "" if file is None else file.text
        value = self._site.builder.sources.embedded(written)
        target = mapping(patch, "target") or _own_target(value)
        for entry in entries:
            if self._may_select(target, entry.document):
                if not GROUPS.get(entry.document.kind) or not _merges(value, written, target):
                    return False
                entry.patches.append({key: value[key] for key in value if key not in _IDENTITY})
        return True

    def _may_select(self, target: Mapping[str, Any], document: Document) -> bool:
        """Whether a patch's target may mean a document's object."""
        if not _fits(text(target, "kind"), document.kind):
            return False
        if not any(target.get(key) for key in ("name", "group", "labelSelector")):
            return True
        value = self._site.value(document)
        metadata = mapping(value, "metadata")
        return (
            _fits(text(target, "group"), text(value, "apiVersion").rpartition("/")[0])
            and _fits(text(target, "name"), text(metadata, "name"))
            and labels_fit(text(target, "labelSelector"), mapping(metadata, "labels")) is not False
        )


def _moved(entries: list[Entry], namespace: str) -> list[Entry] | None:
    if namespace and any(entry.document.kind in _RENAMED for entry in entries):
        return None
    for entry in entries:
        entry.namespace = namespace or entry.namespace
    return entries


def _own_target(patch: Any) -> dict[str, Any]:
    """The object that a patch without a target names itself."""
    target = {"name": text(mapping(patch, "metadata"), "name"), "group": text(patch, "apiVersion").rpartition("/")[0]}
    return target | {"kind": text(patch, "kind")}


def _merges(patch: Any, written: str, target: Mapping[str, Any]) -> bool:
    """Whether a patch does no more than to merge into objects that its target surely means."""
    if not isinstance(patch, dict) or mapping(patch, "metadata").keys() - {"name", "namespace"}:
        return False
    sure = labels_fit(text(target, "labelSelector"), {}) is not None and not any(key in target for key in _SELECTORS)
    return sure and not any(word in written for word in _DIRECTIVES)


def labels_fit(selector: str, labels: Mapping[str, Any]) -> bool | None:
    """Whether labels fit a selector; None where it is not understood."""
    at, all_fit = 0, True
    while at < len(selector):
        found = _REQUIREMENT.match(selector, at)
        if found is None or (found[1] and (found[3] or found[5])):
            return None
        at = found.end()
        held = found[2] in labels
        if found[3] or found[5]:
            values = [found[4]] if found[3] else [value.strip() for value in found[6].split(",")]
            among = held and str(labels[found[2]]) in values
            fits = not among if found[3] == "!=" or found[5] == "notin" else among
        else:
            fits = held != bool(found[1])
        all_fit = all_fit and fits
    return all_fit


def _fits(wanted: str, given: str) -> bool:
    if not wanted or wanted == given:
        return True
    expression = compiled(wanted)
    return expression is None or expression.fits(given) is not False


def _merged(value: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(value)
    for key, item in patch.items():
        held = merged.get(key)
        if item is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(held if isinstance(held, dict) else {}, item) if isinstance(item, dict) else item
    return merged
