"""The options and arguments that commands share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from msgspec import Struct

from ingress_lint.output.sanitize import visible
from ingress_lint.values.patterns import deferred

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_KUBE_VERSION: Final = deferred(r"v?\d+\.\d+(?:\.\d+)?(?:[-+][\w.+-]+)?")
EXIT_FINDINGS: Final = 1
EXIT_UNREADABLE: Final = 2
FAIL_LEVELS: Final = {"error": 3, "warning": 2, "note": 1, "never": 4}
"""The lowest severity that makes the exit status 1, by the name that `--fail-on` takes."""


class Given(Struct, frozen=True):
    """What the command line says of the input: the PATHs, and how to take what they hold."""

    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    controller: str | None = None
    namespace: str | None = None
    context_paths: tuple[str, ...] = ()
    assume: str | None = None
    config_file: str | None = None
    values: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    kube_version: str | None = None
    render: bool = True
    network: bool = False
    jobs: int | None = None
    now: datetime | None = None


def _moment(_context: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    """A date or a time of ISO 8601; UTC where it names no zone."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no date such as 2026-03-01 or 2026-03-01T12:00:00Z") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _kube_version(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _KUBE_VERSION.fullmatch(value):
        raise click.BadParameter(f"{value!r} is no version of Kubernetes such as 1.31")
    return value


def complete_files(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leaves it to the shell to complete a path."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def reading_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The PATHs and how to take what they hold; `function` gets them as `given`."""
    decorators = (
        click.argument("paths", nargs=-1, metavar="[PATH...]", shell_complete=complete_files),
        click.option(
            "--exclude",
            multiple=True,
            metavar="PATTERN",
            help="Pass over what fits, in gitignore's syntax, besides what git ignores; repeatable.",
        ),
        click.option(
            "--unit", "units", multiple=True, metavar="GLOB", help="Only the units of these names; repeatable."
        ),
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
            shell_complete=complete_files,
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
        click.option(
            "--values",
            multiple=True,
            metavar="FILE",
            shell_complete=complete_files,
            type=click.Path(exists=True, dir_okay=False),
            help="Values for the charts among the PATHs, as helm takes them; repeatable.",
        ),
        click.option("--set", multiple=True, metavar="K=V", help="A value for these charts; repeatable."),
        click.option(
            "--kube-version",
            callback=_kube_version,
            metavar="X.Y",
            help="The version of Kubernetes to render for (default: the newest known).",
        ),
        click.option("--no-render", "render", flag_value=False, default=True, help="Run neither helm nor kustomize."),
        click.option("--network", is_flag=True, help="Let helm and kustomize fetch what lies elsewhere."),
        click.option(
            "--jobs",
            type=click.IntRange(min=1),
            metavar="N",
            help="How many processes may build and lint side by side (default: as many as there are processors).",
        ),
        click.option(
            "--now",
            callback=_moment,
            metavar="DATE",
            help="When certificates must be valid, in ISO 8601 (default: now).",
        ),
    )

    @wraps(function)
    def with_given(**options: Any) -> Any:
        given = Given(**{name: options.pop(name) for name in Given.__struct_fields__})
        return function(given=given, **options)

    wrapped: Callable[..., Any] = with_given
    for decorator in reversed(decorators):
        wrapped = decorator(wrapped)
    return wrapped


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


def terminal_width() -> int:
    """How many columns standard output has, 100 where it is no terminal."""
    try:
        return max(40, os.get_terminal_size(sys.stdout.fileno()).columns)
    except (OSError, ValueError):
        return 100


def request_options(function: Decorated) -> Decorated:
    """One request; in `function`, the keyword arguments of `following.request_of`."""
    from ingress_lint.tracing.asking import PROTOCOLS

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
