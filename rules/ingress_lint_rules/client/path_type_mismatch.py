"""## What it does
Checks that a path means what it looks like: that a regular expression or a wildcard is one to the controller, that an
expression compiles, that a path which an ALB or GKE compares as a whole was meant so, and that it has no escapes which
the controller decodes before it compares.

## What you see
404 for every request that the path was written for, or for all but one: the pod's page loads, its styles, images and
API calls do not. Some controllers refuse the object.

## Why it breaks
`Exact` and `Prefix` know no patterns: `/api/*` takes requests for a directory called `*`. What
`ImplementationSpecific` means is each controller's own affair: nginx takes a prefix, an ALB and GKE a pattern in which
`/` is the root page alone, Cilium a regular expression, Istio an exact path. The admission webhook of ingress-nginx
refuses an Ingress with anything but a plain path under the other types since 1.12, whatever `use-regex` says.

nginx and Traefik compare what the escapes of a request stand for: `/a%20b` in a manifest is none of the paths they see.
Envoy decodes letters and digits alone, so that `/a%20b` matches there, and `/%66oo` does not.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  rules:
    - http:
        paths:
          - path: /api/*
            pathType: Prefix
            backend: {service: {name: api, port: {number: 80}}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  rules:
    - http:
        paths:
          - path: /api
            pathType: Prefix
            backend: {service: {name: api, port: {number: 80}}}
```

## Fix
Write the plain path with type `Prefix`. For a real regular expression use what the controller has for it
(`use-regex` on ingress-nginx, `RegularExpression` in the Gateway API, `regex` in Istio).

## Prove it
```sh
curl -si http://HOST/api/orders
```

## How sure
An error where the controller is known. Where nothing says which one serves the object: a warning for types `Exact` and
`Prefix`, which mean the same to all; a note for `ImplementationSpecific`, and silence where the class is one that nobody
knows. A warning for paths below the root that an ALB or GKE compares as a whole, which may be meant so, and for paths that the webhook of
ingress-nginx refuses where the set does not show its version and settings.

## References
- https://kubernetes.io/docs/concepts/services-networking/ingress/#path-types
- https://kubernetes.github.io/ingress-nginx/user-guide/ingress-path-matching/
- https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/configmap/#strict-validate-path-type
- https://cloud.google.com/kubernetes-engine/docs/how-to/load-balance-ingress#url_paths
- https://nginx.org/en/docs/http/ngx_http_core_module.html#location
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from ingress_lint.controllers.lowering.conducts import conduct_of
from ingress_lint.finding import Finding, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.networking import Ingress, LegacyIngress
from ingress_lint.routes.matches import Match, PathMatch, PathMatchType
from ingress_lint.routes.matching import path_matches
from ingress_lint.routes.model import Route
from ingress_lint.routes.sourced import Origin
from ingress_lint.routes.verdicts import Reason, Verdict
from ingress_lint.routes.way import way_in
from ingress_lint.rule import Cause, Rule
from ingress_lint.values.expressions import fault
from ingress_lint.values.patterns import deferred

_EXPRESSION: Final = deferred(
    r"\.[*+]|^/?\^|[^/]\$$|\(\?|\([^()|*+?]*[|*+?][^()]*\)|\)[*+?]|\[[^\[\]/]+\]|\\[.dwsDWS/b-]"
)
"""What only a regular expression has; single brackets, `$` and `+` are legal in paths."""
_PLAIN: Final = deferred(r"[A-Za-z0-9/._~-]+")
"""A path that reads the same with and without escapes."""
_SPECIAL: Final = frozenset("*+?|^$()[]\\")
"""What these and wildcards are made of, some of which every one of them has."""
_LITERAL: Final = {
    PathMatchType.EXACT: "exactly that text",
    PathMatchType.PREFIX: "what is under a directory of that very name",
    PathMatchType.STRING_PREFIX: "what starts with that very text",
}


class PathTypeMismatch(Rule):
    """A path that its controller takes for something else than it looks like."""

    code: ClassVar[str] = "IL108"
    name: ClassVar[str] = "path-type-mismatch"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a path looks like a pattern and is none to its controller, or the other way round"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the path is a pattern to one side and plain text to the other, so requests do not match it",
            often=("404", "no-route"),
            sometimes=("apply-refused", "check-wrong-status"),
        ),
    )

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks at each path that somebody wrote."""
        for match in route.matches:
            path = match.path.value
            if not match.path.place.document.reported or not _written(match, route):
                continue
            if any(item.place == match.path.place and item is not match.refusal for item in route.refusals):
                continue  # its controller refuses more than the path, which is another rule's
            if match.path.origin is Origin.DEFAULT:
                continue  # nobody knows how it is compared
            if path.type is PathMatchType.REGULAR_EXPRESSION:
                found = list(self._broken(route, match, path))
            elif path.type is PathMatchType.GLOB:
                found = list(self._whole(route, match, path))
            else:
                found = [] if _SPECIAL.isdisjoint(path.value) else list(self._literal(route, match, path))
            if not found and (match.refusal is None or not match.refusal.known):
                found = list(self._escaped(route, match))
            if not found and match.refusal is not None and not route.assumed:
                found = [self._refused(route, match.refusal)]
            yield from found
        for refusal in route.refusals:  # of another path of its object, which is turned away with this one
            if refusal.reason is Reason.PATH_REFUSED and all(match.refusal is None for match in route.matches):
                yield self._refused(route, refusal)

    def _refused(self, route: Route, refusal: Verdict) -> Finding:
        return self.of_verdict(refusal, way_in(route, f"{route.gateway} refuses the path"))

    def _literal(self, route: Route, match: Match, path: PathMatch) -> Iterator[Finding]:
        value = path.value
        wildcard = value == "*" or "/*" in value or value.endswith("*")
        if _EXPRESSION.search(value):
            what, plain = "looks like a regular expression", ""
        elif wildcard:
            what, plain = "has a wildcard", value.rstrip("*").rstrip("/") or "/"
        else:
            return
        fix = "write the plain path with a prefix match, or ask for regular expressions where the controller has them"
        if plain and "*" not in plain:
            fix = f"write `{plain}`" + ("" if path.type is not PathMatchType.EXACT else " with a prefix match")
        yield self._reported(
            route,
            match,
            f"path `{value}` of {route.owner.kind} `{route.owner.name}` {what}, but {route.gateway} takes it for "
            f"{_LITERAL[path.type]}; the requests that it was written for get 404",
            fix,
        )

    def _escaped(self, route: Route, match: Match) -> Iterator[Finding]:
        """A path with escapes that the controller decodes in those of requests."""
        value = match.path.value.value
        if "%" not in value or (seen := conduct_of(route).paths.unescaped(value)) == value:
            return
        plain = _PLAIN.fullmatch(seen) is not None
        yield self._reported(
            route,
            match,
            f"path `{value}` of {route.owner.kind} `{route.owner.name}` has escapes, but {route.gateway} decodes paths before "
            f"it compares them, and sees `{seen}` in requests; they do not match, and get 404 unless another path takes them",
            f"write `{seen}`" if plain else "serve it under a path that needs no escapes",
        )

    def _broken(self, route: Route, match: Match, path: PathMatch) -> Iterator[Finding]:
        broken = fault(path.value)
        if broken is not None:
            yield self._reported(
                route,
                match,
                f"path `{path.value}` of {route.owner.kind} `{route.owner.name}` is a regular expression to "
                f"{route.gateway} and does not compile ({broken}); the route is not served, and clients get 404",
                "correct the expression, or make it a plain path",
            )

    def _whole(self, route: Route, match: Match, path: PathMatch) -> Iterator[Finding]:
        """A path that is compared as a whole because it has no wildcard."""
        value = path.value
        if _EXPRESSION.search(value.rstrip("*")):
            yield self._reported(
                route,
                match,
                f"path `{value}` of {route.owner.kind} `{route.owner.name}` looks like a regular expression, but "
                f"{route.gateway} knows only `*` and takes the rest as it stands; the requests that it was written for "
                f"get 404",
                "write the plain path, with `/*` at its end",
            )
        elif "*" not in value and "?" not in value and not _has_sibling_below(route, value):
            root = value == "/"
            if not root and "." in value.rpartition("/")[2]:
                return  # a file
            yield self._reported(
                route,
                match,
                f"path `{value}` of {route.owner.kind} `{route.owner.name}` is no prefix to {route.gateway}: with type "
                f"ImplementationSpecific it takes `{value}` alone, and requests for `{value.rstrip('/')}/anything` get "
                f"404",
                f"use `pathType: Prefix`, or write `{value.rstrip('/')}/*`",
                certain=root,
            )

    def _reported(self, route: Route, match: Match, message: str, fix: str, *, certain: bool = True) -> Finding:
        severity = self.severity if certain else Severity.WARNING
        if route.assumed:
            severity = Severity(max(severity - 1, Severity.NOTE)) if _specified(route, match) else Severity.NOTE
            message += f" (taking {route.controller.value} for its controller, which nothing says)"
        return self.finding(
            match.path.place,
            message,
            severity=severity,
            path=way_in(route, f"the path is not what {route.gateway} compares with"),
            fix=fix,
        )


