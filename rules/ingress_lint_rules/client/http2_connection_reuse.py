"""## What it does
Finds hosts that one gateway keeps apart by TLS listener while they share a certificate, so that browsers ask for one of
them over the connection that they made for the other.

## What you see
Now and then 404 from Istio, or `421 Misdirected Request` from Contour, for a host that works in a private window, with
curl, and after the browser was restarted. Both hosts work alone.

## Why it breaks
A browser uses an HTTP/2 connection for every host that has the same address and that the connection's certificate covers.
Envoy chooses the listener's routes by the server name of the TLS handshake, which names the first host: the routes of
the second one are not there.

## Example
Bad:
```yaml
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
    - port: {number: 443, name: https-shop, protocol: HTTPS}
      hosts: [shop.example.com]
      tls: {mode: SIMPLE, credentialName: wildcard}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: blog, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
    - port: {number: 443, name: https-blog, protocol: HTTPS}
      hosts: [blog.example.com]
      tls: {mode: SIMPLE, credentialName: wildcard}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: istio-system}
spec:
  hosts: [shop.example.com]
  gateways: [shop]
  http: [{route: [{destination: {host: shop}}]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: blog, namespace: istio-system}
spec:
  hosts: [blog.example.com]
  gateways: [blog]
  http: [{route: [{destination: {host: blog}}]}]
```
Good:
```yaml
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
    - port: {number: 443, name: https, protocol: HTTPS}
      hosts: [shop.example.com, blog.example.com]
      tls: {mode: SIMPLE, credentialName: wildcard}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: istio-system}
spec:
  hosts: [shop.example.com]
  gateways: [front]
  http: [{route: [{destination: {host: shop}}]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: blog, namespace: istio-system}
spec:
  hosts: [blog.example.com]
  gateways: [front]
  http: [{route: [{destination: {host: blog}}]}]
```

## Fix
Serve all hosts of a certificate by one server or listener, give each host a certificate of its own, or turn HTTP/2 off
for clients.

## Prove it
```sh
curl -s -o /dev/null -w '%{http_code} %{num_connects}\\n' --http2 --resolve '*:443:ADDRESS' https://HOST/ --next https://OTHER/
```

## How sure
A warning: only clients that reuse connections meet it, and those that try again after a 421 get through. Only listeners
that name the same Secret count, or whose certificate is known (from the Secret, or from cert-manager's Certificate) to
cover the host of another. A note where only a listener's wildcard host tells what its certificate covers. Silent for
controllers that choose the routes by the Host header alone (nginx, Traefik, cloud load balancers), and for Envoy
Gateway, which turns HTTP/2 off where certificates overlap.

## References
- https://istio.io/latest/docs/ops/common-problems/network-issues/#404-errors-occur-when-multiple-gateways-configured-with-same-tls-certificate
- https://istio.io/latest/docs/reference/config/analysis/ist0138/
- https://github.com/projectcontour/contour/issues/5240
- https://www.rfc-editor.org/rfc/rfc9113#section-9.1.1
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, NamedTuple

from ingress_lint.finding import Finding, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.cert_manager import Certificate
from ingress_lint.routes.listeners import CertificateRef, Listener
from ingress_lint.routes.model import Route
from ingress_lint.routes.tls_secrets import CERTIFICATE, text_of
from ingress_lint.routes.way import way_in
from ingress_lint.routes.x509 import certificates_in
from ingress_lint.rule import Cause, Rule


class HTTP2ConnectionReuse(Rule):
    """Hosts whose routes are kept apart while browsers put them on one connection."""

    code: ClassVar[str] = "IL121"
    name: ClassVar[str] = "http2-connection-reuse"
    severity: ClassVar[Severity] = Severity.WARNING
    summary: ClassVar[str] = "listeners that share a certificate answer each other's hosts with 404 or 421"
    compares: ClassVar[bool] = True
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "browsers send requests for one host on the connection that they opened for another",
            often=("421",),
            sometimes=("404",),
        ),
    )

    def check_routes(self, routes: tuple[Route, ...], graph: ObjectGraph) -> Iterable[Finding]:
        """Compares the certificates that the listeners of one gateway and port show."""
        entrances: defaultdict[Hashable, dict[Hashable, _Shown]] = defaultdict(dict)
        for route in routes:
            for listener in route.listeners:
                if not listener.misdirected or not listener.usable or listener.tls is None:
                    continue
                for item in listener.tls.certificates[:1]:
                    entrance = route.controller.value, listener.gateway, listener.instance, listener.port.value
                    entrances[entrance].setdefault(listener.place or _host(listener), _Shown(route, listener, item))
        for shown in entrances.values():
            if len(shown) > 1:
                yield from self._of_entrance(list(shown.values()), graph)

    def _of_entrance(self, shown: Sequence[_Shown], graph: ObjectGraph) -> Iterator[Finding]:
        groups: defaultdict[tuple[str, str], list[_Shown]] = defaultdict(list)
        for item in shown:
            groups[item.secret].append(item)
        for group in groups.values():
            if len(group) > 1:
                yield from self._sharing(group)
        if len(groups) > 1:
            yield from self._covering(shown, groups, graph)

    def _sharing(self, group: Sequence[_Shown]) -> Iterator[Finding]:
        """Listeners that show the very same certificate."""
        first, second, *more = group
        if not second.route.owner.document.reported or _host(first.listener) == _host(second.listener):
            return
        certificate, port = second.certificate, second.listener.port.value
        others = f" (and {len(more)} more)" if more else ""
        yield self.finding(
            certificate.place,
            f"{first.route.gateway} shows certificate `{certificate.name}` on port {port} for {_host(first.listener)} and "
            f"for {_host(second.listener)}{others}, each with routes of its own; browsers use one HTTP/2 connection for "
            f"all of them, and what they ask for over another host's connection gets {second.listener.misdirected}",
            related=[
                Related(f"the same certificate for {_host(item.listener)}", item.certificate.place)
                for item in (first, *more)
            ],
            path=way_in(second.route, "the connection was made for another host"),
            fix="serve all hosts of the certificate by one listener, or give each host a certificate of its own",
        )

    def _covering(
        self, shown: Sequence[_Shown], groups: Mapping[tuple[str, str], Sequence[_Shown]], graph: ObjectGraph
    ) -> Iterator[Finding]:
        """Certificates that are good for the host of a listener which shows another one."""
        by_host: defaultdict[str, list[_Shown]] = defaultdict(list)
        by_domain: defaultdict[str, list[_Shown]] = defaultdict(list)
        for item in shown:
            if item.listener.hostname is not None and not item.listener.hostname.value.startswith("*"):
                host = item.listener.hostname.value.lower()
                by_host[host].append(item)
                by_domain[host.partition(".")[2]].append(item)
        for secret, (item, *_) in groups.items():
            known = _names(graph, secret)
            hostname = item.listener.hostname.value.lower() if item.listener.hostname else ""
            names = known or ([hostname] if hostname.startswith("*.") else [])
            covered = (
                found
                for name in names
                for found in (by_domain.get(name[2:], ()) if name.startswith("*.") else by_host.get(name, ()))
            )
            other = next((found for found in covered if found.secret != secret), None)
            if other is None or not item.route.owner.document.reported:
                continue
            why = "" if known else " (its listener's host tells)"
            yield self.finding(
                item.certificate.place,
                f"certificate `{item.certificate.name}`, which {item.route.gateway} shows for {_host(item.listener)}, "
                f"is good for {_host(other.listener)} as well{why}, which has a listener and routes of its own; browsers ask for "
                f"that over the same HTTP/2 connection, and get {item.listener.misdirected}",
                severity=self.severity if known else Severity.NOTE,
                related=[Related(f"the certificate of {_host(other.listener)}", other.certificate.place)],
                path=way_in(item.route, "the connection was made for another host"),
                fix="serve both by one listener, or leave the other host out of the certificate",
            )


class _Shown(NamedTuple):
    """A certificate, the listener that shows it, and the first route there."""

    route: Route
    listener: Listener
    certificate: CertificateRef

    @property
    def secret(self) -> tuple[str, str]:
        """The Secret that holds it."""
        return self.certificate.namespace, self.certificate.name


def _names(graph: ObjectGraph, secret: tuple[str, str]) -> list[str]:
    """The hosts that the certificate in a Secret is good for, as far as a Certificate or the Secret itself tells."""
    for item in graph.of(Certificate):
        if (item.namespace, item.body.spec.secret_name) == secret:
            return [name.lower() for name in item.body.spec.dns_names or ()]
    found = graph.secret(*secret)
    written = text_of(found, CERTIFICATE) if found is not None else None
    try:
        return [name.lower() for name in certificates_in(written)[0].names] if written else []
    except ValueError:
        return []


def _host(listener: Listener) -> str:
    return f"`{listener.hostname.value}`" if listener.hostname else "any host"
