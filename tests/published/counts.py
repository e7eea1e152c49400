"""How many answers are right, against how many were."""

from __future__ import annotations

import fcntl
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.published.running import BrokenError

FILE = Path(__file__).with_name("counts.json")
Counts = dict[str, dict[str, int]]
"""Right answers by piece and row."""


@dataclass
class Tally:
    """What one piece scores."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[str, str]] = field(default_factory=list)
    """A row, and one line on what differs."""

    def count(self, row: str, case: str, difference: str | None) -> None:
        """One answer, right where nothing differs."""
        if difference is None:
            self.right[row] += 1
        else:
            self.wrong.append((row, f"{case}: {difference}"))

    @contextmanager
    def running(self, case: str) -> Iterator[None]:
        """What a run that breaks leaves uncounted is not right."""
        try:
            yield
        except BrokenError as error:
            self.wrong.append(("", f"{case}: {error}"))


def recorded() -> Counts:
    counts: Counts = json.loads(FILE.read_text(encoding="utf-8"))
    return counts


def hold(piece: str, tally: Tally, *, update: bool) -> None:
    """Fails where a row of a piece has fewer right answers than are recorded; `update` raises those that have more."""
    known = _raised(piece, tally.right) if update else recorded()
    assert piece in known, f"no counts of {piece} are recorded: run with --update-expected"
    fallen = {row: count for row, count in known[piece].items() if tally.right[row] < count}
    heads = [f"{piece}: {row}: {tally.right[row]} right, {count} are recorded" for row, count in fallen.items()]
    assert not fallen, "\n".join([*heads, *(f"{row}: {line}" for row, line in tally.wrong if row in {"", *fallen})])


def _raised(piece: str, right: Counter[str]) -> Counts:
    """What is recorded once the higher count of each row is written, while no other process writes."""
    with FILE.open("r+", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        counts: Counts = json.load(stream)
        known = counts.get(piece, {})
        counts[piece] = {row: max(known.get(row, 0), right[row]) for row in {**known, **right}}
        lines = [f'  "{name}": {json.dumps(rows, sort_keys=True)}' for name, rows in sorted(counts.items())]
        stream.seek(0)
        stream.write("{\n" + ",\n".join(lines) + "\n}\n")
        stream.truncate()
    return counts
