"""Where a line lives: what import-linter does not check of the layout."""

from __future__ import annotations

import ast
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


LOOKS = {"open", "io.open", "os.open", "os.listdir", "os.scandir", "os.walk", "shutil.which", "glob.glob"}
LOOKS |= {f"os.path.{name}" for name in ("exists", "lexists", "isfile", "isdir", "getsize", "getmtime")}
METHODS = {"read_text", "read_bytes", "iterdir", "rglob"}
LOOKING = {"inputs.py", "units/walking.py"}
"""The module that looks, and one that only asks whether a file can be opened."""
STAGES = ("build", "configuration", "baseline.py", "engine.py", "load", "units")


def looks(source: Path) -> set[str]:
    """The calls by which a file looks at the file system itself; to open for writing is none."""
    found = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            known = called in LOOKS or called.rpartition(".")[2] in METHODS
            if known and not (called == "open" and "'w" in ast.unparse(node)):
                found.add(called)
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_stages_look_at_the_file_system_through_one_module(stage: str) -> None:
    """Else the cache does not know what an answer rests on."""
    root = ROOT / "linter" / "ingress_lint"
    sources = [root / stage] if stage.endswith(".py") else sorted((root / stage).rglob("*.py"))
    found = {path.relative_to(root).as_posix(): looks(path) for path in sources}
    assert {path: calls for path, calls in found.items() if calls and path not in LOOKING} == {}
