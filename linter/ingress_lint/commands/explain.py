"""`ingress-lint explain`: a rule's page, or the rules that explain a symptom."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

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

if TYPE_CHECKING:
    from ingress_lint.rule import RuleEntry

_LONGEST_QUOTE: Final = 80
"""As many characters of a symptom that nothing is known of are repeated."""


@click.command(
    "explain",
    context_settings={"help_option_names": ["-h", "--help"]},
    options_metavar="CODE_OR_NAME | --symptom TEXT [OPTIONS]",
)
@reading_options
@click.option("--symptom", metavar="TEXT", help="What you see: a status, a log line, a response flag, your own words.")
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", help="The output form.")
@click.option("-v", "--verbose", is_flag=True, help="Say of every rule why it explains the symptom.")
@color_option
def command(
    given: Given,
    symptom: str | None,
    format_name: str,
    verbose: bool,
    color: str,
) -> None:
    """Explain a rule: what it finds, what you see, why it breaks, how to fix it and how to prove it.

    With --symptom, rank the rules that can cause what you see; given PATHs, what they find there comes first.

    Exit status: 0 explained, 1 findings at or above the fail level explain it, 2 nothing is known of it, or something
    could not be read.
    """
    from ingress_lint.packs import PackError, load_rules
    from ingress_lint.rule import RuleImportError
    from ingress_lint.selection import SelectionError, select

    try:
        rules = load_rules()
        if symptom is None:
            _explain_rule(_named(rules, given.paths), format_name, use_color(color))
            return
    except (PackError, SelectionError, RuleImportError) as error:
        raise click.UsageError(str(error)) from None
    from textwrap import shorten

    from ingress_lint.diagnosis import diagnose
    from ingress_lint.linting import importable
    from ingress_lint.output import RenderOptions, diagnosis_json, diagnosis_text
    from ingress_lint.output.sanitize import visible
    from ingress_lint.output.wording import shown, unread

    failures: list[str] = []
    diagnosis = diagnose(symptom, importable(rules, failures))
    if not diagnosis.symptoms and not diagnosis.suspects:
        told = visible(shorten(symptom, _LONGEST_QUOTE, placeholder="..."))
        raise click.UsageError(
            f"nothing is known of the symptom '{told}'; give a status, a log line or a response flag"
        )
    report, level, barren = None, FAIL_LEVELS["never"], False
    if given.paths:
        from ingress_lint.commands.reading import is_barren, reading
        from ingress_lint.engine import check

        try:
            config, options = reading(given, rules)
            chosen = select(rules, config.select, config.ignore)
        except SelectionError as error:
            raise click.UsageError(str(error)) from None
        report = check(options, [rule for rule in chosen if rule.code in diagnosis.codes], catalogue=rules)
        level, barren = FAIL_LEVELS[config.fail_on], is_barren(given, report)
    findings = diagnosis.ranked(shown(report)) if report else []
    if format_name == "json":
        ranking = diagnosis.starting_with(finding.code for finding in findings)
        click.echo(diagnosis_json.render(ranking, findings), nl=False)
    else:
        style = RenderOptions(color=use_color(color), verbose=verbose, quiet=True, width=terminal_width())
        click.echo(diagnosis_text.render(diagnosis, report, findings, style), nl=False, color=style.color)
    failures += report.failures if report else ()
    complain((*(unread(report) if report else ()), *dict.fromkeys(failures)))
    if failures or barren or (report and report.unread):
        sys.exit(EXIT_UNREADABLE)
    if any(finding.severity >= level for finding in findings):
        sys.exit(EXIT_FINDINGS)


def _named(rules: Sequence[RuleEntry], names: Sequence[str]) -> RuleEntry:
    """The one rule that is named. Raises `click.UsageError` where it is not one, `SelectionError` where it is none."""
    from ingress_lint.selection import ALL, matching

    if len(names) != 1:
        raise click.UsageError("give one rule, by its code or name, or --symptom TEXT")
    codes = matching(rules, names[0])
    if len(codes) > 1:
        listed = ALL if names[0].upper() == ALL else f"{names[0].upper()} means"
        raise click.UsageError(f"{listed} several rules: {', '.join(sorted(codes))}; name one")
    return next(rule for rule in rules if rule.code in codes)


def _explain_rule(rule: RuleEntry, format_name: str, colored: bool) -> None:
    if format_name == "json":
        from ingress_lint.output.json_format import encode_rule
        from ingress_lint.output.sanitize import json_text

        click.echo(json_text({**encode_rule(rule), "documentation": rule.documentation}), nl=False)
        return
    documentation = rule.documentation
    title = f"# {rule.code} {rule.name} ({rule.severity.label}, {rule.hop})"
    for line in (title, "", *documentation.splitlines()):
        click.echo(click.style(line, bold=True) if line.startswith("#") and colored else line, color=colored)
