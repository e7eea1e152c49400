"""## What it does
Checks that TLS passthrough can work where it is asked for: the controller does it, the route needs nothing that lies
inside TLS, and the pod opens TLS itself.

## What you see
`ERR_SSL_PROTOCOL_ERROR` or a reset right after connecting where the pod speaks plain HTTP; a certificate warning where
the controller ends TLS after all; another application's answer where a path was meant to decide.

## Why it breaks
With passthrough, the controller forwards the encrypted bytes and sees only the server name. The pod must do the
handshake. Paths, headers, redirects, rewrites and the controller's own certificates mean nothing on the way. Controllers
have it switched off unless told otherwise, and then treat the route as any other.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: vault
  annotations:
    nginx.ingress.kubernetes.io/ssl-passthrough: "true"
spec:
  ingressClassName: nginx
  rules:
    - host: vault.example.com
      http:
        paths:
          - path: /ui
            pathType: Prefix
            backend: {service: {name: vault, port: {number: 8200}}}
---
apiVersion: v1
kind: Service
metadata: {name: vault}
spec: {selector: {app: vault}, ports: [{port: 8200}]}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: vault
  annotations:
    nginx.ingress.kubernetes.io/ssl-passthrough: "true"
spec:
  ingressClassName: nginx
  rules:
    - host: vault.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: vault, port: {number: 8200}}}
---
apiVersion: v1
kind: Service
metadata: {name: vault}
spec: {selector: {app: vault}, ports: [{port: 8200}]}
```

## Fix
Switch passthrough on in the controller (`--enable-ssl-passthrough` for ingress-nginx), route the host's `/` to a pod
that opens TLS, and leave paths to that pod; or let the controller end TLS and remove the annotation.

## Prove it
```sh
openssl s_client -connect ADDRESS:443 -servername HOST </dev/null | openssl x509 -noout -subject
kubectl -n NAMESPACE port-forward POD 8443:PORT & openssl s_client -connect 127.0.0.1:8443 </dev/null
```

## How sure
An error where the controller is in the set without its switch, where a path or a missing host makes passthrough
impossible, and where probes or settings prove that the pod speaks plain text; a warning where its port's name or number
make that likely, and where the certificate of a Secret is given that no pod behind the route has; a note where the pod
has a service account, by which it may read the Secret, as Argo CD's server does. Where the controller is not in the set,
its switch is taken to be on.

## References
- https://kubernetes.github.io/ingress-nginx/user-guide/tls/#ssl-passthrough
- https://gateway-api.sigs.k8s.io/guides/tls/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.facts.evidence.model import Speech
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.routes.listeners import Listener, ListenerTLS
from ingress_lint.routes.model import BackendRef, Endpoint, Route
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule


class TLSPassthroughMismatch(Rule):
    """TLS passed through by a controller that does not, or to a pod that cannot take it."""

    code: ClassVar[str] = "IL503"
    name: ClassVar[str] = "tls-passthrough-mismatch"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "TLS passthrough that the controller, the route or the pod does not support"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the encrypted bytes reach somebody who does not do the handshake, or are opened where they should not be",
            often=("wrong-version-number",),
            sometimes=("404", "connection-reset", "wrong-certificate"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"backends"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks at what is asked for, then at each pod that the TLS arrives at."""
        refused = route.passthrough_refused
        passing = [item for item in route.listeners if item.tls is not None and item.tls.mode.value == "Passthrough"]
        if refused is None and not passing:
            return
        for backend in route.backends:
            if refused is not None:
                yield self.finding(
                    refused.place,
                    f"{route.owner.kind} `{route.owner.name}` asks for TLS passthrough, but {refused.value}: clients do "
                    f"not reach the TLS of {backend}, and get a certificate warning or another backend's answer",
                    severity=Severity.WARNING if route.assumed else None,
                    path=way(route, backend, Hop.LOAD_BALANCER),
                    fix="switch passthrough on in the controller and route the whole host by it, or remove the annotation",
                )
            for listener in passing:
                if listener.tls is not None:
                    for endpoint in backend.endpoints:
                        yield from self._plain(route, backend, endpoint, listener.tls, graph)
                    yield from self._useless_certificates(route, backend, listener, graph)

    def _plain(
        self, route: Route, backend: BackendRef, endpoint: Endpoint, tls: ListenerTLS, graph: ObjectGraph
    ) -> Iterator[Finding]:
        port = backend.service_port
        if endpoint.number is None or port is None:
            return
        verdict = listening_evidence(graph).transport(endpoint.workload, endpoint.number, port.service, port.index)
        if verdict is None or verdict.speech is not Speech.PLAIN:
            return
        yield self.finding(
            tls.mode.place,
            f"{route.gateway} passes TLS through to {backend}, but port {endpoint.number} of "
            f"{endpoint.workload.object.kind} `{endpoint.workload.object.name}` speaks plain text ({verdict.why}): the "
            f"handshake fails, and clients see a reset or a protocol error",
            severity=None if verdict.certain else Severity.WARNING,
            related=[Related(piece.why, piece.place) for piece in verdict.evidence[:2]],
            path=way(route, backend, Hop.POD, endpoint),
            fix="let the pod serve TLS on this port, or let the controller end TLS: remove the passthrough",
        )

    def _useless_certificates(
        self, route: Route, backend: BackendRef, listener: Listener, graph: ObjectGraph
    ) -> Iterator[Finding]:
        workloads = [endpoint.workload for endpoint in backend.endpoints]
        for certificate in listener.tls.certificates if listener.tls else ():
            secret = graph.secret(certificate.namespace, certificate.name)
            if secret is None or not workloads or any(_has(workload, secret.name, graph) for workload in workloads):
                continue
            reads = any(workload.pod.service_account_name for workload in workloads)
            yield self.finding(
                certificate.place,
                f"TLS for {backend} is passed through, so {route.gateway} never shows the certificate in Secret "
                f"`{secret.name}`; clients get whatever certificate the pod has, which does not mount it"
                + (", unless it reads it by its service account" if reads else ""),
                severity=Severity.NOTE if reads else Severity.WARNING,
                related=[Related("passthrough is asked for here", listener.tls.mode.place)] if listener.tls else (),
                path=way(route, backend, Hop.LOAD_BALANCER),
                fix="mount the Secret in the pod and serve TLS with it, or remove the passthrough",
            )


def _has(workload: Workload, secret: str, graph: ObjectGraph) -> bool:
    return any(
        name == secret
        for container in workload.containers
        for name, _ in listening_evidence(graph).of(container).secrets
    )
