"""Applications whose source is a chart of the repository: what helm is given, and what is followed of what it makes."""

from __future__ import annotations

import pytest

from ingress_lint.build.tools import Tool
from ingress_lint.units.building import Rendering
from ingress_lint.units.plan import NOT_FETCHED

from .conftest import Plans, application, objects

NAME = "{{ .Release.Namespace }}-{{ .Release.Name }}-{{ .Values.color }}-{{ .Capabilities.KubeVersion.Minor }}"
CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: chart\nversion: 1.0.0\n",
    "chart/values.yaml": "color: default\n",
    "chart/templates/map.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: '{NAME}'}}\n",
    "chart/live.yaml": "color: live\n",
    "envs/a.yaml": "color: a\n",
    "envs/b.yaml": "color: b\n",
    "list.yaml": "- a\n",
}


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ("", "shop-web-default-37"),
        (", helm: {releaseName: rel, namespace: other, kubeVersion: '1.31'}", "other-rel-default-31"),
        (", helm: {valueFiles: [live.yaml]}", "shop-web-live-37"),
        (", helm: {valueFiles: [/envs/a.yaml, ../envs/b.yaml]}", "shop-web-b-37"),
        (", helm: {valueFiles: ['/envs/*.yaml', live.yaml]}", "shop-web-live-37"),
        (", helm: {valueFiles: [live.yaml], values: 'color: text'}", "shop-web-text-37"),
        (", helm: {values: 'color: text', valuesObject: {color: object}}", "shop-web-object-37"),
        (", helm: {values: 'color: text', parameters: [{name: color, value: last}]}", "shop-web-last-37"),
        (", helm: {parameters: [{name: color, value: $ARGOCD_APP_NAME}]}", "shop-web-web-37"),
        (", helm: {parameters: [{name: color, value: '007', forceString: true}]}", "shop-web-007-37"),
        (", helm: {ignoreMissingValueFiles: true, valueFiles: [gone.yaml, live.yaml]}", "shop-web-live-37"),
    ],
)
def test_what_helm_is_given(plans: Plans, helm: Tool, options: str, name: str) -> None:
    files = CHART | {"app.yaml": application("web", "chart", options)}
    (plan,) = plans(files, rendering=Rendering(helm=helm.path)).values()
    assert (plan.unit.state, objects(plan)) == ("checked", {name})


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (", helm: {valueFiles: [/list.yaml]}", "holds no mapping"),
        (", helm: {values: '- a'}", "its `values` is no mapping"),
        (", helm: {fileParameters: [{name: a, path: b}]}", "its fileParameters"),
        (", helm: {releaseName: '--output-dir=x'}", "helm takes no release called"),
        (", helm: {kubeVersion: '--x'}", "helm could not render"),
    ],
)
def test_what_cannot_be_given_leaves_it_unchecked(plans: Plans, helm: Tool, options: str, why: str) -> None:
    files = CHART | {"app.yaml": application("web", "chart", options)}
    (plan,) = plans(files, rendering=Rendering(helm=helm.path)).values()
    assert plan.unit.state == "unchecked"
    assert why in plan.unit.reason
    assert all(problem.level == "warning" for problem in plan.problems)


def test_applications_that_a_chart_makes_are_followed(plans: Plans, helm: Tool) -> None:
    child = application("{{ .Values.child }}", "charts/child", ", helm: {parameters: [{name: color, value: red}]}")
    files = {
        "app.yaml": application("root", "root", ", helm: {values: 'child: one'}"),
        "root/Chart.yaml": "apiVersion: v2\nname: root\nversion: 1.0.0\n",
        "root/templates/child.yaml": child,
    } | {path.replace("chart/", "charts/child/"): text for path, text in CHART.items()}
    found = plans(files, rendering=Rendering(helm=helm.path))
    assert objects(found["shop/one"]) == {"shop-one-red-37"}


@pytest.mark.parametrize("url", ["oci://registry.example.com/charts", "registry.example.com/charts"])
def test_a_registry_has_no_scheme(plans: Plans, helm: Tool, url: str) -> None:
    files = {"app.yaml": application("web", "''", ", chart: web, targetRevision: 1.x", url=url)}
    (plan,) = plans(files, rendering=Rendering(helm=helm.path)).values()
    assert plan.unit.reason == f"{NOT_FETCHED} (web 1.x of oci://registry.example.com/charts)"
