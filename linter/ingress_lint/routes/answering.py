"""What becomes of a request: the backends that get it and how it reaches them, or what the client is told instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Final, Literal

from msgspec import Struct

from ingress_lint.facts.endpoints import emptiness
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.load.unknown import is_unknown
from ingress_lint.objects.core import Service
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.authorizing import denied
from ingress_lint.routes.broken_backends import BrokenBackends
from ingress_lint.routes.choosing import Refusal, RouteTable, Selection
from ingress_lint.routes.filters import FixedResponse, RequestRedirect, URLRedirect
from ingress_lint.routes.listeners import Listener
from ingress_lint.routes.matches import Match
from ingress_lint.routes.matching import Request
from ingress_lint.routes.model import BackendRef, ExternalAuth, Filter, RequestMirror, Route
from ingress_lint.routes.paths import PathHandling
from ingress_lint.routes.served_certificates import refused_certificate
from ingress_lint.routes.traffic import BY_KUBE_PROXY
from ingress_lint.routes.upstream import Upstream, new_path, replaced, upstream, with_query
from ingress_lint.routes.verdicts import Fate, Reason
from ingress_lint.values.placeholders import is_placeholder
from ingress_lint.values.urls import port_of, split_url

Outcome = Literal["backend", "redirect", "error", "no-route", "unknown"]

_WELL_KNOWN: Final = {"http": 80, "https": 443}
_REFUSED: Final[Mapping[Refusal, tuple[Outcome, int | None]]] = {
    Refusal.NO_PORT: ("error", None),
    Refusal.PORT_UNKNOWN: ("unknown", None),
    Refusal.NO_TLS_LISTENER: ("error", None),
    Refusal.NO_HOST: ("no-route", 404),
    Refusal.PATH: ("error", 400),
    Refusal.MISDIRECTED: ("error", 421),
}
_STOPPED: Final = (Fate.ANSWERED, Fate.NOT_APPLIED)


class Fault(Struct, frozen=True):
    """Why a backend cannot answer, and the status that clients get for it."""

    why: str
    status: int
    place: Place | None = None
    """The text that says so, where it is not the reference to the backend."""


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
    paths = table.conduct.paths
    if http and listener is not None and (plain := paths.redirected(request.path)) is not None:
        return _sent_to(plain, paths.escaped_slash or 307, request, selection)
    if selection.winner is None:
        return Answer(selection, "no-route", 404 if http else None, "no route fits")
    route, match = selection.winner.route, selection.winner.match
    stopped = next((item for item in route.refusals if item.known and item.fate in _STOPPED), None)
    if stopped is not None:
        return Answer(selection, "error", stopped.status if http else None, stopped.message)
    if http and (refusal := denied(route, None, request, graph)) is not None:
        return Answer(selection, "error", refusal.status, f"{refusal.policy} {refusal.why}")
    for index, item in enumerate(route.filters):
        if isinstance(item, RequestRedirect):
            return _redirected(selection, _redirect(request, item, match, paths))
        if isinstance(item, URLRedirect):
            seen = upstream(request, route.filters[:index], match, paths)
            there = _moved(request, seen.path, item)
            if there is not None:
                return _redirected(selection, there)
        if isinstance(item, FixedResponse):
            outcome = "error" if item.status >= 400 else "backend"
            return Answer(selection, outcome, item.status, "the gateway answers by itself")
        if isinstance(item, RequestMirror) and item.required:
            lost = _broken(item.backend, route.broken)
            if lost is not None:
                return Answer(selection, "error", lost.status, f"its copies go nowhere: {lost.why}")
        asked = item.backend if isinstance(item, ExternalAuth) else None
        if asked is not None and (fault := fault_of(asked, route.broken, graph)) is not None:
            return Answer(selection, "error", fault.status, f"no request can be authorised: {fault.why}")
    shares, fault = _shares(route, graph)
    if fault is None and http:
        shares, fault = _authorized(shares, route, match, request, graph, paths)
    if fault is not None:
        return Answer(selection, "error", fault.status if http else None, fault.why, shares)
    own = _common_filters(shares)
    sent = next((item for item in own if isinstance(item, RequestRedirect)), None)
    if sent is not None:
        return _redirected(selection, _redirect(request, sent, match, paths))
    steps = (*route.filters, *own)
    return Answer(
        selection,
        "backend",
        200 if http else None,
        backends=shares,
        upstream=upstream(request, steps, match, paths),
        mirrors=tuple(item for item in steps if isinstance(item, RequestMirror)),
    )


def _common_filters(shares: Sequence[Share]) -> tuple[Filter, ...]:
    """What every backend that gets requests has in common of its own filters, from the first one on."""
    each = [share.backend.filters for share in shares if share.share]
    alike = takewhile(lambda steps: all(step == steps[0] for step in steps), zip(*each, strict=False))
    return tuple(steps[0] for steps in alike)


def _client_refused(request: Request, listener: Listener) -> str | None:
    clients = listener.tls.clients if listener.tls else None
    if clients is None or not clients.required:
        return None
    if not request.client_certificate:
        return "the listener asks for a client certificate, and the client has none"
    return None if clients.usable else "the listener has no certificate authority to check client certificates by"


def _shares(route: Route, graph: ObjectGraph | None) -> tuple[tuple[Share, ...], Fault | None]:
    """The backends with their parts of the requests, and why none of them can answer, None where one can."""
    total = sum(backend.weight for backend in route.backends)
    shares = tuple(
        Share(backend, backend.weight / total if total else 0.0, fault_of(backend, route.broken, graph))
        for backend in route.backends
    )
    weighted = [share for share in shares if share.share]
    if any(share.fault is None for share in weighted):
        return shares, None
    fallback = route.fallback
    if fallback is not None and fault_of(fallback, route.broken, graph) is None:
        return (Share(fallback, 1.0), *(Share(share.backend, 0.0, share.fault) for share in shares)), None
    fault = next((share.fault for share in weighted), None)
    return shares, fault or Fault("no backend has any weight", route.broken.no_weight if shares else route.broken.none)


def _authorized(
    shares: tuple[Share, ...],
    route: Route,
    match: Match | None,
    request: Request,
    graph: ObjectGraph | None,
    paths: PathHandling,
) -> tuple[tuple[Share, ...], Fault | None]:
    """The backends, and why none answers, once the policies of their pods have refused what they do not let through."""
    judged = []
    for share in shares:
        steps = (*route.filters, *share.backend.filters)
        sent = upstream(request, steps, match, paths) if share.fault is None else None
        refusal = denied(route, share.backend, request, graph, sent) if sent is not None else None
        why = Fault(f"{refusal.policy} {refusal.why}", refusal.status or 403) if refusal is not None else share.fault
        judged.append(Share(share.backend, share.share, why))
    faults = [share.fault for share in judged if share.share]
    return tuple(judged), None if None in faults else next(iter(faults), None)


def fault_of(backend: BackendRef, broken: BrokenBackends, graph: ObjectGraph | None) -> Fault | None:
    """Why a backend answers nothing, as far as references, ports and selectors tell."""
    if (fault := _broken(backend, broken)) is not None:
        return fault
    service, port = backend.service.object, backend.service_port
    if graph is None or service is None or not isinstance(service.body, Service):
        return None
    asked = port.port if port is not None else None
    if (empty := emptiness(service, graph, asked, by_kube_proxy=backend.target.value in BY_KUBE_PROXY)) is not None:
        return Fault(f"{backend} has no endpoints: {empty.why}", broken.no_endpoints, empty.place)
    if port is not None and port.endpoints and all(endpoint.number is None for endpoint in port.endpoints):
        why = f"no container of its pods has a port named `{port.target}`"
        return Fault(f"{backend} has no endpoints: {why}", broken.no_endpoints)
    refused = refused_certificate(backend, graph)
    return Fault(f"the gateway refuses {refused.why}", broken.no_endpoints) if refused is not None else None


def _broken(backend: BackendRef, broken: BrokenBackends) -> Fault | None:
    refusal = backend.refusal
    if refusal is not None:
        permitted = refusal.reason is not Reason.REF_NOT_PERMITTED
        return Fault(refusal.message, broken.missing if permitted else broken.not_permitted)
    if backend.service.missing:
        return Fault(f"{backend} does not exist", broken.missing)
    if lacks_port(backend):
        return Fault(f"{backend.kind} {backend.namespace}/{backend.name} has no such port", broken.no_port)
    if backend.tls is not None and not backend.tls.usable:
        return Fault(f"no certificate authority of {backend.tls.policy} can be read", broken.missing)
    return None


def is_missing(backend: BackendRef) -> bool:
    """Whether a backend's Service is not there for certain, or has no such port."""
    return backend.service.missing or lacks_port(backend)


