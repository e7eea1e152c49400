"""Answers of which one is unknown: True, False, or None for what nobody can tell."""

from __future__ import annotations

from collections.abc import Iterable


def either(answers: Iterable[bool | None]) -> bool | None:
    """Whether one of several things holds."""
    seen = set(answers)
    return True if True in seen else None if None in seen else False


def every(answers: Iterable[bool | None]) -> bool | None:
    """Whether all of several things hold."""
    seen = set(answers)
    return False if False in seen else None if None in seen else True


def negated(answer: bool | None) -> bool | None:
    """Whether something does not hold."""
    return None if answer is None else not answer
