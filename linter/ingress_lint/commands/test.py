"""`ingress-lint test`: routing tests, requests with what must answer them."""

from __future__ import annotations

import sys

import click

from ingress_lint.commands.options import EXIT_FINDINGS, Given, color_option, complete_files, reading_options, use_color


@click.command("test", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("file", metavar="FILE", shell_complete=complete_files)
@reading_options
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["text", "junit", "json"]),
    default="text",
    help="The output form.",
)
@click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="[FORMAT=]FILE",
    help="Write to FILE instead of standard output; as FORMAT=FILE, besides it, and as often as you like.",
)
@click.option("-q", "--quiet", is_flag=True, help="Only the tests that differ.")
@color_option
def command(
    file: str,
    given: Given,
    format_name: str,
    outputs: tuple[str, ...],
    quiet: bool,
    color: str,
) -> None:
    """Run the routing tests in FILE against manifests: requests, and what must answer each.

    Exit status: 0 all is answered as expected, 1 something is not, 2 FILE or a manifest could not be read.
    """
    from ingress_lint.commands.following import Follower
    from ingress_lint.commands.writing import target, write
    from ingress_lint.output.routing_tests import FORMATS
    from ingress_lint.output.sanitize import visible
    from ingress_lint.tracing.judging import outcome
    from ingress_lint.tracing.routing_tests import RoutingTestError, load

    targets = [target(value, FORMATS) for value in outputs]
    try:
        cases = load(file)
    except RoutingTestError as error:
        raise click.UsageError(visible(str(error))) from None
    follower = Follower(given)
    outcomes = [outcome(case, item.trace) for case in cases for item in follower.follow(case.request)]
    to_screen = True
    for target_format, output in targets:
        write(output, FORMATS[target_format or format_name](outcomes, False, quiet))
        to_screen = to_screen and target_format is not None
    if to_screen:
        colored = use_color(color)
        click.echo(FORMATS[format_name](outcomes, colored, quiet), nl=False, color=colored)
    follower.end_if_unread()
    if not all(item.passed for item in outcomes):
        sys.exit(EXIT_FINDINGS)
