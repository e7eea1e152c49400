"""## What it does
Compares the path that a load balancer's health check asks for with the paths that the pods are known to answer: those
that their readiness, liveness and startup probes ask for, on the port that the check reaches.

## What you see
The pods are Ready and answer through `kubectl port-forward`, yet the load balancer lists every target as unhealthy and
clients get 502 or 503. Where the check sometimes passes, targets come and go and a part of the requests fails. An ALB
whose targets are all unhealthy sends requests to all of them, so that the fault may show only in the next rollout.

## Why it breaks
Kubernetes and a cloud load balancer each decide on their own whether a pod is healthy. Kubernetes asks what the probes
say; the load balancer asks for its own path, which is `/` until somebody sets another. An API that serves `/health/api`
and nothing at `/` answers 404 there, and a site that sends visitors to its login answers 302; both are unhealthy to a
check that wants 200. Few controllers read the probes: GKE Ingress does under narrow conditions and only when it makes
the check, the Azure gateway does, an ALB never does.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    alb.ingress.kubernetes.io/target-type: ip
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
          readinessProbe: {httpGet: {path: /health/api, port: 8080}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    alb.ingress.kubernetes.io/target-type: ip
    alb.ingress.kubernetes.io/healthcheck-path: /health/api
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
          readinessProbe: {httpGet: {path: /health/api, port: 8080}}
```

## Fix
Let the load balancer ask for the path of the readiness probe: `healthcheck-path` for an ALB, a BackendConfig that the
Service names for GKE Ingress, a HealthCheckPolicy for a GKE Gateway, `health-probe-path` for AGIC. Or serve 200 at the
path that it asks for.

## Prove it
```sh
kubectl -n NAMESPACE port-forward deploy/WORKLOAD 8080:PORT &
curl -s -o /dev/null -w '%{http_code}\\n' http://localhost:8080/
curl -s -o /dev/null -w '%{http_code}\\n' http://localhost:8080/PROBE_PATH
aws elbv2 describe-target-health --target-group-arn ARN      # ALB
gcloud compute backend-services get-health NAME --global     # GKE
```

## How sure
An error where nobody chose the path (the default, or one computed from something else) and the pod's probes name other
paths on that port; also where the pod is a reverse proxy, which answers 404 to what none of its routes serves.
A warning where somebody wrote the path, since the application may answer it as well; where the two differ only by a
trailing slash; where the default meets a probe that only connects or that asks another port; and where redirects count
as healthy too. A note where the probe is a command that says nothing about HTTP, and where the path of a probe is read
only once and the Ingress stands before the workload in the same file. Silent where the image is known for its answer at
`/` (IL205), where 404 counts as healthy, where the pod has no probe at all, where the check cannot reach a port of the
pod (IL202, IL204, IL501), and where a probe asks for the same path, whatever the query.

## References
- https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
- https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#health-check
- https://cloud.google.com/kubernetes-engine/docs/troubleshooting/ingress-health-checks
- https://learn.microsoft.com/azure/application-gateway/ingress-controller-add-health-probes
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from msgspec import Struct

from ingress_lint.facts.answers import KnownAnswer, ProbeKind, proxy_image, root_answer, same_but_slash, same_path
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.health import Landing, accepts, landings
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.remedies import told
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import HealthCheck
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule

_UNHEALTHY = "the targets count as unhealthy and clients get 502 or 503"
_REDIRECTS = (301, 302, 303, 307, 308)


class _Doubt(Struct, frozen=True):
    """Why a path may not be answered as the check wants, by the pods of one workload."""

    landing: Landing
    severity: Severity
    text: str
    related: tuple[Related, ...]
    fix: str
    open: bool = False
    """Whether nothing speaks against the path; there is only nothing for it."""


class HealthCheckPathMismatch(Rule):
    """A health check for a path that the pods are not known to answer."""

    code: ClassVar[str] = "IL201"
    name: ClassVar[str] = "health-check-path-mismatch"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "the load balancer's health check asks for a path that the pod is not known to answer"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the health check asks for a path that the pod does not answer with success, so no target is healthy",
            often=("502", "503", "check-wrong-status", "no-healthy-upstream"),
            sometimes=("504",),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"health_check"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Compares each backend's health check with the probes of the pods that it reaches."""
        for backend in route.backends:
            check = backend.health_check
            if check is None or check.path is None or not check.asks_path or accepts(check, 404):
                continue
            found = [landing for landing in landings(backend) if landing.port_known]
            yield from self._mismatch(route, backend, check, check.path, found, graph)
            if check.read_once and check.path.origin is Origin.DERIVED:
                yield from self._read_too_early(route, backend, check, check.path, found)

    def _mismatch(
        self,
        route: Route,
        backend: BackendRef,
        check: HealthCheck,
        path: Sourced[str],
        found: list[Landing],
        graph: ObjectGraph,
    ) -> Iterator[Finding]:
        doubts = [_doubt(route, backend, check, path, landing, graph) for landing in found]
        answered = None in doubts
        worst = max(
            (doubt for doubt in doubts if doubt and not (doubt.open and answered)),
            key=lambda doubt: doubt.severity,
            default=None,
        )
        if worst is None:
            return
        why = f" ({path.why})" if path.why and not path.explicit else ""
        yield self.finding(
            path.place,
            f"the {check.by} asks for `{path.value}`{why} at port {worst.landing.number}, {worst.text}",
            severity=worst.severity,
            related=worst.related,
            path=way(route, backend, Hop.POD, worst.landing.endpoint),
            fix=worst.fix,
        )

    def _read_too_early(
        self, route: Route, backend: BackendRef, check: HealthCheck, path: Sourced[str], found: list[Landing]
    ) -> Iterator[Finding]:
        """A probe that cannot be read yet: its pods are made after what makes the check."""
        owner = route.owner.document
        for landing in found:
            item = landing.workload.object
            later = item.document
            if later is not path.place.document or owner.file is not later.file or owner.template:
                continue
            if owner.index < later.index and not same_path(path.value, "/"):
                yield self.finding(
                    path.place,
                    f"the {check.by} copies `{path.value}` from this probe once, when it makes the health check, and "
                    f"this file creates {route.owner.kind} `{route.owner.name}` before {item.kind} `{item.name}`: if no "
                    "pod is there yet it asks for `/` from then on, and clients get 502",
                    severity=Severity.NOTE,
                    related=(
                        Related(f"{route.owner.kind} `{route.owner.name}` comes first", route.owner.name_place),
                        Related("what makes the load balancer reach the pods", backend.target.place),
                    ),
                    path=way(route, backend, Hop.POD, landing.endpoint),
                    fix=f"{_to_path(backend, path.value)}, or apply the workload first",
                )


