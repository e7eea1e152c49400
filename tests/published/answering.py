"""Whether an answer of `trace` is the one that a suite expects."""

from __future__ import annotations

from collections import Counter
from typing import Any

Answer = dict[str, Any]
_REJECTED = ("connection_rejected", "tls_request_failure")


def difference(case: dict[str, Any], got: Answer) -> str | None:
    """What an answer has otherwise than the suite expects, None where it is right."""
    want, outcome, status = case["expected"], got["outcome"], got["status"]
    if want.get("error") in _REJECTED or want.get("grpc_code_not") or want.get("status_not"):
        return None if outcome in ("error", "no-route") else f"expected a failure, got {outcome} {status}"
    if want.get("error"):
        return None if status != 200 else f"expected {want['error']}, got 200"
    if want.get("grpc_code") == "Unimplemented":
        return None if outcome == "no-route" else f"expected no route, got {outcome}"
    if outcome == "direct-response" and not want.get("backend") and status in (want.get("status") or ()):
        return None
    followed = outcome == "redirect" and "redirect-followed" in case["tags"]
    return (
        _status(want, got, followed=followed)
        or _backend(want, got, followed=followed)
        or _redirect(want, got)
        or (_upstream(want, got) if outcome == "backend" else None)
        or _mirrors(want, got)
    )


def receiving(got: Answer) -> list[dict[str, Any]]:
    """The backends that get a part of the traffic."""
    return [backend for backend in got["backends"] if backend["share"] > 0]


def _status(want: Answer, got: Answer, *, followed: bool) -> str | None:
    """A suite that expects an answer of success expects that a backend gives it."""
    statuses = want.get("status") or []
    if any(status < 300 for status in statuses):
        right = got["outcome"] == "backend" or followed
        return None if right else f"expected a backend, got {got['outcome']} {got['status']}"
    return None if not statuses or got["status"] in statuses else f"expected status {statuses}, got {got['status']}"


def _backend(want: Answer, got: Answer, *, followed: bool) -> str | None:
    backends = receiving(got)
    if want.get("weights"):
        shares: Counter[tuple[str, str]] = Counter()
        for backend in backends:
            shares[backend["kind"], backend["name"]] += backend["share"]
        right = all(_has_share(shares, name, share) for name, share in want["weights"].items())
        return None if right else f"expected shares {want['weights']}, got {dict(shares)}"
    if not want.get("backend") or followed:
        return None
    namespaces = {backend["namespace"] for backend in backends if backend["name"] == want["backend"]}
    if namespaces if not want.get("namespace") else want["namespace"] in namespaces:
        return None
    names = [f"{backend['namespace']}/{backend['name']}" for backend in backends]
    return f"expected {want.get('namespace')}/{want['backend']}, got {names}"


def _has_share(shares: Counter[tuple[str, str]], name: str, wanted: float) -> bool:
    found = [share for (_, known), share in shares.items() if known == name]
    return any(abs(share - wanted) < 0.02 for share in found or ([0] if not wanted else []))


def _redirect(want: Answer, got: Answer) -> str | None:
    redirect = got["redirect"] or {}
    for part in ("scheme", "host", "path", "port"):
        expected = (want.get("redirect") or {}).get(part)
        if expected and str(redirect.get(part)) != str(expected):
            return f"expected redirect {part} {expected}, got {redirect.get(part)}"
    return None


def _upstream(want: Answer, got: Answer) -> str | None:
    upstream, sent = got["upstream"] or {}, want.get("backend_request") or {}
    for part in ("host", "path"):
        if sent.get(part) and upstream.get(part) != sent[part]:
            return f"expected upstream {part} {sent[part]}, got {upstream.get(part)}"
    headers = {name.lower(): value for name, value in (upstream.get("headers") or {}).items()}
    for name, value in (sent.get("headers") or {}).items():
        if name.lower() != "host" and headers.get(name.lower()) != value:
            return f"expected upstream header {name}: {value}, got {headers.get(name.lower())}"
    for name in sent.get("absent_headers") or []:
        if name.lower() in headers:
            return f"expected no upstream header {name}"
    return None


def _mirrors(want: Answer, got: Answer) -> str | None:
    names = {mirror["name"] for mirror in got["mirrors"]}
    for mirror in want.get("mirrored_to") or []:
        if mirror["name"] not in names:
            return f"expected a mirror to {mirror['name']}"
    return None
