"""Post-renderers of HelmReleases: what becomes of what helm makes, and where that is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ingress_lint.build.running import Limits
from ingress_lint.build.tools import Tool
from ingress_lint.load.document import Place
from ingress_lint.load.positions import Locator
from ingress_lint.manifests import Manifests
from ingress_lint.units.configured import Render

from .conftest import Tree, bootstrap, deployed, found, reasons

WEB = {
    "flux/sync.yaml": bootstrap("./flux"),
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "charts/web/crds/crd.yaml": (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.org}\n"
    ),
    "charts/web/values.yaml": "port: 80\n",
    "charts/web/templates/web.yaml": """\
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  ports:
    - name: http
      port: {{ .Values.port }}
---
apiVersion: v1
kind: Pod
metadata: {name: pod}
spec:
  containers:
    - {name: web, image: "web:1"}
""",
}
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: shop}
spec:
  chart: {spec: {chart: ./charts/web, sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}}}
"""
PATCHES = """\
  postRenderers:
    - kustomize:
        patches:
          - target: {kind: Service}
            patch: |
              - op: replace
                path: /spec/ports/0/name
                value: first
    - kustomize:
        patches:
          - patch: |
              apiVersion: v1
              kind: Service
              metadata: {name: web}
              spec: {type: NodePort}
        images: [{name: web, newTag: "2"}]
"""


@pytest.fixture
def render(helm: Tool, kustomize: Tool) -> Render:
    return Render(helm=helm.path, kustomize=kustomize.path)


def value(manifests: Manifests, kind: str) -> dict[str, Any]:
    (document,) = (one for one in manifests.places if one.kind == kind)
    whole = document.whole()
    assert isinstance(whole, dict)
    return whole


def places(manifests: Manifests, kind: str, *pointers: tuple[str | int, ...]) -> list[tuple[str, int, str]]:
    """The file, line and certainty of fields of the object of a kind."""
    (document,) = (one for one in manifests.places if one.kind == kind)
    locator = Locator()
    sources = [manifests.places[document].source_place(Place(document, pointer)) for pointer in pointers]
    return [(one.place.document.file.path, locator.locate(one.place).line, one.certainty) for one in sources]


def test_they_are_applied_in_turn_and_stand_where_they_are_written(tree: Tree, render: Render) -> None:
    tree(WEB | {"flux/release.yaml": RELEASE + PATCHES})
    manifests = found(render=render)
    assert deployed(manifests)["shop/web"].state == "checked"
    service, pod = value(manifests, "Service"), value(manifests, "Pod")
    assert (service["spec"]["ports"][0], service["spec"]["type"]) == ({"name": "first", "port": 80}, "NodePort")
    assert pod["spec"]["containers"][0]["image"] == "web:2"
    assert places(
        manifests, "Service", ("spec", "ports", 0, "name"), ("spec", "type"), ("spec", "ports", 0, "port"), ("kind",)
    ) == [
        ("flux/release.yaml", 13, "exact"),
        ("flux/release.yaml", 20, "exact"),
        ("charts/web/templates/web.yaml", 8, "exact"),
        ("charts/web/templates/web.yaml", 2, "exact"),
    ]
    assert places(manifests, "Pod", ("spec", "containers", 0, "image"), ("metadata", "name")) == [
        ("flux/release.yaml", 21, "exact"),
        ("charts/web/templates/web.yaml", 12, "exact"),
    ]


def test_a_release_that_is_built_itself_stands_in_its_own_file(tree: Tree, render: Render) -> None:
    sync = WEB["flux/sync.yaml"].replace('"path"', '"postBuild": {"substitute": {"NAME": "first"}}, "path"')
    tree(
        WEB
        | {"flux/sync.yaml": sync, "flux/release.yaml": (RELEASE + PATCHES).replace("value: first", "value: ${NAME}")}
    )
    manifests = found(render=render)
    assert value(manifests, "Service")["spec"]["ports"][0]["name"] == "first"
    ((file, line, _),) = places(manifests, "Service", ("spec", "ports", 0, "name"))
    assert (file, line) == ("flux/release.yaml", 13)


def test_common_metadata_is_for_the_objects_alone(tree: Tree, render: Render) -> None:
    common = "  commonMetadata:\n    labels: {team: a}\n    annotations:\n      note: b\n"
    tree(WEB | {"flux/release.yaml": RELEASE + common})
    manifests = found(render=render)
    assert value(manifests, "Service")["metadata"] == {
        "name": "web", "labels": {"team": "a"}, "annotations": {"note": "b"}
    }  # fmt: skip
    assert places(manifests, "Service", ("metadata", "annotations", "note")) == [("flux/release.yaml", 9, "exact")]


def test_without_kustomize_it_is_not_checked(tree: Tree, helm: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(helm.path).parent))
    tree(WEB | {"flux/release.yaml": RELEASE + PATCHES})
    manifests = found(render=Render(helm=helm.path, kustomize="none"))
    assert reasons(manifests)["shop/web"].startswith("its postRenderers need kustomize, and kustomize is not on PATH")
    assert manifests.problems == []


@pytest.mark.parametrize("patch", ["- op: remove\n  path: /spec/absent/0\n", "a: [", "${A}"])
def test_a_patch_that_cannot_be_applied_is_told_in_one_line(patch: str, tree: Tree, render: Render) -> None:
    text = "".join(f"              {line}\n" for line in patch.splitlines())
    renderer = "  postRenderers:\n    - kustomize:\n        patches:\n          - target: {kind: Service}\n            patch: |\n"
    tree(WEB | {"flux/release.yaml": RELEASE + renderer + text})
    manifests = found(render=render)
    reason = reasons(manifests)["shop/web"]
    assert "could not apply its postRenderers: " in reason
    assert "\n" not in reason
    assert "ingress-lint-" not in reason
    assert [(one.level, one.place.document.file.path) for one in manifests.problems] == [
        ("warning", "flux/release.yaml")
    ]


def test_what_was_post_rendered_is_kept(tree: Tree, render: Render, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingress_lint.build import post_rendering

    runs: list[str] = []

    def counted(command: tuple[str, ...], folder: str, limits: Limits) -> object:
        runs.append(folder)
        return run(command, folder, limits)

    run = post_rendering.run
    monkeypatch.setattr(post_rendering, "run", counted)
    tree(WEB | {"flux/release.yaml": RELEASE + PATCHES})
    for _ in range(2):
        found(render=render, keeps=True)
    assert len(runs) == 1
