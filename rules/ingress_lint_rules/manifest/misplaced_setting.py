"""## What it does
Finds settings that stand where nobody reads them: an annotation among labels, on the wrong kind of object or on a
ConfigMap, a ConfigMap's key as an annotation, and a stray dash that splits one routing rule in two.

## What you see
The setting does not apply, although it is right there in the manifest: health checks ask the default path and the
backend answers 502, uploads get 413, slow requests 504. A rule split by a dash answers 404 for its own host, and its
paths take the requests of every other host.

## Why it breaks
Kubernetes stores labels and annotations of any key on any object. A controller looks for each of its settings in one
place: GKE reads `cloud.google.com/backend-config` on Services, Traefik `router.*` on Ingresses, ingress-nginx some keys
in its ConfigMap alone. In a list, `- host:` followed by `- http:` makes two rules where one was meant.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    kubernetes.io/ingress.class: gce
    cloud.google.com/backend-config: '{"default": "shop"}'
spec:
  defaultBackend: {service: {name: web, port: {number: 80}}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    kubernetes.io/ingress.class: gce
spec:
  defaultBackend: {service: {name: web, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations:
    cloud.google.com/backend-config: '{"default": "shop"}'
spec: {type: NodePort, ports: [{port: 80}], selector: {app: web}}
```
Bad, a dash too many:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  rules:
    - host: shop.example.com
    - http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: web, port: {number: 80}}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: web, port: {number: 80}}}
```

## Fix
Move the setting to where its controller looks for it. Join the two halves of a rule by removing the dash.

## Prove it
```sh
kubectl -n NAMESPACE get ingress INGRESS -o jsonpath='{.metadata.annotations}'
kubectl -n NAMESPACE describe ingress INGRESS
```

## How sure
An error: the controllers' own tables say on which kind of object each key counts. A warning for a load balancer's
Service annotation on an Ingress and for settings that only another setting puts in force. Silent for keys that count in
both places, for a key that the set's Ingresses or Services carry as well (common annotations put it everywhere), and
for a rule of a host alone where the Ingress has a default backend.

## References
- https://cloud.google.com/kubernetes-engine/docs/how-to/ingress-configuration
- https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/configmap/
- https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/ingress/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import ClassVar

from ingress_lint.finding import Finding, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.group_kind import INGRESSES
from ingress_lint.objects.kinds import GATEWAY_GROUP
from ingress_lint.objects.model import AnyObject
from ingress_lint.objects.networking import Ingress, IngressRule, LegacyIngress, LegacyIngressRule
from ingress_lint.routes.model import Route
from ingress_lint.routes.verdicts import Reason, Verdict
from ingress_lint.rule import Cause, Rule


class MisplacedSetting(Rule):
    """A setting where nobody reads it."""

    code: ClassVar[str] = "IL011"
    name: ClassVar[str] = "misplaced-setting"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a setting stands where no controller reads it, or a stray dash splits a rule in two"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the setting stands where nobody reads it, so the default applies",
            sometimes=(
                "404",
                "413",
                "502",
                "504",
                "check-wrong-status",
                "header-too-big",
                "no-route",
                "response-timeout",
            ),
        ),
    )
    reasons: ClassVar[frozenset[Reason]] = frozenset({Reason.MISPLACED_SETTING})
    kinds: ClassVar[frozenset[tuple[str, str]]] = INGRESSES | {
        (GATEWAY_GROUP, "HTTPRoute"),
        (GATEWAY_GROUP, "GRPCRoute"),
        ("networking.istio.io", "VirtualService"),
    }

    def check_verdict(self, verdict: Verdict, route: Route | None, graph: ObjectGraph) -> Iterable[Finding]:
        """Reports annotations and settings in the wrong place."""
        yield self.of_verdict(verdict)

    def check_object(self, item: AnyObject, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks for rules in two halves."""
        if isinstance(item.body, Ingress | LegacyIngress):
            yield from self._split_hosts(item, item.body)
        elif item.body is not None:
            for pointer, index, what, then in _split_matches(item):
                first, second = item.at(*pointer, index), item.at(*pointer, index + 1)
                yield self.finding(
                    second,
                    f"a dash splits a rule of {item.kind} `{item.name}` in two: this half has only {then}, and the one "
                    f"before it only {what}, so that what it matches leads nowhere (404 or 500) and all other "
                    f"requests come here",
                    related=(Related(f"the half that has {what}", first),),
                    fix=f"remove the dash, so that {what} and {then} are one rule",
                )

    def _split_hosts(self, item: AnyObject, body: Ingress | LegacyIngress) -> Iterator[Finding]:
        if body.spec.default_backend is not None:
            return
        rules: Sequence[IngressRule | LegacyIngressRule] = body.spec.rules
        for index, (first, second) in enumerate(pairwise(rules)):
            if first.host and first.http is None and second.http is not None and not second.host:
                yield self.finding(
                    item.at("spec", "rules", index + 1),
                    f"a dash splits a rule of Ingress `{item.name}` in two: `{first.host}` has no paths and answers 404, "
                    f"and these paths have no host, so that they take requests for every other one",
                    related=(Related(f"the half that has the host `{first.host}`", item.at("spec", "rules", index)),),
                    fix="remove the dash, so that `host` and `http` are one rule",
                )


def _split_matches(item: AnyObject) -> Iterator[tuple[tuple[str, ...], int, str, str]]:
    """The list, the index of the first half, and what each half alone has, of each rule in two halves."""
    from ingress_lint.objects import gateway_routes, istio

    body = item.body
    if isinstance(body, gateway_routes.HTTPRoute | gateway_routes.GRPCRoute):
        rules: Sequence[gateway_routes.HTTPRouteRule | gateway_routes.GRPCRouteRule] = body.spec.rules
        for index, (first, second) in enumerate(pairwise(rules)):
            ends = first.backend_refs or first.filters
            if first.matches and not ends and second.backend_refs and not second.matches:
                yield ("spec", "rules"), index, "matches", "backends"
    elif isinstance(body, istio.VirtualService):
        for index, (earlier, later) in enumerate(pairwise(body.spec.http)):
            led = earlier.route or earlier.redirect or earlier.direct_response or earlier.delegate
            if earlier.match and not led and later.route and not later.match:
                yield ("spec", "http"), index, "matches", "a destination"
