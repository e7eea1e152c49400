"""## What it does
Checks that what a route hangs on beside its backends is there: middlewares, plugins, policies, TLS options, GKE's
BackendConfig and FrontendConfig, the Secret of a login, the objects that a filter or policy names.

## What you see
404 from Traefik, which makes no router of a route whose middleware is missing; 500 from Gateway API implementations and
F5 NGINX; 503 from ingress-nginx without the Secret of a login, and from Istio where a subset is missing; 403 without the
authorities of client certificates. GKE stops updating its load balancer. Kong and others let requests pass without the
plugin or the password.

## Why it breaks
Such an object is found by name, in its own namespace, in the form that its controller asks for: a Traefik annotation
names `namespace-name@kubernetescrd`, not `name`. Nothing checks that when the route is applied.

## Example
Bad:
```yaml
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: shop, namespace: shop}
spec:
  entryPoints: [web]
  routes:
    - kind: Rule
      match: Host(`shop.example.com`)
      middlewares: [{name: strip-prefix}]
      services: [{name: shop, port: 80}]
---
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: strip-api, namespace: shop}
spec: {stripPrefix: {prefixes: [/api]}}
```
Good:
```yaml
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: shop, namespace: shop}
spec:
  entryPoints: [web]
  routes:
    - kind: Rule
      match: Host(`shop.example.com`)
      middlewares: [{name: strip-api}]
      services: [{name: shop, port: 80}]
---
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: strip-api, namespace: shop}
spec: {stripPrefix: {prefixes: [/api]}}
```

## Fix
Name the object that exists, in the form that the controller asks for, or add the one that is missing.

## Prove it
```sh
kubectl -n NAMESPACE get KIND NAME
```

## How sure
An error where the set holds objects of that kind and namespace but not this one, for an Istio subset whose Service is in
the set while its DestinationRules are for other hosts, and for a BackendConfig that a Service names for a port that it
lacks. A warning for Secrets, which are often made apart from the manifests, and where the set has one of that name in
another namespace and none of that kind in the route's. Silent where the set holds none of that kind, where another
provider has it (`@file`), where annotations ask a controller to copy it, and where a file did not parse.

## References
- https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/crd/http/ingressroute/
- https://gateway-api.sigs.k8s.io/reference/spec/#localobjectreference
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from ingress_lint.finding import Finding, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.resolution import Existence
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.objects.kinds import GATEWAY_GROUP
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.model import Attachment, Route
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict
from ingress_lint.routes.way import way_in
from ingress_lint.rule import Cause, Rule
from ingress_lint.values.spelling import close_matches

_COPIERS: Final = ("reflect", "replicat", "kubed", "copy")
"""Words of the annotations by which Reflector, Replicator, Kubed and the like know what to copy."""


class AttachedObjectNotFound(Rule):
    """Something that a route needs beside its backends, and that is not there."""

    code: ClassVar[str] = "IL118"
    name: ClassVar[str] = "attached-object-not-found"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a middleware, plugin, policy or Secret that a route hangs on is missing"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the controller does not serve a route that hangs on something that is missing",
            often=("404", "500", "no-route"),
            sometimes=("503", "no-cluster"),
        ),
    )
    reasons: ClassVar[frozenset[Reason]] = frozenset({Reason.TARGET_NOT_FOUND, Reason.EXTENSION_NOT_FOUND})
    fields: ClassVar[frozenset[str]] = frozenset({"attached", "extensions"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks for what is attached, and for the objects of a Gateway API route's extensions."""
        for attached in (*route.attached, *_extensions(route, graph)):
            if (attached.object.missing or _is_elsewhere(attached, graph)) and not _is_backend(attached, route):
                yield self._missing(attached, route, graph)

    def check_verdict(self, verdict: Verdict, route: Route | None, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports what controllers look for and do not find."""
        if verdict.certainty is not Certainty.UNKNOWN:
            yield self.of_verdict(verdict, way_in(route, "something it needs is missing") if route else ())

    def _missing(self, attached: Attachment, route: Route, graph: ObjectGraph) -> Finding:
        wanted, kind = attached.kind, attached.kind.kind
        name, namespace = attached.name, attached.namespace
        where = f"which namespace `{namespace}` does not have"
        if attached.object.existence is Existence.PARTIAL:
            where += " in these manifests"
        elif attached.object.why or not namespace:
            where = "which is not there" + (f" ({attached.object.why})" if attached.object.why else "")
        related, fix = [], f"create {kind} `{name}`, or name one that exists"
        near = close_matches(name, graph.names_like(wanted, namespace, name), 1, 0.5)
        elsewhere = graph.namespaces_with(wanted, name)
        found = None
        if elsewhere:
            found = graph.get(wanted, elsewhere[0], name)
            if elsewhere[0] != namespace and namespace:
                fix = f"name the one of namespace `{elsewhere[0]}`, or create {kind} `{name}` in `{namespace}`"
        elif near:
            found = graph.get(wanted, namespace, near[0])
            fix = f"did you mean `{near[0]}`?"
        if found is not None:
            related.append(Related(f"{kind} `{found.name}` is in namespace `{found.namespace}`", found.name_place))
        if attached.object.why.startswith("its name there is "):
            fix = "write " + attached.object.why.removeprefix("its name there is ")
        unsure = kind == "Secret" or route.assumed or not attached.object.missing
        return self.finding(
            attached.place,
            f"{route.owner.kind} `{route.owner.name}` hangs on {kind} `{name}`, {where}; {attached.consequence}",
            severity=Severity.WARNING if unsure else self.severity,
            related=related,
            path=way_in(route, f"{kind} {name} is missing"),
            fix=fix,
        )


def _is_elsewhere(attached: Attachment, graph: ObjectGraph) -> bool:
    """Whether the set has it in other namespaces only, and none of its kind in the one where it is looked for."""
    return (
        attached.object.existence is Existence.PARTIAL
        and graph.context.assume == "auto"
        and bool(attached.namespace)
        and any(
            not _is_copied(found)
            for namespace in graph.namespaces_with(attached.kind, attached.name)
            if (found := graph.get(attached.kind, namespace, attached.name)) is not None
        )
    )


def _is_copied(held: AnyObject) -> bool:
    """Whether an annotation asks a controller to copy it to other namespaces."""
    return any(word in key for key in held.annotations for word in _COPIERS)


def _is_backend(attached: Attachment, route: Route) -> bool:
    """Whether it is a backend as well, which backend-not-found reports."""
    return any(backend.place == attached.place for backend in route.all_backends)


def _extensions(route: Route, graph: ObjectGraph) -> Iterator[Attachment]:
    """What a Gateway API route's extension filters name, of the kinds that the set holds."""
    if route.owner.group != GATEWAY_GROUP:
        return
    for step in route.extensions:
        kind = GroupKind(step.group, step.kind)
        if graph.holds(kind, route.owner.namespace):
            found = graph.resolve(kind, route.owner.namespace, step.name)
            place = step.place.at("name")
            yield Attachment(place, kind, route.owner.namespace, step.name, found, "clients get 500")
