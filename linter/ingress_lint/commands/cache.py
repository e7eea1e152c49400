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
    from ingress_lint import answers
    from ingress_lint.build import fetching, kept
    from ingress_lint.store import user_folder

    removed = sum(store.clear() for store in (answers.store(), kept.store(), fetching.store()))
    entries = "entry" if removed == 1 else "entries"
    click.echo(f"removed {removed} {entries} from {click.format_filename(user_folder())}")
