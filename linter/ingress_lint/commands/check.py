"""`ingress-lint check`: lint the paths and print what was found."""

from __future__ import annotations

import os
import sys

import click

from ingress_lint.commands.options import (
    EXIT_FINDINGS,
    EXIT_UNREADABLE,
    FAIL_LEVELS,
    Given,
    color_option,
    complain,
    reading_options,
    terminal_width,
    use_color,
)
from ingress_lint.commands.progress import Progress
from ingress_lint.commands.writing import target, write
from ingress_lint.output import FORMATS, RenderOptions, render


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
@click.option("--baseline", "baseline_file", metavar="FILE", help="Hide the findings that FILE records.")
@click.option(
    "--write-baseline", "new_baseline", metavar="FILE", help="Record today's findings in FILE, and exit with 0."
)
@click.option("--statistics", is_flag=True, help="Count the findings of each rule.")
@click.option("-q", "--quiet", is_flag=True, help="Findings only, no summary.")
@click.option("-v", "--verbose", is_flag=True, help="Say what was read, passed over and assumed.")
@color_option
def command(
    given: Given,
    format_name: str | None,
    outputs: tuple[str, ...],
    selected: tuple[str, ...],
    ignored: tuple[str, ...],
    min_severity: str | None,
    fail_on: str | None,
    fail_on_unchecked: bool,
    baseline_file: str | None,
    new_baseline: str | None,
    statistics: bool,
    quiet: bool,
    verbose: bool,
    color: str,
) -> None:
    """Lint manifests: files, folders, or - for standard input.

    Exit status: 0 nothing at or above the fail level, 1 findings, 2 something could not be read.
    """
    from msgspec.structs import replace

    from ingress_lint.baseline import BaselineError, baseline_of, read_baseline
    from ingress_lint.commands.reading import is_barren, reading
    from ingress_lint.engine import check
    from ingress_lint.finding import Severity
    from ingress_lint.output.wording import shown, unread
    from ingress_lint.packs import PackError, load_rules
    from ingress_lint.selection import SelectionError, select, split_selectors
    from ingress_lint.units.coverage import is_whole

    targets = [target(value, FORMATS) for value in outputs]
    try:
        rules = load_rules()
        config, options = reading(given, rules)
        chosen = select(
            rules,
            split_selectors(selected) or config.select,
            split_selectors(ignored),
        )
        if min_severity is not None:
            options = replace(options, min_severity=Severity[min_severity.upper()])
        known = baseline_file or config.baseline
        if known is not None and new_baseline is None:
            options = replace(options, baseline=read_baseline(known))
    except (PackError, SelectionError, BaselineError) as error:
        raise click.UsageError(str(error)) from None
    with Progress(enabled=not quiet) as progress:
        report = check(options, chosen, progress, catalogue=rules)
    style = RenderOptions(
        color=use_color(color), verbose=verbose, quiet=quiet, statistics=statistics, width=terminal_width()
    )
    name = format_name or ("github" if os.environ.get("GITHUB_ACTIONS") == "true" else "text")
    to_screen = True
    for target_format, file in targets:
        write(file, render(target_format or name, report, RenderOptions(statistics=statistics)))
        to_screen = to_screen and target_format is not None
    if to_screen:
        click.echo(render(name, report, style), nl=False, color=style.color)
    if new_baseline is not None:
        write(new_baseline, baseline_of(shown(report)))
    complain((*unread(report), *report.failures))
    if is_barren(given, report) or report.unread or report.failures:
        sys.exit(EXIT_UNREADABLE)
    if new_baseline is not None:
        return
    level = FAIL_LEVELS[fail_on or config.fail_on]
    if any(finding.severity >= level and not finding.suppressed for finding in report.findings):
        sys.exit(EXIT_FINDINGS)
    if (fail_on_unchecked or config.fail_on_unchecked) and not is_whole(report.units):
        sys.exit(EXIT_FINDINGS)
