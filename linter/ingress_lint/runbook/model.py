"""What a runbook is: phases of checks, each with commands, what a healthy answer is, and what each failure means."""

from __future__ import annotations

from msgspec import Struct

from ingress_lint.report import ReportedFinding
from ingress_lint.tracing.model import Trace


class Failure(Struct, frozen=True):
    """A way in which a check can fail. `codes` are the rules whose findings predict it."""

    seen: str
    means: str
    codes: tuple[str, ...] = ()


class Check(Struct, frozen=True):
    """Something to try. `commands` are lines for a POSIX shell, everything in them quoted for it.

    `facts` is what the manifests tell beforehand.
    """

    title: str
    commands: tuple[str, ...]
    healthy: str
    failures: tuple[Failure, ...]
    facts: tuple[str, ...] = ()


class Phase(Struct, frozen=True):
    """One of the five networks on the way. `not_here` says why it is not on this one, empty where it is.

    `predictions` are the findings that lie here and that no check's failure is known to show.
    """

    title: str
    checks: tuple[Check, ...] = ()
    not_here: str = ""
    predictions: tuple[ReportedFinding, ...] = ()


class Runbook(Struct, frozen=True):
    """The diagnostic of one request's route."""

    trace: Trace
    phases: tuple[Phase, ...]
    findings: tuple[ReportedFinding, ...]

    def predicted(self, failure: Failure) -> list[ReportedFinding]:
        """The findings of this route that predict a failure."""
        return [finding for finding in self.findings if finding.code in failure.codes]
