"""## What it does
Checks that a workload's own selector matches the labels of its pod template.

## What you see
`` `selector` does not match template `labels` `` from kubectl or Helm. The workload is not created or not changed: its
Service has no pods, or keeps the old ones, and clients get 503 or the old version.

## Why it breaks
A Deployment, StatefulSet, DaemonSet or ReplicaSet owns the pods that its selector matches. A template whose labels do
not match would make pods without end, so the API server refuses it.

## Example
Bad:
```yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: webshop}}
    spec: {containers: [{name: web, image: web}]}
```
Good:
```yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec: {containers: [{name: web, image: web}]}
```

## Fix
Put every label of the selector on the template. The selector of a workload that exists cannot be changed: change the
template, or delete the workload first.

## Prove it
```sh
kubectl apply --dry-run=server -f FILE
```

## How sure
Certain: the API server makes the same comparison.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#selector
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from msgspec.structs import replace

from ingress_lint.finding import Finding, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.labels import selects
from ingress_lint.graph.workload import workload_of
from ingress_lint.load.document import Place
from ingress_lint.objects.model import AnyObject, LabelSelector
from ingress_lint.objects.reading import string_map
from ingress_lint.objects.workloads import AppsWorkload
from ingress_lint.objects.workloads import Workload as WorkloadBody
from ingress_lint.rule import Cause, Rule


class WorkloadSelectorMismatch(Rule):
    """A workload that does not select its own pods."""

    code: ClassVar[str] = "IL408"
    name: ClassVar[str] = "workload-selector-mismatch"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a workload's selector does not match the labels of its own pod template"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the API server refuses the workload, so the Service has no pods, or old ones",
            often=("apply-refused",),
            sometimes=("503", "no-endpoints", "no-healthy-upstream"),
        ),
    )

    def check_object(self, item: AnyObject, graph: ObjectGraph) -> Iterable[Finding]:
        """Compares selector and template."""
        if not isinstance(item.body, WorkloadBody) or item.kind == "Job":
            return
        workload = workload_of(item)
        if workload is None:
            return
        labels = workload.labels
        selector = item.body.spec.selector
        pointer: tuple[str, ...] = ("spec", "selector")
        if isinstance(item.body, AppsWorkload):
            if not isinstance(selector, LabelSelector) or selects(_as_text(selector), labels):
                return
            terms, pointer = string_map(selector.match_labels), (*pointer, "matchLabels")
        else:
            terms = string_map(selector)
            if isinstance(selector, dict) and isinstance(selector.get("matchLabels"), dict):
                terms, pointer = string_map(selector["matchLabels"]), (*pointer, "matchLabels")
            elif isinstance(selector, dict) and "matchExpressions" in selector:
                return
            if all(labels.get(key) == value for key, value in terms.items()):
                return
        differing = [key for key, value in terms.items() if labels.get(key) != value]
        place = item.at(*pointer, differing[0]) if differing else item.at("spec", "selector")
        there: Place = workload.labels_place
        if differing and differing[0] in labels:
            there = workload.label_place(differing[0])
        yield self.finding(
            place,
            f"the selector of {item.kind} `{item.name}` does not match the labels of its own pods"
            f"{_differences(differing, terms, labels)}; the API server refuses it, so these pods never run and clients of "
            "its Services get 503",
            related=[Related("the pods get their labels here", there)],
            fix="make the template's labels match: " + ", ".join(f"`{key}: {terms[key]}`" for key in differing)
            if differing
            else "make the template's labels match the selector's expressions",
        )


def _as_text(selector: LabelSelector) -> LabelSelector:
    return replace(selector, match_labels=dict(string_map(selector.match_labels)))


def _differences(differing: Iterable[str], terms: Mapping[str, str], labels: Mapping[str, str]) -> str:
    shown = [
        f"`{key}: {terms[key]}` here, " + (f"`{key}: {labels[key]}` there" if key in labels else "no such label there")
        for key in differing
    ]
    return f" ({' and '.join(shown)})" if shown else ""
