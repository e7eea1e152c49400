from __future__ import annotations

import os

import pytest

from ingress_lint.build.sources import Sources
from ingress_lint.build.tree import TreeReader

from .conftest import WriteTree

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
PLUGIN = "apiVersion: viaduct.ai/v1\nkind: ksops\nmetadata: {name: a}\n"
BUILT_IN = "apiVersion: builtin\nkind: NamespaceTransformer\nmetadata: {name: a, namespace: b}\n"


@pytest.mark.parametrize(
    ("kustomization", "needs", "pointer"),
    [
        ("resources: [map.yaml, 'https://example.com/a.yaml']", "network", ("resources", 1)),
        ("resources: ['https://git.example.org/a//b?ref=v1']", "network", ("resources", 0)),
        ("resources: ['git@example.org:a/b.git']", "network", ("resources", 0)),
        ("resources: ['github.com/example/a//b']", "network", ("resources", 0)),
        ("bases: ['ssh://git@example.org/a']", "network", ("bases", 0)),
        ("components: ['https://example.org/a?ref=main']", "network", ("components", 0)),
        ("patches: [{path: 'https://example.org/a.yaml'}]", "network", ("patches", 0, "path")),
        ("helmCharts: [{name: web, repo: 'https://example.org'}]", "charts", ("helmCharts", 0)),
        ("helmCharts: [{name: here}]", "charts", ("helmCharts", 0)),
        ("helmGlobals: {chartHome: own}\nhelmCharts: [{name: here}]", "charts", ("helmCharts", 0)),
        ("generators: [plugin.yaml]", "plugin", ("generators", 0)),
        ("transformers: [configuration]", "plugin", ("resources", 0)),
        (f"validators:\n- |\n  {PLUGIN.replace(chr(10), chr(10) + '  ')}", "plugin", ("validators", 0)),
        ("resources: [sub]", "plugin", ("generators", 0)),
        ("resources: [map.yaml, gone.yaml]", None, None),
        ("resources: [map.yaml]\ntransformers: [built-in.yaml]", None, None),
        ("resources: {not: a list}\npatches: 3\nhelmCharts: [1]\ngenerators: [[]]", None, None),
        ("[a list]", None, None),
        ("a: [unclosed", None, None),
        ('resources: ["a\\0b"]', None, None),
        ("", None, None),
    ],
)
def test_obstacles(
    kustomization: str, needs: str | None, pointer: tuple[str | int, ...] | None, write_tree: WriteTree
) -> None:
    folder = write_tree(
        {
            "app/kustomization.yaml": kustomization,
            "app/map.yaml": CONFIG_MAP,
            "app/plugin.yaml": PLUGIN,
            "app/built-in.yaml": BUILT_IN,
            "app/configuration/kustomization.yaml": "resources: [../plugin.yaml]",
            "app/sub/kustomization.yaml": "generators: [../plugin.yaml]",
            "app/charts/here/Chart.yaml": "name: here",
        }
    )
    tree = TreeReader(Sources()).read(str(folder / "app"))
    obstacle = tree.obstacles[0] if tree.obstacles else None
    assert (obstacle and obstacle.needs) == needs
    assert (obstacle and obstacle.place.pointer) == pointer


def test_what_it_takes_in(write_tree: WriteTree) -> None:
    folder = write_tree(
        {
            "overlay/kustomization.yaml": "resources: [../base]\ncomponents: [../component]\npatches: [{path: a.yaml}]",
            "overlay/a.yaml": CONFIG_MAP,
            "base/kustomization.yml": "resources: [map.yaml]\nconfigMapGenerator: [{name: a, files: [x=a.txt], env: e}]",
            "base/map.yaml": CONFIG_MAP,
            "base/a.txt": "a",
            "base/e": "A=b",
            "component/kustomization.yaml": "kind: Component\nresources: [map.yaml]",
            "component/map.yaml": CONFIG_MAP,
            "base/draft.yaml": CONFIG_MAP,
        }
    )
    tree = TreeReader(Sources()).read(str(folder / "overlay"))
    assert [os.path.relpath(layer.path) for layer in tree.layers] == [
        "overlay/kustomization.yaml",
        "base/kustomization.yml",
        "component/kustomization.yaml",
    ]
    assert [os.path.relpath(path) for path in tree.manifests] == ["base/map.yaml", "component/map.yaml"]
    assert sorted(os.path.relpath(path) for path in tree.files) == [
        "base/a.txt",
        "base/e",
        "base/kustomization.yml",
        "base/map.yaml",
        "component/kustomization.yaml",
        "component/map.yaml",
        "overlay/a.yaml",
        "overlay/kustomization.yaml",
    ]


def test_circles_end(write_tree: WriteTree) -> None:
    folder = write_tree(
        {"a/kustomization.yaml": "resources: [., ../b]", "b/kustomization.yaml": "resources: [../a, loop]"}
    )
    (folder / "b/loop").symlink_to(folder)
    (folder / "kustomization.yaml").symlink_to(folder / "kustomization.yaml")
    assert len(TreeReader(Sources()).read(str(folder / "a")).layers) == 2


def test_a_pipe_is_not_read(write_tree: WriteTree) -> None:
    folder = write_tree({"a/kustomization.yaml": "resources: [pipe.yaml]\npatches: [{path: pipe.yaml}]"})
    os.mkfifo(folder / "a/pipe.yaml")
    tree = TreeReader(Sources()).read(str(folder / "a"))
    assert Sources().documents(str(folder / "a/pipe.yaml")) == []
    assert len(tree.files) == 1


@pytest.mark.parametrize(
    ("kustomization", "chart"),
    [
        ("helmCharts: [{name: here}]", "charts/here"),
        ("helmChartInflationGenerator: [{chartName: here}]", "charts/here"),
        ("helmCharts: [{name: here, version: 1.2.0}]", "charts/here"),
        ("helmCharts: [{name: there, version: 1.2.0}]", "charts/there-1.2.0/there"),
        ("helmGlobals: {chartHome: own}\nhelmCharts: [{name: here}]", None),
        ('helmCharts: [{name: "a\\0b"}]', None),
    ],
)
def test_where_charts_are(kustomization: str, chart: str | None, write_tree: WriteTree) -> None:
    folder = write_tree(
        {
            "kustomization.yaml": kustomization,
            "charts/here/Chart.yaml": "name: here",
            "charts/there-1.2.0/there/Chart.yaml": "name: there",
        }
    )
    (found,) = TreeReader(Sources()).read(str(folder)).inflations
    assert found.chart == (None if chart is None else str(folder / chart))
