from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ingress_lint.build.kustomize import Built, Overlay, Root, Unbuilt, build
from ingress_lint.build.running import Limits, Output, run
from ingress_lint.build.sources import Sources
from ingress_lint.build.tools import Tool
from ingress_lint.load.document import Document, SourceFile

from .conftest import WriteTree

SERVICE = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  ports:\n  - port: 80\n"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n"


def built(root: Root, tool: Tool | None) -> Built:
    result = build(root, tool, Sources())
    assert isinstance(result, Built), result
    return result


def unbuilt(root: Root, tool: Tool | None) -> Unbuilt:
    result = build(root, tool, Sources())
    assert isinstance(result, Unbuilt)
    return result


def program(folder: Path, code: str) -> Tool:
    path = folder / "kustomize.py"
    path.write_text(code, encoding="utf-8")
    return Tool(str(path), (sys.executable, str(path)), ())


def test_build(kustomize: Tool, write_tree: WriteTree) -> None:
    write_tree(
        {
            "overlay/kustomization.yaml": "namePrefix: a-\nnamespace: shop\nresources: [../base]",
            "base/kustomization.yaml": "resources: [web.yaml]",
            "base/web.yaml": SERVICE,
        }
    )
    result = built(Root("overlay"), kustomize)
    assert result.file.path == "overlay (built)"
    assert [document.value["metadata"] for document in result.documents] == [{"name": "a-web", "namespace": "shop"}]


def test_the_output_is_the_tools_own(kustomize: Tool, write_tree: WriteTree) -> None:
    options = "sortOptions: {order: fifo}\nbuildMetadata: [managedByLabel]\n"
    folder = write_tree(
        {"kustomization.yaml": f"{options}resources: [web.yaml, map.yaml]", "web.yaml": SERVICE, "map.yaml": MAP}
    )
    own = run((*kustomize.build, "."), str(folder), Limits())
    assert isinstance(own, Output)
    result = built(Root("."), kustomize)
    assert result.file.text == own.stdout
    assert [document.kind for document in result.documents] == ["Service", "ConfigMap"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"kustomization.yaml": "resources: [gone.yaml]"}, "gone.yaml"),
        ({"kustomization.yaml": "resources: [.]"}, "cycle"),
        ({"kustomization.yaml": "resources: [b]", "b/kustomization.yaml": "resources: [..]"}, "cycle"),
        ({"kustomization.yaml": "resources: [{"}, "YAML"),
        ({"kustomization.yaml": "unknownField: 1\nresources: [web.yaml]", "web.yaml": SERVICE}, "unknownField"),
        ({"kustomization.yaml": "resources: [web.yaml]", "web.yaml": "kind: [a"}, "web.yaml"),
        ({"web.yaml": SERVICE}, "kustomization"),
    ],
)
def test_failures(files: dict[str, str], words: str, kustomize: Tool, write_tree: WriteTree) -> None:
    folder = write_tree(files)
    result = unbuilt(Root(str(folder)), kustomize)
    assert result.reason == ("syntax" if words == "YAML" else "failed")
    assert words in result.message
    assert "\n" not in result.message
    assert result.stderr or result.reason == "syntax"
    assert result.place.document.file.path.endswith("kustomization.yaml")


def test_a_failure_stands_at_the_path_that_leads_nowhere(kustomize: Tool, write_tree: WriteTree) -> None:
    write_tree({"app/kustomization.yaml": "resources: [../base]", "base/kustomization.yaml": "resources: [gone.yaml]"})
    place = unbuilt(Root("app"), kustomize).place
    assert (place.document.file.path, place.pointer) == ("base/kustomization.yaml", ("resources", 0))


def test_a_loop_of_links(kustomize: Tool, write_tree: WriteTree) -> None:
    folder = write_tree({"a/kustomization.yaml": "resources: [loop]"})
    (folder / "a/loop").symlink_to(folder / "a/loop")
    (folder / "kustomization.yaml").symlink_to(folder / "kustomization.yaml")
    assert unbuilt(Root("a"), kustomize).reason == "failed"
    assert unbuilt(Root("."), kustomize).reason == "failed"


