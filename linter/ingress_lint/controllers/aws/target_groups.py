"""What holds for the target groups of every AWS load balancer of the current generation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingress_lint.load.document import Place
from ingress_lint.routes.sourced import Origin, Sourced

DEREGISTRATION_DELAY: Final = "deregistration_delay.timeout_seconds"


def deregistration_delay(attributes: Mapping[str, Sourced[str]], place: Place) -> Sourced[float]:
    """How long requests to a deregistered target may go on: 300 s, unless its attributes say otherwise.

    docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html
    """
    written = attributes.get(DEREGISTRATION_DELAY)
    if written is not None and written.value.isdigit():
        return Sourced(float(written.value), written.origin, written.place)
    return Sourced(300.0, Origin.DEFAULT, place, f"nothing sets {DEREGISTRATION_DELAY}")
