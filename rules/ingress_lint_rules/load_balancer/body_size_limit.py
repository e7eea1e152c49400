"""## What it does
Compares how large a request body the proxy lets through with how large a one the application behind it is set to take.

## What you see
413 (`Request Entity Too Large`) for uploads above the proxy's limit, 1 MiB for nginx unless told otherwise. The
application logs nothing; the proxy logs `client intended to send too large body`.

## Why it breaks
The smallest limit on the way counts. Who raises the application's own changes nothing while the proxy in front of it
keeps its default.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: files}
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: files, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: files}
spec: {selector: {app: files}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: files}
spec:
  selector: {matchLabels: {app: files}}
  template:
    metadata: {labels: {app: files}}
    spec:
      containers:
        - name: files
          image: nextcloud:31-apache
          env: [{name: PHP_UPLOAD_LIMIT, value: 512M}]
          ports: [{containerPort: 80}]
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: files
  annotations: {nginx.ingress.kubernetes.io/proxy-body-size: 512m}
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: files, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: files}
spec: {selector: {app: files}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: files}
spec:
  selector: {matchLabels: {app: files}}
  template:
    metadata: {labels: {app: files}}
    spec:
      containers:
        - name: files
          image: nextcloud:31-apache
          env: [{name: PHP_UPLOAD_LIMIT, value: 512M}]
          ports: [{containerPort: 80}]
```

## Fix
Raise the proxy's limit to that of the application, on the routes that take uploads.

## Prove it
```sh
head -c 2000000 /dev/zero | curl -s -o /dev/null -w '%{http_code}\\n' --data-binary @- https://HOST/PATH
kubectl -n NAMESPACE logs DEPLOYMENT_OF_THE_CONTROLLER | grep 'too large body'
```

## How sure
A note: what is allowed need not be used. Applications count where somebody wrote their limit (PHP, Spring, n8n, Gitea, a
mounted nginx configuration), and images that are there for uploads of any size (registries, Nexus, MinIO, Harbor), these
only where nobody wrote the proxy's limit. Silent where another route of the same controller leads to the same pods with
room enough, and where nothing says which controller serves the route.

## References
- https://nginx.org/en/docs/http/ngx_http_core_module.html#client_max_body_size
- https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#custom-max-body-size
- https://distribution.github.io/distribution/recipes/nginx/
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar, Final

from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.facts.evidence.uploads import AcceptedBody
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.routes.model import BackendRef, Endpoint, Route
from ingress_lint.routes.remedies import told
from ingress_lint.routes.sourced import Sourced
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule

_UNITS: Final = ((30, "g"), (20, "m"), (10, "k"))


class BodySizeLimit(Rule):
    """A proxy that refuses bodies which the application behind it would take."""

    code: ClassVar[str] = "IL211"
    name: ClassVar[str] = "body-size-limit"
    severity: ClassVar[Severity] = Severity.NOTE
    summary: ClassVar[str] = "the proxy refuses request bodies that the application is set to take"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "a proxy on the way takes smaller bodies than the application",
            often=("413",),
            sometimes=("connection-reset",),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"endpoints"})

    def check_routes(self, routes: tuple[Route, ...], graph: ObjectGraph) -> Iterable[Finding]:
        """Compares the two for each route, unless another one to the same pods has room enough."""
        found: list[tuple[Route, BackendRef, Endpoint, Sourced[int], AcceptedBody]] = []
        roomy: set[tuple[str, Workload]] = set()
        evidence = listening_evidence(graph)
        for route in routes:
            for backend in route.backends:
                limit = backend.body_limit
                for endpoint in backend.endpoints:
                    body = evidence.accepted_body(endpoint.container) if endpoint.container else None
                    if body is None:
                        continue
                    if limit is None or body.size <= limit.value or (limit.explicit and math.isinf(body.size)):
                        roomy.add((route.controller.value, endpoint.workload))
                    elif not route.assumed:
                        found.append((route, backend, endpoint, limit, body))
        for route, backend, endpoint, limit, body in found:
            if (route.controller.value, endpoint.workload) not in roomy:
                yield self._too_small(route, backend, endpoint, limit, body)

    def _too_small(
        self, route: Route, backend: BackendRef, endpoint: Endpoint, limit: Sourced[int], body: AcceptedBody
    ) -> Finding:
        unlimited = math.isinf(body.size)
        taken = "bodies of any size" if unlimited else f"bodies of up to {_written(math.floor(body.size))}"
        why = f" ({limit.why})" if limit.why else ""
        return self.finding(
            limit.place,
            f"{route.gateway} refuses requests with a body above {_written(limit.value)}{why}, while {endpoint.workload} takes "
            f"{taken} ({body.by}): clients that send more get 413",
            related=[Related(f"{endpoint.workload} takes {taken} ({body.by})", body.place)],
            path=way(route, backend, Hop.LOAD_BALANCER, endpoint),
            fix=told(
                backend.remedies.body_limit,
                "0" if unlimited else _written(math.floor(body.size)),
                f"let {route.gateway} take {taken}",
            ),
        )


def _written(size: int) -> str:
    """A size as nginx writes it."""
    return next(
        (f"{size >> bits}{unit}" for bits, unit in _UNITS if size >> bits and not size % (1 << bits)), str(size)
    )
