"""What a Kustomize root builds where it only lists files: their documents, for which no tool is needed."""

from __future__ import annotations

import os
from typing import Final

from ingress_lint import inputs
from ingress_lint.build.sources import Sources, items
from ingress_lint.build.tree import Layer, Tree
from ingress_lint.load.kustomization import has_circle

_NO_CHANGE: Final = frozenset({"apiVersion", "kind", "metadata", "resources"})


def listed_text(tree: Tree, sources: Sources, *, unrestricted: bool) -> str | None:
    """The documents that a root lists, as one text; None where it does more than that, or lists what cannot be read."""
    if tree.obstacles or not all(_only_lists(layer, unrestricted=unrestricted) for layer in tree.layers):
        return None
    below = {layer.folder: frozenset(map(layer.file, items(layer.value, "resources"))) for layer in tree.layers}
    if has_circle(below):
        return None
    documents = [document for path in tree.manifests for document in sources.documents(path)]
    if not documents or any(not isinstance(document.value, dict) for document in documents):
        return None
    return "---\n".join(document.text.rstrip("\n") + "\n" for document in documents)


def _only_lists(layer: Layer, *, unrestricted: bool) -> bool:
    if not layer.value or not layer.value.keys() <= _NO_CHANGE:
        return False
    inside = os.path.join(layer.folder, "")
    for item in items(layer.value, "resources"):
        path = layer.file(item) if isinstance(item, str) else ""
        if not (inputs.is_folder(path) or (inputs.is_file(path) and (unrestricted or path.startswith(inside)))):
            return False
    return True
