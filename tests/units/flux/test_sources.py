"""Which sources give the files at hand, and what is said of those that do not."""

from __future__ import annotations

import json

from .conftest import URL, Tree, bootstrap, config, deployed, flux, found, objects, reasons, stream


def repository(title: str, url: str, **ref: str) -> str:
    return flux("GitRepository", title, url=url, **({"ref": ref} if ref else {}))


def user(name: str, kind: str = "GitRepository", path: str = "./apps", **spec: object) -> str:
    return flux("Kustomization", name, path=path, sourceRef={"kind": kind, "name": name}, **spec)


def test_a_source_of_the_same_address_is_this_repository_at_a_branch_alone(tree: Tree) -> None:
    tree(
        {
            "flux/sync.yaml": bootstrap("./flux", "ssh://git@git.example.org/home/cluster.git", "trunk"),
            "flux/sources.yaml": stream(
                repository("same", URL),
                repository("branch", URL, branch="trunk"),
                repository("named", URL, name="refs/heads/trunk"),
                repository("tag", URL, tag="v1"),
                repository("semver", URL, semver=">=1"),
                repository("commit", URL, branch="trunk", commit="abc"),
                repository("develop", URL, branch="develop"),
                repository("other", "https://git.example.org/home/other"),
                flux("OCIRepository", "registry", url="oci://registry.example.org/home/cluster"),
            ),
            "flux/users.yaml": stream(
                *map(user, ("same", "branch", "named", "tag", "semver", "commit", "develop", "other", "absent")),
                user("registry", "OCIRepository"),
                flux("Kustomization", "missing", path="./missing"),
            ),
            "apps/map.yaml": config("settings"),
        }
    )
    manifests = found()
    assert reasons(manifests) == {
        "flux-system/tag": "its source GitRepository flux-system/tag is at the tag v1, not at what is here",
        "flux-system/semver": "its source GitRepository flux-system/semver is at the semver >=1, not at what is here",
        "flux-system/commit": "its source GitRepository flux-system/commit is at the commit abc, not at what is here",
        "flux-system/develop": "its source GitRepository flux-system/develop is at the branch develop, not at what is here",
        "flux-system/other": (
            "its source GitRepository flux-system/other is not this repository: https://git.example.org/home/other"
        ),
        "flux-system/absent": "its source GitRepository flux-system/absent is not here",
        "flux-system/registry": (
            "its source OCIRepository flux-system/registry is not this repository: oci://registry.example.org/home/cluster"
        ),
        "flux-system/missing": "there is no folder ./missing here",
    }
    unit = deployed(manifests)["flux-system/tag"]
    assert (unit.path, unit.file) == ("flux/users.yaml", "flux/users.yaml")


def test_where_no_root_tells_most_objects_do(tree: Tree) -> None:
    tree(
        {
            "flux/all.yaml": stream(
                repository("home", URL),
                repository("vendor", "https://git.example.org/vendor"),
                flux("Kustomization", "a", path="./a", sourceRef={"kind": "GitRepository", "name": "home"}),
                flux("Kustomization", "b", path="./b", sourceRef={"kind": "GitRepository", "name": "home"}),
                flux("Kustomization", "v", path="./a", sourceRef={"kind": "GitRepository", "name": "vendor"}),
            ),
            "a/map.yaml": config("a"),
            "b/map.yaml": config("b"),
        }
    )
    manifests = found()
    assert set(reasons(manifests)) == {"flux-system/v"}
    assert objects(manifests) == {"ConfigMap default/a", "ConfigMap default/b"}


def test_a_path_never_leads_out_of_the_repository(tree: Tree) -> None:
    tree(
        {
            ".git/HEAD": "",
            "flux/sync.yaml": bootstrap("./flux"),
            "flux/apps.yaml": flux("Kustomization", "up", path="../../../apps"),
            "apps/map.yaml": config("settings"),
        }
    )
    assert deployed(found())["flux-system/up"].path == "apps"


def generator(*copies: tuple[str, str]) -> str:
    spec = {
        "sources": [{"alias": "all", "kind": "GitRepository", "name": "flux-system"}],
        "artifacts": [{"name": "apps", "copy": [{"from": start, "to": end} for start, end in copies]}],
    }
    return (
        "apiVersion: source.extensions.fluxcd.io/v1beta1\nkind: ArtifactGenerator\n"
        f"metadata: {{name: parts, namespace: flux-system}}\nspec: {json.dumps(spec)}\n"
    )


def test_an_artifact_that_is_one_folder_of_the_repository_is_followed(tree: Tree) -> None:
    tree(
        {
            "flux/sync.yaml": bootstrap("./flux"),
            "flux/parts.yaml": generator(
                ("@all/apps/base/**", "@artifact/base/"), ("@all/apps/prod/**", "@artifact/prod/")
            ),
            "flux/apps.yaml": flux(
                "Kustomization", "apps", path="./prod", sourceRef={"kind": "ExternalArtifact", "name": "apps"}
            ),
            "apps/prod/kustomization.yaml": "resources: [../base]\n",
            "apps/base/kustomization.yaml": "resources: [map.yaml]\n",
            "apps/base/map.yaml": config("settings"),
        }
    )
    manifests = found()
    assert deployed(manifests)["flux-system/apps"].path == "apps/prod"
    assert objects(manifests) == {"ConfigMap default/settings"}
    tree({"flux/parts.yaml": generator(("@all/one/**", "@artifact/a/"), ("@all/two/**", "@artifact/b/"))})
    assert "several folders" in reasons(found())["flux-system/apps"]


def test_what_source_controller_leaves_out_is_not_applied(tree: Tree) -> None:
    tree(
        {
            "flux/sync.yaml": bootstrap("./flux"),
            "flux/apps.yaml": flux("Kustomization", "apps", path="./apps"),
            ".sourceignore": "/apps/docs\n*.draft.yaml\n",
            "apps/map.yaml": config("settings"),
            "apps/new.draft.yaml": config("draft"),
            "apps/docs/example.yaml": config("example"),
            "apps/ci/.github/workflow.yaml": config("workflow"),
            "apps/deep/er/map.yml": config("deep"),
            "apps/data.json": config("data"),
        }
    )
    assert objects(found()) == {"ConfigMap default/settings", "ConfigMap default/deep"}


def test_paths_may_start_below_the_top(tree: Tree) -> None:
    tree(
        {
            ".git/HEAD": "",
            "examples/gitops/flux/sync.yaml": bootstrap("./flux"),
            "examples/gitops/flux/apps.yaml": flux("Kustomization", "apps", path="./apps"),
            "examples/gitops/apps/map.yaml": config("settings"),
        }
    )
    manifests = found("examples/gitops")
    assert deployed(manifests)["flux-system/apps"].path == "examples/gitops/apps"
    assert objects(manifests) == {"ConfigMap default/settings"}
