"""## What it does
Finds times in probes that contradict each other, or the load balancer's health check.

## What you see
Pods that restart for ever while they start (`Liveness probe failed`, CrashLoopBackOff) and 503 meanwhile; pods that
drop out of the Service under load, each leaving more work to the others, until all are gone.

## Why it breaks
The kubelet restarts a container after `failureThreshold` failed liveness probes in a row, whether it has started or
not, unless a startup probe holds them back. A readiness probe that fails at the first answer slower than a second turns
a moment's load into an outage. A timeout above the period makes the kubelet notice later than the numbers say.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: shop, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {ports: [{port: 80, targetPort: 8080}], selector: {app: shop}}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, labels: {app: shop}}
spec:
  containers:
    - name: shop
      image: example/shop
      ports: [{containerPort: 8080}]
      readinessProbe: {httpGet: {path: /health, port: 8080}, initialDelaySeconds: 60}
      livenessProbe: {httpGet: {path: /health, port: 8080}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: shop, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {ports: [{port: 80, targetPort: 8080}], selector: {app: shop}}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, labels: {app: shop}}
spec:
  containers:
    - name: shop
      image: example/shop
      ports: [{containerPort: 8080}]
      startupProbe: {httpGet: {path: /health, port: 8080}, failureThreshold: 30}
      readinessProbe: {httpGet: {path: /health, port: 8080}}
      livenessProbe: {httpGet: {path: /health, port: 8080}}
```

## Fix
Give a slow start a startup probe instead of initial delays. Let readiness fail after two or three probes, with a timeout
above the slowest healthy answer and below the period.

## Prove it
```sh
kubectl -n NAMESPACE get events --field-selector reason=Unhealthy
kubectl -n NAMESPACE get pods -l SELECTOR -w
```

## How sure
A warning. The start is judged by what the manifest itself says: a readiness probe of the same endpoint whose first
question comes only after the liveness probe has given up, or a startup probe that gives up before. A note for a timeout
above the period. The load balancer's health check counts only where somebody wrote its times and it asks the pods.
Silent for containers that no route leads to, and for `failureThreshold: 1` of probes that only open a connection.

## References
- https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#configure-probes
- https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import ClassVar, Final

from msgspec import Struct

from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.workloads import Probe
from ingress_lint.routes.model import Route
from ingress_lint.routes.traffic import HealthCheck, TargetKind
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule

_DEFAULT_PERIOD: Final = 10
_DEFAULT_FAILURES: Final = 3


class _Fault(Struct, frozen=True):
    """One contradiction: where, in words, and the field on its other side."""

    place: Place
    message: str
    other: Related
    fix: str
    severity: Severity = Severity.WARNING


class ProbeTiming(Rule):
    """Probes that give up too early, or too late."""

    code: ClassVar[str] = "IL512"
    name: ClassVar[str] = "probe-timing"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "the times of probes contradict each other or the load balancer's health check"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the liveness probe restarts a container before it has started",
            often=("restart-loop",),
            sometimes=("502", "503", "connection-refused", "no-endpoints", "no-healthy-upstream"),
        ),
        Cause(
            "the readiness probe takes a slow pod for a dead one, until none is left",
            often=("503", "probe-failed"),
            sometimes=("no-endpoints", "no-healthy-upstream"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"endpoints"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks at the probes of each container that a route leads to."""
        for backend in route.backends:
            for endpoint in backend.endpoints:
                container = endpoint.container
                if container is None:
                    continue
                check = backend.health_check
                of_check = _behind_load_balancer(container, check) if check is not None else ()
                for fault in (*_faults(container), *of_check):
                    yield self.finding(
                        fault.place,
                        fault.message,
                        severity=fault.severity,
                        related=[fault.other],
                        path=way(route, backend, Hop.POD, endpoint),
                        fix=fault.fix,
                    )


@lru_cache(64)
def _faults(container: WorkloadContainer) -> tuple[_Fault, ...]:
    """What its probes contradict; the last few are kept, since routes that lead to the same pods often come in turn."""
    return (*_killed_while_starting(container), *_within_probes(container))


