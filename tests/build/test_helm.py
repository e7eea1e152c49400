"""Charts, rendered by the real helm where there is one, and what is said where they are not."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from ingress_lint.build.helm import Release, Rendered, Unrendered, Values, read_values, render
from ingress_lint.build.running import Limits
from ingress_lint.build.sources import Sources
from ingress_lint.build.tools import Tool

from .conftest import WriteTree

CHART = "apiVersion: v2\nname: {}\nversion: 1.0.0\n"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {}}}\n"
FakeHelm = Callable[[str], Tool]


@pytest.fixture
def fake_helm(tmp_path: Path) -> FakeHelm:
    """A program that stands in for helm, given as a shell script."""

    def make(script: str) -> Tool:
        path = tmp_path / "helm"
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        return Tool(str(path), (str(path), "template"), (str(path), "version"))

    return make


def chart(folder: str, name: str = "", **templates: str) -> dict[str, str]:
    name = name or folder.rpartition("/")[2]
    return {f"{folder}/Chart.yaml": CHART.format(name)} | {
        f"{folder}/templates/{key}.yaml": text for key, text in templates.items()
    }


def release(folder: str, *values: Mapping[str, object], **more: object) -> Release:
    layers = tuple(Values(None, (), value) for value in values)
    return Release(str(Path(folder).resolve()), values=layers, **more)  # type: ignore[arg-type]


def rendered(tool: Tool, asked: Release) -> Rendered:
    result = render(asked, tool, Sources())
    assert isinstance(result, Rendered), result
    return result


def refused(tool: Tool | None, asked: Release) -> Unrendered:
    result = render(asked, tool, Sources())
    assert isinstance(result, Unrendered), result.file.text
    return result


def line(result: Unrendered) -> tuple[str, int]:
    place = result.place
    start = place.span[0] if place.span is not None else place.document.start
    return place.document.file.path, place.document.file.line_and_column(start)[0]


def names(result: Rendered) -> list[str]:
    return [document.value["metadata"]["name"] for document in result.documents if document.value]


def test_values_release_and_capabilities(helm: Tool, write_tree: WriteTree) -> None:
    text = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}", namespace: "{{ .Release.Namespace }}"}
data:
  a: "{{ .Values.a }}{{ .Values.b }}{{ .Values.c }}"
  version: {{ .Capabilities.KubeVersion.Version }}
  monitored: "{{ .Capabilities.APIVersions.Has "monitoring.coreos.com/v1" }}"
"""
    write_tree(chart("shop", map=text) | {"shop/values.yaml": "{a: 0, b: 0, c: 0}"})
    asked = release(
        "shop",
        {"a": 1, "b": 1},
        {"b": 2},
        name="live",
        namespace="apps",
        settings=("--set", "c=3"),
        kube_version="1.31",
        api_versions=("monitoring.coreos.com/v1",),
    )
    (document,) = rendered(helm, asked).documents
    assert document.template == "shop/templates/map.yaml"
    assert document.value["metadata"] == {"name": "live", "namespace": "apps"}
    assert document.value["data"] == {"a": "123", "version": "v1.31.0", "monitored": "true"}


def test_a_values_file_is_given_to_helm_as_it_is_written(helm: Tool, write_tree: WriteTree) -> None:
    write_tree(
        chart(
            "shop",
            map=MAP.format("{{ .Values.name }}") + "data: {switch: '{{ .Values.lit }}', day: '{{ .Values.day }}'}",
        )
        | {"prod.yaml": "# of prod\nname: &name prod\nlit: yes\nday: 2026-01-01\nother: *name\n"}
    )
    values = read_values("prod.yaml", Sources())
    assert isinstance(values, Values)
    (document,) = rendered(helm, replace(release("shop"), values=(values,))).documents
    assert document.value["metadata"]["name"] == "prod"
    assert document.value["data"]["switch"] == "true"


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n# nothing\n---\n", "null\n", "~", "{}"])
def test_a_values_file_may_hold_nothing(text: str, helm: Tool, write_tree: WriteTree) -> None:
    write_tree(chart("shop", map=MAP.format("a")) | {"empty.yaml": text})
    values = read_values("empty.yaml", Sources())
    assert isinstance(values, Values)
    assert values.value == {}
    assert names(rendered(helm, replace(release("shop"), values=(values,)))) == ["a"]


