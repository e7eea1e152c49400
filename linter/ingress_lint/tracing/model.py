"""What following a request gives: hops, each with a verdict, and what the client sees at the end."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from ingress_lint.controllers.lowering.entries import Entry
from ingress_lint.finding import Hop
from ingress_lint.load.document import Place
from ingress_lint.manifests import ManifestSet
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.answering import Answer, Outcome
from ingress_lint.routes.model import Route
from ingress_lint.tracing.asking import Asked
from ingress_lint.units.plan import Unit

Verdict = Literal["ok", "warning", "fail", "unknown"]


class TracedHop(Struct, frozen=True):
    """One hop: who handles the request there, the text that decides what happens, and how it goes on.

    `object` is None where the manifests do not hold it; `name` is what it is called then.
    """

    hop: Hop
    object: AnyObject | None
    name: str
    place: Place | None
    verdict: Verdict
    detail: str


class Decision(Struct, frozen=True):
    """What the findings on a request's way make of it, and the codes of those that decide."""

    outcome: Outcome
    status: int | None
    because: tuple[str, ...]


class Trace(Struct, frozen=True):
    """One request followed. `entry` and `answer` are None where it does not get in; `why` says what stopped it."""

    asked: Asked
    hops: tuple[TracedHop, ...]
    entry: Entry | None = None
    held: ManifestSet | None = None
    """The set that the entry is in, or that alone could answer."""
    answer: Answer | None = None
    why: str = ""
    unclear: bool = False
    """Whether it is the question that is at fault: it names no entry that exists, or could be meant for several."""

    told: int | None = None
    """What every entry would answer, where it reaches none in particular."""
    front: Trace | None = None
    """Its way to the load balancer in front of the entry's proxies, where one is known; `hops` begin with these."""
    decision: Decision | None = None
    """What is found on its way and decides, None where nothing does or nobody has looked."""

    @property
    def outcome(self) -> Outcome:
        """What becomes of the request."""
        if self.decision is not None:
            return self.decision.outcome
        if self.answer is not None:
            return self.answer.outcome
        return "error" if self.unclear else "no-route"

    @property
    def status(self) -> int | None:
        """What the client sees; None where nothing that speaks HTTP answers it."""
        if self.decision is not None:
            return self.decision.status
        return self.answer.status if self.answer is not None else self.told

    @property
    def because(self) -> tuple[str, ...]:
        """The codes of the findings that decide what the client sees."""
        return self.decision.because if self.decision is not None else ()

    @property
    def told_status(self) -> str:
        """The status in words, with the codes that decide it: `504, because of IL508`."""
        said = f"{self.status}" if self.status is not None else "no answer"
        return f"{said}, because of {', '.join(self.because)}" if self.because else said

    @property
    def unit(self) -> Unit | None:
        """The unit whose route takes it, else the one that it enters by; None where several could be meant."""
        if self.held is None:
            return None
        owners = [item for item in (self.route and self.route.owner, self.entry and self.entry.frontend.owner) if item]
        holding = next((item.document for item in owners if item.document in self.held.holders), None)
        if holding is not None:
            return self.held.unit_of(holding)
        return self.held.units[0] if len(self.held.units) == 1 else None

    @property
    def route(self) -> Route | None:
        """The route that takes it."""
        winner = self.answer.selection.winner if self.answer else None
        return winner.route if winner else None
