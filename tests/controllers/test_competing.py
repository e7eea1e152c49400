"""What one match takes of another, by how paths are compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingress_lint.controllers.lowering.competing import Takers, covers
from ingress_lint.load.document import Document, Place, SourceFile
from ingress_lint.routes.matches import Match, PathMatch, PathMatchType, ValueMatch
from ingress_lint.routes.matching import Candidate
from ingress_lint.routes.sourced import Origin, Sourced

PLACE = Place(Document(SourceFile("manifest.yaml", ""), 0, 0, 0))
EXACT, PREFIX, REGEX = PathMatchType.EXACT, PathMatchType.PREFIX, PathMatchType.REGULAR_EXPRESSION
TEXT, GLOB = PathMatchType.STRING_PREFIX, PathMatchType.GLOB


def match(kind: PathMatchType, value: str, **more) -> Match:
    return Match(Sourced(PathMatch(kind, value, **more), Origin.EXPLICIT, PLACE))


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        (match(PREFIX, "/"), match(EXACT, "/shop"), True),
        (match(PREFIX, "/shop"), match(PREFIX, "/shop/cart"), True),
        (match(PREFIX, "/shop"), match(PREFIX, "/shopping"), False),
        (match(PREFIX, "/shop"), match(EXACT, "/shop"), True),
        (match(PREFIX, "/shop"), match(TEXT, "/shop"), False),
        (match(TEXT, "/shop"), match(PREFIX, "/shopping"), True),
        (match(GLOB, "/*"), match(GLOB, "/api/*"), True),
        (match(GLOB, "/*/edit"), match(GLOB, "/cart/edit"), False),
        (match(REGEX, "/(.*)"), match(REGEX, "/api", open_end=True), True),
        (match(REGEX, "/api"), match(EXACT, "/api/v1"), False),
        (match(REGEX, "/api.*"), match(REGEX, "/(api|rest)"), False),
        (match(REGEX, "/ap.*"), match(REGEX, "/api?/v1"), True),
        (match(REGEX, "/api.*"), match(REGEX, "/api?/v1"), False),
        (match(REGEX, "/api", open_end=True), match(REGEX, "/api/v1", ignore_case=True), False),
        (match(EXACT, "/shop"), match(PREFIX, "/shop"), False),
    ],
)
def test_covers(wide: Match, narrow: Match, expected: bool) -> None:
    assert covers(wide, narrow) is expected


def test_conditions_narrow_a_match() -> None:
    plain = match(PREFIX, "/")
    beta = Match(plain.path, headers=(ValueMatch("x-beta", "1"),))
    post = Match(plain.path, method="POST")
    odd = Match(plain.path, condition="ClientIP(`10.0.0.0/8`)")
    assert covers(plain, beta)
    assert covers(plain, post)
    assert covers(plain, odd)
    assert not covers(beta, plain)
    assert not covers(post, plain)
    assert not covers(odd, plain)


MATCHES = st.builds(
    match,
    st.sampled_from(PathMatchType),
    st.text("/ab.*?|", max_size=6).map("/".__add__),
    ignore_case=st.booleans(),
    open_end=st.booleans(),
)


@given(st.lists(MATCHES, max_size=12))
def test_takers_are_all_that_cover_in_their_order(matches: list[Match]) -> None:
    candidates = [Candidate(None, wide, number, "", None, 0) for number, wide in enumerate(matches)]
    takers = Takers(candidates)
    for narrow in matches:
        assert list(takers.of(narrow)) == [wide for wide in candidates if covers(wide.match, narrow)]
