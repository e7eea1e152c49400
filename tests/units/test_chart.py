"""Units of charts: with which values each is rendered, what becomes of one that is not, and which routes it would make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ingress_lint.__main__ import main
from ingress_lint.build.tools import Tool
from ingress_lint.manifests import Manifests
from ingress_lint.units.configured import Cluster, ConfiguredUnit, Render

from .conftest import Tree, config_map, found, names

CHART = "apiVersion: v2\nname: {}\nversion: 1.0.0\n"
NAMED = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Values.name }}'}\n"
REQUIRED = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ required \"give a name\" .Values.name }}'}\n"


def chart(folder: str, template: str = NAMED, values: str = "name: default\n", more: str = "") -> dict[str, str]:
    return {
        f"{folder}/Chart.yaml": CHART.format(folder.rpartition("/")[2]) + more,
        f"{folder}/templates/map.yaml": template,
        f"{folder}/values.yaml": values,
    }


def rendered(helm: Tool, *paths: str, **options: Any) -> Manifests:
    return found(*paths, render=Render(helm=helm.path), **options)


def states(manifests: Manifests) -> dict[str, str]:
    return {unit.name: unit.state for unit in manifests.units}


def told(manifests: Manifests) -> list[tuple[str, str, bool]]:
    """The file, the level and whether it counts as unreadable, of each problem."""
    return [(one.place.document.file.path, one.level, one.unreadable) for one in manifests.problems]


@pytest.fixture
def run(helm: Tool, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The program, with helm on PATH."""
    monkeypatch.setenv("PATH", str(Path(helm.path).parent))

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, catch_exceptions=False)

    return invoke


def test_each_values_file_of_a_test_or_an_environment_makes_a_unit(tree: Tree, helm: Tool) -> None:
    tree(
        chart("shop")
        | {
            "shop/ci/first-values.yaml": "name: first\n",
            "shop/ci/other.yaml": "name: no-values\n",
            "shop/values-prod.yaml": "name: prod\n",
            "shop/values.test.yaml": "name: test\n",
            "shop/values.schema.json": "{}",
        }
    )
    assert names(rendered(helm)) == {
        "shop": {"default"},
        "shop:ci/first-values.yaml": {"first"},
        "shop:values-prod.yaml": {"prod"},
        "shop:values.test.yaml": {"test"},
    }


def test_values_of_the_command_line_are_for_the_charts_that_it_names(tree: Tree, helm: Tool) -> None:
    tree(chart("shop") | chart("other") | {"shop/ci/a-values.yaml": "name: ci\n", "mine.yaml": "name: mine\n"})
    assert names(rendered(helm, "shop", values=("mine.yaml",))) == {"shop": {"mine"}}
    assert names(rendered(helm, "shop", values=("mine.yaml",), set=("name=set",))) == {"shop": {"set"}}
    manifests = rendered(helm, ".", values=("mine.yaml",))
    assert manifests.loaded.missing_paths == [
        "--values and --set are for the charts among the PATHs, and none of these is a chart"
    ]
    assert names(manifests) == {
        "shop": {"default"},
        "shop:ci/a-values.yaml": {"ci"},
        "other": {"default"},
    }


