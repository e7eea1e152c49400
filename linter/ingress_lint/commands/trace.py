"""`ingress-lint trace`: follow requests, hop by hop, to the pods that would answer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from ingress_lint.commands.options import (
    EXIT_FINDINGS,
    Given,
    color_option,
    complete_files,
    reading_options,
    request_options,
    terminal_width,
    use_color,
)

if TYPE_CHECKING:
    from ingress_lint.tracing.asking import Asked


@click.command("trace", context_settings={"help_option_names": ["-h", "--help"]})
@reading_options
@request_options
@click.option(
    "--requests",
    "requests_file",
    metavar="FILE.json",
    shell_complete=complete_files,
    help="A list of requests instead; - for stdin.",
)
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", help="The output form.")
@click.option("-v", "--verbose", is_flag=True, help="Say why each competing route lost.")
@color_option
def command(
    given: Given,
    url: str | None,
    method: str | None,
    headers: tuple[str, ...],
    sni: str | None,
    connect: str | None,
    protocol: str | None,
    requests_file: str | None,
    format_name: str,
    verbose: bool,
    color: str,
) -> None:
    """Follow a request, hop by hop, to the pod that would answer.

    Exit status: 0 a backend or a redirect answers, 1 nothing does or an error on the way stops it, 2
    something could not be read or understood.
    """
    if (url is None) == (requests_file is None):
        raise click.UsageError("give either --url URL or --requests FILE.json")
    from msgspec.structs import replace

    from ingress_lint.commands.following import Follower, request_of, unit_heading
    from ingress_lint.finding import Severity
    from ingress_lint.output import RenderOptions, render, trace_json, trace_text
    from ingress_lint.output.sanitize import json_rows, json_text

    if requests_file is not None:
        requests = _requests(requests_file)
    else:
        requests = [request_of(url or "", method, headers, sni, connect, protocol)]
    follower = Follower(given)
    one = requests_file is None
    follow = follower.follow_alone if one else follower.follow
    traced = [item for request in requests for item in follow(request)]
    if format_name == "json":
        encoder = trace_json.Encoder(follower.locator)
        answers = [encoder.encode(item.trace, item.findings) for item in traced]
        click.echo(json_text(answers[0]) if one and len(answers) == 1 else json_rows(answers), nl=False)
    else:
        style = RenderOptions(color=use_color(color), verbose=verbose, quiet=True, width=terminal_width())
        for number, item in enumerate(traced):
            findings = item.findings
            errors = [finding for finding in findings if len(traced) == 1 and finding.severity is Severity.ERROR]
            rest = [finding for finding in findings if finding not in errors]
            text = trace_text.render(item.trace, findings, rest, follower.locator, style)
            frames = "\n" + render("text", replace(item.report, findings=tuple(errors)), style) if errors else ""
            heading = unit_heading(item.trace, style.color) if len(traced) > len(requests) else ""
            click.echo(("\n" if number else "") + heading + text + frames, nl=False, color=style.color)
    follower.end_if_unread()
    if any(item.trace.outcome not in ("backend", "redirect") for item in traced):
        sys.exit(EXIT_FINDINGS)


def _no_constant(name: str) -> None:
    """Refuses what Python takes for a number, and JSON does not."""
    raise ValueError(f"{name} is no number")


def _requests(file: str) -> list[Asked]:
    import json

    from ingress_lint.load import files
    from ingress_lint.tracing.asking import RequestError, asked_item

    try:
        text = files.read(files.Found.at(file)).text
        items: Any = json.loads(text, parse_constant=_no_constant)
    except files.UnreadableError as error:
        raise click.UsageError(f"--requests {file}: {error}") from None
    except ValueError as error:
        raise click.UsageError(f"--requests {file} is not JSON: {error}") from None
    except RecursionError:
        raise click.UsageError(f"--requests {file} nests too deeply") from None
    if not isinstance(items, list):
        raise click.UsageError(f"--requests {file} does not hold a list of requests")
    try:
        return [asked_item(item, position) for position, item in enumerate(items)]
    except RequestError as error:
        raise click.UsageError(str(error)) from None
