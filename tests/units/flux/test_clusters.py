"""Roots: which Flux objects nobody applies, and the clusters that they stand for."""

from __future__ import annotations

import pytest

from ingress_lint.units.flux import clusters

from .conftest import Tree, bootstrap, config, deployed, flux, found, names, objects, stream

INSTANCE = """\
apiVersion: fluxcd.controlplane.io/v1
kind: FluxInstance
metadata: {name: flux, namespace: flux-system}
spec:
  sync: {kind: GitRepository, url: "https://git.example.org/studio/infra.git", ref: refs/heads/live, path: flux/cluster}
"""


@pytest.mark.parametrize(
    ("folders", "named"),
    [
        (["clusters/prod"], ["prod"]),
        (["kubernetes/clusters/prod/flux"], ["prod"]),
        (["flux"], [None]),
        (["."], [None]),
        (["clusters"], [None]),
        (["clusters/prod", "clusters/test"], ["prod", "test"]),
        (["sites/oslo/flux", "sites/lund/flux"], ["oslo", "lund"]),
        (["flux-a", "flux-b"], ["flux-a", "flux-b"]),
        (["kube/flux", "kube/edge/flux"], ["flux", "edge"]),
    ],
)
def test_a_cluster_is_named_by_where_the_roots_differ(folders: list[str], named: list[str | None]) -> None:
    assert list(clusters.names(folders).values()) == named


def test_what_applies_itself_is_a_root_and_what_it_applies_runs_there(tree: Tree) -> None:
    tree(
        {
            "clusters/prod/flux-system/gotk-sync.yaml": bootstrap("./clusters/prod"),
            "clusters/prod/apps.yaml": flux("Kustomization", "apps", path="./apps"),
            "clusters/test/flux-system/gotk-sync.yaml": bootstrap("./clusters/test"),
            "clusters/test/apps.yaml": flux("Kustomization", "apps", path="./apps"),
            "apps/map.yaml": config("settings", "web"),
            "unused/map.yaml": config("unused"),
        }
    )
    manifests = found()
    assert {(unit.name, unit.path, unit.file, unit.cluster) for unit in deployed(manifests).values()} == {
        ("prod/flux-system/flux-system", "clusters/prod", "clusters/prod/flux-system/gotk-sync.yaml", "prod"),
        ("prod/flux-system/apps", "apps", "clusters/prod/apps.yaml", "prod"),
        ("test/flux-system/flux-system", "clusters/test", "clusters/test/flux-system/gotk-sync.yaml", "test"),
        ("test/flux-system/apps", "apps", "clusters/test/apps.yaml", "test"),
    }
    assert objects(manifests, "prod") == objects(manifests, "test") == {"ConfigMap web/settings"}
    assert [(unit.kind, unit.path) for unit in manifests.units if unit.cluster is None] == [("folder", "unused")]


def test_a_single_cluster_needs_no_name(tree: Tree) -> None:
    tree(
        {
            "flux/sync.yaml": bootstrap("flux"),
            "flux/apps.yaml": stream(
                flux("Kustomization", "one", path="./one"), flux("Kustomization", "two", path="./two")
            ),
            "one/map.yaml": config("one"),
            "two/map.yaml": config("two"),
        }
    )
    manifests = found()
    assert names(manifests) == {"flux-system/flux-system", "flux-system/one", "flux-system/two"}
    assert {unit.cluster for unit in manifests.units} == {None}
    assert objects(manifests) == {"ConfigMap default/one", "ConfigMap default/two"}


def test_an_instance_of_the_operator_is_a_root(tree: Tree) -> None:
    tree(
        {
            "flux/instance.yaml": INSTANCE,
            "flux/cluster/apps.yaml": flux("Kustomization", "apps", path="./apps"),
            "apps/map.yaml": config("settings"),
        }
    )
    units = deployed(found())
    assert {(unit.name, unit.path, unit.file) for unit in units.values()} == {
        ("flux-system/flux-system", "flux/cluster", "flux/instance.yaml"),
        ("flux-system/apps", "apps", "flux/cluster/apps.yaml"),
    }


