"""Measures processes: how long they take, how much memory, how many instructions, and how busy the machine is."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ENVIRONMENT: Final = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
Command = Sequence[str]


@dataclass(frozen=True)
class Measured:
    """One process: seconds on the wall, seconds of processor, and its largest resident size in bytes."""

    wall: float
    processor: float
    memory: int


@dataclass(frozen=True)
class Samples:
    """All runs of one command. What counts of times is their median, and of memory the most."""

    command: Command
    runs: tuple[Measured, ...]

    @property
    def wall(self) -> float:
        """Seconds on the wall."""
        return statistics.median(run.wall for run in self.runs)

    @property
    def processor(self) -> float:
        """Seconds of processor, of the user and the system."""
        return statistics.median(run.processor for run in self.runs)

    @property
    def memory(self) -> int:
        """Bytes resident at most."""
        return max(run.memory for run in self.runs)


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


def in_turn(runs: int, *commands: Command) -> list[Samples]:
    """`runs` runs of each command, one after the other, after one that warms the disk's and Python's caches."""
    for command in commands:
        measure(command)
    taken: list[list[Measured]] = [[] for _ in commands]
    for _ in range(runs):
        for command, results in zip(commands, taken, strict=True):
            results.append(measure(command))
    return [Samples(command, tuple(results)) for command, results in zip(commands, taken, strict=True)]


def instructions(command: Command) -> int | None:
    """How many instructions a command executes, its child processes aside; None without valgrind.

    They hardly depend on the machine and not on its load. The command is an interpreter's, or a program that lies
    beside its interpreter, as those of a virtual environment do.
    """
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return None
    interpreter = () if command[0] == sys.executable else (str(Path(command[0]).with_name("python")),)
    counting = (valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", *interpreter, *command)
    environment = {**ENVIRONMENT, "PYTHONHASHSEED": "0"}
    run = subprocess.run(counting, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment, check=False)
    complaint = run.stderr.decode(errors="replace")
    collected = re.search(r"Collected : (\d+)", complaint)
    if run.returncode not in (0, 1) or collected is None:
        sys.exit(f"{' '.join(counting)} exited with {run.returncode}: {complaint}")
    return int(collected[1])


def load_average() -> float:
    """How many processes wanted a processor over the last minute."""
    return os.getloadavg()[0]


def busy(before: float, after: float) -> bool:
    """Whether others took so much of the machine that times can't be trusted; the benchmark itself keeps one busy."""
    spare = (os.cpu_count() or 1) / 2
    return before > spare or after > 1 + spare
