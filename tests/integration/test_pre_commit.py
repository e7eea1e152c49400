"""The pre-commit hook, run by pre-commit itself in a throwaway repository."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.integration.conftest import RENAMED_SERVICE, ROOT, commit_all, git

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(importlib.util.find_spec("pre_commit") is None, reason="pre-commit is not installed"),
]


def try_repo(repository: Path, folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Runs the hook on what changed in `folder`, as `git commit` would."""
    git(folder, "add", "--all")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))}
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", "try-repo", str(repository), "ingress-lint", "--verbose"],
        cwd=folder,
        env={**environment, "PRE_COMMIT_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_passes_when_only_one_file_of_several_changed(repository: Path, shop: Path, tmp_path: Path) -> None:
    commit_all(shop)
    with open(shop / "ingress.yaml", "a", encoding="utf-8") as file:
        file.write("# the Service is in another file, which this commit leaves alone\n")
    done = try_repo(repository, shop, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed" in done.stdout
    assert "No findings in 1 unit, 1 route" in done.stdout


def test_it_fails_on_a_file_that_did_not_change(repository: Path, shop: Path, tmp_path: Path) -> None:
    commit_all(shop)
    (shop / "service.yaml").write_text(RENAMED_SERVICE, encoding="utf-8")
    done = try_repo(repository, shop, tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Failed" in done.stdout
    assert "ingress.yaml:12" in done.stdout
    assert "IL401" in done.stdout


def test_a_fault_of_a_chart_stands_in_its_template(repository: Path, charted: Path, tmp_path: Path) -> None:
    commit_all(charted)
    with open(charted / "charts/web/templates/service.yaml", "a", encoding="utf-8") as file:
        file.write("# only this file is part of the commit\n")
    done = try_repo(repository, charted, tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "charts/web/templates/ingress.yaml:12" in done.stdout
    assert "charts/web/values.yaml:2" in done.stdout
    assert "IL402" in done.stdout


def test_the_paths_are_arguments_that_users_may_set() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["pass_filenames"] is False
    assert hook["entry"] == "ingress-lint"
    assert hook["args"] == []
