"""## What it does
Reports charts and kustomizations that could not be rendered: a template that does not parse, a value that the chart
requires and nobody gives, a dependency that is not here, a base that lies elsewhere.

## What you see
Nothing of the chart is checked: no finding here says that it is sound.

## Why it breaks
Templates are no manifests: which routes there are is known only after rendering, with the values that are used. What
helm or kustomize say when they fail is what they will say at the deploy.

## Example
Bad, where the chart requires a value:
```sh
ingress-lint ./chart
```
Good:
```sh
ingress-lint ./chart --values prod.yaml
```

## Fix
Give the values of a release with `--values` and `--set`, or beside the chart: each `ci/*-values.yaml` and `values-<env>.yaml`
makes a unit, and `units:` in the configuration names others. `helm dependency build`, or `--network`, fetches the charts that
one depends on. Else repair what the message says.

## Prove it
```sh
helm template my-release CHART
kubectl kustomize FOLDER
```

## How sure
Certain where you named the chart, or its template does not parse. A chart that is merely met in a folder that is walked may not be
meant to render by itself: what it lacks is a warning. Where helm or kustomize is not installed nothing is wrong; what was not
checked is counted at the end of every report.

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
