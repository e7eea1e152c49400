"""What is found under a path: charts, other generators, streams, what is passed over and what is barren."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ingress_lint.__main__ import main
from ingress_lint.units.chart import switched_on
from ingress_lint.units.coverage import is_whole, not_checked
from ingress_lint.units.excludes import anchored

from .conftest import Tree, config_map, found, listed, names

CHART = "apiVersion: v2\nname: shop\nversion: 1.0.0\n"
RENDERED = "# Source: {}/templates/x.yaml\n"


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=stdin, catch_exceptions=False)


def test_a_chart_is_listed_with_its_values_and_its_templates_are_nothing(tree: Tree) -> None:
    tree(
        {
            "shop/Chart.yaml": CHART,
            "shop/values.yaml": "ingress: {enabled: false, hosts: [a]}\n",
            "shop/ci/route-values.yaml": "ingress: {enabled: true}\n",
            "shop/values-prod.yaml": "route: {app: {enabled: true}, api: {hostnames: [b]}}\n",
            "shop/templates/service.yaml": config_map("template"),
            "shop/charts/sub/Chart.yaml": CHART,
            "shop/charts/sub/templates/a.yaml": config_map("sub"),
            "shop/examples/a.yaml": config_map("beside"),
            "lib/Chart.yaml": CHART + "type: library\n",
            "lib/templates/a.yaml": config_map("library"),
            "scaffold/templates/a.yaml": config_map("no-chart"),
        }
    )
    manifests = found(renders=False)
    assert names(manifests) == {".": {"beside", "no-chart"}}
    assert {unit.name: unit.routes for unit in manifests.units if unit.kind == "chart"} == {
        "shop": 0,
        "shop:ci/route-values.yaml": 1,
        "shop:values-prod.yaml": 2,
    }
    assert not is_whole(manifests.units)
    assert not_checked(manifests.units).startswith("3 charts with 3 routes (nothing is rendered")


@pytest.mark.parametrize(
    ("values", "routes"),
    [
        ({}, 0),
        ({"ingress": {"enabled": True}}, 1),
        ({"ingress": {"hosts": ["a"]}}, 1),
        ({"ingress": {"enabled": False, "hosts": ["a"]}}, 0),
        ({"server": {"httpRoute": {"enabled": True}}, "gateway": {"hostname": "x"}}, 2),
        ({"route": {"app": {"hostnames": ["a"]}, "api": {"enabled": False}}}, 1),
        ({"ingress": "none", "route": []}, 0),
    ],
)
def test_routes_that_values_switch_on(values: dict[str, object], routes: int) -> None:
    assert switched_on(values) == routes


def test_other_generators_are_named(tree: Tree) -> None:
    tree(
        {
            "helmfile.yaml": "releases: []\n",
            "tanka/environments/default/main.jsonnet": "{}",
            "tanka/lib/k.libsonnet": "{}",
            "cdk/cdk8s.yaml": "language: typescript\n",
            "infra/ingress.tf": 'resource "kubernetes_ingress_v1" "web" {}\n',
            "infra/dns.tf": 'resource "aws_route53_record" "web" {}\n',
        }
    )
    assert listed(found()) == [
        ("cdk8s", "cdk/cdk8s.yaml", "unchecked"),
        ("helmfile", "helmfile.yaml", "unchecked"),
        ("terraform", "infra/ingress.tf", "unchecked"),
        ("jsonnet", "tanka/environments/default/main.jsonnet", "unchecked"),
    ]


def test_each_rendered_file_and_each_chart_of_it_is_a_unit(tree: Tree) -> None:
    tree(
        {
            "one.yaml": RENDERED.format("shop") + config_map("a") + "---\n" + config_map("b"),
            "two.yaml": RENDERED.format("shop") + config_map("a") + "---\n" + RENDERED.format("db") + config_map("a"),
            "loose.yaml": "# Source: https://example.com/x.yaml\n" + config_map("a"),
        }
    )
    assert names(found()) == {"one.yaml": {"a", "b"}, "two.yaml:shop": {"a"}, "two.yaml:db": {"a"}, ".": {"a"}}


def test_an_output_folder_of_helm_is_a_unit_for_each_chart(tree: Tree) -> None:
    tree(
        {
            "out/shop/templates/a.yaml": "# Source: shop/templates/a.yaml\n" + config_map("a"),
            "out/shop/charts/db/templates/b.yaml": "# Source: shop/charts/db/templates/b.yaml\n" + config_map("b"),
            "out/blog/templates/a.yaml": "# Source: blog/templates/a.yaml\n" + config_map("a"),
        }
    )
    assert names(found()) == {"out/shop": {"a", "b"}, "out/blog": {"a"}}


def test_what_is_passed_over(tree: Tree) -> None:
    root = tree(
        {
            ".gitignore": "/build\n*.tmp.yaml\n",
            "keep/.gitignore": "!kept.tmp.yaml\n",
            "keep/kept.tmp.yaml": config_map("kept"),
            "build/a.yaml": config_map("build"),
            "local.tmp.yaml": config_map("tmp"),
            "own/a.yaml": config_map("own"),
            "secret/a.yaml": config_map("excluded-by-info"),
            "vendor/a.yaml": config_map("vendor"),
            "pkg/fixtures/a.yaml": config_map("fixture"),
            "pkg/a.golden.yaml": config_map("golden"),
            "legacy/a.yaml": config_map("legacy"),
        }
    )
    everything = set().union(*names(found()).values())
    assert everything == {"kept", "build", "tmp", "own", "excluded-by-info", "legacy"}  # no repository of git
    (root / ".git" / "info").mkdir(parents=True)
    (root / ".git" / "info" / "exclude").write_text("secret/\n")
    manifests = found(exclude=[anchored("legacy/", ".")])
    assert names(manifests) == {".": {"kept", "own"}}
    assert manifests.left_out == {"ignored by git": 3, "left out by default": 3, "excluded by a pattern": 1}
    again = found(exclude=[anchored("!fixtures", "."), anchored("!build", ".")])
    assert names(again) == {".": {"kept", "own", "legacy", "fixture", "build"}}
    for path in ("build", "vendor", "secret", "pkg/fixtures", "local.tmp.yaml"):
        assert names(found(path, exclude=[anchored("vendor", ".")])), path


@pytest.mark.parametrize(
    ("paths", "status", "said"),
    [
        (("values",), 2, "nothing to lint in values/: 2 YAML files and 1 JSON file, none is a manifest"),
        (("values/a.yaml",), 2, "nothing to lint in values/a.yaml: it holds no manifest"),
        (("values", "good"), 2, "nothing to lint in values/"),
        (("good",), 0, ""),
        ((), 0, ""),
    ],
)
def test_a_path_with_nothing_to_lint(tree: Tree, paths: tuple[str, ...], status: int, said: str) -> None:
    tree({"values/a.yaml": "a: 1\n", "values/b.yml": "b: 1\n", "values/c.json": "{}", "good/a.yaml": config_map("a")})
    result = run("check", *paths)
    assert result.exit_code == status
    assert said in result.stderr
    assert bool(said) == bool(result.stderr)


def test_with_no_path_nothing_to_lint_is_a_warning(tree: Tree) -> None:
    tree({"docs/readme.md": "text"})
    result = run("check")
    assert result.exit_code == 0
    assert "nothing to lint in ./: no YAML or JSON file" in result.stderr


def test_coverage_is_told_and_may_fail(tree: Tree) -> None:
    tree({"a.yaml": config_map("a"), "helmfile.yaml": "releases: []\n"})
    result = run("check", ".")
    assert result.exit_code == 0
    assert "in 1 unit, 0 routes; not checked: 1 helmfile (helmfile is not run" in result.stdout
    assert run("check", ".", "--fail-on-unchecked").exit_code == 1
    written = json.loads(run("units", ".", "--format", "json").stdout)
    assert [(unit["kind"], unit["state"]) for unit in written["units"]] == [
        ("folder", "checked"),
        ("helmfile", "unchecked"),
    ]
    assert "helmfile.yaml" in run("units", ".").stdout
    assert "no unit is called nope" in run("check", ".", "--unit", "nope").stderr


def test_the_order_of_paths_changes_nothing(tree: Tree, tmp_path: Path) -> None:
    tree({f"{name}/web.yaml": config_map("web", "x") for name in ("prod", "staging", "test")})
    (tmp_path / "one.yaml").write_text(config_map("one"))
    outputs = {run("check", *paths, "--format", "json").stdout for paths in (("prod", "staging"), ("staging", "prod"))}
    assert len(outputs) == 1
