"""Charts and tools that are not as they should be: one clear line each, the other units linted, nothing written beside the cache."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ingress_lint.__main__ import main
from ingress_lint.build.tools import Tool

from .conftest import Tree

CHART = "apiVersion: v2\nname: {}\nversion: 1.0.0\n"
ROUTE = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  defaultBackend: {service: {name: web, port: {number: 81}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80}]
"""
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Values.name }}}\n"
SIZE = 200 * 1024**2


@pytest.fixture(autouse=True)
def plain(tree: Tree) -> None:
    """A file beside the charts, with a fault that is found whatever the charts are like."""
    tree({"plain.yaml": ROUTE})


def chart(folder: str = "shop") -> dict[str, str]:
    return {
        f"{folder}/Chart.yaml": CHART.format(folder),
        f"{folder}/values.yaml": "name: x\n",
        f"{folder}/templates/map.yaml": MAP,
    }


def check(helm: str, limit: str = "60s") -> tuple[dict[str, str], list[str], list[str]]:
    """The reasons of units that are not checked, what is told of these, and the files with other findings."""
    Path(".ingress-lint.yaml").write_text(f"render: {{time-limit: {limit}}}\n", encoding="utf-8")
    before = sorted(Path().rglob("*"))
    command = ["check", "--select", "IL402,IL010", "--format", "json", "."]
    environment = {"PATH": f"{Path(helm).parent}:/usr/bin:/bin"}
    result = CliRunner(env=environment).invoke(main, command, catch_exceptions=False)
    assert sorted(Path().rglob("*")) == before
    assert result.exit_code in (1, 2), result.output
    report: dict[str, Any] = json.loads(result.stdout)
    reasons = {unit["name"]: unit["reason"] for unit in report["units"] if unit["state"] == "unchecked"}
    told = [finding["message"] for finding in report["findings"] if finding["code"] == "IL010"]
    assert all("\n" not in line and "Traceback" not in line for line in (*reasons.values(), *told))
    return reasons, told, [one["location"]["file"] for one in report["findings"] if one["code"] == "IL402"]


@pytest.fixture
def fake(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """A program that stands in for helm, given as a shell script."""

    def make(script: str) -> str:
        path = tmp_path_factory.mktemp("bin") / "helm"
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    return make


@pytest.mark.parametrize(
    ("script", "said", "lines"),
    [
        ("echo 'Error: unknown flag: --skip-tests' >&2; exit 1", "it is too old", 0),
        ("echo 'Error: no such thing' >&2; exit 1", "no such thing", 1),
        ("exit 7", "ended with status 7", 1),
        ("sleep 60", "took longer than 2 seconds", 1),
        (f"head -c {SIZE} /dev/zero | tr '\\0' x", "wrote more than 64 MiB", 1),
        (f"head -c {SIZE} /dev/zero | tr '\\0' x >&2; exit 1", "helm could not render", 1),
    ],
    ids=["too old", "failing", "failing without a word", "hanging", "printing", "complaining"],
)
def test_a_helm_that_is_no_good(script: str, said: str, lines: int, fake: Callable[[str], str], tree: Tree) -> None:
    tree(chart())
    reasons, told, found = check(fake(script), "2s" if "sleep" in script else "60s")
    assert said in reasons["shop"]
    assert (len(told), found) == (lines, ["plain.yaml"])


def test_no_helm(tree: Tree) -> None:
    tree(chart())
    reasons, told, found = check("/no/such/folder/helm")
    assert reasons["shop"].startswith("helm is not on PATH")
    assert (told, found) == ([], ["plain.yaml"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"- a\n- b\n", "holds no mapping, as values must be"),
        (b"text\n", "holds no mapping, as values must be"),
        (b"name: caf\xe9\n", "is not UTF-8"),
        (b"name: [\n", "is no valid YAML"),
        (b"\0\1", "cannot be read"),
    ],
)
def test_values_that_are_none(text: bytes, said: str, helm: Tool, tree: Tree) -> None:
    tree(chart())
    Path("shop/values-prod.yaml").write_bytes(text)
    reasons, told, found = check(helm.path)
    assert list(reasons) == ["shop:values-prod.yaml"]
    assert said in reasons["shop:values-prod.yaml"]
    assert (len(told), found) == (1, ["plain.yaml"])


@pytest.mark.parametrize("text", [b"- a\n", b"name: caf\xe9\n"])
def test_the_chart_s_own_values_that_are_none(text: bytes, helm: Tool, tree: Tree) -> None:
    tree(chart())
    Path("shop/values.yaml").write_bytes(text)
    reasons, told, found = check(helm.path)
    assert (len(reasons), found) in ((1, ["plain.yaml"]), (0, ["plain.yaml"]))
    assert len(told) == len(reasons)


def archive(path: Path, entry: str, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz", compresslevel=1) as made:
        for name, content in (("sub/Chart.yaml", CHART.format("sub").encode()), (entry, b" " * size)):
            held = tarfile.TarInfo(name)
            held.size = len(content)
            made.addfile(held, io.BytesIO(content))


@pytest.mark.parametrize(
    ("entry", "size", "said"),
    [
        ("sub/templates/a.yaml", SIZE, "unpacks to more than 100 MiB"),
        ("../../../out.yaml", 10, ""),
        ("sub/../../../out.yaml", 10, ""),
    ],
    ids=["bomb", "climbing", "climbing from within"],
)
def test_an_archive_that_is_no_good(entry: str, size: int, said: str, helm: Tool, tree: Tree) -> None:
    tree(chart() | chart("good"))
    archive(Path("shop/charts/sub-1.0.0.tgz"), entry, size)
    reasons, told, found = check(helm.path)
    assert list(reasons) == ["shop"]
    assert said in reasons["shop"]
    assert (len(told), found) == (1, ["plain.yaml"])
    assert not list(Path().resolve().parent.rglob("out.yaml"))


def test_a_subchart_of_itself(helm: Tool, tree: Tree) -> None:
    tree(
        chart()
        | {"twice/Chart.yaml": CHART.format("twice") + "dependencies: [{name: twice, repository: 'file://.'}]\n"}
    )
    Path("shop/charts").mkdir()
    Path("shop/charts/shop").symlink_to("..", target_is_directory=True)
    reasons, told, found = check(helm.path)
    assert set(reasons) <= {"shop", "twice"}
    assert (len(told), found) == (len(reasons), ["plain.yaml"])


def test_a_template_that_is_a_link(helm: Tool, tree: Tree) -> None:
    tree(chart() | {"shared/route.yaml.txt": ROUTE})
    Path("shop/templates/route.yaml").symlink_to("../../shared/route.yaml.txt")
    reasons, told, found = check(helm.path)
    assert (reasons, told) == ({}, [])
    assert len(found) == 2
    Path("shop/templates/gone.yaml").symlink_to("nowhere")
    Path("shop/templates/self.yaml").symlink_to("self.yaml")
    reasons, told, found = check(helm.path)
    assert (list(reasons), len(told), found) == (["shop"], 1, ["plain.yaml"])


def test_a_chart_of_five_thousand_templates(helm: Tool, tree: Tree) -> None:
    many = {f"shop/templates/{number}.yaml": MAP.replace("{{ .Values.name }}", f"m{number}") for number in range(5000)}
    tree(chart() | many | {"shop/templates/route.yaml": ROUTE.replace("81", "{{ 81 }}")})
    assert check(helm.path) == ({}, [], ["plain.yaml", "shop/templates/route.yaml"])