def test_a_tool_that_hangs(write_tree: WriteTree, tmp_path: Path) -> None:
    write_tree({"kustomization.yaml": "namespace: a"})
    start = time.monotonic()
    tool = program(tmp_path, "import time; time.sleep(60)")
    result = unbuilt(Root(".", limits=Limits(seconds=0.5)), tool)
    assert (result.reason, "took longer than 0.5 seconds" in result.message) == ("failed", True)
    assert time.monotonic() - start < 10


def test_a_tool_that_floods(write_tree: WriteTree, tmp_path: Path) -> None:
    write_tree({"kustomization.yaml": "namespace: a"})
    tool = program(tmp_path, "while True: print('a: b' * 1000)")
    result = unbuilt(Root(".", limits=Limits(output_bytes=1024 * 1024)), tool)
    assert (result.reason, "wrote more than 1 MiB" in result.message) == ("failed", True)


def test_obstacles_are_told_before_anything_is_run(write_tree: WriteTree, tmp_path: Path) -> None:
    write_tree({"kustomization.yaml": "resources:\n- https://git.example.org/a//b?ref=v1\n"})
    mark = tmp_path / "mark"
    result = unbuilt(Root("."), program(tmp_path, f"open({str(mark)!r}, 'w')"))
    assert (result.reason, result.place.pointer) == ("network", ("resources", 0))
    assert "https://git.example.org/a//b?ref=v1" in result.message
    assert not mark.exists()


def test_files_outside_only_where_asked_for(kustomize: Tool, write_tree: WriteTree) -> None:
    write_tree({"app/kustomization.yaml": "resources: [../web.yaml]", "web.yaml": SERVICE})
    assert "not in or below" in unbuilt(Root("app"), kustomize).message
    assert len(built(Root("app", unrestricted=True), kustomize).documents) == 1


@pytest.mark.parametrize(
    ("kustomization", "reason"),
    [
        ("resources: [web.yaml, base]", None),
        ("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [web.yaml, base]", None),
        ("namespace: a\nresources: [web.yaml]", "tool"),
        ("resources: [web.yaml, gone.yaml]", "tool"),
        ("resources: [web.yaml, ../outside.yaml]", "tool"),
        ("resources: [web.yaml, broken.yaml]", "tool"),
        ("resources: ['https://example.org/a.yaml']", "network"),
    ],
)
def test_without_a_tool(kustomization: str, reason: str | None, kustomize: Tool, write_tree: WriteTree) -> None:
    write_tree(
        {
            "app/kustomization.yaml": kustomization,
            "app/web.yaml": SERVICE,
            "app/broken.yaml": "kind: [a",
            "app/base/kustomization.yaml": "resources: [map.yaml]",
            "app/base/map.yaml": f"# a comment\n---\n{MAP}",
            "outside.yaml": MAP,
        }
    )
    result = build(Root("app"), None, Sources())
    if isinstance(result, Unbuilt):
        assert result.reason == reason
        assert reason != "tool" or "brew install kustomize" in result.message
    else:
        assert reason is None
        with_it = built(Root("app"), kustomize)
        assert sorted(map(str, values(result))) == sorted(map(str, values(with_it)))


def test_overlay(kustomize: Tool, write_tree: WriteTree) -> None:
    folder = write_tree(
        {
            "app/kustomization.yaml": "resources: [web.yaml]",
            "app/web.yaml": SERVICE,
            "component/kustomization.yaml": "kind: Component\nresources: [map.yaml]",
            "component/map.yaml": MAP,
        }
    )
    document = Document(SourceFile("flux.yaml", ""), 0, 0, 0)
    fields = {"namespace": "shop", "namePrefix": "a-", "components": [str(folder / "component")]}
    result = built(Root("app", Overlay(document, fields)), kustomize)
    assert sorted(value["metadata"]["name"] for value in values(result)) == ["a-settings", "a-web"]
    assert {value["metadata"]["namespace"] for value in values(result)} == {"shop"}


def test_overlay_of_files_alone(kustomize: Tool, write_tree: WriteTree) -> None:
    folder = write_tree({"app/web.yaml": SERVICE})
    fields = {"resources": [str(folder / "app/web.yaml")], "namespace": "shop"}
    overlay = Overlay(Document(SourceFile("flux.yaml", ""), 0, 0, 0), fields)
    result = built(Root("app", overlay, unrestricted=True), kustomize)
    assert [value["metadata"]["namespace"] for value in values(result)] == ["shop"]


