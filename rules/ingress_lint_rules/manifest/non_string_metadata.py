"""## What it does
Finds labels, annotations and selectors whose value YAML reads as a boolean, a number or nothing.

## What you see
`cannot unmarshal bool into Go struct field ObjectMeta.metadata.annotations of type string` from kubectl, Helm or Argo CD.
The object is not applied: a new route answers 404, a changed one goes on as before.

## Why it breaks
Labels, annotations and selectors are text. `true`, `on`, `yes`, `1` and `1.10` without quotes are not, to the YAML 1.1
that Kubernetes reads, and the API server refuses the whole object.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    nginx.ingress.kubernetes.io/ssl-redirect: true
spec:
  defaultBackend: {service: {name: web, port: {number: 80}}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    nginx.ingress.kubernetes.io/ssl-redirect: "true"
spec:
  defaultBackend: {service: {name: web, port: {number: 80}}}
```

## Fix
Put the value in quotes. In a Helm template, pipe it through `quote`.

## Prove it
```sh
kubectl apply --dry-run=server -f FILE
```

## How sure
Certain for booleans and numbers. A warning for an empty value: newer servers read it as empty text, while Helm and
kubectl before 1.27 refuse it. Other rules go on as if the text had been in quotes. In custom resources whose schema is
not known here only labels and annotations are looked at: what a `selector` or `nodeSelector` of theirs takes is theirs.

## References
- https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/
- https://yaml.org/type/bool.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from ingress_lint.finding import Finding, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Pointer
from ingress_lint.objects.model import AnyObject
from ingress_lint.objects.schema_messages import as_text, describe
from ingress_lint.rule import Cause, Rule

_NAMES: Final = {"labels": "label", "annotations": "annotation", "nodeSelector": "node selector"}


class NonStringMetadata(Rule):
    """A label, annotation or selector that is no text."""

    code: ClassVar[str] = "IL005"
    name: ClassVar[str] = "non-string-metadata"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a label, annotation or selector value is a boolean, a number or empty instead of text"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the API server refuses the object for a value that is no string",
            often=("apply-refused",),
            sometimes=("404", "no-route"),
        ),
    )

    def check_object(self, item: AnyObject, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks at every place of an object that takes only text."""
        for pointer in item.not_text:
            yield self._not_text(item, pointer, item.written(*pointer))

    def _not_text(self, item: AnyObject, pointer: Pointer, value: Any) -> Finding:
        what, key = _NAMES.get(str(pointer[-2]), "selector"), pointer[-1]
        place = item.at(*pointer)
        if value is None:
            return self.finding(
                place,
                f"the value of {what} `{key}` is empty, which Helm and older kubectl refuse and newer ones read as empty "
                "text",
                severity=Severity.WARNING,
                fix='write `""`, or remove the key',
            )
        meant = f'put it in quotes: `"{as_text(value)}"`' if isinstance(value, bool) else "put it in quotes"
        return self.finding(
            place,
            f"YAML reads the value of {what} `{key}` as {describe(value)}, and only text is allowed; the API server "
            f"refuses the {item.kind}, so the cluster keeps what it had, or has none",
            fix="write text here" if isinstance(value, (list, dict)) else meant,
        )
