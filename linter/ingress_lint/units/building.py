"""Builds for the units of all kinds: one place that knows the tools, the limits and what was read already."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec import Struct

from ingress_lint.load.document import Document, Problem, ProblemKind, SourceFile
from ingress_lint.load.loading import Loader
from ingress_lint.units.plan import NOT_FETCHED

if TYPE_CHECKING:
    from ingress_lint.build.fetching import Fetcher
    from ingress_lint.build.helm import Release, Rendered, Unrendered
    from ingress_lint.build.kustomize import Built, Root, Unbuilt
    from ingress_lint.build.sources import Sources
    from ingress_lint.build.tools import Tool

Given = TypeVar("Given")
Made = TypeVar("Made")
_NOT_RENDERED: Final = "nothing is rendered (--no-render)"


class Rendering(Struct, frozen=True):
    """What a run may do to render: `enabled` runs tools at all, `network` lets them fetch, `seconds` is how long one may take,
    `jobs` how many run side by side, None for as many as there are processors, `keeps` whether what they
    render is kept for later runs.

    `kustomize` and `helm` name the binaries, empty for those on PATH. `values` (files) and `set` (`K=V`) are for the charts that
    the user named; `namespace` and `kube_version` are what charts are rendered for, empty for helm's and the newest.
    """

    enabled: bool = True
    network: bool = False
    seconds: float = 30.0
    kustomize: str = ""
    helm: str = ""
    jobs: int | None = None
    keeps: bool = False
    values: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    namespace: str = ""
    kube_version: str = ""


class Builder:
    """Builds roots, several side by side. The tools are looked for, and what builds is imported, when first asked."""

    def __init__(self, loader: Loader, rendering: Rendering) -> None:
        self._loader = loader
        self.rendering = rendering

    @cached_property
    def sources(self) -> Sources:
        """The files that people edit; those that the loader has read are not read again."""
        from ingress_lint.build.sources import Sources

        return Sources(self._loader.texts)

    @property
    def texts(self) -> Iterable[SourceFile]:
        """The files that were read."""
        return self._loader.texts.values()

    @cached_property
    def _kustomize(self) -> Tool | None:
        from ingress_lint.build.tools import find_kustomize

        return find_kustomize(self.rendering.kustomize) if self.rendering.enabled else None

    @cached_property
    def _helm(self) -> Tool | None:
        from ingress_lint.build.tools import find_helm

        return find_helm(self.rendering.helm) if self.rendering.enabled else None

    def root(self, folder: str) -> Root:
        """What to build of a folder, within the limits of the run."""
        from ingress_lint.build.kustomize import Root
        from ingress_lint.build.running import Limits

        return Root(
            folder, network=self.rendering.network, limits=Limits(self.rendering.seconds), keeps=self.rendering.keeps
        )

    def release(self, chart: str) -> Release:
        """What to render of a chart's folder, a real path, within the limits of the run."""
        from ingress_lint.build.helm import NEWEST_KUBERNETES, Release
        from ingress_lint.build.running import Limits

        rendering = self.rendering
        return Release(
            chart,
            namespace=rendering.namespace or "default",
            kube_version=rendering.kube_version or NEWEST_KUBERNETES,
            keeps=rendering.keeps,
            limits=Limits(rendering.seconds),
        )

    @cached_property
    def _fetcher(self) -> Fetcher:
        from ingress_lint.build.fetching import Fetcher
        from ingress_lint.build.running import Limits

        return Fetcher(self._helm, Limits(self.rendering.seconds), network=self.rendering.network)

    def build(self, roots: Sequence[Root]) -> list[Built | Unbuilt]:
        """What becomes of each root, in their order."""
        return self._side_by_side(self._build, roots)

    def _build(self, root: Root) -> Built | Unbuilt:
        from ingress_lint.build.kustomize import Unbuilt, build

        result = build(root, self._kustomize, self.sources)
        if not root.inflates or not isinstance(result, Unbuilt) or result.reason != "charts":
            return result
        from ingress_lint.build.inflating import inflated

        return inflated(root, self._kustomize, self.release(""), self._helm, self.sources, self._fetcher)

    def render(self, releases: Sequence[Release | Unrendered]) -> list[Rendered | Unrendered]:
        """What becomes of each release of a chart, in their order; of one that cannot be rendered there is nothing more."""
        return self._side_by_side(self._render, releases)

    def _render(self, release: Release | Unrendered) -> Rendered | Unrendered:
        from ingress_lint.build.helm import Rendered, Unrendered, render

        if isinstance(release, Unrendered):
            return release
        result = render(release, self._helm, self.sources, self._fetcher)
        if not release.post_renderers or not isinstance(result, Rendered):
            return result
        from ingress_lint.build.post_rendering import post_rendered

        return post_rendered(result, self._kustomize)

    def _side_by_side(self, make: Callable[[Given], Made], several: Sequence[Given]) -> list[Made]:
        if len(several) < 2:
            return [make(one) for one in several]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(self.rendering.jobs or os.cpu_count()) as pool:
            return list(pool.map(make, several))

    def is_parsed(self, paths: Iterable[str]) -> bool:
        """Whether all of these files parse, as far as they were read; one that does not is told of anyway."""
        texts = {file.path for path in paths if (file := self._loader.texts.get(path)) is not None}
        return not any(
            problem.kind is ProblemKind.YAML_SYNTAX
            and problem.level == "error"
            and problem.place.document.file.path in texts
            for problem in self._loader.loaded.problems
        )

    def documents(self, documents: Iterable[Document]) -> tuple[Document, ...]:
        """Built documents, whose objects are read."""
        return self._loader.adopt(documents)

    def why(self, unbuilt: Unbuilt | Unrendered) -> str:
        """Why something was not built, for the coverage."""
        if unbuilt.reason == "chart":
            return f"{NOT_FETCHED} ({unbuilt.message})"
        return _NOT_RENDERED if unbuilt.reason == "tool" and not self.rendering.enabled else unbuilt.message


def problems_of(unbuilt: Unbuilt) -> tuple[Problem, ...]:
    """What is to be told of a root that was not built: an error where it does not build, a warning where it needs more.

    A tool that is not installed is no fault of the root.
    """
    if unbuilt.reason == "tool":
        return ()
    if unbuilt.reason in ("syntax", "failed"):
        unreadable = unbuilt.reason == "syntax"
        return (Problem(ProblemKind.RENDER_FAILED, unbuilt.place, unbuilt.message, unreadable=unreadable),)
    message = f"not built, so that nothing of it was checked: {unbuilt.message}"
    return (Problem(ProblemKind.RENDER_FAILED, unbuilt.place, message, level="warning"),)
