"""The Secrets that a suite generates: certificates of one key, valid when the cases are judged."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 9, 1, tzinfo=UTC)
"""When the cases are judged, whatever the day is: some hold certificates that end."""


def secret(wish: dict[str, Any]) -> dict[str, Any]:
    """A Secret of type kubernetes.io/tls for `hosts`, with the `fault` that its test is about, and its `ca` if asked."""
    certificate = _certificate(tuple(wish["hosts"]))
    data = {"tls.crt": certificate, "tls.key": _pem(_key("other" if wish.get("fault") == "other-key" else ""))}
    if wish.get("ca"):
        data["ca.crt"] = certificate
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"namespace": wish["namespace"], "name": wish["name"]},
        "data": {name: base64.b64encode(text).decode() for name, text in data.items()},
    }


@cache
def _key(name: str) -> ec.EllipticCurvePrivateKey:
    """The key of that name, made once a process."""
    return ec.generate_private_key(ec.SECP256R1())


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@cache
def _certificate(hosts: tuple[str, ...]) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example")])
    names = [
        x509.UniformResourceIdentifier(host) if "://" in host else x509.DNSName(host)
        for host in hosts or ("example.com",)
    ]
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(_key("").public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(_key(""), SHA256())
        .public_bytes(Encoding.PEM)
    )
