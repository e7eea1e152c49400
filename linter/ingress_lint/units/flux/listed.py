"""What a Flux Kustomization applies where that shows in its files without a build: most apps of a repository are such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from ingress_lint.build.kustomize import Built
from ingress_lint.build.sources import items
from ingress_lint.build.tree import Layer, TreeReader
from ingress_lint.load.document import Document, SourceFile
from ingress_lint.load.files import display_path
from ingress_lint.units.flux.envsubst import is_used_in, without_quotes
from ingress_lint.units.flux.kustomization import Source
from ingress_lint.units.flux.objects import GROUPS, mapping, text
from ingress_lint.units.site import Site
from ingress_lint.values.expressions import compiled

_FIELDS: Final = frozenset({"resources", "components", "namespace", "patches"})
_RENAMED: Final = ("Namespace", "List")
"""The kinds of which a namespace changes more than where they are."""
_SELECTORS: Final = ("labelSelector", "annotationSelector", "version")
_DIRECTIVES: Final = ("$patch", "$retainKeys", "$setElementOrder", "$deleteFromPrimitiveList")
_IDENTITY: Final = ("apiVersion", "kind", "metadata")


class Listed(Struct, frozen=True):
    """The documents of the files, all moved to `namespace` where that is given.

    `patches` merge into Flux's own objects among them, each with the value that it merges into a document's.
    """

    documents: tuple[Document, ...]
    namespace: str
    patches: Mapping[Document, Sequence[Mapping[str, Any]]]

    def patched(self, document: Document, value: dict[str, Any]) -> dict[str, Any]:
        """What becomes of a document's value; objects of custom kinds are merged like JSON, as kustomize does it."""
        for patch in self.patches.get(document, ()):
            value = _merged(value, patch)
        return value

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


def listed(source: Source, site: Site) -> Listed | None:
    """What is applied, None where only a build can tell."""
    fields = {} if source.overlay is None else source.overlay.fields
    if not source.content.only_lists or not fields.keys() <= _FIELDS:
        return None
    documents = tuple(document for path in source.content.manifests for document in site.read(path))
    namespace = text(fields, "namespace")
    if any(not (document.parsed or document.kind) for document in documents):
        return None
    if namespace and any(document.kind in _RENAMED for document in documents):
        return None
    patches: dict[Document, list[Mapping[str, Any]]] = {}
    for patch in items(fields, "patches"):
        value = site.builder.sources.embedded(text(patch, "patch"))
        target = mapping(patch, "target") or _own_target(value)
        for document in documents:
            if not _may_select(target, document, site):
                continue
            if not GROUPS.get(document.kind) or not _merges(value, text(patch, "patch"), target):
                return None
            patches.setdefault(document, []).append({key: value[key] for key in value if key not in _IDENTITY})
    return Listed(documents, namespace, patches)


def _own_target(patch: Any) -> dict[str, Any]:
    """The object that a patch without a target names itself."""
    target = {"name": text(mapping(patch, "metadata"), "name"), "group": text(patch, "apiVersion").rpartition("/")[0]}
    return target | {"kind": text(patch, "kind")}


def _merges(patch: Any, written: str, target: Mapping[str, Any]) -> bool:
    """Whether a patch does no more than to merge into objects that its target surely means."""
    plain = isinstance(patch, dict) and not any(word in written for word in _DIRECTIVES)
    return plain and not any(key in target for key in _SELECTORS)


def _may_select(target: Mapping[str, Any], document: Document, site: Site) -> bool:
    """Whether a patch's target may mean a document's object."""
    if not _fits(text(target, "kind"), document.kind):
        return False
    if not (target.get("name") or target.get("group")):
        return True
    value = site.value(document)
    group = text(value, "apiVersion").rpartition("/")[0]
    return _fits(text(target, "group"), group) and _fits(text(target, "name"), text(mapping(value, "metadata"), "name"))


def _fits(wanted: str, given: str) -> bool:
    if not wanted or wanted == given:
        return True
    expression = compiled(wanted)
    return expression is None or expression.fits(given)


def _merged(value: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(value)
    for key, item in patch.items():
        held = merged.get(key)
        if item is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(held if isinstance(held, dict) else {}, item) if isinstance(item, dict) else item
    return merged
