"""## What it does
Finds two objects of one controller that claim the same requests: the same listener, host, path, method and headers.

## What you see
One of the two answers everything, the other nothing: clients get another application's page, its 404, or its login. On
ingress-nginx the admission webhook refuses the second (`host ... and path ... is already defined in ingress ...`).

## Why it breaks
A request goes to one route. Of two that ask for the same, each controller takes one by its own rule, mostly the older;
recreating that object turns the traffic over to the other.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: blog}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: blog, port: {number: 80}}}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: blog}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /blog, pathType: Prefix, backend: {service: {name: blog, port: {number: 80}}}}
```

## Fix
Give one of them another host or path, or delete it. To split traffic, use weights or the controller's canaries.

## Prove it
```sh
kubectl get ingress,httproute -A | grep HOST
```

## How sure
An error where the controller is known, a warning where nothing says which one serves the objects, a note where five or
more plain files claim the same, as examples and tests do that are applied one at a time. Silent where both
lead to the same backends in the same way, and where a priority that somebody wrote tells them apart.

## References
- https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule
- https://kubernetes.github.io/ingress-nginx/how-it-works/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import ClassVar, Final

from ingress_lint.controllers.lowering.competing import Preference, claim, grounds, preference, same_effect
from ingress_lint.finding import Finding, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.model import AnyObject
from ingress_lint.routes.matching import Candidate
from ingress_lint.routes.model import Route
from ingress_lint.routes.way import way_in
from ingress_lint.rule import Cause, Rule

_MOST_MISTAKES: Final = 4
"""In so many plain files one request may be claimed by mistake; where it is more, each is an example or a test of its own."""


class ConflictingRoute(Rule):
    """Two objects that want the same requests."""

    code: ClassVar[str] = "IL103"
    name: ClassVar[str] = "conflicting-route"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "two objects of one controller claim the same listener, host and path"
    compares: ClassVar[bool] = True
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "two objects claim the path, and the one that wins is not the one that was meant",
            sometimes=("404", "apply-refused"),
        ),
    )

    def check_routes(self, routes: tuple[Route, ...], graph: ObjectGraph) -> Iterable[Finding]:
        """Compares all routes that compete for requests; one finding for each two objects."""
        clashes: dict[tuple[AnyObject, AnyObject], dict[Place, Preference]] = {}
        of_examples: set[tuple[AnyObject, AnyObject]] = set()
        for candidates in grounds(graph, routes).values():
            if len(candidates) < 2:
                continue
            same: defaultdict[Hashable, list[Candidate]] = defaultdict(list)
            for candidate in candidates:
                same[claim(candidate)].append(candidate)
            for first, *others in same.values():
                files = {other.route.owner.document.file for other in (first, *others)}
                are_examples = len(files) > _MOST_MISTAKES and not graph.context.built
                for other in others:
                    if other.route.owner is not first.route.owner and not same_effect(other.route, first.route):
                        found = preference(first, other)
                        key = found.loser.route.owner, found.winner.route.owner
                        clashes.setdefault(key, {}).setdefault(_place(found.loser), found)
                        if are_examples:
                            of_examples.add(key)
        for key, places in clashes.items():
            if key[0].document.reported:
                yield self._reported(next(iter(places.values())), len(places) - 1, key in of_examples)

    def _reported(self, found: Preference, more: int, are_examples: bool) -> Finding:
        winner, loser = found.winner.route.owner, found.loser.route.owner
        path = found.loser.match.path.value.value if found.loser.match else ""
        number = found.loser.listener.port.value
        what = f"{found.loser.hostname or 'any host'}{path or f' on port {number}'}"
        outcome = (
            f"{found.outcome}, so that {loser.kind} `{loser.name}` gets no request"
            if found.sure
            else f"{found.outcome}, so that clients of the other get its answers instead, or 404"
        )
        assumed = found.winner.route.assumed or found.loser.route.assumed
        message = (
            f"{loser.kind} `{loser.namespace}/{loser.name}` and {winner.kind} `{winner.namespace}/{winner.name}` both "
            f"claim {what} on {found.loser.route.gateway}; {outcome}"
        )
        if more:
            message += f" (and {more} more path{'s' if more > 1 else ''})"
        if assumed:
            message += f" (taking {found.loser.route.controller.value} for their controller, which nothing says)"
        severity = Severity.WARNING if assumed else self.severity
        if are_examples:
            severity = Severity.NOTE
            message += f", unless these are examples: more than {_MOST_MISTAKES} files claim it"
        return self.finding(
            _place(found.loser),
            message,
            severity=severity,
            related=(Related(f"{winner.kind} `{winner.name}` claims the same", _place(found.winner)),),
            path=way_in(found.loser.route, f"{winner.kind} {winner.name} claims the same requests"),
            fix="give one of them another host or path, or delete it",
        )


def _place(candidate: Candidate) -> Place:
    return candidate.match.path.place if candidate.match is not None else candidate.route.place
