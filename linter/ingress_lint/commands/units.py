"""`ingress-lint units`: what is deployed together, how it was found, and what of it could not be looked at."""

from __future__ import annotations

import sys

import click

from ingress_lint.commands.options import EXIT_UNREADABLE, Given, color_option, complain, reading_options, use_color


@click.command("units", context_settings={"help_option_names": ["-h", "--help"]})
@reading_options
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", help="The output form.")
@color_option
def command(given: Given, format_name: str, color: str) -> None:
    """List what is deployed together: every unit, how it was found, what is in it, what was not looked at and why."""
    from ingress_lint.commands.reading import is_barren, reading
    from ingress_lint.engine import read
    from ingress_lint.output import unit_table
    from ingress_lint.output.json_format import encode_units

    _, options = reading(given)
    manifests = read(options)
    if format_name == "json":
        click.echo(encode_units(manifests.units), nl=False)
    else:
        colored = use_color(color)
        click.echo(unit_table.render(manifests.units, colored), nl=False, color=colored)
    problems = [problem.message for problem in manifests.problems if problem.unreadable]
    complain((*manifests.loaded.missing_paths, *problems))
    if is_barren(given, manifests) or problems or manifests.loaded.missing_paths:
        sys.exit(EXIT_UNREADABLE)
