"""IP addresses and ranges of them (CIDR), of both versions."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from ingress_lint.values.patterns import deferred

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NETWORK: Final = deferred(r"[0-9a-fA-F:.]{1,45}(/[0-9]{1,3})?")
"""As golang/go:src/net/ip.go, ParseCIDR, has it: the length of a prefix, and neither a mask nor a zone."""


def address(text: str) -> Address | None:
    """An address; None where the text is none."""
    if ":" not in text and not text.replace(".", "").isdigit():
        return None  # as nearly every text, which takes `ip_address` long to find out
    try:
        return ip_address(text)
    except ValueError:
        return None


def network(text: str) -> Network | None:
    """A range such as `10.0.0.0/8`, or the one address of `10.0.0.1`; None where the text is neither."""
    text = text.strip()
    if _NETWORK.fullmatch(text) is None:
        return None
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None
