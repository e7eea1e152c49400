"""The published JSON Schema: current, and of one mind with what the linter takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ingress_lint.configuration.schema import faults, schema
from ingress_lint.output.sanitize import json_text

SCHEMA = Path(__file__).parents[2] / "docs" / "ingress-lint.schema.json"


def test_the_published_schema_is_current(request: pytest.FixtureRequest) -> None:
    text = json_text(schema())
    if request.config.getoption("--update-expected"):
        SCHEMA.write_text(text, encoding="utf-8")
    assert SCHEMA.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        ({}, True),
        ({"paths": ["a"], "fail-on": "never", "baseline": None}, True),
        ({"controllers": {"a": "traefik", "b": {"name": "envoy-gateway", "version": "1.5"}}}, True),
        ({"units": [{"name": "a", "path": "b", "set": {"a": 1, "b": None}}]}, True),
        ({"units": [{"name": "a", "path": "b", "set": ["a=1"]}]}, True),
        ({"render": {"time-limit": 30}}, True),
        ({"controllers": {"a": "nginx"}}, False),
        ({"controllers": {"a": {"version": "1"}}}, False),
        ({"controllers": {"a": 1}}, False),
        ({"units": [{"name": "a"}]}, False),
        ({"units": [{"name": "a", "path": "b", "set": {"a": []}}]}, False),
        ({"units": {"name": "a", "path": "b"}}, False),
        ({"render": {"network": "yes"}}, False),
        ({"render": {"time-limit": True}}, False),
        ({"severity": {"IL4": "fatal"}}, False),
        ({"exclude": [1]}, False),
        ({"fail_on": "error"}, False),
    ],
)
def test_the_schema_refuses_what_the_linter_refuses(value: dict[str, Any], valid: bool) -> None:
    import jsonschema

    validator = jsonschema.Draft202012Validator(schema())
    validator.check_schema(schema())
    assert validator.is_valid(value) == valid
    assert (not list(faults(value))) == valid
