"""Kustomizations: roots and what they put into the cluster."""

from __future__ import annotations

import os

import pytest

from ingress_lint.graph.resolution import Existence
from ingress_lint.objects.group_kind import CONFIG_MAP

from .conftest import Tree, config_map, found, listed, names

LISTS = "resources: [a.yaml]\n"


def test_each_root_is_a_unit_and_a_base_is_none(tree: Tree) -> None:
    tree(
        {
            "base/kustomization.yaml": "resources: [a.yaml, more/b.yaml]\n",
            "base/a.yaml": config_map("a"),
            "base/draft.yaml": config_map("draft"),
            "base/more/b.yaml": config_map("b"),
            "base/unlisted/c.yaml": config_map("c"),
            "overlay/kustomization.yaml": "resources: [../base, d.yaml]\n",
            "overlay/d.yaml": config_map("d"),
            "component/kustomization.yaml": "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n" + LISTS,
            "component/a.yaml": config_map("a"),
            "empty/kustomization.yaml": "resources: []\n",
        }
    )
    manifests = found()
    assert names(manifests) == {"overlay": {"a", "b", "d"}, "base/unlisted": {"c"}, "empty": set()}
    assert listed(manifests) == [
        ("folder", "base/unlisted", "checked"),
        ("kustomization", "empty", "checked"),
        ("kustomization", "overlay", "checked"),
    ]
    (unit,) = (unit for unit in manifests.units if unit.name == "overlay")
    assert (unit.path, unit.file, unit.cluster, unit.objects) == ("overlay", "overlay/kustomization.yaml", None, 3)


def test_a_base_that_is_named_is_a_unit(tree: Tree) -> None:
    tree(
        {
            "base/kustomization.yaml": LISTS,
            "base/a.yaml": config_map("a"),
            "overlay/kustomization.yaml": "resources: [../base]\n",
        }
    )
    assert names(found("base")) == {"base": {"a"}}
    assert names(found("base", "overlay")) == {"base": {"a"}, "overlay": {"a"}}


def test_a_file_named_alone_belongs_to_its_kustomization(tree: Tree) -> None:
    tree(
        {
            "base/kustomization.yaml": LISTS + "patches: [{path: p.yaml}]\n",
            "base/a.yaml": config_map("a"),
            "base/p.yaml": config_map("p"),
            "base/draft.yaml": config_map("draft"),
        }
    )
    manifests = found("base/a.yaml", "base/p.yaml", "base/draft.yaml")
    assert listed(manifests) == [("folder", "base", "checked"), ("kustomization", "base", "partial")]
    assert [[item.name for item in held.graph.objects] for held in manifests.sets] == [["draft"], ["a"]]
    assert manifests.barren == ["nothing to lint in base/p.yaml: it holds no manifest"]


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
def test_patches_and_configuration_are_no_manifests(tree: Tree, listing: str) -> None:
    tree({"kustomization.yaml": LISTS + listing, "a.yaml": config_map("a"), "p.yaml": config_map("p")})
    assert names(found()) == {".": {"a"}}


def test_patches_outside_of_the_folder(tree: Tree) -> None:
    tree(
        {
            "overlay/kustomization.yaml": LISTS + "patches: [{path: ../patches/p.yaml}]\n",
            "overlay/a.yaml": config_map("a"),
            "patches/p.yaml": config_map("p"),
        }
    )
    assert names(found()) == {"overlay": {"a"}}


def test_what_changes_its_objects_is_partial(tree: Tree) -> None:
    tree({"kustomization.yaml": LISTS + "namePrefix: x-\n", "a.yaml": config_map("a")})
    manifests = found()
    assert listed(manifests) == [("kustomization", ".", "partial")]
    assert "`namePrefix`" in manifests.units[0].reason
    graph = manifests.sets[0].graph
    assert graph.resolve(CONFIG_MAP, "default", "b").existence is Existence.EXTERNAL


@pytest.mark.parametrize(
    "text",
    [
        "resources: [a.yaml, 'https://github.com/org/app//deploy?ref=v1']\n",
        "bases: [github.com/org/app/deploy]\n",
        "components: ['git@example.com:org/app.git//c']\n",
        "helmCharts: [{name: db, repo: https://charts.example.com}]\n",
    ],
)
def test_what_lies_elsewhere_is_unchecked(tree: Tree, text: str) -> None:
    tree(
        {
            "base/kustomization.yaml": text,
            "base/a.yaml": config_map("a"),
            "k/kustomization.yaml": "resources: [../base]",
        }
    )
    manifests = found()
    assert listed(manifests) == [("kustomization", "k", "unchecked")]
    assert "lies elsewhere" in manifests.units[0].reason
    assert not manifests.sets


