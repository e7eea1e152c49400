"""`ingress-lint check`: lint the paths and print what was found."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click
from msgspec import Struct

from ingress_lint.commands.options import (
    EXIT_FINDINGS,
    EXIT_UNREADABLE,
    FAIL_LEVELS,
    Given,
    color_option,
    complete_files,
    reading_options,
    terminal_width,
    use_color,
)
from ingress_lint.commands.outcome import Outcome
from ingress_lint.commands.writing import target
from ingress_lint.load.files import STANDARD_INPUT
from ingress_lint.output import FORMATS, RenderOptions, render

if TYPE_CHECKING:
    from ingress_lint.configuration.settings import Config
    from ingress_lint.report import Report


_SMALL: Final = 100 * 1024
"""Bytes that take less time to lint than it takes to find an answer."""


class Wanted(Struct, frozen=True):
    """Which rules to run, and what to make of what they find, as the command line says."""

    selected: tuple[str, ...]
    ignored: tuple[str, ...]
    min_severity: str | None
    fail_on: str | None
    fail_on_unchecked: bool
    baseline_file: str | None
    new_baseline: str | None
    screen: str
    """The format of what goes to standard output."""
    style: RenderOptions
    targets: tuple[tuple[str | None, str], ...]
    """The files to write, each after its format, which is None where the file has what would go to standard output."""


@click.command("check", context_settings={"help_option_names": ["-h", "--help"]})
@reading_options
@click.option("--format", "format_name", type=click.Choice(list(FORMATS)), help="The output form (default: text).")
@click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="[FORMAT=]FILE",
    help="Write to FILE instead of standard output; as FORMAT=FILE, besides it, and as often as you like.",
)
@click.option("--select", "selected", multiple=True, metavar="RULES", help="Run only these codes, prefixes or names.")
@click.option("--ignore", "ignored", multiple=True, metavar="RULES", help="Leave these out.")
@click.option(
    "--min-severity",
    type=click.Choice(["error", "warning", "note"]),
    help="Show and count only findings from there up (default: note).",
)
@click.option(
    "--fail-on",
    type=click.Choice(list(FAIL_LEVELS)),
    help="The lowest severity that makes the exit status 1 (default: error).",
)
@click.option("--fail-on-unchecked", is_flag=True, help="Exit with 1 where a unit could not be checked as a whole.")
@click.option(
    "--baseline",
    "baseline_file",
    metavar="FILE",
    shell_complete=complete_files,
    help="Hide the findings that FILE records.",
)
@click.option(
    "--write-baseline",
    "new_baseline",
    metavar="FILE",
    shell_complete=complete_files,
    help="Record today's findings in FILE, and exit with 0.",
)
@click.option("--statistics", is_flag=True, help="Count the findings of each rule.")
@click.option("-q", "--quiet", is_flag=True, help="Findings only, no summary.")
@click.option("-v", "--verbose", is_flag=True, help="Say what was read, passed over and assumed.")
@click.option(
    "--no-cache", is_flag=True, help="Neither repeat what an unchanged run said, nor keep what this one says."
)
@color_option
def command(
    given: Given,
    format_name: str | None,
    outputs: tuple[str, ...],
    statistics: bool,
    quiet: bool,
    verbose: bool,
    no_cache: bool,
    color: str,
    **chosen: Any,
) -> None:
    """Lint manifests: files, folders, or - for standard input.

    Exit status: 0 nothing at or above the fail level, 1 findings, 2 something could not be read.
    """
    wanted = Wanted(
        screen=format_name or ("github" if os.environ.get("GITHUB_ACTIONS") == "true" else "text"),
        style=RenderOptions(
            color=use_color(color), verbose=verbose, quiet=quiet, statistics=statistics, width=terminal_width()
        ),
        targets=tuple(target(value, FORMATS) for value in outputs),
        **chosen,
    )
    if no_cache or _is_quick(given.paths):
        outcome = lint(given, wanted, keeps=not no_cache)
    else:
        from msgspec.structs import replace

        from ingress_lint.answers import answered

        now = None if given.now else datetime.now(UTC)
        outcome = answered((replace(given, jobs=None), wanted), now, lambda: lint(given, wanted, keeps=True), Outcome)
    outcome.tell()


def _is_quick(paths: Sequence[str]) -> bool:
    """Whether there is nothing to gain from a cache: standard input, or so little that to look it up takes longer."""
    if STANDARD_INPUT in paths:
        return True
    return bool(paths) and all(map(os.path.isfile, paths)) and sum(map(os.path.getsize, paths)) <= _SMALL


def lint(given: Given, wanted: Wanted, *, keeps: bool) -> Outcome:
    """What the run says; `keeps` is whether builds come from the cache, and go there. Raises `click.UsageError`."""
    from msgspec.structs import replace

    from ingress_lint import inputs
    from ingress_lint.baseline import BaselineError, baseline_of, read_baseline
    from ingress_lint.commands.progress import Progress
    from ingress_lint.commands.reading import barren, reading
    from ingress_lint.engine import check
    from ingress_lint.finding import Severity
    from ingress_lint.output.wording import shown, unread
    from ingress_lint.packs import PackError, load_rules
    from ingress_lint.selection import SelectionError, select, split_selectors

    try:
        rules = load_rules()
        selected = split_selectors(wanted.selected)
        config, options = reading(given, rules, selects=not selected)
        chosen = select(rules, selected, split_selectors(wanted.ignored))
        options = replace(options, keeps=keeps)
        if wanted.min_severity is not None:
            options = replace(options, min_severity=Severity[wanted.min_severity.upper()])
        known = wanted.baseline_file or config.baseline
        if known is not None and wanted.new_baseline is None:
            options = replace(options, baseline=read_baseline(known))
    except (PackError, SelectionError, BaselineError) as error:
        raise click.UsageError(str(error)) from None
    with Progress(enabled=not wanted.style.quiet) as progress:
        report = check(options, chosen, progress, catalogue=rules)
    if report.unread or report.failures:
        inputs.unrepeatable()
    files = [
        (file, render(name or wanted.screen, report, RenderOptions(statistics=wanted.style.statistics)))
        for name, file in wanted.targets
    ]
    to_screen = all(name for name, _ in wanted.targets)
    if wanted.new_baseline is not None:
        files.append((wanted.new_baseline, baseline_of(shown(report))))
    lines, nothing_to_lint = barren(given, report)
    failed = nothing_to_lint or report.unread or report.failures
    return Outcome(
        status=EXIT_UNREADABLE if failed else _status(report, config, wanted),
        screen=render(wanted.screen, report, wanted.style) if to_screen else None,
        colored=wanted.style.color,
        files=tuple(files),
        complaints=(*unread(report), *report.failures, *lines),
    )


def _status(report: Report, config: Config, wanted: Wanted) -> int:
    """The exit status of a run that could read everything."""
    from ingress_lint.units.coverage import is_whole

    if wanted.new_baseline is not None:
        return 0
    level = FAIL_LEVELS[wanted.fail_on or config.fail_on]
    if any(finding.severity >= level and not finding.suppressed for finding in report.findings):
        return EXIT_FINDINGS
    unchecked = (wanted.fail_on_unchecked or config.fail_on_unchecked) and not is_whole(report.units)
    return EXIT_FINDINGS if unchecked else 0