def _doubt(
    route: Route, backend: BackendRef, check: HealthCheck, path: Sourced[str], landing: Landing, graph: ObjectGraph
) -> _Doubt | None:
    """What speaks against the path, None where a probe asks for it too or nothing is known."""
    named = [answer for answer in landing.here if answer.path]
    if any(same_path(answer.path, path.value) for answer in named):
        return None
    if named:
        return _names_another(backend, check, path, landing, named)
    proxy = proxy_image(landing.container) if landing.container else None
    if proxy is not None:
        return None if path.value in proxy.own_paths else _asks_proxy(route, path, landing, proxy.title, graph)
    if landing.container and same_path(path.value, "/") and root_answer(landing.container):
        return None
    return _leaves_open(backend, path, landing)


def _names_another(
    backend: BackendRef, check: HealthCheck, path: Sourced[str], landing: Landing, named: list[KnownAnswer]
) -> _Doubt:
    fix = _to_path(backend, named[0].path)
    related = tuple(Related(f"the {answer.title} asks for `{answer.path}`", answer.place) for answer in named)
    slash = next((answer for answer in named if same_but_slash(answer.path, path.value)), None)
    redirects = accepts(check, *_REDIRECTS)
    if slash is not None:
        text = (
            f"while the {slash.title} of {landing.workload} asks for `{slash.path}`: many applications redirect the one to the "
            f"other or answer it with 404, and then {_UNHEALTHY}"
        )
        severity = Severity.NOTE if redirects else Severity.WARNING
        return _Doubt(landing, severity, text, related, _to_path(backend, slash.path))
    known = _listed(named)
    if path.explicit:
        text = (
            f"which no probe of {landing.workload} asks for (they ask for {known}); unless the application answers it "
            f"as well, {_UNHEALTHY}"
        )
        return _Doubt(landing, Severity.WARNING, text, related, fix)
    text = f"while the pods of {landing.workload} are known to answer only at {known}"
    text = f"{text}; unless `{path.value}` redirects, {_UNHEALTHY}" if redirects else f"{text}: {_UNHEALTHY}"
    return _Doubt(landing, Severity.WARNING if redirects else Severity.ERROR, text, related, fix)


