"""What the plain reader reads has the same value as libyaml gives it, and what is a mistake to libyaml it leaves alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yaml._yaml import CParser

from ingress_lint.load.composing import Constructor, YAMLError, compose, composer
from ingress_lint.load.files import find
from ingress_lint.load.files import read as read_file
from ingress_lint.load.plain import NOT_PLAIN, PlainReader
from ingress_lint.load.splitting import split

ROOT = Path(__file__).parents[2]
COMPOSER = composer(CParser)
READER = PlainReader()

SCALARS = [
    *(
        "a",
        "web",
        "80",
        "0777",
        "1e3",
        "1_000",
        "-1",
        "- 1",
        "true",
        "on",
        "null",
        "~",
        "1.5",
        ".5",
        "0x1F",
        "12:30",
        "=",
        "<<",
    ),
    *(
        '"80"',
        "'80'",
        '"on"',
        "'it''s'",
        '"a\\n"',
        '""',
        "''",
        '"x" y',
        "'a: b'",
        '"a #b"',
        "a b",
        "a  b ",
        "a: b",
        "a:b",
        "a:",
    ),
    *(
        "a#b",
        "a #b",
        "# a",
        "#a",
        "@a",
        "*a",
        "&a",
        "&a b",
        "!!str 1",
        "! 1",
        "|",
        ">-",
        "%a",
        "`a",
        "?",
        "? a",
        ":",
        ":a",
        ",",
    ),
    *(
        "[]",
        "{}",
        "[a]",
        "[a, b]",
        '["a", 1, on]',
        "[a,b]",
        "[a b]",
        "[a, ]",
        "[ ]",
        "[a:b]",
        "[- a]",
        "{a: b}",
        "[",
        "]",
        "{",
    ),
    *(
        "http://a/b?c=d&e",
        "a[b]",
        "--flag=1",
        "-",
        "--",
        "a -b",
        "é",
        "\x85",
        "\ufeff",
        "\x07",
        "a\t",
        "<no value>",
        "$(X)",
        "...",
    ),
]
KEYS = [
    "a",
    "b",
    "on",
    "80",
    "null",
    "1.0",
    "x/y.z-w",
    '"a"',
    "'b'",
    '"a b"',
    "<<",
    "a b",
    "é",
    "-a",
    "?",
    "~",
    ".",
    "0x10",
    "1e3",
]

lines = st.builds(
    lambda indent, dash, key, colon, value, comment: f"{' ' * indent}{dash}{key}{colon}{value}{comment}",
    st.integers(0, 5),
    st.sampled_from(["", "", "", "- ", "-  ", "-", "- - "]),
    st.one_of(st.just(""), st.sampled_from(KEYS)),
    st.sampled_from(["", ":", ": ", ": ", ": ", ":  ", " : "]),
    st.one_of(st.just(""), st.sampled_from(SCALARS)),
    st.sampled_from(["", "", "", " ", " # c", "#c", " # ü", "\r", "\t"]),
)
shaped = st.builds(
    lambda indent, head, value: f"{' ' * indent}{head}{value}",
    st.sampled_from([0, 0, 1, 2, 2, 3, 4, 4, 6]),
    st.sampled_from(["a:", "b:", "c: ", "d: ", "- ", "-", "- a: ", "- b:", "", "#"]),
    st.sampled_from(["", "", "1", "x", "[]"]),
)


def by_libyaml(text: str) -> Any:
    constructor = Constructor()
    try:
        root = compose(COMPOSER, text)
        value = constructor.construct(root, aliased=True) if root is not None else None
        return NOT_PLAIN if list(constructor.duplicate_keys(root)) else value
    except YAMLError:
        return NOT_PLAIN


def assert_same(text: str) -> None:
    value = READER.read(text)
    if value is not NOT_PLAIN:
        assert repr(value) == repr(by_libyaml(text))


@settings(max_examples=800, deadline=None)
@given(st.lists(lines, max_size=6))
def test_odd_lines_mean_the_same_or_are_left_to_libyaml(written: list[str]) -> None:
    assert_same("\n".join(written))


@settings(max_examples=800, deadline=None)
@given(st.lists(shaped, max_size=12))
def test_every_structure_means_the_same_or_is_left_to_libyaml(written: list[str]) -> None:
    assert_same("\n".join(written))


@pytest.mark.parametrize("scalar", SCALARS)
@pytest.mark.parametrize("head", ["a: ", "- ", "- a: ", "a:\n- b: 1\n  c: ", "a:\n  - "])
def test_each_scalar_means_the_same_or_is_left_to_libyaml(head: str, scalar: str) -> None:
    assert_same(head + scalar)
    assert_same(head + scalar + "\n  b: 1")


def test_manifests_mean_the_same_and_most_are_plain() -> None:
    plain = total = 0
    for folder in ("examples", "tests/fixtures"):
        for found in find(str(ROOT / folder)):
            if found.chart:
                continue
            for document in split(read_file(found), "", True, lambda _kind, _text: True):
                assert_same(document.text)
                total += 1
                plain += READER.read(document.text) is not NOT_PLAIN
    assert plain > total / 2


def test_deep_nesting_is_left_to_libyaml() -> None:
    assert READER.read("\n".join(f"{' ' * level}-" for level in range(100))) is NOT_PLAIN
    assert READER.read("\n".join(f"{' ' * level}a:" for level in range(100))) is NOT_PLAIN


def test_each_reading_makes_lists_and_mappings_of_its_own() -> None:
    first, second = READER.read("a: [x]\nb: {}"), READER.read("a: [x]\nb: {}")
    assert first["a"] is not second["a"]
    assert first["b"] is not second["b"]
