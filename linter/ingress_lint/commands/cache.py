"""`ingress-lint cache`: what earlier runs left behind to make later ones quick."""

from __future__ import annotations

import click

_HELP = {"help_option_names": ["-h", "--help"]}


@click.group("cache", context_settings=_HELP)
def command() -> None:
    """What earlier runs left behind to make later ones quick."""


@command.command("clear", context_settings=_HELP)
def clear() -> None:
    """Empty the cache."""
    from ingress_lint.cache.answers import store

    answers = store()
    removed = answers.clear()
    click.echo(
        f"removed {removed} {'entry' if removed == 1 else 'entries'} from {click.format_filename(answers.folder)}"
    )
