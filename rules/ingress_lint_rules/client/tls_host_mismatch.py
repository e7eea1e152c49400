"""## What it does
Checks that the hosts of an Ingress's TLS blocks and those of its rules fit together.

## What you see
The browser warns of a certificate for another name (`Kubernetes Ingress Controller Fake Certificate`,
`TRAEFIK DEFAULT CERT`), or there is nothing on port 443 for the host.

## Why it breaks
A TLS block gives its certificate to the hosts it lists. A host that is in no block gets the controller's own
certificate. A wildcard stands for one label: `*.example.com` covers `shop.example.com`, neither `example.com` nor
`a.shop.example.com`.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations: {cert-manager.io/cluster-issuer: letsencrypt}
spec:
  ingressClassName: nginx
  tls:
    - {hosts: [www.example.com], secretName: shop-tls}
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations: {cert-manager.io/cluster-issuer: letsencrypt}
spec:
  ingressClassName: nginx
  tls:
    - {hosts: [shop.example.com], secretName: shop-tls}
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}
```

## Fix
List every host of the rules in a TLS block, spelt alike.

## Prove it
```sh
openssl s_client -connect ADDRESS:443 -servername HOST </dev/null | openssl x509 -noout -subject -ext subjectAltName
```

## How sure
An error where the certificate is in the set and does not cover the host, where an issuer makes it for the listed hosts
alone, or where nothing of the set serves any listed host. Otherwise a warning: the Secret's certificate may cover more
hosts than are listed, and most controllers go by that. A warning for a block whose hosts nobody serves beside rules
whose hosts have another. Silent where a block lists no hosts, and where the load balancer has a certificate from
elsewhere.

## References
- https://kubernetes.io/docs/concepts/services-networking/ingress/#tls
- https://kubernetes.github.io/ingress-nginx/user-guide/tls/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import ClassVar

from ingress_lint.finding import Finding, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.objects.cert_manager import Certificate
from ingress_lint.objects.group_kind import INGRESSES
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.objects.networking import Ingress, IngressRule, IngressTLS, LegacyIngress, LegacyIngressRule
from ingress_lint.routes import hostnames
from ingress_lint.routes.model import Route
from ingress_lint.routes.tls_secrets import CERTIFICATE, TLSSecrets, is_filled_in, text_of
from ingress_lint.routes.way import way_in
from ingress_lint.rule import Cause, Rule
from ingress_lint.values.spelling import close_matches

IngressObject = KubernetesObject[Ingress | LegacyIngress]


class TLSHostMismatch(Rule):
    """A host without its certificate, or a certificate without its host."""

    code: ClassVar[str] = "IL104"
    name: ClassVar[str] = "tls-host-mismatch"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "the hosts of TLS blocks and of rules do not fit together"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the host is in no TLS block, so the controller shows its own certificate",
            often=("wrong-certificate",),
            sometimes=("connection-refused",),
        ),
    )
    needs: ClassVar[frozenset[tuple[str, str]]] = INGRESSES

    def check_routes(self, routes: tuple[Route, ...], graph: ObjectGraph) -> Iterable[Finding]:
        """Compares the two in each Ingress that has both."""
        concerned = [item for item in graph.ingresses if item.body.spec.tls and item.document.reported]
        if not concerned:
            return
        by_owner: defaultdict[AnyObject, list[Route]] = defaultdict(list)
        everywhere: set[str] = set()
        for route in routes:
            by_owner[route.owner].append(route)
            everywhere.update(hostname.value.lower() for hostname in route.hostnames)
        secrets = TLSSecrets(graph)
        for item in concerned:
            own = by_owner[item]
            blocks = item.body.spec.tls
            if own and all(block.hosts for block in blocks) and not _certified_elsewhere(own):
                yield from self._compare(item, own, blocks, everywhere, secrets, graph)

    def _compare(
        self,
        item: IngressObject,
        routes: Sequence[Route],
        blocks: Sequence[IngressTLS],
        everywhere: set[str],
        secrets: TLSSecrets,
        graph: ObjectGraph,
    ) -> Iterator[Finding]:
        rules: Sequence[IngressRule | LegacyIngressRule] = item.body.spec.rules
        served = {rule.host.lower() for rule in rules if rule.host}
        served |= {hostname.value.lower() for route in routes for hostname in route.hostnames}
        listed = [host.lower() for block in blocks for host in block.hosts]
        uncovered = [
            (index, rule.host)
            for index, rule in enumerate(rules)
            if rule.host and rule.http and not any(_covers(host, rule.host.lower()) for host in listed)
        ]
        for index, host in uncovered:
            yield from self._uncovered(item, index, host, routes, everywhere, secrets, graph)
        if any(not rule.host for rule in rules) or not served:
            return  # its rules serve any host
        for index, block in enumerate(blocks):
            idle = [host.lower() for host in block.hosts]
            if uncovered or _meet(idle, served) or _meet(idle, everywhere):
                continue  # with a host uncovered it is the same fault, told where the host is
            shown = " and ".join(f"`{host}`" for host in block.hosts)
            yield self.finding(
                item.at("spec", "tls", index, "hosts"),
                f"a TLS block of Ingress `{item.name}` is for {shown}, which no rule serves: its certificate is never "
                f"shown, and clients of {shown} get 404 with another certificate",
                severity=Severity.WARNING,
                path=way_in(routes[0], "the certificate is for another host"),
                fix="list the hosts of the rules, or add a rule for this host",
            )

    def _uncovered(
        self,
        item: IngressObject,
        index: int,
        host: str,
        routes: Sequence[Route],
        everywhere: set[str],
        secrets: TLSSecrets,
        graph: ObjectGraph,
    ) -> Iterator[Finding]:
        blocks = item.body.spec.tls
        listed = [
            (name, item.at("spec", "tls", i, "hosts", j))
            for i, b in enumerate(blocks)
            for j, name in enumerate(b.hosts)
        ]
        route = next((r for r in routes if any(h.value.lower() == host.lower() for h in r.hostnames)), routes[0])
        certain, why = False, " (unless its Secret holds a certificate for more hosts than are listed)"
        for block in blocks:
            names = _names(item, block.secret_name, secrets, graph)
            if names is not None:
                if any(_covers(name.lower(), host.lower()) for name in names):
                    return
                certain, why = True, ""
        names_listed = [name.lower() for name, _ in listed]
        if not _meet(names_listed, {host.lower()}) and not _meet(names_listed, everywhere):
            certain, why = True, ""  # the blocks serve no host at all, so that one of the two is misspelt
        close = close_matches(host, [name for name, _ in listed], 1, 0.8)
        near = next((entry for entry in listed if entry[0] in close), listed[0])
        wildcard = next((name for name, _ in listed if name.startswith("*.") and host.endswith(name[1:])), None)
        parent = next((name for name, _ in listed if name == f"*.{host}"), None)
        if wildcard:
            why = f", as `{wildcard}` covers one label only" + why
        elif parent:
            why = f", as `{parent}` covers names below `{host}` and not `{host}` itself" + why
        severity = self.severity if certain and not route.assumed else Severity.WARNING
        yield self.finding(
            item.at("spec", "rules", index, "host"),
            f"host `{host}` of Ingress `{item.name}` is in no TLS block, the nearest is for `{near[0]}`{why}; clients of "
            f"https://{host} are shown another certificate, and browsers refuse it",
            severity=severity,
            related=(Related(f"the TLS block lists `{near[0]}`", near[1]),),
            path=way_in(route, "no certificate for this host"),
            fix=f"add `{host}` to the `hosts` of a TLS block",
        )


def _covers(listed: str, host: str) -> bool:
    """Whether a name of a certificate or TLS block stands for a host; a wildcard does for one label."""
    return hostnames.matches(listed, host) and hostnames.same_depth(listed, host)


def _meet(names: Sequence[str], hosts: Set[str]) -> bool:
    """Whether some host is meant both by one of `names` and by one of `hosts`; nearly always they are the same word."""
    if not hosts.isdisjoint(names):
        return True
    return any(hostnames.intersection(one, other) is not None for one in names for other in hosts)


def _certified_elsewhere(routes: Sequence[Route]) -> bool:
    """Whether listeners have certificates that the TLS blocks do not name."""
    certificates = (
        certificate
        for route in routes
        for listener in route.listeners
        if listener.tls is not None
        for certificate in listener.tls.certificates
    )
    return any(certificate.kind != "Secret" or "tls" not in certificate.place.pointer for certificate in certificates)


def _names(item: IngressObject, secret_name: str | None, secrets: TLSSecrets, graph: ObjectGraph) -> list[str] | None:
    """The hosts of a block's certificate beyond those that the block lists; None where they are unknown."""
    if not secret_name:
        return None
    maker = secrets.maker(item.namespace, secret_name)
    if maker is not None:
        names = maker.body.spec.dns_names if isinstance(maker.body, Certificate) else None
        return None if names is None else list(names)
    if secrets.made_later(item, item.namespace, secret_name):
        return []  # an issuer makes it for the hosts of the block
    secret = graph.secret(item.namespace, secret_name)
    text = text_of(secret, CERTIFICATE) if secret is not None and not is_filled_in(secret) else None
    if not text or "BEGIN CERTIFICATE" not in text:
        return None
    from ingress_lint.routes.x509 import certificates_in

    try:
        chain = certificates_in(text)
    except ValueError:
        return None
    return list(chain[0].names) if chain else None
