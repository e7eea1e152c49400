"""Releases whose charts lie in a repository or registry: fetched from a server that runs here, and kept for later runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ingress_lint.__main__ import main
from ingress_lint.build import fetching
from ingress_lint.build.tools import Tool
from ingress_lint.load.document import Place
from ingress_lint.load.positions import Locator
from ingress_lint.manifests import Manifests
from ingress_lint.units.configured import Render
from ingress_lint.units.plan import NOT_FETCHED, Unit
from tests.packages import MAP, Packages

from .conftest import Tree, found, tree

__all__ = ["tree"]
VALUES = "color: default\n"
SYNC = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec: {url: "https://git.example.org/cluster", ref: {branch: main}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: flux-system, namespace: flux-system}
spec: {path: ./flux, sourceRef: {kind: GitRepository, name: flux-system}}
"""
PLAIN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\n"


def files(version: str) -> dict[str, str]:
    name = "{{ .Release.Name }}-{{ .Values.color }}-" + version.replace(".", "-")
    return {"templates/map.yaml": MAP.format(f"'{name}'"), "values.yaml": VALUES}


def release(chart: Mapping[str, Any], source: Mapping[str, Any], **spec: Any) -> dict[str, str]:
    """A HelmRelease `web` and its source, in a file each, and manifests beside them."""
    name = {"name": "web", "namespace": "shop"}
    own = {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": name}
    return {
        "flux/sync.yaml": SYNC,
        "flux/plain.yaml": PLAIN,
        "flux/release.yaml": json.dumps(own | {"spec": chart | {"values": {"color": "red"}} | spec}, indent=1),
        "flux/source.yaml": json.dumps({"apiVersion": "source.toolkit.fluxcd.io/v1", "metadata": name} | source),
    }


def of_repository(packages: Packages, version: str = "1.x", **spec: Any) -> dict[str, str]:
    reference = {"kind": "HelmRepository", "name": "web"}
    chart = {"chart": {"spec": {"chart": "web", "version": version, "sourceRef": reference}}}
    return release(chart, {"kind": "HelmRepository", "spec": {"url": packages.url}}, **spec)


def of_registry(packages: Packages, **ref: str) -> dict[str, str]:
    """A release whose chart is an OCIRepository's."""
    spec = {"url": f"oci://{packages.address}/charts/web", "insecure": True, "ref": ref}
    return release({"chartRef": {"kind": "OCIRepository", "name": "web"}}, {"kind": "OCIRepository", "spec": spec})


def of_registry_as_repository(packages: Packages, version: str = "1.x") -> dict[str, str]:
    reference = {"kind": "HelmRepository", "name": "web"}
    chart = {"chart": {"spec": {"chart": "web", "version": version, "sourceRef": reference}}}
    spec = {"type": "oci", "url": f"oci://{packages.address}/charts", "insecure": True}
    return release(chart, {"kind": "HelmRepository", "spec": spec})


def of_application(packages: Packages, version: str = "1.x") -> dict[str, str]:
    source = {"repoURL": packages.url, "chart": "web", "targetRevision": version, "helm": {"values": "color: red"}}
    spec = {"source": source, "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"}}
    own = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "web"}, "spec": spec}
    return {"apps/web.yaml": json.dumps(own, indent=1), "flux/plain.yaml": PLAIN}


KINDS = {
    "repository": of_repository,
    "registry": lambda packages: of_registry(packages, semver="1.x"),
    "tag": lambda packages: of_registry(packages, tag="1.2.0"),
    "digest": lambda packages: of_registry(packages, digest=packages.digest),
    "registry-as-repository": of_registry_as_repository,
    "application": of_application,
}


@pytest.fixture
def server(packages: Packages) -> Packages:
    """Has the chart `web` in three versions, the newest of which is no 1.x."""
    versions = ("1.1.0", "1.2.0", "2.0.0")
    packages.index(*(("web", version, files(version)) for version in versions))
    digests = [packages.push("web", version, files(version)) for version in versions]
    packages.digest = digests[1]
    return packages


def unit(manifests: Manifests) -> Unit:
    (one,) = (one for one in manifests.units if one.kind in ("helm-release", "application"))
    return one


