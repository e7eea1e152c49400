"""Measures ingress-lint against its targets, each a ratio to something anybody can run; see README.md beside this.

    python bench/run.py [--apps 2000] [--runs 5] [--only load,memory]

Everything timed is a whole process of the interpreter that runs this, started cold. What is compared runs in turn, so
that a machine that slows down slows both, and the median counts.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import make_corpus

PYYAML: Final = """
import os, sys, yaml
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            for value in yaml.load_all(file.read(), Loader=yaml.CSafeLoader):
                pass
"""
LINTER: Final = str(Path(sys.executable).with_name("ingress-lint"))
GROWTH: Final = 10
ENVIRONMENT: Final = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
Command = Sequence[str]


@dataclass(frozen=True)
class Measured:
    """One process: seconds on the wall, seconds of processor, and its largest resident size in bytes."""

    wall: float
    processor: float
    memory: int


@dataclass(frozen=True)
class Target:
    """One line of the table. `figure` is a multiple of the baseline, or megabytes."""

    name: str
    figure: float
    limit: float
    unit: str
    detail: str

    @property
    def reached(self) -> bool:
        """Whether it is."""
        return self.figure <= self.limit


def measure(command: Command) -> Measured:
    """Runs `command` to its end; a linter that finds something exits with 1, which is no failure."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENVIRONMENT)
    assert process.stderr is not None
    complaint = process.stderr.read()
    process.stderr.close()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1) or complaint:
        sys.exit(f"{' '.join(command)} exited with {process.returncode}: {complaint.decode(errors='replace')}")
    scale = 1 if sys.platform == "darwin" else 1024
    return Measured(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * scale)


def in_turn(runs: int, *commands: Command) -> list[Measured]:
    """The median of `runs` runs of each command, after one that warms the disk's and Python's caches."""
    for command in commands:
        measure(command)
    taken: list[list[Measured]] = [[] for _ in commands]
    for _ in range(runs):
        for command, results in zip(commands, taken, strict=True):
            results.append(measure(command))
    return [
        Measured(
            statistics.median(result.wall for result in results),
            statistics.median(result.processor for result in results),
            max(result.memory for result in results),
        )
        for results in taken
    ]


def compared(name: str, limit: float, mine: Measured, baseline: Measured, than: str) -> Target:
    """A target that is a ratio of times."""
    detail = (
        f"{mine.wall:.3f} s against {baseline.wall:.3f} s for {than}; "
        f"processor {mine.processor / baseline.processor:.2f}"
    )
    return Target(name, mine.wall / baseline.wall, limit, "x", detail)


class Bench:
    """The targets, each by its name on the command line."""

    def __init__(self, folder: Path, apps: int, runs: int) -> None:
        self._folder = folder
        self._apps = apps
        self._runs = runs
        self._corpus = folder / "corpus"
        make_corpus.write(self._corpus, apps)

    def load(self) -> Target:
        """Linting against only loading the same files."""
        mine, baseline = in_turn(
            self._runs,
            (LINTER, "check", str(self._corpus)),
            (sys.executable, "-c", PYYAML, str(self._corpus)),
        )
        return compared("check, cold", 1.0, mine, baseline, "loading with PyYAML's C loader")

    def memory(self) -> Target:
        """The largest resident size of linting."""
        mine = measure((LINTER, "check", str(self._corpus)))
        return Target("check, peak memory", mine.memory / 1e6, 300, " MB", f"{3 * self._apps:,} objects")

    def growth(self) -> Target:
        """Linting ten times the apps."""
        large = self._folder / "large"
        make_corpus.write(large, GROWTH * self._apps)
        runs = min(self._runs, 3)
        mine, baseline = in_turn(runs, (LINTER, "check", str(large)), (LINTER, "check", str(self._corpus)))
        return compared(f"check, {GROWTH} x the apps", GROWTH + 1, mine, baseline, f"{self._apps:,} apps")

    def version(self) -> Target:
        """`--version` against importing click."""
        mine, baseline = in_turn(4 * self._runs, (LINTER, "--version"), (sys.executable, "-c", "import click"))
        return compared("--version", 1.3, mine, baseline, "python -c 'import click'")

    def small(self) -> Target:
        """One small clean file, against importing click."""
        file = self._folder / "small.yaml"
        app = next(app for app in make_corpus.apps(make_corpus.FAULT_EVERY) if not app.fault)
        file.write_text(make_corpus.manifest(app), encoding="utf-8")
        mine, baseline = in_turn(4 * self._runs, (LINTER, "check", str(file)), (sys.executable, "-c", "import click"))
        return compared("check, one small file", 2.5, mine, baseline, "python -c 'import click'")


TARGETS: Final[dict[str, Callable[[Bench], Target]]] = {
    "load": Bench.load,
    "memory": Bench.memory,
    "growth": Bench.growth,
    "version": Bench.version,
    "small": Bench.small,
}


def main() -> int:
    """The command line; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description="Measure ingress-lint against its targets.")
    parser.add_argument("--apps", type=int, default=make_corpus.DEFAULT_APPS, help="how many apps the corpus has")
    parser.add_argument("--runs", type=int, default=5, help="how many runs of each process")
    parser.add_argument("--only", default=",".join(TARGETS), help=f"a comma list of {', '.join(TARGETS)}")
    options = parser.parse_args()
    chosen = options.only.split(",")
    if unknown := set(chosen) - set(TARGETS):
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options.apps, options.runs)
        missed = 0
        print(f"{'':24}{'figure':>10}{'target':>10}")
        for name in chosen:
            target = TARGETS[name](bench)
            missed += not target.reached
            verdict = "pass" if target.reached else "miss"
            figure, limit = f"{target.figure:.2f}{target.unit}", f"{target.limit:g}{target.unit}"
            print(f"{target.name:24}{figure:>10}{limit:>10}  {verdict}  {target.detail}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