def _within_probes(container: WorkloadContainer) -> Iterator[_Fault]:
    readiness = container.container.readiness_probe
    if (
        readiness is not None
        and readiness.failure_threshold == 1
        and readiness.timeout_seconds <= 1
        and readiness.tcp_socket is None
    ):
        yield _Fault(
            container.at("readinessProbe", "failureThreshold"),
            f"the readiness probe of container `{container.name}` fails at the first answer slower than 1 s "
            f"(`failureThreshold: 1`): under load pods leave the Service one after the other, and clients get 503",
            Related("its timeout", container.at("readinessProbe", "timeoutSeconds")),
            "set `failureThreshold: 3`, or a timeout above the slowest healthy answer",
        )
    for field, probe in container.container.probes():
        period = probe.period_seconds or _DEFAULT_PERIOD
        if probe.timeout_seconds > period:
            yield _Fault(
                container.at(field, "timeoutSeconds"),
                f"the {_name(field)} of container `{container.name}` waits {probe.timeout_seconds} s for an answer but "
                f"has a period of {period} s: a pod that hangs is noticed after "
                f"{probe.timeout_seconds * _failures(probe)} s, not {period * _failures(probe)} s, and clients get 504 "
                f"until then",
                Related("its period", container.at(field, "periodSeconds")),
                f"set `timeoutSeconds` to {period} or less",
                Severity.NOTE,
            )


def _killed_while_starting(container: WorkloadContainer) -> Iterator[_Fault]:
    """A readiness probe whose delay tells how long the start takes, and another that gives up before."""
    readiness, startup = container.container.readiness_probe, container.container.startup_probe
    field = "startupProbe" if startup is not None else "livenessProbe"
    judge = startup or container.container.liveness_probe
    if readiness is None or judge is None or not _same_endpoint(container, readiness, judge):
        return
    delay, patience = readiness.initial_delay_seconds, _patience(judge)
    if patience < delay:
        yield _Fault(
            container.at(field, "failureThreshold"),
            f"the {_name(field)} of container `{container.name}` gives up {patience} s after the start, before the "
            f"readiness probe asks the same endpoint for the first time at {delay} s: a container that needs so long is "
            f"restarted for ever, and clients get 503",
            Related("the readiness probe's delay", container.at("readinessProbe", "initialDelaySeconds")),
            f"add a startup probe that waits {delay} s and more" if startup is None else "raise its `failureThreshold`",
        )


def _behind_load_balancer(container: WorkloadContainer, check: HealthCheck) -> Iterator[_Fault]:
    readiness, budget = container.container.readiness_probe, _written_budget(check)
    if budget is None or readiness is None or check.target is not TargetKind.POD:
        return
    seconds, place = budget
    slower = (readiness.period_seconds or _DEFAULT_PERIOD) * _failures(readiness)
    if slower > seconds:
        yield _Fault(
            place,
            f"the {check.by} drops a pod after {seconds:g} s of failed checks, the readiness probe of container "
            f"`{container.name}` only after {slower} s: meanwhile the pod counts as ready, a rollout goes on, and clients "
            f"get 502 or 503 once no target is left",
            Related("the readiness probe", container.at("readinessProbe")),
            f"let the readiness probe fail within {seconds:g} s, or the health check take longer",
        )


def _written_budget(check: HealthCheck) -> tuple[float, Place] | None:
    """After how long the check drops a target, where somebody wrote a part of it, and where."""
    interval, threshold = check.interval, check.unhealthy_threshold
    if interval is None or threshold is None:
        return None
    written = threshold if threshold.explicit else interval if interval.explicit else None
    return None if written is None else (interval.value * threshold.value, written.place)


def _patience(probe: Probe) -> int:
    """How long after the start the last of the failures comes at the soonest."""
    return probe.initial_delay_seconds + (probe.period_seconds or _DEFAULT_PERIOD) * (_failures(probe) - 1)


def _failures(probe: Probe) -> int:
    return probe.failure_threshold or _DEFAULT_FAILURES


def _same_endpoint(container: WorkloadContainer, one: Probe, other: Probe) -> bool:
    if one.http_get is not None and other.http_get is not None:
        ports = [container.port_number(probe.port) or probe.port for probe in (one.http_get, other.http_get)]
        return ports[0] == ports[1] and one.http_get.path == other.http_get.path
    if one.tcp_socket is not None and other.tcp_socket is not None:
        return container.port_number(one.tcp_socket.port) == container.port_number(other.tcp_socket.port)
    return (one.grpc is not None and one.grpc == other.grpc) or (one.exec is not None and one.exec == other.exec)


def _name(field: str) -> str:
    return field.removesuffix("Probe") + " probe"
