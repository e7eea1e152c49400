"""Which of the findings on a request's way decide what the client gets, and what that is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from ingress_lint.finding import Hop, Severity
from ingress_lint.report import ReportedFinding
from ingress_lint.routes.answering import Share
from ingress_lint.tracing.concerns import is_object
from ingress_lint.tracing.model import Decision, Trace
from ingress_lint.tracing.predictions import PREDICTIONS, Effect, Prediction

_Predicted = tuple[ReportedFinding, Prediction]
_ORDER: Final = list(Hop)
_EXACT: Final = (Effect.TOLD, Effect.KEPT_AWAY)
"""What says more of the same fault than following the request shows."""


def decided(trace: Trace, findings: Iterable[ReportedFinding]) -> Trace:
    """A trace with what the errors on its way make of it. Rules of other packs predict nothing.

    What does not get through the load balancer in front ends there.
    """
    if trace.front is not None and trace.front.decision is not None and trace.front.outcome == "error":
        return replace(trace, decision=trace.front.decision)
    errors = [
        (finding, PREDICTIONS[finding.code])
        for finding in sorted(findings, key=lambda finding: (_ORDER.index(finding.hop), finding.code))
        if finding.severity is Severity.ERROR and finding.code in PREDICTIONS
    ]
    if not errors or trace.unclear or trace.outcome == "unknown":
        return trace
    if trace.outcome == "no-route":
        return _because(trace, (error for error in errors if error[1].effect in (Effect.KEPT_AWAY, Effect.OBEYED)))
    encrypted = trace.asked.request.encrypted
    deciding = [error for error in errors if error[1].decides(error[0].message, encrypted=encrypted)]
    if trace.outcome == "error":
        return _of_error(trace, errors, deciding)
    loops = [error for error in errors if error[1].effect is Effect.LOOPS]
    whole = [error for error in deciding if error[0].hop is Hop.CLIENT]
    if trace.outcome == "redirect" and loops and not whole:
        return _because(trace, loops)
    shares = _weighted(trace)
    concerned = [error for error in (*deciding, *loops) if any(_lies_on(error[0], share, shares) for share in shares)]
    covered = all(
        share.fault is not None or any(_lies_on(error[0], share, shares) for error in concerned) for share in shares
    )
    if shares and concerned and covered:
        return _failing(trace, concerned)
    return _failing(trace, whole) if whole else trace


def _because(trace: Trace, errors: Iterable[_Predicted]) -> Trace:
    """The trace as it is, with the codes that explain it."""
    codes = _codes(errors)
    return replace(trace, decision=Decision(trace.outcome, trace.status, codes)) if codes else trace


def _of_error(trace: Trace, errors: Sequence[_Predicted], deciding: Sequence[_Predicted]) -> Trace:
    """An error that following the request shows already: what a message names of the same fault is more exact."""
    told = next((error for error in deciding if error[1].effect in _EXACT), None)
    shown = [
        error
        for error in errors
        if error[1].effect is Effect.FOLLOWED or error[0].message == trace.why or error in deciding
    ]
    if told is None or trace.status is None:
        return _because(trace, shown)
    return replace(trace, decision=Decision("error", _status(trace, told), _codes(shown)))


def _failing(trace: Trace, errors: Sequence[_Predicted]) -> Trace:
    """What the first of the errors on the way makes of it."""
    return replace(trace, decision=Decision("error", _status(trace, errors[0]), _codes(errors)))


def _status(trace: Trace, error: _Predicted) -> int | None:
    finding, prediction = error
    if trace.status is None:
        http = trace.asked.request.protocol in ("http", "grpc")
        return prediction.told_behind(finding.message) if http and trace.outcome == "backend" else None
    return prediction.status_from(trace.route.controller.value if trace.route else "", finding.message)


def _codes(errors: Iterable[_Predicted]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(finding.code for finding, _ in errors))


def _weighted(trace: Trace) -> list[Share]:
    return [share for share in trace.answer.backends if share.share] if trace.answer is not None else []


def _lies_on(finding: ReportedFinding, share: Share, shares: Sequence[Share]) -> bool:
    """Whether a finding concerns the requests of a backend, and not those of another or copies alone."""
    owners = [step.object for step in finding.path if step.hop is Hop.SERVICE] + [finding.object]
    services = [owner for owner in owners if owner is not None and owner.kind == "Service"]
    if services:
        return any(is_object(share.backend.service.object, service) for service in services)
    return len(shares) == 1 or finding.hop in (Hop.CLIENT, Hop.LOAD_BALANCER)
