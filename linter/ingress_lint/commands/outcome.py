"""What a command has to say, worked out before any of it is said."""

from __future__ import annotations

import sys

import click
from msgspec import Struct

from ingress_lint.commands.options import complain
from ingress_lint.commands.writing import write


class Outcome(Struct, frozen=True):
    """Everything that a run writes, and its exit status."""

    status: int = 0
    screen: str | None = None
    """What goes to standard output."""
    colored: bool = False
    files: tuple[tuple[str, str], ...] = ()
    """The texts that are written to files, each after its path."""
    complaints: tuple[str, ...] = ()

    def tell(self) -> None:
        """Writes it all, and ends the process where the status is not 0."""
        for file, text in self.files:
            write(file, text)
        if self.screen is not None:
            click.echo(self.screen, nl=False, color=self.colored)
        complain(self.complaints)
        if self.status:
            sys.exit(self.status)
