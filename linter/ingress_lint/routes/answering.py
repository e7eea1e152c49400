"""What becomes of a request: the backends that get it and how it reaches them, or what the client is told instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from ingress_lint.routes.matching import SPECIFIED, Precedence, Refusal, Request, Selection, select
from ingress_lint.routes.model import (
    BackendRef,
    Filter,
    FixedResponse,
    Frontend,
    HeaderModifier,
    Listener,
    Match,
    PathMatchType,
    RequestMirror,
    RequestRedirect,
    Route,
    URLRewrite,
)

Outcome = Literal["backend", "redirect", "error", "no-route"]

_WELL_KNOWN: Final = {"http": 80, "https": 443}
_CAPTURE: Final = re.compile(r"\$(\d)")
_REFUSED: Final[Mapping[Refusal, tuple[Outcome, int | None]]] = {
    Refusal.NO_PORT: ("error", None),
    Refusal.NO_TLS_LISTENER: ("error", None),
    Refusal.NO_HOST: ("no-route", 404),
    Refusal.MISDIRECTED: ("error", 421),
}


@dataclass(frozen=True, slots=True)
class Share:
    """A backend and its part of the requests, 0 to 1."""

    backend: BackendRef
    share: float


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where the client is sent. `port` is None where the scheme's own is meant."""

    scheme: str
    host: str
    port: int | None
    path: str
    status: int


@dataclass(frozen=True, slots=True)
class Upstream:
    """The request as it reaches the backend; `path` without the query, header names in lower case."""

    host: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What a request comes to. `status` is what the client sees, 200 for "the backend answers", None beside HTTP."""

    selection: Selection
    outcome: Outcome
    status: int | None
    why: str = ""
    backends: tuple[Share, ...] = ()
    redirect: Redirect | None = None
    upstream: Upstream | None = None
    mirrors: tuple[RequestMirror, ...] = ()


def answer(
    request: Request,
    frontend: Frontend,
    routes: Iterable[Route],
    precedence: Precedence = SPECIFIED,
    broken_backend_status: int = 500,
) -> Answer:
    """Follows a request from `frontend` to its backends; `broken_backend_status` is said where none can take it."""
    selection = select(request, frontend, routes, precedence)
    http = request.protocol in ("http", "grpc")
    if selection.refusal is not None:
        outcome, status = _REFUSED[selection.refusal]
        return Answer(selection, outcome, status if http else None, selection.refusal.value)
    if selection.listener is not None and (why := _client_refused(request, selection.listener)):
        return Answer(selection, "error", None, why)
    if selection.winner is None:
        return Answer(selection, "no-route", 404 if http else None, "no route fits")
    route, match = selection.winner.route, selection.winner.match
    for item in route.filters:
        if isinstance(item, RequestRedirect):
            redirect = _redirect(request, item, match, selection.listener)
            return Answer(selection, "redirect", item.status, redirect=redirect)
        if isinstance(item, FixedResponse):
            outcome = "error" if item.status >= 400 else "backend"
            return Answer(selection, outcome, item.status, "the gateway answers by itself")
    shares = _shares(route)
    if not any(_broken(share.backend) is None for share in shares if share.share):
        why = next((words for share in shares if (words := _broken(share.backend))), "no backend has any weight")
        return Answer(selection, "error", broken_backend_status if http else None, why, shares)
    own = shares[0].backend.filters if len(shares) == 1 else ()
    steps = (*route.filters, *own)
    return Answer(
        selection,
        "backend",
        200 if http else None,
        backends=shares,
        upstream=_upstream(request, steps, match),
        mirrors=tuple(item for item in steps if isinstance(item, RequestMirror)),
    )


def _client_refused(request: Request, listener: Listener) -> str | None:
    clients = listener.tls.clients if listener.tls else None
    if clients is None or not clients.required:
        return None
    if not request.client_certificate:
        return "the listener asks for a client certificate, and the client has none"
    return None if clients.usable else "the listener has no certificate authority to check client certificates by"


def _shares(route: Route) -> tuple[Share, ...]:
    total = sum(backend.weight for backend in route.backends)
    return tuple(Share(backend, backend.weight / total if total else 0.0) for backend in route.backends)


def _broken(backend: BackendRef) -> str | None:
    """Why a backend answers nothing, as far as references and ports tell."""
    if backend.refusal is not None:
        return backend.refusal.message
    if backend.service.missing:
        return f"{backend} does not exist"
    if backend.service.object is not None and backend.service_port is None:
        return f"{backend.kind} {backend.namespace}/{backend.name} has no such port"
    if backend.tls is not None and not backend.tls.usable:
        return f"no certificate authority of {backend.tls.policy} can be read"
    return None


def _redirect(request: Request, item: RequestRedirect, match: Match | None, listener: Listener | None) -> Redirect:
    """kubernetes-sigs/gateway-api:apis/v1/httproute_types.go, HTTPRequestRedirectFilter."""
    asked = "https" if request.secure else "http"
    scheme = item.scheme or asked
    port = item.port
    if port is None:
        listened = listener.port.value if listener and listener.port.value else request.port
        port = _WELL_KNOWN.get(scheme, 80) if item.scheme else listened
    return Redirect(
        scheme,
        item.host or request.host,
        None if port == _WELL_KNOWN.get(scheme) else port,
        _new_path(request.path, item.path, match, replace_prefix=item.replace_prefix),
        item.status,
    )


def _upstream(request: Request, steps: Iterable[Filter], match: Match | None) -> Upstream:
    host, path, headers = request.host, request.path, dict(request.headers)
    for step in steps:
        if isinstance(step, URLRewrite):
            host = step.host or host
            path = (
                _rewritten(path, step.regex, step.path)
                if step.regex is not None
                else _new_path(path, step.path, match, replace_prefix=step.replace_prefix)
            )
        elif isinstance(step, HeaderModifier) and not step.of_response:
            _modify(headers, step)
    return Upstream(headers.pop("host", host), path, headers)


def _modify(headers: dict[str, str], step: HeaderModifier) -> None:
    for name, value in step.set:
        headers[name.lower()] = value
    for name, value in step.add:
        known = headers.get(name.lower())
        headers[name.lower()] = f"{known},{value}" if known is not None else value
    for name in step.remove:
        headers.pop(name.lower(), None)


def _new_path(path: str, new: str | None, match: Match | None, *, replace_prefix: bool) -> str:
    if new is None:
        return path
    if not replace_prefix:
        return new or "/"
    if match is None or match.path.value.type not in (PathMatchType.PREFIX, PathMatchType.STRING_PREFIX):
        return path
    rest = path[len(match.path.value.value.rstrip("/")) :]
    return (new.rstrip("/") + rest if rest else new) or "/"


def _rewritten(path: str, regex: str, new: str | None) -> str:
    """A path rewritten by an expression with capture groups; as it is where the expression does not fit."""
    try:
        found = re.match(regex, path)
    except re.error:
        return path
    if found is None or new is None:
        return path
    groups = (found.group(0), *found.groups())
    return _CAPTURE.sub(lambda m: (groups[int(m[1])] or "") if int(m[1]) < len(groups) else "", new)
