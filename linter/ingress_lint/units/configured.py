"""What the configuration says of units and clusters, and of what is installed in these.

The settings of `.ingress-lint.yaml` in the words in which they are written there; once loaded, every path is relative to
the working directory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from ingress_lint.load.document import Document, Pointer

Scalar = str | int | float | bool | None
Version = Annotated[str, Meta(pattern=r"^v?[0-9]+(\.[0-9]+){0,2}", examples=["1.31"])]


class _Settings(Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", omit_defaults=True):
    """What the configuration file spells with dashes."""


class External(_Settings, frozen=True):
    """An object known to exist though no manifest holds it."""

    kind: str
    name: str
    namespace: Annotated[str, Meta(description="Its namespace; none for what is the whole cluster's.")] = ""


class Installed(_Settings, frozen=True):
    """A controller as it is installed, where its installation is not among the manifests.

    What it sets is read of ingress-nginx, and its ConfigMap of HAProxy's controllers and F5 NGINX too.
    """

    name: Annotated[str, Meta(description="The controller or implementation of the Gateway API.")]
    version: Annotated[Version | None, Meta(description="The version that runs.", examples=["1.12.1"])] = None
    flags: Annotated[
        tuple[str, ...],
        Meta(description="The options of its command line.", examples=[["--enable-ssl-passthrough"]]),
    ] = ()
    config_map: Annotated[
        Mapping[str, Scalar],
        Meta(description="What its ConfigMap sets.", examples=[{"allow-snippet-annotations": "true"}]),
    ] = field(default_factory=dict)


class Declared(Struct, frozen=True):
    """Who serves a class by what somebody says, and where: the pointer leads to it in the configuration's document."""

    installed: Installed
    document: Document
    pointer: Pointer


class ConfiguredUnit(_Settings, frozen=True):
    """What is deployed together, instead of what is found at its path."""

    name: Annotated[str, Meta(min_length=1, description="What reports call it.")]
    path: Annotated[str, Meta(min_length=1, description="The folder or chart that is built, or a file.")]
    kind: Annotated[
        Literal["chart", "folder", "kustomization"] | None,
        Meta(description="What stands at its path, where that does not tell."),
    ] = None
    values: Annotated[tuple[str, ...], Meta(description="The values files of a chart, the last one wins.")] = ()
    set: Annotated[
        tuple[str, ...] | Mapping[str, Scalar],
        Meta(
            description="Values of a chart besides: `K=V` as helm's `--set` takes them, or keys with dots and their values."
        ),
    ] = ()
    namespace: Annotated[str | None, Meta(description="The namespace of objects that name none.")] = None
    release: Annotated[str | None, Meta(description="The name of a chart's release.")] = None
    kube_version: Annotated[Version | None, Meta(description="The Kubernetes version to render and judge for.")] = None
    api_versions: Annotated[
        tuple[str, ...],
        Meta(description="What the cluster offers besides, as a chart asks.", examples=[["monitoring.coreos.com/v1"]]),
    ] = ()
    cluster: Annotated[
        str | None, Meta(description="The cluster that it runs in, with all others of that cluster.")
    ] = None

    def helm_settings(self) -> Iterator[str]:
        """The arguments that give helm the values of `set`: typed ones as JSON (`--set-json`, helm 3.10)."""
        import json

        if isinstance(self.set, Mapping):
            for key, value in self.set.items():
                yield from ("--set-json", f"{key}={json.dumps(value)}")
        else:
            for given in self.set:
                yield from ("--set", given)


class Cluster(_Settings, frozen=True):
    """What holds for all units of a cluster. What a unit says itself wins."""

    units: Annotated[
        tuple[str, ...],
        Meta(
            description="Patterns of the names of units that run in it, besides those that name it; `*` takes `/` too.",
            examples=[["apps/prod/*", "platform"]],
        ),
    ] = ()
    namespace: Annotated[str | None, Meta(description="The namespace of objects that name none.")] = None
    controller: Annotated[str | None, Meta(description="The controller of objects whose class says nothing.")] = None
    controllers: Annotated[
        Mapping[str, Installed], Meta(description="Who serves a class here, besides what holds everywhere.")
    ] = field(default_factory=dict)
    kube_version: Annotated[Version | None, Meta(description="The Kubernetes version to render and judge for.")] = None
    api_versions: Annotated[tuple[str, ...], Meta(description="What the cluster offers besides, as a chart asks.")] = ()
    externals: Annotated[tuple[External, ...], Meta(description="Objects known to exist in it.")] = ()
    assume: Annotated[
        Literal["complete", "partial", "auto"] | None,
        Meta(description="Whether what is missing from the manifests is missing from the cluster."),
    ] = None

    def runs(self, unit: str) -> bool:
        """Whether it names a unit by a pattern."""
        return any(fnmatchcase(unit, pattern) for pattern in self.units)


class Render(_Settings, frozen=True, omit_defaults=False):
    """How what is no plain manifest is built."""

    time_limit: Annotated[
        str | int,
        Meta(description="How long one build may take: seconds, or such as 90s.", examples=["90s"]),
    ] = "30s"
    helm: Annotated[
        str,
        Meta(
            pattern=r"^[\w.+-]*$",
            description="What helm is called on PATH, where it is not `helm`.",
            examples=["helm3"],
        ),
    ] = ""
    kustomize: Annotated[
        str,
        Meta(
            pattern=r"^[\w.+-]*$",
            description="What kustomize is called on PATH, or kubectl, which has one.",
            examples=["kubectl"],
        ),
    ] = ""
    network: Annotated[bool, Meta(description="Whether charts and remote bases may be fetched.")] = False


def clusters_of(unit: str, cluster: str | None, clusters: Mapping[str, Cluster]) -> Sequence[str]:
    """The clusters that a unit runs in: the one that it names, else all that name it."""
    return [cluster] if cluster else [name for name, found in clusters.items() if found.runs(unit)]
