"""## What it does
Finds routes to a Service of type ExternalName on a controller that takes none, and such routes that send the client's
`Host` header to a server elsewhere.

## What you see
On cloud load balancers an empty target group or backend pool: 502 or 503. 404 from Traefik, which makes no router of it
unless `allowExternalNameServices` is on. Elsewhere a 404, 403 or 421 that the outside
server sends, or its default page: it does not know the host that it is asked for.

## Why it breaks
A Service of type ExternalName is a name in DNS and nothing more: it has no endpoints, so controllers that work with
endpoints have nowhere to send requests to. A proxy that does resolve the name still passes on the `Host` header of the
client, as it does for pods. A server that serves several sites goes by that header.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: docs}
spec:
  ingressClassName: nginx
  rules:
    - host: docs.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: docs, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: docs}
spec: {type: ExternalName, externalName: pages.example.net, ports: [{port: 80}]}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: docs
  annotations: {nginx.ingress.kubernetes.io/upstream-vhost: pages.example.net}
spec:
  ingressClassName: nginx
  rules:
    - host: docs.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: docs, port: {number: 80}}}
---
apiVersion: v1
kind: Service
metadata: {name: docs}
spec: {type: ExternalName, externalName: pages.example.net, ports: [{port: 80}]}
```

## Fix
Let the route set the host: `nginx.ingress.kubernetes.io/upstream-vhost`, a `URLRewrite` filter with `hostname`, or what
the controller has for it. On a cloud load balancer route to a proxy in the cluster, or to a Service without selector
whose EndpointSlice holds the addresses.

## Prove it
```sh
kubectl -n NAMESPACE get service NAME -o jsonpath='{.spec.type} {.spec.externalName}{"\\n"}'
curl -sv -o /dev/null -H 'Host: HOST' http://EXTERNAL_NAME/
```

## How sure
An error where the controller is known to take none, as are releases of Traefik that serve in ingress-nginx's place (3.5 to
3.6.14, and 3.7.0-rc.1) where the Service does not list the port. Else a warning: the outside server may well know the client's host.
A note where nothing says which controller serves the
route. Silent for names inside the cluster (`web.shop.svc.cluster.local`), for addresses, for a route whose host is the
name itself, where a filter sets the host or does what only its controller knows, and for anything but HTTP.

## References
- https://kubernetes.io/docs/concepts/services-networking/service/#externalname
- https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#custom-nginx-upstream-vhost
- https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/3505
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.core import Service
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.filters import ExtensionFilter, HeaderModifier, URLRewrite
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.traffic import AppProtocol
from ingress_lint.routes.way import way
from ingress_lint.rule import Cause, Rule
from ingress_lint.values.numbers import whole

_BY_HOST: Final = frozenset({AppProtocol.HTTP, AppProtocol.HTTPS, AppProtocol.HTTP2, AppProtocol.H2C})
_IN_CLUSTER: Final = (".svc", ".local", ".internal")


class ExternalNameBackend(Rule):
    """A backend that is only a name in DNS."""

    code: ClassVar[str] = "IL406"
    name: ClassVar[str] = "external-name-backend"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "an ExternalName backend that the controller does not take, or that gets the client's host"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the outside server is asked for the client's host, which it does not know",
            often=("404", "421"),
            sometimes=("403",),
        ),
        Cause(
            "the controller works with endpoints, and an ExternalName Service has none",
            often=("no-endpoints", "no-healthy-upstream"),
            sometimes=("502", "503", "name-not-resolved"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"backends"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Looks at each backend of type ExternalName."""
        for backend in route.backends:
            service = backend.service.object
            if service is None or service.body.spec.type != "ExternalName" or backend.refusal:
                continue
            if route.external_names_refused:
                yield self._refused(route, backend, service)
            elif backend.protocol.value in _BY_HOST and not _sets_host(route, backend):
                yield from self._foreign_host(route, backend, service)

    def _refused(self, route: Route, backend: BackendRef, service: KubernetesObject[Service]) -> Finding:
        return self.finding(
            backend.place,
            f"Service `{service.name}` is of type ExternalName and {route.external_names_refused}",
            severity=Severity.WARNING if route.assumed else Severity.ERROR,
            related=[Related("the Service is of type ExternalName", service.at("spec", "type"))],
            path=way(route, backend, Hop.SERVICE),
            fix=backend.remedies.external_name
            or "route to a proxy in the cluster, or to a Service without selector whose EndpointSlice has the addresses",
        )

    def _foreign_host(self, route: Route, backend: BackendRef, service: KubernetesObject[Service]) -> Iterator[Finding]:
        name = (service.body.spec.external_name or "").rstrip(".").lower()
        hosts = [host.value for host in route.hostnames]
        if not _outside(name) or name in hosts:
            return
        asked = f"Host `{hosts[0]}`" if hosts else "whatever Host the client asks for"
        yield self.finding(
            backend.place,
            f"{route.gateway} asks `{name}`, where Service `{service.name}` leads, for {asked}; unless the server there "
            "knows that host, clients get its 404, 403 or 421",
            severity=Severity.NOTE if route.assumed else None,
            related=[Related("the Service leads out of the cluster", service.at("spec", "externalName"))],
            path=way(route, backend, Hop.SERVICE),
            fix=f"let the route set the Host header to `{name}`",
        )


def _sets_host(route: Route, backend: BackendRef) -> bool:
    """Whether a filter sets the host, or may."""
    return any(
        isinstance(step, ExtensionFilter)
        or (isinstance(step, URLRewrite) and step.host is not None)
        or (
            isinstance(step, HeaderModifier)
            and not step.of_response
            and any(name.lower() == "host" for name, _ in (*step.set, *step.add))
        )
        for step in (*route.filters, *backend.filters)
    )


def _outside(name: str) -> bool:
    """Whether it is the name of a server elsewhere: neither an address nor one that only this cluster knows."""
    last = name.rpartition(".")[2]
    return "." in name and whole(last) is None and not name.endswith(_IN_CLUSTER) and ".svc." not in name
