"""The hops of a request, in packet order, as far as it gets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.controllers.lowering.entries import Entry
from ingress_lint.facts.endpoints import is_off
from ingress_lint.finding import Hop
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence
from ingress_lint.objects.core import Service
from ingress_lint.routes.answering import Answer, Fault, Redirect, Share
from ingress_lint.routes.filters import FixedResponse, RequestRedirect
from ingress_lint.routes.matches import Match, PathMatchType, ValueMatch
from ingress_lint.routes.matching import Candidate
from ingress_lint.routes.model import BackendRef, Endpoint, Route
from ingress_lint.routes.sourced import Origin
from ingress_lint.routes.traffic import HealthCheck, TargetKind
from ingress_lint.tracing.asking import Asked
from ingress_lint.tracing.model import TracedHop, Verdict

_PATH_WORDS: Final = {
    PathMatchType.EXACT: "exactly",
    PathMatchType.PREFIX: "prefix",
    PathMatchType.REGULAR_EXPRESSION: "regular expression",
    PathMatchType.STRING_PREFIX: "prefix of characters",
    PathMatchType.GLOB: "pattern",
}


def hops(
    asked: Asked, entry: Entry, answer: Answer, graph: ObjectGraph, *, trusted: bool = False
) -> Iterator[TracedHop]:
    """Every hop from the client to the pods, or to where the request stops.

    `trusted` says that who connects checks no certificate, as what ended TLS in front does.
    """
    if answer.outcome == "unknown" and answer.selection.refusal is None:
        owner = entry.frontend.owner
        yield TracedHop(Hop.LOAD_BALANCER, owner, entry.title, owner.name_place, "unknown", answer.why)
        return
    yield _client(asked, entry, answer, trusted=trusted)
    winner = answer.selection.winner
    if winner is None or answer.client_refused:
        if answer.selection.listener and not answer.selection.refusal and not answer.client_refused:
            yield _no_route(asked, entry, answer)
        return
    yield _route(entry, winner)
    yield from _own_answer(answer, winner.route)
    shares = [share for share in answer.backends if share.share] or answer.backends
    for share in shares:
        yield from _backend(share, graph, alone=len(shares) == 1)
    if answer.outcome == "error" and not answer.backends and not _answers_itself(winner.route):
        yield TracedHop(
            Hop.SERVICE, winner.route.owner, str(winner.route.owner), winner.route.place, "fail", answer.why
        )


def _client(asked: Asked, entry: Entry, answer: Answer, *, trusted: bool) -> TracedHop:
    owner, listener, refusal = entry.frontend.owner, answer.selection.listener, answer.selection.refusal
    name = str(entry) if entry.title in str(entry) else entry.title
    request = asked.request
    place = listener.place if listener is not None and listener.place is not None else owner.name_place
    verdict: Verdict = "ok"
    if listener is None or refusal is not None:
        detail = answer.why
        if listener is None:
            open_to = sorted(
                {(item.port.value, item.protocol.value) for item in entry.frontend.listeners if item.usable}
            )
            known = ", ".join(f"{port} ({protocol})" for port, protocol in open_to) or "nothing"
            detail = f"port {request.port}: {answer.why}; it listens on {known}"
        return TracedHop(Hop.CLIENT, owner, name, place, "unknown" if answer.outcome == "unknown" else "fail", detail)
    via = f"listener {listener.name}, " if listener.name else ""
    protocol = "HTTPS" if request.secure and listener.protocol.value == "HTTP" else listener.protocol.value
    detail = f"{via}port {request.port}, {protocol}"
    winner = answer.selection.winner
    untold = request.secure and not trusted and listener.protocol.value == "HTTP"
    if untold and not (winner and winner.route.is_default):
        verdict = "warning"
        detail += (
            f"; no TLS block names `{request.host}`, so {entry.title} shows a certificate that clients do not trust"
        )
    elif answer.client_refused:
        verdict, detail = "fail", f"{detail}; {answer.why}"
    return TracedHop(Hop.CLIENT, owner, name, place, verdict, detail)


def _no_route(asked: Asked, entry: Entry, answer: Answer) -> TracedHop:
    request = asked.request
    wanted = f"{request.method} {request.path}" if request.protocol in ("http", "grpc") else "the connection"
    detail = f"no route of {entry.title} takes {wanted} for `{request.host}`"
    lost = answer.selection.lost
    if lost:
        others = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
        detail += f"; {lost[0].route.owner}: {lost[0].why}{others}"
    owner = entry.frontend.owner
    return TracedHop(Hop.LOAD_BALANCER, owner, str(entry), owner.name_place, "fail", detail)


def _route(entry: Entry, winner: Candidate) -> TracedHop:
    route, match = winner.route, winner.match
    place = match.path.place if match is not None else route.place
    words = _match_words(match) if match is not None else "every connection"
    host = f"host {winner.hostname}" if winner.hostname not in ("", "*") else "any host"
    detail = f"{host}, {words}"
    if route.is_default:
        detail = "the default backend, for what no other route takes"
    if route.assumed:
        detail += f"; that {entry.title} serves it is assumed"
    return TracedHop(Hop.LOAD_BALANCER, route.owner, str(route.owner), place, "ok", detail)


def _match_words(match: Match) -> str:
    path = match.path.value
    words = [f"path {path.value} ({_PATH_WORDS[path.type]})"]
    words += [f"method {match.method}"] if match.method else []
    words += [f"header {_pair(header)}" for header in match.headers]
    words += [f"query {_pair(parameter)}" for parameter in match.query]
    words += [f"where {match.condition}"] if match.condition else []
    return ", ".join(words)


def _pair(wanted: ValueMatch) -> str:
    pair = f"{wanted.name}{': ' if wanted.type == 'Exact' else ' like '}{wanted.value}"
    return f"not {pair}" if wanted.inverted else pair


def _answers_itself(route: Route) -> bool:
    return any(isinstance(item, RequestRedirect | FixedResponse) for item in route.filters)


def _own_answer(answer: Answer, route: Route) -> Iterator[TracedHop]:
    """A redirect or a fixed response."""
    for item in route.filters:
        if isinstance(item, RequestRedirect) and answer.redirect is not None:
            detail = f"answers {item.status} itself: {location(answer.redirect)}"
        elif isinstance(item, FixedResponse) and not answer.backends:
            detail = f"answers {item.status} itself"
        else:
            continue
        verdict: Verdict = "fail" if answer.outcome == "error" else "ok"
        yield TracedHop(Hop.LOAD_BALANCER, route.owner, str(route.owner), item.place, verdict, detail)
        return


def location(redirect: Redirect) -> str:
    """Where a redirect leads, as its Location header says it."""
    port = f":{redirect.port}" if redirect.port is not None else ""
    return f"{redirect.scheme}://{redirect.host}{port}{redirect.path}"


def _backend(share: Share, graph: ObjectGraph, *, alone: bool) -> Iterator[TracedHop]:
    backend = share.backend
    part = "" if alone else f"{share.share:.0%} of requests; "
    if backend.health_check is not None:
        yield _health_check(backend.health_check, graph)
    port = backend.service_port
    if port is not None and share.fault is None and backend.target.value is not TargetKind.POD:
        yield _node(backend)
    item = backend.service.object
    endpoint_fault = share.fault is not None and item is not None and backend.refusal is None and port is not None
    yield _service(backend, part, None if endpoint_fault else share.fault)
    if endpoint_fault and share.fault is not None:
        yield from _empty(backend, share.fault, graph)
    elif port is not None and share.fault is None:
        yield from _pods(backend, graph)


def _health_check(check: HealthCheck, graph: ObjectGraph) -> TracedHop:
    asks = f"{check.protocol.value} {check.path.value}" if check.path is not None else check.protocol.value
    expects = f", expects {check.codes.value}" if check.codes else ""
    port = f"port {check.port.value}" if check.port else "the traffic port"
    source = check.path or check.protocol
    origin = {Origin.EXPLICIT: "", Origin.DERIVED: " (derived)", Origin.DEFAULT: " (its default)"}[source.origin]
    detail = f"asks for {asks}{origin} on {port}{expects}"
    owner = graph.object_at(source.place)
    return TracedHop(Hop.LOAD_BALANCER, owner, f"health check of the {check.by}", source.place, "ok", detail)


def _node(backend: BackendRef) -> TracedHop:
    port, kind = backend.service_port, backend.target.value
    assert port is not None  # noqa: S101
    number = port.port.node_port
    detail = {
        TargetKind.NODE: f"NodePort {number}" if number else "a NodePort, which the cluster chooses",
        TargetKind.CLUSTER_IP: "the cluster IP, by kube-proxy",
    }.get(kind, "a node or the pod itself, as the cluster is set up")
    return TracedHop(Hop.NODE, port.service, str(port.service), port.at("nodePort" if number else "port"), "ok", detail)


def _service(backend: BackendRef, part: str, fault: Fault | None) -> TracedHop:
    item, port = backend.service.object, backend.service_port
    if fault is not None:
        return TracedHop(Hop.SERVICE, item, str(backend), backend.place, "fail", part + fault.why)
    if item is None:
        why = backend.service.why if backend.service.existence is not Existence.FOUND else ""
        return TracedHop(
            Hop.SERVICE, None, str(backend), backend.place, "unknown", f"{part}not in these manifests: {why}"
        )
    spoken = backend.protocol.value.value
    if port is None:
        external = isinstance(item.body, Service) and item.body.spec.external_name
        detail = f"{part}leads out of the cluster, to {external}" if external else f"{part}its port is unknown"
        return TracedHop(Hop.SERVICE, item, str(item), item.name_place, "unknown", detail)
    name = f" ({port.port.name})" if port.port.name else ""
    detail = f"{part}port {port.port.port}{name} to target port {port.target}, {spoken}"
    return TracedHop(Hop.SERVICE, item, str(item), port.at("port"), "ok", detail)


def _empty(backend: BackendRef, fault: Fault, graph: ObjectGraph) -> Iterator[TracedHop]:
    """The pods that are not there: the workloads that have none, else the selector that matches nothing."""
    port = backend.service_port
    if port is None:
        return
    for endpoint in port.endpoints:
        workload = endpoint.workload
        place = workload.object.at("spec", "replicas") if is_off(workload, graph) else workload.object.name_place
        yield TracedHop(Hop.POD, workload.object, str(workload), place, "fail", fault.why)
    if not port.endpoints:
        place = fault.place or port.service.at("spec", "selector")
        yield TracedHop(Hop.POD, None, "no pod", place, "fail", fault.why)


def _pods(backend: BackendRef, graph: ObjectGraph) -> Iterator[TracedHop]:
    port = backend.service_port
    assert port is not None  # noqa: S101
    for endpoint in port.endpoints:
        yield _pod(endpoint, str(port.target), graph)
    if port.endpoints:
        return
    written = graph.endpoints_of(port.service)
    if written:
        yield TracedHop(Hop.POD, written[0], str(written[0]), written[0].name_place, "ok", "endpoints written by hand")
        return
    place = port.service.at("spec", "selector")
    yield TracedHop(Hop.POD, None, "pods", place, "unknown", "its pods are not in these manifests")


def _pod(endpoint: Endpoint, target: str, graph: ObjectGraph) -> TracedHop:
    workload = endpoint.workload
    item, place = workload.object, endpoint.port_place or workload.object.name_place
    if endpoint.number is None:
        return TracedHop(Hop.POD, item, str(item), place, "fail", f"no container has a port named `{target}`")
    if is_off(workload, graph):
        return TracedHop(Hop.POD, item, str(item), item.at("spec", "replicas"), "fail", "it has 0 replicas")
    where = f"container {endpoint.container.name}, " if endpoint.container is not None else ""
    number = workload.replicas
    count = "" if workload.fixed_size or number is None else f", {number} replica{'' if number == 1 else 's'}"
    return TracedHop(Hop.POD, item, str(item), place, "ok", f"{where}port {endpoint.number}{count}")
