"""What becomes of a request: the backends that get it and how it reaches them, or what the client is told instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from msgspec import Struct

from ingress_lint.facts.endpoints import emptiness
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.unknown import is_unknown
from ingress_lint.objects.core import Service
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.choosing import Refusal, RouteTable, Selection
from ingress_lint.routes.filters import FixedResponse, HeaderModifier, RequestRedirect, URLRewrite
from ingress_lint.routes.listeners import Listener
from ingress_lint.routes.matches import Match, PathMatchType
from ingress_lint.routes.matching import Conduct, Request
from ingress_lint.routes.model import BackendRef, ExternalAuth, Filter, RequestMirror, Route
from ingress_lint.routes.served_certificates import refused_certificate
from ingress_lint.values.expressions import compiled
from ingress_lint.values.patterns import deferred
from ingress_lint.values.placeholders import is_placeholder

Outcome = Literal["backend", "redirect", "error", "no-route", "unknown"]

_WELL_KNOWN: Final = {"http": 80, "https": 443}
_DIGITS: Final = "0123456789"
_CAPTURE: Final = deferred(r"\$([0-9])")
_REFUSED: Final[Mapping[Refusal, tuple[Outcome, int | None]]] = {
    Refusal.NO_PORT: ("error", None),
    Refusal.NO_TLS_LISTENER: ("error", None),
    Refusal.NO_HOST: ("no-route", 404),
    Refusal.MISDIRECTED: ("error", 421),
}


class Fault(Struct, frozen=True):
    """Why a backend cannot answer, and the status that clients get for it."""

    why: str
    status: int


class Share(Struct, frozen=True):
    """A backend and its part of the requests, 0 to 1."""

    backend: BackendRef
    share: float
    fault: Fault | None = None


class Redirect(Struct, frozen=True):
    """Where the client is sent. `port` is None where the scheme's own is meant; `path` has the query that is kept."""

    scheme: str
    host: str
    port: int | None
    path: str
    status: int


class Upstream(Struct, frozen=True):
    """The request as it reaches the backend; `path` with the query, header names in lower case."""

    host: str
    path: str
    headers: Mapping[str, str]


class Answer(Struct, frozen=True):
    """What a request comes to. `status` is what the client sees, 200 for "the backend answers", None beside HTTP."""

    selection: Selection
    outcome: Outcome
    status: int | None
    why: str = ""
    backends: tuple[Share, ...] = ()
    redirect: Redirect | None = None
    upstream: Upstream | None = None
    mirrors: tuple[RequestMirror, ...] = ()
    client_refused: bool = False
    """Whether the client is turned away in the TLS handshake, for want of a certificate."""


def answer(request: Request, table: RouteTable, graph: ObjectGraph | None = None) -> Answer:
    """Follows a request to its backends, and to their endpoints where `graph` shows them."""
    selection = table.select(request)
    if (why := table.uncertainty(request, selection)) is not None:
        return Answer(Selection(selection.listener, None, None, selection.explain), "unknown", None, why)
    listener = selection.listener
    http = request.protocol in ("http", "grpc") and (listener is None or listener.protocol.value in ("HTTP", "HTTPS"))
    if selection.refusal is not None:
        outcome, status = _REFUSED[selection.refusal]
        return Answer(selection, outcome, status if http else None, selection.refusal.value)
    if listener is not None and (why := _client_refused(request, listener)):
        return Answer(selection, "error", None, why, client_refused=True)
    if selection.winner is None:
        return Answer(selection, "no-route", 404 if http else None, "no route fits")
    route, match = selection.winner.route, selection.winner.match
    for item in route.filters:
        if isinstance(item, RequestRedirect):
            redirect = _redirect(request, item, match)
            return Answer(selection, "redirect", item.status, redirect=redirect)
        if isinstance(item, FixedResponse):
            outcome = "error" if item.status >= 400 else "backend"
            return Answer(selection, outcome, item.status, "the gateway answers by itself")
        asked = item.backend if isinstance(item, ExternalAuth) else None
        if asked is not None and (fault := fault_of(asked, table.conduct, graph)) is not None:
            return Answer(selection, "error", fault.status, f"no request can be authorised: {fault.why}")
    shares, fault = _shares(route, table.conduct, graph)
    if fault is not None:
        return Answer(selection, "error", fault.status if http else None, fault.why, shares)
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


