"""Which rules run: codes, code prefixes, names or ALL, as on the command line and in the configuration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ingress_lint.rule import RuleEntry
from ingress_lint.values.spelling import close_matches

ALL = "ALL"


class SelectionError(Exception):
    """A selector that means no rule; the message names the nearest."""


def select(rules: Sequence[RuleEntry], selected: Iterable[str], ignored: Iterable[str]) -> tuple[RuleEntry, ...]:
    """The rules that `selected` means (all where it is empty) less those that `ignored` means."""
    chosen = set().union(*(matching(rules, selector) for selector in selected)) or {rule.code for rule in rules}
    dropped = set().union(*(matching(rules, selector) for selector in ignored))
    return tuple(rule for rule in rules if rule.code in chosen - dropped)


def matching(rules: Sequence[RuleEntry], selector: str, *, hints: bool = True) -> set[str]:
    """The codes of the rules that one selector means; raises `SelectionError` where it means none.

    `hints` is whether to look for the nearest name then, which takes time.
    """
    if selector.upper() == ALL:
        return {rule.code for rule in rules}
    codes = {rule.code for rule in rules if rule.name == selector.lower() or rule.code.startswith(selector.upper())}
    if not codes and not hints:
        raise SelectionError(f"no rule is called {selector!r}")
    if not codes:
        known = [rule.code for rule in rules] + [rule.name for rule in rules]
        near = close_matches(selector, known, 1, 0.5) or close_matches(selector.upper(), known, 1, 0.5)
        raise SelectionError(f"no rule is called {selector!r}" + (f"; did you mean {near[0]}?" if near else ""))
    return codes


def split_selectors(values: Iterable[str]) -> tuple[str, ...]:
    """Selectors given as comma lists."""
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())
