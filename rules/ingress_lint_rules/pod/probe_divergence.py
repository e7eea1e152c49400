"""## What it does
Compares the endpoint that a load balancer's health check asks with the one that the readiness probe asks on the same
port, where the pod is known to answer both; and the readiness probe with the liveness probe.

## What you see
Requests fail in a part of the cluster's bad moments only: the load balancer keeps sending to a pod that Kubernetes calls
unready, or drops a pod that Kubernetes calls ready. A rollout goes on although the load balancer has not one healthy
target among the new pods.

## Why it breaks
Readiness decides whether a pod is among a Service's endpoints and whether a rollout goes on; the load balancer's check
decides whether a target gets traffic. If one looks at the database and the other does not, they disagree whenever the
database is slow, and each acts on its own answer.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    alb.ingress.kubernetes.io/target-type: ip
    alb.ingress.kubernetes.io/healthcheck-path: /live
spec:
  ingressClassName: alb
  defaultBackend: {service: {name: shop, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {ports: [{port: 80, targetPort: 8080}], selector: {app: shop}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - name: shop
          image: example/shop
          ports: [{containerPort: 8080}]
          readinessProbe: {httpGet: {path: /ready, port: 8080}}
          livenessProbe: {httpGet: {path: /live, port: 8080}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    alb.ingress.kubernetes.io/target-type: ip
    alb.ingress.kubernetes.io/healthcheck-path: /ready
spec:
  ingressClassName: alb
  defaultBackend: {service: {name: shop, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {ports: [{port: 80, targetPort: 8080}], selector: {app: shop}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - name: shop
          image: example/shop
          ports: [{containerPort: 8080}]
          readinessProbe: {httpGet: {path: /ready, port: 8080}}
          livenessProbe: {httpGet: {path: /live, port: 8080}}
```

## Fix
Let the load balancer ask for the path of the readiness probe. Readiness and liveness may well differ: readiness asks
whether the pod can serve now, liveness whether a restart would help; name their paths so that this can be seen.

## Prove it
```sh
kubectl -n NAMESPACE port-forward deploy/WORKLOAD 8080:PORT &
for path in READINESS_PATH HEALTH_CHECK_PATH; do curl -s -o /dev/null -w "$path %{http_code}\\n" localhost:8080$path; done
```

## How sure
A warning where the load balancer asks for the path of the liveness or startup probe and not for that of the readiness
probe. A note where only readiness and liveness differ, and not even that where their paths tell what each is for
(`/ready` and `/live`, `/-/ready` and `/-/healthy`), which is common practice.
Silent where the load balancer's path is one that no probe asks for (IL201), where it asks another port, and where it
only opens a connection.

## References
- https://kubernetes.io/docs/concepts/workloads/pods/probes/
- https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/pod_readiness_gate/
- https://cloud.google.com/kubernetes-engine/docs/troubleshooting/ingress-health-checks
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from ingress_lint.facts.answers import KnownAnswer, answers, same_but_slash, same_path
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.health import accepts, landings
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.remedies import told
from ingress_lint.routes.sourced import Sourced
from ingress_lint.routes.traffic import HealthCheck
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule
from ingress_lint.values.patterns import deferred

_READINESS: Final = deferred(r"read(?:y|iness)", re.IGNORECASE)
_LIVENESS: Final = deferred(r"live|ping", re.IGNORECASE)


class ProbeDivergence(Rule):
    """Two judges of one port's health that look at different things."""

    code: ClassVar[str] = "IL504"
    name: ClassVar[str] = "probe-divergence"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = (
        "the load balancer's health check and the readiness probe ask different endpoints of a port"
    )
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the load balancer and Kubernetes disagree on which pods are well",
            often=("no-healthy-upstream",),
            sometimes=("502", "503", "check-wrong-status"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"endpoints"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Compares each backend's health check with the readiness probe, then that with the liveness probe."""
        for backend in route.backends:
            check = backend.health_check
            diverging = (
                list(self._from_readiness(route, backend, check, check.path))
                if check is not None and check.path is not None and check.asks_path and not accepts(check, 404)
                else []
            )
            yield from diverging or self._among_probes(route, backend)

    def _from_readiness(
        self, route: Route, backend: BackendRef, check: HealthCheck, path: Sourced[str]
    ) -> Iterator[Finding]:
        for landing in landings(backend):
            named = [answer for answer in landing.here if answer.path]
            readiness = [answer for answer in named if answer.field == "readinessProbe"]
            asked = next((answer for answer in named if same_path(answer.path, path.value)), None)
            if asked is None or not readiness or any(same_path(r.path, path.value) for r in readiness):
                continue
            yield self.finding(
                path.place,
                f"the {check.by} asks for `{path.value}`, as does the {asked.title} of {landing.workload}, but the "
                f"readiness probe for `{readiness[0].path}`: whenever the two answer differently, the {check.by} sends to a "
                "pod that is not ready or drops one that is, and clients get 502 or 503",
                related=(
                    Related(f"the readiness probe asks for `{readiness[0].path}`", readiness[0].place),
                    Related(f"the {asked.title} asks for `{asked.path}`", asked.place),
                ),
                path=way(route, backend, Hop.POD, landing.endpoint),
                fix=told(
                    backend.remedies.check_path,
                    readiness[0].path,
                    f"let the health check ask for `{readiness[0].path}`",
                ),
            )

    def _among_probes(self, route: Route, backend: BackendRef) -> Iterator[Finding]:
        for endpoint in backend.endpoints:
            if endpoint.number is None:
                continue
            here = [answer for answer in answers(endpoint.workload) if answer.path and answer.port == endpoint.number]
            if len(here) < 2:
                continue
            readiness = next((answer for answer in here if answer.field == "readinessProbe"), None)
            liveness = next((answer for answer in here if answer.field == "livenessProbe"), None)
            if readiness is None or liveness is None or _tells_apart(readiness, liveness):
                continue
            yield self.finding(
                liveness.place,
                f"the liveness probe of {endpoint.workload} asks for `{liveness.path}` and the readiness probe for "
                f"`{readiness.path}` at the same port: a pod can be restarted while it is ready, or stay unready for "
                "good while it counts as alive, and clients get 503",
                severity=Severity.NOTE,
                related=(Related(f"the readiness probe asks for `{readiness.path}`", readiness.place),),
                path=way(route, backend, Hop.POD, endpoint),
                fix="make sure that they differ on purpose",
            )


def _tells_apart(readiness: KnownAnswer, liveness: KnownAnswer) -> bool:
    """Whether the two are one endpoint, or their paths say what each is for."""
    if same_but_slash(readiness.path, liveness.path):
        return True
    return bool(_READINESS.search(readiness.path) or _LIVENESS.search(liveness.path))