def test_values_that_cannot_be(write_tree: WriteTree) -> None:
    folder = write_tree({"list.yaml": "- a", "broken.yaml": "a: [", "text.yaml": "words"})
    (folder / "latin.yaml").write_bytes("a: caf\xe9\n".encode("latin-1"))
    said = {}
    for name in ("list", "broken", "text", "latin", "gone"):
        found = read_values(f"{name}.yaml", Sources())
        assert isinstance(found, Unrendered)
        assert found.place.document.file.path == f"{name}.yaml"
        said[name] = found.message
    assert said == {
        "list": "the values file list.yaml holds no mapping, as values must be",
        "broken": "the values file broken.yaml is no valid YAML",
        "text": "the values file text.yaml holds no mapping, as values must be",
        "latin": "latin.yaml is not UTF-8, so that helm would read other values",
        "gone": "the values file gone.yaml cannot be read",
    }


def test_tests_are_left_out_and_definitions_are_not(helm: Tool, write_tree: WriteTree) -> None:
    hooked = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {}\n  annotations: {{helm.sh/hook: {}}}\n"
    definition = (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: as.example.com}\n"
    )
    write_tree(
        chart("shop", check=hooked.format("check", "test"), migrate=hooked.format("migrate", "pre-install"))
        | {"shop/crds/a.yaml": definition}
    )
    result = rendered(helm, release("shop"))
    assert names(result) == ["migrate"]
    assert [document.kind for document in result.documents] == ["CustomResourceDefinition", "Pod"]


