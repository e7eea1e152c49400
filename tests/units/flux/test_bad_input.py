"""Flux objects that hold anything at all: nothing is raised, and the rest is looked at."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .conftest import Tree, bootstrap, config, flux, found, objects, stream

ODD: list[Any] = [
    None,
    1,
    True,
    "",
    "x",
    [],
    [1, None, "x", {}],
    {},
    {"a": 1},
    {"name": {}, "kind": []},
    "\0",
    "${",
    "../..",
]
FIELDS = [
    "path", "sourceRef", "targetNamespace", "namePrefix", "patches", "components", "images", "commonMetadata", "postBuild",
    "kubeConfig", "patchesStrategicMerge", "patchesJson6902", "chart", "chartRef", "values", "valuesFrom", "sync", "url", "ref",
    "ignore", "artifacts", "sources",
]  # fmt: skip
NESTED = [
    "substitute",
    "substituteFrom",
    "labels",
    "annotations",
    "secretRef",
    "spec",
    "sourceRef",
    "branch",
    "url",
    "patch",
    "copy",
]


@pytest.mark.parametrize("kind", ["Kustomization", "HelmRelease", "GitRepository", "FluxInstance", "ArtifactGenerator"])
@pytest.mark.parametrize("field", FIELDS)
def test_any_field_may_hold_anything(tree: Tree, kind: str, field: str) -> None:
    values = [
        *ODD,
        *({name: odd} for name in NESTED for odd in ODD),
        *([{name: odd}] for name in NESTED for odd in ODD),
    ]
    version = {"FluxInstance": "fluxcd.controlplane.io/v1", "ArtifactGenerator": "source.extensions.fluxcd.io/v1beta1"}
    odd = [
        flux(kind, f"odd-{index}", **({"path": "./apps"} | {field: value})).replace(
            "source.toolkit.fluxcd.io/v1", version.get(kind, "source.toolkit.fluxcd.io/v1")
        )
        for index, value in enumerate(values)
    ]
    tree(
        {
            "clusters/one/flux-system/sync.yaml": bootstrap("./clusters/one"),
            "clusters/one/odd.yaml": stream(*odd),
            "clusters/one/whole.yaml": flux("Kustomization", "whole", path="./whole"),
            "apps/map.yaml": config("${A}"),
            "whole/map.yaml": config("settings"),
        }
    )
    manifests = found(renders=False)
    whole = [unit for unit in manifests.units if unit.name.endswith("flux-system/whole")]
    assert [unit.state for unit in whole] == ["checked"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda held: st.lists(held) | st.dictionaries(st.text(), held),
    )
)
def test_metadata_may_be_anything(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    import json
    import os

    folder = tmp_path_factory.mktemp("odd")
    text = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
    (folder / "ks.yaml").write_text(
        f"{text}metadata: {json.dumps(value)}\nspec: {json.dumps(value)}\n", encoding="utf-8"
    )
    before = os.getcwd()
    os.chdir(folder)
    try:
        found(renders=False)
    finally:
        os.chdir(before)


def test_a_loop_of_links_and_a_link_that_leads_away_end(tree: Tree) -> None:
    folder = tree(
        {
            "repo/.git/HEAD": "",
            "repo/flux/sync.yaml": bootstrap("./flux"),
            "repo/flux/apps.yaml": stream(
                flux("Kustomization", "loop", path="./apps"), flux("Kustomization", "away", path="./away")
            ),
            "repo/apps/map.yaml": config("settings"),
            "outside/map.yaml": config("outside"),
        }
    )
    (folder / "repo/apps/again").symlink_to(folder / "repo/apps")
    (folder / "repo/away").symlink_to(folder / "outside")
    manifests = found("repo", renders=False)
    assert objects(manifests) == {"ConfigMap default/settings"}


def test_many_objects_of_one_name_are_one(tree: Tree) -> None:
    tree(
        {
            "flux/sync.yaml": bootstrap("./flux"),
            "flux/apps.yaml": stream(*(flux("Kustomization", "same", path="./apps") for _ in range(50))),
            "apps/map.yaml": config("settings"),
        }
    )
    assert [unit.name for unit in found(renders=False).units] == [
        "flux-system/same",
        "flux-system/flux-system",
    ]
