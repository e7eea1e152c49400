"""## What it does
Compares what a load balancer puts before each connection, a PROXY protocol header or nothing, with what the ingress
controller behind it waits for.

## What you see
With a header that nobody asked for: 400 for every plain request, and TLS handshakes that fail ("first record does not
look like a TLS handshake"). Without one that is waited for: connections that are reset or hang, and "broken header while
reading PROXY protocol" in the controller's log.

## Why it breaks
The PROXY protocol is agreed on nowhere on the wire: the receiver must be told to expect the header, for all connections
of a port. One that is not told takes it for the start of the request; one that is told takes the request for the header.

## Example
Bad: the load balancer sends the header, ingress-nginx does not expect it:
```yaml
apiVersion: v1
kind: Service
metadata:
  name: ingress-nginx-controller
  namespace: ingress-nginx
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-proxy-protocol: "*"
spec:
  type: LoadBalancer
  selector: {app.kubernetes.io/name: ingress-nginx}
  ports: [{name: http, port: 80, targetPort: 80}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
data: {use-forwarded-headers: "false"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
spec:
  selector: {matchLabels: {app.kubernetes.io/name: ingress-nginx}}
  template:
    metadata: {labels: {app.kubernetes.io/name: ingress-nginx}}
    spec:
      containers:
        - name: controller
          image: registry.k8s.io/ingress-nginx/controller:v1.12.1
          args: [/nginx-ingress-controller, --configmap=$(POD_NAMESPACE)/ingress-nginx-controller]
          ports: [{containerPort: 80}]
```
Good: both sides agree:
```yaml
apiVersion: v1
kind: Service
metadata:
  name: ingress-nginx-controller
  namespace: ingress-nginx
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-proxy-protocol: "*"
spec:
  type: LoadBalancer
  selector: {app.kubernetes.io/name: ingress-nginx}
  ports: [{name: http, port: 80, targetPort: 80}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
data: {use-proxy-protocol: "true"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
spec:
  selector: {matchLabels: {app.kubernetes.io/name: ingress-nginx}}
  template:
    metadata: {labels: {app.kubernetes.io/name: ingress-nginx}}
    spec:
      containers:
        - name: controller
          image: registry.k8s.io/ingress-nginx/controller:v1.12.1
          args: [/nginx-ingress-controller, --configmap=$(POD_NAMESPACE)/ingress-nginx-controller]
          ports: [{containerPort: 80}]
```

## Fix
Turn it on at both ends, or at neither. A load balancer that speaks HTTP itself (an ALB, for one) never sends the header;
let the controller trust its X-Forwarded-For instead.

## Prove it
```sh
kubectl logs -n NAMESPACE deploy/CONTROLLER | grep -i 'proxy protocol'
curl -sv --haproxy-protocol http://NODE:NODEPORT/   # with the header
curl -sv http://NODE:NODEPORT/                      # without it
```

## How sure
Both ends must be in the set: the Service with its cloud's annotations, the controller's pods and its settings. Silent
where either is not, where annotations of several clouds leave open whose the load balancer is, and where the controller
takes the header from some addresses only. What counts are the annotations of the cloud that serves the Service, by its
`loadBalancerClass` first. A warning where it depends on who serves it: `aws-load-balancer-type: nlb` without a class is
the AWS cloud provider's, which does not read `aws-load-balancer-proxy-protocol` for an NLB, unless the AWS Load Balancer
Controller's webhook gives the Service its class; and where the controller is told to wait for the header and clients come
by the NodePorts of its Service alone, as a load balancer that nobody wrote down may send it. Verified against the sources of the controllers: AWS, Azure,
DigitalOcean, Google, Oracle, Hetzner, Scaleway, Linode, OpenStack, OVHcloud, Vultr, Exoscale, IBM, Alibaba, Civo, STACKIT.

## References
- https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
- https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/configmap/#use-proxy-protocol
- https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html#proxy-protocol
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.routes.listeners import ProxyPort
from ingress_lint.routes.model import BackendRef, Route
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.way import way, way_in
from ingress_lint.rule import Cause, Rule


class ProxyProtocolMismatch(Rule):
    """A PROXY protocol header that is not expected, or expected and not sent."""

    code: ClassVar[str] = "IL213"
    name: ClassVar[str] = "proxy-protocol-mismatch"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "load balancer and controller disagree on the PROXY protocol"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "a PROXY protocol header arrives where none is expected",
            often=("400", "wrong-version-number"),
            sometimes=("broken-proxy-header",),
        ),
        Cause(
            "a PROXY protocol header is waited for and does not come",
            often=("broken-proxy-header", "connection-reset"),
            sometimes=("check-failed", "hang", "tls-handshake-timeout"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"proxy_port", "fronts"})

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Compares what is sent to each proxy with what it waits for."""
        for backend in route.backends:
            proxy, sent = backend.proxy_port, backend.proxy_protocol
            expected = proxy.proxy_protocol if proxy is not None else None
            if proxy is not None and sent is not None and expected is not None and sent.value is not expected.value:
                yield self._mismatch(route, backend, proxy, sent, expected)
        if all(front.backend is None and front.service.body.spec.type == "NodePort" for front in route.fronts):
            yield from self._nobody_sends(route)

    def _nobody_sends(self, route: Route) -> Iterable[Finding]:
        """Proxies that wait for a header where clients come by NodePorts alone."""
        for front in route.fronts:
            waiting = next((port for port in front.ports if port.proxy_protocol and port.proxy_protocol.value), None)
            expected = waiting.proxy_protocol if waiting is not None else None
            if waiting is not None and expected is not None and expected.explicit:
                yield self.finding(
                    expected.place,
                    f"{waiting.gateway} waits for a PROXY protocol header, and no load balancer of this set sends one: Service "
                    f"`{front.service.name}` leads to it by NodePorts; unless one in front of the nodes does, every "
                    f'connection is closed as broken ("broken header")',
                    severity=Severity.WARNING,
                    related=(Related("clients connect to the nodes", front.service.at("spec", "type")),),
                    path=way_in(route, "no PROXY protocol header"),
                    fix=f"turn the PROXY protocol of {waiting.gateway} off, or let what stands in front of the nodes send it",
                )
                return

    def _mismatch(
        self, route: Route, backend: BackendRef, proxy: ProxyPort, sent: Sourced[bool], expected: Sourced[bool]
    ) -> Finding:
        if sent.value:
            message = (
                f"{route.gateway} starts each connection to {backend.kind} `{backend.name}` with a PROXY protocol "
                f"header, which {proxy.gateway} is not told to expect ({expected.why or 'it is turned off'}): it takes "
                f"the header for the request, and clients get 400 or a failed TLS handshake"
            )
        else:
            message = (
                f"{proxy.gateway} waits for a PROXY protocol header, which {route.gateway} does not send to "
                f"{backend.kind} `{backend.name}` ({sent.why or 'it is turned off'}): every connection is closed as "
                f'broken ("broken header"), and clients get a reset or 502'
            )
        first, second = (sent, expected) if sent.explicit else (expected, sent)
        captions = {True: "the header is on here", False: "the header is off here"}
        return self.finding(
            first.place,
            message,
            severity=Severity.WARNING if sent.origin is Origin.DERIVED else None,
            related=(Related(captions[second.value], second.place),),
            path=way(route, backend, Hop.POD),
            fix=f"turn the PROXY protocol on at both {route.gateway} and {proxy.gateway}, or at neither",
        )
