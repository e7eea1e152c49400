"""`trace --format json`: what becomes of requests, for programs, in the form that the contract promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ingress_lint.load.document import Place
from ingress_lint.load.positions import Locator
from ingress_lint.report import ReportedFinding
from ingress_lint.routes.answering import Redirect, Share
from ingress_lint.routes.listeners import Listener
from ingress_lint.routes.model import BackendRef
from ingress_lint.tracing.asking import Asked
from ingress_lint.tracing.model import Trace, TracedHop

FORM_VERSION: Final = 1


class Encoder:
    """Makes JSON values of traces; what several hops share is worked out once."""

    def __init__(self, locator: Locator) -> None:
        self._locator = locator
        self._locations: dict[Place, dict[str, Any]] = {}

    def encode(self, trace: Trace, findings: Sequence[ReportedFinding]) -> dict[str, Any]:
        """One trace as JSON values; `id` is there where the request has one."""
        answer = trace.answer
        winner = answer.selection.winner if answer else None
        found: dict[str, Any] = {
            "version": FORM_VERSION,
            "request": _request(trace.asked),
            "unit": trace.unit.name if trace.unit else "",
            "cluster": trace.held.cluster if trace.held else None,
            "entry": _entry(trace),
            "route": None
            if winner is None
            else {
                "kind": winner.route.owner.kind,
                "namespace": winner.route.owner.namespace,
                "name": winner.route.owner.name,
                "rule": winner.route.rule,
                "match": winner.index,
            },
            "outcome": trace.outcome,
            "status": trace.status,
            "because": list(trace.because),
            "backends": [_share(share) for share in answer.backends] if answer else [],
            "redirect": _redirect(answer.redirect) if answer and answer.redirect else None,
            "upstream": {
                "host": answer.upstream.host,
                "path": answer.upstream.path,
                "headers": dict(answer.upstream.headers),
            }
            if answer and answer.upstream
            else None,
            "mirrors": [{**_backend(mirror.backend), "share": mirror.share} for mirror in answer.mirrors]
            if answer
            else [],
            "hops": [self._hop(hop) for hop in trace.hops],
            "findings": sorted({finding.code for finding in findings}),
        }
        return found if trace.asked.id is None else {"id": trace.asked.id, **found}

    def _hop(self, hop: TracedHop) -> dict[str, Any]:
        item = hop.object
        return {
            "hop": hop.hop.value,
            "object": {
                "apiVersion": item.api_version,
                "kind": item.kind,
                "namespace": item.namespace,
                "name": item.name,
            }
            if item is not None
            else None,
            "location": self._location(hop.place) if hop.place is not None else None,
            "verdict": hop.verdict,
            "detail": hop.detail,
        }

    def _location(self, place: Place) -> dict[str, Any]:
        if place not in self._locations:
            at = self._locator.locate(place)
            self._locations[place] = {
                "file": at.file,
                "line": at.line,
                "column": at.column,
                "endLine": at.end_line,
                "endColumn": at.end_column,
                "pointer": at.pointer,
            }
        return self._locations[place]


def _request(asked: Asked) -> dict[str, Any]:
    request = asked.request
    return {
        "scheme": asked.scheme,
        "host": request.host,
        "port": request.port,
        "method": request.method,
        "path": request.path,
        "query": request.query_string,
        "headers": dict(asked.headers),
        "sni": asked.sni,
    }


def _entry(trace: Trace) -> dict[str, str] | None:
    entry = trace.entry
    if entry is None:
        return None
    listener = trace.answer.selection.listener if trace.answer else None
    named = listener_name(listener) if listener else ""
    return {"kind": entry.kind, "namespace": entry.namespace, "name": entry.name, "listener": named}


def listener_name(listener: Listener) -> str:
    """A listener's name, or its protocol and port where it has none."""
    return listener.name or f"{listener.protocol.value}:{listener.port.value}"


def _share(share: Share) -> dict[str, Any]:
    return {
        **_backend(share.backend),
        "protocol": share.backend.protocol.value.value,
        "weight": share.backend.weight,
        "share": round(share.share, 6),
    }


def _backend(backend: BackendRef) -> dict[str, Any]:
    written = backend.port.value if backend.port else None
    port = backend.service_port.port.port if backend.service_port else written
    return {"kind": backend.kind, "namespace": backend.namespace, "name": backend.name, "port": port}


def _redirect(redirect: Redirect) -> dict[str, Any]:
    return {
        "scheme": redirect.scheme,
        "host": redirect.host,
        "port": redirect.port,
        "path": redirect.path,
        "status": redirect.status,
    }
