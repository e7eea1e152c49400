"""## What it does
Compares how long each hop waits for an answer with how long the one behind it is told to take: a load balancer in front
of a proxy of the set, and a proxy in front of gunicorn.

## What you see
504 after exactly the shorter time, 60 s as a rule, on slow requests only. The pod finishes its work and answers nobody;
its log shows a success, or `client prematurely closed connection` (499 in nginx).

## Why it breaks
A request gets only as long as the least patient hop on its way allows. Whoever raises a timeout at one hop, mostly at
the proxy, changes nothing while the load balancer in front of it still gives up after its own default.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: web, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: registry.example.com/shop:1.4.2
          command: [gunicorn, "shop.wsgi:application", --bind, "0.0.0.0:8000", --timeout, "300"]
          ports: [{containerPort: 8000}]
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations: {nginx.ingress.kubernetes.io/proxy-read-timeout: "310"}
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: web, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: registry.example.com/shop:1.4.2
          command: [gunicorn, "shop.wsgi:application", --bind, "0.0.0.0:8000", --timeout, "300"]
          ports: [{containerPort: 8000}]
```

## Fix
Raise the time of the hop in front above that of the hop behind it, or shorten the one behind.

## Prove it
```sh
time curl -s -o /dev/null -w '%{http_code}\\n' https://HOST/SLOW_PATH
kubectl -n NAMESPACE logs DEPLOYMENT_OF_THE_CONTROLLER | grep ' 499 '
```

## How sure
A warning where somebody wrote the longer time behind; defaults count only for the hop in front. A note where nothing
says which controller serves the route. Silent where nothing longer stands behind, where either time is unknown, for
connections that are passed on as they are, for a proxy that runs twice in the set, and for gunicorn's other workers
than `sync`, whose `--timeout` is no limit of a request.

## References
- https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html
- https://docs.gunicorn.org/en/stable/settings.html#timeout
- https://gateway-api.sigs.k8s.io/geps/gep-1742/
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import ClassVar, Final

from ingress_lint.facts.app_servers import app_server
from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.load.document import Place
from ingress_lint.routes.hostnames import intersection
from ingress_lint.routes.model import BackendRef, Endpoint, Route
from ingress_lint.routes.remedies import told
from ingress_lint.routes.sourced import Sourced
from ingress_lint.routes.traffic import Timeouts
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule
from ingress_lint.values.numbers import whole

_MARGIN: Final = 5
"""Seconds by which a time should be longer than the one behind it."""


class TimeoutInversion(Rule):
    """A hop that gives up before the one behind it may."""

    code: ClassVar[str] = "IL210"
    name: ClassVar[str] = "timeout-inversion"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "a hop in front gives up sooner than the one behind it is allowed to take"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause("a proxy in front gives up sooner than the one behind it", often=("499", "504", "response-timeout")),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"endpoints"})

    def check_routes(self, routes: tuple[Route, ...], graph: ObjectGraph) -> Iterable[Finding]:
        """Compares each hop with the longest time that is written for the one behind it."""
        written = _written(routes)
        for route in routes:
            by_http = any(listener.protocol.value in ("HTTP", "HTTPS") for listener in route.listeners)
            for backend in route.backends if by_http else ():
                front = _limit(backend.timeouts)
                if front is None:
                    continue
                for endpoint in backend.endpoints:
                    behind = _longest(route, written.get(endpoint.workload, ())) or _server(graph, endpoint)
                    if behind is not None and behind[1] > front.value:
                        yield self._inversion(route, backend, endpoint, front, behind)
                        break

    def _inversion(
        self,
        route: Route,
        backend: BackendRef,
        endpoint: Endpoint,
        front: Sourced[float],
        behind: tuple[str, float, Place],
    ) -> Finding:
        who, seconds, place = behind
        why = f" ({front.why})" if front.why else ""
        return self.finding(
            front.place,
            f"{route.gateway} gives up after {front.value:g} s{why}, while {who} behind it may take {seconds:g} s; clients "
            "of slow requests get 504, and the pod works on for nobody",
            severity=Severity.NOTE if route.assumed else None,
            related=[Related(f"{who} may take {seconds:g} s", place)],
            path=way(route, backend, Hop.POD, endpoint),
            fix=told(
                backend.remedies.read_timeout,
                f"{seconds + _MARGIN:g}",
                f"raise the time of {route.gateway} above {seconds:g} s",
            ),
        )


def _limit(timeouts: Timeouts) -> Sourced[float] | None:
    """The shorter of a hop's limits for an answer, None where it has none or none is known."""
    read, request = timeouts.read, timeouts.request
    if read is None and request is None:
        return None
    known = [limit for limit in (read, request) if limit is not None and math.isfinite(limit.value)]
    return min(known, key=lambda limit: limit.value, default=None)


def _written(routes: Iterable[Route]) -> dict[Workload, list[tuple[Route, Sourced[float]]]]:
    """The times that are written for the routes of each proxy of the set, where it is the only one of its kind."""
    found: defaultdict[Workload, list[tuple[Route, Sourced[float]]]] = defaultdict(list)
    for route in routes:
        for backend in route.backends if len(route.proxies) == 1 else ():
            limit = _limit(backend.timeouts)
            if limit is not None and limit.explicit:
                found[route.proxies[0]].append((route, limit))
    return found


def _longest(front: Route, behind: Iterable[tuple[Route, Sourced[float]]]) -> tuple[str, float, Place] | None:
    """The longest time that a proxy takes for requests which may come by way of `front`."""
    hosts = {host.value for host in front.hostnames}
    times = [
        (route.gateway, limit.value, limit.place)
        for route, limit in behind
        if not hosts or not route.hostnames or any(_meet(host, hosts) for host in route.hostnames)
    ]
    return max(times, key=lambda time: time[1], default=None)


def _meet(host: Sourced[str], hosts: Iterable[str]) -> bool:
    return any(intersection(one, host.value) for one in hosts)


def _server(graph: ObjectGraph, endpoint: Endpoint) -> tuple[str, float, Place] | None:
    """How long the server in a pod lets a request take, where the manifest says so: gunicorn's `sync` workers."""
    server = app_server(endpoint.container, graph) if endpoint.container else None
    if endpoint.container is None or server is None or server.closes is None or not server.name.startswith("gunicorn"):
        return None
    for setting in listening_evidence(graph).of(endpoint.container).settings:
        if setting.name == "timeout" and (seconds := whole(setting.value)) is not None:
            return server.name, seconds, setting.place
    return None
