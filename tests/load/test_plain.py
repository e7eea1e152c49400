"""What the plain reader reads has the same value as libyaml gives it, and what is a mistake to libyaml it leaves alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yaml._yaml import CParser

from ingress_lint.load.composing import Constructor, compose, composer
from ingress_lint.load.faults import YAMLError
from ingress_lint.load.files import Found
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

# what a flow collection is made of, and what it must not be taken for
FLOW_SCALARS = [
    *("a", "1", "on", "null", "~", "", "a b", "a - b", "a:b", "-1", "--x", "- x", "-", "x#y", "x #y", "don't", 'a"b'),
    *(
        "'it''s'",
        '"\\n\\"\\u003c"',
        '"\\x41"',
        '"é"',
        "é",
        "http://a/b?c",
        "nginx:1.2",
        "=",
        "<<",
        "*a",
        "&a b",
        "!x",
        "?a",
    ),
    *("...", "---", "@", "%", "a\n b", '"a\n b"', "a\tb"),
]
FLOW_KEYS = ["a", "b", "c", '"d"', "'e'", '"a"', "1", "on", "~", "e f", "<<", '"<<"', "g:h", ""]
SPACES = st.sampled_from(["", "", " ", " ", "  ", "\n", "\n  ", " # c\n  ", "#c\n", "\t"])


def bracketed(opening: str, items: list[str], spaces: list[str], closing: str) -> str:
    inside = ",".join(f"{before}{item}" for before, item in zip(spaces, items, strict=False))
    return f"{opening}{inside}{spaces[-1]}{closing}"


flows = st.recursive(
    st.sampled_from(FLOW_SCALARS),
    lambda inner: st.one_of(
        st.builds(
            bracketed, st.just("["), st.lists(inner, max_size=3), st.lists(SPACES, min_size=4, max_size=4), st.just("]")
        ),
        st.builds(
            bracketed,
            st.just("{"),
            st.lists(
                st.builds(
                    "{}{}{}".format,
                    st.sampled_from(FLOW_KEYS),
                    st.sampled_from([": ", ": ", ":", " : ", ":\n", ""]),
                    inner,
                ),
                max_size=3,
            ),
            st.lists(SPACES, min_size=4, max_size=4),
            st.sampled_from(["}", "}", ",}"]),
        ),
    ),
    max_leaves=8,
)
HEADS = ["", "a: ", "- ", "- a: ", "a:\n  ", "x: 1\na: ", "- a: 1\n  b: "]
TAILS = ["", "\n", " # c\n", "\nb: 1", "\n  b: 1", "#c", " x", "\n- c", "\n# c\n \n"]
block_scalars = st.builds(
    lambda head, style, indicators, comment, body, tail: f"{head}{style}{indicators}{comment}\n{body}{tail}",
    st.sampled_from([*HEADS, "  a: ", "a:\n- "]),
    st.sampled_from("|>"),
    st.sampled_from(["", "-", "+", "1", "2", "2-", "+3", "3+", "0", "--"]),
    st.sampled_from(["", "", " ", " # c", "#c", " x"]),
    st.lists(
        st.builds(
            lambda indent, content: f"{' ' * indent}{content}\n",
            st.sampled_from([0, 1, 2, 2, 2, 2, 3, 4]),
            st.sampled_from(
                ["x", "x y", "", "", "# c", "- a", "\tx", "a: b", " ", "'", "a: |", "[", "é", "\x85", "\ufeff", "x\r"]
            ),
        ),
        max_size=6,
    ).map("".join),
    st.sampled_from(["", "b: 1", "  b: 1", "- x", "   ", "  x", "\tx"]),
)
PIECES = [
    *(
        "|",
        ">",
        "|-\n",
        ">+\n",
        "|2\n",
        "\n",
        "\n\n",
        " ",
        "  ",
        "- ",
        "-",
        ": ",
        ":",
        "{",
        "}",
        "[",
        "]",
        ", ",
        ",",
        "{}",
        "[]",
    ),
    *(
        '"',
        "'",
        "#",
        " #",
        "a",
        "é",
        "\t",
        "&a ",
        "*a",
        "!!str ",
        "? ",
        "\\",
        "\\n",
        "<<: ",
        "{a: b}",
        '{"a":1}',
        "\n  ",
        "\n- ",
    ),
    *(
        "a: |\n  x\n",
        "b: >\n  x\n  y\n\n   z\n",
        "\r",
        "---",
        "...",
        "\x85",
        "\u2028",
        "%",
        "@",
        "`",
        "~",
        "null",
        "0x1",
    ),
]
edits = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 3), st.sampled_from(["", *PIECES])),
    min_size=1,
    max_size=3,
)


def edited(text: str, changes: list[tuple[float, int, str]]) -> str:
    for where, removed, added in changes:
        at = int(where * (len(text) + 1))
        text = text[:at] + added + text[at + removed :]
    return text


def manifests() -> list[str]:
    return [
        document.text
        for folder in ("examples", "tests/fixtures")
        for path in sorted((ROOT / folder).rglob("*.yaml"))
        if not path.read_bytes().startswith(b"\0")  # encrypted
        for document in split(read_file(Found.at(str(path))), True, lambda _kind, _text: True)
    ]


MANIFESTS = manifests()
mutated = st.builds(edited, st.sampled_from(MANIFESTS), edits)

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


@settings(max_examples=800)
@given(st.lists(lines, max_size=6))
def test_odd_lines_mean_the_same_or_are_left_to_libyaml(written: list[str]) -> None:
    assert_same("\n".join(written))


@settings(max_examples=800)
@given(st.lists(shaped, max_size=12))
def test_every_structure_means_the_same_or_is_left_to_libyaml(written: list[str]) -> None:
    assert_same("\n".join(written))


@pytest.mark.parametrize("scalar", SCALARS)
@pytest.mark.parametrize("head", ["a: ", "- ", "- a: ", "a:\n- b: 1\n  c: ", "a:\n  - "])
def test_each_scalar_means_the_same_or_is_left_to_libyaml(head: str, scalar: str) -> None:
    assert_same(head + scalar)
    assert_same(head + scalar + "\n  b: 1")


def test_manifests_mean_the_same_and_nearly_all_are_plain() -> None:
    for text in MANIFESTS:
        assert_same(text)
    assert sum(READER.read(text) is not NOT_PLAIN for text in MANIFESTS) > 0.95 * len(MANIFESTS)


@settings(max_examples=800)
@given(st.sampled_from(HEADS), flows, st.sampled_from(TAILS))
def test_flow_collections_mean_the_same_or_are_left_to_libyaml(head: str, flow: str, tail: str) -> None:
    assert_same(head + flow + tail)


@settings(max_examples=800)
@given(block_scalars)
def test_block_scalars_mean_the_same_or_are_left_to_libyaml(text: str) -> None:
    assert_same(text)


@settings(max_examples=500)
@given(mutated)
def test_changed_manifests_mean_the_same_or_are_left_to_libyaml(text: str) -> None:
    assert_same(text)


@settings(max_examples=500)
@given(st.lists(st.sampled_from(PIECES), max_size=15).map("".join))
def test_indicators_in_any_order_mean_the_same_or_are_left_to_libyaml(text: str) -> None:
    assert_same(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: {b: c, d: [1, 'x'], e: {}}", {"a": {"b": "c", "d": [1, "x"], "e": {}}}),
        ('{"kind":"Service","spec":{"ports":[{"port":80}]}}\n', {"kind": "Service", "spec": {"ports": [{"port": 80}]}}),
        ("# c\n{a: b}\n# d\n", {"a": "b"}),
        ("[\n  a,\n  # c\n  {b: c},\n]\n", ["a", {"b": "c"}]),
        ("a: [b,\n  c]\nd: 1", {"a": ["b", "c"], "d": 1}),
        ("a:\n  {}\nb:\n  []\nc:\n-\n  null", {"a": {}, "b": [], "c": [None]}),
        ("a: |\n  x\n   y\n\n", {"a": "x\n y\n"}),
        ("- |-\n  x\n- >\n  x\n  y\n\n  z\n   w\n", ["x", "x y\nz\n w\n"]),
        ("a: |+\n\n  x\n\nb: |2\n    x\nc: >-\n\n", {"a": "\nx\n\n", "b": "  x\n", "c": ""}),
        ("a: |\n  x", {"a": "x"}),
        ("a: |\n  b: |\n    c\n  d: [\n", {"a": "b: |\n  c\nd: [\n"}),
        ('a: :8080\nb: "x\\ty"\nc: é', {"a": ":8080", "b": "x\ty", "c": "é"}),
    ],
)
def test_what_is_plain(text: str, value: Any) -> None:
    assert READER.read(text) == by_libyaml(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "a: &b c",
        "a: *b",
        "a: !!str b",
        "a: 1\na: 2",
        "{a: 1, a: 2}",
        "<<: {a: 1}",
        '"<<": {a: 1}',
        "? a",
        "a:\tb",
        "a: 1\r\n",
    ],
)
def test_what_is_left_to_libyaml(text: str) -> None:
    assert READER.read(text) is NOT_PLAIN


def test_deep_nesting_is_left_to_libyaml() -> None:
    assert READER.read("\n".join(f"{' ' * level}-" for level in range(100))) is NOT_PLAIN
    assert READER.read("\n".join(f"{' ' * level}a:" for level in range(100))) is NOT_PLAIN


def test_each_reading_makes_lists_and_mappings_of_its_own() -> None:
    text = "a: [x]\nb: {}\nc: {d: [[]]}"
    first, second = READER.read(text), READER.read(text)
    assert first == second
    for mapping, other in ((first, second), (first["c"], second["c"])):
        assert all(mapping[key] is not other[key] for key in mapping)
    assert first["c"]["d"][0] is not second["c"]["d"][0]
