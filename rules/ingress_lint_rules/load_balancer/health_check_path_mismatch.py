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
An error by evidence about that very path: a setting that puts the application under another one
(`SERVER_SERVLET_CONTEXT_PATH`, `--web.route-prefix`), an image that is known to answer otherwise, a reverse proxy, which
answers 404 to what none of its routes serves; also where neither a probe nor any path that the same object routes to the
Service is at or above it. Probes that name other paths leave it open: a warning, as for the default that meets a probe
that only connects or that asks another port, for paths that differ by a trailing slash, and where redirects count as
healthy too. A note where the probe is a command that says nothing about HTTP, and where the path of a probe is read only
once and the Ingress stands before the workload in the same file. Silent where somebody wrote a path other than `/` that
the same Ingress routes to that Service, where the image is known for its answer at `/` and no probe names another (IL205),
where 404 counts as healthy, where the pod has no probe at all, where the check cannot reach a port of the pod (IL202,
IL204, IL501), and where a probe asks for the same path, whatever the query.

Application Gateway for Containers asks as its HealthCheckPolicy says, else as the readiness probe does, else for `/`; releases
were seen that skip the probe, so that a probe's path without a policy is a warning (Azure/AKS#5644).

## References
- https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
- https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#health-check
- https://cloud.google.com/kubernetes-engine/docs/troubleshooting/ingress-health-checks
- https://learn.microsoft.com/azure/application-gateway/ingress-controller-add-health-probes
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from ingress_lint.facts.answers import (
    KnownAnswer,
    ProbeKind,
    ProxyImage,
    listed,
    proxy_image,
    root_answer,
    same_but_slash,
    same_path,
    without_query,
)
from ingress_lint.facts.base_paths import base_path
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.health import Landing, accepts, landings, without_healthy_targets
from ingress_lint.routes.matches import PathMatch
from ingress_lint.routes.matching import path_matches
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.remedies import told
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.traffic import HealthCheck
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule

_REDIRECTS = (301, 302, 303, 307, 308)
_ANNOTATED = ("Ingress", "Service")


class _Asked(Struct, frozen=True):
    """A health check, and the paths that its route's object leads to the same backend."""

    route: Route
    backend: BackendRef
    check: HealthCheck
    path: Sourced[str]
    routed: Sequence[PathMatch | None]

    @property
    def at_or_above(self) -> bool:
        """Whether any of them takes requests for the path that is asked for."""
        path = without_query(self.path.value)
        return any(match is None or path_matches(match, path) for match in self.routed)

    @property
    def is_route(self) -> bool:
        """Whether the path is one of them, and not the root."""
        path = without_query(self.path.value).rstrip("/")
        return bool(path) and any(match is not None and match.value.rstrip("/*") == path for match in self.routed)


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

    def check_routes(self, routes: tuple[Route, ...], graph: ObjectGraph) -> Iterable[Finding]:
        """Compares each backend's health check with the probes of the pods that it reaches, and the paths routed there."""
        routed = _routed(routes)
        for route in routes:
            if not route.owner.document.reported:
                continue
            for backend in route.backends:
                check = backend.health_check
                if check is None or check.path is None or not check.asks_path or accepts(check, 404):
                    continue
                found = [landing for landing in landings(backend) if landing.port_known]
                asked = _Asked(route, backend, check, check.path, routed[_key(route, backend)])
                yield from self._mismatch(asked, found, graph)
                if check.skipped is not None:
                    skipping = replace(asked, path=check.skipped)
                    yield from (
                        replace(finding, severity=min(finding.severity, Severity.WARNING))
                        for finding in self._mismatch(skipping, found, graph)
                    )
                if check.read_once and check.path.origin is Origin.DERIVED:
                    yield from self._read_too_early(route, backend, check, check.path, found)

    def _mismatch(self, asked: _Asked, found: list[Landing], graph: ObjectGraph) -> Iterator[Finding]:
        route, backend, check, path = asked.route, asked.backend, asked.check, asked.path
        doubts = [_doubt(asked, landing, graph) for landing in found]
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
            related=(*worst.related, *_asked_for(asked)),
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


