"""What holds for the target groups of every AWS load balancer of the current generation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingress_lint.load.document import Place
from ingress_lint.routes.sourced import Origin, Sourced, as_seconds
from ingress_lint.values.numbers import whole

DEREGISTRATION_DELAY: Final = "deregistration_delay.timeout_seconds"


def deregistration_delay(attributes: Mapping[str, Sourced[str]], place: Place) -> Sourced[float]:
    """How long requests to a deregistered target may go on: 300 s, unless its attributes say otherwise.

    docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html
    """
    written = attributes.get(DEREGISTRATION_DELAY)
    seconds = whole(written.value) if written is not None else None
    if written is not None and seconds is not None:
        return as_seconds(Sourced(seconds, written.origin, written.place))
    return Sourced(300.0, Origin.DEFAULT, place, f"nothing sets {DEREGISTRATION_DELAY}")
