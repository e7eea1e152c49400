"""## What it does
Reports charts and kustomizations that could not be rendered, and charts that were named and are not.

## What you see
Nothing of the chart is checked: no finding here says that it is sound.

## Why it breaks
Templates are no manifests: which routes there are is known only after rendering, with the values that are used. What
helm or kustomize say when they fail is what they will say at the deploy.

## Example
Bad:
```sh
ingress-lint ./chart
```
Good:
```sh
helm template my-release ./chart --values prod.yaml | ingress-lint -
```

## Fix
Render the chart with the values of the release, and check the result; or repair what the message says.

## Prove it
```sh
helm template my-release CHART
kubectl kustomize FOLDER
```

## How sure
Certain. It speaks of charts that you named. One that is merely met in a folder that is walked is counted among what was
not checked, at the end of every report.

## References
- https://helm.sh/docs/helm/helm_template/
- https://kubectl.docs.kubernetes.io/references/kustomize/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Severity
from ingress_lint.load.document import Problem, ProblemKind
from ingress_lint.rule import Rule


class RenderFailed(Rule):
    """A chart or kustomization that was not rendered."""

    code: ClassVar[str] = "IL010"
    name: ClassVar[str] = "render-failed"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a chart or kustomization could not be rendered, so that nothing in it was checked"
    problems: ClassVar[frozenset[ProblemKind]] = frozenset({ProblemKind.RENDER_FAILED})

    def check_problem(self, problem: Problem) -> Iterable[Finding]:
        """Reports each build that failed."""
        yield self.of_problem(problem)
