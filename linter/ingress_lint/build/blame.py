"""Where the fault stands of which a tool only says that it met it."""

from __future__ import annotations

from typing import Final

from ingress_lint.build import patches
from ingress_lint.build.identity import identity_of
from ingress_lint.build.sources import Sources
from ingress_lint.build.tree import Tree
from ingress_lint.load.document import Place
from ingress_lint.values.patterns import deferred

_PATCH: Final = deferred(
    r"target for patch (?P<kind>[^./\s]+)\.\S*?/(?P<name>[^.\s]+)|no matches for Id (?P<kind2>[^./\s]+)\.\S*?/(?P<name2>[^.\s]+)"
)


def blamed(tree: Tree, sources: Sources, stderr: str) -> Place | None:
    """The path that leads nowhere, or the patch without its target; None where what the tool says means neither."""
    for place, path in tree.missing:
        if path in stderr:
            return place
    found = _PATCH.search(stderr)
    if found is None:
        return None
    kind, name = found["kind"] or found["kind2"], found["name"] or found["name2"]
    for layer in tree.layers:
        for patch in patches.patches_of(layer, sources):
            identity = identity_of(patch.value) if isinstance(patch.value, dict) else None
            if identity is not None and (identity.kind, identity.name) == (kind, name):
                return patch.base
    return None