def test_a_folder_that_a_person_applies_is_a_root(tree: Tree) -> None:
    tree(
        {
            "kubernetes/flux/cluster/ks.yaml": flux("Kustomization", "apps", path="./kubernetes/apps"),
            "kubernetes/flux/cluster/vars.yaml": config("vars", "flux-system"),
            "kubernetes/apps/kustomization.yaml": "resources: [web/ks.yaml]\n",
            "kubernetes/apps/web/ks.yaml": flux("Kustomization", "web", path="./kubernetes/apps/web/app"),
            "kubernetes/apps/web/app/map.yaml": config("web"),
            "kubernetes/apps/off/ks.yaml": flux("Kustomization", "off", path="./kubernetes/apps/off/app"),
            "kubernetes/apps/off/app/map.yaml": config("off"),
        }
    )
    manifests = found()
    assert names(manifests) == {"flux-system/apps", "flux-system/web"}
    assert objects(manifests) == {"ConfigMap default/web", "ConfigMap flux-system/vars"}
    (root,) = (unit for unit in manifests.units if unit.path == "kubernetes/flux/cluster")
    assert (root.kind, root.cluster, root.state) == ("folder", None, "checked")


def test_an_unused_part_beside_a_root_is_no_cluster(tree: Tree) -> None:
    tree(
        {
            "clusters/prod/flux-system/gotk-sync.yaml": bootstrap("./clusters/prod"),
            "clusters/prod/kustomization.yaml": "resources: [flux-system/gotk-sync.yaml, ../../apps/on/ks.yaml]\n",
            "apps/on/ks.yaml": flux("Kustomization", "on", path="./apps/on/app"),
            "apps/on/app/map.yaml": config("on"),
            "apps/off/ks.yaml": flux("Kustomization", "off", path="./apps/off/app"),
            "apps/off/app/map.yaml": config("off"),
            "templates/ks.yaml": flux("Kustomization", "<name>", path="./apps/<name>/app"),
        }
    )
    manifests = found()
    assert names(manifests) == {"flux-system/flux-system", "flux-system/on"}
    assert {unit.cluster for unit in deployed(manifests).values()} == {"prod"}


def test_what_a_kubeconfig_leads_to_runs_in_another_cluster(tree: Tree) -> None:
    remote = {"kubeConfig": {"secretRef": {"name": "edge"}}}
    tree(
        {
            "clusters/hub/flux-system/sync.yaml": bootstrap("./clusters/hub"),
            "clusters/hub/apps.yaml": stream(
                flux("Kustomization", "here", path="./apps"), flux("Kustomization", "there", path="./apps", **remote)
            ),
            "clusters/hub/release.yaml": flux(
                "HelmRelease",
                "agent",
                chart={"spec": {"chart": "agent", "sourceRef": {"kind": "HelmRepository", "name": "x"}}},
                **remote,
            ),
            "apps/map.yaml": config("settings"),
        }
    )
    units = deployed(found())
    assert {(name, unit.cluster) for name, unit in units.items()} == {
        ("hub/flux-system/flux-system", "hub"),
        ("hub/flux-system/here", "hub"),
        ("edge/flux-system/there", "edge"),
        ("edge/flux-system/agent", "edge"),
    }


def test_kubeconfigs_of_one_name_in_two_namespaces_lead_to_two_clusters(tree: Tree) -> None:
    remote = {"kubeConfig": {"secretRef": {"name": "kubeconfig"}}}
    tree(
        {
            "clusters/hub/flux-system/sync.yaml": bootstrap("./clusters/hub"),
            "clusters/hub/apps.yaml": stream(
                *(
                    flux("Kustomization", name, namespace, path="./apps", **remote)
                    for namespace in ("oslo", "lund")
                    for name in ("apps", "tools")
                )
            ),
            "apps/map.yaml": config("settings", "shop"),
        }
    )
    units = deployed(found())
    assert {(name, unit.cluster) for name, unit in units.items()} == {
        ("hub/flux-system/flux-system", "hub"),
        ("kubeconfig/oslo/apps", "kubeconfig"),
        ("kubeconfig/oslo/tools", "kubeconfig"),
        ("lund/kubeconfig/lund/apps", "lund/kubeconfig"),
        ("lund/kubeconfig/lund/tools", "lund/kubeconfig"),
    }


def test_circles_end(tree: Tree) -> None:
    tree(
        {
            "a/ks.yaml": flux("Kustomization", "b", path="./b"),
            "b/ks.yaml": flux("Kustomization", "a", path="./a"),
            "c/ks.yaml": flux("Kustomization", "c", path="./c"),
        }
    )
    assert "flux-system/c" in names(found())
