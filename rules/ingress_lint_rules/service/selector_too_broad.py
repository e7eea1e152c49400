"""## What it does
Finds Services whose selector takes in the pods of workloads that do not serve the Service's target port, or of a wholly
different program.

## What you see
502 or `connection refused` for a part of the requests, in proportion to the wrong pods; or, where both listen on the
port, answers of the wrong application now and then.

## Why it breaks
A Service balances over every ready pod that its selector matches, whoever owns it. Labels that all parts of a release
share, such as `app.kubernetes.io/instance`, match the worker, the database and the migration job as well.

## Example
Bad:
```yaml
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80, targetPort: 8080}], selector: {app: shop}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: shop, part: web}}
  template:
    metadata: {labels: {app: shop, part: web}}
    spec: {containers: [{name: web, image: shop-web, ports: [{containerPort: 8080}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cache}
spec:
  selector: {matchLabels: {app: shop, part: cache}}
  template:
    metadata: {labels: {app: shop, part: cache}}
    spec: {containers: [{name: cache, image: redis, ports: [{containerPort: 6379}]}]}
```
Good:
```yaml
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80, targetPort: 8080}], selector: {app: shop, part: web}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: shop, part: web}}
  template:
    metadata: {labels: {app: shop, part: web}}
    spec: {containers: [{name: web, image: shop-web, ports: [{containerPort: 8080}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cache}
spec:
  selector: {matchLabels: {app: shop, part: cache}}
  template:
    metadata: {labels: {app: shop, part: cache}}
    spec: {containers: [{name: cache, image: redis, ports: [{containerPort: 6379}]}]}
```

## Fix
Add the label to the selector that only the right pods have.

## Prove it
```sh
kubectl -n NAMESPACE get pods -l KEY=VALUE,KEY=VALUE
kubectl -n NAMESPACE get endpointslices -l kubernetes.io/service-name=NAME -o yaml
```

## How sure
A warning: declared ports are informational, so a pod that declares others may still serve this one. Silent where a probe,
a command line or the environment of the pod names the port, where the pod declares none at all, for Jobs, and for twins
that all serve the port, such as a canary or the primary and the replicas of a database; and for pods of another folder
that name no namespace, which may be another example. A note for a named target port,
because pods without that name are left out of its endpoints.

## References
- https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#service-and-replicationcontroller
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.objects.core import Service, ServicePort
from ingress_lint.objects.group_kind import SERVICE
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.model import Route
from ingress_lint.routes.way import first_way
from ingress_lint.rule import Cause, Rule

_RUN_ONCE = frozenset({"Job", "CronJob"})


class SelectorTooBroad(Rule):
    """A Service that takes in pods which do not serve it."""

    code: ClassVar[str] = "IL404"
    name: ClassVar[str] = "selector-too-broad"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "a Service's selector also matches pods that do not serve its target port"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the Service also sends to pods that do not serve its port",
            often=("502", "connection-refused"),
            sometimes=("404", "check-failed", "connection-failure", "no-live-upstreams", "retries-exhausted"),
        ),
    )
    needs: ClassVar[frozenset[tuple[str, str]]] = frozenset({SERVICE})

    def check_set(self, graph: ObjectGraph, routes: tuple[Route, ...]) -> Iterable[Finding]:
        """Looks at the Services that select several workloads."""
        for service in graph.services:
            workloads = [w for w in graph.selected_by(service) if w.object.kind not in _RUN_ONCE]
            if len(workloads) < 2 or not service.document.reported:
                continue
            for port in service.body.spec.ports:
                serving = [w for w in workloads if _declares(w, port)]
                others = [
                    w
                    for w in workloads
                    if w not in serving and _serves_another(w, port, graph) and _is_beside(w, service, serving, graph)
                ]
                if serving and others:
                    yield self._too_broad(service, port, serving, others, graph, routes)
                    break

    def _too_broad(
        self,
        service: KubernetesObject[Service],
        port: ServicePort,
        serving: Sequence[Workload],
        others: Sequence[Workload],
        graph: ObjectGraph,
        routes: tuple[Route, ...],
    ) -> Finding:
        right, wrong = serving[0], others[0]
        telling = [
            f"`{key}: {value}`"
            for key, value in right.labels.items()
            if all(w.labels.get(key) == value for w in serving) and all(w.labels.get(key) != value for w in others)
        ]
        which, does = _consequence(port, wrong)
        selector = service.at("spec", "selector")
        last = selector.at(*list(graph.selector(service))[-1:])
        return self.finding(
            selector,
            f"the selector of Service `{service.name}` matches the pods of {right.object.kind} `{right.object.name}`, which "
            f"serve port {_target(port)}, and also those of {wrong.object.kind} `{wrong.object.name}`, which {which}; {does}",
            severity=None if isinstance(_target(port), int) else Severity.NOTE,
            related=[
                *(Related(f"{telling[0]} would tell them apart here", last) for _ in telling[:1]),
                *(
                    Related(f"also matched: the pods of {w.object.kind} `{w.object.name}`", w.labels_place)
                    for w in others
                ),
            ],
            path=first_way(graph, routes, service, Hop.SERVICE),
            fix=f"select by {telling[0]} too" if telling else "select by a label that only the right pods have",
        )


def _is_beside(
    workload: Workload, service: KubernetesObject[Service], serving: Sequence[Workload], graph: ObjectGraph
) -> bool:
    """Whether a workload surely runs where the Service does: it is of one build, one folder or one namespace with it."""
    item = workload.object
    known = {service.document.file.folder, *(w.object.document.file.folder for w in serving)}
    return graph.context.built or item.document.file.folder in known or item.names_namespace


def _consequence(port: ServicePort, wrong: Workload) -> tuple[str, str]:
    """What is known of the wrong pods, and what that does to requests."""
    target = _target(port)
    if isinstance(target, str):
        return (
            f"have no port named `{target}`",
            "kube-proxy leaves them out, but port forwarding, headless DNS and load balancers that look at any one pod may "
            "take one of them",
        )
    declared = (str(found.container_port) for container in wrong.containers for found in container.container.ports)
    return f"declare only {', '.join(declared)}", "the share of requests that reaches those gets 502"


def _target(port: ServicePort) -> int | str:
    return port.port if port.target_port is None else port.target_port


def _declares(workload: Workload, port: ServicePort) -> bool:
    target = _target(port)
    if isinstance(target, str):
        return any(container.port_named(target, port.protocol) for container in workload.containers)
    return any(container.port_numbered(target, port.protocol) for container in workload.containers)


def _serves_another(workload: Workload, port: ServicePort, graph: ObjectGraph) -> bool:
    """Whether the workload lacks the named port, or declares ports and nothing about it names the one in question."""
    target = _target(port)
    if isinstance(target, str):
        return True
    return (
        workload.declares_ports()
        and not workload.pod.host_network
        and listening_evidence(graph).mention(workload, target) is None
    )
