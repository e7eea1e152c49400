"""Applications: what their sources make, where that goes, and what they apply in turn."""

from __future__ import annotations

import os

import pytest

from ingress_lint.units import argo_cd
from ingress_lint.units.building import Rendering
from ingress_lint.units.plan import NOT_FETCHED, Plan, Unit

from .conftest import HERE, MakeSite, Plans, application, application_set, objects

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


def config_map(name: str) -> str:
    return CONFIG_MAP.replace("name: a", f"name: {name}")


def test_a_folder(plans: Plans) -> None:
    (plan,) = plans({"app.yaml": application("web", "web"), "web/a.yaml": CONFIG_MAP, "web/b.txt": "no"}).values()
    assert plan.unit == Unit("argocd/web", "application", "web", "app.yaml", "in-cluster")
    assert (objects(plan), plan.default_namespace, plan.built) == ({"a"}, "shop", True)
    assert plan.takes == {os.path.realpath("web/a.yaml")}


@pytest.mark.parametrize(
    ("directory", "chosen"),
    [
        ("", {"top", "skipped.live"}),
        (", directory: {recurse: true}", {"top", "skipped.live", "deep", "draft"}),
        (", directory: {recurse: true, exclude: 'drafts/*'}", {"top", "skipped.live", "deep"}),
        (", directory: {recurse: true, exclude: '{drafts/*,deep/*}'}", {"top", "skipped.live"}),
        (", directory: {include: '*.live.yaml'}", {"skipped.live"}),
        (", directory: {recurse: true, include: '*p.yaml', exclude: 'top.yaml'}", {"deep"}),
    ],
)
def test_what_a_directory_chooses(plans: Plans, directory: str, chosen: set[str]) -> None:
    files = {
        "app.yaml": application("web", "web", directory),
        "web/top.yaml": config_map("top"),
        "web/skipped.live.yaml": config_map("skipped.live"),
        "web/marked.yaml": "# +argocd:skip-file-rendering\n" + config_map("marked"),
        "web/values.yaml": "replicas: 2\n",
        "web/deep/deep.yaml": config_map("deep"),
        "web/deep/drop.yaml": "",
        "web/drafts/draft.yaml": config_map("draft"),
        "web/.github/hidden.yaml": config_map("hidden"),
    }
    (plan,) = plans(files).values()
    assert objects(plan) == chosen


def test_what_patterns_leave_out_is_nobodys(plans: Plans) -> None:
    files = {"app.yaml": application("web", "web", ", directory: {exclude: draft.yaml}"), "web/draft.yaml": CONFIG_MAP}
    (plan,) = plans(files | {"web/a.yaml": CONFIG_MAP}).values()
    assert {os.path.realpath("web/draft.yaml"), os.path.realpath("web/a.yaml")} <= plan.takes


@pytest.mark.parametrize(
    ("more", "files", "reason"),
    [
        (", plugin: {name: x}", {}, "a plugin makes its manifests"),
        (", directory: {recurse: true}", {"web/deep/main.jsonnet": "{}"}, "jsonnet makes its manifests"),
        ("", {"web/main.jsonnet": "{}"}, "jsonnet makes its manifests"),
        (", plugin: {name: x}, directory: {recurse: true}", {}, "options for several tools (directory, plugin)"),
        (", directory: {include: '[a'}", {}, "not understood"),
        (", targetRevision: v1.2", {}, "another revision, v1.2"),
        ("", {"web/.argocd-source.yaml": "plugin: {name: x}"}, "a plugin makes its manifests"),
        ("", {"web/.argocd-source-web.yaml": "plugin: {name: x}"}, "a plugin makes its manifests"),
    ],
)
def test_what_cannot_be_read_is_named(plans: Plans, more: str, files: dict[str, str], reason: str) -> None:
    (plan,) = plans({"app.yaml": application("web", "web", more), "web/a.yaml": CONFIG_MAP} | files).values()
    assert (plan.unit.state, plan.documents) == ("unchecked", ())
    assert reason in plan.unit.reason
    is_here = "revision" not in reason
    assert plan.unit.path == ("web" if is_here else "app.yaml")
    assert (os.path.realpath("web/a.yaml") in plan.takes) is is_here


