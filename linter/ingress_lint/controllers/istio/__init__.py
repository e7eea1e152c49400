"""Istio: Ingresses of its class, and its own Gateways and VirtualServices."""

from __future__ import annotations

from typing import Final

GATEWAY: Final = "Istio gateway"
"""What clients connect to, as people call it."""
MESH: Final = "Istio"
"""What its gateways are part of."""
