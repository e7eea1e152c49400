"""What nobody can know from the manifests: encrypted and binary files, templates and placeholders; counted, and silent."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ingress_lint.__main__ import main
from ingress_lint.engine import check, read
from ingress_lint.graph.resolution import Existence
from ingress_lint.load.document import Document, Place, SourceFile
from ingress_lint.load.unknown import is_unknown, unknown_values
from ingress_lint.load.values import ValueReader
from ingress_lint.manifests import Manifests, Options
from ingress_lint.objects.group_kind import SECRET, SERVICE
from ingress_lint.packs import load_rules

SERVICE_TEXT = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"
INGRESS = (
    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: shop}\nspec:\n  ingressClassName: nginx\n"
    "  rules: [{host: a.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: "
    "{name: %s, port: {number: %s}}}}]}}]\n"
)
JINJA = "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ app }}\nspec:\n{% for p in ports %}\n  - {{ p }}\n{% endfor %}\n"
GIT_CRYPT = b"\0GITCRYPT\0\x01\x02\xff"


def manifests(folder: Path, **files: str | bytes) -> Manifests:
    for name, content in files.items():
        (folder / f"{name}.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(Options(paths=[os.fspath(folder)]))


def place(text: str, *pointer: str | int, **options: Any) -> Place:
    value, _ = ValueReader().read(text)
    return Place(Document(SourceFile("a.yaml", text), 0, 0, len(text), value=value), pointer, **options)


def test_what_is_not_known() -> None:
    text = (
        "a: {b: [{name: $APP, port: 1}, {name: web}], c: '${X}'}\n"
        "data: {x: '${X}', z: 'ENC[AES256_GCM,data:A]'}\nspec: {host: '<host>'}\n"
        "metadata: {annotations: {'x/server-snippet': 'return ${Y};', '${K}': v}}\n"
    )
    assert is_unknown(place(text, "a", "b", 0, "name"))
    assert not is_unknown(place(text, "a", "b", 0))
    assert is_unknown(place(text, "a", "b", 0), parts=True)
    assert not is_unknown(place(text, "a", "b", 1), parts=True)
    assert not is_unknown(place(text, "spec"), parts=True)
    assert not is_unknown(place(text, "data", "x"))
    assert is_unknown(place(text, "data", "z"))
    assert not is_unknown(place(text, "metadata", "annotations", "x/server-snippet"))
    assert is_unknown(place(text, "metadata", "annotations", "${K}", part="key"))
    assert not is_unknown(place(text, "a", "c", part="key"))
    assert not is_unknown(place(text, "nowhere", 7))
    assert is_unknown(place(text, "data", "x").inside("${X}")), "a passage of a text"
    value, _ = ValueReader().read(text)
    assert len(list(unknown_values(value))) == 4


def test_the_rest_of_an_object_is_read(tmp_path: Path) -> None:
    found = manifests(tmp_path, a=INGRESS % ("web", "'${PORT}'"), b=SERVICE_TEXT)
    ((route,),) = (held.routes for held in found.sets)
    assert not found.problems
    assert found.placeholders == 1
    assert [backend.service.existence for backend in route.all_backends] == [Existence.FOUND]


def test_an_object_whose_item_is_not_known_is_there_and_unknown(tmp_path: Path) -> None:
    found = manifests(tmp_path, a=SERVICE_TEXT.replace("port: 80", "port: '${PORT}'"))
    resolution = found.sets[0].graph.resolve(SERVICE, "default", "web")
    assert (found.problems, resolution.existence) == ([], Existence.EXTERNAL)


@pytest.mark.parametrize(
    ("name", "wanted", "existence"),
    [
        ("${APP}", "${APP}", Existence.FOUND),
        ("${APP}", "web", Existence.EXTERNAL),
        ("${APP}-web", "shop-web", Existence.EXTERNAL),
        ("${APP}-web", "shop-api", Existence.MISSING),
        ("web", "${APP}", Existence.EXTERNAL),
    ],
)
def test_names_that_are_not_known(tmp_path: Path, name: str, wanted: str, existence: Existence) -> None:
    found = manifests(tmp_path, a=SERVICE_TEXT.replace("name: web", f"name: '{name}'"))
    assert found.sets[0].graph.resolve(SERVICE, "default", wanted).existence is existence


def test_a_template_is_there_and_unknown(tmp_path: Path) -> None:
    found = manifests(tmp_path, a=JINJA, b=SERVICE_TEXT)
    assert not found.problems
    assert [os.path.basename(file) for file in found.loaded.templates] == ["a.yaml"]
    graph = found.sets[0].graph
    assert [item.broken for item in graph.objects] == [True, False]
    assert graph.resolve(SERVICE, "default", "gone").existence is Existence.EXTERNAL


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a: b}\ndata: {a: '{{ x }}'}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a: '{{code}}'\n\tb: c\n",
    ],
)
def test_a_fault_beside_what_is_filled_in_is_one(tmp_path: Path, text: str) -> None:
    assert [problem.level for problem in manifests(tmp_path, a=text).problems] == ["error"]


def test_what_cannot_be_read_even_so_may_hold_anything(tmp_path: Path) -> None:
    found = manifests(tmp_path, a="kind: Service\nmetadata:\n {{ if x }} a\n b: {{ y\n", b=SERVICE_TEXT)
    assert found.sets[0].graph.resolve(SERVICE, "default", "gone").existence in (Existence.EXTERNAL, Existence.MISSING)


def test_ytt(tmp_path: Path) -> None:
    text = "#@ load('@ytt:data', 'data')\n" + SERVICE_TEXT.replace("{name: web}", "\n  name: #@ data.values.name")
    assert not manifests(tmp_path, a=text).problems


def test_encrypted_files_are_counted(tmp_path: Path) -> None:
    sops = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: tls}\ntype: kubernetes.io/tls\n"
        "data: {tls.crt: 'ENC[AES256_GCM,data:A,type:str]'}\nsops: {version: 3.9.0}\n"
    )
    found = manifests(tmp_path, a=GIT_CRYPT, b=sops, c=SERVICE_TEXT)
    assert not found.problems
    assert [os.path.basename(file) for file in found.loaded.encrypted] == ["a.yaml", "b.yaml"]
    graph = found.sets[0].graph
    assert graph.resolve(SECRET, "default", "tls").existence is Existence.FOUND
    assert graph.resolve(SECRET, "default", "other").existence is Existence.EXTERNAL
    assert graph.resolve(SERVICE, "default", "other").existence is Existence.MISSING


def test_a_sops_file_hides_no_other_secret(tmp_path: Path) -> None:
    sops = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {x: 'ENC[AES256_GCM,data:A]'}\nsops: {mac: x}\n"
    graph = manifests(tmp_path, a=sops).sets[0].graph
    assert graph.resolve(SECRET, "default", "other").existence is Existence.MISSING


@pytest.mark.parametrize(
    ("name", "content", "on_a_walk", "named"),
    [
        ("a.yaml", GIT_CRYPT, 0, 0),
        ("a.yaml", JINJA.encode(), 0, 0),
        ("a.yaml", b"\x89PNG\0\1", 0, 2),
    ],
    ids=["git-crypt", "Jinja", "binary"],
)
def test_exit_status(tmp_path: Path, name: str, content: bytes, on_a_walk: int, named: int) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "web.yaml").write_text(SERVICE_TEXT)
    for path, status in ((tmp_path, on_a_walk), (tmp_path / name, named)):
        assert CliRunner().invoke(main, ["check", os.fspath(path)]).exit_code == status


def test_verbose_says_what_was_not_judged(tmp_path: Path) -> None:
    manifests(
        tmp_path,
        a=GIT_CRYPT,
        b=JINJA,
        c=b"\x89PNG\0\1",
        d=INGRESS % ("'${A}'", "'${B}'"),
        e="apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: shop}\nspec: {host: a.example.com}\n",
    )
    accounts = check(Options(paths=[os.fspath(tmp_path)]), load_rules()).accounts
    for words in (
        "2 values unknown (placeholders)",
        "1 file encrypted: ",
        "1 file not rendered: ",
        "1 file binary: ",
        "1 object of routing kinds that ingress-lint does not read: 1 Route (route.openshift.io)",
    ):
        assert any(line.startswith(words) for line in accounts), words