def test_lookup_finds_nothing_and_no_variable_is_seen(
    helm: Tool, write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELM_NAMESPACE", "elsewhere")
    monkeypatch.setenv("HELM_POST_RENDERER", "false")
    text = MAP.format("a") + 'data: {found: "{{ len (lookup "v1" "Secret" "a" "b") }}", in: "{{ .Release.Namespace }}"}'
    write_tree(chart("shop", map=text))
    (document,) = rendered(helm, release("shop")).documents
    assert document.value["data"] == {"found": "0", "in": "default"}


# -- dependencies -----------------------------------------------------------------------------------------------------


def dependency(name: str, repository: str, more: str = "") -> str:
    return f'dependencies:\n- {{name: {name}, version: 1.x.x, repository: "{repository}"{more}}}\n'


def test_vendored_charts_and_archives(helm: Tool, write_tree: WriteTree) -> None:
    folder = write_tree(
        chart("shop", own=MAP.format("own"))
        | chart("shop/charts/folder-of-db", "db", map=MAP.format("db"))
        | {"shop/Chart.yaml": CHART.format("shop") + dependency("db", "https://charts.example.com")}
    )
    with tarfile.open(folder / "shop/charts/cache-1.2.3.tgz", "w:gz") as archive:
        for name, text in chart("cache", map=MAP.format("cache")).items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    result = rendered(helm, release("shop"))
    assert sorted(names(result)) == ["cache", "db", "own"]
    files = {document.template: result.chart.file(document.template) for document in result.documents}
    assert files == {
        "shop/charts/cache/templates/map.yaml": None,
        "shop/charts/db/templates/map.yaml": str(folder / "shop/charts/folder-of-db/templates/map.yaml"),
        "shop/templates/own.yaml": str(folder / "shop/templates/own.yaml"),
    }


def test_charts_of_other_folders_are_taken_by_a_copy(helm: Tool, write_tree: WriteTree) -> None:
    helper = '{{- define "common.name" }}{{ .Chart.Name }}{{ end -}}'
    folder = write_tree(
        chart("apps/shop", own=MAP.format('{{ include "common.name" . }}'))
        | chart("parts/db", map=MAP.format("db"))
        | chart("parts/common")
        | {
            "apps/shop/Chart.yaml": CHART.format("shop") + dependency("db", "file://../../parts/db", ", alias: store"),
            "parts/db/Chart.yaml": CHART.format("db") + dependency("common", "file://../common"),
            "parts/common/templates/_name.tpl": helper,
        }
    )
    before = sorted(path.relative_to(folder) for path in folder.rglob("*"))
    result = rendered(helm, release("apps/shop"))
    assert sorted(names(result)) == ["db", "shop"]
    assert result.chart.file("shop/charts/store/templates/map.yaml") == str(folder / "parts/db/templates/map.yaml")
    assert before == sorted(path.relative_to(folder) for path in folder.rglob("*"))


@pytest.mark.parametrize(
    "repository", ["https://charts.example.com", "oci://registry.example.com", "file://../gone", ""]
)
def test_a_dependency_that_is_not_here_is_named(repository: str, write_tree: WriteTree, fake_helm: FakeHelm) -> None:
    write_tree(chart("shop") | {"shop/Chart.yaml": CHART.format("shop") + dependency("db", repository)})
    found = refused(fake_helm("exit 1"), release("shop"))
    assert found.reason == "dependencies"
    assert found.message.startswith("charts that shop depends on are not here: db 1.x.x")
    assert repository in found.message
    assert found.place.pointer == ("dependencies", 0, "name")


@pytest.mark.parametrize(
    ("more", "values", "settings", "is_rendered"),
    [
        (", condition: db.enabled", {}, (), True),
        (", condition: 'db.on,db.enabled'", {"db": {"on": True}}, (), False),
        (", condition: db.enabled", {"db": {"enabled": True}}, (), False),
        (", condition: db.enabled", {"db": {"enabled": None}}, (), False),
        (", condition: db.enabled", {}, ("--set", "db.enabled=true"), False),
        (", condition: gone.enabled", {}, (), False),
        (", tags: [store]", {"tags": {"store": False}}, (), True),
        (", tags: [store, other]", {"tags": {"store": False, "other": True}}, (), False),
        ("", {}, (), False),
    ],
)
def test_a_dependency_that_is_switched_off_is_not_needed(
    more: str,
    values: Mapping[str, object],
    settings: tuple[str, ...],
    is_rendered: bool,
    helm: Tool,
    write_tree: WriteTree,
) -> None:
    needing = dependency("db", "https://charts.example.com", more) + "- {name: cache, version: 1.0.0}\n"
    folder = write_tree(
        chart("shop", map=MAP.format("{{ .Chart.Name }}"))
        | chart("shop/charts/cache", map=MAP.format("cache"))
        | {"shop/Chart.yaml": CHART.format("shop") + needing, "shop/values.yaml": "db: {enabled: false}"}
    )
    result = render(release("shop", values, settings=settings), helm, Sources())
    assert isinstance(result, Rendered) is is_rendered
    if isinstance(result, Rendered):
        assert sorted(names(result)) == ["cache", "shop"]
    assert (folder / "shop/Chart.yaml").read_text(encoding="utf-8") == CHART.format("shop") + needing


def test_requirements_of_version_1(write_tree: WriteTree, fake_helm: FakeHelm) -> None:
    write_tree(chart("shop") | {"shop/requirements.yaml": dependency("db", "https://charts.example.com")})
    found = refused(fake_helm("exit 1"), release("shop"))
    assert (found.reason, found.place.document.file.path) == ("dependencies", "shop/requirements.yaml")


def test_a_chart_that_holds_itself(write_tree: WriteTree, fake_helm: FakeHelm) -> None:
    folder = write_tree(chart("shop", map=MAP.format("a")))
    (folder / "shop/charts").mkdir()
    (folder / "shop/charts/shop").symlink_to("../../shop")
    assert "leads to a folder that holds it" in refused(fake_helm("exit 0"), release("shop")).message
    itself = CHART.format("loop") + dependency("loop", "file://.")
    write_tree({"loop/Chart.yaml": itself})
    assert refused(fake_helm("exit 0"), release("loop")).reason == "dependencies"


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason", "said", "at"),
    [
        ("a: b\nc: {{ if }}", "syntax", "missing value for if", 2),
        ("a: {{ nonsense }}", "syntax", 'function "nonsense" not defined', 1),
        ('a: b\nc: {{ required "the host is needed" .Values.host }}', "values", "the host is needed", 2),
        ('\n\na: {{ fail "set either\n b or c" }}', "syntax", "unterminated quoted string", 3),
        ("a: {{ .Values.a.b.c }}", "values", "nil pointer evaluating interface {}.b", 1),
        ('a: {{ include "gone" . }}', "values", 'no template "gone"', 1),
        ("a: b\n c: d", "values", "error converting YAML to JSON", 1),
    ],
)
def test_what_helm_says_stands_at_the_template(
    text: str, reason: str, said: str, at: int, helm: Tool, write_tree: WriteTree
) -> None:
    write_tree(chart("shop", map=text))
    found = refused(helm, release("shop"))
    assert (found.reason, line(found)) == (reason, ("shop/templates/map.yaml", at))
    assert said in found.message
    assert found.message.startswith("helm could not render shop: ")
    assert "\n" not in found.message
    assert "--debug" not in found.message