def test_what_is_not_here(plans: Plans) -> None:
    files = {
        "other.yaml": application("other", "web", url="https://user:secret@git.example.com/other/repo"),
        "gone.yaml": application("gone", "gone"),
        "above.yaml": application("above", "../.."),
        "chart.yaml": application(
            "chart",
            "''",
            ", chart: x, helm: {valuesObject: {ingress: {enabled: true}}}",
            url="https://charts.example.com",
        ),
        "web.yaml": application("web", "web"),
        "web/a.yaml": CONFIG_MAP,
    }
    found = plans(files)
    reasons = {name: (plan.unit.path, plan.unit.reason, plan.unit.routes) for name, plan in found.items()}
    assert reasons == {
        "argocd/other": ("other.yaml", "it deploys another repository, git.example.com/other/repo", 0),
        "argocd/gone": ("gone.yaml", "its path gone does not exist", 0),
        "argocd/above": ("above.yaml", "its path ../.. does not exist", 0),
        "argocd/chart": ("chart.yaml", f"{NOT_FETCHED} (x of https://charts.example.com)", 1),
        "argocd/web": ("web", "", 0),
    }
    assert found["argocd/chart"].makes_in == "shop"
    assert found["argocd/other"].makes_in is None


def test_clusters(plans: Plans) -> None:
    secret = """\
apiVersion: v1
kind: Secret
metadata: {name: one, labels: {argocd.argoproj.io/secret-type: cluster}}
stringData: {name: live, server: "https://live.example.com:6443"}
---
apiVersion: v1
kind: Secret
metadata: {name: two, labels: {argocd.argoproj.io/secret-type: cluster}}
data: {name: bGFi, server: aHR0cHM6Ly9sYWIuZXhhbXBsZS5jb20v}
---
apiVersion: v1
kind: Secret
metadata: {name: three, labels: {argocd.argoproj.io/secret-type: cluster}}
stringData: {name: "ENC[AES256_GCM,data:x]", server: "https://east.example.com"}
"""
    destinations = {
        "a": "name: live",
        "b": "server: 'https://live.example.com:6443/'",
        "c": "server: 'https://lab.example.com'",
        "d": "server: 'https://east.example.com'",
        "e": "server: https://kubernetes.default.svc",
        "f": "name: in-cluster",
        "g": "namespace: shop",
        "h": "name: <CLUSTER>",
        "i": "name: '{{cluster}}'",
    }
    files = {f"{name}.yaml": application(name, "web", destination=to) for name, to in destinations.items()}
    found = plans(files | {"secrets.yaml": secret, "web/a.yaml": CONFIG_MAP})
    assert {name: plan.unit.cluster for name, plan in found.items()} == {
        "live/argocd/a": "live",
        "live/argocd/b": "live",
        "lab/argocd/c": "lab",
        "east.example.com/argocd/d": "east.example.com",
        "in-cluster/argocd/e": "in-cluster",
        "in-cluster/argocd/f": "in-cluster",
        "argocd/g": None,
        "argocd/h": None,
        "argocd/i": None,
    }


ROOT = application(
    "root", "apps", destination="server: https://kubernetes.default.svc, namespace: argo", metadata=", namespace: argo"
)


def test_an_application_of_applications(plans: Plans) -> None:
    files = {
        "bootstrap/root.yaml": ROOT,
        "apps/web.yaml": application("web", "web", url="git@git.example.com:team/deploy"),
        "apps/sets.yaml": application_set(
            f"[{{git: {{repoURL: {HERE}, directories: [{{path: more/*}}]}}}}]",
            template=f"{{metadata: {{name: x}}, spec: {{source: {{repoURL: {HERE}, path: '{{{{path}}}}'}}}}}}",
        ),
        "web/a.yaml": CONFIG_MAP,
        "more/x/z.yaml": application("z", "web", metadata=", namespace: own"),
    }
    found = plans(files)
    assert {name: plan.unit.path for name, plan in found.items()} == {
        "argo/root": "apps",
        "argo/web": "web",
        "argocd/x": "more/x",
        "own/z": "web",
    }
    assert objects(found["argo/root"]) == {"web", "made"}


def test_applications_that_apply_themselves(plans: Plans) -> None:
    files = {
        "apps/root.yaml": application("root", "apps"),
        "apps/web.yaml": application("web", "web"),
        "loop/one.yaml": application("one", "pool"),
        "pool/two.yaml": application("two", "loop"),
        "web/a.yaml": CONFIG_MAP,
    }
    found = plans(files)
    assert {plan.unit.path for plan in found.values()} == {"apps", "web", "loop", "pool"}
    assert len(found) <= 6


