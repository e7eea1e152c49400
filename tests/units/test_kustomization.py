"""Kustomizations: roots and what they put into the cluster."""

from __future__ import annotations

import os

import pytest

from ingress_lint.build.tools import Tool
from ingress_lint.graph.resolution import Existence
from ingress_lint.load.document import Pointer, ProblemKind
from ingress_lint.objects.group_kind import CONFIG_MAP
from ingress_lint.units.configured import Render

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
    assert listed(found(renders=False)) == [("kustomization", ".", "unchecked")]


def test_patches_outside_of_the_folder(tree: Tree) -> None:
    tree(
        {
            "overlay/kustomization.yaml": LISTS + "patches: [{path: ../patches/p.yaml}]\n",
            "overlay/a.yaml": config_map("a"),
            "patches/p.yaml": config_map("p"),
        }
    )
    assert listed(found(renders=False)) == [("kustomization", "overlay", "unchecked")]


def test_without_a_tool_what_changes_its_objects_is_unchecked(tree: Tree) -> None:
    tree({"kustomization.yaml": LISTS + "namePrefix: x-\n", "a.yaml": config_map("a")})
    manifests = found(renders=False)
    assert listed(manifests) == [("kustomization", ".", "unchecked")]
    assert manifests.units[0].reason == "nothing is rendered (--no-render)"
    assert not any((manifests.sets, manifests.problems, manifests.barren))
    missing = found(render=Render(kustomize="no-such-tool"))
    assert "kustomize is not on PATH" in missing.units[0].reason


def test_what_changes_its_objects_is_built(tree: Tree, kustomize: Tool) -> None:
    tree(
        {
            "base/kustomization.yaml": LISTS,
            "base/a.yaml": config_map("a"),
            "prod/kustomization.yaml": "resources: [../base]\nnamePrefix: x-\nnamespace: prod\n",
            "test/kustomization.yaml": "resources: [../base]\nnamespace: test\nconfigMapGenerator: [{name: made}]\n",
        }
    )
    manifests = found(render=Render(kustomize=kustomize.path))
    assert listed(manifests) == [("kustomization", "prod", "checked"), ("kustomization", "test", "checked")]
    spaces = {held.units[0].name: [str(item) for item in held.graph.objects] for held in manifests.sets}
    assert spaces["prod"] == ["ConfigMap prod/x-a"]
    generated, own = sorted(spaces["test"], reverse=True)
    assert own == "ConfigMap test/a"
    assert generated.startswith("ConfigMap test/made-")
    assert not manifests.problems


@pytest.mark.parametrize(
    ("text", "pointer", "unreadable"),
    [
        ("resources: [a.yaml\n", (), True),
        ("resources: [a.yaml, ../x]\n", ("resources", 1), False),
        ("resources: [a.yaml]\ncomponents: [c]\n", ("components", 0), False),
        ("resources: [a.yaml]\npatches: [{path: p.yaml}]\n", ("patches", 0, "path"), False),
        ("resources: [a.yaml]\npatchesStrategicMerge: [b.yaml]\n", (), False),
    ],
)
def test_one_that_does_not_build(tree: Tree, kustomize: Tool, text: str, pointer: Pointer, unreadable: bool) -> None:
    tree(
        {
            "k/kustomization.yaml": text,
            "k/a.yaml": config_map("a"),
            "k/b.yaml": config_map("b"),
            "c.yaml": config_map("c"),
        }
    )
    manifests = found(render=Render(kustomize=kustomize.path))
    assert listed(manifests) == [("folder", ".", "checked"), ("kustomization", "k", "unchecked")]
    (problem,) = manifests.problems
    assert (problem.kind, problem.level, problem.unreadable) == (ProblemKind.RENDER_FAILED, "error", unreadable)
    assert problem.place.pointer == pointer
    file = "k/b.yaml" if "b.yaml" in text else "k/kustomization.yaml"
    assert problem.place.document.file.path == file
    assert problem.message.startswith(("kubectl could not build k: ", "kustomize could not build k: ", "k/kustom"))


def test_a_file_that_does_not_parse_is_told_of_once(tree: Tree, kustomize: Tool) -> None:
    tree({"kustomization.yaml": LISTS + "namespace: x\n", "a.yaml": "kind: ConfigMap\nmetadata: [\n"})
    manifests = found(render=Render(kustomize=kustomize.path))
    assert listed(manifests) == [("kustomization", ".", "unchecked")]
    assert [problem.kind for problem in manifests.problems] == [ProblemKind.YAML_SYNTAX]


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
    assert "lies elsewhere" in manifests.units[0].reason or "is not here" in manifests.units[0].reason
    assert not manifests.sets
    (problem,) = manifests.problems
    assert (problem.level, problem.place.document.file.path) == ("warning", "base/kustomization.yaml")


def test_flux_has_a_kind_of_the_same_name(tree: Tree) -> None:
    flux = (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: flux}\nspec: {path: gone}\n"
    )
    tree({"kustomization.yaml": flux, "a.yaml": config_map("a")})
    assert {item.name for held in found().sets for item in held.graph.objects} == {"flux", "a"}


def test_one_that_includes_itself_ends(tree: Tree) -> None:
    tree(
        {
            "a/kustomization.yaml": "resources: [../b, a.yaml, ../a]\n",
            "a/a.yaml": config_map("a"),
            "b/kustomization.yaml": "resources: [../a]\n",
            "c/kustomization.yaml": "resources: [../b]\n",
        }
    )
    assert listed(found(renders=False)) == [("kustomization", "c", "unchecked")]


def test_what_the_kustomization_of_a_named_file_generates_exists(tree: Tree) -> None:
    tree({"kustomization.yaml": LISTS + "configMapGenerator: [{name: made}]\n", "a.yaml": config_map("a")})
    graph = found("a.yaml").sets[0].graph
    assert graph.resolve(CONFIG_MAP, "default", "made").existence is Existence.EXTERNAL
    assert graph.resolve(CONFIG_MAP, "default", "other").existence is Existence.MISSING


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