def _to_path(backend: BackendRef, path: str) -> str:
    """What makes the health check ask for a path."""
    return told(backend.remedies.check_path, path, f"set the health check's path to `{path}`")


def _listed(named: list[KnownAnswer]) -> str:
    """The paths, each with the probes that ask for it."""
    by_path: dict[str, list[str]] = {}
    for answer in named:
        by_path.setdefault(answer.path, []).append(answer.title)
    return ", ".join(f"`{path}` ({', '.join(titles)})" for path, titles in by_path.items())


def _asks_proxy(route: Route, path: Sourced[str], landing: Landing, title: str, graph: ObjectGraph) -> _Doubt:
    text = f"and {landing.workload} runs {title}, which answers 404 to whatever none of its own routes serves: {_UNHEALTHY}"
    catch_all = any(
        ingress is not route.owner
        and (ingress.body.spec.default_backend or not all(r.host for r in ingress.body.spec.rules))
        for ingress in graph.ingresses
    )
    severity = Severity.WARNING if path.explicit or catch_all else Severity.ERROR
    related = (Related(f"the image is {title}", landing.container.at("image")),) if landing.container else ()
    return _Doubt(landing, severity, text, related, "set the health check to a path that the proxy answers itself")


def _leaves_open(backend: BackendRef, path: Sourced[str], landing: Landing) -> _Doubt | None:
    """Nothing names a path on that port: what the pod's other probes suggest."""
    elsewhere = list(landing.elsewhere)
    same = next((answer for answer in elsewhere if same_path(answer.path, path.value)), None)
    if same is not None:
        text = (
            f"while the {same.title} of {landing.workload} asks for the same path at port {same.port}; unless port "
            f"{landing.number} answers it too, {_UNHEALTHY}"
        )
        related = (Related(f"the {same.title} asks port {same.port}", same.place),)
        fix = told(backend.remedies.check_port, same.port, f"set the health check's port to {same.port}")
        return _Doubt(landing, Severity.WARNING, text, related, fix, open=True)
    if path.explicit:
        return None
    if elsewhere:
        text = (
            f"and nothing says that {landing.workload} answers there: its probes ask for {_listed(elsewhere)} at port "
            f"{elsewhere[0].port}; unless `{path.value}` answers 200, {_UNHEALTHY}"
        )
        return _open(landing, Severity.WARNING, text, elsewhere[0], "set the health check's path and port to these")
    fix = "set the health check's path to one that the application answers with 200"
    connecting = next((answer for answer in landing.here if answer.kind is ProbeKind.TCP), None)
    if connecting is not None:
        text = (
            f"and nothing says that {landing.workload} answers 200 there: its {connecting.title} only opens a connection "
            f"(tcpSocket); if `{path.value}` answers anything else, {_UNHEALTHY}"
        )
        return _open(landing, Severity.WARNING, text, connecting, fix)
    command = next(
        (a for a in landing.answers if a.kind is ProbeKind.EXEC and not a.path and a.container is landing.container),
        None,
    )
    if command is None:
        return None
    text = (
        f"and nothing says that {landing.workload} answers 200 there: its {command.title} runs a command; if "
        f"`{path.value}` answers anything else, {_UNHEALTHY}"
    )
    return _open(landing, Severity.NOTE, text, command, fix)


def _open(landing: Landing, severity: Severity, text: str, answer: KnownAnswer, fix: str) -> _Doubt:
    related = (Related(f"the {answer.title}", answer.place),)
    return _Doubt(landing, severity, text, related, fix, open=True)
