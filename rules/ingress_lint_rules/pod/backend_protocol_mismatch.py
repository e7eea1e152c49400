"""## What it does
Compares what the proxy speaks to the pod, plain text or TLS, HTTP or FastCGI, with what the pod's port expects.

## What you see
Plain HTTP to a TLS port: 400 with "Client sent an HTTP request to an HTTPS server" or "The plain HTTP request was sent
to HTTPS port", or 502 where the pod just closes the connection. TLS to a plain port: 502 (503 from Envoy) and, in the
proxy's log, "wrong version number" or "SSL_do_handshake() failed"; load balancers that check over the same protocol
take every target out of rotation. HTTP to PHP-FPM: 502 with "upstream prematurely closed connection".

## Why it breaks
A proxy does not find out by trying: it speaks what its annotation, policy, `appProtocol` or default says. Port 443 or
the name `https` change nothing on most controllers, so a pod that opens TLS needs to be announced as one.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  annotations: {nginx.ingress.kubernetes.io/backend-protocol: HTTPS}
spec:
  ingressClassName: nginx
  rules:
    - http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  containers:
    - name: web
      image: example/web
      ports: [{name: http, containerPort: 8080}]
      readinessProbe: {httpGet: {path: /healthz, port: http}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  ingressClassName: nginx
  rules:
    - http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  containers:
    - name: web
      image: example/web
      ports: [{name: http, containerPort: 8080}]
      readinessProbe: {httpGet: {path: /healthz, port: http}}
```

## Fix
Tell the controller what the pod speaks (`backend-protocol`, `appProtocol`, a BackendTLSPolicy, a DestinationRule), or
send the traffic to the pod's other port.

## Prove it
```sh
kubectl -n NAMESPACE port-forward deploy/NAME 9999:PORT &
curl -v http://localhost:9999/
curl -vk https://localhost:9999/
```

## How sure
An error where the pod's side is certain: a probe asks the same port over HTTP or HTTPS (a TLS port answers the
kubelet's plain request with 400, so the pod would never be ready), the kubelet's gRPC probe, a `listen ... ssl` in the
mounted configuration of a known web server, ASPNETCORE_URLS. A warning where somebody says so and nothing checks it
(`appProtocol`, `--tls-cert-file`, `--https-port`, the image of PHP-FPM or of a database), or where two independent
habits agree, such as the port's name and its number. One of those alone is no evidence. Silent where the evidence
contradicts itself, where the image takes both on one port, and where the controller's own choice is unknown. One step
down where no class says which controller serves the route. A warning for a BackendTLSPolicy that loses to another for
the same port. TLS that is passed through is IL503's.

## References
- https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#backend-protocol
- https://kubernetes.io/docs/concepts/services-networking/service/#application-protocol
- https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#http-probes
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from msgspec.structs import replace

from ingress_lint.facts.evidence.index import EvidenceIndex, listening_evidence
from ingress_lint.facts.evidence.model import Speech, Verdict
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.routes.model import BackendRef, Endpoint, ResolvedPort, Route
from ingress_lint.routes.remedies import told
from ingress_lint.routes.sourced import Origin
from ingress_lint.routes.traffic import AppProtocol
from ingress_lint.routes.verdicts import Reason
from ingress_lint.routes.verdicts import Verdict as Refusal
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule
from ingress_lint.tracing.predictions import CONNECTION_LOST, PREDICTIONS

_EXPECTS: Final = {
    Speech.PLAIN: "speaks plain text",
    Speech.TLS: "expects TLS",
    Speech.HTTP: "speaks HTTP",
    Speech.GRPC: "speaks gRPC",
    Speech.FASTCGI: "expects FastCGI",
    Speech.OTHER: "speaks no HTTP",
}
_WANTED: Final = {
    Speech.PLAIN: AppProtocol.HTTP,
    Speech.TLS: AppProtocol.HTTPS,
    Speech.HTTP: AppProtocol.HTTP,
    Speech.GRPC: AppProtocol.GRPC,
    Speech.FASTCGI: AppProtocol.FASTCGI,
}
_SEEN: Final = {
    Speech.PLAIN: 'the handshake fails with "wrong version number" and the client gets {handshake}',
    Speech.TLS: "the client gets 400 (HTTP request to an HTTPS port) or {closed}",
}
_CLOSED: Final = 'the pod closes the connection ("upstream prematurely closed connection") and the client gets {closed}'


class BackendProtocolMismatch(Rule):
    """Plain text to a port that opens TLS, or TLS to one that does not."""

    code: ClassVar[str] = "IL502"
    name: ClassVar[str] = "backend-protocol-mismatch"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "the proxy speaks plain text to a port that expects TLS, or TLS to one that does not"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the proxy speaks plain HTTP to a pod that expects TLS",
            often=("400", "plain-http-to-https"),
            sometimes=("502", "check-failed", "check-wrong-status", "connection-reset", "premature-close"),
        ),
        Cause(
            "the proxy speaks TLS to a pod that expects plain HTTP",
            often=("502", "wrong-version-number"),
            sometimes=("500", "503", "check-failed", "connection-failure", "no-live-upstreams", "retries-exhausted"),
        ),
        Cause(
            "the proxy speaks HTTP to a pod that speaks another protocol, such as FastCGI",
            often=("502",),
            sometimes=("connection-reset", "premature-close"),
        ),
    )
    reasons: ClassVar[frozenset[Reason]] = frozenset({Reason.TLS_CONFLICTED})
    fields: ClassVar[frozenset[str]] = frozenset({"service_port"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Compares each backend's protocol with the evidence about the port that it leads to."""
        for backend in route.backends:
            protocol = backend.protocol.value
            port = backend.service_port
            if port is None or port.port.protocol != "TCP" or protocol is AppProtocol.TLS:
                continue
            if backend.proxy_port is not None and backend.proxy_port.tls is not None:
                continue
            if protocol.plain or protocol.over_tls:
                against = _against(protocol, port, backend.endpoints, listening_evidence(graph))
                if against is not None:
                    yield self._mismatch(route, backend, *against)

    def check_verdict(self, verdict: Refusal, route: Route | None, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports BackendTLSPolicies that have no effect, as another is for the same port."""
        yield replace(self.of_verdict(verdict), severity=Severity.WARNING)

    def _mismatch(self, route: Route, backend: BackendRef, endpoint: Endpoint, verdict: Verdict) -> Finding:
        protocol = backend.protocol
        severity = Severity.ERROR if verdict.certain else Severity.WARNING
        if route.assumed:
            severity = Severity(severity - 1)
        by = "by default" if protocol.origin is Origin.DEFAULT else protocol.why
        how = f" ({by})" if by else ""
        pod = f"port {endpoint.number} of {endpoint.workload} {_EXPECTS[verdict.speech]}"
        who = route.controller.value
        seen = _SEEN.get(verdict.speech, _CLOSED).format(
            handshake=PREDICTIONS[self.code].status_from(who), closed=CONNECTION_LOST.status_from(who)
        )
        sure = "" if verdict.certain else "very likely "
        message = (
            f"{route.gateway} speaks {_spoken(protocol.value)}{how} to {backend.kind} `{backend.name}`, but {pod}: "
            f"{verdict.why}; {sure}{seen}"
        )
        if route.assumed:
            message += f" (taking {route.controller.value} as the controller, as nothing says which serves it)"
        return self.finding(
            _place(backend),
            message,
            severity=severity,
            related=[
                Related(piece.why, piece.place)
                for piece in verdict.evidence[:3]
                if piece.certainty is verdict.strongest.certainty
            ],
            path=way(route, backend, Hop.POD, endpoint),
            fix=_fix(backend, verdict.speech),
        )


def _spoken(protocol: AppProtocol) -> str:
    name = {AppProtocol.FASTCGI: "FastCGI", AppProtocol.HTTP2: "HTTP/2"}.get(protocol, str(protocol))
    if protocol is AppProtocol.HTTP2:
        return f"{name} over TLS"
    return f"plain {name}" if protocol.plain and protocol is not AppProtocol.FASTCGI else name


def _place(backend: BackendRef) -> Place:
    """What decides the protocol; where nobody wrote it, the reference, since one object may have several backends."""
    if backend.protocol.origin is Origin.DEFAULT:
        return backend.port.place if backend.port else backend.place
    return backend.protocol.place


def _fix(backend: BackendRef, expected: Speech) -> str:
    if expected is Speech.OTHER:
        return "lead TCP there: a Service of type LoadBalancer, a TCPRoute, or what the controller has for TCP"
    if expected is Speech.PLAIN and backend.protocol.explicit:
        return "drop this setting, or lead the route to a port of the pod that opens TLS"
    otherwise = f"tell the controller that this backend speaks {expected.value}"
    instruction = told(backend.remedies.protocols.get(_WANTED[expected], ""), "", otherwise)
    return f"{instruction}, or lead the route to a port that speaks {_spoken(backend.protocol.value)}"


def _against(
    protocol: AppProtocol, port: ResolvedPort, endpoints: Iterable[Endpoint], evidence: EvidenceIndex
) -> tuple[Endpoint, Verdict] | None:
    """The best evidence against a protocol; None where there is none, or where the pods of another workload fit it."""
    found: list[tuple[Endpoint, Verdict]] = []
    for endpoint in endpoints:
        if endpoint.number is None:
            continue
        transport = evidence.transport(endpoint.workload, endpoint.number, port.service, port.index)
        if transport is not None and transport.speech is not (Speech.PLAIN if protocol.plain else Speech.TLS):
            found.append((endpoint, transport))
            continue
        application = evidence.application(endpoint.workload, endpoint.number, port.service, port.index)
        if application is not None and not _fits(application.speech, protocol):
            found.append((endpoint, application))
        elif transport is not None:
            return None
    return max(found, key=lambda pair: pair[1].certainty) if found else None


def _fits(application: Speech, protocol: AppProtocol) -> bool:
    """Whether a port of this application understands a proxy at all; HTTP and gRPC are told apart by IL507."""
    if application is Speech.OTHER:
        return False
    return (application is Speech.FASTCGI) is (protocol is AppProtocol.FASTCGI)
