"""Properties of the load stage that hold for any input."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml.cyaml import CParser as RuamelParser
from yaml._yaml import CParser as PyYAMLParser

from ingress_lint.graph.labels import LabelIndex, selects
from ingress_lint.load.composing import Constructor, compose, composer
from ingress_lint.load.document import Document, Place, SourceFile
from ingress_lint.load.faults import YAMLError
from ingress_lint.load.files import Found, UnreadableError, decode
from ingress_lint.load.loading import Loader
from ingress_lint.load.positions import Locator
from ingress_lint.objects.kinds import wanted
from ingress_lint.objects.model import LabelSelector, LabelSelectorRequirement
from tests.conftest import FIXTURES

_TAG = re.compile(r"!\S*\s+\Z")
READERS = {"PyYAML": composer(PyYAMLParser), "ruamel.yaml": composer(RuamelParser)}
CASES = os.environ.get("INGRESS_LINT_CASES")
FOLDERS = [FIXTURES, *([Path(CASES)] if CASES else [])]
FILES = sorted(path for folder in FOLDERS for path in folder.rglob("*.yaml"))

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn", "Co"]), max_size=30)
WORDS = st.sampled_from(
    ["on", "yes", "0777", "1e3", "null", "~", "", "0x1F", "a: b", "- a", "#", "'", '"', "é", " x ", "a\nb"]
)
SCALARS = TEXT | WORDS | st.integers(-(2**40), 2**40) | st.booleans() | st.none() | st.floats(-60_000, 60_000, width=16)
KEYS = (TEXT | WORDS).filter(lambda key: key != "<<")
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
BLOCKS = ("|", ">")
"""Styles whose scalars cannot be read alone: their indentation belongs to the parent."""
STYLES = st.fixed_dictionaries(
    {
        "default_flow_style": st.sampled_from([True, False, None]),
        "default_style": st.sampled_from([None, "'", '"', "|", ">"]),
        "indent": st.sampled_from([2, 4, 8]),
        "width": st.sampled_from([20, 80, 10_000]),
        "allow_unicode": st.booleans(),
    }
)


def read(reader: str, text: str) -> Any:
    return Constructor().construct(compose(READERS[reader], text), aliased=True)


def leaves(value: Any, pointer: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*pointer, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*pointer, index))
    else:
        yield pointer, value


def dump(tree: Any, style: dict[str, Any]) -> str:
    return yaml.dump(tree, **style)


@given(st.binary(max_size=400))
def test_any_bytes_are_text_or_refused(data: bytes) -> None:
    with suppress(UnreadableError):
        assert isinstance(decode(data), str)


@settings(max_examples=300)
@given(
    st.binary(max_size=200)
    | st.text(st.sampled_from("abk:-#{}[]&*!|>'\"%@`~?, \n\t\r\0\x85\u2028\ufeffé"), max_size=60)
)
def test_any_file_loads(tmp_path: Path, content: bytes | str) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    file = tmp_path / "any.yaml"
    file.write_bytes(b"apiVersion: v1\nkind: Service\n" + data)
    loader = Loader(wanted)
    loader.read(Found.at(os.fspath(file), named=True))
    locator = Locator()
    for problem in loader.loaded.problems:
        assert problem.message
        location = locator.locate(problem.place)
        assert (location.line, location.column) >= (1, 1)
        assert (location.end_line, location.end_column) >= (location.line, location.column)


@settings(max_examples=300)
@given(TREES, STYLES)
def test_both_readers_read_the_same(tree: Any, style: dict[str, Any]) -> None:
    text = dump({"root": tree}, style)
    first = read("PyYAML", text)
    try:
        second = read("ruamel.yaml", text)
    except YAMLError:
        return  # its older libyaml refuses some plain scalars in flow style
    assert json.dumps(first) == json.dumps(second)


@settings(max_examples=300)
@given(
    TREES,
    STYLES.filter(lambda style: style["default_style"] not in BLOCKS),
    st.sampled_from(["", "# before\n---\n", "é: ü\n---\n"]),
)
def test_every_scalar_is_where_it_is_said_to_be(tree: Any, style: dict[str, Any], before: str) -> None:
    text = dump({"root": tree}, style)
    file = SourceFile("a.yaml", before + text + "---\nlast: 1\n")
    document = Document(file, 0, len(before), len(before) + len(text), parsed=True)
    value = read("PyYAML", text)
    locator = Locator()
    for pointer, leaf in leaves(value):
        if any(not step for step in pointer if isinstance(step, str)):
            continue
        start, end = locator.span(Place(document, pointer, "value"))
        shown = file.text[start:end]
        if _TAG.search(file.text[:start]):
            continue  # the value is said to be after its tag
        if leaf is None and not shown.strip("~"):
            continue
        if leaf is None and shown not in ("null", "~", "Null", "NULL"):
            continue  # an empty value is shown by its key
        if "\n" in shown and shown[0] not in "'\"":
            shown = " ".join(line.strip() for line in shown.split("\n"))
        if leaf == "" and shown not in ("''", '""'):
            continue
        assert read("PyYAML", f"- {shown}\n") == [leaf]


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-4:]))
def test_both_readers_read_real_files_the_same(path: Path) -> None:
    loader = Loader(lambda _kind, _text: True)
    loader.read(Found.at(os.fspath(path), named=True))
    for document in loader.loaded.documents:
        if document.value is None or document.template_language:
            continue
        assert read("PyYAML", document.text) == document.value
        try:
            assert read("ruamel.yaml", document.text) == document.value
        except YAMLError:
            assert Locator().span(Place(document, ("kind",))) != (document.start, document.start)


LABELS = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2", ""]), max_size=3)
REQUIREMENTS = st.builds(
    LabelSelectorRequirement,
    key=st.sampled_from("abc"),
    operator=st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
    values=st.lists(st.sampled_from(["1", "2", ""]), max_size=2).map(tuple),
)


@given(LABELS, st.lists(REQUIREMENTS, max_size=3), LABELS)
def test_selectors_follow_the_definition(
    terms: dict[str, str], requirements: list[Any], labels: dict[str, str]
) -> None:
    selector = LabelSelector(match_labels=terms, match_expressions=tuple(requirements))
    expected = all(key in labels and labels[key] == value for key, value in terms.items())
    for requirement in requirements:
        present = requirement.key in labels
        within = present and labels[requirement.key] in requirement.values
        expected &= {
            "In": within,
            "NotIn": not within,
            "Exists": present,
            "DoesNotExist": not present,
        }[requirement.operator]
    assert selects(selector, labels) == expected


@given(st.lists(LABELS, max_size=8), LABELS)
def test_the_index_finds_what_comparing_finds(carriers: list[dict[str, str]], wanted_labels: dict[str, str]) -> None:
    index = LabelIndex((labels, number) for number, labels in enumerate(carriers))
    expected = [number for number, labels in enumerate(carriers) if wanted_labels.items() <= labels.items()]
    assert index.matching(wanted_labels) == expected
