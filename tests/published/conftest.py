"""Shared by the tests of published cases."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tests.published.counts import Tally, hold


@pytest.fixture
def held(request: pytest.FixtureRequest) -> Callable[[str, Tally], None]:
    """Compares what a piece scores with what is recorded, or records it."""
    return partial(hold, update=request.config.getoption("--update-expected"))
