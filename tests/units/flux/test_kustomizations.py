"""What Flux Kustomizations build, with what they add and fill in; most of it without a tool."""

from __future__ import annotations

import pytest

from ingress_lint.build.tools import Tool
from ingress_lint.load.document import Place
from ingress_lint.load.positions import Locator
from ingress_lint.manifests import Manifests
from ingress_lint.units.configured import Render

from .conftest import Tree, bootstrap, config, deployed, flux, found, objects, reasons, stream

SYNC = {"flux/sync.yaml": bootstrap("./flux")}


def data(manifests: Manifests, name: str) -> dict[str, object]:
    """What the ConfigMap of a name holds, of the first cluster that has one."""
    for held in manifests.sets:
        for item in held.graph.objects:
            if item.name == name:
                value = item.document.whole()["data"]
                assert isinstance(value, dict)
                return value
    raise AssertionError(name)


def test_files_that_are_only_listed_need_no_tool(tree: Tree) -> None:
    tree(
        SYNC
        | {
            "flux/apps.yaml": flux("Kustomization", "apps", path="./apps", targetNamespace="web"),
            "apps/one.yaml": config("one"),
            "apps/two/kustomization.yaml": "resources: [listed.yaml, ../../base]\n",
            "apps/two/listed.yaml": config("listed", "elsewhere"),
            "apps/two/unlisted.yaml": config("unlisted"),
            "base/kustomization.yaml": "resources: [base.yaml]\n",
            "base/base.yaml": config("base"),
        }
    )
    manifests = found(renders=False)
    assert objects(manifests) == {"ConfigMap web/one", "ConfigMap web/listed", "ConfigMap web/base"}
    assert {unit.kind for unit in manifests.units} == {"flux-kustomization"}


def test_what_needs_a_tool_is_named_and_so_is_all_that_hangs_on_it(tree: Tree) -> None:
    tree(
        SYNC
        | {
            "flux/apps.yaml": flux("Kustomization", "apps", path="./apps"),
            "apps/kustomization.yaml": "nameSuffix: -x\nresources: [ks.yaml, release.yaml]\n",
            "apps/ks.yaml": flux("Kustomization", "web", "", path="./web"),
            "apps/release.yaml": flux("HelmRelease", "shop", "", values={"ingress": {"enabled": True}}),
            "web/map.yaml": config("settings"),
        }
    )
    manifests = found(renders=False)
    assert set(reasons(manifests)) == {"flux-system/apps", "default/web", "default/shop"}
    assert reasons(manifests)["default/web"] == "what applies it could not be built: flux-system/apps"
    assert objects(manifests) == set()
    assert not manifests.problems


def test_patches_of_a_parent_reach_the_children_that_they_mean(tree: Tree) -> None:
    patch = "apiVersion: {0}\nkind: Kustomization\nmetadata: {{name: _}}\nspec: {{targetNamespace: studio}}\n"
    tree(
        SYNC
        | {
            "flux/apps.yaml": flux(
                "Kustomization",
                "apps",
                path="./apps",
                patches=[
                    {
                        "patch": patch.format("kustomize.toolkit.fluxcd.io/v1"),
                        "target": {"group": "kustomize.toolkit.fluxcd.io", "kind": "Kustomization", "name": "w.*"},
                    },
                    {"patch": "spec: {suspend: true}\n", "target": {"kind": "HelmRelease"}},
                ],
            ),
            "apps/all.yaml": stream(
                flux("Kustomization", "web", path="./web"), flux("Kustomization", "api", path="./api")
            ),
            "web/map.yaml": config("web"),
            "api/map.yaml": config("api"),
        }
    )
    assert objects(found(renders=False)) == {"ConfigMap studio/web", "ConfigMap default/api"}


def test_namespaces_and_patches_of_kustomizations_need_no_tool_either(tree: Tree) -> None:
    tree(
        SYNC
        | {
            "flux/apps.yaml": flux("Kustomization", "apps", path="./overlay"),
            "overlay/kustomization.yaml": (
                "namespace: outer\nresources: [../base, plain.yaml]\n"
                "patches: [{path: route.yaml, target: {kind: HelmRelease, name: shop}}]\n"
            ),
            "overlay/plain.yaml": config("plain", "elsewhere"),
            "overlay/route.yaml": "spec: {values: {route: {enabled: true}, ingress: null}}\n",
            "base/kustomization.yaml": "namespace: inner\nresources: [release.yaml]\n",
            "base/release.yaml": stream(
                flux("HelmRelease", "shop", values={"ingress": {"enabled": True}, "route": {"hosts": ["a"]}}),
                flux("HelmRelease", "other", values={"ingress": {"enabled": True}}),
            ),
        }
    )
    manifests = found(renders=False)
    assert objects(manifests) == {"ConfigMap outer/plain"}
    assert {(name, unit.routes) for name, unit in deployed(manifests).items() if unit.kind == "helm-release"} == {
        ("outer/shop", 1), ("outer/other", 1)
    }  # fmt: skip