def test_children_are_at_home_where_their_parent_goes(plans: Plans) -> None:
    files = {
        "root.yaml": application("root", "apps", destination="name: live, namespace: argo"),
        "apps/web.yaml": application("web", "web"),
        "apps/far.yaml": application("far", "web", destination="name: far"),
        "web/a.yaml": CONFIG_MAP,
    }
    assert {name: plan.unit.cluster for name, plan in plans(files).items()} == {
        "live/argocd/root": "live",
        "live/argo/web": "live",
        "far/argo/far": "far",
    }


def test_applications_of_one_name_are_at_home_in_different_clusters(plans: Plans) -> None:
    files = {f"clusters/{name}/root.yaml": application("root", f"clusters/{name}/apps") for name in ("dev", "live")} | {
        f"clusters/{name}/apps/web.yaml": application("web", f"web/{name}") for name in ("dev", "live")
    }
    files |= {"web/dev/a.yaml": CONFIG_MAP, "web/live/a.yaml": CONFIG_MAP}
    assert {name: plan.unit.path for name, plan in plans(files).items()} == {
        "dev/argocd/root": "clusters/dev/apps",
        "dev/shop/web": "web/dev",
        "live/argocd/root": "clusters/live/apps",
        "live/shop/web": "web/live",
    }


def test_this_repository_is_what_the_root_names(plans: Plans) -> None:
    elsewhere = "https://git.example.com/many/others"
    files = {f"apps/{name}.yaml": application(name, "web", url=elsewhere) for name in "abc"}
    found = plans(files | {"root.yaml": ROOT, "web/a.yaml": CONFIG_MAP, "apps/d.yaml": application("d", "web")})
    assert {name for name, plan in found.items() if plan.unit.state == "checked"} == {"argo/root", "argo/d"}


def test_this_repository_is_what_most_name_whose_paths_are_here(plans: Plans) -> None:
    elsewhere = "https://git.example.com/others"
    files = {f"{name}.yaml": application(name, "gone", url=elsewhere) for name in "abcd"}
    files |= {"e.yaml": application("e", "web"), "f.yaml": application("f", "."), "web/a.yaml": CONFIG_MAP}
    found = plans(files)
    assert {name for name, plan in found.items() if plan.unit.state == "checked"} == {"shop/e", "argocd/f"}


def test_what_another_tool_deploys(site: MakeSite, plans: Plans) -> None:
    files = {
        "flux/web.yaml": application("web", "web"),
        "loose.yaml": application("loose", "web"),
        "web/a.yaml": CONFIG_MAP,
    }
    there = site(files)
    documents = there.read(os.path.realpath("flux/web.yaml"))
    flux = Plan(
        Unit("live/flux-system/apps", "flux-kustomization", "flux", cluster="live"),
        documents,
        default_namespace="argo",
        together="clusters/live",
        takes=frozenset([os.path.realpath("flux/web.yaml")]),
    )
    found = plans(files, [flux])
    assert {name: plan.unit.cluster for name, plan in found.items()} == {
        "live/argo/web": "live",
        "in-cluster/argocd/loose": "in-cluster",
    }


NO_TOOL = Rendering(enabled=False)
CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: chart\nversion: 1.0.0\n",
    "chart/templates/a.yaml": "{{ .Values.x }}",
    "chart/values.yaml": "ingress: {enabled: false}\nroute: {one: {enabled: true}, two: {enabled: false}}\n",
    "envs/live.yaml": "ingress: {enabled: true}\nroute: {two: {enabled: true}}\n",
}


@pytest.mark.parametrize(
    ("helm", "routes"),
    [
        ("", 1),
        (", helm: {valueFiles: [values.yaml, ../envs/live.yaml]}", 3),
        (", helm: {valueFiles: [/envs/live.yaml]}", 3),
        (", helm: {valueFiles: ['../envs/*.yaml']}", 3),
        (", helm: {values: 'ingress: {enabled: true}'}", 2),
        (", helm: {valuesObject: {ingress: {enabled: true}}, values: 'route: {}'}", 2),
        (", helm: {parameters: [{name: ingress.enabled, value: 'true'}]}", 2),
        (", helm: {valueFiles: [../envs/live.yaml], parameters: [{name: ingress.enabled, value: 'false'}]}", 2),
        (
            ", helm: {parameters: [{name: 'a[0].b', value: x}, {name: '', value: y}, 1, {name: 'ingress.enabled.deep', value: z}]}",
            1,
        ),
    ],
)
def test_a_chart_counts_the_routes_of_its_values(plans: Plans, helm: str, routes: int) -> None:
    (plan,) = plans(CHART | {"app.yaml": application("web", "chart", helm)}, rendering=NO_TOOL).values()
    assert (plan.unit.path, plan.unit.file, plan.unit.state, plan.unit.routes) == (
        "chart",
        "app.yaml",
        "unchecked",
        routes,
    )
    assert os.path.realpath("chart") in plan.takes
    assert plan.makes_in == "shop"


