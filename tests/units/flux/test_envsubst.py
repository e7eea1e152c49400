"""Variables in a text, as Flux fills them in (fluxcd/pkg:envsubst/eval_test.go has most of these)."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingress_lint.units.flux.envsubst import BadSubstitutionError, substitute, without_quotes
from ingress_lint.values.placeholders import is_placeholder

VALUES = {
    "mixed": "abcdEFGH28ij",
    "path": "/home/bozo/ideas/thoughts.for.today",
    "letters": "abcABC123ABCabc",
    "file": "bash.string.txt",
    "slashes": "foo/bar/baz",
    "foo": "foo1",
    "empty": "",
}


def lookup(name: str) -> str | None:
    return None if name.startswith(("secret", "http_")) else VALUES.get(name, "")


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain $text", "plain $text"),
        ("${mixed}", "abcdEFGH28ij"),
        ("${missing}", ""),
        ("${1}", ""),
        ("${#mixed}", "12"),
        ("${mixed^} ${mixed^^} ${mixed,} ${mixed,,}", "AbcdEFGH28ij ABCDEFGH28IJ abcdEFGH28ij abcdefgh28ij"),
        ("${path:11} ${path:11:5} ${path:-5}x", "ideas/thoughts.for.today ideas /home/bozo/ideas/thoughts.for.todayx"),
        ("${path:nowhere}", "/home/bozo/ideas/thoughts.for.today"),
        ("${mixed=xyz} ${missing=xyz} ${missing:=xyz} ${missing:-xyz}", "abcdEFGH28ij xyz xyz xyz"),
        ("${empty:=xyz} ${missing:=}", "xyz "),
        ("${missing:=${foo}} ${missing=pre${foo}-suf}", "foo1 prefoo1-suf"),
        ("${missing:=${mixed^^}}", "ABCDEFGH28IJ"),
        ("${letters/%abc/XYZ} ${letters/#abc/XYZ}", "abcABC123ABCXYZ XYZABC123ABCabc"),
        ("${letters//abc/xyz} ${letters/abc/xyz} ${file/./}", "xyzABC123ABCxyz xyzABC123ABCabc bashstring.txt"),
        (r"${slashes/\//-} ${slashes//\//-}", "foo-bar/baz foo-bar-baz"),
        ("${file#*.} ${file##*.} ${file%.*} ${file%%.*}", "string.txt txt bash.string bash"),
        ("$${mixed} $$mixed $", "${mixed} $mixed $"),
        ("${mixed}$${var$${mixed}$mixed${mixed}", "abcdEFGH28ij${var${mixed}$mixedabcdEFGH28ij"),
        ("$${var=${foo}}", "${var=foo1}"),
        ("${secret}.example.org", "${secret}.example.org"),
        ("${secret:=else} ${secret/./-}", "${secret} ${secret}"),
        ("${missing:=${secret}}", "${secret}"),
        ("${foo:=${secret}}", "foo1"),
    ],
)
def test_what_is_filled_in(text: str, filled: str) -> None:
    assert substitute(text, lookup) == filled


def test_what_is_not_known_is_a_placeholder_whatever_its_name() -> None:
    assert is_placeholder(substitute("${http_port}", lookup))


@pytest.mark.parametrize("text", ["${", "${}", "${a b}", "${a-b}", "${a/b}", "${a:=", "${a", "${.Values}", "${a:=${}}"])
def test_what_flux_refuses(text: str) -> None:
    with pytest.raises(BadSubstitutionError):
        substitute(text, lookup)


@given(st.text("${}:=-/#%^,ab*[.\\ ", max_size=40))
def test_no_text_is_too_odd(text: str) -> None:
    with suppress(BadSubstitutionError):
        assert isinstance(substitute(text, lookup), str)


def test_quotes_that_a_variable_does_not_need_are_left_out() -> None:
    text = 'a: "${X}"\nb: ["${X}"]\nc: "${X}: y"\n- - \'${X:=8080}\'\n- d.e/f-g: "${X}.y"\nh: "x${X}"\n'
    assert without_quotes(text) == 'a: ${X}\nb: ["${X}"]\nc: "${X}: y"\n- - ${X:=8080}\n- d.e/f-g: ${X}.y\nh: "x${X}"\n'
