"""The command line: one group, its commands imported only when called."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import click

from ingress_lint import __version__

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS: Final = (
    "check",
    "trace",
    "test",
    "runbook",
    "routes",
    "units",
    "explain",
    "rules",
    "config",
    "completion",
    "cache",
)
DEFAULT_COMMAND: Final = "check"
_DEBUG: Final = "INGRESS_LINT_DEBUG"
"""The environment variable that shows the traceback of a failure."""
_OWN_OPTIONS: Final = frozenset({"--help", "-h", "--version", "-V"})


class _LazyGroup(click.Group):
    """Imports a command's module when the command is called; what names no command is a path to check."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a command. What it complains of may quote anything, and is made harmless here."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            from ingress_lint.output.sanitize import complaint

            vars(error)["message"] = complaint(error.message)
            raise

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs as a process of its own, which ends soon, and so does without the garbage collector.

        A run makes millions of objects that live to its end and hardly a cycle; walking them again and again, the last
        time while Python shuts down, would take half of the whole time.
        """
        gc.disable()
        try:
            return super().__call__(*args, **kwargs)
        except Exception as error:
            if os.environ.get(_DEBUG):
                raise
            from ingress_lint.linting import BUG
            from ingress_lint.output.sanitize import visible

            told = visible(f"{type(error).__name__}: {error}")
            click.echo(f"ingress-lint: {told}: {BUG}, with what {_DEBUG}=1 shows", err=True)
            sys.exit(2)
        finally:
            gc.freeze()

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"ingress_lint.commands.{cmd_name}").command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands, and paths to check: the first word may be either."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type="file"), *super().shell_complete(ctx, incomplete)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if ctx.resilient_parsing and not args:  # a shell asks what the first word may be
            return super().parse_args(ctx, args)
        if not args or (args[0] not in COMMANDS and args[0] not in _OWN_OPTIONS):
            is_word = bool(args) and not args[0].startswith("-") and not ctx.resilient_parsing
            if is_word and not os.path.lexists(args[0]):
                raise click.UsageError(_unknown(args[0]), ctx)
            args = [DEFAULT_COMMAND, *args]
        return super().parse_args(ctx, args)


def _unknown(word: str) -> str:
    from ingress_lint.output.sanitize import visible
    from ingress_lint.values.spelling import close_matches

    close = close_matches(word, COMMANDS, 1)
    hint = f"; did you mean `{close[0]}`?" if close else f"; the commands are {', '.join(COMMANDS)}"
    return f"{visible(word)} is neither a path that exists nor a command{hint}"


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="`ingress-lint PATH...` is short for `ingress-lint check PATH...`.",
)
@click.version_option(__version__, "-V", "--version", prog_name="ingress-lint")
def main() -> None:
    """Follows a request through Kubernetes manifests and finds, before the deploy, what ends in 502, 503, 504 or 404."""


if __name__ == "__main__":
    main(prog_name="ingress-lint")