def test_namespace_and_version_of_the_run(tree: Tree, helm: Tool) -> None:
    tree(chart("shop", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 'v{{ .Capabilities.KubeVersion.Minor }}'}\n"))
    (held,) = rendered(helm, namespace="apps", kube_version="1.31").sets
    assert [(item.namespace, item.name) for item in held.graph.objects] == [("apps", "v31")]


def test_units_of_the_configuration_take_the_place_of_those_found(tree: Tree, helm: Tool) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-{{ .Values.name }}'}\n"
    tree(chart("shop", text) | {"shop/ci/a-values.yaml": "name: ci\n", "live.yaml": "name: live\n"})
    units = (
        ConfiguredUnit(name="live", path="shop", values=("live.yaml",), release="rel", namespace="apps"),
        ConfiguredUnit(name="test", path="shop", set={"name": "set"}, cluster="lab"),
    )
    manifests = rendered(helm, configured=units, clusters={"lab": Cluster(namespace="of-the-lab")})
    assert names(manifests) == {"live": {"rel-live"}, "test": {"release-name-set"}}
    spaces = {held.units[0].name: {item.namespace for item in held.graph.objects} for held in manifests.sets}
    assert spaces == {"live": {"apps"}, "test": {"of-the-lab"}}


def test_a_chart_asks_for_what_the_definitions_in_the_set_define(tree: Tree, helm: Tool) -> None:
    asking = '{{ if .Capabilities.APIVersions.Has "example.com/v1/Way" }}' + config_map("asked") + "{{ end }}"
    definition = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: ways.example.com
spec:
  group: example.com
  names:
    plural: ways
    kind: Way
  versions:
  - name: v1
    served: true
"""
    tree(chart("shop", asking) | {"definitions/way.yaml": definition})
    assert names(rendered(helm))["shop"] == {"asked"}
    assert names(rendered(helm, "shop")) == {"shop": set()}


def test_what_is_below_a_chart_and_a_library_are_no_units(tree: Tree, helm: Tool) -> None:
    tree(
        chart("shop")
        | chart("shop/charts/sub", config_map("sub"))
        | chart("lib", config_map("lib"), more="type: library\n")
    )
    assert names(rendered(helm)) == {"shop": {"default", "sub"}}


def test_a_value_that_is_missing_is_a_warning_where_the_chart_is_met(tree: Tree, helm: Tool) -> None:
    tree(chart("shop", REQUIRED, "") | {"shop/ci/a-values.yaml": "name: ci\n", "shop/ci/b-values.yaml": "other: b\n"})
    manifests = rendered(helm)
    assert states(manifests) == {
        "shop": "unchecked",
        "shop:ci/a-values.yaml": "checked",
        "shop:ci/b-values.yaml": "unchecked",
    }
    assert told(manifests) == [("shop/templates/map.yaml", "warning", False)]
    assert "give a name" in manifests.problems[0].message
    assert told(rendered(helm, "shop")) == [("shop/templates/map.yaml", "error", True)]


def test_a_template_that_does_not_parse_is_an_error_wherever_it_is_met(tree: Tree, helm: Tool) -> None:
    tree(chart("shop", "a: {{ if }}") | {"shop/ci/a-values.yaml": "{}"} | chart("other"))
    manifests = rendered(helm)
    assert told(manifests) == [("shop/templates/map.yaml", "error", True)]
    assert states(manifests)["other"] == "checked"


def test_a_dependency_that_is_not_here(tree: Tree, helm: Tool) -> None:
    needing = "dependencies: [{name: db, version: 1.2.3, repository: https://charts.example.com}]\n"
    tree(
        chart("shop", values="ingress: {enabled: true}\n", more=needing)
        | chart("other")
        | {"shop/ci/a-values.yaml": "ingress: {enabled: false}\n"}
    )
    manifests = rendered(helm)
    assert {unit.name: unit.routes for unit in manifests.units if unit.state == "unchecked"} == {
        "shop": 1,
        "shop:ci/a-values.yaml": 0,
    }
    assert told(manifests) == [("shop/Chart.yaml", "warning", False)]
    assert "db 1.2.3 of https://charts.example.com" in manifests.units[-1].reason


def test_a_chart_may_only_put_others_together(tree: Tree, helm: Tool) -> None:
    tree(
        {
            "all/Chart.yaml": CHART.format("all")
            + "dependencies: [{name: db, version: 1.0.0, repository: 'file://../db'}]\n"
        }
        | {"none/Chart.yaml": CHART.format("none"), "none/map.yaml": config_map("beside")}
        | chart("db", config_map("db"))
    )
    assert names(rendered(helm)) == {"all": {"db"}, "db": {"db"}, "none": {"beside"}}


def test_without_helm_or_rendering_charts_are_unchecked_and_nothing_is_wrong(tree: Tree) -> None:
    tree(chart("shop"))
    for options, reason in (
        ({"render": Render(helm="no-helm-of-this-name")}, "helm is not on PATH"),
        ({"renders": False}, "nothing is rendered (--no-render)"),
    ):
        manifests = found("shop", **options)
        assert (states(manifests), manifests.problems) == ({"shop": "unchecked"}, [])
        assert manifests.units[0].reason.startswith(reason)


def test_what_cannot_be_read_of_a_rendering_is_unknown(tree: Tree, tmp_path: Path) -> None:
    tree(chart("shop"))
    program = tmp_path / "odd-helm"
    program.write_text("#!/bin/sh\necho '# Source: shop/templates/a.yaml\nkind: A\n a: b'\n", encoding="utf-8")
    program.chmod(0o755)
    (held,) = found(render=Render(helm=str(program))).sets
    assert held.graph.context.incomplete == "what shop/templates/a.yaml makes could not be read"


def test_exit_status(tree: Tree, run: Any) -> None:
    tree(chart("shop", REQUIRED, "") | chart("good") | {"mine.yaml": "name: mine\n"})
    assert run("good").exit_code == 0
    assert run(".").exit_code == 0
    refused = run("shop")
    assert refused.exit_code == 2
    assert "give a name" in refused.stdout
    assert run("shop", "--values", "mine.yaml").exit_code == 0
    assert run("shop", "--set", "name=mine").exit_code == 0
    assert run("shop", "--values", "gone.yaml").exit_code == 2
    assert run(".", "--values", "mine.yaml").exit_code == 2
    assert "such as 1.31" in run("good", "--kube-version", "newest").output


def test_units_are_listed_with_what_they_hold(tree: Tree, run: Any) -> None:
    tree(chart("shop") | {"shop/values-prod.yaml": "name: prod\n"})
    listed = json.loads(run("units", "--format", "json").stdout)["units"]
    assert [(unit["name"], unit["kind"], unit["path"], unit["file"], unit["objects"]) for unit in listed] == [
        ("shop", "chart", "shop", "shop/Chart.yaml", 1),
        ("shop:values-prod.yaml", "chart", "shop", "shop/Chart.yaml", 1),
    ]
