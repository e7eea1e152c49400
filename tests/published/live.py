"""Whether an answer of `trace` is the one that a real controller gave."""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from tests.published.answering import Answer, receiving

_PORTS = {"http": 80, "https": 443}


def disagreement(case: dict[str, Any], got: Answer) -> str | None:
    """What an answer has otherwise than the controller's own, None where they agree."""
    live, outcome, status = case["live"], got["outcome"], got["status"]
    if outcome == "backend":
        wrong = _backend(live, got)
    elif outcome == "redirect":
        wrong = _redirect(case["request"], live, got)
    elif live["kind"] == "failed":
        wrong = f"{outcome} {status}" if status else None
    else:
        wrong = None if live["kind"] == "status" and status == live["status"] else f"{outcome} {status}"
    return f"live {_words(live)}, got {wrong}" if wrong else None


def _words(live: dict[str, Any]) -> str:
    answer = live["backend"] or (live["redirect"] or {}).get("location") or live.get("error")
    return " ".join(str(word) for word in (live["kind"], live["status"], answer) if word)


def _backend(live: dict[str, Any], got: Answer) -> str | None:
    names = [f"{backend['namespace']}/{backend['name']}" for backend in receiving(got)]
    if live["kind"] != "backend" or live["backend"] not in names:
        return f"backends {names}"
    upstream = got["upstream"] or {}
    if upstream.get("path") not in (None, live["uri"]):
        return f"upstream path {upstream['path']}, not {live['uri']}"
    host = urlsplit(f"//{live['host'] or ''}").hostname or ""
    if upstream.get("host") is not None and upstream["host"].lower() != host:
        return f"upstream host {upstream['host']}, not {host}"
    return None if got["status"] in (None, live["status"]) else f"backend {got['status']}"


def _redirect(request: dict[str, Any], live: dict[str, Any], got: Answer) -> str | None:
    to = got["redirect"] or {}
    if live["kind"] != "redirect" or live["status"] != to.get("status"):
        return f"redirect {to.get('status')}"
    location = urlsplit(urljoin(_asked(request), live["redirect"]["location"]))
    origin = (to.get("scheme"), (to.get("host") or "").lower(), to.get("port") or _PORTS.get(to.get("scheme", "")))
    if origin != (location.scheme, location.hostname or "", _port(location)):
        return f"{to.get('scheme')}://{to.get('host')}:{to.get('port')}"
    path = location.path or "/"
    whole = f"{path}?{location.query}" if location.query else path
    return None if to.get("path") in (path, whole) else f"path {to.get('path')}"


def _asked(request: dict[str, Any]) -> str:
    """The URL as the controller saw it, by the Host header where one is sent."""
    sent = urlsplit(request["url"])
    hosts = [value for name, value in request["headers"].items() if name.lower() == "host"]
    return f"{sent.scheme}://{hosts[0] if hosts else sent.netloc}/"


def _port(url: SplitResult) -> int | None:
    return url.port or _PORTS.get(url.scheme)
