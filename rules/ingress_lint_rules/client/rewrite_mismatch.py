"""## What it does
Checks that a rewrite fits the path it is for: that each `$1` has a capture group, that a path which takes what lies
below it keeps the rest when it is rewritten, and that a prefix is replaced only where a prefix is matched.

## What you see
The first page loads, and every other one shows the same page or 404: all sub-paths reach the pod as one. A Gateway API
route is refused by the API server.

## Why it breaks
ingress-nginx replaces the whole path since 0.22. What shall be kept must be captured in the path and named in the
target; a group that does not exist is empty. `ReplacePrefixMatch` needs exactly one match, of type `PathPrefix`.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations: {nginx.ingress.kubernetes.io/rewrite-target: /$2}
spec:
  ingressClassName: nginx
  rules:
    - http:
        paths:
          - path: /api/(.*)
            pathType: ImplementationSpecific
            backend: {service: {name: api, port: {number: 80}}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations: {nginx.ingress.kubernetes.io/rewrite-target: /$2}
spec:
  ingressClassName: nginx
  rules:
    - http:
        paths:
          - path: /api(/|$)(.*)
            pathType: ImplementationSpecific
            backend: {service: {name: api, port: {number: 80}}}
```

## Fix
Capture the rest of the path, as in `/api(/|$)(.*)`, and name its group in the target. Paths that need another rewrite,
or none, go into an Ingress of their own.

## Prove it
```sh
curl -si http://HOST/api/orders/1   # then compare with the path in the pod's access log
```

## How sure
An error. A warning where a prefix becomes one page other than the root, which may be meant so. Silent for
`ReplaceFullPath`, which says what it does.

## References
- https://kubernetes.github.io/ingress-nginx/examples/rewrite/
- https://gateway-api.sigs.k8s.io/reference/spec/#httppathmodifier
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from ingress_lint.finding import Finding, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.kinds import GATEWAY_GROUP
from ingress_lint.objects.networking import Ingress, LegacyIngress
from ingress_lint.routes.filters import RequestRedirect, URLRewrite
from ingress_lint.routes.matches import Match, PathMatchType
from ingress_lint.routes.model import Route
from ingress_lint.routes.way import way_in
from ingress_lint.rule import Cause, Rule
from ingress_lint.values.expressions import compiled
from ingress_lint.values.numbers import whole
from ingress_lint.values.patterns import deferred

_GROUP: Final = deferred(r"\$([0-9])")
_EXPRESSION: Final = frozenset("()[]*+?|^")
_PREFIXES: Final = frozenset({PathMatchType.PREFIX, PathMatchType.STRING_PREFIX})


class RewriteMismatch(Rule):
    """A rewrite that does not fit its path."""

    code: ClassVar[str] = "IL110"
    name: ClassVar[str] = "rewrite-mismatch"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a rewrite loses the rest of the path, names a group that is not there, or is refused"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the rewritten path is not the one that the pod serves",
            often=("404",),
            sometimes=("apply-refused", "redirect-loop"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"filters"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Compares each rewrite with each path of its route."""
        for step in (*route.filters, *(step for backend in route.backends for step in backend.filters)):
            if isinstance(step, URLRewrite) and step.path is not None and not step.replace_prefix:
                for match in route.matches:
                    yield from self._groups(route, match, step, step.path)
            elif isinstance(step, URLRewrite | RequestRedirect) and step.replace_prefix:
                yield from self._prefix(route, step)

    def _groups(self, route: Route, match: Match, step: URLRewrite, target: str) -> Iterator[Finding]:
        wanted = max((whole(number) or 0 for number in _GROUP.findall(target)), default=0)
        path = match.path.value.value
        if not wanted:
            yield from self._constant(route, match, step, target)
            return
        groups = _groups_in(step.regex)
        if groups is None or wanted <= groups:
            return
        has = {0: "no capture group", 1: "only one capture group"}.get(groups, f"only {groups} capture groups")
        where = "the path" if _of_path(step, match) else "the expression"
        shown = path if _of_path(step, match) else step.regex
        plain = match.path.value.type is not PathMatchType.EXACT and not groups
        advice = (
            f"write the path as `{path.rstrip('/')}(/|$)(.*)` and use `$2`" if plain else "capture what is to be kept"
        )
        yield self.finding(
            step.place,
            f"{route.gateway} rewrites to `{target}`, but {where} `{shown}` has {has}: `${wanted}` is empty, so that all "
            f"requests reach the pod as `{_GROUP.sub('', target) or '/'}` and get one page or 404",
            severity=self._severity(route),
            related=(Related(f"the path `{path}`", match.path.place),),
            path=way_in(route, "the rewrite loses the rest of the path"),
            fix=f"{advice}, or move the path to an Ingress without this rewrite"
            if _of_path(step, match)
            else "add the group to the expression, or take it out of the replacement",
        )

    def _constant(self, route: Route, match: Match, step: URLRewrite, target: str) -> Iterator[Finding]:
        """A target that keeps nothing of a path which takes more than one page."""
        path = match.path.value.value
        if not _of_path(step, match) or "$" in target or path.endswith("$") or _exact(route, match):
            return
        if _EXPRESSION.isdisjoint(path):
            lost = (
                f"path `{path}` and everything below it to `{target}`: `{path.rstrip('/')}/anything` reaches the pod as "
                f"`{target}`"
            )
            fix = (
                f"write the path as `{path.rstrip('/')}(/|$)(.*)` and the target as `{target.rstrip('/')}/$2`, or make "
            )
            fix += "the path one page with `Exact`"
        else:
            lost = f"every request that `{path}` takes to `{target}`"
            fix = "capture what is to be kept in the path, and name its group in the target"
        yield self.finding(
            step.place,
            f"{route.gateway} rewrites {lost}, and clients get that one page or 404",
            severity=self._severity(route, likely=not target.endswith("/")),
            related=(Related(f"the path `{path}`", match.path.place),),
            path=way_in(route, "the rewrite loses the rest of the path"),
            fix=fix,
        )

    def _prefix(self, route: Route, step: URLRewrite | RequestRedirect) -> Iterator[Finding]:
        if route.owner.group != GATEWAY_GROUP:
            return
        odd = next((match for match in route.matches if match.path.value.type not in _PREFIXES), None)
        if odd is None and len(route.matches) == 1:
            return
        what = (
            f"the match is of type {odd.path.value.type}"
            if odd is not None
            else f"the rule has {len(route.matches)} matches"
        )
        yield self.finding(
            step.place.at("path", "type"),
            f"rule {route.rule} of {route.owner.kind} `{route.owner.name}` replaces a path prefix, but {what} where "
            f"exactly one of type PathPrefix is allowed; the API server refuses the route, and clients get 404",
            related=(Related("the match", odd.path.place if odd is not None else route.place),),
            path=way_in(route, "the API server refuses the route"),
            fix="use `ReplaceFullPath`, or give the rule one match of type `PathPrefix`",
        )

    def _severity(self, route: Route, *, likely: bool = False) -> Severity:
        steps = (likely, route.assumed).count(True)
        return Severity(max(self.severity - steps, Severity.NOTE))


def _groups_in(regex: str | None) -> int | None:
    """How many groups an expression captures; None where it cannot be told."""
    if regex is None:
        return 0
    expression = compiled(regex)
    return expression.groups if expression is not None else None


def _of_path(step: URLRewrite, match: Match) -> bool:
    """Whether the expression that is replaced is the path itself, so that the target stands for the whole of it."""
    return step.regex is not None and step.regex.endswith(match.path.value.value) and not _GROUP.search(step.regex)


def _exact(route: Route, match: Match) -> bool:
    """Whether the path is meant for one page, be it that its controller makes an expression of it."""
    if match.path.value.type is PathMatchType.EXACT:
        return True
    body = route.owner.body
    if not isinstance(body, Ingress | LegacyIngress) or route.rule >= len(body.spec.rules):
        return False
    http = body.spec.rules[route.rule].http
    paths = http.paths if http else ()
    return route.first_match < len(paths) and paths[route.first_match].path_type == "Exact"