def _written(match: Match, route: Route) -> bool:
    """Whether the path is text of the route's object, and not one that its controller makes up."""
    pointer = match.path.place.pointer
    return not route.is_default and "annotations" not in pointer and bool(match.path.value.value)


def _specified(route: Route, match: Match) -> bool:
    """Whether the Ingress specification says what a path matches, whichever controller serves it."""
    return match.path.value.type is PathMatchType.EXACT or _path_type(route) == "Prefix"


def _path_type(route: Route) -> str:
    """The type that the Ingress gives the path of a route; empty for none, and for routes of other kinds."""
    body = route.owner.body
    if not isinstance(body, Ingress | LegacyIngress) or route.rule >= len(body.spec.rules):
        return ""
    http = body.spec.rules[route.rule].http
    paths = http.paths if http else ()
    return (paths[route.first_match].path_type or "") if route.first_match < len(paths) else ""


def _has_sibling_below(route: Route, value: str) -> bool:
    """Whether another path of the same Ingress and host takes what lies below `value`."""
    body = route.owner.body
    if not isinstance(body, Ingress | LegacyIngress):
        return True
    below = value.rstrip("/") + "/below"
    hosts = {hostname.value for hostname in route.hostnames} or {""}
    return any(
        path.path != value
        and path_matches(
            PathMatch(PathMatchType.PREFIX if path.path_type == "Prefix" else PathMatchType.GLOB, path.path or "/*"),
            below,
        )
        for rule in body.spec.rules
        if rule.http and (rule.host or "") in hosts
        for path in rule.http.paths
    )
