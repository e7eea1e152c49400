"""The outline of a plain text has the nodes and the marks that ruamel.yaml gives, and so each place the same span."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml.cyaml import CParser as RuamelParser
from yaml._yaml import CParser as PyYAMLParser

from ingress_lint.load import composing
from ingress_lint.load.composing import compose, composer
from ingress_lint.load.document import Document, Place, Pointer, SourceFile
from ingress_lint.load.faults import YAMLError
from ingress_lint.load.outline import outline
from ingress_lint.load.plain import NOT_PLAIN, PlainReader
from ingress_lint.load.positions import Locator
from tests.load.test_plain import HEADS, MANIFESTS, PIECES, TAILS, block_scalars, flows, mutated

READER = PlainReader()
COMPOSERS = composer(RuamelParser), composer(PyYAMLParser)


class _NothingPlain:
    def read(self, _text: str) -> Any:
        return NOT_PLAIN


def by_library(text: str) -> Any:
    for composer_class in COMPOSERS:
        try:
            return compose(composer_class, text)
        except YAMLError:
            continue
    raise AssertionError("a plain text that neither library reads")


def as_tuple(node: Any) -> Any:
    marks = [(mark.index, mark.line, mark.column) for mark in (node.start_mark, node.end_mark)]
    if node.id == "scalar":
        return node.id, *marks, node.tag, node.style or "", node.value
    items = node.value if node.id == "sequence" else [part for pair in node.value for part in pair]
    return node.id, *marks, [as_tuple(item) for item in items]


def assert_same(text: str) -> None:
    if READER.read(text) is not NOT_PLAIN:
        assert as_tuple(outline(text)) == as_tuple(by_library(text))


def places(document: Document, value: Any, pointer: Pointer = ()) -> Iterator[Place]:
    for part in ("auto", "key", "value"):
        yield Place(document, pointer, part)  # type: ignore[arg-type]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(document, item, (*pointer, key))
    yield Place(document, (*pointer, "absent"))
    yield Place(document, (*pointer, 99), "value")
    if isinstance(value, str) and value:
        yield Place(document, pointer, inner=value[len(value) // 2 :])
        inner = READER.read(value) if "\n" in value else NOT_PLAIN
        if inner is not NOT_PLAIN:
            yield from (Place(document, pointer, inner=place.pointer) for place in places(document, inner))


def assert_same_spans(text: str, before: str = "") -> None:
    value = READER.read(text)
    if value is NOT_PLAIN:
        return
    document = Document(SourceFile("a.yaml", before + text), 0, len(before), len(before) + len(text))
    plain, library = Locator(), Locator()
    library._plain = _NothingPlain()  # type: ignore[assignment]
    for place in places(document, value):
        assert plain.span(place) == library.span(place), place


@pytest.mark.parametrize("text", MANIFESTS[::3])
def test_manifests(text: str) -> None:
    assert_same(text)
    assert_same_spans(text, "é: 1\n---\n")


@settings(max_examples=300)
@given(mutated)
def test_changed_manifests(text: str) -> None:
    assert_same(text)
    assert_same_spans(text)


@settings(max_examples=500)
@given(block_scalars | st.builds("{}{}{}".format, st.sampled_from(HEADS), flows, st.sampled_from(TAILS)))
def test_values_of_several_lines(text: str) -> None:
    assert_same(text)
    assert_same_spans(text)


@settings(max_examples=500)
@given(st.lists(st.sampled_from(PIECES), max_size=15).map("".join))
def test_indicators_in_any_order(text: str) -> None:
    assert_same(text)


def test_plain_texts_need_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composing, "compose", None)
    text = "a:\n- b: {c: [d]}\n  e: |\n    f: 1\n"
    document = Document(SourceFile("a.yaml", text), 0, 0, len(text))
    locator = Locator()

    def shown(place: Place) -> str:
        start, end = locator.span(place)
        return text[start:end]

    assert shown(Place(document, ("a", 0, "b", "c", 0))) == "d"
    assert shown(Place(document, ("a", 0, "b", "c"))) == "c"
    assert shown(Place(document, ("a", 0, "e"), inner=("f",))) == "1"
    assert locator.locate(Place(document, ("a", 0, "e"), inner=("f",))).line == 4


def test_a_run_on_plain_files_imports_no_library(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [web.yaml]\n")
    (tmp_path / "web.yaml").write_text(
        'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports: [{port: "80"}]\n'
    )
    program = (
        "import sys\nfrom ingress_lint.__main__ import main\n"
        "try:\n    main(['.'])\nexcept SystemExit as end:\n    print(end.code)\n"
        "print([name for name in sys.modules if name in ('yaml', 'ruamel.yaml')])"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "web.yaml:5:18" in run.stdout
    assert run.stdout.endswith("1\n[]\n")
