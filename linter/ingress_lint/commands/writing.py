"""`--output [FORMAT=]FILE`: what a command prints, written to files."""

from __future__ import annotations

from collections.abc import Collection

import click


def target(value: str, formats: Collection[str]) -> tuple[str | None, str]:
    """The format, None where the value names none, and the file.

    Raises `click.UsageError` for an unknown format, and for one without a file.
    """
    name, equals, file = value.partition("=")
    if name in formats and not file:
        raise click.UsageError(f"--output {value}: that is a format without a file; --output {name}=FILE writes one")
    if not equals:
        return None, value
    if name not in formats:
        raise click.UsageError(f"--output {value}: there is no format {name!r}, only {', '.join(formats)}")
    return name, file


def write(file: str, text: str) -> None:
    """Writes a file, making its folder. Raises `click.UsageError` where that fails."""
    from pathlib import Path

    try:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise click.UsageError(f"--output {file}: {error.strerror}") from None
