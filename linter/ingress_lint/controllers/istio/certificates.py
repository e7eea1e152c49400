"""The Secrets that servers name by `credentialName`: they lie where the gateway's pods run, not beside the Gateway.

istio/istio:pilot/pkg/model/credentials/resource.go, ParseResourceName.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.group_kind import SECRET
from ingress_lint.objects.istio import ServerTLSSettings
from ingress_lint.routes.listeners import CertificateRef, ClientValidation

_SCHEMES: Final = {"kubernetes": "Secret", "kubernetes-gateway": "Secret", "configmap": "ConfigMap"}
_AUTHORITY_SUFFIX: Final = "-cacert"
_AUTHORITY_KEYS: Final = frozenset({"ca.crt", "cacert"})


def certificates(tls: ServerTLSSettings, place: Place, namespaces: frozenset[str]) -> tuple[CertificateRef, ...]:
    """The Secrets with a server's certificates; `namespaces` are those of the gateway's pods, none if unknown."""
    return tuple(_references(tls, place, namespaces))


def _references(tls: ServerTLSSettings, place: Place, namespaces: frozenset[str]) -> Iterator[CertificateRef]:
    if tls.credential_names:
        for index, name in enumerate(tls.credential_names):
            yield _reference(name, place.at("credentialNames", index), namespaces)
    elif tls.credential_name:
        yield _reference(tls.credential_name, place.at("credentialName"), namespaces)


def _reference(written: str, place: Place, namespaces: frozenset[str]) -> CertificateRef:
    scheme, found, rest = written.partition("://")
    kind = _SCHEMES.get(scheme, scheme) if found else "Secret"
    space, slash, name = (rest if found else written).rpartition("/")
    if not slash:
        space = next(iter(namespaces)) if len(namespaces) == 1 else ""
    return CertificateRef(kind, space, name, place)


def client_validation(
    graph: ObjectGraph, tls: ServerTLSSettings, place: Place, namespaces: frozenset[str], *, required: bool
) -> ClientValidation:
    """How client certificates are checked: by `ca.crt` of the same Secret, else by the Secret with suffix -cacert."""
    usable = True
    if tls.mode != "ISTIO_MUTUAL" and not tls.ca_certificates and not tls.ca_cert_credential_name:
        for reference in certificates(tls, place, namespaces):
            secret = graph.secret(reference.namespace, reference.name)
            if secret is not None and not _AUTHORITY_KEYS & {*secret.body.data, *secret.body.string_data}:
                other = graph.resolve(SECRET, reference.namespace, reference.name + _AUTHORITY_SUFFIX)
                usable = not other.missing
    return ClientValidation(place.at("mode"), required, usable)
