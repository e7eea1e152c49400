"""`ingress-lint trace`: follow requests, hop by hop, to the pods that would answer."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from ingress_lint.commands.options import (
    EXIT_FINDINGS,
    EXIT_UNREADABLE,
    color_option,
    complain,
    reading_options,
    use_color,
)
from ingress_lint.tracing.asking import PROTOCOLS, Asked, RequestError, asked, asked_item, headers_of

if TYPE_CHECKING:
    from ingress_lint.finding import Finding
    from ingress_lint.load.positions import Locator
    from ingress_lint.manifests import Manifests
    from ingress_lint.report import Report
    from ingress_lint.reporter import Reporter
    from ingress_lint.tracing.concerns import Concerns
    from ingress_lint.tracing.model import Trace


@click.command("trace", context_settings={"help_option_names": ["-h", "--help"]})
@reading_options
@click.option("--url", metavar="URL", help="The request: scheme, host, port, path and query.")
@click.option("--method", metavar="METHOD", help="Its method (default: GET, or POST for gRPC).")
@click.option("--header", "headers", multiple=True, metavar="'K: V'", help="A header of it; repeatable.")
@click.option("--sni", metavar="NAME", help="The server name of its TLS handshake (default: the URL's host).")
@click.option("--connect", metavar="ENTRY", help="Enter at this Gateway, Ingress class or LoadBalancer Service.")
@click.option("--protocol", type=click.Choice(PROTOCOLS), help="What it speaks (default: what the URL's scheme says).")
@click.option("--requests", "requests_file", metavar="FILE.json", help="A list of requests instead; - for stdin.")
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", help="The output form.")
@click.option("-v", "--verbose", is_flag=True, help="Say why each competing route lost.")
@color_option
def command(
    paths: tuple[str, ...],
    controller: str | None,
    namespace: str | None,
    context_paths: tuple[str, ...],
    assume: str | None,
    config_file: str | None,
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

    Exit status: 0 a backend or a redirect answers, 1 nothing does, 2 something could not be read or understood.
    """
    if (url is None) == (requests_file is None):
        raise click.UsageError("give either --url URL or --requests FILE.json")
    from ingress_lint.commands.reading import reading
    from ingress_lint.engine import read
    from ingress_lint.finding import Severity
    from ingress_lint.output import RenderOptions, render, trace_json, trace_text
    from ingress_lint.output.sanitize import json_text
    from ingress_lint.output.wording import shown
    from ingress_lint.packs import PackError, load_rules
    from ingress_lint.reporter import Reporter
    from ingress_lint.selection import SelectionError, select
    from ingress_lint.tracing.concerns import Concerns

    try:
        requests = (
            _requests(requests_file)
            if requests_file is not None
            else [asked(url or "", method, headers_of(headers), sni, connect or "", protocol)]
        )
        rules = load_rules()
        config, options = reading(paths, controller, namespace, context_paths, assume, config_file, rules)
        rules = select(rules, config.select, config.ignore)
    except (RequestError, PackError, SelectionError) as error:
        raise click.UsageError(str(error)) from None
    manifests = read(options)
    reporter = Reporter(manifests, rules, options)
    traced = _traced(requests, manifests, Concerns(manifests, rules), reporter)
    if requests_file is None and traced[0][0].unclear:
        raise click.UsageError(traced[0][0].why)
    if format_name == "json":
        answers = [trace_json.encode(trace, shown(report), reporter.locator) for trace, report in traced]
        click.echo(json_text(answers if requests_file is not None else answers[0]), nl=False)
    else:
        style = RenderOptions(color=use_color(color), verbose=verbose, quiet=True, width=_width())
        for number, (trace, report) in enumerate(traced):
            findings = shown(report)
            errors = [finding for finding in findings if len(traced) == 1 and finding.severity is Severity.ERROR]
            rest = [finding for finding in findings if finding not in errors]
            text = trace_text.render(trace, findings, rest, reporter.locator, style)
            frames = "\n" + render("text", replace(report, findings=tuple(errors)), style) if errors else ""
            click.echo(("\n" if number else "") + text + frames, nl=False, color=style.color)
    unread = [*manifests.loaded.missing_paths, *(item.message for item in manifests.problems if item.unreadable)]
    complain((*unread, *_unparsed(manifests, reporter.locator)))
    if unread:
        sys.exit(EXIT_UNREADABLE)
    if any(trace.outcome not in ("backend", "redirect") for trace, _ in traced):
        sys.exit(EXIT_FINDINGS)


def _traced(
    requests: Iterable[Asked], manifests: Manifests, concerns: Concerns, reporter: Reporter
) -> list[tuple[Trace, Report]]:
    """Each request followed, with the report of what is found on its way; reports are shared where that is the same."""
    from ingress_lint.output.wording import shown
    from ingress_lint.tracing.concerns import judged
    from ingress_lint.tracing.following import Tracer

    tracer = Tracer(manifests)
    traced: list[tuple[Trace, Report]] = []
    reports: dict[tuple[Finding, ...], Report] = {}
    for request in requests:
        trace = tracer.trace(request)
        found = tuple(concerns.of(trace))
        if found not in reports:
            reports[found] = reporter.report(found)
        traced.append((judged(trace, shown(reports[found])), reports[found]))
    return traced


def _unparsed(manifests: Manifests, locator: Locator) -> Iterator[str]:
    """Which documents did not parse, so that a request may meet more than is known."""
    from ingress_lint.load.document import ProblemKind

    for problem in manifests.problems:
        if problem.kind is ProblemKind.YAML_SYNTAX and not problem.unreadable:
            at = locator.locate(problem.place)
            yield f"{at.file}:{at.line}: {problem.message}; what this document holds is unknown"


def _requests(file: str) -> list[Asked]:
    try:
        with click.open_file(file, encoding="utf-8") as stream:
            items: Any = json.load(stream)
    except OSError as error:
        raise RequestError(f"--requests {file}: {error.strerror}") from None
    except ValueError as error:
        raise RequestError(f"--requests {file} is not JSON: {error}") from None
    if not isinstance(items, list):
        raise RequestError(f"--requests {file} does not hold a list of requests")
    return [asked_item(item, position) for position, item in enumerate(items)]


def _width() -> int:
    try:
        return max(40, os.get_terminal_size(sys.stdout.fileno()).columns)
    except (OSError, ValueError):
        return 100
