"""Deep nesting is refused, and text that is read without counting its depth never is deep."""

from __future__ import annotations

from contextlib import suppress

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from yaml._yaml import CParser

from ingress_lint.load import composing
from ingress_lint.load.composing import MAX_DEPTH, compose, composer
from ingress_lint.load.faults import YAMLError

DEEP = MAX_DEPTH + 50
NESTED = {
    "flow lists": "[" * DEEP + "]" * DEEP,
    "flow mappings": "{a: " * DEEP + "}" * DEEP,
    "lists on one line": "- " * DEEP + "a",
    "complex keys on one line": "? " * DEEP + "a",
    "indented lists": "".join(f"{' ' * level}-\n" for level in range(DEEP)),
    "indented mappings": "".join(f"{' ' * level}a:\n" for level in range(DEEP)),
    "lists in mappings at one column": "".join(f"{' ' * level}a:\n{' ' * level}- b\n" for level in range(DEEP)),
}


@pytest.mark.parametrize("text", NESTED.values(), ids=NESTED.keys())
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(YAMLError):
        compose(composer(CParser), text)


@settings(max_examples=800)
@given(
    st.lists(
        st.sampled_from(["[", "]", "{", "}", "- ", "-", "? ", ":", ": ", " ", "  ", "\t", "\n", "a", "a: ", "&b "])
    )
)
def test_what_is_taken_for_shallow_is(pieces: list[str]) -> None:
    text = "".join(pieces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composing, "MAX_DEPTH", 10)
        if composing._may_nest_deeply(text):
            return
        with suppress(yaml.YAMLError):
            composer(CParser)(text).get_single_node()  # a NestingError would fail the test
