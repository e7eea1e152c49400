"""Where the cases lie, in pieces small enough to be shared among processes."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.published.certificates import secret

SUITES = ("routing", "golden", "recorded")
"""Parts of several suites, each a folder of tests."""
FOLDERS = ("incidents", "repositories", "templates")
_BUILT = ("repositories", "templates")
PAIRS = "i2gw-pairs"
"""The golden suite whose tests are what a converter read and what it wrote."""
_NAMED = os.environ.get("INGRESS_LINT_CASES", "")
_ROOT = Path(_NAMED).resolve()
_MOST = 40
"""Items of a piece, which make a few seconds of work; a repository or a chart to render is as much as several others."""


@dataclass(frozen=True)
class Piece:
    """Items (folders or files) of one part, or of one suite of it, which one test scores."""

    name: str
    items: tuple[Path, ...]

    def __str__(self) -> str:
        return self.name

    @property
    def part(self) -> str:
        return self.name.partition("/")[0].partition(" ")[0]


def pieces_of(*parts: str) -> list[Piece]:
    """The pieces of these parts; none where no cases are named."""
    return [piece for piece in _all() if piece.part in parts] if _NAMED else []


def every_piece() -> list[Piece]:
    return pieces_of(*SUITES, *FOLDERS, "mistakes", "charts")


def _all() -> list[Piece]:
    found = []
    for part in SUITES:
        for suite in _folders(_ROOT / part):
            found += _cut(f"{part}/{suite.name}", _folders(suite))
    for part in FOLDERS:
        found += _cut(part, _folders(_ROOT / part))
    found += _cut("mistakes", sorted(_ROOT.glob("mistakes/index.json")))
    found += _cut("charts", sorted(_ROOT.glob("charts/*.yaml")))
    return found


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []


def _cut(name: str, items: list[Path]) -> list[Piece]:
    most = _MOST // 4 if name in _BUILT else _MOST
    number = -(-len(items) // most)
    if number < 2:
        return [Piece(name, tuple(items))] if items else []
    return [Piece(f"{name} {start + 1} of {number}", tuple(items[start::number])) for start in range(number)]


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def copied(folder: Path, copy: Path) -> Path:
    """A copy that may be written to, wherever it comes from."""
    shutil.copytree(folder, copy, symlinks=True)
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o200)
    return copy


def laid_out(test: Path, cases: dict[str, Any], folder: Path) -> str:
    """The manifests of a suite's test, and the Secrets that it generates, in a folder of their own: its path."""
    folder.mkdir()
    (folder / "manifests.yaml").write_bytes((test / "manifests.yaml").read_bytes())
    for number, wish in enumerate(cases["generate"]):
        (folder / f"secret-{number}.json").write_text(json.dumps(secret(wish)), encoding="utf-8")
    return str(folder)
