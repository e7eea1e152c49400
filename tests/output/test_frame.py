from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingress_lint.load.document import SourceFile
from ingress_lint.load.positions import Location
from ingress_lint.output.frame import columns, frame

LINES = st.text(st.characters(exclude_characters="\n\r"), max_size=300)


def shown(
    text: str, line: int, column: int, end_line: int, end_column: int, width: int = 40, context: int = 0
) -> list[str]:
    location = Location("f", line, column, end_line, end_column, "")
    return [each.text for each in frame(SourceFile("f", text), location, "^", width, context)]


@given(LINES, st.integers(1, 310), st.integers(0, 310), st.integers(20, 120))
def test_every_line_fits(line: str, column: int, length: int, width: int) -> None:
    source, marks = shown(line, 1, column, 1, column + length, width)
    assert columns(source) <= width
    assert 0 < len(marks) <= width + 1
    assert marks.strip("^ ") == ""


@given(LINES.filter(lambda line: line.isprintable()), st.data())
def test_marks_stand_under_the_span(line: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(line)))
    end = data.draw(st.integers(start, len(line)))
    source, marks = shown(line, 1, start + 1, 1, end + 1, width=1000)
    assert source == line
    assert columns(line[:start]) == len(marks) - len(marks.lstrip())
    assert max(1, columns(line[start:end])) == marks.count("^")


def test_context_stops_at_blank_lines_and_other_documents() -> None:
    assert shown("a\nb\nc\n", 2, 1, 2, 2, context=1) == ["a", "b", "^", "c"]
    assert shown("a\n\nb\n---\nc\n", 3, 1, 3, 2, context=1) == ["b", "^"]
    assert shown("a\nb\nc\nd\ne\n", 3, 1, 3, 2, context=2) == ["a", "b", "c", "^", "d", "e"]


def test_wide_and_combining_characters_and_tabs() -> None:
    assert shown("漢字e\u0301\tx", 1, 6, 1, 7) == ["漢字e\u0301    x", "         ^"]
    assert shown("漢字", 1, 1, 1, 3) == ["漢字", "^^^^"]


def test_a_long_line_is_cut_around_the_span() -> None:
    source, marks = shown("a" * 100 + "NEEDLE" + "b" * 100, 1, 101, 1, 107)
    assert source == "…aaaaaaaaaaaaaNEEDLEbbbbbbbbbbbbbbbbbbb…"
    assert marks == " " * source.index("NEEDLE") + "^^^^^^"


def test_a_huge_line_costs_little() -> None:
    source, _ = shown("a" * 5_000_000, 1, 4_000_000, 1, 4_500_000)
    assert columns(source) <= 40


def test_a_place_past_the_end_still_has_a_mark() -> None:
    assert shown("abc", 1, 4, 1, 4) == ["abc", "   ^"]
    assert shown("abc\n", 2, 1, 2, 1) == ["", "^"]


def test_spans_of_several_lines() -> None:
    text = "".join(f"line {number}\n" for number in range(1, 13))
    assert shown(text, 1, 1, 3, 7) == ["/ line 1", "| line 2", "| line 3", "|______^"]
    assert shown(text, 1, 1, 12, 8) == [
        "/ line 1", "| line 2", "| line 3", "| line 4", "| ...", "| line 12", "|_______^",
    ]  # fmt: skip
    assert shown(text, 1, 6, 2, 1) == ["line 1", "     ^"]