def maps(manifests: Manifests) -> set[str]:
    return {item.name for held in manifests.sets for item in held.graph.objects if item.kind == "ConfigMap"}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_fetched_once_is_there_without_a_network(
    kind: str, tree: Tree, helm: Tool, server: Packages, cache_folder: Path
) -> None:
    folder = tree(KINDS[kind](server))
    render = Render(helm=helm.path)
    before = sorted(folder.rglob("*"))
    absent = found(render=render)
    assert unit(absent).state == "unchecked"
    assert unit(absent).reason.startswith(f"{NOT_FETCHED} (web ")
    assert absent.problems == []
    assert server.asked == []
    fetched = found(render=Render(helm=helm.path, network=True))
    assert (unit(fetched).state, maps(fetched)) == ("checked", {"plain", "web-red-1-2-0"})
    assert server.asked
    server.asked.clear()
    for keeps in (False, True, True):
        assert maps(found(render=render, keeps=keeps)) == {"plain", "web-red-1-2-0"}
    assert server.asked == []
    assert maps(found(render=Render(helm=helm.path, network=True))) == {"plain", "web-red-1-2-0"}
    assert bool(server.asked) is (kind not in ("tag", "digest"))
    assert sorted(folder.rglob("*")) == before
    assert fetching.store().clear() == 1
    assert unit(found(render=render)).state == "unchecked"


def test_a_range_is_asked_anew_and_its_last_answer_kept(tree: Tree, helm: Tool, server: Packages) -> None:
    tree(of_repository(server))
    render = Render(helm=helm.path)
    found(render=Render(helm=helm.path, network=True))
    server.index(("web", "1.3.0", files("1.3.0")))
    assert "web-red-1-2-0" in maps(found(render=render))
    assert "web-red-1-3-0" in maps(found(render=Render(helm=helm.path, network=True)))
    server.answers.clear()
    assert "web-red-1-3-0" in maps(found(render=Render(helm=helm.path, network=True)))
    assert "web-red-1-3-0" in maps(found(render=render))


def test_helm_uses_the_login_with_which_a_repository_was_added(
    tree: Tree, helm: Tool, server: Packages, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.login = "user:pass"
    folder = tree(of_repository(server))
    render = Render(helm=helm.path, network=True)
    before = unit(found(render=render))
    assert "401" in before.reason
    settings = tmp_path_factory.mktemp("helm") / "repositories.yaml"
    entry = {"name": "own", "url": f"{server.url}/", "username": "user", "password": "pass"}
    settings.write_text(json.dumps({"apiVersion": "", "repositories": [entry]}))
    monkeypatch.setenv("HELM_REPOSITORY_CONFIG", str(settings))
    assert "web-red-1-2-0" in maps(found(render=render))
    assert [path.name for path in settings.parent.iterdir()] == ["repositories.yaml"]
    assert not [path for path in folder.rglob("*") if path.suffix == ".tgz"]


@pytest.mark.parametrize("answer", [401, 404, b"<html>no</html>", None])
@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("repository", "/index.yaml"),
        ("repository", "/web-1.2.0.tgz"),
        ("application", "/index.yaml"),
        ("tag", "/v2/charts/web/manifests/1.2.0"),
        ("registry-as-repository", "/v2/charts/web/tags/list"),
    ],
)
def test_a_server_that_answers_otherwise(
    kind: str, path: str, answer: int | bytes | None, tree: Tree, helm: Tool, server: Packages
) -> None:
    folder = tree(KINDS[kind](server))
    before = sorted(folder.rglob("*"))
    server.answers[path] = answer
    manifests = found(render=Render(helm=helm.path, time_limit="1s" if answer is None else "20s", network=True))
    told = unit(manifests).reason
    assert unit(manifests).state == "unchecked"
    assert "\n" not in told
    assert "ingress-lint-" not in told
    words = {401: ("401",), 404: ("404", "not found"), None: ("took longer than 1 seconds",)}
    assert any(word in told for word in words.get(answer, ("web",)))  # type: ignore[arg-type]
    ((level, message),) = ((problem.level, problem.message) for problem in manifests.problems)
    assert (level, message) == ("warning", f"not rendered, so that nothing of it was checked: {told}")
    assert maps(manifests) == {"plain"}
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("harm", ["bomb", "climbing", "other"])
def test_an_archive_that_harms_is_refused(
    harm: str, tree: Tree, helm: Tool, server: Packages, capfd: pytest.CaptureFixture[str]
) -> None:
    harms = {
        "bomb": files("1.2.0") | {"templates/large.yaml": "# " + "a" * 101 * 1024**2},
        "climbing": files("1.2.0") | {"../../climbed.yaml": PLAIN},
        "other": {"Chart.yaml": "no chart"},
    }
    server.index(("web", "1.2.0", harms[harm]))
    folder = tree(of_repository(server))
    before = sorted(folder.rglob("*"))
    manifests = found(render=Render(helm=helm.path, network=True))
    assert unit(manifests).state == "unchecked"
    assert "\n" not in unit(manifests).reason
    assert "ingress-lint-" not in unit(manifests).reason
    assert [problem.level for problem in manifests.problems] == ["warning"]
    assert maps(manifests) == {"plain"}
    assert sorted(folder.rglob("*")) == before
    assert not list(folder.parent.rglob("climbed.yaml"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "state", "expected"),
    [
        ("$values/envs/blue.yaml", "checked", {"plain", "web-blue-1-2-0"}),
        ("$values/envs/gone.yaml", "unchecked", {"plain"}),
        ("values-prod.yaml", "unchecked", {"plain"}),
        ("/envs/blue.yaml", "unchecked", {"plain"}),
    ],
)
def test_an_application_may_take_values_of_the_repository(
    name: str, state: str, expected: set[str], tree: Tree, helm: Tool, server: Packages
) -> None:
    url = "https://git.example.org/deploy.git"
    chart = {"repoURL": server.url, "chart": "web", "targetRevision": "1.x", "helm": {"valueFiles": [name]}}
    sources = [chart, {"repoURL": url, "ref": "values"}]
    spec = {"sources": sources, "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"}}
    own = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "web"}, "spec": spec}
    sync = own | {"metadata": {"name": "apps"}, "spec": {"source": {"repoURL": url, "path": "apps"}, "destination": {}}}
    tree(
        {
            "apps/web.yaml": json.dumps(own),
            "root.yaml": json.dumps(sync),
            "envs/blue.yaml": "color: blue\n",
            "values-prod.yaml": "color: wrong\n",
            "plain.yaml": PLAIN,
        }
    )
    manifests = found(render=Render(helm=helm.path, network=True))
    (one,) = (unit for unit in manifests.units if unit.name.endswith("/web"))
    assert (one.state, maps(manifests)) == (state, expected)


