"""## What it does
Finds pods that call a host of their own cluster through a load balancer which cannot send their connections back.

## What you see
Time-outs for some calls and not for others, as it depends on the node; or "broken header" in the ingress controller's
log, and connections that are reset at once. From outside the same host works.

## Why it breaks
A load balancer that keeps the client's address hands the connection of a pod back to the pod's own node, where answers
take the short way instead of the one back through the load balancer, so that they fit no connection. And where a load
balancer's address stands in the Service's status, kube-proxy answers for it on every node: packets of pods never get as
far as the load balancer, which would have put a PROXY protocol header in front of them.

## Example
Bad: the shop asks its login service through the internal NLB:
```yaml
apiVersion: v1
kind: Service
metadata:
  name: ingress-nginx-controller
  namespace: ingress-nginx
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-type: external
    service.beta.kubernetes.io/aws-load-balancer-scheme: internal
spec:
  type: LoadBalancer
  selector: {app.kubernetes.io/name: ingress-nginx}
  ports: [{name: https, port: 443, targetPort: 443}]
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
          ports: [{containerPort: 443}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: login}
spec:
  ingressClassName: nginx
  rules:
    - host: login.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: login, port: {number: 80}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - name: shop
          image: registry.example.com/shop:1.4.2
          env: [{name: OIDC_ISSUER_URL, value: "https://login.example.com/realms/shop"}]
```
Good: the NLB shows its own address:
```yaml
apiVersion: v1
kind: Service
metadata:
  name: ingress-nginx-controller
  namespace: ingress-nginx
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-type: external
    service.beta.kubernetes.io/aws-load-balancer-scheme: internal
    service.beta.kubernetes.io/aws-load-balancer-target-group-attributes: preserve_client_ip.enabled=false
spec:
  type: LoadBalancer
  selector: {app.kubernetes.io/name: ingress-nginx}
  ports: [{name: https, port: 443, targetPort: 443}]
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
          ports: [{containerPort: 443}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: login}
spec:
  ingressClassName: nginx
  rules:
    - host: login.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: login, port: {number: 80}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - name: shop
          image: registry.example.com/shop:1.4.2
          env: [{name: OIDC_ISSUER_URL, value: "https://login.example.com/realms/shop"}]
```

## Fix
Let pods call the Service by its own name, or let the cluster's DNS answer the host with the controller's cluster IP. Or
turn off `preserve_client_ip.enabled` and learn of clients by the PROXY protocol; at DigitalOcean set
`do-loadbalancer-hostname`.

## Prove it
```sh
for i in $(seq 20); do kubectl -n NAMESPACE exec POD -- curl -s -m 3 -o /dev/null -w '%{http_code}\\n' https://HOST/; done
```

## How sure
A warning where the setting is one that servers fetch by themselves (an OIDC issuer, a key set, an upstream), a note where
it may as well be handed to browsers (an API's URL). Silent for a pod's own public address, for settings about redirects,
origins and links, where the pod's hostAliases or the cluster's DNS name the host, and where any other way may lead to
the controller. `externalTrafficPolicy: Local` alone is no reason: kube-proxy mostly leads packets of pods to any pod.

## References
- https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-troubleshooting.html
- https://github.com/kubernetes/kubernetes/issues/66607
- https://github.com/kubernetes/cloud-provider-aws/issues/1160
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Final

from msgspec import Struct

from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.facts.evidence.settings import snake_case
from ingress_lint.finding import Finding, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.core import ConfigMap
from ingress_lint.routes.matching import path_matches
from ingress_lint.routes.model import Front, Route
from ingress_lint.routes.way import way_in
from ingress_lint.rule import Cause, Rule
from ingress_lint.values.patterns import deferred

_URL: Final = deferred(r"\b(?:https?|wss?|grpcs?)://([A-Za-z0-9][A-Za-z0-9.-]*)(?::[0-9]+)?(/[^\s\"'?#;,]*)?")
_NAME: Final = deferred(r"([\w.-]+)[\"']?[ \t]*[:= ][ \t]*[\"']?\Z")
_LONGEST_NAME: Final = 100
"""So far in front of a URL, separators included, the name of its setting begins."""
_FETCHED: Final = frozenset(
    {"discovery", "introspect", "introspection", "jwks", "oidc", "openid", "proxy", "upstream", "userinfo"}
)
"""Words of settings whose URL a server asks itself."""
_PERHAPS_FETCHED: Final = frozenset(
    {"api", "backend", "endpoint", "gateway", "issuer", "server", "service", "token", "webhook"}
)
_FOR_CLIENTS: Final = frozenset(
    {
        "allow",
        "allowed",
        "asset",
        "assets",
        "authorization",
        "authorize",
        "browser",
        "callback",
        "canonical",
        "cdn",
        "client",
        "cookie",
        "cors",
        "domain",
        "external",
        "frontend",
        "gatsby",
        "homepage",
        "link",
        "links",
        "login",
        "logout",
        "ng",
        "next",
        "nuxt",
        "origin",
        "origins",
        "portal",
        "public",
        "react",
        "redirect",
        "return",
        "root",
        "share",
        "signin",
        "signup",
        "site",
        "static",
        "success",
        "ui",
        "vite",
        "vue",
        "web",
    }
)
"""Words of settings whose URL is for browsers, or compared with theirs."""


class _Call(Struct, frozen=True):
    """A URL that a container is told, and by which setting."""

    name: str
    """The setting's name in snake case."""
    url: str
    host: str
    path: str
    place: Place


