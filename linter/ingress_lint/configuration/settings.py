"""The settings of a project, as `.ingress-lint.yaml` or `[tool.ingress-lint]` in pyproject.toml writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from ingress_lint.units.configured import Cluster, ConfiguredUnit, External, Installed, Render

SeverityName = Literal["error", "warning", "note"]
_SELECTORS = "Rules by code, prefix of codes or name, or ALL."


class Config(Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", omit_defaults=True):
    """The settings of a project; paths are relative to the folder of the file."""

    paths: Annotated[tuple[str, ...], Meta(description="What is checked where the command line names no PATH.")] = ()
    exclude: Annotated[tuple[str, ...], Meta(description="What to pass over, in gitignore's syntax.")] = ()
    context: Annotated[
        tuple[str, ...], Meta(description="Files and folders whose objects resolve references and are not reported on.")
    ] = ()
    select: Annotated[
        tuple[str, ...], Meta(description=f"The rules that run; all where it is empty. {_SELECTORS}")
    ] = ()
    ignore: Annotated[tuple[str, ...], Meta(description=f"The rules that do not. {_SELECTORS}")] = ()
    severity: Annotated[
        Mapping[str, SeverityName], Meta(description="Selectors of rules, and the severity that their findings get.")
    ] = field(default_factory=dict)
    min_severity: Annotated[SeverityName, Meta(description="Findings below it are neither shown nor counted.")] = "note"
    per_path_ignores: Annotated[
        Mapping[str, tuple[str, ...]],
        Meta(description="Glob patterns of files, and the selectors of the rules that are ignored there."),
    ] = field(default_factory=dict)
    fail_on: Annotated[
        Literal["error", "warning", "note", "never"],
        Meta(description="The lowest severity that makes the exit status 1."),
    ] = "error"
    fail_on_unchecked: Annotated[
        bool, Meta(description="Whether the exit status is 1 where a unit that makes routes could not be checked.")
    ] = False
    baseline: Annotated[
        str | None, Meta(description="The file that records the findings which are known and not shown.")
    ] = None
    externals: Annotated[
        tuple[External, ...], Meta(description="Objects known to exist though no manifest holds them.")
    ] = ()
    controller: Annotated[str | None, Meta(description="The controller of objects whose class says nothing.")] = None
    namespace: Annotated[str | None, Meta(description="The namespace of objects that name none.")] = None
    assume: Annotated[
        Literal["complete", "partial", "auto"],
        Meta(description="Whether what is missing from the manifests is missing from the cluster."),
    ] = "auto"
    controllers: Annotated[
        Mapping[str, Installed], Meta(description="Classes of Ingresses and Gateways, and who serves each.")
    ] = field(default_factory=dict)
    units: Annotated[
        tuple[ConfiguredUnit, ...],
        Meta(description="What is deployed together; an entry replaces what is found at its path."),
    ] = ()
    clusters: Annotated[
        Mapping[str, Cluster], Meta(description="Clusters by name, and what holds for all units that run in each.")
    ] = field(default_factory=dict)
    render: Annotated[Render, Meta(description="How kustomizations and charts are built.")] = Render()
