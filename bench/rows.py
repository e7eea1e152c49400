"""The rows of the benchmark's table, each by its name on the command line: a target, or a figure to know."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import make_corpus
from measuring import Command, Samples, in_turn, instructions
from subjects import (
    CLICK,
    KUBE_SCORE,
    KUBECONFORM,
    LINTER,
    PYYAML,
    Baseline,
    Peer,
    check,
    check_again,
    read_again,
    render_each,
    version,
)

GROWTH: Final = 10
SMALL_APPS: Final = 100
REPOSITORY: Final = 3
"""Half as many times the apps that the repository has: 3,000 apps in 9,000 files."""
LARGE: Final = 3
"""How many times the apps the large corpus has."""
CHARTS: Final = 50
"""How many charts are rendered."""
CASES: Final = "INGRESS_LINT_CASES"
"""The environment variable that names a folder of published cases; its `charts` are rendered charts."""


@dataclass(frozen=True)
class Row:
    """One line of the table. `figure` is a multiple of the baseline, or megabytes; None where nothing was measured.

    `instructions` compares executed instructions, where they were asked for. `samples` are all runs.
    """

    title: str
    figure: float | None
    unit: str
    limit: float | None
    detail: str
    instructions: str = ""
    samples: tuple[Samples, ...] = ()

    @property
    def missed(self) -> bool:
        """Whether it is a target that was not reached."""
        return self.limit is not None and self.figure is not None and self.figure > self.limit


def compared(
    title: str, mine: Samples, baseline: Samples, than: str, limit: float | None = None, instructions: str = ""
) -> Row:
    """A ratio of times on the wall."""
    detail = (
        f"{mine.wall:.3f} s against {baseline.wall:.3f} s for {than}; "
        f"processor {mine.processor / baseline.processor:.2f}"
    )
    return Row(title, mine.wall / baseline.wall, "x", limit, detail, instructions, (mine, baseline))


def compared_processor(title: str, mine: Samples, baseline: Samples, than: str, limit: float | None) -> Row:
    """A ratio of processor time, from runs that another row keeps."""
    detail = f"{mine.processor:.3f} s against {baseline.processor:.3f} s for {than}"
    return Row(title, mine.processor / baseline.processor, "x", limit, detail)


def compared_instructions(mine: Command, baseline: Command) -> str:
    """A ratio of executed instructions."""
    own = instructions(mine)
    if own is None:
        return "no valgrind"
    others = instructions(baseline)
    assert others
    return f"{own / others:.2f}x ({own / 1e6:,.0f} M)"


class Bench:
    """What the rows share: corpora, which are made when first asked for, and what a check is compared with."""

    def __init__(self, folder: Path, apps: int, runs: int, baseline: Baseline) -> None:
        self._folder = folder
        self._apps = apps
        self._runs = runs
        self._baseline = baseline

    def _corpus(self, apps: int) -> Path:
        folder = self._folder / str(apps)
        if not folder.exists():
            make_corpus.write(folder, apps)
        return folder

    def _small_file(self) -> Path:
        """One clean app of three objects, alone in its folder."""
        file = self._folder / "small" / "small.yaml"
        app = next(app for app in make_corpus.apps(make_corpus.FAULT_EVERY) if not app.fault)
        file.parent.mkdir(exist_ok=True)
        file.write_text(make_corpus.manifest(app), encoding="utf-8")
        return file

    def _target(self, limit: float) -> float | None:
        """A limit of a check, which is one against PyYAML alone."""
        return limit if self._baseline is PYYAML else None

    def _check(self, folder: Path) -> tuple[Samples, Samples]:
        mine, baseline = in_turn(self._runs, check(folder), self._baseline.command(folder))
        return mine, baseline

    def _counted_check(self, title: str, folder: Path) -> Row:
        mine, baseline = self._check(folder)
        counted = compared_instructions(mine.command, baseline.command)
        return compared(title, mine, baseline, self._baseline.name, instructions=counted)

    # -- a check, against only loading the same files or against another version --

    def one_file(self) -> list[Row]:
        """A folder with one file of three objects."""
        return [self._counted_check("check, 3 objects", self._small_file().parent)]

    def hundred(self) -> list[Row]:
        """A corpus that is small enough to count instructions, too."""
        return [self._counted_check(f"check, {SMALL_APPS} apps", self._corpus(SMALL_APPS))]

    def load(self) -> list[Row]:
        """The corpus."""
        mine, baseline = self._check(self._corpus(self._apps))
        title, than = f"check, {self._apps:,} apps", self._baseline.name
        return [
            compared(title, mine, baseline, than, self._target(1.0)),
            compared_processor(f"{title}, processor", mine, baseline, than, self._target(1.1)),
        ]

    def repository(self) -> list[Row]:
        """Apps that Flux deploys, three files each, against loading these."""
        apps = self._apps * REPOSITORY // 2
        folder = self._folder / f"repository-{apps}"
        if not folder.exists():
            make_corpus.write_repository(folder, apps)
        mine, baseline = self._check(folder)
        return [compared(f"check, repository of {3 * apps:,} files", mine, baseline, self._baseline.name)]

    def unchanged(self) -> list[Row]:
        """The corpus as it was in the run before, against reading and hashing it."""
        corpus = self._corpus(self._apps)
        mine, baseline = in_turn(self._runs, check_again(corpus), read_again(corpus))
        title, than = "check, nothing has changed", "click, reading and hashing"
        return [
            compared(title, mine, baseline, than, 1.5),
            compared_processor(f"{title}, processor", mine, baseline, than, 1.5),
        ]

    def large(self) -> list[Row]:
        """Three times the corpus."""
        mine, baseline = self._check(self._corpus(LARGE * self._apps))
        return [compared(f"check, {LARGE * self._apps:,} apps", mine, baseline, self._baseline.name)]

    def charts(self) -> list[Row]:
        """Published charts, rendered: what people really write."""
        folder = Path(os.environ.get(CASES, "")) / "charts"
        title = "check, charts"
        if not os.environ.get(CASES) or not folder.is_dir():
            return [Row(title, None, "x", self._target(1.0), f"{CASES} names no folder with charts")]
        mine, baseline = self._check(folder)
        than = f"{self._baseline.name}; {sum(1 for _ in folder.iterdir())} charts"
        return [compared(title, mine, baseline, than, self._target(1.0))]

    def _charts(self) -> Path:
        folder = self._folder / "charts"
        if not folder.exists():
            make_corpus.write_charts(folder, CHARTS)
        return folder

    def charts_cold(self) -> list[Row]:
        """Charts that were never rendered, against helm rendering each of them."""
        helm = shutil.which("helm")
        if helm is None:
            return [Row("check, charts rendered", None, "x", None, "helm is not on PATH")]
        folder = self._charts()
        mine, rendering = in_turn(self._runs, check(folder), render_each(helm, folder))
        return [compared("check, charts rendered", mine, rendering, f"helm alone; {CHARTS} charts")]

    def charts_warm(self) -> list[Row]:
        """Charts as they were in the run before, against importing click three times, reading and hashing them."""
        title, limit = "check, charts unchanged", 1.0
        if shutil.which("helm") is None:
            return [Row(title, None, "x", limit, "helm is not on PATH")]
        folder = self._charts()
        mine, reading, click = in_turn(self._runs, check_again(folder), read_again(folder), CLICK)
        allowed = 2 * click.wall + max(reading.wall, click.wall)
        detail = f"{mine.wall:.3f} s against {allowed:.3f} s for 3 x click, reading and hashing; {CHARTS} charts"
        return [Row(title, mine.wall / allowed, "x", limit, detail, samples=(mine, reading, click))]

    # -- the linter alone --

    def version(self) -> list[Row]:
        """`--version`, against importing click."""
        mine, baseline = in_turn(2 * self._runs, (LINTER, "--version"), CLICK)
        counted = compared_instructions(mine.command, baseline.command)
        return [compared("--version", mine, baseline, "python -c 'import click'", 1.3, counted)]

    def help(self) -> list[Row]:
        """`check --help`, against `--version`."""
        mine, baseline = in_turn(2 * self._runs, (LINTER, "check", "--help"), (LINTER, "--version"))
        return [compared("check --help", mine, baseline, "--version", 1.5)]

    def small(self) -> list[Row]:
        """One small clean file, against importing click."""
        mine, baseline = in_turn(2 * self._runs, check(self._small_file()), CLICK)
        counted = compared_instructions(mine.command, baseline.command)
        return [compared("check, one small file", mine, baseline, "python -c 'import click'", 2.5, counted)]

    def memory(self) -> list[Row]:
        """The largest resident size of checking the corpus."""
        (mine,) = in_turn(self._runs, check(self._corpus(self._apps)))
        detail = f"{3 * self._apps:,} objects"
        return [Row("check, peak memory", mine.memory / 1e6, " MB", 90, detail, samples=(mine,))]

    def growth(self) -> list[Row]:
        """Ten times the apps."""
        large, usual = self._corpus(GROWTH * self._apps), self._corpus(self._apps)
        mine, baseline = in_turn(self._runs, check(large), check(usual))
        return [compared(f"check, {GROWTH} x the apps", mine, baseline, f"{self._apps:,} apps", GROWTH + 0.5)]

    # -- peers --

    def kubeconform(self) -> list[Row]:
        """The corpus, against validating it."""
        return [self._against_peer(KUBECONFORM)]

    def kube_score(self) -> list[Row]:
        """The corpus, against scoring it."""
        return [self._against_peer(KUBE_SCORE)]

    def _against_peer(self, peer: Peer) -> Row:
        title = f"check / {peer.name}"
        program = shutil.which(peer.name)
        if program is None:
            return Row(title, None, "x", None, f"{peer.name} is not on PATH")
        corpus = self._corpus(self._apps)
        mine, theirs = in_turn(self._runs, check(corpus), peer.command(program, corpus))
        than = f"{peer.name} {version(program, peer)}, {self._apps:,} apps ({peer.does})"
        return compared(title, mine, theirs, than)


ROWS: Final[dict[str, Callable[[Bench], list[Row]]]] = {
    "version": Bench.version,
    "help": Bench.help,
    "small": Bench.small,
    "one-file": Bench.one_file,
    "hundred": Bench.hundred,
    "load": Bench.load,
    "repository": Bench.repository,
    "unchanged": Bench.unchanged,
    "large": Bench.large,
    "charts": Bench.charts,
    "charts-cold": Bench.charts_cold,
    "charts-warm": Bench.charts_warm,
    "memory": Bench.memory,
    "growth": Bench.growth,
    "kubeconform": Bench.kubeconform,
    "kube-score": Bench.kube_score,
}
CHECKS: Final = ("one-file", "hundred", "load", "repository", "large", "charts")
"""The rows that can also compare with another version."""
