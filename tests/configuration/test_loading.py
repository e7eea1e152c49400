"""Configuration files: what they set, and what is wrong with them, with file, line and the nearest name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ingress_lint.configuration.loading import Configuration, load_configuration
from ingress_lint.units.configured import Cluster, ConfiguredUnit, External, Installed, clusters_of
from tests.configuration.conftest import Load, Refused

UNITS = """\
controllers:
  public: ingress-nginx
  edge: {name: envoy-gateway, version: 1.30, flags: [--x]}
units:
  - name: shop
    path: apps/shop
    kind: chart
    values: [values/shop.yaml]
    set: {image.tag: "1.10", replicas: 2}
    namespace: shop
    release: web
    kube-version: 1.30
    api-versions: [monitoring.coreos.com/v1]
    cluster: east
clusters:
  east:
    units: ["infra/*"]
    namespace: default
    controller: traefik
    controllers: {public: kong}
    kube-version: "1.31"
    externals: [{kind: Service, name: auth, namespace: auth}]
render: {time-limit: 90s, kustomize: kubectl, network: true}
min-severity: warning
"""


def test_every_setting_of_units_and_clusters(load: Load, folder: Path) -> None:
    (folder / "apps" / "shop").mkdir(parents=True)
    (folder / "values").mkdir()
    (folder / "values" / "shop.yaml").touch()
    found = load(UNITS)
    assert found.doubts == ()
    assert found.settings.controllers == {
        "public": Installed("ingress-nginx"),
        "edge": Installed("envoy-gateway", "1.30", ("--x",)),
    }
    (unit,) = found.settings.units
    assert unit == ConfiguredUnit(
        "shop",
        "apps/shop",
        "chart",
        ("values/shop.yaml",),
        {"image.tag": "1.10", "replicas": 2},
        "shop",
        "web",
        "1.30",
        ("monitoring.coreos.com/v1",),
        "east",
    )
    assert list(unit.helm_settings()) == ["--set-json", 'image.tag="1.10"', "--set-json", "replicas=2"]
    assert found.settings.clusters["east"] == Cluster(
        ("infra/*",),
        "default",
        "traefik",
        {"public": Installed("kong")},
        "1.31",
        externals=(External("Service", "auth", "auth"),),
    )
    assert (found.settings.render.kustomize, found.settings.render.network) == ("kubectl", True)
    assert found.settings.min_severity == "warning"
    assert found.lines["units"] == 4


def test_a_cluster_has_the_units_that_name_it_or_that_it_names() -> None:
    clusters = {"east": Cluster(units=("infra/*",)), "west": Cluster(units=("infra/*", "shop"))}
    assert clusters_of("infra/a/b", None, clusters) == ["east", "west"]
    assert clusters_of("shop", "east", clusters) == ["east"]
    assert clusters_of("blog", None, clusters) == []


def test_no_file_sets_nothing_and_imports_no_checks(folder: Path) -> None:
    assert load_configuration(None, ["."]) == Configuration()
    code = (
        "import sys\n"
        "from ingress_lint.configuration.loading import load_configuration\n"
        "load_configuration(None, ['.'])\n"
        "print('pydantic' in sys.modules, 'ingress_lint.configuration.schema' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_an_empty_file_sets_nothing(load: Load, text: str) -> None:
    found = load(text)
    assert found.settings == Configuration().settings
    assert found.file == ".ingress-lint.yaml"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("fail-on: error\nfial-on: x\n", "2: fial-on: there is no such setting; did you mean `fail-on`?"),
        ("paths: manifests\n", "1: paths: this must be a list"),
        ("fail-on-unchecked: 1\n", "1: fail-on-unchecked: this must be true or false"),
        ("- 1\n", "1: this must be a mapping of settings"),
        ("units:\n  - name: a\n    path: .\n    vales: []\n", "4: units[0].vales: there is no such setting; did you mean `values`?"),
        ("units:\n  - {name: a}\n", "2: units[0]: the setting `path` is missing"),
        ("units:\n  - {name: '', path: .}\n", "2: units[0].name: this must not be empty"),
        ("units:\n  - name: a\n    path: .\n    kind: chrt\n", "4: units[0].kind: `chrt` is none of its values; did you mean `chart`? It must be `chart`, `folder` or `kustomization`"),
        ("units:\n  - name: a\n    path: .\n    kube-version: new\n", "4: units[0].kube-version: `new` cannot be taken; write it such as `1.31`"),
        ("externals:\n  - {kind: Service, nam: x, name: z}\n", "2: externals[0].nam: there is no such setting; did you mean `name`?"),
        ("clusters:\n  east:\n    namspace: x\n", "3: clusters.east.namspace: there is no such setting; did you mean `namespace`?"),
        ("render: {helm: /bin/sh}\n", "1: render.helm: `/bin/sh` cannot be taken; write it such as `helm3`"),
        ("render: {time-limit: soon}\n", "1: render.time-limit: `soon` is no time such as `90s`"),
        ("render: {time-limit: 0}\n", "1: render.time-limit: `0` is no time such as `90s`"),
        ("a: [\n", "2: this is not YAML"),
        ("ignore: []\nignore: []\n", "2: ignore: this setting stands twice"),
        ('paths: ["a\\0b"]\n', "1: paths[0]: no path holds a zero byte"),
        ("units: {}\n", "1: units: this must be a list"),
        ("1: 2\n", "1: 1: there is no such setting"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_line_and_what_would_fit(refused: Refused, text: str, fault: str) -> None:
    (line,) = refused(text)
    assert line.startswith(f".ingress-lint.yaml:{fault}")


@pytest.mark.parametrize(
    "text",
    [
        "controllers: {public: ingres-nginx}\n",
        "controllers: {public: {name: ingres-nginx}}\n",
        "clusters: {east: {controllers: {public: ingres-nginx}}}\n",
        "controller: ingres-nginx\n",
    ],
)
def test_a_controller_that_there_is_not(refused: Refused, text: str) -> None:
    (line,) = refused(text)
    assert "`ingres-nginx` is none of its values; did you mean `ingress-nginx`? It must be" in line
    assert "`traefik`" in line


def test_all_faults_are_told_by_line(refused: Refused) -> None:
    found = refused("clusters: {x: {y: 1}}\npaths: [../elsewhere]\ncolour: red\n")
    assert [line.split(": ")[0] for line in found] == [f".ingress-lint.yaml:{number}" for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[tool.ingress-lint]\nfail-on = "error"\ncolour = "red"\n', "3: colour: there is no such setting"),
        ('[tool.ingress-lint]\nunits = [\n  {name = "a"},\n]\n', "2: units[0]: the setting `path` is missing"),
        (
            '[[tool.ingress-lint.units]]\nname = "a"\npath = "."\n\n[[tool.ingress-lint.units]]\nname = "b"\npth = "."\n',
            "7: units[1].pth: there is no such setting; did you mean `path`?",
        ),
        (
            '[tool.ingress-lint.clusters."east"]\nkube-version = 1.30\n',
            "2: clusters.east.kube-version: this must be text",
        ),
        ("[tool.ingress-lint]\nx = \n", "this is not TOML"),
    ],
)
def test_pyproject_has_lines_too(refused: Refused, text: str, fault: str) -> None:
    assert fault in refused(text)[0]


@pytest.mark.parametrize(
    "text",
    [
        "paths: [../x]\n",
        "context: [/etc]\n",
        "baseline: ../b.json\n",
        "units: [{name: a, path: ..}]\n",
        "units: [{name: a, path: ., values: [../v.yaml]}]\n",
        "paths: [link]\n",
    ],
)
def test_no_path_leads_out_of_the_repository(refused: Refused, folder: Path, text: str) -> None:
    (folder / "link").symlink_to(folder.parent)
    (line,) = refused(text)
    assert "leads out of the repository" in line


def test_without_git_no_path_leads_out_of_the_folder(refused: Refused, folder: Path) -> None:
    (folder / ".git").rmdir()
    (line,) = refused("paths: [../x]\n")
    assert "leads out of the configuration's folder" in line


def test_paths_lead_anywhere_in_the_repository(folder: Path) -> None:
    (folder / "ci").mkdir()
    (folder / "ci" / "lint.yaml").write_text("paths: [../apps]\nexclude: [old/]\n")
    found = load_configuration("ci/lint.yaml", [])
    assert found.settings.paths == ("apps",)
    assert found.excludes[0].endswith("/ci/**/old/")


def test_what_is_gone_and_what_goes_by_one_name_is_told_and_the_rest_counts(load: Load, folder: Path) -> None:
    (folder / "a").mkdir()
    found = load(
        "units:\n  - {name: one, path: a}\n  - {name: one, path: a, values: [v.yaml]}\n  - name: two\n    path: gone\n"
    )
    assert found.doubts == (
        ".ingress-lint.yaml:3: units[1].name: `one` is the name of units[0], on line 2, as well; each needs one of its own",
        ".ingress-lint.yaml:3: units[1].values[0]: there is no `v.yaml`",
        ".ingress-lint.yaml:5: units[2].path: there is no `gone`",
    )
    assert len(found.settings.units) == 3
