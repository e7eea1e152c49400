"""What is wrong with the Secrets that Ingresses and the controllers' own objects name for TLS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Place
from ingress_lint.routes.listeners import CertificateRef, Listener
from ingress_lint.routes.model import Route
from ingress_lint.routes.tls_secrets import TLSSecrets
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict

_WEAKER = {Certainty.KNOWN: Certainty.LIKELY, Certainty.LIKELY: Certainty.UNKNOWN, Certainty.UNKNOWN: Certainty.UNKNOWN}


def certificate_verdicts(graph: ObjectGraph, routes: Iterable[Route]) -> Iterator[Verdict]:
    """One verdict for each place that names a Secret of no use."""
    secrets = TLSSecrets(graph)
    seen: set[Place] = set()
    for route in routes:
        for listener in route.listeners:
            tls = listener.tls
            if tls is None or tls.mode.value == "Passthrough":
                continue
            for certificate in tls.certificates:
                if certificate.kind != "Secret" or not certificate.namespace or certificate.place in seen:
                    continue
                seen.add(certificate.place)
                verdict = _verdict(secrets, route, listener, certificate)
                if verdict is not None:
                    yield verdict


def _verdict(secrets: TLSSecrets, route: Route, listener: Listener, certificate: CertificateRef) -> Verdict | None:
    owner, name, namespace = route.owner, certificate.name, certificate.namespace
    shown = f"{listener.gateway} shows them its default certificate, and browsers refuse the connection"
    hosts = ", ".join(f"`{host.value}`" for host in certificate.hosts or route.hostnames)
    clients = f"clients of {hosts} are lost" if hosts else "clients are lost"
    consequence = f"{clients}: {shown}"
    if "/" in name:
        return Verdict(
            Reason.REF_NOT_PERMITTED,
            owner,
            certificate.place,
            f"{owner.kind} `{owner.name}` takes its certificate from Secret `{name}`, and {listener.gateway} looks for "
            f"one in namespace `{namespace}` only; {consequence}",
            fix=f"name a Secret of namespace `{namespace}`",
        )
    fault = secrets.fault(owner, namespace, name)
    if fault is None:
        return None
    unless = "unless the cluster has it, " if fault.certainty is Certainty.UNKNOWN else ""
    return Verdict(
        Reason.INVALID_CERTIFICATE_REF,
        owner,
        certificate.place,
        f"{owner.kind} `{owner.name}` takes its certificate from Secret `{name}`, {fault.words}; {unless}{consequence}",
        _WEAKER[fault.certainty] if route.assumed else fault.certainty,
        fault.related,
        fault.fix,
    )
