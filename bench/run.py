"""Measures ingress-lint against its targets, each a ratio to something anybody can run; see README.md beside this.

    python bench/run.py [--apps 2000] [--runs 7] [--only load,memory] [--json FILE] [--against FOLDER_OR_PROGRAM]

Everything timed is a whole process of the interpreter that runs this, started cold. What is compared runs in turn, so
that a machine that slows down slows both, and the median counts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Final

import make_corpus
from measuring import ENVIRONMENT, busy, load_average
from rows import CHECKS, ROWS, Bench, Row
from subjects import PYYAML, other_linter

TITLE_WIDTH: Final = 30


def heading() -> str:
    """The line above the rows."""
    return f"{'':{TITLE_WIDTH}}{'figure':>10}{'target':>10}        {'instructions':18}"


def line(row: Row) -> str:
    """A row as it is printed."""
    figure = "-" if row.figure is None else f"{row.figure:.2f}{row.unit}"
    limit = "" if row.limit is None else f"{row.limit:g}{row.unit}"
    verdict = "" if row.limit is None or row.figure is None else "miss" if row.missed else "pass"
    return f"{row.title:{TITLE_WIDTH}}{figure:>10}{limit:>10}  {verdict:4}  {row.instructions:18}{row.detail}"


def load_line(before: float, after: float) -> str:
    """The machine's load, and what to think of it."""
    told = f"load average {before:.1f} before and {after:.1f} after, on {os.cpu_count()} processors"
    return f"{told}: too busy, do not trust the times" if busy(before, after) else told


def record(rows: dict[str, list[Row]], before: float, after: float) -> str:
    """Everything measured, with each run, as JSON."""
    results = [{"name": name, "missed": row.missed, **asdict(row)} for name, several in rows.items() for row in several]
    machine = {
        "python": platform.python_version(),
        "machine": platform.platform(),
        "processors": os.cpu_count(),
        "load_before": before,
        "load_after": after,
        "busy": busy(before, after),
    }
    return json.dumps({**machine, "rows": results}, indent=2) + "\n"


def main() -> int:
    """The command line; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description="Measure ingress-lint against its targets.")
    parser.add_argument("--apps", type=int, default=make_corpus.DEFAULT_APPS, help="how many apps the corpus has")
    parser.add_argument("--runs", type=int, default=7, help="how many runs of each process")
    parser.add_argument("--only", help=f"a comma list of {', '.join(ROWS)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the results, with every run, in FILE")
    parser.add_argument(
        "--against",
        type=Path,
        metavar="FOLDER_OR_PROGRAM",
        help=f"another installed ingress-lint, to compare {', '.join(CHECKS)} with, instead of the targets",
    )
    options = parser.parse_args()
    baseline, possible = PYYAML, tuple(ROWS)
    if options.against is not None:
        try:
            baseline, possible = other_linter(options.against), CHECKS
        except FileNotFoundError as error:
            parser.error(f"--against: {error} is no ingress-lint and has none")
    chosen = options.only.split(",") if options.only else possible
    if unknown := set(chosen) - set(possible):
        parser.error(f"there is no row {', '.join(sorted(unknown))}, only {', '.join(possible)}")
    before = load_average()
    rows: dict[str, list[Row]] = {}
    with tempfile.TemporaryDirectory() as folder:
        ENVIRONMENT["XDG_CACHE_HOME"] = folder
        bench = Bench(Path(folder), options.apps, options.runs, baseline)
        print(heading())
        for name in chosen:
            rows[name] = ROWS[name](bench)
            for row in rows[name]:
                print(line(row), flush=True)
    after = load_average()
    print(load_line(before, after))
    if options.json is not None:
        options.json.write_text(record(rows, before, after), encoding="utf-8")
    return 1 if any(row.missed for several in rows.values() for row in several) else 0


if __name__ == "__main__":
    sys.exit(main())