def _asked_for(asked: _Asked) -> Iterator[Related]:
    """What makes the load balancer ask: the object that it serves, and what makes it speak HTTP.

    An object on which the finding stands is named only where it could have said the path, and does not.
    """
    owner, protocol = asked.route.owner, asked.check.protocol
    if protocol.origin is not Origin.DEFAULT and protocol.place != asked.path.place:
        yield Related(f"this makes it ask by {protocol.value}", protocol.place)
    if owner.kind not in _ANNOTATED or owner.document is not asked.path.place.document:
        yield Related(f"it asks for the sake of {owner.kind} `{owner.name}`", owner.name_place)
    elif asked.path.origin is Origin.DEFAULT:
        yield Related(f"{owner.kind} `{owner.name}` does not say what to ask for", owner.name_place)


def _key(route: Route, backend: BackendRef) -> tuple[AnyObject, str, str]:
    """Whose routes lead to the same backend as one."""
    return route.owner, backend.namespace, backend.name


def _routed(routes: Iterable[Route]) -> Mapping[tuple[AnyObject, str, str], list[PathMatch | None]]:
    """What each object routes to each backend, None for requests of every path."""
    found: defaultdict[tuple[AnyObject, str, str], list[PathMatch | None]] = defaultdict(list)
    for route in routes:
        for backend in route.backends:
            key = _key(route, backend)
            found[key] += [None] if route.is_default or not route.matches else [m.path.value for m in route.matches]
    return found


def _doubt(asked: _Asked, landing: Landing, graph: ObjectGraph) -> _Doubt | None:
    """What speaks against the path, None where a probe asks for it too or nothing is known."""
    path = asked.path
    named = [answer for answer in landing.here if answer.path]
    if any(same_path(answer.path, path.value) for answer in named):
        return None
    against = _known_otherwise(asked, landing, named, graph)
    if against is not None:
        return against
    if named:
        return _names_another(asked, landing, named)
    proxy = proxy_image(landing.container) if landing.container else None
    if proxy is not None:
        return None if path.value in proxy.own_paths else _asks_proxy(asked, landing, proxy, graph)
    if landing.container and same_path(path.value, "/") and root_answer(landing.container):
        return None
    return _leaves_open(asked, landing)


def _known_otherwise(asked: _Asked, landing: Landing, named: list[KnownAnswer], graph: ObjectGraph) -> _Doubt | None:
    """What the application's own settings or its image tell of that very path."""
    container, path = landing.container, asked.path
    if container is None or not landing.on_traffic_port:
        return None
    base = base_path(container, graph)
    if base is not None and not base.covers(without_query(path.value)):
        text = f"while {base.setting} tells {landing.workload} to serve everything under `{base.path}`: {without_healthy_targets(asked.route)}"
        related = (Related(f"everything is under `{base.path}`", base.place), *_asking(named))
        fix = (
            _to_path(asked.backend, named[0].path) if named else f"ask for a page under `{base.path}` that answers 200"
        )
        return _Doubt(landing, Severity.ERROR, text, related, fix)
    root = root_answer(container) if same_path(path.value, "/") else None
    if root is not None and named and not accepts(asked.check, root.status):
        text = f"where {root.title} in {landing.workload} answers {root.status} unless it is set up otherwise: {without_healthy_targets(asked.route)}"
        related = (Related(f"the image is {root.title}", container.at("image")), *_asking(named))
        return _Doubt(landing, Severity.ERROR, text, related, _to_path(asked.backend, named[0].path))
    return None


def _names_another(asked: _Asked, landing: Landing, named: list[KnownAnswer]) -> _Doubt | None:
    path = asked.path
    redirects = accepts(asked.check, *_REDIRECTS)
    slash = next((answer for answer in named if same_but_slash(answer.path, path.value)), None)
    if slash is not None:
        text = (
            f"while the {slash.title} of {landing.workload} asks for `{slash.path}`: many applications redirect the one to the "
            f"other or answer it with 404, and then {without_healthy_targets(asked.route)}"
        )
        severity = Severity.NOTE if redirects else Severity.WARNING
        return _Doubt(landing, severity, text, _asking(named), _to_path(asked.backend, slash.path))
    if path.explicit and asked.is_route:
        return None
    known, owner = listed(named), asked.route.owner
    related, fix = _asking(named), _to_path(asked.backend, named[0].path)
    if not asked.at_or_above:
        text = (
            f"which no probe of {landing.workload} asks for (they ask for {known}), and {owner.kind} `{owner.name}` leads no "
            f"such path there: {without_healthy_targets(asked.route)}"
        )
        severity = Severity.WARNING if redirects and not path.explicit else Severity.ERROR
        return _Doubt(landing, severity, text, related, fix)
    if path.explicit:
        text = (
            f"which no probe of {landing.workload} asks for (they ask for {known}); unless the application answers it "
            f"as well, {without_healthy_targets(asked.route)}"
        )
    else:
        answers = "answers 200 or redirects" if redirects else "answers 200"
        text = (
            f"and nothing says that {landing.workload} answers there: its probes ask for {known}; unless `{path.value}` "
            f"{answers}, {without_healthy_targets(asked.route)}"
        )
    return _Doubt(landing, Severity.WARNING, text, related, fix)


