"""docs/configuration.md and the README name every setting, and show configurations that can be used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ingress_lint.configuration.schema import faults, schema

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def test_every_setting_has_its_line() -> None:
    named = set(re.findall(r"`([\w-]+)`", GUIDE))
    definitions = [schema()["$defs"][name] for name in ("Config", "Cluster", "ConfiguredUnit", "External", "Render")]
    definitions.append(schema()["$defs"]["Installed"]["anyOf"][1])
    assert {setting for one in definitions for setting in one["properties"]} <= named


@pytest.mark.parametrize("page", ["docs/configuration.md", "README.md"])
def test_the_examples_can_be_used(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", text[text.index("Configuration\n") :], re.DOTALL)
    assert examples
    assert list(faults(yaml.safe_load(examples[0]))) == []
