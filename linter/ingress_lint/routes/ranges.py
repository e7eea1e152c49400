"""Address ranges: which of them lie in which, as allow-lists and NetworkPolicies write them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from ingress_lint.values.addresses import network

if TYPE_CHECKING:
    from ingress_lint.values.addresses import Network

PRIVATE_RANGES: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
"""Where the addresses of nodes and of load balancers in the network of the nodes lie (RFC 1918, RFC 6598)."""


def lets_in(allowed: Iterable[tuple[str, Iterable[str]]], wanted: str) -> bool | None:
    """Whether ranges, each less some, hold all of one; None where they hold a part, or cannot be read."""
    asked = network(wanted)
    answers = {_holds(network(text), [network(item) for item in less], asked) for text, less in allowed}
    return True if True in answers else None if None in answers else False


def _holds(held: Network | None, less: list[Network | None], asked: Network | None) -> bool | None:
    if held is None or asked is None or None in less:
        return None
    without = [item for item in less if item is not None and item.overlaps(asked)]
    if not held.overlaps(asked) or any(_within(asked, item) for item in without):
        return None if held.version == 6 else False
    return True if _within(asked, held) and not without else None


def _within(inner: Network, outer: Network) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]