def test_flux_has_a_kind_of_the_same_name(tree: Tree) -> None:
    flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: flux}\n"
    tree({"kustomization.yaml": flux, "a.yaml": config_map("a")})
    assert names(found()) == {".": {"flux", "a"}}


@pytest.mark.parametrize("text", ["resources: [a.yaml\n", "resources: [a.yaml, ../x]\n", "components: [c]\n"])
def test_a_kustomization_with_more_than_its_files_is_incomplete(tree: Tree, text: str) -> None:
    tree({"k/kustomization.yaml": text, "k/a.yaml": config_map("a")})
    manifests = found()
    assert listed(manifests) == [("kustomization", "k", "partial")]
    graph = manifests.sets[0].graph
    assert graph.incomplete
    assert graph.resolve(CONFIG_MAP, "default", "b").existence is Existence.EXTERNAL


def test_one_that_includes_itself_ends(tree: Tree) -> None:
    tree(
        {
            "a/kustomization.yaml": "resources: [../b, a.yaml, ../a]\n",
            "a/a.yaml": config_map("a"),
            "b/kustomization.yaml": "resources: [../a]\n",
            "c/kustomization.yaml": "resources: [../b]\n",
        }
    )
    assert names(found()) == {"c": {"a"}}


def test_what_a_kustomization_generates_exists(tree: Tree) -> None:
    tree({"kustomization.yaml": LISTS + "configMapGenerator: [{name: made}]\n", "a.yaml": config_map("a")})
    graph = found().sets[0].graph
    assert graph.resolve(CONFIG_MAP, "default", "made").existence is Existence.EXTERNAL
    assert graph.resolve(CONFIG_MAP, "default", "other").existence is Existence.MISSING


def test_the_outermost_namespace_moves_everything(tree: Tree) -> None:
    tree(
        {
            "base/kustomization.yaml": "namespace: inner\nresources: [a.yaml]\n",
            "base/a.yaml": config_map("a", namespace="own"),
            "plain/kustomization.yaml": "resources: [../base]\n",
            "moved/kustomization.yaml": "namespace: outer\nresources: [../base]\n",
        }
    )
    spaces = {held.unit.name: {item.namespace for item in held.graph.objects} for held in found().sets}
    assert spaces == {"plain": {"inner"}, "moved": {"outer"}}


def test_a_reference_into_another_unit_is_unknown(tree: Tree) -> None:
    tree(
        {
            "a/kustomization.yaml": LISTS,
            "a/a.yaml": config_map("a"),
            "b/kustomization.yaml": "resources: [b.yaml]\n",
            "b/b.yaml": config_map("b"),
        }
    )
    (first, _) = found().sets
    graph = first.graph
    assert graph.resolve(CONFIG_MAP, "default", "a").existence is Existence.FOUND
    elsewhere = graph.resolve(CONFIG_MAP, "default", "b")
    assert elsewhere.existence is Existence.EXTERNAL
    assert elsewhere.why == "b holds it, which may run in another cluster"
    assert graph.resolve(CONFIG_MAP, "default", "c").existence is Existence.MISSING


def test_context_is_found_in_every_unit_and_reported_in_none(tree: Tree) -> None:
    rendered = "# Source: a/templates/a.yaml\n" + config_map("a")
    tree({"a.yaml": rendered, "b.yaml": config_map("b"), "live/c.yaml": config_map("c")})
    for held in found("a.yaml", "b.yaml", context_paths=("live", "b.yaml")).sets:
        resolution = held.graph.resolve(CONFIG_MAP, "default", "c")
        assert resolution.existence is Existence.FOUND
        assert not resolution.object.document.reported
    (held,) = found("b.yaml", context_paths=(".",)).sets
    own = held.graph.get(CONFIG_MAP, "default", "b")
    assert own is not None
    assert own.document.reported


def test_a_file_of_two_names_is_read_once(tree: Tree) -> None:
    tree({"a.yaml": config_map("a")})
    os.symlink("a.yaml", "b.yaml")
    assert names(found()) == {".": {"a"}}
    assert len(found().sets[0].graph.objects) == 1


def test_a_loop_of_links_ends(tree: Tree) -> None:
    tree({"k/a.yaml": config_map("a")})
    os.symlink("..", "k/up")
    assert names(found()) == {"k": {"a"}}
