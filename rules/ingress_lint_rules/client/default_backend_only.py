"""## What it does
Finds requests that somebody needs answered and that only the controller's own 404 answers: the health check of a load
balancer in front of another controller's proxy, and the challenge for one of several hosts of a certificate.

## What you see
502 or 503 from the load balancer, whose targets are all unhealthy although the proxy's pods are ready; `default backend -
404` or `404 page not found` for its address. A certificate that is not issued or renewed, as one of its hosts answers
the challenge with 404.

## Why it breaks
A proxy whose routes all name hosts answers 404 to a request for its bare address, which is what a load balancer asks
for. A certificate for several hosts is issued only when each of them answers a challenge of its own.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: edge, namespace: ingress-nginx}
spec:
  ingressClassName: alb
  defaultBackend: {service: {name: ingress-nginx-controller, port: {number: 80}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: shop, port: {number: 80}}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: edge
  namespace: ingress-nginx
  annotations: {alb.ingress.kubernetes.io/healthcheck-path: /healthz}
spec:
  ingressClassName: alb
  defaultBackend: {service: {name: ingress-nginx-controller, port: {number: 80}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: shop, port: {number: 80}}}
```

## Fix
Let the health check ask for a path that the proxy answers by itself (`/healthz` of ingress-nginx, Traefik's `/ping`), or
add a route without a host. Serve the challenge's path for every host of the certificate.

## Prove it
```sh
curl -si http://ADDRESS/ | head -n 1
curl -si http://HOST/.well-known/acme-challenge/x | head -n 1
```

## How sure
A warning: the proxy is known by its Service's name or selector, and further routes may come from elsewhere. Silent where
the proxy's pods are in the manifests, which health-check-path-mismatch judges by their probes and image, where 404 counts
as healthy, and where cert-manager makes the challenge's routes.

## References
- https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
- https://kubernetes.github.io/ingress-nginx/user-guide/default-backend/
- https://letsencrypt.org/docs/challenge-types/#http-01-challenge
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Final

from ingress_lint.controllers.registry import REGISTRY
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes import hostnames
from ingress_lint.routes.health import accepts
from ingress_lint.routes.listeners import CertificateRef
from ingress_lint.routes.matching import path_matches
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.tls_secrets import TLSSecrets
from ingress_lint.routes.traffic import HealthCheck
from ingress_lint.routes.way import way, way_in
from ingress_lint.rule import Cause, Rule
from ingress_lint.values.patterns import deferred

_OWN_PATHS: Final[Mapping[str, frozenset[str]]] = {
    "ingress-nginx": frozenset({"/healthz"}),
    "traefik": frozenset({"/ping"}),
}
_STATUS: Final[Mapping[str, tuple[int, str]]] = {"istio": (15021, "/healthz/ready")}
"""The port on which a proxy answers for itself alone, and the path there. istio/istio:pkg/config/constants."""
_ASIDE: Final = deferred("admin|dashboard|manager|metrics|webhook")
"""Parts of the names of Services that lead to a controller's pods, and not to its proxy's ports."""
_CHALLENGE: Final = "/.well-known/acme-challenge"


class DefaultBackendOnly(Rule):
    """A request that only the controller's own 404 answers."""

    code: ClassVar[str] = "IL115"
    name: ClassVar[str] = "default-backend-only"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "a health check or a certificate's challenge gets the controller's own 404"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the load balancer asks for a path that none of the routes takes",
            often=("404", "check-wrong-status", "check-failed"),
            sometimes=("502", "503", "no-healthy-upstream"),
        ),
    )

    def check_routes(self, routes: tuple[Route, ...], graph: ObjectGraph) -> Iterable[Finding]:
        """Looks for checks of another controller's proxy, and for challenges that only some hosts answer."""
        by_controller: dict[str, list[Route]] = {}
        for route in routes:
            by_controller.setdefault(route.controller.value, []).append(route)
        for route in routes if len(by_controller) > 1 else ():
            if route.owner.document.reported:
                for backend in route.backends:
                    yield from self._of_check(route, backend, by_controller)
        if not graph.incomplete:
            yield from self._of_challenges(graph, routes)

    def _of_check(
        self, route: Route, backend: BackendRef, by_controller: Mapping[str, Sequence[Route]]
    ) -> Iterator[Finding]:
        check = backend.health_check
        if check is None or check.path is None or not check.asks_path or backend.endpoints or accepts(check, 404):
            return
        name = next((name for name in by_controller if name in REGISTRY and _fronts(backend, name)), None)
        path = check.path.value.partition("?")[0]
        if name is None or name == route.controller.value or path in _OWN_PATHS.get(name, ()):
            return
        if check.port is not None and (check.port.value, path) == _STATUS.get(name):
            return
        behind = by_controller[name]
        if any(_answers(found, check, path) for found in behind):
            return
        title = REGISTRY[name].controller.title
        nearest = next((found for found in behind if found.hostnames), behind[0])
        why = f" ({check.path.why})" if check.path.why and not check.path.explicit else ""
        yield self.finding(
            check.path.place,
            f"the {check.by} asks {backend.kind} `{backend.name}` for `{path}`{why} by its bare address, and the routes of "
            f"{title}, whose proxy it is by its name or selector, are all for named hosts or other paths; it gets "
            f"{title}'s 404, the targets count as unhealthy and clients get 502 or 503",
            related=(Related(f"{title} answers only for such hosts and paths", nearest.place),),
            path=way(route, backend, Hop.SERVICE),
            fix=f"let the health check ask for a path that {title} answers by itself, or add a route without a host",
        )

    def _of_challenges(self, graph: ObjectGraph, routes: Sequence[Route]) -> Iterator[Finding]:
        """Certificates whose hosts have a route for the challenge, but not all of them."""
        solving = {host.value.lower(): route for route in routes if _solves(route) for host in route.hostnames}
        if not solving:
            return
        answered = [route for route in routes if _answers_challenge(route)]
        secrets = TLSSecrets(graph)
        for certificate, route in _certificates(routes).items():
            solved = next((host for host in certificate.hosts if host.value.lower() in solving), None)
            left = [host for host in certificate.hosts if not _served(host.value, answered)]
            made = secrets.made_later(route.owner, certificate.namespace, certificate.name)
            if solved is None or not left or made or not route.owner.document.reported:
                continue
            host = left[0]
            yield self.finding(
                host.place,
                f"certificate `{certificate.name}` is for `{host.value}` as well as for `{solved.value}`, but only the "
                f"latter has a route for {_CHALLENGE}; the challenge for `{host.value}` gets {route.gateway}'s 404, and "
                f"the certificate is not issued or renewed",
                related=(Related("this route answers challenges", solving[solved.value.lower()].place),),
                path=way_in(route, f"no route serves the challenge of {host.value}"),
                fix=f"serve {_CHALLENGE} for `{host.value}` too",
            )


