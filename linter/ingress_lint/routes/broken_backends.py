"""What clients get where no backend of a rule can answer, by what is wrong with it."""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class BrokenBackends(Struct, frozen=True):
    """The status for each fault; the defaults are the Gateway API's.

    Source: kubernetes-sigs/gateway-api:apis/v1/httproute_types.go, HTTPRouteRule.backendRefs. Without endpoints it leaves the
    answer open, and implementations say 503.
    """

    missing: int = 500
    """There is no such object."""
    no_port: int = 500
    """The Service has no such port."""
    not_permitted: int = 500
    """The controller may not follow the reference."""
    no_weight: int = 500
    """All weights are 0."""
    none: int = 500
    """The rule names no backend."""
    no_endpoints: int = 503

    @classmethod
    def always(cls, status: int) -> BrokenBackends:
        """The same for every fault."""
        return cls(status, status, status, status, status, status)


SPECIFIED: Final = BrokenBackends()
UNAVAILABLE: Final = BrokenBackends.always(503)
"""What controllers of Ingresses answer where nothing more is known of them."""