def test_a_failing_overlay_names_no_folder_of_ours(kustomize: Tool, write_tree: WriteTree) -> None:
    write_tree({"app/kustomization.yaml": "resources: [web.yaml]", "app/web.yaml": SERVICE})
    fields = {
        "patches": [{"target": {"kind": "Service"}, "patch": '[{"op": "remove", "path": "/gone"}]'}],
        "crds": ["no"],
    }
    flux = Document(SourceFile("flux.yaml", ""), 0, 0, 0)
    first, second = (unbuilt(Root("app", Overlay(flux, fields)), kustomize) for _ in range(2))
    assert first.place.document is flux
    assert (first.message, first.stderr) == (second.message, second.stderr)
    assert "ingress-lint-" not in first.stderr


def test_what_a_base_lacks_is_said_alike_of_all_that_include_it(kustomize: Tool, write_tree: WriteTree) -> None:
    write_tree(
        {
            "base/kustomization.yaml": "resources: [gone.yaml]",
            "near/kustomization.yaml": "resources: [../base]",
            "a/much/longer/path/kustomization.yaml": "resources: [../../../../base]",
        }
    )
    near, far = (unbuilt(Root(path), kustomize) for path in ("near", "a/much/longer/path"))
    assert (near.message, near.place.pointer) == (far.message, far.place.pointer)
    assert near.place.document.file.path == far.place.document.file.path == "base/kustomization.yaml"
    assert "could not build base: " in near.message


def test_what_the_tool_says_is_cut_short(write_tree: WriteTree, tmp_path: Path) -> None:
    write_tree({"kustomization.yaml": "namespace: a"})
    code = "import sys; sys.exit('# Warning: old\\nError: ' + 'long ' * 1000 + '\\nusage')"
    result = unbuilt(Root("."), program(tmp_path, code))
    assert "could not build .: long long" in result.message
    assert len(result.message) < 600
    assert len(result.stderr) > 5000


def test_charts_are_not_its_own_business(write_tree: WriteTree, tmp_path: Path) -> None:
    write_tree({"kustomization.yaml": "helmCharts: [{name: web}]\nresources: [https://example.org/a.yaml]"})
    tool = program(tmp_path, "")
    assert unbuilt(Root("."), tool).reason == "network"
    result = unbuilt(Root(".", network=True), tool)
    assert (result.reason, result.message) == ("charts", "it inflates the chart web")


def test_a_schema_of_its_own_holds_around_it_too(kustomize: Tool, write_tree: WriteTree) -> None:
    key = {"x-kubernetes-patch-merge-key": "id", "x-kubernetes-patch-strategy": "merge"}
    kind = {"group": "example.com", "kind": "Lamp", "version": "v1"}
    items = {"type": "array", "items": {"type": "object"}, **key}
    schema: dict[str, Any] = {
        "definitions": {
            "Lamp": {
                "type": "object",
                "properties": {"bulbs": items},
                "x-kubernetes-group-version-kind": [kind],
            }
        }
    }
    lamp = "apiVersion: example.com/v1\nkind: Lamp\nmetadata: {name: a}\nbulbs:\n"
    write_tree(
        {
            "kustomization.yaml": "openapi: {path: schema.json}\nresources: [lamp.yaml]\npatches: [{path: patch.yaml}]",
            "schema.json": str(schema).replace("'", '"'),
            "lamp.yaml": lamp + "- {id: 1, watts: 5}\n- {id: 2, watts: 6}\n",
            "patch.yaml": lamp + "- {id: 2, watts: 7}\n",
        }
    )
    alone = built(Root("."), kustomize)
    around = built(Root(".", Overlay(Document(SourceFile("flux.yaml", ""), 0, 0, 0), {})), kustomize)
    assert len(values(alone)[0]["bulbs"]) == 2
    assert values(around) == values(alone)


def values(result: Built) -> list[dict[str, Any]]:
    return [document.value for document in result.documents]
