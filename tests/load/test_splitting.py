"""What kind a document is of, wherever and however its `kind` is written, and what is passed over without being parsed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingress_lint.load.document import Document, SourceFile
from ingress_lint.load.files import Found
from ingress_lint.load.loading import Loader
from ingress_lint.load.splitting import split
from ingress_lint.objects.kinds import wanted

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
SERVICE_FIELDS = "metadata: {name: web}\nspec: {ports: [{port: 80}]}\n"


def loaded(tmp_path: Path, text: str) -> list[Document]:
    file = tmp_path / "a.yaml"
    file.write_text(text, encoding="utf-8")
    loader = Loader(wanted)
    loader.read(Found.at(os.fspath(file)))  # one of a folder, where files are not taken for manifests without reason
    assert not loader.loaded.problems
    return loader.loaded.documents


def kinds(tmp_path: Path, text: str) -> list[str]:
    return [document.value["kind"] for document in loaded(tmp_path, text) if document.value is not None]


SERVICES = {
    "flow": "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {nosuch: 1}}\n",
    "flow without spaces": '{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"}}\n',
    "flow after comments": "# one\n\n  # two\n{apiVersion: v1, kind: Service, metadata: {name: web}}\n",
    "flow over lines": "{\n  apiVersion: v1,\n  metadata: {\n    name: web\n  },\n  kind:\n    Service\n}\n",
    "flow over lines, in single quotes": "{'apiVersion': 'v1',\n'metadata': {'name': 'web'},\n'kind':\n'Service'}\n",
    "complex key": "apiVersion: v1\n? kind\n: Service\nmetadata: {name: web}\n",
    "complex key with a comment": "apiVersion: v1\n? kind # which\n# one\n: Service\n",
    "complex key in flow": "{apiVersion: v1, ? kind : Service}\n",
    "quoted": 'apiVersion: v1\n"kind": "Service"\n' + SERVICE_FIELDS,
    "in single quotes": "apiVersion: v1\n'kind': 'Service'\n" + SERVICE_FIELDS,
    "tag": "apiVersion: v1\nkind: !!str Service\n" + SERVICE_FIELDS,
    "tag of the document": "--- !!map\nkind: Service\napiVersion: v1\n",
    "tag of the key": "apiVersion: v1\n!!str kind: Service\n",
    "escaped": 'apiVersion: v1\n"k\\x69nd": Service\n' + SERVICE_FIELDS,
    "escaped line break": '? "ki\\\n  nd"\n: Service\n',
    "anchor": "apiVersion: v1\nkind: &kind Service\n" + SERVICE_FIELDS,
    "alias as key": "metadata: {annotations: {a: &a kind}}\n*a : Service\n",
    "inherited": "x: &x {kind: Service}\n<<: *x\n",
    "on the next line": "apiVersion: v1\nkind:\n  Service\n" + SERVICE_FIELDS,
    "in a block scalar": "apiVersion: v1\nkind: >-\n  Service\n",
    "after a long value": "apiVersion: v1\nmetadata:\n  annotations:\n    a: |\n"
    + "      x: y\n" * 5_000
    + "kind: Service\n",
    "after a space": "apiVersion: v1\nkind : Service\n",
    "indented": "  apiVersion: v1\n  kind: Service\n",
    "at the end": "apiVersion: v1\nkind: Service",
    "on the line of the separator": "--- {apiVersion: v1, kind: Service, metadata: {name: web}}\n",
    "first a nested one": "apiVersion: v1\nroleRef:\n  kind: ClusterRole\nkind: Service\n",
    "first one in brackets": "roleRef: {a: b,\nkind: ClusterRole\n}\nkind: Service\n",
    "first one in a text": "a: 'x\nkind: Role\n'\nkind: Service\n",
    "windows": "apiVersion: v1\r\nkind: Service\r\n",
}


@pytest.mark.parametrize("text", SERVICES.values(), ids=SERVICES.keys())
def test_a_service_is_found_however_it_is_written(tmp_path: Path, text: str) -> None:
    separator = "" if text.startswith("---") else "---\n"
    assert kinds(tmp_path, text) == ["Service"]
    assert kinds(tmp_path, CONFIG_MAP + separator + text) == ["ConfigMap", "Service"]
    assert kinds(tmp_path, text + "\n---\n" + CONFIG_MAP) == ["Service", "ConfigMap"]


UNREAD = {
    "block": "# Source: x\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role # c\n\n# c\nmetadata: {name: a}\n",
    "quoted": 'kind: "Role"\napiVersion: v1\n',
    "windows": "apiVersion: v1\r\nkind: Role\r\nmetadata:\r\n  name: a\r\n",
    "alone": "kind: Role",
}


@pytest.mark.parametrize("text", UNREAD.values(), ids=UNREAD.keys())
def test_what_nobody_reads_is_not_parsed(tmp_path: Path, text: str) -> None:
    assert [(document.kind, document.parsed) for document in loaded(tmp_path, text + "\nbroken: [")] == [
        ("Role", False)
    ]


UNCERTAIN = {
    "flow": "{kind: Role, apiVersion: v1}\n",
    "json": '{\n  "apiVersion": "v1",\n  "kind": "Role"\n}\n',
    "after quotes": "apiVersion: 'v1'\nkind: Role\n",
    "quoted key": '"kind": Role\n',
    "after other keys": "metadata: {name: a}\nkind: Role\n",
}


@pytest.mark.parametrize("text", UNCERTAIN.values(), ids=UNCERTAIN.keys())
def test_what_nobody_reads_is_passed_over_once_it_is_known(tmp_path: Path, text: str) -> None:
    (document,) = loaded(tmp_path, text)
    assert (document.kind, document.parsed, document.value) == ("Role", False, None)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("kind: Role of mine\nmetadata: {name: a}\n", "Role of mine"),
        ("kind: Role\n  of mine\nmetadata: {name: a}\n", "Role of mine"),
        ("kind: Role#2\n", "Role#2"),
        ("kind: 'Role's'\n".replace("'Role's'", "'Role''s'"), "Role's"),
    ],
)
def test_a_kind_that_begins_like_one_that_nobody_reads(tmp_path: Path, text: str, kind: str) -> None:
    assert kinds(tmp_path, text) == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb:\n  kind: Service\n",
        "- kind: Service\n",
        "[{kind: Service}]\n",
        "{a: {kind: Service}}\n",
        "a: |\n  kind: Service\n",
        "a: 'x\nkind: Service\n'\n",
        "# kind: Service\na: 1\n",
        "# kind: Service\n",
        "akind: Service\n",
        "kind:Service\n",
        "{{ template }}\na: {kind: b}\n",
        "a: [kind: b\n",
        "text of some kind: or other: or\n",
    ],
)
def test_what_has_no_kind_of_its_own_is_no_object(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, text) == []
    assert kinds(tmp_path, text + "\n---\n" + CONFIG_MAP) == ["ConfigMap"]


def test_text_in_a_config_map_is_not_looked_at(tmp_path: Path) -> None:
    text = 'apiVersion: v1\ndata:\n  a: "x\nkind: Role\n  "\nkind: ConfigMap\nmetadata: {name: a}\n'
    assert kinds(tmp_path, text) == ["ConfigMap"]


@pytest.mark.parametrize("second", ["kind: Service", '"kind": Service', "'kind': Service", "? kind\n: Service"])
def test_of_two_kinds_the_later_one_counts(second: str) -> None:
    text = f"kind: Role\nmetadata: {{name: web}}\n{second}\n"
    (document,) = split(SourceFile("a.yaml", text), True, wanted)
    assert (document.kind, document.parsed) == ("", True)


def test_documents_are_numbered_as_they_stand(tmp_path: Path) -> None:
    text = "a: 1\n---\n# nothing\n---\n" + CONFIG_MAP + "---\na: {kind: b}\n---\nkind: Role\n---\n" + CONFIG_MAP
    assert [(document.index, document.kind) for document in loaded(tmp_path, text)] == [
        (1, "ConfigMap"),
        (3, "Role"),
        (4, "ConfigMap"),
    ]
