"""## What it does
Compares how long a pod lives after it was told to go (its preStop hook and grace period) with how long the load balancer
goes on sending to it.

## What you see
A burst of 502, 503 or resets at each rollout, scale-down or node drain, and none in between.

## Why it breaks
A pod that is deleted is told to end at the same moment as the load balancer is told to stop sending, and the second
takes longer. The preStop hook can hold the pod back until then, but it spends the grace period: a hook that takes all of
it leaves no time to finish requests, and the pod is killed. A load balancer that lets old requests go on for longer than
the pod may live waits for answers that do not come. With `externalTrafficPolicy: Local` nobody tells the load balancer
at all: its health check must notice that a node has lost its pod.

## Example
Bad: the pod sleeps through its grace period:
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
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
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
          ports: [{containerPort: 8080}]
          lifecycle: {preStop: {exec: {command: [sleep, "30"]}}}
```
Good: half of it is left for requests:
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
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 60
      containers:
        - name: web
          image: registry.example.com/shop:1.4.2
          ports: [{containerPort: 8080}]
          lifecycle: {preStop: {exec: {command: [sleep, "30"]}}}
```

## Fix
Let the preStop hook sleep for as long as the load balancer takes to notice, some 15 s where it sends to pods, and set
`terminationGracePeriodSeconds` to that plus the longest request. Set a deregistration delay of no more than that.

## Prove it
```sh
while sleep 0.2; do curl -s -o /dev/null -w '%{http_code}\\n' https://HOST/; done &
kubectl -n NAMESPACE rollout restart deploy/NAME
```

## How sure
A warning where two times that the manifests give contradict each other, where the grace period is 0, and where the hook
is a shell that is not given the time to sleep (`sh -c sleep 15`). An error where the `sleep` action is longer than the
grace period, as the API server refuses such a pod. Of a script only what it sleeps for whatever happens counts. A note,
one for each workload, where a load balancer sends to pods and neither a preStop hook nor a setting about shutdown or
draining delays their end: servers may do so on their own. A note too where an AWS load balancer sends to pods of a Namespace
of the set that lacks the label for pod readiness gates: verified against the AWS Load Balancer Controller. The default of a load balancer's delay is never compared.

## References
- https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
- https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#deregistration-delay
- https://cloud.google.com/kubernetes-engine/docs/how-to/container-native-load-balancing#align_rollouts
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.facts.termination import GracePeriod, PreStop, grace_period, pre_stop
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload, WorkloadContainer
from ingress_lint.routes.health import sees_pods_of_node
from ingress_lint.routes.model import BackendRef, Endpoint, Route
from ingress_lint.routes.sourced import Sourced
from ingress_lint.routes.traffic import TargetKind
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule

_LASTING_KINDS: Final = frozenset(
    {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Rollout"}
)
_DELAYING_WORDS: Final = frozenset({"drain", "draining", "grace", "graceful", "lameduck", "shutdown", "stop"})


class DrainRace(Rule):
    """A pod that goes before requests to it do."""

    code: ClassVar[str] = "IL212"
    name: ClassVar[str] = "drain-race"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "pods die while the load balancer still sends to them"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "pods end while the load balancer still sends to them",
            often=("502", "connection-refused", "connection-reset", "premature-close"),
            sometimes=("503", "504", "connect-timeout", "connection-failure", "no-live-upstreams", "retries-exhausted"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"endpoints"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks at the end of each pod behind the route."""
        for backend in route.backends:
            for endpoint in backend.endpoints:
                if backend.ungated is not None and endpoint.workload.object.kind in _LASTING_KINDS:
                    yield self._ungated(route, backend, endpoint, backend.ungated)
                grace = grace_period(endpoint.workload)
                hook = pre_stop(endpoint.container) if endpoint.container else None
                if hook is not None and hook.lost:
                    yield self._not_slept(route, backend, endpoint, hook)
                if grace.seconds == 0:
                    yield self._killed(route, backend, endpoint, grace)
                elif hook is not None and hook.seconds >= grace.seconds:
                    yield self._spent(route, backend, endpoint, hook, grace)
                else:
                    if backend.timeouts.drain is not None:
                        yield from self._outlived(route, backend, endpoint, grace, backend.timeouts.drain)
                    yield from self._undelayed(route, backend, endpoint, hook, graph)

    def _ungated(self, route: Route, backend: BackendRef, endpoint: Endpoint, gate: Sourced[str]) -> Finding:
        return self.finding(
            gate.place,
            f"a rollout of {endpoint.workload} ends old pods before {route.gateway} takes the new ones, which count as "
            f"ready without it ({gate.why}): some clients may get 502 or 503",
            severity=Severity.NOTE,
            path=way(route, backend, Hop.POD, endpoint),
            fix=gate.value,
        )

    def _killed(self, route: Route, backend: BackendRef, endpoint: Endpoint, grace: GracePeriod) -> Finding:
        return self.finding(
            grace.place,
            f"the pods of {endpoint.workload} are killed the moment they are deleted (terminationGracePeriodSeconds is "
            f"0), without SIGTERM or a preStop hook, while {route.gateway} still sends to them: at each rollout clients "
            f"get 502",
            path=way(route, backend, Hop.POD, endpoint),
            fix="leave it out, or set it to the longest request and some seconds more",
        )

    def _not_slept(self, route: Route, backend: BackendRef, endpoint: Endpoint, hook: PreStop) -> Finding:
        return self.finding(
            hook.place,
            f"the preStop hook of {endpoint.workload} fails at once instead of sleeping for `{hook.lost}`: the shell runs "
            f"the one word after `-c`, `sleep` without a time; the pods end while {route.gateway} still sends to them, "
            f"and at each rollout some clients get 502",
            path=way(route, backend, Hop.POD, endpoint),
            fix=f'write "sleep {hook.lost}" as one word, or leave out the shell',
        )

    def _spent(
        self, route: Route, backend: BackendRef, endpoint: Endpoint, hook: PreStop, grace: GracePeriod
    ) -> Finding:
        assert endpoint.container is not None  # noqa: S101 - the hook is its
        name, whole = endpoint.container.name, endpoint.workload
        refused = hook.by_kubelet and hook.seconds > grace.seconds
        if refused:
            message = (
                f"container `{name}` sleeps {hook.seconds:g} s before it ends, longer than the pods of {whole} have for "
                f"it ({grace}): the API server refuses them, and {route.gateway} has nothing to send requests to"
            )
        else:
            message = (
                f"the preStop hook of container `{name}` takes {hook.seconds:g} s, all that the pods of {whole} have to "
                f"end ({grace}): the container is killed 2 s after it gets SIGTERM, and requests that it is still "
                f"answering for {route.gateway} get 502"
            )
        return self.finding(
            hook.place,
            message,
            severity=Severity.ERROR if refused else None,
            related=[Related("the grace period", grace.place)],
            path=way(route, backend, Hop.POD, endpoint),
            fix=f"set terminationGracePeriodSeconds well above {hook.seconds:g}, or let the hook sleep for less",
        )

    def _outlived(
        self, route: Route, backend: BackendRef, endpoint: Endpoint, grace: GracePeriod, drain: Sourced[float]
    ) -> Iterator[Finding]:
        direct = backend.target.value is TargetKind.POD
        if direct and drain.explicit and drain.value > grace.seconds:
            yield self.finding(
                drain.place,
                f"{route.gateway} lets requests under way go on for {drain.value:g} s at a pod that leaves, but the pods "
                f"of {endpoint.workload} are killed before ({grace}): what takes longer gets 502 at each rollout",
                related=[Related("the grace period", grace.place)],
                path=way(route, backend, Hop.POD, endpoint),
                fix=f"set terminationGracePeriodSeconds to at least {drain.value:g}, or the delay below {grace.seconds}",
            )

    def _undelayed(
        self, route: Route, backend: BackendRef, endpoint: Endpoint, hook: PreStop | None, graph: ObjectGraph
    ) -> Iterator[Finding]:
        container, port, check = endpoint.container, backend.service_port, backend.health_check
        if container is None or endpoint.workload.object.kind not in _LASTING_KINDS:
            return
        if check is not None and port is not None and sees_pods_of_node(check, port):
            window = check.notices_after
            if hook is not None and window is not None and 0 < hook.seconds < window:
                yield self._unnoticed(route, backend, endpoint, hook, window)
        elif route.from_outside and backend.target.value is TargetKind.POD and _ends_at_once(container, graph):
            yield self.finding(
                container.at("name"),
                f"{route.gateway} sends to the pods of {endpoint.workload} until it has heard that they go, and nothing "
                f"delays their end (no preStop hook): at each rollout some clients may get 502 or 503",
                severity=Severity.NOTE,
                path=way(route, backend, Hop.POD, endpoint),
                fix="add a preStop hook that sleeps for some 15 s, within the grace period",
            )

    def _unnoticed(
        self, route: Route, backend: BackendRef, endpoint: Endpoint, hook: PreStop, window: float
    ) -> Finding:
        check = backend.health_check
        interval = check.interval if check else None
        workload: Workload = endpoint.workload
        related = [Related(f"{route.gateway} asks at this interval", interval.place)] if interval else []
        return self.finding(
            hook.place,
            f"the preStop hook of {workload} delays the end of a pod by {hook.seconds:g} s, but {route.gateway} takes up "
            f"to {window:g} s to notice that a node has lost its pod (externalTrafficPolicy is Local): in between "
            f"connections to that node are dropped, and clients hang",
            related=related,
            path=way(route, backend, Hop.POD, endpoint),
            fix=f"let the hook sleep for more than {window:g} s, or let the health check ask more often",
        )


def _ends_at_once(container: WorkloadContainer, graph: ObjectGraph) -> bool:
    """Whether nothing shows that the pod lives on for a while when it is told to end."""
    containers = container.workload.containers
    return not any(
        pre_stop(item) is not None
        or any(_DELAYING_WORDS & setting.parts for setting in listening_evidence(graph).of(item).settings)
        for item in containers
    )
