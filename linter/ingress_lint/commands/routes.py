"""`ingress-lint routes`: the table of every route."""

from __future__ import annotations

import sys

import click

from ingress_lint.commands.options import EXIT_UNREADABLE, Given, color_option, complain, reading_options, use_color


@click.command("routes", context_settings={"help_option_names": ["-h", "--help"]})
@reading_options
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", help="The output form.")
@color_option
def command(
    given: Given,
    format_name: str,
    color: str,
) -> None:
    """Show every route: listener, host, path, backend, port, health check, protocol, timeouts."""
    from ingress_lint.build.locating import SourceLocator
    from ingress_lint.commands.reading import is_barren, reading
    from ingress_lint.engine import read
    from ingress_lint.output import route_model, route_table

    _, options = reading(given)
    manifests = read(options)
    routes = [
        (held.unit_of(route.owner.document), route)
        for held in manifests.sets
        for route in held.routes
        if held.shows(route.owner.document)
    ]
    colored = use_color(color)
    if format_name == "json":
        click.echo(route_model.render(routes, SourceLocator(manifests.places)), nl=False)
    else:
        click.echo(route_table.render(routes, colored), nl=False, color=colored)
    problems = [problem for problem in manifests.problems if problem.unreadable]
    complain((*manifests.loaded.missing_paths, *(problem.message for problem in problems)))
    if is_barren(given, manifests) or problems or manifests.loaded.missing_paths:
        sys.exit(EXIT_UNREADABLE)
