"""## What it does
Finds the same object (group, kind, namespace and name) twice in one unit, which is what is deployed together.

## What you see
One of the two is not what runs: a Service with the other's ports, an Ingress with the other's rules, and so 404, 502 or
503 that come and go with each deploy. kustomize refuses the build (`already registered id`), Helm the release.

## Why it breaks
A name means one object. kubectl applies both, one after the other, and the later one overwrites the earlier; which that
is depends on file names.

## Example
Bad:
```yaml
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 8080}]}
```
Good:
```yaml
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web-admin}
spec: {selector: {app: web}, ports: [{port: 8080}]}
```

## Fix
Remove one, rename one, or give them different namespaces.

## Prove it
```sh
kubectl get KIND NAME -o yaml
```

## How sure
An error within one unit; a warning where both say the same. Silent for alternatives, of which one is deployed: folders
that repeat one another's objects, files of one folder that repeat most of one another's or are named for environments,
kustomizations and charts (`ingress-lint units` lists them). Silent for a Namespace that several plain files bring along
with the same content, for hooks of Helm and Argo CD, for `generateName`, and for what `--context` adds.

## References
- https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.group_kind import NAMESPACE
from ingress_lint.objects.model import AnyObject, ObjectKey
from ingress_lint.routes.model import Route
from ingress_lint.rule import Cause, Rule

_HOOKS = frozenset({"helm.sh/hook", "argocd.argoproj.io/hook"})


class DuplicateObject(Rule):
    """Two objects of one name."""

    code: ClassVar[str] = "IL003"
    name: ClassVar[str] = "duplicate-object"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "the same object stands twice in one set"
    compares: ClassVar[bool] = True
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "of two objects with one name only the one applied last exists, and its ports or rules may be the wrong ones",
            sometimes=("404", "502", "503", "no-route"),
        ),
    )

    def check_set(self, graph: ObjectGraph, routes: tuple[Route, ...]) -> Iterable[Finding]:
        """Compares the names of all objects."""
        first: dict[ObjectKey, AnyObject] = {}
        for item in graph.objects:
            if not item.document.reported or not _HOOKS.isdisjoint(item.annotations):
                continue
            known = first.setdefault(item.key, item)
            if known is not item and item.names_itself and not _brought_along(known, item, graph):
                yield self._twice(known, item)

    def _twice(self, first: AnyObject, second: AnyObject) -> Finding:
        same = first.says_the_same(second)
        message = f"{second} is here for the second time"
        if same:
            message += ", with the same content; kustomize and Helm refuse a build that names an object twice"
        else:
            message += ": whichever is applied later overwrites the other, and what that says has no effect"
        return self.finding(
            second.name_place,
            message,
            severity=Severity.WARNING if same else None,
            related=[Related(f"{first} is here first", first.name_place)],
            fix="remove one of the two, or rename it",
        )


def _brought_along(first: AnyObject, second: AnyObject, graph: ObjectGraph) -> bool:
    """Whether both are one Namespace that files which are applied one by one make, lest it be missing."""
    apart = not graph.context.built and first.document.file is not second.document.file
    return apart and second.group_kind == NAMESPACE and first.says_the_same(second)
