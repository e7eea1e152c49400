"""Certificates and keys as text: what they are valid for. The library that reads them is imported when first used."""

from __future__ import annotations

import warnings
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from ingress_lint import inputs

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes, PublicKeyTypes


class UnknownKindError(ValueError):
    """A certificate or key of a kind that is not known here, such as one on a rare curve; others may well read it."""


class Certificate(Struct, frozen=True):
    """What a client looks at in a certificate."""

    names: tuple[str, ...]
    """Its DNS names (subject alternative names)."""
    uris: tuple[str, ...]
    """Its URIs (subject alternative names), such as SPIFFE identities."""
    common_name: str
    not_before: datetime
    not_after: datetime
    public_key: bytes | None
    """None where its kind is not known here."""

    def invalidity(self, now: datetime) -> str | None:
        """Why it is not valid at a time, in words that follow "the certificate"; None where it is."""
        if now > self.not_after:
            return f"expired on {self.not_after:%Y-%m-%d}"
        if now < self.not_before:
            return f"is not valid before {self.not_before:%Y-%m-%d}"
        return None


def certificates_in(pem: str) -> tuple[Certificate, ...]:
    """The certificates of a PEM text, the server's own first; a `ValueError` where there is none that can be read.

    That is an `UnknownKindError` where others may read it, as with extensions that are not known here.
    """
    from cryptography import x509
    from cryptography.x509.oid import ExtensionOID, NameOID

    found = []
    with warnings.catch_warnings(action="ignore"):  # of what later versions of the library will refuse
        try:
            items = x509.load_pem_x509_certificates(pem.encode())
        except x509.InvalidVersion as error:
            raise ValueError(str(error)) from error
    for item in items:
        try:
            extension = item.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
        except x509.ExtensionNotFound:
            extension = None
        except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError) as error:
            raise UnknownKindError(str(error)) from error
        known = extension if isinstance(extension, x509.SubjectAlternativeName) else None
        common = [str(name.value) for name in item.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        inputs.moments(item.not_valid_before_utc, item.not_valid_after_utc)
        found.append(
            Certificate(
                tuple(known.get_values_for_type(x509.DNSName) if known else ()),
                tuple(known.get_values_for_type(x509.UniformResourceIdentifier) if known else ()),
                common[0] if common else "",
                item.not_valid_before_utc,
                item.not_valid_after_utc,
                _public_key(item),
            )
        )
    return tuple(found)


def public_key_of(pem: str) -> bytes | None:
    """The public half of a private key, in the form of `Certificate.public_key`; None where a pass phrase hides it.

    A `ValueError` where the text holds no key that can be read; an `UnknownKindError` where others may read it.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return _encoded(load_pem_private_key(pem.encode(), password=None).public_key())
    except TypeError:
        return None
    except UnsupportedAlgorithm as error:
        raise UnknownKindError(str(error)) from error


def _public_key(certificate: x509.Certificate) -> bytes | None:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return _encoded(certificate.public_key())
    except (UnsupportedAlgorithm, ValueError):
        return None


def _encoded(key: CertificatePublicKeyTypes | PublicKeyTypes) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def covers(name: str, host: str) -> bool:
    """Whether a name of a certificate is good for a host: a wildcard stands for exactly one label."""
    name, host = name.lower().rstrip("."), host.lower()
    if name.startswith("*.") and not host.startswith("*."):
        return host.partition(".")[2] == name[2:]
    return name == host