def _asking(named: Iterable[KnownAnswer]) -> tuple[Related, ...]:
    return tuple(Related(f"the {answer.title} asks for `{answer.path}`", answer.place) for answer in named)


def _to_path(backend: BackendRef, path: str) -> str:
    """What makes the health check ask for a path."""
    return told(backend.remedies.check_path, path, f"set the health check's path to `{path}`")


def _asks_proxy(asked: _Asked, landing: Landing, proxy: ProxyImage, graph: ObjectGraph) -> _Doubt:
    route, path, title = asked.route, asked.path, proxy.title
    text = f"and {landing.workload} runs {title}, which answers 404 to whatever none of its own routes serves: {without_healthy_targets(asked.route)}"
    catch_all = any(
        ingress is not route.owner
        and (ingress.body.spec.default_backend or not all(r.host for r in ingress.body.spec.rules))
        for ingress in graph.ingresses
    )
    severity = Severity.WARNING if path.explicit or catch_all else Severity.ERROR
    related = (Related(f"the image is {title}", landing.container.at("image")),) if landing.container else ()
    own = proxy.own_paths
    fix = _to_path(asked.backend, own[0]) if own else "set the health check to a path that the proxy answers itself"
    return _Doubt(landing, severity, text, related, fix)


def _leaves_open(asked: _Asked, landing: Landing) -> _Doubt | None:
    """Nothing names a path on that port: what the pod's other probes suggest."""
    backend, path = asked.backend, asked.path
    elsewhere = list(landing.elsewhere)
    same = next((answer for answer in elsewhere if same_path(answer.path, path.value)), None)
    if same is not None:
        text = (
            f"while the {same.title} of {landing.workload} asks for the same path at port {same.port}; unless port "
            f"{landing.number} answers it too, {without_healthy_targets(asked.route)}"
        )
        related = (Related(f"the {same.title} asks port {same.port}", same.place),)
        fix = told(backend.remedies.check_port, same.port, f"set the health check's port to {same.port}")
        return _Doubt(landing, Severity.WARNING, text, related, fix, open=True)
    if path.explicit:
        return None
    if elsewhere:
        text = (
            f"and nothing says that {landing.workload} answers there: its probes ask for {listed(elsewhere)} at port "
            f"{elsewhere[0].port}; unless `{path.value}` answers 200, {without_healthy_targets(asked.route)}"
        )
        first, fix = elsewhere[0], "set the health check's path and port to these"
        related = (Related(f"the {first.title} asks port {first.port}", first.port_place),)
        return _Doubt(landing, Severity.WARNING, text, related, fix, open=True)
    fix = "set the health check's path to one that the application answers with 200"
    connecting = next((answer for answer in landing.here if answer.kind is ProbeKind.TCP), None)
    if connecting is not None:
        text = (
            f"and nothing says that {landing.workload} answers 200 there: its {connecting.title} only opens a connection "
            f"(tcpSocket); if `{path.value}` answers anything else, {without_healthy_targets(asked.route)}"
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
        f"`{path.value}` answers anything else, {without_healthy_targets(asked.route)}"
    )
    return _open(landing, Severity.NOTE, text, command, fix)


def _open(landing: Landing, severity: Severity, text: str, answer: KnownAnswer, fix: str) -> _Doubt:
    related = (Related(f"the {answer.title}", answer.place),)
    return _Doubt(landing, severity, text, related, fix, open=True)
