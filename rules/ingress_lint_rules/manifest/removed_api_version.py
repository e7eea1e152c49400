"""## What it does
Finds objects of an apiVersion that Kubernetes no longer serves.

## What you see
`no matches for kind "Ingress" in version "extensions/v1beta1"` from kubectl or Helm. Nothing is applied, and the route
answers 404; a Helm release made before the upgrade cannot even be upgraded.

## Why it breaks
An API version is removed some releases after its successor appears. Objects stored in the cluster live on under the new
version, so everything works until the next deploy.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1beta1
kind: Ingress
metadata: {name: shop}
spec:
  backend: {serviceName: web, servicePort: 80}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  defaultBackend: {service: {name: web, port: {number: 80}}}
```

## Fix
Use the version that the message names. Some fields have other names there; `kubectl convert` rewrites them.

## Prove it
```sh
kubectl api-resources --api-group=networking.k8s.io
kubectl convert -f FILE --output-version networking.k8s.io/v1
```

## How sure
Certain: by the Kubernetes deprecation guide. A chart that chooses the version by what the cluster serves renders the old
one where helm was not told the cluster's version (`--kube-version`, `--api-versions`).

## References
- https://kubernetes.io/docs/reference/using-api/deprecation-guide/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.kinds import REMOVED
from ingress_lint.objects.model import AnyObject
from ingress_lint.rule import Cause, Rule


class RemovedAPIVersion(Rule):
    """An object of a version that is no longer served."""

    code: ClassVar[str] = "IL006"
    name: ClassVar[str] = "removed-api-version"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "an apiVersion that no supported Kubernetes serves"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "no supported cluster serves the version, so the object is not there",
            often=("apply-refused",),
            sometimes=("404", "no-route"),
        ),
    )
    kinds: ClassVar[frozenset[tuple[str, str]]] = frozenset(
        (version.rpartition("/")[0], kind) for version, kind in REMOVED
    )

    def check_object(self, item: AnyObject, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks the version up."""
        removal = REMOVED.get((item.api_version, item.kind))
        if removal is None:
            return
        fix = f"use {removal.use}, served since {removal.served_since}"
        if removal.changes:
            fix += f"; there {removal.changes}"
        yield self.finding(
            item.at("apiVersion"),
            f"{item.kind} of {item.api_version} is not served since Kubernetes {removal.removed_in}, so the cluster "
            f"refuses it and {_CONSEQUENCES.get(item.kind, 'what depends on it does not work')}",
            fix=fix,
        )


_CONSEQUENCES = {
    "Ingress": "its routes answer 404",
    "IngressClass": "no controller serves the Ingresses of this class",
    "NetworkPolicy": "nothing limits the traffic of its pods",
    "EndpointSlice": "its Service has no endpoints, which clients see as 503",
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"), "its pods do not exist, which clients see as 503"
    ),
}
