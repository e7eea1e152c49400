"""Certificates that pods show to a proxy which looks at them: whether it takes them."""

from __future__ import annotations

from msgspec import Struct

from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.facts.evidence.settings import Setting
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.objects.core import Secret
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.routes.model import BackendRef, BackendTLS, Endpoint
from ingress_lint.routes.tls_secrets import CERTIFICATE, TLSSecrets, is_filled_in, place_of, text_of
from ingress_lint.routes.x509 import Certificate, certificates_in, covers


class RefusedCertificate(Struct, frozen=True):
    """A certificate that a proxy does not take from a pod. `why` names the backend and what is wrong with the two sides."""

    why: str
    setting: Setting
    """What tells the container to show it."""
    place: Place
    """Where the certificate stands."""


def refused_certificate(backend: BackendRef, graph: ObjectGraph) -> RefusedCertificate | None:
    """The certificate that the pods show and the proxy refuses by its names or its dates.

    None also where either side is unknown: which certificate that is, what it holds, which names are asked for. Which
    authority signed it is not looked at.
    """
    tls = backend.tls
    if tls is None or not backend.protocol.value.over_tls or len(backend.endpoints) != 1:
        return None
    served = _served(backend.endpoints[0], graph)
    if served is None:
        return None
    secret, setting = served
    certificate = _read(secret)
    if certificate is None:
        return None
    fault = certificate.invalidity(graph.context.now) or _misnamed(certificate, tls)
    if fault is None:
        return None
    why = f"{backend}, whose certificate in Secret `{secret.name}` {fault}"
    return RefusedCertificate(why, setting, place_of(secret, CERTIFICATE))


def _served(endpoint: Endpoint, graph: ObjectGraph) -> tuple[KubernetesObject[Secret], Setting] | None:
    """The Secret of the set that the pod takes its certificate from, as far as its settings name it."""
    containers = (endpoint.container,) if endpoint.container else endpoint.workload.containers
    found = [
        served
        for container in containers
        if (served := listening_evidence(graph).of(container).served_secret) is not None
    ]
    if len(found) != 1:
        return None
    name, setting = found[0]
    owner = endpoint.workload.object
    secret = graph.secret(owner.namespace, name)
    if secret is None or is_filled_in(secret) or TLSSecrets(graph).maker(owner.namespace, name) is not None:
        return None
    return secret, setting


def _read(secret: KubernetesObject[Secret]) -> Certificate | None:
    try:
        return certificates_in(text_of(secret, CERTIFICATE) or "")[0]
    except ValueError:
        return None


def _misnamed(certificate: Certificate, tls: BackendTLS) -> str | None:
    wanted = tls.alternatives or (tls.hostname.value,)
    names = certificate.names or ((certificate.common_name,) if not certificate.uris else ())
    if any(name == "*" or covers(name, host) for name in names for host in wanted) or set(certificate.uris) & {*wanted}:
        return None
    held = ", ".join(f"`{name}`" for name in (*names, *certificate.uris) if name)
    return f"is for {held or 'no name at all'}, and {tls.policy} asks for {' or '.join(f'`{name}`' for name in wanted)}"
