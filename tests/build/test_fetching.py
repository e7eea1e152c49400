"""Charts that others depend on, fetched from a server that runs here, and what is there without a network afterwards."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingress_lint.build import fetching
from ingress_lint.build.fetching import Fetcher
from ingress_lint.build.helm import Release, Rendered, Unrendered, render
from ingress_lint.build.running import Limits
from ingress_lint.build.sources import Sources
from ingress_lint.build.tools import Tool
from tests.packages import CHART, MAP, Packages, archive

from .conftest import WriteTree

VERSIONS = (("db", "1.2.0", "new"), ("db", "1.1.0", "old"))


@pytest.fixture
def repository(packages: Packages) -> Packages:
    packages.index(*VERSIONS)
    return packages


def needing(repository: Packages, version: str, lock: str = "") -> dict[str, str]:
    dependencies = f"dependencies:\n- {{{{name: db, version: {{}}, repository: '{repository.url}'}}}}\n"
    files = {
        "shop/Chart.yaml": CHART.format("shop", "1.0.0") + dependencies.format(f"'{version}'"),
        "shop/templates/map.yaml": MAP.format("own"),
    }
    return files | ({"shop/Chart.lock": dependencies.format(lock)} if lock else {})


def rendered(tool: Tool, *, network: bool, seconds: float = 20, keeps: bool = False) -> Rendered | Unrendered:
    fetcher = Fetcher(tool, Limits(seconds), network=network)
    release = Release(str(Path("shop").resolve()), keeps=keeps)
    return render(release, tool, Sources(), fetcher)


def names(result: Rendered | Unrendered) -> list[str]:
    assert isinstance(result, Rendered), result
    return sorted(document.value["metadata"]["name"] for document in result.documents)


@pytest.mark.parametrize(
    ("version", "lock", "found"), [("1.x.x", "", "new"), ("1.1.0", "", "old"), ("1.x.x", "1.1.0", "old")]
)
def test_what_is_fetched_once_is_there_without_a_network(
    version: str, lock: str, found: str, helm: Tool, write_tree: WriteTree, repository: Packages
) -> None:
    folder = write_tree(needing(repository, version, lock))
    before = sorted(folder.rglob("*"))
    assert isinstance(rendered(helm, network=False), Unrendered)
    assert repository.asked == []
    assert names(rendered(helm, network=True)) == sorted(["own", found])
    asked = len(repository.asked)
    for keeps in (False, True, True):
        assert names(rendered(helm, network=False, keeps=keeps)) == sorted(["own", found])
    assert len(repository.asked) == asked
    rendered(helm, network=True)
    assert (len(repository.asked) == asked) is (version != "1.x.x" or bool(lock))
    assert sorted(folder.rglob("*")) == before
    assert fetching.store().clear() == 1
    assert isinstance(rendered(helm, network=False), Unrendered)


def test_what_helm_itself_has_fetched_is_taken(helm: Tool, write_tree: WriteTree, repository: Packages) -> None:
    write_tree(needing(repository, "1.2.0"))
    cache = Path(os.environ["HELM_CACHE_HOME"], "repository")
    cache.mkdir(parents=True)
    (cache / "db-1.2.0.tgz").write_bytes(archive("db", "1.2.0", "cached"))
    assert names(rendered(helm, network=False)) == ["cached", "own"]
    assert repository.asked == []


@pytest.mark.parametrize(
    ("path", "answer", "said"),
    [
        ("/index.yaml", 401, "401"),
        ("/index.yaml", 404, "404"),
        ("/index.yaml", b"<html>no index</html>", ""),
        ("/db-1.2.0.tgz", 404, "404"),
        ("/index.yaml", None, "took longer than 1 seconds"),
    ],
)
def test_a_repository_that_answers_otherwise(
    path: str,
    answer: bytes | int | None,
    said: str,
    helm: Tool,
    write_tree: WriteTree,
    repository: Packages,
) -> None:
    write_tree(needing(repository, "1.2.0"))
    repository.answers[path] = answer
    result = rendered(helm, network=True, seconds=1 if answer is None else 20)
    assert isinstance(result, Unrendered)
    assert result.reason == "network"
    assert result.message.startswith(f"db 1.2.0 of {repository.url} could not be fetched: ")
    assert said in result.message
    assert "\n" not in result.message
    assert result.place.pointer == ("dependencies", 0, "name")


def test_an_archive_that_is_none_is_told_by_helm(helm: Tool, write_tree: WriteTree, repository: Packages) -> None:
    write_tree(needing(repository, "1.2.0"))
    repository.answers["/db-1.2.0.tgz"] = b"garbage"
    assert isinstance(rendered(helm, network=True), Unrendered)


@pytest.mark.parametrize("name", ["--repo=x", "../db", "a b", ""])
def test_a_name_that_is_none_is_asked_of_nobody(
    name: str, helm: Tool, write_tree: WriteTree, repository: Packages
) -> None:
    files = needing(repository, "1.2.0")
    write_tree(files | {"shop/Chart.yaml": files["shop/Chart.yaml"].replace("name: db", f"name: '{name}'")})
    result = rendered(helm, network=True)
    assert isinstance(result, Unrendered)
    assert repository.asked == []
