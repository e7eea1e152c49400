"""The installed rule packs, found by entry point; the built-in one comes in by the same door."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Final

from ingress_lint.rule import Pack, Rule

GROUP: Final = "ingress_lint.rules"


class PackError(Exception):
    """A pack that cannot be used; the message is one line that names the distribution."""


def load_rules() -> tuple[Rule, ...]:
    """One instance of every rule of every pack, ordered by code; raises `PackError`."""
    rules: dict[str, tuple[Rule, str]] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name != "core", point.name)):
        owner = point.dist.name if point.dist else point.value
        for rule_type in _load(point, owner).rules:
            code = rule_type.code
            if code in rules:
                raise PackError(f"{owner}: rule {code} is already defined by {rules[code][1]}")
            rules[code] = rule_type(), owner
    if not rules:
        raise PackError(f"no rules are installed: no distribution offers an entry point in the group {GROUP}")
    return tuple(rules[code][0] for code in sorted(rules))


def _load(point: EntryPoint, owner: str) -> Pack:
    try:
        pack = point.load()
    except Exception as error:
        raise PackError(f"{owner}: its rule pack cannot be imported: {type(error).__name__}: {error}") from error
    if not isinstance(pack, Pack):
        raise PackError(f"{owner}: {point.value} is no ingress_lint.rule.Pack")
    return pack
