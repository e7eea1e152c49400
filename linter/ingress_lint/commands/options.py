"""The options and arguments that commands share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import click

from ingress_lint.output.sanitize import visible
from ingress_lint.tracing.asking import PROTOCOLS

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

EXIT_FINDINGS: Final = 1
EXIT_UNREADABLE: Final = 2


def reading_options(function: Decorated) -> Decorated:
    """The PATHs and how to take what they hold; in `function`, the keyword arguments of `engine.Options`."""
    decorators = (
        click.argument("paths", nargs=-1, metavar="[PATH...]"),
        click.option(
            "--controller",
            metavar="NAME",
            help="The controller of objects whose class says nothing (default: inferred, else ingress-nginx).",
        ),
        click.option("-n", "--namespace", metavar="NAME", help="The namespace of objects that name none."),
        click.option(
            "--context",
            "context_paths",
            multiple=True,
            metavar="PATH",
            help="Objects that references may resolve to, not reported on; repeatable.",
        ),
        click.option(
            "--assume",
            type=click.Choice(["complete", "partial", "auto"]),
            help="Whether an object missing from the set is missing from the cluster (default: auto).",
        ),
        click.option(
            "--config",
            "config_file",
            type=click.Path(exists=True, dir_okay=False),
            help="The configuration file (default: the nearest .ingress-lint.yaml or pyproject.toml).",
        ),
    )
    for decorator in reversed(decorators):
        function = decorator(function)
    return function


def complain(lines: Iterable[str]) -> None:
    """Says on standard error what could not be read, a line each."""
    for line in lines:
        click.echo(f"ingress-lint: {visible(line)}", err=True)


color_option = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Colours on a terminal, always or never; NO_COLOR is honoured.",
)


def use_color(choice: str) -> bool:
    """Whether to colour standard output; https://no-color.org and FORCE_COLOR decide where `choice` is auto."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (sys.stdout.isatty() and os.environ.get("TERM") != "dumb")


def request_options(function: Decorated) -> Decorated:
    """One request; in `function`, the keyword arguments of `following.request_of`."""
    decorators = (
        click.option("--url", metavar="URL", help="The request: scheme, host, port, path and query."),
        click.option("--method", metavar="METHOD", help="Its method (default: GET, or POST for gRPC)."),
        click.option("--header", "headers", multiple=True, metavar="'K: V'", help="A header of it; repeatable."),
        click.option("--sni", metavar="NAME", help="The server name of its TLS handshake (default: the URL's host)."),
        click.option(
            "--connect", metavar="ENTRY", help="Enter at this Gateway, Ingress class or LoadBalancer Service."
        ),
        click.option(
            "--protocol",
            type=click.Choice(PROTOCOLS),
            help="What it speaks (default: what the URL's scheme says).",
        ),
    )
    for decorator in reversed(decorators):
        function = decorator(function)
    return function
