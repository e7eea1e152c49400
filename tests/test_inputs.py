"""What a run looks at: all of it is noted, and looked at again in the same way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingress_lint import inputs

INGRESS = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: shop}\nspec: {}\n"
REPOSITORY = {
    ".git/config": '[remote "origin"]\n  url = https://example.com/shop\n',
    ".git/info/exclude": "ignored\n",
    ".gitignore": "out/\n",
    ".ingress-lint.yaml": "baseline: baseline.json\ncontext: [context]\npaths: [clusters, apps, charts, generated]\n",
    "baseline.json": '{"version": 1, "findings": []}',
    "context/service.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n",
    "clusters/prod/kustomization.yaml": "resources: [../../base, extra.yaml]\nnamePrefix: prod-\n"
    "patches: [{path: patch.yaml}]\nconfigMapGenerator: [{name: settings, files: [settings.ini]}]\n",
    "clusters/prod/extra.yaml": INGRESS.replace("shop", "extra"),
    "clusters/prod/patch.yaml": INGRESS,
    "clusters/prod/settings.ini": "a=b\n",
    "clusters/listing/kustomization.yaml": "resources: [../../base]\n",
    "base/kustomization.yaml": "resources: [ingress.yaml]\n",
    "base/ingress.yaml": INGRESS,
    "apps/.gitignore": "none.yaml\n",
    "apps/shop.yaml": INGRESS,
    "apps/broken.yaml": "kind: [\n",
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "charts/web/values.yaml": "ingress: {enabled: true}\n",
    "charts/web/values-prod.yaml": "replicas: 2\n",
    "charts/web/ci/test-values.yaml": "replicas: 1\n",
    "charts/web/templates/ingress.yaml": "{{ .Values }}\n",
    "generated/main.tf": 'resource "kubernetes_ingress" "shop" {}\n',
    "generated/helmfile.yaml": "releases: []\n",
    "out/shop.yaml": INGRESS,
}
PROGRAM = """
import json, os, sys
opened = set()
def hook(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and isinstance(arguments[0], str):
        opened.add(os.path.realpath(arguments[0]))
sys.addaudithook(hook)
from ingress_lint import inputs
from ingress_lint.commands.check import command
with inputs.noting(None) as noted:
    try:
        command.main(["--no-cache"])
    except SystemExit:
        pass
seen = {os.path.realpath(path) for path in (*noted.files, *noted.folders)}
print("\\n" + json.dumps([sorted(opened), sorted(seen)]))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in REPOSITORY.items():
        path = tmp_path / "repository" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(tmp_path / "repository")
    return tmp_path / "repository"


def test_whatever_is_opened_is_noted(folder: Path) -> None:
    environment = {**os.environ, "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM], capture_output=True, text=True, env=environment, check=False
    )
    assert not done.stderr
    opened, seen = (set(paths) for paths in json.loads(done.stdout.splitlines()[-1]))
    ours = {path for path in opened if path.startswith(str(folder))}
    assert {
        str(folder / name) for name in ("apps/shop.yaml", "base/ingress.yaml", ".git/info/exclude", "baseline.json")
    } <= ours
    assert ours - seen == set()


def test_nothing_is_noted_unasked(folder: Path) -> None:
    inputs.read("apps/shop.yaml")
    with inputs.noting(None) as noted:
        pass
    inputs.read("apps/shop.yaml")
    assert noted == inputs.Noted()


def test_what_is_not_there_is_noted(folder: Path) -> None:
    with inputs.noting(None) as noted:
        with pytest.raises(FileNotFoundError):
            inputs.read("new.yaml")
        with pytest.raises(FileNotFoundError):
            inputs.entries("new")
        assert not inputs.exists("newer")
        assert inputs.tool("no-such-tool") is None
    assert inputs.holds(noted, None)
    for name in ("new.yaml", "new", "newer"):
        Path(name).mkdir()
        (Path(name) / "file").write_text("")
        assert inputs.holds(noted, None) is (name == "new.yaml")  # a folder can no more be read as a file
        (Path(name) / "file").unlink()
        Path(name).rmdir()
    Path("new.yaml").write_text("")
    assert not inputs.holds(noted, None)


@pytest.mark.skipif(os.name != "posix", reason="modes make programs")
def test_another_tool_is_seen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    program = folder / "kustomize"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    with inputs.noting(None) as noted:
        assert inputs.tool("kustomize") == str(program)
    assert inputs.holds(noted, None)
    os.utime(program, (1, 1))
    assert not inputs.holds(noted, None)
    with inputs.noting(None) as noted:
        inputs.tool("kustomize")
    program.unlink()
    assert not inputs.holds(noted, None)


def test_what_a_listing_says_is_noted_once(folder: Path) -> None:
    real = os.path.realpath(".")
    with inputs.noting(None) as noted:
        inputs.entries(".")
        inputs.read("./baseline.json")
        inputs.read(os.path.join(real, "baseline.json"))
        assert inputs.is_file(os.path.join(real, "baseline.json"))
        assert not inputs.exists(os.path.join(real, "absent"))
        assert inputs.is_folder(os.path.join(real, "apps", "..", "apps"))
    assert list(noted.files) == ["./baseline.json"]
    assert list(noted.kinds) == [os.path.join(real, "apps", "..", "apps")]


@pytest.mark.skipif(os.name != "posix", reason="there are no pipes with names")
def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    with inputs.noting(None) as noted:
        inputs.entries("apps")
        inputs.read("apps/shop.yaml")
    Path("apps/shop.yaml").unlink()
    os.mkfifo("apps/shop.yaml")
    assert not inputs.holds(noted, None)


def test_of_a_large_file_no_more_is_read_than_tells(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "MAX_BYTES", 10)
    Path("large").write_bytes(b"x" * 100)
    with inputs.noting(None) as noted:
        assert inputs.read("large") == b"x" * 11
    assert noted.repeatable


def test_another_match_is_seen(folder: Path) -> None:
    with inputs.noting(None) as noted:
        assert inputs.matching("charts/*/values*.yaml") == ["charts/web/values-prod.yaml", "charts/web/values.yaml"]
    assert inputs.holds(noted, None)
    Path("charts/web/values-qa.yaml").write_text("")
    assert not inputs.holds(noted, None)


def test_a_walk_is_that_of_the_library(folder: Path) -> None:
    Path("charts/link").symlink_to("web")
    expected = {path: (sorted(folders), sorted(names)) for path, folders, names in os.walk(".")}
    with inputs.noting(None) as noted:
        assert {path: (folders, names) for path, folders, names in inputs.walk(".")} == expected
    assert set(noted.folders) == set(expected)
    assert list(inputs.walk("nowhere")) == []


def test_moments(folder: Path) -> None:
    def at(day: int) -> datetime:
        return datetime(2026, 6, day, tzinfo=UTC)

    with inputs.noting(at(10)) as noted:
        inputs.moments(at(1), at(20))
        inputs.moments(at(5), at(30))
    assert (noted.since, noted.until) == (at(5), at(20))
    assert [day for day in range(1, 31) if inputs.holds(noted, at(day))] == list(range(6, 20))
