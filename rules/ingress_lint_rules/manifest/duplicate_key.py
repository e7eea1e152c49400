"""## What it does
Finds mappings that hold the same key twice.

## What you see
A setting that has no effect: the annotation, selector or port that stands first is gone. kustomize and strict readers
refuse the file (`mapping key already defined`).

## Why it breaks
YAML forbids it, and kubectl's reader takes the last one without a word. With a second `annotations:` or `spec:` the
whole first block is lost, which shows only as a route that behaves as if nothing had been set.

## Example
Bad:
```yaml
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80}]
  selector: {app: webshop}
```
Good:
```yaml
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: webshop}
  ports: [{port: 80}]
```

## Fix
Merge the two entries into one.

## Prove it
```sh
kubectl create --dry-run=client -o yaml -f FILE
```

## How sure
Certain. A warning where both entries say the same, so that nothing is lost.

## References
- https://yaml.org/spec/1.2.2/#3213-node-comparison
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Severity
from ingress_lint.load.document import Problem, ProblemKind
from ingress_lint.rule import Cause, Rule


class DuplicateKey(Rule):
    """A key that stands twice in one mapping."""

    code: ClassVar[str] = "IL004"
    name: ClassVar[str] = "duplicate-key"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a mapping holds the same key twice, and the later one silently wins"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause("the setting that stands first is dropped without a word", sometimes=("404", "413", "502", "503", "504")),
    )
    problems: ClassVar[frozenset[ProblemKind]] = frozenset({ProblemKind.DUPLICATE_KEY})

    def check_problem(self, problem: Problem) -> Iterable[Finding]:
        """Reports each repeated key."""
        yield self.of_problem(problem)
