"""Documents that go-yaml reads otherwise than PyYAML does; the values are those that sigs.k8s.io/yaml v1.4.0 gave."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ingress_lint.engine import check, read
from ingress_lint.load.composing import MAX_DEPTH
from ingress_lint.load.document import Document, Place, SourceFile
from ingress_lint.load.faults import YAMLError
from ingress_lint.load.positions import Locator
from ingress_lint.load.splitting import split
from ingress_lint.load.values import ValueReader
from ingress_lint.manifests import Options
from ingress_lint.packs import load_rules


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: &p 1\nb: *p\nc: &p 2\nd: *p\n", {"a": 1, "b": 1, "c": 2, "d": 2}),
        ("a: &p {x: &p 1}\nb: *p\n", {"a": {"x": 1}, "b": 1}),
        ("a: &p \"1\"\nb: &p |\n  x\nc: *p\nd: !!str 1\n", {"a": "1", "b": "x\n", "c": "x\n", "d": "1"}),
        ("x: &x {a: 1, b: 2}\nz:\n  a: 9\n  <<: *x\n", {"x": {"a": 1, "b": 2}, "z": {"a": 1, "b": 2}}),
        ("x: &x {a: 1, b: 2}\nz:\n  <<: *x\n  a: 9\n", {"x": {"a": 1, "b": 2}, "z": {"a": 9, "b": 2}}),
        ('x: &x {a: 1}\nz:\n  "<<": *x\n', {"x": {"a": 1}, "z": {"<<": {"a": 1}}}),
        ("x: &x {a: 1}\nw: &w {b: 2}\nz:\n  <<: *x\n  <<: *w\n", {"x": {"a": 1}, "w": {"b": 2}, "z": {"a": 1, "b": 2}}),
        ("x: &x {a: 1, b: 2}\nw: &w {a: 3}\nz:\n  <<: [*w, *x]\n", {"x": {"a": 1, "b": 2}, "w": {"a": 3}, "z": {"a": 3, "b": 2}}),
        ("a: [1,\n\t2]\nb: {\n\tx: 1}\n", {"a": [1, 2], "b": {"x": 1}}),
        ("a:\t1\nb: 2\t\n", {"a": 1, "b": 2}),
        ("%YAML 1.1\n---\na: 1\n", {"a": 1}),
        ("# only a comment\n", None),
    ],
)  # fmt: skip
def test_values(text: str, value: Any) -> None:
    assert ValueReader().read(text)[0] == value


@pytest.mark.parametrize(
    "text",
    [
        "a: &p 1\nb: &p 2\nc: *q\n",
        "a: &p 1\nb: &p\n  c: *p\n",
        "a: &p 1\nb: &p " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
        "a: &p 1\nb: &p 2\nc: [\n",
        "a: 1\n\t\nb: 2\n",
        "a:\n\tb: 1\n",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(YAMLError):
        ValueReader().read(text)


def documents(text: str) -> list[str]:
    found = split(SourceFile("a.json", text), True, lambda _kind, _text: True)
    return [document.text for document in found]


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ('{"kind":"A"}\n{"kind":"B"}\n', ['{"kind":"A"}', '{"kind":"B"}']),
        ('{"kind":"A"}{"kind":"B"}', ['{"kind":"A"}', '{"kind":"B"}']),
        ('{\n "kind": "A"\n}\n\n {\n "kind": "B"\n}', ['{\n "kind": "A"\n}', '{\n "kind": "B"\n}']),
        ('{"kind":"A", "a": "} {"}', ['{"kind":"A", "a": "} {"}']),
        ('---\n{"kind":"A"}\n{"kind":"B"}\n---\n{"kind":"C"}', ['{"kind":"A"}', '{"kind":"B"}', '{"kind":"C"}']),
        ('{"kind":"A"}\n{"kind": nothing}\n', ['{"kind":"A"}\n{"kind": nothing}\n']),
        ('{"a":' * 100_000 + '{} {"kind":', ['{"a":' * 100_000 + '{} {"kind":']),
    ],
)
def test_streams_of_json(text: str, texts: list[str]) -> None:
    assert documents(text) == texts


def test_places_behind_a_repeated_anchor() -> None:
    text = "a: &p 1\nb: &p 2\nc:\n  - {d: *p, e: x}\n"
    document = Document(SourceFile("a.yaml", text), 0, 0, len(text), parsed=True)
    location = Locator().locate(Place(document, ("c", 0, "e")))
    assert (location.line, location.column, location.end_column) == (4, 16, 17)


def test_place_of_what_a_later_merge_key_gives() -> None:
    text = "x: &x {a: 1}\ny:\n  a: 9\n  <<: *x\n"
    document = Document(SourceFile("a.yaml", text), 0, 0, len(text), parsed=True)
    assert Locator().locate(Place(document, ("y", "a"))).line == 1


def test_objects_of_a_stream_are_found_with_their_faults(tmp_path: Path) -> None:
    service = '{"apiVersion":"v1","kind":"Service","metadata":{"name":"%s"},"spec":{"ports":[{"port":%s}]}}'
    file = tmp_path / "all.json"
    file.write_text("\n".join(service % pair for pair in (("a", "80"), ("b", '"80"'), ("c", "80"))))
    report = check(Options(paths=[os.fspath(file)]), load_rules())
    assert [(finding.code, finding.location.line) for finding in report.findings] == [("IL002", 2)]
    assert report.summary.objects == 3


def test_directives_are_no_document(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("%YAML 1.1\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n")
    manifests = read(Options(paths=[os.fspath(tmp_path)]))
    assert [item.name for held in manifests.sets for item in held.graph.objects] == ["web"]
