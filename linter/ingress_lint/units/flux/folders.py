"""The folders that Flux Kustomizations name: where they are, and which files of theirs are applied."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from ingress_lint import inputs
from ingress_lint.load.kustomization import find_file
from ingress_lint.units.excludes import Excludes, Layers, decision, layers_of, spec_of
from ingress_lint.units.site import Site

if TYPE_CHECKING:
    from ingress_lint.build.tree import Layer

_IGNORE_FILE: Final = ".sourceignore"
_SUFFIXES: Final = (".yaml", ".yml")
_NOT_IN_SOURCES: Final = (
    ".git/", ".github/", ".circleci/", ".travis.yml", ".gitlab-ci.yml", "appveyor.yml", ".drone.yml", "cloudbuild.yaml",
    "codeship-services.yml", "codeship-steps.yml", "**/.goreleaser.yml", "**/.sops.yaml", "**/.flux.yaml",
)  # fmt: skip
"""What source-controller leaves out (fluxcd/pkg:sourceignore/sourceignore.go), as far as it is YAML."""


class Content(Struct, frozen=True):
    """What a folder applies. All paths are real ones; `files` are all that the build reads, `folders` those that they lie in."""

    files: frozenset[str]
    folders: frozenset[str]
    manifests: tuple[str, ...]
    """The files that objects are taken from."""


def find_folder(top: str, path: str) -> str | None:
    """The real path of a folder of the repository (of which `top` is the top) that `spec.path` names, None where there is none.

    A path that climbs out of the repository ends at its top (cyphar/filepath-securejoin).
    """
    inside = os.path.normpath("/" + path.replace("\0", "")).lstrip(os.sep)
    found = inputs.real_path_in(top, inside)
    within = found == top or found.startswith(os.path.join(top, ""))
    return found if within and inputs.is_folder(found) else None


class Folders:
    """The folders of one repository."""

    def __init__(self, site: Site, find: Callable[[str], str | None], ignored: Sequence[str] = ()) -> None:
        """`find` is `find_folder` in this one; `ignored` are lines in which sources say what they leave out, in gitignore's syntax."""
        self.find = find
        self._site = site
        self._top = site.repository.top
        self._known: dict[tuple[str, tuple[str, ...]], Content] = {}
        self._generated: dict[str, list[str]] = {}
        self._ignored = (*_NOT_IN_SOURCES, *ignored)

    def kustomization(self, folder: str) -> Mapping[str, Any]:
        """What the kustomization of a folder holds, nothing where it has none."""
        path = find_file(folder)
        documents = [] if path is None else self._site.builder.sources.documents(path)
        value = documents[0].value if documents else None
        return value if isinstance(value, dict) else {}

    def content(self, folder: str, components: Sequence[str] = ()) -> Content:
        """What a folder and components (real paths) apply."""
        key = folder, tuple(components)
        if key not in self._known:
            self._known[key] = self._content(folder, components)
        return self._known[key]

    def generated(self, folder: str) -> list[str] | None:
        """The files, and the folders with a kustomization, that Flux lists where a folder has no kustomization; else None.

        In the order in which a walk meets them (fluxcd/pkg:kustomize/kustomize_generator.go, scanManifests).
        """
        if find_file(folder) is not None:
            return None
        if folder not in self._generated:
            excludes = Excludes((), folder)
            self._generated[folder] = list(self._scan(folder, excludes, excludes.layers, self._source_layers(folder)))
        return self._generated[folder]

    def _content(self, folder: str, components: Sequence[str]) -> Content:
        from ingress_lint.build.tree import Layer, TreeReader
        from ingress_lint.load.document import Document, SourceFile

        nowhere = Document(SourceFile("", ""), 0, 0, 0)
        resources = self.generated(folder)
        above: tuple[Layer, ...] = ()
        if resources is not None or components:
            above = (Layer("", folder, nowhere, {"resources": resources or [], "components": list(components)}),)
        tree = TreeReader(self._site.builder.sources).read(folder, *above)
        return Content(
            frozenset(tree.files),
            frozenset((folder, *(layer.folder for layer in tree.layers))),
            tuple(dict.fromkeys(tree.manifests)),
        )

    def _scan(self, folder: str, excludes: Excludes, ignored: Layers, left_out: Layers) -> Iterator[str]:
        ignored = excludes.within(folder, ignored)
        left_out += layers_of(os.path.join(folder, _IGNORE_FILE), folder)
        try:
            entries = inputs.entries(folder)
        except OSError:
            return
        for entry in entries:
            is_folder = entry.is_dir(follow_symlinks=False)  # as filepath.Walk goes
            if not is_folder and not (entry.name.endswith(_SUFFIXES) and entry.is_file()):
                continue
            path = entry.path
            if excludes.is_ignored(path, ignored, is_folder=is_folder) or decision(left_out, path, is_folder=is_folder):
                continue
            if not is_folder or find_file(path) is not None:
                yield path
            else:
                yield from self._scan(path, excludes, ignored, left_out)

    def _source_layers(self, folder: str) -> Layers:
        """What sources leave out above a folder."""
        layers: Layers = ((self._top, spec_of(self._ignored)),)
        above = [os.path.dirname(folder)] if folder != self._top else []
        while above and above[-1] != self._top and len(above[-1]) > len(self._top):
            above.append(os.path.dirname(above[-1]))
        for path in reversed(above):
            layers += layers_of(os.path.join(path, _IGNORE_FILE), path)
        return layers
