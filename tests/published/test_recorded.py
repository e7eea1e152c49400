"""That what is recorded is what lies in the folder."""

from __future__ import annotations

import pytest

from tests.published.cases import every_piece
from tests.published.counts import recorded


def test_counts_are_recorded_of_every_piece_and_of_no_other() -> None:
    """An entry whose cases are gone is deleted by hand, so that nothing goes unguarded unseen."""
    names = [piece.name for piece in every_piece()]
    if not names:
        pytest.skip("INGRESS_LINT_CASES names no folder of cases")
    assert sorted(recorded()) == sorted(names)
