"""`ingress-lint runbook`: the five-phase diagnostic of one route, as commands."""

from __future__ import annotations

import click

from ingress_lint.commands.options import Given, color_option, reading_options, request_options, use_color


@click.command("runbook", context_settings={"help_option_names": ["-h", "--help"]})
@reading_options
@request_options
@click.option(
    "--format", "format_name", type=click.Choice(["text", "markdown"]), default="text", help="The output form."
)
@color_option
def command(
    given: Given,
    url: str | None,
    method: str | None,
    headers: tuple[str, ...],
    sni: str | None,
    connect: str | None,
    protocol: str | None,
    format_name: str,
    color: str,
) -> None:
    """Write the diagnostic of one request's route: commands from inside the cluster outwards, and what answers mean.

    Nothing is run. Exit status: 0 a runbook is written, 1 nothing serves the request, 2 something could not be read or
    understood.
    """
    if url is None:
        raise click.UsageError("give the request: --url URL")
    from ingress_lint.commands.following import Follower, request_of, unit_heading
    from ingress_lint.output import runbook_markdown, runbook_text
    from ingress_lint.output.sanitize import visible
    from ingress_lint.runbook.writing import runbook

    request = request_of(url, method, headers, sni, connect, protocol)
    follower = Follower(given)
    answering = follower.follow_alone(request)
    colored = use_color(color) and format_name == "text"
    for number, followed in enumerate(answering):
        trace = followed.trace
        if trace.entry is None or trace.held is None:
            follower.end_if_unread()
            raise click.ClickException(visible(trace.why))
        book = runbook(trace, trace.entry, trace.held.graph, followed.findings)
        text = runbook_markdown.render(book) if format_name == "markdown" else runbook_text.render(book, colored)
        heading = unit_heading(trace, colored) + "\n" if len(answering) > 1 else ""
        click.echo(("\n" if number else "") + heading + text, nl=False, color=colored)
    follower.end_if_unread()
