"""Places in the files that a ConfigMap's keys hold."""

from __future__ import annotations

import pytest

from ingress_lint.load.document import Document, Place, SourceFile
from ingress_lint.load.embedded import parse_embedded
from ingress_lint.load.positions import Locator


def _located(text: str, inner: tuple[str | int, ...] | str) -> str:
    document = Document(SourceFile("x.yaml", text), 0, 0, len(text))
    location = Locator().locate(Place(document, ("data", "file")).inside(inner))
    lines = text.split("\n")
    assert location.pointer == "/data/file"
    if location.line != location.end_line:
        return "\n".join(lines[location.line - 1 : location.end_line])
    return lines[location.line - 1][location.column - 1 : location.end_column - 1]


@pytest.mark.parametrize(
    ("text", "inner", "expected"),
    [
        ('data:\n  file: |\n    {\n      "a": {"MTU": 1500}\n    }\n', ("a", "MTU"), "1500"),
        ("data:\n  file: |-\n    a:\n      - b: 1h\n", ("a", 0, "b"), "1h"),
        ("data:\n  file: |2 # indented by hand\n      a: 1\n", ("a",), "1"),
        ("data:\n  file: |\n\n    # first\n\n    a: {b: no}\n", ("a", "b"), "no"),
        ("data:\r\n  file: |\r\n    a: 1\r\n    b: 20\r\n", ("b",), "20"),
        ("data:\n  file: |\n    a:\n      b: 1\n", ("a",), "a"),
        ('data:\n  file: "a: 1"\n', ("a",), '"a: 1"'),
        ('data:\n  file: "{\\"a\\": 1}"\n', ("a",), '"{\\"a\\": 1}"'),
        ("data:\n  file: plain\n", ("a",), "plain"),
        ("data:\n  file: |\n    set -e\n    sysctl -w x=1\n", "x=1", "x=1"),
        ("data:\n  file: |\n    a: 1\n", ("missing",), "  file: |\n    a: 1\n"),
        ("data:\n  file: |\n    a: [1\n", ("a",), "  file: |\n    a: [1\n"),
        ("data:\n  file: >\n    a:\n    1\n", ("a",), "  file: >\n    a:\n    1\n"),
        ("data:\n  other: 1\n", ("a",), "data"),
    ],
)
def test_place_in_a_file(text: str, inner: tuple[str | int, ...] | str, expected: str) -> None:
    assert _located(text, inner).rstrip() == expected.rstrip()


def test_places_go_on_inside() -> None:
    document = Document(SourceFile("x.yaml", ""), 0, 0, 0)
    place = Place(document, ("data",)).at("file").inside(()).at("a", 0)
    assert (place.pointer, place.inner) == (("data", "file"), ("a", 0))


@pytest.mark.parametrize("text", ["{", "a: b: c", "\x00", "[" * 5000, "a: 1\n---\nb: 2"])
def test_what_does_not_parse_is_nothing(text: str) -> None:
    assert parse_embedded(text) is None


@pytest.mark.parametrize(("text", "value"), [('{\t"a":\t1}', {"a": 1}), ("a: 1", {"a": 1}), ("", None)])
def test_what_parses(text: str, value: object) -> None:
    assert parse_embedded(text) == value
