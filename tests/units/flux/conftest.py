"""Flux objects as short texts, and what is made of trees of them."""

from __future__ import annotations

import json
from typing import Any

from ingress_lint.manifests import Manifests
from ingress_lint.units.plan import Unit
from tests.units.conftest import Tree, found, tree

__all__ = [
    "KUSTOMIZE",
    "Tree",
    "bootstrap",
    "config",
    "deployed",
    "flux",
    "found",
    "names",
    "objects",
    "reasons",
    "stream",
    "tree",
]

KUSTOMIZE = "kustomize.toolkit.fluxcd.io/v1"
HELM = "helm.toolkit.fluxcd.io/v2"
SOURCE = "source.toolkit.fluxcd.io/v1"
URL = "https://git.example.org/home/cluster"


def stream(*documents: str) -> str:
    return "---\n".join(documents)


def flux(kind: str, name: str, namespace: str = "flux-system", **spec: Any) -> str:
    """One of Flux's own objects; `spec` is given as it is, and a Kustomization's source is `flux-system` unless said."""
    version = {"Kustomization": KUSTOMIZE, "HelmRelease": HELM}.get(kind, SOURCE)
    if kind == "Kustomization":
        spec = {"sourceRef": {"kind": "GitRepository", "name": "flux-system"}} | spec
    return _text(version, kind, name, namespace, {"spec": spec})


def config(name: str, namespace: str = "", kind: str = "ConfigMap", **data: Any) -> str:
    return _text("v1", kind, name, namespace, {"stringData" if kind == "Secret" else "data": data})


def bootstrap(path: str, url: str = URL, branch: str = "main") -> str:
    """What `flux bootstrap` writes for a cluster whose folder is `path`."""
    return stream(
        flux("GitRepository", "flux-system", url=url, ref={"branch": branch}),
        flux("Kustomization", "flux-system", path=path),
    )


def _text(version: str, kind: str, name: str, namespace: str, rest: dict[str, Any]) -> str:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    rest = {key: value for key, value in rest.items() if value}
    lines = [f"apiVersion: {version}", f"kind: {kind}", f"metadata: {json.dumps(metadata)}"]
    return "\n".join((*lines, *(f"{key}: {json.dumps(value)}" for key, value in rest.items()))) + "\n"


def deployed(manifests: Manifests) -> dict[str, Unit]:
    """The units that Flux deploys, by name."""
    return {unit.name: unit for unit in manifests.units if unit.kind in ("flux-kustomization", "helm-release")}


def reasons(manifests: Manifests) -> dict[str, str]:
    """Why units are unchecked, by name."""
    return {unit.name: unit.reason for unit in manifests.units if unit.state == "unchecked"}


def objects(manifests: Manifests, cluster: str | None = None) -> set[str]:
    """Kind, namespace and name of what runs together in a cluster, Flux's own objects aside."""
    return {
        f"{item.kind} {item.namespace}/{item.name}"
        for held in manifests.sets
        if any(unit.kind == "flux-kustomization" and unit.cluster == cluster for unit in held.units)
        for item in held.graph.objects
        if "fluxcd" not in item.api_version
    }


def names(manifests: Manifests) -> set[str]:
    return set(deployed(manifests))
