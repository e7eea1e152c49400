"""## What it does
Checks that the Service a route names exists in the route's namespace.

## What you see
503 from ingress-nginx, 502 or 503 from most cloud load balancers, 500 from Gateway API implementations. Some
controllers refuse the whole object, so that its other paths answer 404.

## Why it breaks
A route finds its Service by name, in its own namespace. Nothing checks the name when the route is applied: the API
server accepts it, the controller writes a warning event, and every request fails from then on.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  rules:
    - http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: shop-web, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}], selector: {app: web}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  rules:
    - http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: web, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}], selector: {app: web}}
```

## Fix
Name the Service that exists, or add the one that is missing. A Service of another namespace needs a Service of type
ExternalName in the route's namespace, or a Gateway API route with a ReferenceGrant.

## Prove it
```sh
kubectl -n NAMESPACE get service NAME
kubectl -n NAMESPACE describe ingress INGRESS
```

## How sure
An error where the set holds Services of that namespace but not this one; a note where it holds none at all. Silent
where something in the set may make the Service, or where a file of the set could not be parsed. A warning for a backend
that gets no more than copies of requests.

## References
- https://kubernetes.io/docs/concepts/services-networking/ingress/#the-ingress-resource
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.kinds import GATEWAY_GROUP
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.verdicts import Reason
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule
from ingress_lint.values.spelling import likeness


class BackendNotFound(Rule):
    """A route to a Service that is not there."""

    code: ClassVar[str] = "IL401"
    name: ClassVar[str] = "backend-not-found"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a route's backend does not exist in the route's namespace"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the route's backend does not exist",
            often=("500", "502", "503", "no-cluster", "no-endpoints"),
            sometimes=("404", "no-healthy-upstream", "no-route"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"service"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks for each backend's Service."""
        for backend in route.all_backends:
            existence, refusal = backend.service.existence, backend.refusal
            if existence is not Existence.MISSING and existence is not Existence.PARTIAL:
                continue
            answers = any(item is backend for item in route.backends)
            if refusal.reason is not Reason.BACKEND_NOT_FOUND if refusal else not answers:
                continue  # refused for another reason, or asked for no more than a copy or a last resort
            if existence is Existence.MISSING:
                yield self._missing(route, backend, graph)
            elif graph.context.assume == "auto":
                yield self.finding(
                    backend.place,
                    f"{backend.kind} `{backend.name}` is not in these manifests ({backend.service.why}); unless the "
                    f"cluster has it, requests to this route fail",
                    severity=Severity.NOTE,
                    path=way(route, backend, Hop.SERVICE),
                    fix="name the cluster's own objects with --context to have this checked",
                )

    def _missing(self, route: Route, backend: BackendRef, graph: ObjectGraph) -> Finding:
        severity = Severity.WARNING if route.only_mirrors_to(backend) else self.severity
        told = backend.refusal
        if told is not None and told.reason is Reason.BACKEND_NOT_FOUND and told.related:
            meant = [Related(words, place) for words, place in told.related]
            path = way(route, backend, Hop.SERVICE)
            return self.finding(backend.place, told.message, severity=severity, related=meant, path=path, fix=told.fix)
        kind = GroupKind(backend.group, backend.kind)
        here = graph.names_like(kind, backend.namespace, backend.name)
        message = (
            told.message
            if told is not None
            else f"{route.owner.kind} `{route.owner.name}` sends requests to {backend.kind} `{backend.name}`, which "
            f"namespace `{backend.namespace}` does not have; the client gets {route.broken.missing}"
        )
        related, fix = [], f"create {backend.kind} `{backend.name}`, or name one that exists"
        elsewhere = graph.namespaces_with(kind, backend.name)
        near = _nearest(backend.name, here)
        if elsewhere:
            found = graph.get(kind, elsewhere[0], backend.name)
            if found:
                related.append(
                    Related(f"{backend.kind} `{found.name}` is in namespace `{found.namespace}`", found.name_place)
                )
            fix = (
                f"add `namespace: {elsewhere[0]}` to the reference, and a ReferenceGrant to that namespace"
                if route.owner.group == GATEWAY_GROUP
                else f"move the {route.owner.kind} to namespace `{elsewhere[0]}`: it reaches only Services of its own "
                f"namespace"
            )
        elif near:
            found = graph.get(kind, backend.namespace, near)
            if found:
                related.append(Related(f"the nearest name is {backend.kind} `{found.name}`", found.name_place))
            fix = f"did you mean `{near}`?"
        path = way(route, backend, Hop.SERVICE)
        return self.finding(backend.place, message, severity=severity, related=related, path=path, fix=fix)


def _nearest(wanted: str, names: Sequence[str]) -> str | None:
    """The name most likely meant: by characters, and by the words between the dashes; the only one, if there is one."""
    if len(names) == 1:
        return names[0]
    ratios = {name: likeness(wanted, name) for name in names}
    close = [name for name in names if ratios[name] >= 0.5]
    return max(close, key=lambda name: ratios[name] + _shared_words(wanted, name), default=None)


def _shared_words(one: str, other: str) -> float:
    first, second = set(one.split("-")), set(other.split("-"))
    return len(first & second) / len(first | second)
