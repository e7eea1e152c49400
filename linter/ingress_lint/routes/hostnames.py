"""Hostnames as listeners and routes write them: exact, `*.example.com`, none for any, or nginx's `~` and an expression."""

from __future__ import annotations

from ingress_lint.values.expressions import compiled
from ingress_lint.values.placeholders import is_placeholder, may_stand_for

ANY = ""
"""No hostname at all, which every host matches."""


def matches(pattern: str, host: str) -> bool:
    """Whether a host is one that `pattern` stands for; a wildcard stands for one label or more."""
    if pattern in (ANY, "*"):
        return True
    if is_expression(pattern):
        return not is_expression(host) and _found(pattern, host.lower())
    pattern, host = pattern.lower(), host.lower()
    if pattern.startswith("*."):
        return len(host) >= len(pattern) and host.endswith(pattern[1:])
    return pattern == host


def is_expression(pattern: str) -> bool:
    """Whether it is a regular expression, as nginx writes one: behind `~`, or behind `~*` where case is no matter."""
    return pattern.startswith("~")


def for_many(pattern: str) -> bool:
    """Whether more than one host may match it."""
    return pattern in (ANY, "*") or pattern.startswith(("*.", "~"))


def _found(pattern: str, host: str) -> bool:
    """Whether an expression fits a host in lower case; one that does not compile fits none."""
    any_case = pattern.startswith("~*")
    expression = compiled(pattern[2 if any_case else 1 :], ignore_case=any_case)
    return expression is not None and expression.occurs_in(host) is True


def may_match(pattern: str, host: str) -> bool:
    """Whether a pattern that holds a placeholder may come to stand for a host."""
    if pattern.startswith("*."):
        return is_placeholder(pattern) and may_stand_for(pattern[2:], host.partition(".")[2])
    return is_placeholder(pattern) and may_stand_for(pattern, host)


def same_depth(pattern: str, host: str) -> bool:
    """Whether a wildcard has as many labels as a host, as Ingress asks for."""
    return not pattern.startswith("*.") or pattern.count(".") == host.count(".")


def intersection(left: str, right: str) -> str | None:
    """What two patterns have in common: the narrower of the two; None where no host matches both."""
    if matches(left, right) and right not in (ANY, "*"):
        return right
    if matches(right, left):
        return left
    return None


def specificity(pattern: str) -> tuple[int, int]:
    """Ranks patterns that match one host: exact before wildcard, expression and any, more characters before fewer."""
    if pattern in (ANY, "*"):
        return (0, 0)
    if is_expression(pattern):
        return (1, 0)
    return (1 if pattern.startswith("*.") else 2, len(pattern))
