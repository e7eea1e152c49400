"""What git tracks is read, although `.gitignore` names it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ingress_lint.units.tracked import Tracked
from ingress_lint.units.walking import walk

MANIFEST = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
FILES = (
    "generated/kept.yaml",
    "generated/deep/er/kept.yaml",
    "generated/new.yaml",
    "app.yaml",
    "other.yaml",
    "new.yaml",
)
LONG = "generated/" + "/".join(["x" * 200] * 21) + "/kept.yaml"

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(("git", *arguments), cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    for file in FILES:
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(MANIFEST)
    (tmp_path / ".gitignore").write_text("generated/\nother.yaml\nnew.yaml\n")
    git(tmp_path, "add", "-f", *(file for file in FILES if "new" not in file))
    return tmp_path


def found(folder: Path) -> list[str]:
    return [Path(file.path).relative_to(folder).as_posix() for file in walk(str(folder)).files]


KEPT = ["app.yaml", "generated/deep/er/kept.yaml", "generated/kept.yaml", "other.yaml"]


@pytest.mark.parametrize("version", ["2", "3"])
def test_tracked_files_are_read_though_ignored_and_others_are_not(repository: Path, version: str) -> None:
    if version == "3":
        git(repository, "add", "-f", "-N", "new.yaml")  # which takes the extended flags
    git(repository, "update-index", "--index-version", version)
    assert found(repository) == sorted([*KEPT, *(["new.yaml"] if version == "3" else [])])


def test_a_work_tree_has_an_index_of_its_own(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    git(repository, "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "x")
    (repository / "generated" / "kept.yaml").unlink()
    tree = tmp_path_factory.mktemp("trees") / "tree"
    git(repository, "worktree", "add", "-q", str(tree))
    (tree / ".gitignore").write_text("generated/\nother.yaml\n")
    assert found(tree) == KEPT


def test_long_paths(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    blob = subprocess.run(
        ("git", "hash-object", "-w", "--stdin"),
        cwd=tmp_path,
        input=MANIFEST,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    for file in (LONG, "z.yaml"):
        git(tmp_path, "update-index", "--add", "--cacheinfo", f"100644,{blob},{file}")
    tracked = Tracked(str(tmp_path))
    assert all(tracked.holds(str(tmp_path / name)) for name in (LONG, "z.yaml", "generated"))
    assert not tracked.holds(str(tmp_path / "y.yaml"))


@pytest.mark.parametrize("index", [b"", b"DIRC", b"DIRC\0\0\0\2\xff\xff\xff\xff" + b"x" * 100, b"\xff" * 200])
def test_what_is_no_index_tracks_nothing(repository: Path, index: bytes) -> None:
    (repository / ".git" / "index").write_bytes(index)
    assert found(repository) == ["app.yaml"]


def test_an_index_of_compressed_paths_tells_nothing(repository: Path) -> None:
    git(repository, "update-index", "--index-version", "4")
    assert found(repository) == ["app.yaml"]
