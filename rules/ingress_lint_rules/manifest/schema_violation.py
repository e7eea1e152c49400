"""## What it does
Checks the objects it reads against the Kubernetes API: unknown fields, missing ones, wrong types, values outside their
enumeration, and what the API server checks besides, such as port names, or ports without a name beside others.

## What you see
`unknown field`, `Required value` or `Invalid value` from kubectl or Helm. The object is not created or not changed, and
the route that needs it answers 404 or 503, or still the way it did before.

## Why it breaks
The API server refuses the object as a whole. A client that skips validation fares worse: the field is dropped, and
nothing says so.

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
            backend: {service: {name: web, port: {number: "80"}}}
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
```

## Fix
Rename, add or retype the field as the message says.

## Prove it
```sh
kubectl apply --dry-run=server --validate=strict -f FILE
kubectl explain KIND.spec
```

## How sure
Certain for the kinds that ingress-lint models, by the API of Kubernetes 1.37; fields of custom resources that it does
not read are left alone. A field younger than that is reported as unknown. Silent where the value is filled in later
(`${PORT}`, `$PORT`, `{{ port }}`, `<port>`, `{PORT}`, `@PORT@`) or encrypted by SOPS, and on files that no API server reads,
such as those of kind, Skaffold, krew, kubectl and `istioctl`.

## References
- https://kubernetes.io/docs/reference/kubernetes-api/
- https://kubernetes.io/docs/reference/using-api/api-concepts/#setting-the-field-validation-level
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Severity
from ingress_lint.load.document import Problem, ProblemKind
from ingress_lint.rule import Cause, Rule


class SchemaViolation(Rule):
    """An object that the API server refuses."""

    code: ClassVar[str] = "IL002"
    name: ClassVar[str] = "schema-violation"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "an object does not fit the schema of its kind"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the API server refuses the object, and the route does without it",
            often=("apply-refused",),
            sometimes=("404", "503", "no-route"),
        ),
    )
    problems: ClassVar[frozenset[ProblemKind]] = frozenset({ProblemKind.SCHEMA_VIOLATION})

    def check_problem(self, problem: Problem) -> Iterable[Finding]:
        """Reports each part of an object that does not fit."""
        yield self.of_problem(problem)
