"""From a trace and what the rules find on it to a runbook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from ingress_lint.controllers.lowering.entries import Entry
from ingress_lint.finding import Hop
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.core import Service
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.report import ReportedFinding
from ingress_lint.routes.answering import Share
from ingress_lint.routes.traffic import AppProtocol, TargetKind
from ingress_lint.runbook import edge
from ingress_lint.runbook.asking import Question
from ingress_lint.runbook.cluster import endpoint_checks, no_node_port, node_port_check, service_check
from ingress_lint.runbook.internet import internet_checks
from ingress_lint.runbook.model import Check, Phase, Runbook
from ingress_lint.tracing.hops import location
from ingress_lint.tracing.model import Trace

_TITLES: Final = (
    "Inside the cluster: the Service",
    "The endpoints against the selector",
    "The NodePort",
    "The load balancer",
    "The internet, and the nodes' kernel",
)
_PHASE_OF: Final = {
    Hop.POD: 0,
    Hop.SERVICE: 1,
    Hop.MANIFEST: 1,
    Hop.LOAD_BALANCER: 3,
    Hop.CLIENT: 3,
    Hop.NODE: 4,
}
"""Where a finding shows that no check's failure names."""


def runbook(trace: Trace, entry: Entry, graph: ObjectGraph, findings: Sequence[ReportedFinding]) -> Runbook:
    """The diagnostic of a request that gets as far as `entry`."""
    shares = _shares(trace)
    own = _own_service(trace, entry)
    phases = (
        _service_phase(trace, shares),
        _endpoint_phase(trace, shares, graph),
        _node_port_phase(trace, entry, shares, own),
        _balancer_phase(trace, entry, shares, own, graph),
        Phase(_TITLES[4], tuple(internet_checks(trace.asked, _namespace(trace, entry)))),
    )
    told = {code for phase in phases for check in phase.checks for fail in check.failures for code in fail.codes}
    rest = [finding for finding in findings if finding.code not in told]
    placed = tuple(
        Phase(
            phase.title,
            phase.checks,
            phase.not_here,
            tuple(finding for finding in rest if _PHASE_OF[finding.hop] == number),
        )
        for number, phase in enumerate(phases)
    )
    return Runbook(trace, placed, tuple(findings))


def _shares(trace: Trace) -> list[Share]:
    return [share for share in trace.answer.backends if share.share] if trace.answer is not None else []


def _no_backend(trace: Trace) -> str:
    """Why no Service is on the way."""
    redirect = trace.answer.redirect if trace.answer is not None else None
    if redirect is not None:
        there = location(redirect)
        return f"the gateway answers with a redirect by itself; for what stands behind, follow it with --url {there}"
    return f"no Service is on the way: {trace.why or 'the route names none'}"


def _question(trace: Trace, share: Share) -> Question:
    """What the backend gets to see; where none answers, the request as it came."""
    request, upstream = trace.asked.request, trace.answer.upstream if trace.answer else None
    query = f"?{request.query_string}" if request.query_string else ""
    return Question(
        share.backend.protocol.value,
        request.method,
        upstream.host if upstream else request.host,
        upstream.path if upstream else request.path + query,
        upstream.headers if upstream else request.headers,
    )


def _service_phase(trace: Trace, shares: Iterable[Share]) -> Phase:
    checks = tuple(service_check(share.backend, _question(trace, share)) for share in shares)
    return Phase(_TITLES[0], checks, "" if checks else _no_backend(trace))


def _endpoint_phase(trace: Trace, shares: Iterable[Share], graph: ObjectGraph) -> Phase:
    checks = tuple(
        check for share in shares for check in endpoint_checks(share.backend, _question(trace, share), graph)
    )
    return Phase(_TITLES[1], checks, "" if checks else _no_backend(trace))


def _node_port_phase(
    trace: Trace, entry: Entry, shares: Sequence[Share], own: KubernetesObject[Service] | None
) -> Phase:
    checks: list[Check] = []
    reasons: list[str] = [] if shares else [_no_backend(trace)]
    for share in shares:
        port = share.backend.service_port
        if why := no_node_port(share.backend, entry.title):
            reasons.append(why)
        elif port is None:
            reasons.append(f"{share.backend} has no port that is known")
        else:
            certain = share.backend.target.value is not TargetKind.NODE_OR_POD
            question = _question(trace, share)
            checks.append(node_port_check(port.service, port.port.port, port.port.node_port, question, certain=certain))
    asked = trace.asked.request
    mine = [port for port in own.body.spec.ports if port.port == asked.port] if own is not None else []
    if own is not None and mine:
        reasons.append(f"{entry.title} itself stands behind {own}, whose NodePort is")
        query = f"?{asked.query_string}" if asked.query_string else ""
        protocol = AppProtocol.HTTPS if asked.secure else AppProtocol.HTTP
        if asked.protocol != "http":
            protocol = AppProtocol.UDP if asked.protocol == "udp" else AppProtocol.TCP
        question = Question(protocol, asked.method, asked.host, asked.path + query, asked.headers)
        checks.append(node_port_check(own, mine[0].port, mine[0].node_port, question))
    return Phase(_TITLES[2], tuple(checks), "; ".join(dict.fromkeys(reasons)))


def _balancer_phase(
    trace: Trace, entry: Entry, shares: Iterable[Share], own: KubernetesObject[Service] | None, graph: ObjectGraph
) -> Phase:
    checks = [edge.address_check(trace, entry, own), edge.request_check(trace, entry)]
    if trace.asked.request.encrypted:
        checks.append(edge.certificate_check(trace.asked))
    for share in shares:
        service, port = share.backend.service.object, share.backend.service_port
        selector = graph.selector(service) if service is not None and isinstance(service.body, Service) else {}
        checks += edge.health_checks(share.backend, selector, port.pod_port if port else None)
    return Phase(_TITLES[3], tuple(checks))


def _own_service(trace: Trace, entry: Entry) -> KubernetesObject[Service] | None:
    """The Service by which traffic comes to the pods of the controller itself, where the manifests hold both."""
    front = trace.front.route.owner if trace.front is not None and trace.front.route is not None else None
    known = [item.service for route in entry.routes for item in route.fronts]
    return next((service for service in known if service is front), known[0] if known else None)


def _namespace(trace: Trace, entry: Entry) -> str:
    """Where debug pods run."""
    shares = _shares(trace)
    if shares:
        return shares[0].backend.namespace
    owner = trace.route.owner if trace.route is not None else entry.frontend.owner
    return owner.namespace or "default"
