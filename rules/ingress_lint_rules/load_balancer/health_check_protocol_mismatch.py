"""## What it does
Compares what a load balancer's health check speaks (plain HTTP, HTTPS, HTTP/1) with what the port it asks speaks.

## What you see
Every target is unhealthy although the pods are Ready: "health checks failed" with no status code, "bad request" (400)
or a TLS handshake error in the application's log at every interval. Clients get 502 or 503.

## Why it breaks
The check and the traffic are set apart from each other. Somebody turns on TLS to the pods and leaves the check at HTTP,
or points the check at a management port that has no TLS while the check inherits HTTPS from the traffic. A server that
expects a TLS handshake drops a plain request, and the other way round. A gRPC server speaks HTTP/2 only, so that an
HTTP/1 request never gets an answer.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    alb.ingress.kubernetes.io/target-type: ip
    alb.ingress.kubernetes.io/backend-protocol: HTTPS
    alb.ingress.kubernetes.io/healthcheck-protocol: HTTP
    alb.ingress.kubernetes.io/healthcheck-path: /healthz
spec:
  ingressClassName: alb
  defaultBackend: {service: {name: shop, port: {number: 443}}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    alb.ingress.kubernetes.io/target-type: ip
    alb.ingress.kubernetes.io/backend-protocol: HTTPS
    alb.ingress.kubernetes.io/healthcheck-protocol: HTTPS
    alb.ingress.kubernetes.io/healthcheck-path: /healthz
spec:
  ingressClassName: alb
  defaultBackend: {service: {name: shop, port: {number: 443}}}
```

## Fix
Let the check speak what its port speaks: the protocol of the traffic where both share a port, the management port's own
where it asks that, the load balancer's gRPC check where the port speaks gRPC.

## Prove it
```sh
kubectl -n NAMESPACE port-forward deploy/WORKLOAD 8443:PORT &
curl -sv http://localhost:8443/PATH       # "empty reply" or 400: the port wants TLS
curl -skv https://localhost:8443/PATH     # "wrong version number": the port speaks plain HTTP
```

## How sure
An error where check and traffic share a port but not TLS, for one port seldom takes both, and where a probe or the
server's own configuration proves what the port speaks. A warning where names, numbers and settings only make it likely,
a port name such as `mqtt` or `tcp-api` among them. Silent where the traffic itself speaks the wrong protocol to that
port (IL502, IL507), where images are known to take both, and where the check only opens a connection.

## References
- https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#healthcheck-protocol
- https://cloud.google.com/kubernetes-engine/docs/how-to/ingress-configuration#direct_health
- https://grpc.io/docs/guides/health-checking/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.facts.evidence.model import Speech, Verdict
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Service
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.health import Landing, lacks_node_port, landings, without_healthy_targets
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.remedies import told
from ingress_lint.routes.traffic import AppProtocol, HealthCheck
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule
from ingress_lint.values.patterns import deferred

_OVER_TLS: Final = {"HTTP": False, "HTTPS": True, "HTTP2": True}
"""Whether a check that asks a path opens TLS; the others say nothing that a port could refuse."""
_SPOKEN: Final = {False: "plain HTTP", True: "HTTPS"}
_NOT_HTTP: Final = deferred(
    r"(?:.*-)?(?:tcp|amqps?|kafka|ldaps?|mongo(?:db)?|mqtts?|mysql|nats|postgres(?:ql)?|redis|smtp|ssh)(?:-.*)?",
    re.DOTALL,
)
"""The names of ports that speak something else than HTTP."""


class HealthCheckProtocolMismatch(Rule):
    """A health check that speaks what its port does not."""

    code: ClassVar[str] = "IL203"
    name: ClassVar[str] = "health-check-protocol-mismatch"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "the load balancer's health check speaks another protocol than the port that it asks"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the health check speaks another protocol than the pod, so no target is healthy",
            often=("502", "503", "check-failed", "no-healthy-upstream"),
            sometimes=("check-wrong-status", "http-version-mismatch", "plain-http-to-https", "wrong-version-number"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"health_check"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Compares each backend's health check with its traffic, else with what is known of the port it asks."""
        for backend in route.backends:
            check = backend.health_check
            over_tls = _OVER_TLS.get(check.protocol.value) if check else None
            if check is None or over_tls is None:
                continue
            if backend.service_port is not None and lacks_node_port(check, backend.service_port):
                continue
            found = self._against_traffic(route, backend, check, over_tls, graph)
            yield from found or self._against_port(route, backend, check, over_tls, graph)

    def _against_traffic(
        self, route: Route, backend: BackendRef, check: HealthCheck, over_tls: bool, graph: ObjectGraph
    ) -> list[Finding]:
        """One port that the load balancer asks in two ways."""
        traffic = backend.protocol
        if check.port is not None or not (traffic.value.plain if over_tls else traffic.value.over_tls):
            return []
        for landing in landings(backend):
            verdict = _transport(landing, backend, graph)
            if (verdict is not None and verdict.speech is _speech(over_tls)) or _takes_both(landing, graph):
                return []
        message = (
            f"the {check.by} checks health by {_SPOKEN[over_tls]} but sends traffic by {traffic.value} to the same port "
            f"of {backend}, which answers only one of them: {without_healthy_targets(route)}"
        )
        return [
            self.finding(
                check.protocol.place,
                message,
                related=(Related(f"the traffic is {traffic.value}", traffic.place),),
                path=way(route, backend, Hop.POD),
                fix=_to_protocol(backend, not over_tls),
            )
        ]

    def _against_port(
        self, route: Route, backend: BackendRef, check: HealthCheck, over_tls: bool, graph: ObjectGraph
    ) -> Iterable[Finding]:
        for landing in landings(backend):
            fault = _wrong_transport(landing, backend, over_tls, graph) or _grpc(landing, backend, check, graph)
            if fault is None:
                yield from self._against_name(route, backend, check, over_tls, landing)
            else:
                verdict, spoken, fix = fault
                yield self.finding(
                    _asked_by(check),
                    f"the {check.by} checks health by {_SPOKEN[over_tls]} at port {landing.number}, where "
                    f"{landing.workload} speaks {spoken}, because {verdict.why}: {without_healthy_targets(route)}",
                    severity=Severity.ERROR if verdict.certain else Severity.WARNING,
                    related=[Related(piece.why, piece.place) for piece in verdict.evidence],
                    path=way(route, backend, Hop.POD, landing.endpoint),
                    fix=fix,
                )
                return

    def _against_name(
        self, route: Route, backend: BackendRef, check: HealthCheck, over_tls: bool, landing: Landing
    ) -> Iterator[Finding]:
        """A port that speaks something else than HTTP, by its name alone."""
        if landing.on_traffic_port and backend.protocol.value is not AppProtocol.TCP:
            return
        declared = landing.container.port_numbered(landing.number) if landing.container else None
        if landing.container is None or declared is None or any(answer.path for answer in landing.here):
            return
        index, port = declared
        if not _NOT_HTTP.fullmatch(port.name.lower()) or "http" in port.name.lower():
            return
        yield self.finding(
            _asked_by(check),
            f"the {check.by} checks health by {_SPOKEN[over_tls]} at port {landing.number}, which {landing.workload} names "
            f"`{port.name}`; unless it answers HTTP after all, {without_healthy_targets(route)}",
            severity=Severity.WARNING,
            related=(Related(f"port {landing.number} is `{port.name}`", landing.container.at("ports", index, "name")),),
            path=way(route, backend, Hop.POD, landing.endpoint),
            fix="let the health check only open a connection (TCP), or ask a port that serves HTTP",
        )


