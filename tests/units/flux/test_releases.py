"""HelmReleases: listed with the reason why they are not checked, and with the routes that their values switch on."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ingress_lint.build.tools import Tool
from ingress_lint.units.configured import Render
from ingress_lint.units.plan import NOT_FETCHED

from .conftest import Tree, bootstrap, config, deployed, flux, found, objects, reasons, stream

SYNC = {"flux/sync.yaml": bootstrap("./flux")}
HERE = {"spec": {"chart": "./charts/web", "sourceRef": {"kind": "GitRepository", "name": "flux-system"}}}
ON = "ingress: {enabled: true}\n"


def release(name: str = "web", **spec: Any) -> str:
    return flux("HelmRelease", name, **({"chart": HERE} | spec))


def test_a_chart_of_the_repository_is_the_releases(tree: Tree) -> None:
    tree(
        SYNC
        | {
            "flux/release.yaml": release(targetNamespace="shop", values={"ingress": {"enabled": True}}),
            "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
            "charts/web/templates/map.yaml": config("web"),
        }
    )
    manifests = found(renders=False)
    unit = deployed(manifests)["flux-system/web"]
    assert (unit.kind, unit.path, unit.file, unit.state, unit.routes) == (
        "helm-release", "charts/web", "flux/release.yaml", "unchecked", 1
    )  # fmt: skip
    assert {unit.kind for unit in manifests.units} == {"flux-kustomization", "helm-release"}


@pytest.mark.parametrize(
    ("chart", "why"),
    [
        ({"chart": "web", "sourceRef": {"kind": "HelmRepository", "name": "charts"}}, "web of https://charts.example.org"),
        ({"chart": "web", "sourceRef": {"kind": "HelmRepository", "name": "absent"}}, "HelmRepository flux-system/absent"),
        ({"chart": "./web", "sourceRef": {"kind": "GitRepository", "name": "absent"}}, "GitRepository flux-system/absent is not here"),
        ({"chart": "./absent", "sourceRef": {"kind": "GitRepository", "name": "flux-system"}}, "there is no chart ./absent here"),
    ],
)  # fmt: skip
def test_a_chart_that_is_elsewhere_is_named(tree: Tree, chart: dict[str, Any], why: str) -> None:
    tree(
        SYNC
        | {
            "flux/release.yaml": stream(
                release(chart={"spec": chart}), flux("HelmRepository", "charts", url="https://charts.example.org")
            )
        }
    )
    manifests = found()
    assert why in reasons(manifests)["flux-system/web"]
    assert deployed(manifests)["flux-system/web"].path == "flux/release.yaml"


def test_a_chart_may_be_named_by_another_object(tree: Tree) -> None:
    tree(
        SYNC
        | {
            "flux/releases.yaml": stream(
                flux("HelmRelease", "image", chartRef={"kind": "OCIRepository", "name": "app"}),
                flux("HelmRelease", "chart", chartRef={"kind": "HelmChart", "name": "web"}),
                flux("HelmRelease", "absent", chartRef={"kind": "OCIRepository", "name": "gone", "namespace": "apps"}),
                flux("OCIRepository", "app", url="oci://registry.example.org/app"),
                flux("HelmChart", "web", **HERE["spec"]),
            ),
            "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
            "charts/web/values.yaml": ON,
        }
    )
    manifests = found()
    assert reasons(manifests)["flux-system/image"] == f"{NOT_FETCHED} (app latest of oci://registry.example.org)"
    assert reasons(manifests)["flux-system/absent"] == "its chart is not here: OCIRepository apps/gone"
    assert deployed(manifests)["flux-system/chart"].path == "charts/web"


@pytest.mark.parametrize(
    ("kind", "data", "source", "routes", "why"),
    [
        ("ConfigMap", {"values.yaml": ON}, {}, 1, ""),
        ("ConfigMap", {"other": ON}, {"valuesKey": "other"}, 1, ""),
        ("ConfigMap", {"on": "true"}, {"valuesKey": "on", "targetPath": "a.ingress.enabled"}, 1, ""),
        ("ConfigMap", {"other": ON}, {}, 0, "ConfigMap flux-system/more, which cannot be read"),
        ("Secret", {"values.yaml": ON}, {}, 1, ""),
        ("Secret", {"values.yaml": "ENC[AES256_GCM,data:x,type:str]"}, {}, 0, "Secret flux-system/more, which cannot be read"),
        ("ConfigMap", None, {}, 0, "ConfigMap flux-system/more, which is not here"),
    ],
)  # fmt: skip
def test_values_from_elsewhere_count(
    tree: Tree, kind: str, data: dict[str, str] | None, source: dict[str, str], routes: int, why: str
) -> None:
    held = "" if data is None else config("more", "flux-system", kind, **data)
    tree(
        SYNC
        | {
            "flux/release.yaml": stream(release(valuesFrom=[{"kind": kind, "name": "more"} | source]), held),
            "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
            "charts/web/values.yaml": "a: {}\n",
        }
    )
    unit = deployed(found(renders=False))["flux-system/web"]
    assert unit.routes == routes
    assert why in unit.reason


def test_values_of_a_secret_are_decoded(tree: Tree) -> None:
    encoded = base64.b64encode(ON.encode()).decode()
    secret = config("more", "flux-system", "Secret", **{"values.yaml": encoded}).replace("stringData", "data")
    tree(SYNC | {"flux/release.yaml": stream(release(valuesFrom=[{"kind": "Secret", "name": "more"}]), secret)})
    assert deployed(found())["flux-system/web"].routes == 1


def test_a_release_that_nobody_applies_is_named_all_the_same(tree: Tree) -> None:
    tree(SYNC | {"loose/release.yaml": release("loose"), "templates/release.yaml": release("<name>")})
    unit = deployed(found())["flux-system/loose"]
    assert (unit.cluster, unit.state) == (None, "unchecked")
    assert set(deployed(found())) == {"flux-system/flux-system", "flux-system/loose"}


# -- rendered ---------------------------------------------------------------------------------------------------------

WEB = {
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "charts/web/values.yaml": "color: default\n",
    "charts/web/templates/map.yaml": config("{{ .Release.Name }}-{{ .Values.color }}"),
}


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ({}, "flux-system/web-default"),
        ({"values": {"color": "own"}}, "flux-system/web-own"),
        ({"releaseName": "live", "targetNamespace": "shop"}, "shop/live-default"),
        ({"targetNamespace": "shop"}, "shop/shop-web-default"),
        ({"valuesFrom": [{"kind": "ConfigMap", "name": "more"}]}, "flux-system/web-more"),
        ({"valuesFrom": [{"kind": "ConfigMap", "name": "more"}], "values": {"color": "own"}}, "flux-system/web-own"),
        (
            {"valuesFrom": [{"kind": "ConfigMap", "name": "more", "valuesKey": "one", "targetPath": "color"}]},
            "flux-system/web-single",
        ),
        (
            {"chart": {"spec": HERE["spec"] | {"valuesFiles": ["charts/web/values.yaml", "envs/live.yaml"]}}},
            "flux-system/web-live",
        ),
        ({"chart": {"spec": HERE["spec"] | {"valuesFiles": ["envs/live.yaml"]}}}, "flux-system/web-live"),
        ({"chart": {"spec": HERE["spec"] | {"valuesFiles": ["envs/other.yaml"]}}}, "flux-system/web-"),
        ({"chart": {"spec": HERE["spec"] | {"valuesFiles": ["values.yaml"]}}}, "flux-system/web-default"),
        (
            {"chart": {"spec": HERE["spec"] | {"valuesFiles": ["envs/live.yaml", "./charts/web/values.yaml"]}}},
            "flux-system/web-default",
        ),
    ],
)
def test_a_chart_of_the_repository_is_rendered(tree: Tree, helm: Tool, spec: dict[str, Any], name: str) -> None:
    more = config("more", "flux-system", **{"values.yaml": "color: more\n", "one": "single"})
    tree(
        SYNC
        | WEB
        | {
            "flux/release.yaml": stream(release(**spec), more),
            "envs/live.yaml": "color: live\n",
            "envs/other.yaml": "size: 1\n",
        }
    )
    manifests = found(render=Render(helm=helm.path))
    assert deployed(manifests)["flux-system/web"].state == "checked"
    assert f"ConfigMap {name}" in objects(manifests)


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        (
            {"chart": {"spec": HERE["spec"] | {"valuesFiles": ["charts/web/values.yaml", "gone.yaml"]}}},
            "its values file gone.yaml is not here",
        ),
        (
            {"valuesFrom": [{"kind": "ConfigMap", "name": "more", "valuesKey": "one", "targetPath": "a[0].b"}]},
            "its values go to a[0].b, which is not understood",
        ),
        ({"valuesFrom": [{"kind": "ConfigMap", "name": "more", "valuesKey": "one"}]}, "are no mapping"),
        ({"releaseName": "--post-renderer"}, "helm takes no release called"),
    ],
)
def test_what_is_not_done_leaves_a_release_unchecked(tree: Tree, helm: Tool, spec: dict[str, Any], why: str) -> None:
    more = config("more", "flux-system", one="single")
    tree(SYNC | WEB | {"flux/release.yaml": stream(release(**spec), more), "envs/live.yaml": "color: live\n"})
    manifests = found(render=Render(helm=helm.path))
    assert why in reasons(manifests)["flux-system/web"]
    assert not any(problem.level == "error" for problem in manifests.problems)


def test_what_a_chart_makes_of_flux_is_followed(tree: Tree, helm: Tool) -> None:
    tree(
        SYNC
        | WEB
        | {
            "flux/release.yaml": release(),
            "charts/web/templates/more.yaml": flux("Kustomization", "more", path="./more"),
            "more/map.yaml": config("made-of-more"),
        }
    )
    assert "flux-system/more" in deployed(found(render=Render(helm=helm.path)))


def test_a_chart_that_lacks_a_dependency_is_no_fault_of_who_installs_it(tree: Tree, helm: Tool) -> None:
    lacking = (
        WEB["charts/web/Chart.yaml"] + "dependencies: [{name: db, version: 1.0.0, repository: 'https://a.example'}]\n"
    )
    tree(SYNC | WEB | {"flux/release.yaml": release(), "charts/web/Chart.yaml": lacking})
    manifests = found(render=Render(helm=helm.path))
    assert "db 1.0.0 of https://a.example" in reasons(manifests)["flux-system/web"]
    assert manifests.problems == []


def test_a_template_that_does_not_parse_is_told_once(tree: Tree, helm: Tool) -> None:
    tree(
        SYNC
        | WEB
        | {"flux/release.yaml": stream(release(), release("other")), "charts/web/templates/map.yaml": "a: {{ if }}"}
    )
    manifests = found(render=Render(helm=helm.path))
    assert [(one.level, one.place.document.file.path) for one in manifests.problems] == [
        ("error", "charts/web/templates/map.yaml")
    ]
