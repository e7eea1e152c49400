"""TLS towards clients: the certificates of a listener, and how it checks those of clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingress_lint.controllers.shared.references import References, Site
from ingress_lint.load.document import Place
from ingress_lint.objects.gateway import FrontendTLSValidation, Gateway, ListenerEntry
from ingress_lint.objects.model import AnyObject, KubernetesObject
from ingress_lint.routes.listeners import CertificateRef, ClientValidation
from ingress_lint.routes.sourced import Origin, Sourced
from ingress_lint.routes.verdicts import Certainty, Reason, Verdict

_AUTHORITY_REASONS: Final = (Reason.INVALID_CA_CERTIFICATE_REF, Reason.INVALID_CA_CERTIFICATE_KIND)


class FrontendTLS:
    """The TLS settings of one Gateway."""

    def __init__(self, gateway: KubernetesObject[Gateway], references: References) -> None:
        self._gateway = gateway
        self._references = references

    def certificates(
        self, site: Site, entry: ListenerEntry, mode: str, elsewhere: bool | None
    ) -> tuple[tuple[CertificateRef, ...], tuple[Verdict, ...], bool]:
        """A listener's certificates, what is wrong with them, and whether it can open TLS with what remains.

        `elsewhere` where it may get certificates from elsewhere, None where nobody knows whether it may.
        """
        if mode == "Passthrough":
            return (), (), True
        tls = entry.tls
        if tls is None or not tls.certificate_refs:
            if elsewhere or (tls and tls.options):
                return (), (), True
            certainty = Certainty.UNKNOWN if elsewhere is None else Certainty.KNOWN
            return (), (self._no_certificate(site, entry, certainty),), elsewhere is None
        found, verdicts, usable = [], [], False
        hosts = (Sourced(entry.hostname, Origin.EXPLICIT, site.place.at("hostname")),) if entry.hostname else ()
        for index, reference in enumerate(tls.certificate_refs):
            place = site.place.at("tls", "certificateRefs", index)
            verdict = self._references.certificate(
                Site(site.owner, place, site.listener), reference, Reason.INVALID_CERTIFICATE_REF
            )
            namespace = reference.namespace or site.owner.namespace
            found.append(CertificateRef(reference.kind, namespace, reference.name, place, hosts))
            if verdict is not None:
                verdicts.append(verdict)
            usable = usable or verdict is None or verdict.certainty is not Certainty.KNOWN
        return tuple(found), tuple(verdicts), usable

    @staticmethod
    def _no_certificate(site: Site, entry: ListenerEntry, certainty: Certainty) -> Verdict:
        return site.verdict(
            Reason.NO_CERTIFICATE,
            f"{site.of_listener} ends TLS on port {entry.port} and names no certificate; it cannot open TLS, so clients "
            f"get a connection reset",
            certainty,
            place=site.place.at("tls") if entry.tls else site.place.at("protocol"),
            fix="name a Secret of type kubernetes.io/tls under `tls.certificateRefs`",
        )

    def clients(
        self, site: Site, entry: ListenerEntry, protocol: str
    ) -> tuple[ClientValidation | None, tuple[Verdict, ...]]:
        """How a listener checks the certificates of clients, and what is wrong with that."""
        found = self._validation(site, entry) if protocol == "HTTPS" else None
        if found is None:
            return None, ()
        validation, place, owner = found
        usable, verdicts = self._references.authorities(
            (
                (Site(owner, place.at("caCertificateRefs", index), site.listener), reference)
                for index, reference in enumerate(validation.ca_certificate_refs)
            ),
            _AUTHORITY_REASONS,
            "every client without a checked certificate is refused in the TLS handshake",
        )
        return ClientValidation(place, validation.mode == "AllowValidOnly", usable), verdicts

    def _validation(self, site: Site, entry: ListenerEntry) -> tuple[FrontendTLSValidation, Place, AnyObject] | None:
        """What counts for a listener: its own setting (before v1), its port's, the Gateway's default."""
        if entry.tls is not None and entry.tls.frontend_validation is not None:
            return entry.tls.frontend_validation, site.place.at("tls", "frontendValidation"), site.owner
        tls = self._gateway.body.spec.tls
        if tls is None or tls.frontend is None:
            return None
        place = self._gateway.at("spec", "tls", "frontend")
        for index, per_port in enumerate(tls.frontend.per_port):
            if per_port.port == entry.port:
                found = per_port.tls.validation
                return (found, place.at("perPort", index, "tls", "validation"), self._gateway) if found else None
        found = tls.frontend.default.validation
        return (found, place.at("default", "validation"), self._gateway) if found else None

    def backend_verdicts(self) -> Iterator[Verdict]:
        """What is wrong with the certificate that the Gateway shows to backends."""
        spec = self._gateway.body.spec
        nested = spec.tls.backend if spec.tls else None
        for backend, pointer in ((nested, ("tls", "backend")), (spec.backend_tls, ("backendTLS",))):
            if backend is not None and backend.client_certificate_ref is not None:
                place = self._gateway.at("spec", *pointer, "clientCertificateRef")
                verdict = self._references.certificate(
                    Site(self._gateway, place), backend.client_certificate_ref, Reason.INVALID_CLIENT_CERTIFICATE_REF
                )
                if verdict is not None:
                    yield verdict
