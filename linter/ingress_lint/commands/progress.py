"""A progress bar for runs that take their time."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Final

import click

_PATIENCE: Final = 1.0
"""Seconds before a bar appears."""


class Progress:
    """Shows a bar on standard error, where that is a terminal, once reading takes more than a second."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled and sys.stderr.isatty()
        self._started = time.monotonic()
        self._bar: Any = None

    def __call__(self, done: int, total: int) -> None:
        """Called after each file."""
        if not self._enabled:
            return
        if self._bar is None:
            if time.monotonic() - self._started < _PATIENCE:
                return
            self._bar = click.progressbar(length=total, label="reading", file=sys.stderr, show_pos=True)
            self._bar.__enter__()
        self._bar.update(done - self._bar.pos)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, traceback)