def _certificates(routes: Iterable[Route]) -> Mapping[CertificateRef, Route]:
    """The certificates for several hosts, each with the first route that it serves."""
    found: dict[CertificateRef, Route] = {}
    for route in routes:
        for listener in route.listeners:
            for certificate in listener.tls.certificates if listener.tls else ():
                if len(certificate.hosts) > 1:
                    found.setdefault(certificate, route)
    return found


def _fronts(backend: BackendRef, controller: str) -> bool:
    """Whether a backend is the Service of a controller's proxy, by its name or its selector."""
    if _ASIDE.search(backend.name):
        return False
    service = backend.service.object
    selector = service.body.spec.selector.values() if service is not None else ()
    return backend.name == controller or backend.name.startswith(f"{controller}-") or controller in map(str, selector)


def _answers(route: Route, check: HealthCheck, path: str) -> bool:
    """Whether a proxy's route may answer a health check."""
    host = check.host.value if check.host else hostnames.ANY
    named = not route.hostnames or any(hostnames.matches(item.value, host) for item in route.hostnames)
    if not named:
        return False
    return not route.matches or any(match.condition or path_matches(match.path.value, path) for match in route.matches)


def _solves(route: Route) -> bool:
    """Whether a route is written for challenges."""
    return any(match.path.value.value.startswith(_CHALLENGE) for match in route.matches)


def _answers_challenge(route: Route) -> bool:
    """Whether it takes challenges; the redirect of what no path takes leads them nowhere."""
    if route.is_default and not route.backends:
        return False
    return not route.matches or any(
        match.condition or path_matches(match.path.value, f"{_CHALLENGE}/x") or match.path.value.value == _CHALLENGE
        for match in route.matches
    )


def _served(host: str, routes: Iterable[Route]) -> bool:
    return any(
        not route.hostnames or any(hostnames.matches(item.value, host) for item in route.hostnames) for route in routes
    )