class LoadBalancerHairpin(Rule):
    """A pod that calls its own load balancer."""

    code: ClassVar[str] = "IL215"
    name: ClassVar[str] = "load-balancer-hairpin"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "pods call a host of their own cluster through a load balancer that cannot turn them round"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "pods call their own load balancer, which sends the packets back to where they came from",
            often=("connect-timeout",),
            sometimes=("broken-proxy-header", "connection-reset", "hang"),
        ),
    )
    fields: ClassVar[frozenset[str]] = frozenset({"fronts"})

    def check_routes(self, routes: tuple[Route, ...], graph: ObjectGraph) -> Iterable[Finding]:
        """Looks for callers of the hosts behind such load balancers."""
        hosts: defaultdict[str, list[Route]] = defaultdict(list)
        for route in routes:
            if route.fronts and route.backends and all(_turns_none_round(front) for front in route.fronts):
                for host in route.hostnames:
                    hosts[host.value.lower()].append(route)
        if not hosts:
            return
        for workload in graph.workloads:
            if workload.object.document.reported and not workload.pod.host_aliases:
                for container in workload.containers:
                    yield from self._calls(container, hosts, graph)

    def _calls(
        self, container: WorkloadContainer, hosts: Mapping[str, Sequence[Route]], graph: ObjectGraph
    ) -> Iterator[Finding]:
        seen: set[str] = set()
        for call in _calls(container, graph):
            words = set(call.name.split("_"))
            fetched = bool(words & _FETCHED)
            if call.host in seen or words & _FOR_CLIENTS or not (fetched or words & _PERHAPS_FETCHED):
                continue
            route = _answering(call, hosts.get(call.host, ()))
            if route is None or _leads_to(route, container) or _known_to_dns(call.host, graph):
                continue
            seen.add(call.host)
            yield self._finding(container, call, route, fetched=fetched)

    def _finding(self, container: WorkloadContainer, call: _Call, route: Route, *, fetched: bool) -> Finding:
        front, target = route.fronts[0], route.backends[0]
        hairpin = front.backend.hairpin if front.backend else None
        assert hairpin is not None  # noqa: S101 - asked for before
        guess = not fetched or route.assumed
        served = next(name for name in route.hostnames if name.value.lower() == call.host)
        return self.finding(
            call.place,
            f"container `{container.name}` of {container.workload} {'calls' if fetched else 'may call'} {call.url}, which leads through "
            f"{front.gateway} of Service `{front.service.name}` back into its own cluster: {hairpin.value}",
            severity=Severity.NOTE if guess else None,
            related=[
                Related(f"{route.gateway} serves the host", served.place),
                Related(hairpin.why or f"{front.gateway} is told so here", hairpin.place),
            ],
            path=way_in(route, "pods of the cluster do not get this far"),
            fix=f"call {target.name}.{target.namespace}.svc itself, or let the cluster's DNS lead the host to {route.gateway}",
        )


def _turns_none_round(front: Front) -> bool:
    return front.backend is not None and front.backend.hairpin is not None


def _calls(container: WorkloadContainer, graph: ObjectGraph) -> Iterator[_Call]:
    """The URLs in a container's settings and in the files that it mounts from ConfigMaps."""
    evidence = listening_evidence(graph).of(container)
    for setting in evidence.settings:
        if "://" in setting.value and (found := _URL.match(setting.value)):
            yield _Call(setting.name, found[0], found[1].lower(), found[2] or "/", setting.place)
    for config_map, _ in evidence.config_maps:
        for key, text in config_map.body.data.items():
            if isinstance(text, str) and "://" in text:
                for found in _URL.finditer(text):
                    name = _NAME.search(text[max(0, found.start() - _LONGEST_NAME) : found.start()])
                    if name is not None:
                        place = config_map.at("data", str(key)).inside(found[0])
                        yield _Call(snake_case(name[1]), found[0], found[1].lower(), found[2] or "/", place)


def _answering(call: _Call, routes: Sequence[Route]) -> Route | None:
    """The route that a call would take; of several the one with the longest path."""
    fitting = [
        (len(match.path.value.value), -position, route)
        for position, route in enumerate(routes)
        for match in route.matches
        if path_matches(match.path.value, call.path)
    ]
    return max(fitting, key=lambda found: found[:2])[2] if fitting else None


def _leads_to(route: Route, container: WorkloadContainer) -> bool:
    """Whether a route leads to the pods of the container itself, whose public address it then is."""
    return any(endpoint.workload is container.workload for backend in route.backends for endpoint in backend.endpoints)


def _known_to_dns(host: str, graph: ObjectGraph) -> bool:
    """Whether the configuration of the cluster's DNS names a host."""
    return any(
        host in str(text)
        for item in graph.of(ConfigMap)
        if item.name.startswith(("coredns", "kube-dns"))
        for text in item.body.data.values()
    )
