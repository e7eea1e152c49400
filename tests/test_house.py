"""Where a line lives: what import-linter does not check of the layout."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONTROLLERS = ROOT / "linter" / "ingress_lint" / "controllers"
SOURCES = sorted(path for root in ("linter", "rules") for path in (ROOT / root).rglob("*.py"))
FOLDERS = sorted(path for path in CONTROLLERS.rglob("*") if path.is_dir() and path.name != "__pycache__")
MOST_MODULES = 14
MOST_LINES = 450
GENERATED = {"rules/ingress_lint_rules/table.py"}


def test_controllers_hold_folders_and_the_registry() -> None:
    files = {path.name for path in CONTROLLERS.iterdir() if path.is_file()}
    assert files == {"__init__.py", "registry.py"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.relative_to(CONTROLLERS).as_posix())
def test_a_controllers_folder_can_be_held_in_the_head(folder: Path) -> None:
    assert len(list(folder.glob("*.py"))) <= MOST_MODULES


def test_no_file_is_too_long() -> None:
    lines = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8").count("\n") for path in SOURCES}
    assert {path: count for path, count in lines.items() if count > MOST_LINES and path not in GENERATED} == {}


LOOKS_BY_ITSELF = re.compile(r"\bopen\(|\bos\.(?:scandir|listdir|walk|path\.(?:l?exists|is\w+(?<!isabs)))\(|\bshutil\.which\(|\.read_(?:text|bytes)\(")
STAGES = ("units", "build", "load", "baseline.py", "config.py", "engine.py")


@pytest.mark.parametrize("stage", STAGES)
def test_stages_look_at_files_through_one_module(stage: str) -> None:
    """Else the cache does not know what a run rests on."""