def test_what_the_chart_itself_lacks(helm: Tool, write_tree: WriteTree) -> None:
    write_tree(
        chart("listed", map=MAP.format("a"))
        | chart("narrow", map=MAP.format("a"))
        | chart("new", map=MAP.format("a"))
        | {
            "listed/values.yaml": "- a",
            "narrow/values.schema.json": '{"required": ["host"]}',
            "new/Chart.yaml": CHART.format("new") + 'kubeVersion: ">=1.99"\n',
        }
    )
    listed, narrow, new = (refused(helm, release(name)) for name in ("listed", "narrow", "new"))
    assert (listed.reason, line(listed)) == ("syntax", ("listed/values.yaml", 1))
    assert (narrow.reason, narrow.place.document.file.path) == ("values", "narrow/Chart.yaml")
    assert "host" in narrow.message
    assert "requires kubeVersion: >=1.99" in new.message


def test_no_helm(write_tree: WriteTree) -> None:
    write_tree(chart("shop"))
    found = refused(None, release("shop"))
    assert found.reason == "tool"
    assert "helm is not on PATH" in found.message


@pytest.mark.parametrize(
    ("script", "reason", "said"),
    [
        ("echo 'Error: unknown flag: --skip-tests' >&2; exit 1", "tool", "too old"),
        ("sleep 60", "failed", "took longer than 1 seconds"),
        ("exec yes", "failed", "wrote more than 1 MiB"),
        ("yes >&2 | head -c 100000000", "failed", "took longer"),
        ("kill -9 $$", "failed", "status -9"),
        ("echo nonsense >&2; exit 3", "failed", "nonsense"),
        ("exit 3", "failed", "ended with status 3"),
    ],
)
def test_a_helm_that_fails(script: str, reason: str, said: str, fake_helm: FakeHelm, write_tree: WriteTree) -> None:
    write_tree(chart("shop"))
    found = refused(fake_helm(script), release("shop", limits=Limits(1.0, 1024**2)))
    assert (found.reason, found.place.document.file.path) == (reason, "shop/Chart.yaml")
    assert said in found.message


def test_the_last_of_much_that_helm_says_counts(fake_helm: FakeHelm, write_tree: WriteTree) -> None:
    write_tree(chart("shop"))
    script = "yes 'level=INFO msg=link' | head -c 200000 >&2; echo 'Error: execution error at (x): no host' >&2; exit 1"
    assert "no host" in refused(fake_helm(script), release("shop")).message


@pytest.mark.parametrize(
    "more", [{"name": "--post-renderer=x"}, {"name": "Upper"}, {"name": ""}, {"namespace": "a b"}, {"namespace": "-x"}]
)
def test_names_that_are_none_are_given_to_nobody(
    more: Mapping[str, str], fake_helm: FakeHelm, write_tree: WriteTree
) -> None:
    write_tree(chart("shop"))
    found = refused(fake_helm("echo 'kind: A'"), release("shop", **more))
    assert (found.reason, "helm takes no" in found.message) == ("values", True)


def test_a_linked_template_is_read_and_one_that_leads_nowhere_is_told(helm: Tool, write_tree: WriteTree) -> None:
    folder = write_tree(chart("shop") | {"shared/map.yaml": MAP.format("shared")})
    (folder / "shop/templates").mkdir()
    (folder / "shop/templates/map.yaml").symlink_to("../../shared/map.yaml")
    assert names(rendered(helm, release("shop"))) == ["shared"]
    (folder / "shop/templates/gone.yaml").symlink_to("nowhere")
    assert "gone.yaml" in refused(helm, release("shop")).message


def test_an_archive_that_climbs_out_or_swells(helm: Tool, write_tree: WriteTree, tmp_path: Path) -> None:
    folder = write_tree(chart("shop") | chart("large"))
    for name, entry, size in (("shop", "../../../out.yaml", 10), ("large", "sub/templates/a.yaml", 200 * 1024**2)):
        (folder / name / "charts").mkdir()
        with tarfile.open(folder / name / "charts/sub-1.0.0.tgz", "w:gz", compresslevel=1) as archive:
            for path, length in (("sub/Chart.yaml", 0), (entry, size)):
                info = tarfile.TarInfo(path)
                info.size = length or len(CHART.format("sub"))
                archive.addfile(info, io.BytesIO(b" " * length if length else CHART.format("sub").encode()))
    for name in ("shop", "large"):
        assert refused(helm, release(name)).reason in ("values", "failed")
    assert not list(tmp_path.rglob("out.yaml"))
