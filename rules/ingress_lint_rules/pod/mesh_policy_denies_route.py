"""## What it does
Finds routes none of whose requests the mesh's authorization policies let through, at the pod or at the gateway.

## What you see
403 with the body `RBAC: access denied` (Istio), or 403 without a body (Linkerd); `rbac_access_denied_matched_policy[none]`
in the pod's sidecar. Where ztunnel decides, the connection is closed instead: 503 from Istio's gateways, 502 from nginx.

## Why it breaks
As soon as one AuthorizationPolicy with action ALLOW selects a pod, only what some rule allows gets in, and an empty
`spec` allows nothing. `principals` and `namespaces` compare the certificate that the mesh gives to its pods: an ingress
controller outside of the mesh shows none, and one inside is its own service account, not the client. Requests that a
policy with action DENY means are refused whatever others allow.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop}
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: shop, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: shop}
spec: {ports: [{port: 80, targetPort: 8080}], selector: {app: shop}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, namespace: shop, labels: {app: shop}}
spec: {containers: [{name: shop, image: example/shop, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: ingress-nginx, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Pod
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
spec:
  serviceAccountName: ingress-nginx
  containers: [{name: controller, image: "registry.k8s.io/ingress-nginx/controller:v1.12.0"}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: shop, namespace: shop}
spec:
  rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/frontend]}}]}]
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop}
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: shop, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: shop}
spec: {ports: [{port: 80, targetPort: 8080}], selector: {app: shop}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, namespace: shop, labels: {app: shop}}
spec: {containers: [{name: shop, image: example/shop, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: ingress-nginx, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Pod
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
spec:
  serviceAccountName: ingress-nginx
  containers: [{name: controller, image: "registry.k8s.io/ingress-nginx/controller:v1.12.0"}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: shop, namespace: shop}
spec:
  rules: [{from: [{source: {principals: [cluster.local/ns/ingress-nginx/sa/ingress-nginx]}}]}]
```

## Fix
Allow the service account that the ingress controller runs as (`cluster.local/ns/NAMESPACE/sa/ACCOUNT`), or its
namespace, and take its pods into the mesh. `ports` are the pod's, not the Service's.

## Prove it
```sh
kubectl -n NAMESPACE get authorizationpolicies
kubectl -n NAMESPACE logs POD -c istio-proxy | grep rbac_access_denied
istioctl x authz check POD.NAMESPACE
```

## How sure
An error where the set shows that the pod is in the mesh, and where no request that the route takes gets through: with
who sends it (the service account of the controller's pods, or of Istio's own gateways; nobody, for a controller outside
of the mesh), to which port, with which host, method and path. A warning where the policy is all that tells that the pod
is in the mesh. Silent where a part of the requests gets through, as that may be meant (`trace` then tells 403 for the
others); where an address, a token or a header that the set does not tell decides; where who sends the requests is not
known and matters; for action CUSTOM; for waypoints, but where `istio.io/ingress-use-waypoint` leads through them; and
where the connection is closed before, which is IL511.

Verified by reading: Istio (istio/istio:pilot/pkg/security/authz/builder/builder.go and matcher/string.go;
pilot/pkg/serviceregistry/kube/controller/ambient/authorization.go for ztunnel) and Linkerd
(linkerd/linkerd2:policy-controller/k8s/index/src/inbound/index.rs). Releases are not told apart, other
meshes not judged.

## References
- https://istio.io/latest/docs/reference/config/security/authorization-policy/
- https://istio.io/latest/docs/ops/common-problems/security-issues/
- https://istio.io/latest/docs/ambient/usage/l4-policy/
- https://linkerd.io/2/reference/authorization-policy/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.facts.mesh.calls import Refusal
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.group_kind import GroupKind
from ingress_lint.routes.authorizing import Checkpoint, never_let_in
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.way import way, way_in
from ingress_lint.rule import Cause, Rule
from ingress_lint.tracing.predictions import CONNECTION_LOST


class MeshPolicyDeniesRoute(Rule):
    """A pod of a mesh whose policies admit none of what its route sends."""

    code: ClassVar[str] = "IL513"
    name: ClassVar[str] = "mesh-policy-denies-route"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "the mesh's authorization policies admit no request of the route"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "an authorization policy of the mesh does not admit the proxy or what it asks for",
            often=("403",),
            sometimes=("502", "503", "connection-reset"),
        ),
    )
    needs: ClassVar[frozenset[tuple[str, str]]] = frozenset(
        {
            GroupKind("security.istio.io", "AuthorizationPolicy"),
            GroupKind("policy.linkerd.io", "Server"),
            GroupKind("", "Namespace"),
        }
    )

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Asks the policies of the gateway, then those on the way to each backend's pods."""
        for checkpoint, refusal in never_let_in(route, None, graph):
            yield self._at_gateway(route, checkpoint, refusal)
        for backend in route.backends:
            for checkpoint, refusal in never_let_in(route, backend, graph):
                yield self._at_pods(route, backend, checkpoint, refusal)

    def _at_gateway(self, route: Route, checkpoint: Checkpoint, refusal: Refusal) -> Finding:
        return self.finding(
            refusal.place,
            f"the {route.gateway} takes requests for {route.owner}, but {refusal.policy}, which is for its pods too, "
            f"{refusal.why}: clients get 403",
            severity=None if checkpoint.sure else Severity.WARNING,
            related=[Related("the route", route.place)],
            path=way_in(route, f"{refusal.policy} admits none"),
            fix=refusal.fix,
        )

    def _at_pods(self, route: Route, backend: BackendRef, checkpoint: Checkpoint, refusal: Refusal) -> Finding:
        endpoint = checkpoint.endpoint
        behind = endpoint.workload if endpoint is not None else backend
        port = f"port {endpoint.number} of {behind}" if endpoint is not None else f"{behind}"
        doubt = "" if checkpoint.sure else ", as far as these manifests tell"
        closed = f"connections are closed and clients get {CONNECTION_LOST.status_from(route.controller.value)}"
        what = closed if refusal.status is None else f"clients get {refusal.status}"
        return self.finding(
            refusal.place,
            f"{route.gateway} sends requests to {port}, but {refusal.policy} {refusal.why}{doubt}: {what}",
            severity=None if checkpoint.sure else Severity.WARNING,
            related=[
                *([Related("the pods behind the route", endpoint.workload.object.name_place)] if endpoint else []),
                *(Related(f"{proxy} runs {route.gateway}", proxy.object.name_place) for proxy in route.proxies[:1]),
            ],
            path=way(route, backend, Hop.POD, endpoint),
            fix=refusal.fix,
        )
