"""Ingresses of controllers that their projects have retired."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from ingress_lint.controllers.refusals.ingress_classes import class_place
from ingress_lint.controllers.shared.base import Claim, Controller
from ingress_lint.routes.sourced import Origin
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict

_SHOWN: Final = 9
"""How many further Ingresses are shown; the message counts them all."""


def retirement_verdicts(claimed: Iterable[tuple[Controller, Sequence[Claim]]]) -> Iterator[Verdict]:
    """One verdict for each retired controller, at the first Ingress that surely or by its class is its own."""
    for controller, claims in claimed:
        own = [claim for claim in claims if claim.controller.origin is not Origin.DEFAULT]
        own = [claim for claim in own if claim.ingress.document.reported]
        if not controller.retired or not own:
            continue
        first, *others = own
        hosts = sorted({rule.host for claim in own for rule in claim.ingress.body.spec.rules if rule.host})
        named = ", ".join(f"`{host}`" for host in hosts[:3]) + (" and more" if len(hosts) > 3 else "")
        count = f"{len(own)} Ingresses" if others else f"Ingress `{first.ingress.name}`"
        rests = f" ({first.controller.why})" if first.rivals else ""
        yield Verdict(
            Reason.RETIRED,
            first.ingress,
            class_place(first.ingress),
            f"{controller.title}{rests} serves {count}{f' for {named}' if hosts else ''}, and was retired "
            f"{controller.retired}: it gets no fixes any more, not for security either",
            Certainty.LIKELY if first.rivals else Certainty.KNOWN,
            tuple((f"Ingress `{claim.ingress.name}` as well", class_place(claim.ingress)) for claim in others[:_SHOWN]),
            "move to a controller that is maintained, or to the Gateway API",
        )