@pytest.mark.parametrize(
    "name", ["../envs/gone.yaml", "secrets://envs/live.yaml", "$nobody/envs/live.yaml", "../../../etc/hostname"]
)
def test_values_that_cannot_be_read_are_named(plans: Plans, name: str) -> None:
    (plan,) = plans(CHART | {"app.yaml": application("web", "chart", f", helm: {{valueFiles: ['{name}']}}")}).values()
    assert plan.unit.reason == f"its values file {name} is not here"
    lenient = application("web", "chart", f", helm: {{ignoreMissingValueFiles: true, valueFiles: ['{name}']}}")
    (plan,) = plans(CHART | {"app.yaml": lenient}).values()
    assert "not here" not in plan.unit.reason


def test_a_chart_that_makes_applications_may_fill_any_namespace(plans: Plans) -> None:
    files = CHART | {"chart/templates/a.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Application\n"}
    (plan,) = plans(files | {"app.yaml": application("web", "chart")}, rendering=NO_TOOL).values()
    assert plan.makes_in is None


def test_several_sources(plans: Plans) -> None:
    sources = f"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: web}}
spec:
  source: {{repoURL: {HERE}, path: gone}}
  sources:
    - {{repoURL: {HERE}, path: chart, helm: {{valueFiles: [$mine/envs/live.yaml]}}}}
    - {{repoURL: {HERE}, path: web}}
    - {{repoURL: {HERE}, ref: mine}}
    - {{repoURL: 'https://charts.example.com', chart: x, helm: {{valueFiles: [$mine/envs/live.yaml]}}}}
    - {{repoURL: 'https://charts.example.com', chart: y, helm: {{values: 'ingress: {{enabled: true}}'}}}}
  destination: {{name: live}}