_Fault = tuple[Verdict, str, str]


def _wrong_transport(landing: Landing, backend: BackendRef, over_tls: bool, graph: ObjectGraph) -> _Fault | None:
    verdict = _transport(landing, backend, graph)
    if verdict is None or verdict.speech is _speech(over_tls):
        return None
    if landing.on_traffic_port and (backend.protocol.value.over_tls if over_tls else backend.protocol.value.plain):
        return None
    return verdict, "plain text" if over_tls else "TLS", _to_protocol(backend, not over_tls)


def _to_protocol(backend: BackendRef, over_tls: bool) -> str:
    """What makes the health check speak TLS, or stop to."""
    otherwise = f"let the health check speak {_SPOKEN[over_tls]}"
    return told(backend.remedies.check_protocol, "HTTPS" if over_tls else "HTTP", otherwise)


def _grpc(landing: Landing, backend: BackendRef, check: HealthCheck, graph: ObjectGraph) -> _Fault | None:
    if check.protocol.value == "HTTP2":
        return None
    if landing.on_traffic_port and backend.protocol.value in (AppProtocol.HTTP, AppProtocol.HTTPS):
        return None
    service, index = _service_port(landing, backend)
    verdict = listening_evidence(graph).application(landing.workload, landing.number, service, index)
    if verdict is None or verdict.speech is not Speech.GRPC:
        return None
    return verdict, "gRPC, which is HTTP/2 only", "let the health check speak gRPC, or ask a port that serves HTTP"


def _transport(landing: Landing, backend: BackendRef, graph: ObjectGraph) -> Verdict | None:
    service, index = _service_port(landing, backend)
    return listening_evidence(graph).transport(landing.workload, landing.number, service, index)


def _service_port(landing: Landing, backend: BackendRef) -> tuple[KubernetesObject[Service] | None, int]:
    """The Service port that leads to where the check arrives, where that is the backend's own."""
    port = backend.service_port
    return (port.service, port.index) if port is not None and landing.on_traffic_port else (None, 0)


def _takes_both(landing: Landing, graph: ObjectGraph) -> bool:
    known = listening_evidence(graph).of(landing.container).image if landing.container else None
    return known is not None and known.speaks_both


def _speech(over_tls: bool) -> Speech:
    return Speech.TLS if over_tls else Speech.PLAIN


def _asked_by(check: HealthCheck) -> Place:
    """The text that makes the check ask so: its protocol, else its port."""
    if check.port is not None and check.port.explicit and not check.protocol.explicit:
        return check.port.place
    return check.protocol.place
