"""Which documents share a set, and what one set knows of another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingress_lint.engine import read
from ingress_lint.graph.resolution import Existence
from ingress_lint.manifests import ManifestSet, Options
from ingress_lint.objects.group_kind import CONFIG_MAP


def config_map(name: str, namespace: str = "") -> str:
    space = f", namespace: {namespace}" if namespace else ""
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}{space}}}\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)

    def write(**files: str) -> None:
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_yaml", ".yaml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return write


def sets(*paths: str, **options: object) -> dict[str, ManifestSet]:
    return {found.name: found for found in read(Options(paths=paths or (".",), **options)).sets}  # type: ignore[arg-type]


def names(**found: ManifestSet) -> dict[str, set[str]]:
    return {name: {item.name for item in one.graph.objects} for name, one in found.items()}


def test_loose_files_are_one_set(tree) -> None:
    tree(a_yaml=config_map("a"), deep__b_yaml=config_map("b"))
    assert names(**sets()) == {"": {"a", "b"}}


def test_each_kustomization_is_a_set(tree) -> None:
    tree(
        base__kustomization_yaml="resources: [a.yaml, more/b.yaml]\n",
        base__a_yaml=config_map("a"),
        base__more__b_yaml=config_map("b"),
        base__unlisted__c_yaml=config_map("c"),
        overlay__kustomization_yaml="resources: [../base, d.yaml]\n",
        overlay__d_yaml=config_map("d"),
    )
    assert names(**sets()) == {"base": {"a", "b"}, "overlay": {"d"}, "": {"c"}}


def test_a_file_named_alone_belongs_to_its_kustomization(tree) -> None:
    tree(
        base__kustomization_yaml="resources: [a.yaml]\npatches: [{path: p.yaml}]\n",
        base__a_yaml=config_map("a"),
        base__p_yaml=config_map("p"),
    )
    assert names(**sets("base/a.yaml", "base/p.yaml")) == {"base": {"a"}}


@pytest.mark.parametrize(
    "listing",
    [
        "patches: [{path: p.yaml, target: {kind: ConfigMap}}]",
        "patchesStrategicMerge: [p.yaml]",
        "patchesJson6902: [{path: p.yaml, target: {kind: ConfigMap, name: a}}]",
        "replacements: [{path: p.yaml}]",
        "transformers: [p.yaml]",
        "configurations: [p.yaml]",
        "configMapGenerator: [{name: made, files: [key=p.yaml]}]",
        "helmCharts: [{name: x, valuesFile: p.yaml}]",
        "openapi: {path: p.yaml}",
    ],
)
def test_patches_and_configuration_are_no_manifests(tree, listing: str) -> None:
    tree(kustomization_yaml=f"resources: [a.yaml]\n{listing}\n", a_yaml=config_map("a"), p_yaml=config_map("p"))
    assert names(**sets()) == {".": {"a"}}


def test_patches_outside_of_the_folder(tree) -> None:
    tree(
        overlay__kustomization_yaml="patches: [{path: ../patches/p.yaml}]\n",
        overlay__a_yaml=config_map("a"),
        patches__p_yaml=config_map("p"),
    )
    assert names(**sets()) == {"overlay": {"a"}}


def test_flux_has_a_kind_of_the_same_name(tree) -> None:
    flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: flux}\n"
    tree(kustomization_yaml=flux, a_yaml=config_map("a"))
    assert names(**sets()) == {"": {"flux", "a"}}


@pytest.mark.parametrize("text", ["resources: [a.yaml\n", "resources: [a.yaml, ../x]\n", "components: [c]\n"])
def test_a_kustomization_with_more_than_its_files_is_incomplete(tree, text: str) -> None:
    tree(kustomization_yaml=text, a_yaml=config_map("a"))
    graph = sets()["."].graph
    assert graph.incomplete
    assert graph.resolve(CONFIG_MAP, "default", "b").existence is Existence.EXTERNAL


def test_what_a_kustomization_generates_exists(tree) -> None:
    tree(kustomization_yaml="resources: [a.yaml]\nconfigMapGenerator: [{name: made}]\n", a_yaml=config_map("a"))
    graph = sets()["."].graph
    assert graph.resolve(CONFIG_MAP, "default", "made").existence is Existence.EXTERNAL
    assert graph.resolve(CONFIG_MAP, "default", "other").existence is Existence.MISSING


def test_the_namespace_of_a_kustomization_moves_everything(tree) -> None:
    tree(kustomization_yaml="namespace: shop\n", a_yaml=config_map("a"), b_yaml=config_map("b", "other"))
    assert {item.namespace for item in sets()["."].graph.objects} == {"shop"}


def test_each_rendered_file_is_a_set(tree) -> None:
    source = "# Source: {}/templates/x.yaml\n"
    tree(
        one_yaml=source.format("shop") + config_map("a") + "---\n" + config_map("b"),
        two_yaml="---\n" + source.format("shop") + config_map("a"),
        loose_yaml=config_map("a"),
    )
    assert names(**sets()) == {"one.yaml": {"a", "b"}, "two.yaml": {"a"}, "": {"a"}}


def test_an_output_folder_of_helm_is_a_set_for_each_chart(tree) -> None:
    tree(
        out__shop__templates__a_yaml="# Source: shop/templates/a.yaml\n" + config_map("a"),
        out__shop__charts__db__templates__b_yaml="# Source: shop/charts/db/templates/b.yaml\n" + config_map("b"),
        out__blog__templates__a_yaml="# Source: blog/templates/a.yaml\n" + config_map("a"),
        shop__templates__a_yaml="# Source: shop/templates/a.yaml\n" + config_map("c"),
    )
    assert names(**sets()) == {"out/shop": {"a", "b"}, "out/blog": {"a"}, "shop": {"c"}}


def test_what_another_set_holds_is_external(tree) -> None:
    tree(
        a__kustomization_yaml="resources: [a.yaml]\n",
        a__a_yaml=config_map("a"),
        b__kustomization_yaml="resources: [b.yaml]\n",
        b__b_yaml=config_map("b"),
    )
    graph = sets()["a"].graph
    assert graph.resolve(CONFIG_MAP, "default", "a").existence is Existence.FOUND
    assert graph.resolve(CONFIG_MAP, "default", "b").existence is Existence.EXTERNAL
    assert graph.resolve(CONFIG_MAP, "default", "c").existence is Existence.MISSING


def test_context_is_found_in_every_set_and_reported_in_none(tree) -> None:
    tree(
        a_yaml="# Source: a/templates/a.yaml\n" + config_map("a"), b_yaml=config_map("b"), live__c_yaml=config_map("c")
    )
    for found in sets("a.yaml", "b.yaml", context_paths=("live", "b.yaml")).values():
        resolution = found.graph.resolve(CONFIG_MAP, "default", "c")
        assert resolution.existence is Existence.FOUND
        assert not resolution.object.document.reported
    graph = sets("b.yaml", context_paths=(".",))[""].graph
    assert graph.get(CONFIG_MAP, "default", "b").document.reported


def test_a_file_of_two_names_is_read_once(tree) -> None:
    tree(a_yaml=config_map("a"))
    os.symlink("a.yaml", "b.yaml")
    assert len(sets()[""].graph.objects) == 1
