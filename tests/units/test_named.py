"""Units that the configuration names, and the clusters that it puts them into."""

from __future__ import annotations

from ingress_lint.units.configured import Cluster, ConfiguredUnit
from tests.units.conftest import Tree, config_map, found, names

FILES = {"east/a/a.yaml": config_map("a"), "east/b/b.yaml": config_map("b"), "west/a/a.yaml": config_map("a")}


def named(name: str, path: str, cluster: str | None = None) -> ConfiguredUnit:
    return ConfiguredUnit(name, path, cluster=cluster)


def test_units_of_one_cluster_run_together_without_a_list_of_clusters(tree: Tree) -> None:
    tree(FILES)
    manifests = found(
        configured=[
            named("a-east", "east/a", "east"),
            named("b-east", "east/b", "east"),
            named("a-west", "west/a", "west"),
        ]
    )
    assert [(held.cluster, [unit.name for unit in held.units]) for held in manifests.sets] == [
        ("east", ["a-east", "b-east"]),
        ("west", ["a-west"]),
    ]


def test_a_list_of_clusters_puts_units_together(tree: Tree) -> None:
    tree(FILES)
    manifests = found(
        configured=[named("a-east", "east/a"), named("b-east", "east/b")], clusters={"east": Cluster(("*-east",))}
    )
    assert [(held.cluster, [unit.name for unit in held.units]) for held in manifests.sets if held.cluster] == [
        ("east", ["a-east", "b-east"])
    ]


def test_units_without_a_cluster_stand_apart(tree: Tree) -> None:
    tree(FILES)
    manifests = found(configured=[named("a-east", "east/a"), named("b-east", "east/b")])
    assert {name: sorted(held) for name, held in names(manifests).items() if name.endswith("-east")} == {
        "a-east": ["a"],
        "b-east": ["b"],
    }
