"""## What it does
Finds login services whose responses have larger headers than the proxy in front of them takes: Keycloak, and oauth2-proxy
that keeps sessions in cookies, behind nginx with its usual buffer.

## What you see
502 at the end of a login, on `/oauth2/callback` or at Keycloak's `/openid-connect/auth`, for some users and not for
others. The proxy logs `upstream sent too big header while reading response header from upstream`.

## Why it breaks
nginx reads the header of a response into one buffer, `proxy_buffer_size`, of 4 KiB as a rule, and gives up on what does
not fit. A login sets its cookies in that header: encrypted tokens with the user's claims and groups, which grow with each
group that somebody joins.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: login}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /oauth2
            pathType: Prefix
            backend: {service: {name: oauth2-proxy, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: oauth2-proxy}
spec: {selector: {app: oauth2-proxy}, ports: [{port: 80, targetPort: 4180}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: oauth2-proxy}
spec:
  selector: {matchLabels: {app: oauth2-proxy}}
  template:
    metadata: {labels: {app: oauth2-proxy}}
    spec:
      containers:
        - name: oauth2-proxy
          image: quay.io/oauth2-proxy/oauth2-proxy:v7.12.0
          args: [--provider=oidc, "--http-address=0.0.0.0:4180", "--upstream=static://200"]
          ports: [{containerPort: 4180}]
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: login
  annotations: {nginx.ingress.kubernetes.io/proxy-buffer-size: 16k}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /oauth2
            pathType: Prefix
            backend: {service: {name: oauth2-proxy, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: oauth2-proxy}
spec: {selector: {app: oauth2-proxy}, ports: [{port: 80, targetPort: 4180}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: oauth2-proxy}
spec:
  selector: {matchLabels: {app: oauth2-proxy}}
  template:
    metadata: {labels: {app: oauth2-proxy}}
    spec:
      containers:
        - name: oauth2-proxy
          image: quay.io/oauth2-proxy/oauth2-proxy:v7.12.0
          args: [--provider=oidc, "--http-address=0.0.0.0:4180", "--upstream=static://200"]
          ports: [{containerPort: 4180}]
```

## Fix
Give the proxy a larger buffer for headers on this route, 16 KiB for most. With oauth2-proxy, keep sessions in Redis, so
that the cookie is no more than a ticket.

## Prove it
```sh
kubectl -n NAMESPACE logs DEPLOYMENT_OF_THE_CONTROLLER | grep 'too big header'
```

## How sure
A note: how large the header becomes is up to the identity provider and the user. Silent for buffers of 8 KiB and more,
for proxies whose limit is far beyond that (Envoy, HAProxy, Traefik, cloud load balancers), for oauth2-proxy with a
session store, with `--session-cookie-minimal`, with a provider whose tokens are short, or with settings that the set
does not show, for images that are not known, and where nothing says which controller serves the route.

## References
- https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffer_size
- https://oauth2-proxy.github.io/oauth2-proxy/configuration/session_storage/
- https://github.com/bitnami/charts/issues/9043
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.facts.evidence.logins import LargeHeader
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import BackendRef, Endpoint, Route
from ingress_lint.routes.remedies import told
from ingress_lint.routes.sourced import Sourced
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule

_ENOUGH: Final = 8 << 10
"""Bytes from which on a buffer holds the headers of most logins."""


class HeaderSizeLimit(Rule):
    """A login whose cookies do not fit into the proxy's buffer."""

    code: ClassVar[str] = "IL216"
    name: ClassVar[str] = "header-size-limit"
    severity: ClassVar[Severity] = Severity.NOTE
    summary: ClassVar[str] = "a login service sends larger headers than the proxy in front of it takes"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the headers and cookies of the login do not fit into the proxy's buffer",
            often=("502", "header-too-big"),
            sometimes=("connection-reset",),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"header_limit"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks at what answers behind each backend whose headers have little room."""
        for backend in () if route.assumed else route.backends:
            limit = backend.header_limit
            if limit is None or limit.value >= _ENOUGH:
                continue
            for endpoint in backend.endpoints:
                large = listening_evidence(graph).large_header(endpoint.container) if endpoint.container else None
                if large is not None:
                    yield self._too_small(route, backend, endpoint, limit, large)

    def _too_small(
        self, route: Route, backend: BackendRef, endpoint: Endpoint, limit: Sourced[int], large: LargeHeader
    ) -> Finding:
        room = f"{limit.value / 1024:g} KiB" + (f" ({limit.why})" if limit.why else "")
        fix = told(backend.remedies.header_limit, "16k", f"let {route.gateway} take response headers of 16 KiB")
        return self.finding(
            limit.place,
            f"{large.name} {large.why}, and {route.gateway} takes a response header of at most {room}: where a login needs "
            "more, the client gets 502, and the log says `upstream sent too big header`",
            related=[Related(f"{large.name} {large.why}", large.place)],
            path=way(route, backend, Hop.POD, endpoint),
            fix=f"{fix}, or {large.smaller}" if large.smaller else fix,
        )
