from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingress_lint.output import sanitize

HARSH = st.text(
    st.one_of(st.sampled_from("\\`*_[](){}<>&\"'#+-.!|~$@:,%\n\r\t\x1b\x85\u2028\u202e\ud800 w1a/"), st.characters())
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain, with é, 漢字 and 🚢", "plain, with é, 漢字 and 🚢"),
        ("\x1b[31m\x07", r"\x1b[31m\x07"),
        ("a\r\nb\tc", r"a\r\nb\tc"),
        ("\x9b\u202e\u2028\u200b\ufeff", r"\x9b\u202e\u2028\u200b\ufeff"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_visible(text: str, expected: str) -> None:
    assert sanitize.visible(text) == expected


@given(HARSH)
def test_visible_is_printable(text: str) -> None:
    assert sanitize.visible(text).isprintable()


@given(HARSH)
def test_json_loses_nothing(text: str) -> None:
    written = sanitize.json_text({"text": text})
    assert all(line.isprintable() for line in written.split("\n"))
    assert json.loads(written) == {"text": text}


@given(HARSH, HARSH)
def test_github_commands_stay_one_command(value: str, message: str) -> None:
    command = f"::error title={sanitize.github_property(value)}::{sanitize.github_data(message)}"
    match = re.fullmatch(r"::error title=([^:,\n\r]*)::(.*)", command)
    assert match is not None
    unescaped = match[2].replace("%0A", "\n").replace("%25", "%")
    assert unescaped == sanitize.visible_lines(message)


@given(HARSH)
def test_markdown_shows_the_text_and_nothing_else(text: str) -> None:
    parser = pytest.importorskip("markdown_it").MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = parser.parse(f"| head |\n| --- |\n| x {sanitize.markdown(text)} x |\n")
    inline = [token for token in tokens if token.type == "inline"]
    assert len(inline) == 2
    assert {child.type for child in inline[1].children} <= {"text", "text_special"}
    assert "".join(child.content for child in inline[1].children) == f"x {sanitize.visible(text)} x"