def _shares(route: Route, conduct: Conduct, graph: ObjectGraph | None) -> tuple[tuple[Share, ...], Fault | None]:
    """The backends with their parts of the requests, and why none of them can answer, None where one can."""
    total = sum(backend.weight for backend in route.backends)
    shares = tuple(
        Share(backend, backend.weight / total if total else 0.0, fault_of(backend, conduct, graph))
        for backend in route.backends
    )
    weighted = [share for share in shares if share.share]
    if any(share.fault is None for share in weighted):
        return shares, None
    fallback = route.fallback
    if fallback is not None and fault_of(fallback, conduct, graph) is None:
        return (Share(fallback, 1.0), *(Share(share.backend, 0.0, share.fault) for share in shares)), None
    fault = next((share.fault for share in weighted), None)
    status = conduct.no_weight_status or conduct.broken_backend_status
    return shares, fault or Fault("no backend has any weight", status)


def fault_of(backend: BackendRef, conduct: Conduct, graph: ObjectGraph | None) -> Fault | None:
    """Why a backend answers nothing, as far as references, ports and selectors tell."""
    if (why := _broken(backend)) is not None:
        return Fault(why, conduct.broken_backend_status)
    if _lacks_port(backend):
        why = f"{backend.kind} {backend.namespace}/{backend.name} has no such port"
        return Fault(why, backend.no_port_status or conduct.broken_backend_status)
    service, port = backend.service.object, backend.service_port
    if graph is None or service is None or not isinstance(service.body, Service):
        return None
    if (why := emptiness(service, graph)) is not None:
        return Fault(f"{backend} has no endpoints: {why}", conduct.no_endpoints_status)
    if port is not None and port.endpoints and all(endpoint.number is None for endpoint in port.endpoints):
        why = f"no container of its pods has a port named `{port.target}`"
        return Fault(f"{backend} has no endpoints: {why}", conduct.no_endpoints_status)
    refused = refused_certificate(backend, graph)
    return Fault(f"the gateway refuses {refused.why}", conduct.no_endpoints_status) if refused is not None else None


def _broken(backend: BackendRef) -> str | None:
    if backend.refusal is not None:
        return backend.refusal.message
    if backend.service.missing:
        return f"{backend} does not exist"
    if backend.tls is not None and not backend.tls.usable:
        return f"no certificate authority of {backend.tls.policy} can be read"
    return None


def _lacks_port(backend: BackendRef) -> bool:
    """Whether a backend's Service is there and the port is not."""
    service = backend.service.object
    return service is not None and backend.service_port is None and not (_external(service) or _is_open(backend))


def _is_open(backend: BackendRef) -> bool:
    """Whether the port that a backend names is not known."""
    if backend.port is not None:
        return isinstance(backend.port.value, str) and is_placeholder(backend.port.value)
    return any(is_unknown(place) for place in (backend.place.at("port"), backend.place.at("port", "number")))


def _external(service: AnyObject) -> bool:
    return isinstance(service.body, Service) and service.body.spec.type == "ExternalName"


def _redirect(request: Request, item: RequestRedirect, match: Match | None) -> Redirect:
    """kubernetes-sigs/gateway-api:apis/v1/httproute_types.go, HTTPRequestRedirectFilter."""
    asked = "https" if request.secure else "http"
    scheme = item.scheme or asked
    port = item.port
    if port is None:
        port = _WELL_KNOWN.get(scheme, 80) if item.scheme else request.port
    path = _new_path(request.path, item.path, match, replace_prefix=item.replace_prefix)
    return Redirect(
        scheme,
        item.host or request.host,
        None if port == _WELL_KNOWN.get(scheme) else port,
        path if item.path is not None and not item.replace_prefix else _with_query(path, request),
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
    return Upstream(headers.pop("host", host), _with_query(path, request), headers)


def _with_query(path: str, request: Request) -> str:
    if not request.query_string:
        return path
    return f"{path}{'&' if '?' in path else '?'}{request.query_string}"


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
    expression = compiled(regex)
    groups = expression.captured(path) if expression is not None else None
    if groups is None or new is None:
        return path
    by_number = dict(zip(_DIGITS, groups, strict=False))
    return _CAPTURE.sub(lambda named: by_number.get(named[1], ""), new)