@pytest.mark.parametrize(
    "more",
    [
        "namePrefix: a-\n",
        "patches: [{patch: '{kind: ConfigMap, metadata: {name: m}}', target: {kind: ConfigMap}}]\n",
        "patches: [{patch: '[{op: remove, path: /spec/suspend}]', target: {kind: HelmRelease}}]\n",
        "patches: [{patch: '{spec: {suspend: true}}', target: {kind: HelmRelease, labelSelector: a > b}}]\n",
        "patches: [{patch: '{$patch: delete}', target: {kind: HelmRelease}}]\n",
        "configMapGenerator: [{name: a, literals: [b=c]}]\n",
        "namespace: web\n",
    ],
)
def test_what_else_a_kustomization_does_takes_a_tool(tree: Tree, more: str) -> None:
    space = "apiVersion: v1\nkind: Namespace\nmetadata: {name: space}\n"
    tree(
        SYNC
        | {
            "flux/apps.yaml": flux("Kustomization", "apps", path="./apps"),
            "apps/kustomization.yaml": f"resources: [all.yaml]\n{more}",
            "apps/all.yaml": stream(flux("HelmRelease", "shop"), config("m"), space),
        }
    )
    assert "flux-system/apps" in reasons(found(renders=False))


def test_variables_come_from_where_flux_takes_them(tree: Tree) -> None:
    text = {"a": "${A}", "b": "${B}", "c": "${C:=else}", "d": "${D}", "s": "${S}", "port": "${N:=8080}", "e": "$${A}"}
    tree(
        SYNC
        | {
            "flux/vars.yaml": stream(
                config("low", "flux-system", A="low", B="low"),
                config("high", "flux-system", B="hi\ngh", D="high"),
                config("keys", "flux-system", "Secret", S="ENC[AES256_GCM,data:x,type:str]"),
                config("low", "another", A="another"),
            ),
            "flux/apps.yaml": flux(
                "Kustomization",
                "apps",
                path="./apps",
                postBuild={
                    "substitute": {"D": "own"},
                    "substituteFrom": [
                        {"kind": "ConfigMap", "name": "low"},
                        {"kind": "ConfigMap", "name": "high"},
                        {"kind": "Secret", "name": "keys"},
                    ],
                },
            ),
            "apps/map.yaml": config("settings")
            + "data:\n"
            + "".join(f"  {key}: '{value}'\n" for key, value in text.items()),
        }
    )
    filled = data(found(renders=False), "settings")
    assert filled == {"a": "low", "b": "high", "c": "else", "d": "own", "s": "${S}", "port": 8080, "e": "${A}"}


@pytest.mark.parametrize("optional", [True, False])
def test_a_source_that_is_not_here_may_set_what_no_other_does(tree: Tree, optional: bool) -> None:
    source = {"kind": "Secret", "name": "absent", "optional": optional}
    build = {"substitute": {"A": "own"}, "substituteFrom": [source]}
    tree(
        SYNC
        | {
            "flux/apps.yaml": flux("Kustomization", "apps", path="./apps", postBuild=build),
            "apps/map.yaml": config("settings", a="${A}", b="${B}", c="${C:=else}"),
        }
    )
    assert data(found(renders=False), "settings") == {"a": "own", "b": "${B}", "c": "${C}"}


@pytest.mark.parametrize(
    "build", [{}, {"postBuild": {}}, {"postBuild": {"substitute": {}}}, {"postBuild": {"substituteFrom": []}}]
)
def test_without_variables_nothing_is_filled_in(tree: Tree, build: dict[str, object]) -> None:
    tree(
        SYNC
        | {
            "flux/apps.yaml": flux("Kustomization", "apps", path="./apps", **build),
            "apps/map.yaml": config("settings", a="${A:=else}", b="$$"),
        }
    )
    assert data(found(renders=False), "settings") == {"a": "${A:=else}", "b": "$$"}


@pytest.mark.parametrize("where", ["labels", "annotations"])
def test_an_object_may_be_left_as_it_is(tree: Tree, where: str) -> None:
    tree(
        SYNC
        | {
            "flux/apps.yaml": flux("Kustomization", "apps", path="./apps", postBuild={"substitute": {"A": "own"}}),
            "apps/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n"
            f"  {where}: {{kustomize.toolkit.fluxcd.io/substitute: disabled}}\ndata: {{a: '${{A}}'}}\n",
        }
    )
    assert data(found(renders=False), "settings") == {"a": "${A}"}


