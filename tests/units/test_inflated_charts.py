"""Kustomizations that inflate charts: rendered by helm, taken in by kustomize, and nothing written beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingress_lint.build.tools import Tool
from ingress_lint.load.document import Place
from ingress_lint.load.positions import Locator
from ingress_lint.manifests import Manifests
from ingress_lint.units.configured import Render
from ingress_lint.units.plan import Unit
from tests.packages import MAP, Packages

from .conftest import Tree, found

NAME = "{{ .Release.Name }}-{{ .Values.color }}-{{ .Release.Namespace }}"
TEMPLATE = MAP.format(f"'{NAME}'") + "data:\n  color: {{ .Values.color }}\n  own: a\n"
DEFAULTS = "color: default\n"
CHART = {
    "root/charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "root/charts/web/values.yaml": DEFAULTS,
    "root/charts/web/templates/map.yaml": TEMPLATE,
    "root/blue.yaml": "color: blue\n",
    "root/green.yaml": "color: green\n",
}
CRD = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.org}\n"
PATCH = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: rel-default-default}\ndata: {own: patched}\n"


@pytest.fixture
def render(helm: Tool, kustomize: Tool) -> Render:
    return Render(helm=helm.path, kustomize=kustomize.path)


def root(*charts: dict[str, Any], **fields: Any) -> dict[str, str]:
    return {"root/kustomization.yaml": json.dumps({"helmCharts": charts} | fields, indent=1)}


def maps(manifests: Manifests) -> set[str]:
    return {item.name for held in manifests.sets for item in held.graph.objects if item.kind == "ConfigMap"}


def unit(manifests: Manifests) -> Unit:
    (one,) = manifests.units
    return one


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ({"releaseName": "rel"}, "rel-default-default"),
        ({}, "web-default-default"),
        ({"releaseName": "rel", "namespace": "shop"}, "rel-default-shop"),
        ({"valuesFile": "blue.yaml"}, "web-blue-default"),
        ({"valuesFile": "blue.yaml", "valuesInline": {"color": "red"}}, "web-red-default"),
        ({"valuesFile": "blue.yaml", "valuesInline": {"color": "red"}, "valuesMerge": "merge"}, "web-blue-default"),
        ({"valuesFile": "blue.yaml", "valuesInline": {"a": 1}, "valuesMerge": "replace"}, "web-default-default"),
        ({"valuesInline": {"color": "red"}, "valuesMerge": "merge"}, "web-default-default"),
        ({"valuesInline": {"color": "red"}, "additionalValuesFiles": ["green.yaml"]}, "web-green-default"),
    ],
)
def test_a_chart_that_lies_there(tree: Tree, render: Render, entry: dict[str, Any], name: str) -> None:
    folder = tree(CHART | root({"name": "web"} | entry))
    before = sorted(folder.rglob("*"))
    manifests = found(render=render)
    assert (unit(manifests).kind, unit(manifests).path, unit(manifests).state) == ("kustomization", "root", "checked")
    assert maps(manifests) == {name}
    assert sorted(folder.rglob("*")) == before


def test_what_is_laid_over_it_and_where_that_stands(tree: Tree, render: Render) -> None:
    tree(
        CHART
        | root({"name": "web", "releaseName": "rel", "valuesInline": {"color": "default"}}, resources=["plain.yaml"])
        | {
            "root/plain.yaml": MAP.format("plain"),
            "root/charts/web/crds/crd.yaml": CRD,
            "over/kustomization.yaml": "resources: [../root]\nnamePrefix: x-\npatches: [{path: patch.yaml}]\n",
            "over/patch.yaml": PATCH,
        }
    )
    manifests = found(render=render)
    assert maps(manifests) == {"x-plain", "x-rel-default-default"}
    document = next(one for one in manifests.places if "rel-default" in one.text)
    locator, places = Locator(), manifests.places[document]
    sources = [places.source_place(Place(document, ("data", key))) for key in ("color", "own")]
    assert [(one.place.document.file.path, locator.locate(one.place).line) for one in sources] == [
        ("root/charts/web/templates/map.yaml", 5),
        ("over/patch.yaml", 4),
    ]
    assert [(one.document.file.path, one.pointer) for one in sources[0].values] == [
        ("root/kustomization.yaml", ("helmCharts", 0, "valuesInline", "color"))
    ]


def test_a_chart_that_is_fetched(tree: Tree, render: Render, packages: Packages) -> None:
    packages.index(("web", "1.2.0", {"templates/map.yaml": TEMPLATE, "values.yaml": DEFAULTS}))
    folder = tree(root({"name": "web", "repo": packages.url, "version": "1.x"}))
    before = sorted(folder.rglob("*"))
    absent = found(render=render)
    assert unit(absent).reason == (
        f"it inflates the chart web 1.x of {packages.url}, which is not here: --network fetches it"
    )
    assert [problem.level for problem in absent.problems] == ["warning"]
    assert packages.asked == []
    network = Render(helm=render.helm, kustomize=render.kustomize, network=True)
    assert maps(found(render=network)) == {"web-default-default"}
    packages.answers.clear()
    assert maps(found(render=render)) == {"web-default-default"}
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"nameTemplate": "a"}, "its release is named by a nameTemplate"),
        ({"valuesFile": "gone.yaml"}, "the values file root/gone.yaml cannot be read"),
        ({"name": "absent"}, "its chart is not here: absent"),
        ({"valuesInline": {"color": "a: b"}}, "YAML"),
    ],
)
def test_what_leaves_it_unchecked(tree: Tree, render: Render, entry: dict[str, Any], why: str) -> None:
    tree(CHART | root({"name": "web"} | entry))
    manifests = found(render=render)
    told = next(one for one in manifests.units if one.kind == "kustomization")
    assert told.state == "unchecked"
    assert why in told.reason
    assert "\n" not in told.reason
    assert not any(problem.level == "error" for problem in manifests.problems)


def test_without_helm_it_is_not_checked(tree: Tree, kustomize: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(kustomize.path).parent))
    tree(CHART | root({"name": "web"}))
    manifests = found(render=Render(kustomize=kustomize.path, helm="none"))
    told = next(one for one in manifests.units if one.kind == "kustomization")
    assert told.reason.startswith("helm is not on PATH")
    assert manifests.problems == []
