"""Templates as texts: their actions, their lines, the marks that they take, and two renderings that are paired."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingress_lint.build.templates.actions import actions
from ingress_lint.build.templates.alignment import aligned
from ingress_lint.build.templates.expressions import DOT, Call, Field, Literal, Variable, pipeline
from ingress_lint.build.templates.lines import rows_of, written
from ingress_lint.build.templates.marking import Marker, named_in
from ingress_lint.build.templates.template import Template
from ingress_lint.build.templates.tracing import Known, Path, Tracer
from ingress_lint.load.document import SourceFile


def template(text: str) -> Template:
    return Template(SourceFile("x.yaml", text))


def marked(text: str) -> list[str]:
    return Marker().template(template(text)).split("\n")


def test_braces_in_texts_end_no_action() -> None:
    text = "a{{ \"}}\" }}b{{- `}}` -}}c{{/* }} */}}{{- /* x */ -}}d{{ '}' }}{{ open"
    assert [(text[one.start : one.end], one.word, one.trims_before, one.trims_after) for one in actions(text)] == [
        ('{{ "}}" }}', "", False, False),
        ("{{- `}}` -}}", "", True, True),
        ("{{/* }} */}}", "comment", False, False),
        ("{{- /* x */ -}}", "comment", True, True),
        ("{{ '}' }}", "", False, False),
    ]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (".Values.a.b", Field(DOT, ("Values", "a", "b"))),
        ("$", Variable("$")),
        ('.a | default "x"', Call("default", (Literal("x"), Field(DOT, ("a",))))),
        ('include "a" (dict "b" $.c) | nindent 2', Call("nindent", (Literal("2"), Call("include", (
            Literal("a"), Call("dict", (Literal("b"), Field(Variable("$"), ("c",))))
        ))))),
        ("(index .a 0).b", Field(Call("index", (Field(DOT, ("a",)), Literal("0"))), ("b",))),
        ('.Files.Get "x"', Call("", (Field(DOT, ("Files", "Get")), Literal("x")))),
        ("(" * 200 + ".a" + ")" * 200, None),
        ("", None),
    ],
)  # fmt: skip
def test_pipelines(code: str, expected: object) -> None:
    found = pipeline(code).expression
    assert expected is None or found == expected


def test_variables_that_a_pipeline_sets() -> None:
    assert pipeline("$i, $x := .a").variables == ("$i", "$x")
    assert (pipeline("$x = .a").variables, pipeline("$x = .a").declares) == (("$x",), False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: {{ .x }}\n", ["a: 1 #⟦0⟧", "b: {{ .x }} #⟦1⟧", ""]),
        ("a: 1\r\nb: 2\r\n", ["a: 1 #⟦0⟧\r", "b: 2 #⟦1⟧\r", ""]),
        ("{{- if .x }}\na: 1\n{{- end }}", ["{{- if .x }}", "a: 1 #⟦0⟧", "{{- end }}"]),
        ("{{- if .x }}\na: 1{{ end }}", ["{{- if .x }}", "a: 1 #⟦0⟧{{ end }}"]),
        ("{{- $x := .y }}\n{{/* note */}}\n---\na: 1", ["{{- $x := .y }}", "{{/* note */}}", "---", "a: 1 #⟦0⟧"]),
        ('{{ define "x" }}name{{ end }}\na: 1', ['{{ define "x" }}name{{ end }}', "a: 1 #⟦0⟧"]),
        ("a: {{ .x -}}\n  b\n", ["a: {{ .x -}}", "  b #⟦0⟧", ""]),
        ("a: one\n  two\nb: 1", ["a: one", "  two #⟦0⟧", "b: 1 #⟦1⟧"]),
        ("a: |\n  one\n  two\nb: 1", ["a: | #⟦0⟧", "  one #⟦1⟧", "  two #⟦2⟧", "b: 1 #⟦3⟧"]),
        ('a: "one\n\n  b: two"\nc: 1', ['a: "one', "", '  b: two" #⟦0⟧', "c: 1 #⟦1⟧"]),
        (
            "a:\n  {{- toYaml .x | nindent 2 }}",
            ["a: #⟦0⟧", '  {{- regexReplaceAll `(\\S)[ \\t]*\\n` (toYaml .x | indent 2) "${1} #⟦1⟧\\n" | printf "\\n%s" }} #⟦1⟧'],
        ),
    ],
)  # fmt: skip
def test_marks_stand_where_they_change_nothing(text: str, expected: list[str]) -> None:
    assert marked(text) == expected


PIECES = ["{{", "}}", "{{- ", " -}}", "end", "if .x", 'define "a"', "else", "a: ", *"ab:-#|\"' \n\r{}./*$=()"]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_is_read_as_its_lines_and_marked_without_harm(text: str) -> None:
    read = template(text)
    numbers = [number for line in read.lines for number in range(line.first, line.last + 1)]
    assert numbers == [*range(1, len(text.removesuffix("\n").split("\n")) + 1)][: len(numbers)]
    assert len(numbers) == len(text.removesuffix("\n").split("\n")) if text else not numbers
    assert Marker().template(read).count("\n") == text.count("\n")
    Tracer({block.name: block for block in read.definitions}, lambda _: ()).printed(read.root, Known(root=()))


def test_lines_are_paired_though_some_differ() -> None:
    assert aligned(list("abcd"), list("abcd")) == [0, 1, 2, 3]
    assert aligned(list("abxd"), list("abyd")) == [0, 1, 2, 3]
    assert aligned(list("abcd"), list("bcde")) == [None, 0, 1, 2]
    assert aligned(list("aab"), list("aaab")) == [0, 1, 3]
    assert aligned([], ["a"]) == []


def test_documents_in_another_order_are_paired_by_what_they_are() -> None:
    def text(*names: str, mark: str = "") -> str:
        return "".join(f"---\n# Source: w/templates/x.yaml\nkind: A{mark}\nmetadata:\n  name: {one}\n" for one in names)

    marker = Marker()
    marker.template(template("kind: A\n"))
    found = written(rows_of(text("a", "b")), rows_of(text("b", "a", mark=" #⟦0⟧")), marker.marks)
    assert {line: one.certainty for line, one in found.items() if line in (3, 8)} == {3: "exact", 8: "exact"}
    assert [found[8].number, found[8].among] == [1, 2]


def test_numbers_that_no_mark_has_are_passed_over() -> None:
    text = "# Source: w/templates/x.yaml\na: 1{}\n"
    assert written(rows_of(text.format("")), rows_of(text.format(" #⟦99999999999999999999⟧")), []) == {}


def test_helm_names_files_with_the_chart_before_them() -> None:
    said = (
        "Error: parse error at (web/charts/db/templates/a.yaml:3): bad; template: web/templates/b.yaml:1:2: executing"
    )
    assert named_in(said, {"charts/db/templates/a.yaml", "templates/b.yaml", "templates/c.yaml"}) == {
        "charts/db/templates/a.yaml",
        "templates/b.yaml",
    }


def test_templates_that_include_themselves_come_to_an_end() -> None:
    read = template('{{ define "x" }}{{ .Values.a }}{{ include "x" . }}{{ include "x" . }}{{ end }}{{ include "x" . }}')
    definitions = {block.name: block for block in read.definitions}
    printed = Tracer(definitions, lambda _: ()).printed(read.root, Known(root=()))
    assert [one.known.paths for one in printed] == [(Path((), ("a",)),)]


@pytest.mark.parametrize(
    "text",
    [
        "{{ if .a }}" * 5000 + "x" + "{{ end }}" * 5000,
        "a: {{ .x" + " | quote" * 20000 + " }}\n",
        "{{ " * 20000,
        "a: {{ .Values.b }}\n" * 20000,
        '{{ define "a" }}b: 1\n{{ end }}\n' * 5000,
        "a: 'x\n" * 20000,
        "a {{- if .b -}}\n" * 5000 + "{{- end -}} c\n" * 5000,
    ],
    ids=["deep", "long pipeline", "open", "long", "definitions", "quotes", "joined"],
)
def test_large_and_odd_texts_take_no_longer_than_their_size(text: str) -> None:
    start = perf_counter()
    read = template(text)
    Marker().template(read)
    Tracer({block.name: block for block in read.definitions}, lambda _: ()).printed(read.root, Known(root=()))
    assert perf_counter() - start < 5
