"""## What it does
Finds comments and annotations that suppress nothing: `# ingress-lint: ignore[...]` and `ingress-lint.dev/ignore`.

## What you see
Nothing yet. The next fault at this place is hidden by an exception that somebody made for an earlier one.

## Why it breaks
What was suppressed has been mended or has moved to another line, or the code is misspelt. The exception stays and waits.

## Example
Bad: the Service has a selector that matches, so there is no IL403 here:
```yaml
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations:
    ingress-lint.dev/ignore: IL403
spec:
  selector: {app: web}
  ports: [{port: 80}]
```
Good: the comment says which finding is meant and why, on its line or alone on the line above:
```yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector:
    # ingress-lint: ignore[IL408] the labels are set by a webhook
    matchLabels: {app: web}
  template:
    metadata: {labels: {part: web}}
    spec: {containers: [{name: web, image: web}]}
```

## Fix
Remove it, or repair the code.

## Prove it
```sh
ingress-lint --select IL009 manifests/
```

## How sure
Certain: the rules that it names are run, whether they are selected or not.

## References
- https://github.com/ingress-lint/ingress-lint#suppressing-findings
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Severity
from ingress_lint.load.document import Problem, ProblemKind
from ingress_lint.rule import Rule


class UnusedSuppression(Rule):
    """An exception for something that is not there."""

    code: ClassVar[str] = "IL009"
    name: ClassVar[str] = "unused-suppression"
    severity: ClassVar[Severity] = Severity.NOTE
    summary: ClassVar[str] = "a comment or annotation suppresses no finding"
    problems: ClassVar[frozenset[ProblemKind]] = frozenset({ProblemKind.UNUSED_SUPPRESSION})

    def check_problem(self, problem: Problem) -> Iterable[Finding]:
        """Reports each exception that was not needed."""
        yield self.of_problem(problem)
