"""A folder of its own for each test, with a way to write a configuration into it and to load that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ingress_lint.configuration.loading import ConfigError, Configuration, load_configuration

Load = Callable[[str], Configuration]
Refused = Callable[[str], list[str]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, the top of a git repository."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    return tmp_path


@pytest.fixture
def load(folder: Path) -> Load:
    """Loads a text as `.ingress-lint.yaml`, or as `pyproject.toml` where it has the table."""

    def loaded(text: str) -> Configuration:
        name = "pyproject.toml" if "[tool.ingress-lint" in text else ".ingress-lint.yaml"
        (folder / name).write_text(text)
        return load_configuration(None, ["."])

    return loaded


@pytest.fixture
def refused(load: Load) -> Refused:
    """The faults for which a text is refused, a line each."""

    def faults(text: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(text)
        return str(caught.value).splitlines()

    return faults