def lacks_port(backend: BackendRef) -> bool:
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


def _sent_to(path: str, status: int, request: Request, selection: Selection) -> Answer:
    """A redirect of the proxy's own to another path of the same host."""
    scheme = "https" if request.secure else "http"
    port = None if request.port == _WELL_KNOWN[scheme] else request.port
    return _redirected(selection, Redirect(scheme, request.host, port, with_query(path, request), status))


def _redirected(selection: Selection, redirect: Redirect) -> Answer:
    return Answer(selection, "redirect", redirect.status, redirect=redirect)


def _redirect(request: Request, item: RequestRedirect, match: Match | None, paths: PathHandling) -> Redirect:
    """kubernetes-sigs/gateway-api:apis/v1/httproute_types.go, HTTPRequestRedirectFilter."""
    asked = "https" if request.secure else "http"
    scheme = item.scheme or asked
    port = item.port
    if port is None:
        port = _WELL_KNOWN.get(scheme, 80) if item.scheme else request.port
    path = new_path(paths.forwarded(request.path), item.path, match, replace_prefix=item.replace_prefix, paths=paths)
    if item.path is None or item.replace_prefix or item.keeps_query:
        path = with_query(path, request)
    if item.drops_last_slash:
        path = path.removesuffix("/") or "/"
    return Redirect(
        scheme,
        item.host or request.host,
        None if port == _WELL_KNOWN.get(scheme) else port,
        path,
        item.status_for(request.method),
    )


def _moved(request: Request, path: str, item: URLRedirect) -> Redirect | None:
    """Where a redirect by the whole URL leads, `path` being what is before it; None where it leaves the URL as it is."""
    scheme = "https" if request.secure else "http"
    port = "" if request.port == _WELL_KNOWN[scheme] else f":{request.port}"
    asked = f"{scheme}://{request.authority or request.host + port}{path}"
    new = replaced(asked, item.regex, item.replacement)
    if new == asked:
        return None
    goal, wanted = split_url(new), RequestRedirect(item.place, item.status, keeps_method=True)
    status = wanted.status_for(request.method)
    if goal is None:
        return Redirect(scheme, request.host, None, new, status)
    there = f"{goal.path}?{goal.query}" if goal.query else goal.path
    return Redirect(goal.scheme or scheme, goal.hostname or request.host, port_of(goal), there or "/", status)
