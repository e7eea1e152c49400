"""## What it does
Reports what is no YAML: a document that does not parse, bytes that are no text, aliases that expand without bound,
nesting past any manifest's need.

## What you see
`error converting YAML to JSON` from kubectl, a failed sync in Argo CD or Flux. The cluster keeps what it had before,
or has nothing, so that the route answers 404 or the old version answers.

## Why it breaks
One bad line makes the whole document unreadable, and with kubectl the rest of the file too. Mostly it is a tab, a
value with `: ` in it that wants quotes, a line one space off, or a Helm template that was never rendered.

## Example
Bad:
```yaml
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  ports:
    - port: 80
     name: http
```
Good:
```yaml
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  ports:
    - port: 80
      name: http
```

## Fix
Repair the line named; where the parser gives up is often one line below the fault. Render Helm templates first.

## Prove it
```sh
kubectl create --dry-run=client -f FILE
```

## How sure
Certain: the text is read by the same rules as kubectl's reader. Other rules treat what an unreadable file may hold as
unknown, not as missing. Silent on files that are encrypted or no text, and on templates (`{{ }}`, `{% %}`, ytt), which are
counted with `-v`; a template that is named outright is a note.

## References
- https://yaml.org/spec/1.1/
- https://github.com/kubernetes-sigs/yaml
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Severity
from ingress_lint.load.document import Problem, ProblemKind
from ingress_lint.rule import Cause, Rule


class YAMLSyntax(Rule):
    """Text that Kubernetes cannot read."""

    code: ClassVar[str] = "IL001"
    name: ClassVar[str] = "yaml-syntax"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a file or document does not parse"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the file does not parse, so the cluster keeps what it had before, or has nothing",
            often=("apply-refused",),
            sometimes=("404", "no-route"),
        ),
    )
    problems: ClassVar[frozenset[ProblemKind]] = frozenset({ProblemKind.YAML_SYNTAX})

    def check_problem(self, problem: Problem) -> Iterable[Finding]:
        """Reports each text that could not be read."""
        yield self.of_problem(problem)
