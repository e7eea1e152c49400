"""Flux's objects as they are applied, whatever their fields hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from ingress_lint.load.document import Document, Place
from ingress_lint.units.site import Site

KUSTOMIZE: Final = "kustomize.toolkit.fluxcd.io"
HELM: Final = "helm.toolkit.fluxcd.io"
SOURCE: Final = "source.toolkit.fluxcd.io"
WATCHER: Final = "source.extensions.fluxcd.io"
OPERATOR: Final = "fluxcd.controlplane.io"
GROUPS: Final = {
    "Kustomization": KUSTOMIZE,
    "HelmRelease": HELM,
    "FluxInstance": OPERATOR,
    "GitRepository": SOURCE,
    "OCIRepository": SOURCE,
    "Bucket": SOURCE,
    "HelmRepository": SOURCE,
    "HelmChart": SOURCE,
    "ExternalArtifact": SOURCE,
    "ArtifactGenerator": WATCHER,
    "ConfigMap": "",
    "Secret": "",
}
"""The kinds that are asked about here, and the groups that they are of."""
DATA: Final = ("ConfigMap", "Secret")
"""The kinds among them whose objects hold values for others."""
DEFAULT_NAMESPACE: Final = "default"


class Applied(Struct, frozen=True, eq=False):
    """An object that is applied, or that a file holds. `file` is the file that a person edits, as findings show it."""

    kind: str
    namespace: str
    name: str
    value: Mapping[str, Any]
    document: Document
    file: str
    real: str = ""
    """The real path of the file that holds it; empty for what was built."""

    @property
    def spec(self) -> Mapping[str, Any]:
        """Its `spec`, empty where that is no mapping."""
        return mapping(self.value, "spec")

    @property
    def title(self) -> str:
        """Its namespace and name."""
        return f"{self.namespace}/{self.name}"

    def place(self, *pointer: str | int) -> Place:
        """The place of one of its fields."""
        return Place(self.document, pointer)


def applied(value: Any, document: Document, file: str, *, namespace: str = "", real: str = "") -> Applied | None:
    """The object that a document's value is, moved to `namespace` where that is given; None where it is none of `GROUPS`."""
    if not isinstance(value, dict):
        return None
    kind, name = value.get("kind"), text(mapping(value, "metadata"), "name")
    group = text(value, "apiVersion").rpartition("/")[0]
    if not isinstance(kind, str) or not name or GROUPS.get(kind) != group:
        return None
    namespace = namespace or text(mapping(value, "metadata"), "namespace") or DEFAULT_NAMESPACE
    return Applied(kind, namespace, name, value, document, file, real)


def in_file(site: Site, path: str) -> Iterator[Applied]:
    """Flux's own objects in a file, by its real path."""
    for document in site.read(path):
        group = GROUPS.get(document.kind)
        if group and group in document.text:
            found = applied(site.value(document), document, document.file.path, real=path)
            if found is not None:
                yield found


def nearest(found: Sequence[Applied], asking: Applied) -> Applied | None:
    """The object whose file shares most folders with that of who asks for it."""
    return min(found, key=lambda one: (-_shared(one.file, asking.file), one.file), default=None)


def _shared(path: str, other: str) -> int:
    count = 0
    for one, two in zip(path.split("/"), other.split("/"), strict=False):
        if one != two:
            break
        count += 1
    return count


def mapping(value: Any, key: str) -> Mapping[str, Any]:
    """The mapping at a key of what may be one, empty where there is none."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, dict) else {}


def text(value: Any, key: str) -> str:
    """The text at a key of what may be a mapping, empty where there is none."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else ""
