"""Shared by all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

FIXTURES = Path(__file__).parent / "fixtures"

# how long an example takes depends on what else the machine does, and says nothing of the code
hypothesis_settings.register_profile(
    "ingress-lint", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
hypothesis_settings.load_profile("ingress-lint")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-expected", action="store_true", help="rewrite the expected.txt of every fixture")
