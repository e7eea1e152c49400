"""HAProxy Ingress, the community's controller."""

from __future__ import annotations

from typing import Final

GATEWAY: Final = "HAProxy Ingress"
"""What clients connect to, as people call it."""
