"""Whether a request is answered as its routing test expects."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from ingress_lint.routes.answering import Share
from ingress_lint.tracing.hops import location
from ingress_lint.tracing.model import Trace
from ingress_lint.tracing.routing_tests import Case, Expectation

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Outcome(Struct, frozen=True):
    """A test that was run."""

    case: Case
    trace: Trace
    passed: bool

    @property
    def difference(self) -> str:
        """What is not as expected, empty where nothing is."""
        return "" if self.passed else f"expected {self.case.expect}, got {got(self.trace)}"


def outcome(case: Case, trace: Trace) -> Outcome:
    """Compares what becomes of a request with what its test expects."""
    return Outcome(case, trace, _fits(case.expect, trace))


def got(trace: Trace) -> str:
    """What answers a request, in a few words."""
    answer = trace.answer
    if trace.outcome == "redirect" and answer is not None and answer.redirect is not None:
        return f"a redirect ({trace.status}) to {location(answer.redirect)}"
    if shares := _answering(trace):
        alone = len(shares) == 1
        return " and ".join(_name(share) + ("" if alone else f" ({share.share:.0%})") for share in shares)
    said = f"status {trace.told_status}" if trace.status is not None else trace.told_status
    return f"{said}: {trace.why}" if trace.why else said


def _fits(expect: Expectation, trace: Trace) -> bool:
    return (
        (not expect.backends or _same_backends(expect.backends, _answering(trace)))
        and (expect.redirect is None or _same_redirect(expect.redirect, trace))
        and (expect.status is None or expect.status == trace.status)
    )


def _answering(trace: Trace) -> list[Share]:
    """The backends that get a part of such requests; none where the client is told an error instead."""
    if trace.outcome != "backend" or trace.answer is None:
        return []
    return [share for share in trace.answer.backends if share.share]


def _same_backends(expected: tuple[str, ...], shares: list[Share]) -> bool:
    """Whether the backends are the ones expected, no more and no fewer."""
    return (
        all(any(_is(name, share) for share in shares) for name in expected)
        and bool(shares)
        and all(any(_is(name, share) for name in expected) for share in shares)
    )


def _is(expected: str, share: Share) -> bool:
    name, _, port = expected.partition(":")
    backend = share.backend
    if name != f"{backend.namespace}/{backend.name}":
        return False
    known = {str(backend.port.value)} if backend.port is not None else set()
    if backend.service_port is not None:
        known |= {str(backend.service_port.port.port), backend.service_port.port.name}
    return not port or port in known


def _name(share: Share) -> str:
    backend = share.backend
    written = backend.port.value if backend.port is not None else None
    port = backend.service_port.port.port if backend.service_port is not None else written
    return f"{backend.namespace}/{backend.name}" + (f":{port}" if port is not None else "")


def _same_redirect(expected: str, trace: Trace) -> bool:
    redirect = trace.answer.redirect if trace.answer is not None else None
    if trace.outcome != "redirect" or redirect is None:
        return False
    return _normal(expected) == _normal(location(redirect))


def _normal(url: str) -> tuple[str, str, int | None, str, str]:
    """A URL's parts, such that URLs which mean the same are the same."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(scheme), parts.path or "/", parts.query