def test_variables_of_a_configmap_that_is_built_later_are_waited_for(tree: Tree) -> None:
    source = {"substituteFrom": [{"kind": "ConfigMap", "name": "vars"}]}
    tree(
        SYNC
        | {
            "flux/all.yaml": stream(
                flux("Kustomization", "apps", path="./apps", postBuild=source),
                flux("Kustomization", "config", path="./config", targetNamespace="flux-system"),
            ),
            "config/map.yaml": config("vars", A="later"),
            "apps/map.yaml": config("settings", a="${A}"),
        }
    )
    assert data(found(renders=False), "settings") == {"a": "later"}


def test_variables_of_another_cluster_are_not_this_ones(tree: Tree) -> None:
    source = {"substituteFrom": [{"kind": "ConfigMap", "name": "vars"}]}
    tree(
        {
            "clusters/a/flux-system/sync.yaml": bootstrap("./clusters/a"),
            "clusters/a/vars.yaml": config("vars", "flux-system", A="of a"),
            "clusters/b/flux-system/sync.yaml": bootstrap("./clusters/b"),
            "clusters/b/apps.yaml": flux("Kustomization", "apps", path="./apps", postBuild=source),
            "apps/map.yaml": config("settings", a="${A}"),
        }
    )
    assert data(found(renders=False), "settings") == {"a": "${A}"}


SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports:
  - name: http
    port: 80
    targetPort: ${PORT}
"""
KUSTOMIZATION = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: web
  namespace: flux-system
spec:
  path: ./web
  targetNamespace: shop
  sourceRef: {kind: GitRepository, name: flux-system}
  components: [../parts/canary, ../parts/absent]
  ignoreMissingComponents: true
  postBuild:
    substitute:
      PORT: "8080"
  patches:
  - target: {kind: Service, name: web}
    patch: |-
      - op: replace
        path: /spec/ports/0/port
        value: 8443
"""


def test_what_is_added_to_a_folder_is_built_and_placed_in_the_flux_object(tree: Tree, kustomize: Tool) -> None:
    tree(
        SYNC
        | {
            "flux/web.yaml": KUSTOMIZATION,
            "web/service.yaml": SERVICE,
            "parts/canary/kustomization.yaml": (
                "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [canary.yaml]\n"
            ),
            "parts/canary/canary.yaml": SERVICE.replace("name: web", "name: canary"),
        }
    )
    manifests = found(render=Render(kustomize=kustomize.path))
    assert objects(manifests) == {"Service shop/web", "Service shop/canary"}
    built = [item for held in manifests.sets for item in held.graph.objects]
    (service,) = (item for item in built if (item.kind, item.name) == ("Service", "web"))
    places, locator = manifests.places[service.document], Locator()

    def lines(*pointer: str | int) -> tuple[str, int, list[tuple[str, int]]]:
        found = places.source_place(Place(service.document, pointer))
        place = locator.locate(found.place)
        related = [(caption, locator.locate(other).line) for caption, other in found.related]
        return place.file, place.line, related

    changed = ("changed from what stands here", 9)
    assert lines("spec", "ports", 0, "port") == ("flux/web.yaml", 20, [changed])
    assert lines("spec", "ports", 0, "targetPort") == ("web/service.yaml", 10, [("`PORT` is set here", 14)])
    assert lines("metadata", "name") == ("web/service.yaml", 4, [("the namespace is set here", 8)])


def test_what_does_not_build_is_told_of_and_the_rest_is_looked_at(tree: Tree, kustomize: Tool) -> None:
    tree(
        SYNC
        | {
            "flux/all.yaml": stream(
                flux("Kustomization", "broken", path="./broken"), flux("Kustomization", "whole", path="./whole")
            ),
            "broken/kustomization.yaml": "resources: [absent.yaml]\n",
            "whole/map.yaml": config("settings"),
        }
    )
    manifests = found(render=Render(kustomize=kustomize.path))
    assert set(reasons(manifests)) == {"flux-system/broken"}
    assert [(problem.kind, problem.level) for problem in manifests.problems] == [("render-failed", "error")]
    assert objects(manifests) == {"ConfigMap default/settings"}


def test_remote_parts_are_unchecked(tree: Tree) -> None:
    remote = ["https://git.example.org/parts"]
    tree(
        SYNC
        | {
            "flux/all.yaml": stream(
                flux("Kustomization", "base", path="./base"),
                flux("Kustomization", "part", path="./part", components=remote),
            ),
            "base/kustomization.yaml": "resources: [https://git.example.org/base]\n",
            "part/map.yaml": config("settings"),
        }
    )
    manifests = found()
    assert reasons(manifests)["flux-system/part"] == "its component https://git.example.org/parts lies elsewhere"
    assert "https://git.example.org/base" in reasons(manifests)["flux-system/base"]
    assert deployed(manifests)["flux-system/base"].path == "base"
