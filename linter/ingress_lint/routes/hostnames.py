"""Hostnames as listeners and routes write them: exact, `*.example.com`, or none for any."""

from __future__ import annotations

ANY = ""
"""No hostname at all, which every host matches."""


def matches(pattern: str, host: str) -> bool:
    """Whether a host is one that `pattern` stands for; a wildcard stands for one label or more."""
    if pattern in (ANY, "*"):
        return True
    pattern, host = pattern.lower(), host.lower()
    if pattern.startswith("*."):
        return len(host) >= len(pattern) and host.endswith(pattern[1:])
    return pattern == host


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
    """Ranks patterns that match one host: exact before wildcard before any, more characters before fewer."""
    if pattern in (ANY, "*"):
        return (0, 0)
    return (1 if pattern.startswith("*.") else 2, len(pattern))
