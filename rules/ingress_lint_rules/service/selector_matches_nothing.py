"""## What it does
Checks that the selector of each Service matches the pod template of some workload in its namespace.

## What you see
503 from ingress-nginx and Envoy, 502 from an ALB or GKE, refused connections inside the cluster. `kubectl get endpoints`
shows `<none>`.

## Why it breaks
A Service finds its pods by labels alone: every label of the selector must be on the pod, which gets its labels from the
workload's `spec.template.metadata.labels`, not from the workload's own `metadata.labels`. One misspelt or renamed label
leaves the Service without endpoints, and nothing reports it.

## Example
Bad:
```yaml
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}], selector: {app: web}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: webb}}
  template:
    metadata: {labels: {app: webb}}
    spec: {containers: [{name: web, image: web}]}
```
Good:
```yaml
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}], selector: {app: web}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
```

## Fix
Make the selector and the labels of the pod template agree. Change the Service rather than the template: a workload's
selector cannot be changed once it exists.

## Prove it
```sh
kubectl -n NAMESPACE get endpointslices -l kubernetes.io/service-name=NAME
kubectl -n NAMESPACE get pods --show-labels
```

## How sure
An error where the set is a chart rendering or a kustomization, or where a template comes close. A warning where no
template shares anything with the selector, for the pods may be applied from elsewhere, and where several labels differ
and no route leads to the Service, for its workload may be switched off on purpose. Silent where the namespace holds no
workload, or a custom resource whose controller may make pods; where a label is under the domain of an API group that the
set defines or uses, for then an operator makes the pods; in `kube-system`, where the cluster runs its own; where
only a role such as `leader` or `master` is missing, which programs give to their pods as they run; and for Services with
Endpoints or EndpointSlices of their own. Labels that only the control plane sets are on no template; they restrict what
may have made the pod instead: `statefulset.kubernetes.io/pod-name: db-1` means a StatefulSet `db` with two replicas or
more, and `pod-template-hash` a Deployment. Those of Jobs are left alone, since Jobs come and go.

## References
- https://kubernetes.io/docs/concepts/services-networking/service/#services-in-kubernetes
- https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/#does-the-service-have-any-endpointslices
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from ingress_lint.facts.endpoints import nearest_workload, selection_is_known
from ingress_lint.finding import Finding, Hop, Related, Severity, Step
from ingress_lint.graph.control_plane import POD_INDEX, POD_NAME, ordinals
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.core import Service
from ingress_lint.objects.group_kind import SERVICE
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.model import Route
from ingress_lint.routes.way import first_route, first_way
from ingress_lint.rule import Cause, Rule


class SelectorMatchesNothing(Rule):
    """A Service without pods."""

    code: ClassVar[str] = "IL403"
    name: ClassVar[str] = "selector-matches-nothing"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a Service's selector matches no pod template of its namespace"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the Service's selector matches no pod, so the Service has no endpoints",
            often=("503", "no-endpoints", "no-healthy-upstream"),
            sometimes=("502", "connection-refused"),
        ),
    )
    needs: ClassVar[frozenset[tuple[str, str]]] = frozenset({SERVICE})

    def check_set(self, graph: ObjectGraph, routes: tuple[Route, ...]) -> Iterable[Finding]:
        """Compares the selector of each Service with every pod template."""
        for service in graph.services:
            if service.document.reported and service.body.spec.type != "ExternalName":
                selector, given = graph.selector(service), graph.control_plane_selector(service)
                if not (selector or given) or graph.selected_by(service):
                    continue
                if not selection_is_known(service, selector, graph):
                    continue
                if given and graph.pods(service.namespace).matching(selector):
                    yield self._nothing_given(service, selector, given, graph, routes)
                else:
                    yield self._nothing(service, selector, graph, routes)

    def _nothing_given(
        self,
        service: KubernetesObject[Service],
        selector: Mapping[str, str],
        given: Mapping[str, str],
        graph: ObjectGraph,
        routes: tuple[Route, ...],
    ) -> Finding:
        """A Service by labels of the control plane, which it gives to no pod that has the other ones."""
        path = first_way(graph, routes, service, Hop.POD)
        end = f"The Service has no endpoints, so {_sees(first_route(graph, routes, service))}"
        key, value = next(iter(given.items()))
        pods = graph.pods(service.namespace).matching(selector)
        stem = value.rpartition("-")[0] if key == POD_NAME else ""
        owner = next((pod for pod in pods if pod.object.kind == "StatefulSet" and stem in ("", pod.object.name)), None)
        made = ordinals(owner) if owner is not None and key in (POD_NAME, POD_INDEX) else None
        if owner is not None and made is not None:
            name = owner.object.name
            last = f" to `{name}-{made[-1]}`" if len(made) > 1 else ""
            names = f"only `{name}-{made[0]}`{last}" if made else "no pod at all"
            return self.finding(
                service.at("spec", "selector", key),
                f"Service `{service.name}` selects the pod with `{key}: {value}`, and StatefulSet `{name}` makes {names}. "
                f"{end}",
                related=[Related(f"StatefulSet `{name}` makes {names}", owner.object.at("spec", "replicas"))],
                path=path,
                fix=f"select a pod that StatefulSet `{name}` makes, or give it more replicas",
            )
        return self.finding(
            service.at("spec", "selector", key),
            f"Service `{service.name}` selects pods by `{key}: {value}`, and nothing in namespace `{service.namespace}` "
            f"makes pods with that label. {end}",
            severity=None if selector or _is_whole(graph) else Severity.WARNING,
            path=path,
            fix="select by labels that the pods have",
        )

    def _nothing(
        self,
        service: KubernetesObject[Service],
        selector: Mapping[str, str],
        graph: ObjectGraph,
        routes: tuple[Route, ...],
    ) -> Finding:
        nearest = nearest_workload(service, selector, graph)
        path = first_way(graph, routes, service, Hop.POD)
        sees = _sees(first_route(graph, routes, service))
        if nearest is None:
            return self._nothing_near(service, selector, graph, path, sees)
        labels = nearest.labels
        differing = [key for key, value in selector.items() if labels.get(key) != value]
        differences = " and ".join(
            f"`{key}: {selector[key]}` here, "
            + (f"`{key}: {labels[key]}` there" if key in labels else "no such label there")
            for key in differing
        )
        one = differing[0]
        severity = Severity.WARNING if len(differing) > 1 and not path else None
        return self.finding(
            service.at("spec", "selector", *differing[:1] if len(differing) == 1 else ()),
            f"Service `{service.name}` selects no pod of namespace `{service.namespace}`; the nearest pods, of "
            f"{nearest.object.kind} `{nearest.object.name}`, differ: {differences}. The Service has no endpoints, so {sees}",
            related=[
                Related(
                    f"the pods of {nearest.object.kind} `{nearest.object.name}` are labelled here",
                    nearest.label_place(one) if one in labels else nearest.labels_place,
                )
            ],
            severity=severity,
            path=path,
            fix="select " + ", ".join(f"`{key}: {labels[key]}`" for key in differing if key in labels)
            if all(key in labels for key in differing)
            else f"select by labels that the pods of {nearest.object.kind} `{nearest.object.name}` have",
        )

    def _nothing_near(
        self,
        service: KubernetesObject[Service],
        selector: Mapping[str, str],
        graph: ObjectGraph,
        path: tuple[Step, ...],
        sees: str,
    ) -> Finding:
        wanted = ", ".join(f"`{key}: {value}`" for key, value in selector.items())
        elsewhere = next((w for w in graph.workloads if selector.items() <= w.labels.items()), None)
        if elsewhere is not None:
            item = elsewhere.object
            return self.finding(
                service.at("spec", "selector"),
                f"Service `{service.name}` selects pods by {wanted} in its own namespace `{service.namespace}`, and only "
                f"{item.kind} `{item.name}` of namespace `{item.namespace}` has them; the Service has no endpoints, so {sees}",
                related=[Related(f"{item.kind} `{item.name}` is in namespace `{item.namespace}`", item.name_place)],
                path=path,
                fix=f"move the Service to namespace `{item.namespace}`, or the pods to `{service.namespace}`",
            )
        message = (
            f"Service `{service.name}` selects pods by {wanted}, and no pod template of namespace `{service.namespace}` has "
            f"any of it; the Service has no endpoints, so {sees}"
        )
        whole = _is_whole(graph)
        if not whole:
            message += ", unless the pods are applied from elsewhere"
        return self.finding(
            service.at("spec", "selector"),
            message,
            severity=None if whole else Severity.WARNING,
            path=path,
            fix="select by labels that the pods have",
        )


def _sees(route: Route | None) -> str:
    """What becomes of a Service without endpoints, on the way of requests or beside it."""
    return f"the client gets {route.broken.no_endpoints}" if route is not None else "connections to it are refused"


def _is_whole(graph: ObjectGraph) -> bool:
    """Whether the set is known to hold all of an application."""
    return graph.context.assume == "complete" or graph.context.built
