"""## What it does
Finds routes to pods that take only connections with the mesh's TLS, from a proxy that is outside of the mesh.

## What you see
502 (503 from Envoy, 403 where Linkerd's proxy answers) from the ingress proxy, `recv() failed (104: Connection reset by
peer) while reading response header` in its log, unhealthy targets at a load balancer. Calls between pods of the mesh work.

## Why it breaks
With `mtls: {mode: STRICT}` the sidecar of a pod closes every connection that does not present the mesh's certificate.
A proxy without a sidecar has none, and a cloud load balancer never has one.

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
metadata: {name: ingress-nginx}
---
apiVersion: v1
kind: Pod
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
spec: {containers: [{name: controller, image: "registry.k8s.io/ingress-nginx/controller:v1.12.0"}]}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: STRICT}}
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
metadata: {name: ingress-nginx}
---
apiVersion: v1
kind: Pod
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
spec: {containers: [{name: controller, image: "registry.k8s.io/ingress-nginx/controller:v1.12.0"}]}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: PERMISSIVE}}
```

## Fix
Take the proxy into the mesh (inject its sidecar), serve the route by the mesh's own gateway, or set the port to
PERMISSIVE in a PeerAuthentication that selects the pods (`portLevelMtls`).

## Prove it
```sh
kubectl get peerauthentication -A
istioctl x describe pod POD -n NAMESPACE
```

## How sure
An error where the set shows that the pod is in the mesh (its label, annotation, sidecar or namespace) and that the proxy
is not: its namespace is in the set without injection, its pods refuse it, or it is a load balancer outside of the
cluster. A warning where the policy is all that tells that the pod is in the mesh, or where the proxy's pods are in the
set but not their namespace. Silent where the set does not run the proxy, for the mesh's own gateways, and for ports
that the sidecar is told to leave alone. Pods on the host network are in no mesh; pods of ambient mode are, by ztunnel.

Verified by reading: Istio (istio/istio:pilot/pkg/security/authn/policy_applier.go, pkg/kube/inject/inject.go,
cni/pkg/util/podutil.go) and Linkerd (linkerd/linkerd2:policy-controller/k8s/index/src/inbound/index.rs). Releases are not
told apart.

## References
- https://istio.io/latest/docs/reference/config/security/peer_authentication/
- https://linkerd.io/2/reference/authorization-policy/#default-policies
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.facts.mesh.membership import membership
from ingress_lint.facts.mesh.mutual_tls import Demand, demand
from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.model import BackendRef, Endpoint, Route
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule
from ingress_lint.tracing.predictions import PREDICTIONS


class MeshMTLSBlocksRoute(Rule):
    """A pod that speaks only with its mesh, and a proxy that is not in it."""

    code: ClassVar[str] = "IL511"
    name: ClassVar[str] = "mesh-mtls-blocks-route"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "the pod demands the mesh's TLS, and the proxy is outside of the mesh"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the pod's sidecar closes every connection that does not bring the mesh's certificate",
            often=("502", "connection-reset"),
            sometimes=("503", "check-failed", "connection-failure", "no-healthy-upstream", "premature-close"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"endpoints"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks at the pods behind each backend where the proxy is known to be outside, or likely is."""
        outside = _outside(route, graph)
        if outside is None:
            return
        for backend in route.backends:
            for endpoint in backend.endpoints:
                inside = membership(endpoint.workload, graph)
                if endpoint.number is None or (inside.settled and not inside.mesh):
                    continue
                found = demand(endpoint.workload, endpoint.number, graph)
                if found is not None:
                    sure = outside is Severity.ERROR and inside.settled and not route.assumed
                    yield self._finding(route, backend, endpoint, found, sure=sure)

    def _finding(self, route: Route, backend: BackendRef, endpoint: Endpoint, found: Demand, *, sure: bool) -> Finding:
        way_in = "route through the mesh's own gateway" if route.from_outside else f"take {route.gateway} into the mesh"
        doubt = "" if sure else ", as far as these manifests tell"
        what = "requests are refused and the client gets 403"
        if not found.answers:
            status = PREDICTIONS[self.code].status_from(route.controller.value)
            what = f"connections are reset and the client gets {status}"
        return self.finding(
            found.place,
            f"{found.title} makes {endpoint.workload} refuse connections without the mesh's TLS, and {route.gateway}, "
            f"which sends requests to its port {endpoint.number}, is outside of the mesh{doubt}: {what}",
            severity=None if sure else Severity.WARNING,
            related=[
                Related("the pods behind the route", endpoint.workload.object.name_place),
                *(Related(f"{proxy} runs {route.gateway}", proxy.object.name_place) for proxy in route.proxies[:1]),
            ],
            path=way(route, backend, Hop.POD, endpoint),
            fix=f"{way_in}, or let port {endpoint.number} take plain connections as well",
        )


def _outside(route: Route, graph: ObjectGraph) -> Severity | None:
    """How bad it is that the proxy is outside of the mesh, by how sure that is; None where it is inside or unknown."""
    if route.mesh:
        return None
    if route.from_outside:
        return Severity.ERROR
    members = [membership(proxy, graph) for proxy in route.proxies]
    if not members or any(member.mesh for member in members):
        return None
    return Severity.ERROR if all(member.settled for member in members) else Severity.WARNING