"""
    files = CHART | {"app.yaml": sources, "web/a.yaml": CONFIG_MAP}
    found = [plan.unit for plan in plans(files, rendering=NO_TOOL).values()]
    assert {unit.name for unit in found} == {"argocd/web"}
    assert {(unit.path, unit.state, unit.routes) for unit in found} == {
        ("chart", "unchecked", 3),
        ("web", "checked", 0),
        ("app.yaml", "unchecked", 3),
    }


def test_a_kustomization_that_only_lists_needs_no_tool(plans: Plans) -> None:
    files = {
        "app.yaml": application("web", "web"),
        "web/kustomization.yaml": "resources: [../base, a.yaml]\n",
        "base/kustomization.yaml": "resources: [b.yaml]\n",
        "web/a.yaml": CONFIG_MAP,
        "base/b.yaml": config_map("b"),
    }
    (plan,) = plans(files, rendering=NO_TOOL).values()
    assert (plan.unit.state, objects(plan)) == ("checked", {"a", "b"})
    assert {os.path.realpath("web"), os.path.realpath("base/b.yaml")} < plan.takes


def test_a_kustomization_that_cannot_be_built_is_named(plans: Plans) -> None:
    files = {
        "app.yaml": application("web", "web", ", kustomize: {namePrefix: x-}"),
        "web/kustomization.yaml": "resources: [a.yaml]\n",
        "web/a.yaml": CONFIG_MAP,
    }
    (plan,) = plans(files, rendering=NO_TOOL).values()
    assert (plan.unit.path, plan.unit.state, plan.makes_in, plan.problems) == ("web", "unchecked", None, ())
    assert os.path.realpath("web") in plan.takes


def test_a_prefix_in_place_of_another_is_not_guessed(plans: Plans) -> None:
    files = {
        "app.yaml": application("web", "web", ", kustomize: {namePrefix: x-}"),
        "web/kustomization.yaml": "resources: [a.yaml]\nnamePrefix: y-\n",
        "web/a.yaml": CONFIG_MAP,
    }
    (plan,) = plans(files).values()
    assert "its namePrefix takes the place" in plan.unit.reason


@pytest.mark.parametrize(
    ("more", "known"),
    [
        ("namespace: argo", True),
        ("images: [{name: a, newTag: b}]", True),
        ("patches: [{target: {kind: Deployment}, patch: x}, {path: p.yaml}]", True),
        ('patchesStrategicMerge: [p.yaml, "kind: Deployment\\nmetadata: {name: x}"]', True),
        ("patches: [{target: {kind: Application}, patch: x}]", False),
        ("patches: [{target: {name: x}, patch: x}]", False),
        ("patches: [{path: gone.yaml}]", False),
        ("patchesStrategicMerge: [q.yaml]", False),
        ("namePrefix: x-", False),
        ("components: [x]", False),
    ],
)
def test_applications_in_a_kustomization_that_cannot_be_built(plans: Plans, more: str, known: bool) -> None:
    files = {
        "argocd/kustomization.yaml": f"resources: [web.yaml, https://example.com/argo.yaml]\n{more}\n",
        "argocd/web.yaml": application("web", "web"),
        "argocd/p.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n",
        "argocd/q.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web}\n",
        "web/a.yaml": CONFIG_MAP,
    }
    assert set(plans(files, rendering=NO_TOOL)) == ({"argocd/web"} if known else set())


@pytest.mark.usefixtures("kustomize")
class TestBuilt:
    def test_the_options_of_kustomize(self, plans: Plans) -> None:
        options = """, kustomize: {namePrefix: a-, nameSuffix: -z, namespace: there, commonLabels: {l: m},
          commonAnnotations: {e: f}, images: ['old=example.com:5000/new:1@sha256:aa', 'same:2'], replicas: [{name: web, count: '3'}],
          patches: [{target: {kind: Deployment}, path: p.yaml}], components: [../extra, ../gone], ignoreMissingComponents: true}"""
        deployment = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: a, image: old}, {name: b, image: same}]}
"""
        files = {
            "app.yaml": application("web", "web", options),
            "web/kustomization.yaml": "resources: [a.yaml]\n",
            "web/a.yaml": deployment,
            "web/p.yaml": "- {op: add, path: /spec/paused, value: true}\n",
            "extra/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [c.yaml]\n",
            "extra/c.yaml": config_map("c"),
        }
        (plan,) = plans(files).values()
        assert (plan.unit.state, plan.unit.reason) == ("checked", "")
        built = {document.kind: document.whole() for document in plan.documents}
        assert built["ConfigMap"]["metadata"]["name"] == "a-c-z"
        web = built["Deployment"]
        assert (web["metadata"]["name"], web["metadata"]["namespace"]) == ("a-web-z", "there")
        assert (web["metadata"]["labels"], web["metadata"]["annotations"]) == ({"l": "m"}, {"e": "f"})
        assert web["spec"]["selector"]["matchLabels"] == {"app": "web", "l": "m"}
        assert (web["spec"]["replicas"], web["spec"]["paused"]) == (3, True)
        images = [container["image"] for container in web["spec"]["template"]["spec"]["containers"]]
        assert images == ["example.com:5000/new:1@sha256:aa", "same:2"]

    def test_labels_without_selectors(self, plans: Plans) -> None:
        files = {
            "app.yaml": application("web", "web", ", kustomize: {commonLabels: {l: m}, labelWithoutSelector: true}"),
            "web/kustomization.yaml": "resources: [a.yaml]\n",
            "web/a.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: {a: b}}\n",
        }
        (plan,) = plans(files).values()
        (document,) = plan.documents
        assert document.whole()["metadata"]["labels"] == {"l": "m"}
        assert document.whole()["spec"]["selector"] == {"a": "b"}

    def test_what_an_option_set_stands_in_the_application(self, plans: Plans) -> None:
        patch = """, kustomize: {patches: [{target: {kind: ConfigMap}, patch: "- {op: add, path: /data, value: {k: v}}"}]}"""
        files = {
            "app.yaml": application("web", "web", patch),
            "web/kustomization.yaml": "resources: [a.yaml]\n",
            "web/a.yaml": CONFIG_MAP,
        }
        (plan,) = plans(files).values()
        (document,) = plan.documents
        assert plan.places is not None
        from ingress_lint.load.document import Place

        place = plan.places.source_place(Place(document, ("data", "k"))).place
        assert place.document.file.path == "app.yaml"
        assert place.pointer == ("spec", "source", "kustomize", "patches", 0, "patch")

    def test_applications_of_a_root_are_as_it_builds_them(self, plans: Plans) -> None:
        patch = '[{"op": "replace", "path": "/spec/source/path", "value": "web/live"}]'
        files = {
            "argocd/base/kustomization.yaml": "resources: [web.yaml]\n",
            "argocd/base/web.yaml": application("web", "web/dev"),
            "argocd/live/kustomization.yaml": f"resources: [../base]\nnamespace: argo\npatches: [{{target: {{kind: Application}}, patch: '{patch}'}}]\n",
            "web/dev/a.yaml": CONFIG_MAP,
            "web/live/a.yaml": CONFIG_MAP,
        }
        (plan,) = plans(files).values()
        assert (plan.unit.name, plan.unit.path, plan.unit.file) == ("argo/web", "web/live", "argocd/base/web.yaml")

    def test_a_root_that_an_application_takes_is_applied_by_that_alone(self, plans: Plans) -> None:
        files = {
            "argocd/kustomization.yaml": "resources: [root.yaml, web.yaml]\nnamespace: argo\n",
            "argocd/root.yaml": application("root", "argocd", ", kustomize: {commonLabels: {a: b}}"),
            "argocd/web.yaml": application("web", "web"),
            "web/a.yaml": CONFIG_MAP,
        }
        found = plans(files)
        assert {plan.unit.name for plan in found.values()} == {"argo/root", "argo/web"}

    def test_a_fault_of_a_kustomization_is_told_once(self, plans: Plans) -> None:
        files = {f"{name}.yaml": application(name, "web") for name in "ab"}
        files |= {"web/kustomization.yaml": "resources: [gone.yaml]\nnamePrefix: x-\n", "web/a.yaml": CONFIG_MAP}
        found = plans(files)
        assert [len(plan.problems) for plan in found.values()] == [1, 0]
        assert {plan.unit.state for plan in found.values()} == {"unchecked"}

    def test_files_from_everywhere_where_argo_cd_is_told_so(self, plans: Plans) -> None:
        files = {
            "app.yaml": application("web", "web"),
            "web/kustomization.yaml": "resources: [../a.yaml]\nnamePrefix: x-\n",
            "a.yaml": CONFIG_MAP,
        }
        assert [plan.unit.state for plan in plans(files).values()] == ["unchecked"]
        told = "kustomize.buildOptions: --load-restrictor LoadRestrictionsNone\n"
        assert [plan.unit.state for plan in plans(files | {"argocd-values.yaml": told}).values()] == ["checked"]


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\n",
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: []\nspec: 1\n",
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: []}\nspec: {source: [], sources: {}, destination: 3}\n",
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: x}\nspec: {sources: [1, null, {path: {}}]}\n",
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: x}\nspec: []\n",
        "apiVersion: 1\nkind: Application\nmetadata: {name: x}\n",
        application("x", '"a\\0b"'),
        application("x", "web", ", kustomize: 1"),
        application("x", "web", ", kustomize: {images: 1, replicas: [1, {count: many}], patches: [1], components: {}}"),
        application("x", "web", ", helm: {valueFiles: [1, null], parameters: {}, values: '{'}"),
        application("x", "web", ", directory: {include: 1, exclude: [], recurse: maybe, jsonnet: 7}"),
        application("x", "web", destination="server: 'http://[broken', namespace: []"),
        application("x", "web", ", targetRevision: 7"),
    ],
)
def test_nothing_that_it_may_hold_breaks(plans: Plans, text: str) -> None:
    files = {"app.yaml": text, "web/kustomization.yaml": "resources: 1\n", "b.yaml": application("b", "web")}
    plans(files)


def test_applications_of_others_are_none(plans: Plans) -> None:
    assert plans({"a.yaml": "apiVersion: app.k8s.io/v1beta1\nkind: Application\nmetadata: {name: a}\n"}) == {}


def test_files_that_repeat_one_anothers_objects_are_alternatives(site: MakeSite) -> None:
    files = {f"sets/{name}.yaml": application("web", "web") for name in ("list", "list-fast")}
    found = argo_cd.plans(site(files | {"sets/other.yaml": application("other", "web"), "web/a.yaml": CONFIG_MAP}), ())
    own = {plan.unit.name: bool(plan.together) for plan in found if plan.unit.kind == "folder"}
    assert own == {"sets": True, "sets/list.yaml": False, "sets/list-fast.yaml": False}