def test_a_server_that_says_nothing_is_asked_once(tree: Tree, helm: Tool, server: Packages) -> None:
    written = of_repository(server)
    for number in range(5):
        name = f"web{number}"
        written[f"flux/{name}.yaml"] = (
            written["flux/release.yaml"]
            .replace('"name": "web"', f'"name": "{name}"', 1)
            .replace("1.x", f"1.{number}.x")
        )
    tree(written)
    server.answers["/index.yaml"] = None
    manifests = found(render=Render(helm=helm.path, time_limit="3s", network=True), jobs=1)
    assert sum(one.state == "unchecked" for one in manifests.units) == 6
    assert server.asked == ["/index.yaml"]


def test_findings_stand_at_the_value_else_at_the_name_of_the_chart(tree: Tree, helm: Tool, server: Packages) -> None:
    tree(of_repository(server))
    server.index(("web", "1.2.0", {"templates/map.yaml": MAP.format("web") + "data: {color: '{{ .Values.color }}'}\n"}))
    manifests = found(render=Render(helm=helm.path, network=True))
    (document,) = (one for one in manifests.places if one.template)
    locator = Locator()
    sources = [
        manifests.places[document].source_place(Place(document, pointer)) for pointer in (("data", "color"), ("kind",))
    ]
    assert [(one.place.document.file.path, one.place.pointer, one.certainty) for one in sources] == [
        ("flux/release.yaml", ("spec", "values", "color"), "likely"),
        ("flux/release.yaml", ("spec", "chart", "spec", "chart"), "template"),
    ]
    assert [locator.locate(one.place).line > 1 for one in sources] == [True, True]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"values_files": ["prod.yaml"]}, "its values file prod.yaml is one of a chart that is not here"),
        ({"url": "s3://bucket/charts"}, "its chart is not here: web 1.x of s3://bucket/charts"),
        ({"name": "--repo=x"}, "its chart is not here: --repo=x"),
    ],
)
def test_what_helm_cannot_be_asked_for(
    change: dict[str, Any], why: str, tree: Tree, helm: Tool, server: Packages
) -> None:
    written = of_repository(server)
    own = json.loads(written["flux/release.yaml"])
    own["spec"]["chart"]["spec"] |= {"valuesFiles": change.get("values_files", []), "chart": change.get("name", "web")}
    source = json.loads(written["flux/source.yaml"])
    source["spec"]["url"] = change.get("url", server.url)
    tree(written | {"flux/release.yaml": json.dumps(own), "flux/source.yaml": json.dumps(source)})
    manifests = found(render=Render(helm=helm.path, network=True))
    assert unit(manifests).reason.startswith(why)
    assert server.asked == []


def test_the_report_names_the_option_once(
    tree: Tree, helm: Tool, server: Packages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(Path(helm.path).parent))
    written = of_repository(server, values={"ingress": {"enabled": True}})
    other = written["flux/release.yaml"].replace('"name": "web"', '"name": "other"', 1).replace("1.x", "2.x")
    tree(written | {"flux/other.yaml": other})
    result = CliRunner().invoke(main, ["check", "."], catch_exceptions=False)
    assert result.exit_code == 0
    assert (
        "not checked: 2 helm-releases with 2 routes (their charts are not here: --network fetches them)"
        in result.stdout
    )
    assert CliRunner().invoke(main, ["check", "--network", "."], catch_exceptions=False).exit_code == 0
