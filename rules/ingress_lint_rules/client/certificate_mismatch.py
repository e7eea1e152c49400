"""## What it does
Reads the certificates that the set holds: whether they are valid today, match their keys, and name the hosts served.

## What you see
Browsers say ERR_CERT_DATE_INVALID or ERR_CERT_COMMON_NAME_INVALID, other clients "certificate has expired" or "x509:
certificate is valid for ..., not ...". With the wrong key the controller refuses the pair and shows its own certificate,
or does not open the listener.

## Why it breaks
A Secret that is kept in a repository is renewed by hand, certificate and key apart. A wildcard in a certificate stands
for one label: `*.example.com` covers `shop.example.com`, and neither `example.com` nor `eu.shop.example.com`. Clients
have not looked at the common name for years.

## Example
Bad:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  tls:
    - {hosts: [shop.example.com], secretName: shop-tls}
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}
---
apiVersion: v1
kind: Secret
metadata: {name: shop-tls}
type: kubernetes.io/tls
stringData:
  tls.crt: |
    -----BEGIN CERTIFICATE-----
    MIIBSTCB8KADAgECAhQ0cII5ZiEcO/BPiHF2MxmwhPkgMTAKBggqhkjOPQQDAjAW
    MRQwEgYDVQQDDAtleGFtcGxlLmNvbTAgFw0yNDAxMDEwMDAwMDBaGA8yMTI0MDEw
    MTAwMDAwMFowFjEUMBIGA1UEAwwLZXhhbXBsZS5jb20wWTATBgcqhkjOPQIBBggq
    hkjOPQMBBwNCAATLw5o8KggqVumJz5t9nNf7dg5LXS0+568osb8opYRNJLgdRboz
    ex7xGo0vddT06s6NUd9Y3CFYeRfYeYM35/ozoxowGDAWBgNVHREEDzANggtleGFt
    cGxlLmNvbTAKBggqhkjOPQQDAgNIADBFAiAI5HEszsbVmnT55o1BAFn1cVZCZXdp
    Z2OO1NM6+mRiFQIhAN1cOgiNFdpa8H4s7Kdr8KqfHvxviyGAYhK+qpPc2B64
    -----END CERTIFICATE-----
  tls.key: |
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgD21BLmK7mmKxPZe8
    Js/VLf9s6WFCqwr+lcNm32cInzGhRANCAATLw5o8KggqVumJz5t9nNf7dg5LXS0+
    568osb8opYRNJLgdRbozex7xGo0vddT06s6NUd9Y3CFYeRfYeYM35/oz
    -----END PRIVATE KEY-----
```
Good:
```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  tls:
    - {hosts: [shop.example.com], secretName: shop-tls}
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}
---
apiVersion: v1
kind: Secret
metadata: {name: shop-tls}
type: kubernetes.io/tls
stringData:
  tls.crt: |
    -----BEGIN CERTIFICATE-----
    MIIBWDCB/6ADAgECAhQ2sWMh4I0yV9iyynL9BVP/iRNXUzAKBggqhkjOPQQDAjAW
    MRQwEgYDVQQDDAtleGFtcGxlLmNvbTAgFw0yNDAxMDEwMDAwMDBaGA8yMTI0MDEw
    MTAwMDAwMFowFjEUMBIGA1UEAwwLZXhhbXBsZS5jb20wWTATBgcqhkjOPQIBBggq
    hkjOPQMBBwNCAARt2TSl3PF0+eRDw01rR/YY88sXFtzgoiXoWzRPWHHI5zpDoEgM
    pgNRgrkVLIm2ydiKB/sJLcoYkkUtQ7dfEqbhoykwJzAlBgNVHREEHjAcggtleGFt
    cGxlLmNvbYINKi5leGFtcGxlLmNvbTAKBggqhkjOPQQDAgNIADBFAiEAgQhlmMtE
    IXCMQpRMN5B0930V0m/SH+pTtYMlKVxwo2YCIBKFgiL0hie9/W/tk3UxvOE9uo+B
    lpvR+9FBuJBv0WIQ
    -----END CERTIFICATE-----
  tls.key: |
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgG6Ju/BgIpOaCds4z
    WvI2fkOBmsQXGuGJ376hH36WwuOhRANCAARt2TSl3PF0+eRDw01rR/YY88sXFtzg
    oiXoWzRPWHHI5zpDoEgMpgNRgrkVLIm2ydiKB/sJLcoYkkUtQ7dfEqbh
    -----END PRIVATE KEY-----
```

## Fix
Put a renewed certificate with all hosts, its chain behind it, and the key that it was made for into the Secret; better,
let cert-manager make it.

## Prove it
```sh
kubectl -n NAMESPACE get secret SECRET -o jsonpath='{.data.tls\\.crt}' | base64 -d | openssl x509 -noout -dates -ext subjectAltName
openssl s_client -connect HOST:443 -servername HOST </dev/null | openssl x509 -noout -dates -subject
```

## How sure
An error where clients meet the certificate: it is read itself. A warning for the certificate of a pod that a proxy
checks, as only the container's settings say which one that is. Hosts are compared where every certificate of the
listener is in the set; which authority signed it is not looked at. Silent for Secrets that something else fills, for
encrypted values and placeholders.

## References
- https://kubernetes.io/docs/concepts/services-networking/ingress/#tls
- https://www.rfc-editor.org/rfc/rfc9525
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import ClassVar, Final

from msgspec import Struct

from ingress_lint.finding import Finding, Hop, Related, Severity
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Secret
from ingress_lint.objects.group_kind import SECRET
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes import hostnames
from ingress_lint.routes.listeners import CertificateRef, Listener
from ingress_lint.routes.model import Route
from ingress_lint.routes.served_certificates import refused_certificate
from ingress_lint.routes.sourced import Sourced
from ingress_lint.routes.tls_secrets import CERTIFICATE, KEY, TLSSecrets, content_fault, is_filled_in, place_of, text_of
from ingress_lint.routes.way import way, way_in
from ingress_lint.routes.x509 import Certificate, UnknownKindError, certificates_in, covers, public_key_of
from ingress_lint.rule import Cause, Rule

_UNUSABLE: Final = "the controller shows its own certificate or none, and clients refuse the connection"
_ORDINALS: Final = {2: "second", 3: "third", 4: "fourth"}


class _Pair(Struct, frozen=True):
    """A certificate of the set, its own one first in `chain`, and the public half of its key as far as it is known."""

    secret: KubernetesObject[Secret]
    chain: tuple[Certificate, ...]
    key: bytes | None
    faults: tuple[str, ...] = ()
    consequence: str = _UNUSABLE

    @property
    def own(self) -> Certificate:
        """The certificate that goes with the key, which should be the first."""
        return next((item for item in self.chain if item.public_key == self.key), self.chain[0])

    @property
    def place(self) -> Place:
        """Where the certificate stands."""
        return place_of(self.secret, CERTIFICATE)


class CertificateMismatch(Rule):
    """A certificate that clients or its own key do not fit."""

    code: ClassVar[str] = "IL106"
    name: ClassVar[str] = "certificate-mismatch"
    severity: ClassVar[Severity] = Severity.ERROR
    summary: ClassVar[str] = "a certificate is not valid today, does not match its key, or does not name the host"
    symptoms: ClassVar[tuple[Cause, ...]] = (
        Cause(
            "the certificate is out of date, is for other names, or does not fit its key",
            often=("wrong-certificate",),
            sometimes=("connection-reset",),
        ),
    )
    needs: ClassVar[frozenset[tuple[str, str]]] = frozenset({SECRET})

    def check_routes(self, routes: tuple[Route, ...], graph: ObjectGraph) -> Iterable[Finding]:
        """Reads each certificate once, and compares it with the hosts of every route behind it."""
        reader = _Reader(graph)
        reported: set[Place] = set()
        for route in routes:
            for listener in route.listeners:
                if listener.tls is None or listener.tls.mode.value == "Passthrough":
                    continue
                references = listener.tls.certificates
                pairs = [reader.pair(route, reference) for reference in references]
                for reference, pair in zip(references, pairs, strict=True):
                    if pair is not None and pair.faults and reference.place not in reported:
                        reported.add(reference.place)
                        yield self._faulty(route, reference, pair)
                yield from self._uncovered(route, listener, list(zip(references, pairs, strict=True)), reported)

    def check_route(self, route: Route, graph: ObjectGraph) -> Iterable[Finding]:
        """Compares the certificate of the pods with what a proxy asks of it that opens TLS to them."""
        for backend in route.backends:
            refused = refused_certificate(backend, graph) if backend.tls is not None else None
            if refused is not None and backend.tls is not None:
                yield self.finding(
                    backend.tls.hostname.place,
                    f"{route.gateway} opens TLS to {refused.why}; every connection to the pods fails and clients get 503 "
                    f"or 502, unless the pods show another certificate than {refused.setting} says",
                    severity=Severity.WARNING,
                    related=[
                        Related(f"the pods are told to show it by {refused.setting}", refused.setting.place),
                        Related("the certificate", refused.place),
                    ],
                    path=way(route, backend, Hop.POD),
                    fix="ask for a name that the certificate holds, or get a certificate for the name",
                )

    def _faulty(self, route: Route, reference: CertificateRef, pair: _Pair) -> Finding:
        return self.finding(
            reference.place,
            f"the certificate in Secret `{reference.name}`, which {route.owner.kind} `{route.owner.name}` shows to clients, "
            f"{' and '.join(pair.faults)}; {pair.consequence}",
            related=[Related(f"Secret `{reference.name}`", pair.place)],
            path=way_in(route, "its certificate is of no use"),
            fix="put a valid certificate and the key that it was made for into the Secret",
        )

    def _uncovered(
        self,
        route: Route,
        listener: Listener,
        certificates: list[tuple[CertificateRef, _Pair | None]],
        reported: set[Place],
    ) -> Iterator[Finding]:
        for host in _hosts(route, listener):
            meant = [(reference, pair) for reference, pair in certificates if _meant_for(reference, host.value)]
            pairs = [pair for _, pair in meant if pair is not None and pair.chain]
            names = [name for pair in pairs for name in pair.own.names]
            readable = bool(pairs) and len(pairs) == len(meant)
            if not readable or host.place in reported or any(_fits(name, host.value) for name in names):
                continue
            reported.add(host.place)
            yield self._other_host(route, host, meant[0][0], pairs, names)

    def _other_host(
        self, route: Route, host: Sourced[str], reference: CertificateRef, pairs: list[_Pair], names: list[str]
    ) -> Finding:
        common = [pair.own.common_name for pair in pairs if covers(pair.own.common_name, host.value)]
        if common:
            holds = f"names `{common[0]}` only as its common name, which clients do not look at"
        else:
            holds = f"is for {_listed(names)}" if names else "names no host"
        return self.finding(
            host.place,
            f"{route.owner.kind} `{route.owner.name}` serves `{host.value}`, and the certificate in Secret "
            f"`{reference.name}` {holds}; clients refuse the connection, as it may be somebody else's",
            related=[
                Related("the certificate is named here", reference.place),
                *(Related(f"Secret `{pair.secret.name}`", pair.place) for pair in pairs),
            ],
            path=way_in(route, f"its certificate is not for {host.value}"),
            fix=f"get a certificate whose subject alternative names hold `{host.value}`",
        )


class _Reader:
    """The certificates of one graph, each read once."""

    def __init__(self, graph: ObjectGraph) -> None:
        self._graph = graph
        self._secrets = TLSSecrets(graph)
        self._pairs: dict[KubernetesObject[Secret], _Pair | None] = {}

    def pair(self, route: Route, reference: CertificateRef) -> _Pair | None:
        """What a reference leads to; None where that is not in the set, made later, or no certificate at all."""
        if reference.kind != "Secret":
            return None
        secret = self._graph.secret(reference.namespace, reference.name)
        if secret is None or self._secrets.made_later(route.owner, reference.namespace, reference.name):
            return None
        if secret not in self._pairs:
            self._pairs[secret] = _read(secret, self._graph.context.now)
        return self._pairs[secret]


def _read(secret: KubernetesObject[Secret], now: datetime) -> _Pair | None:
    certificate, key = text_of(secret, CERTIFICATE), text_of(secret, KEY)
    if not certificate or not key or is_filled_in(secret) or content_fault(secret) is not None:
        return None
    try:
        chain = certificates_in(certificate)
    except UnknownKindError:
        return None
    except ValueError:
        return _Pair(secret, (), None, ("cannot be read",))
    invalid = chain[0].invalidity(now)
    validity = (invalid,) if invalid else ()
    try:
        public_key = public_key_of(key)
    except UnknownKindError:
        return _Pair(secret, chain, None, validity, "clients refuse the connection")
    except ValueError:
        return _Pair(secret, chain, None, (*validity, "has a key that cannot be read"))
    unfit = _unfit(chain, public_key)
    consequence = _UNUSABLE if unfit else "clients refuse the connection"
    return _Pair(secret, chain, public_key, (*validity, *unfit), consequence)


def _unfit(chain: tuple[Certificate, ...], public_key: bytes | None) -> tuple[str, ...]:
    """Why a controller cannot use the certificate with its key."""
    if public_key is None:
        return ("has a key that asks for a pass phrase",)
    if chain[0].public_key in (public_key, None):
        return ()
    behind = [number for number, item in enumerate(chain, 1) if item.public_key == public_key]
    if behind:
        return (f"comes {_ORDINALS.get(behind[0], 'late')} in its chain and not first",)
    return ("was made for another key than the one beside it",)


def _hosts(route: Route, listener: Listener) -> Iterator[Sourced[str]]:
    """The hosts that clients of a listener ask for on this route."""
    if not route.hostnames:
        if listener.hostname is not None:
            yield listener.hostname
        return
    for host in route.hostnames:
        if hostnames.is_expression(host.value):
            continue
        common = hostnames.intersection(host.value, listener.hostname.value if listener.hostname else hostnames.ANY)
        if common == host.value:
            yield host
        elif common is not None and listener.hostname is not None:
            yield listener.hostname


def _meant_for(reference: CertificateRef, host: str) -> bool:
    """Whether a listener shows a certificate to clients of a host."""
    meant = [item.value for item in reference.hosts]
    return not meant or any(hostnames.intersection(item, host) is not None for item in meant)


def _fits(name: str, host: str) -> bool:
    """Whether a certificate's name is good for a host, or for a part of the hosts that a wildcard stands for."""
    if name == "*" or covers(name, host):
        return True
    return host.startswith("*") and hostnames.matches(host, name)


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:4])
    return f"{shown} and {len(names) - 4} more" if len(names) > 4 else shown
