"""Names of certificates against hosts (RFC 9525), and texts that hold no certificate or key."""

from __future__ import annotations

import base64
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from ingress_lint.engine import check
from ingress_lint.manifests import Options
from ingress_lint.packs import load_rules
from ingress_lint.routes.x509 import UnknownKindError, certificates_in, covers, public_key_of


@pytest.mark.parametrize(
    ("name", "host", "covered"),
    [
        ("shop.example.com", "shop.example.com", True),
        ("Shop.Example.com", "shop.example.com", True),
        ("*.example.com", "shop.example.com", True),
        ("*.example.com", "eu.shop.example.com", False),
        ("*.example.com", "example.com", False),
        ("*.example.com", "*.example.com", True),
        ("*.example.com", "*.shop.example.com", False),
        ("shop.example.com", "*.example.com", False),
        ("shop.example.com.", "shop.example.com", True),
    ],
)
def test_names(name: str, host: str, covered: bool) -> None:
    assert covers(name, host) is covered


@pytest.mark.parametrize("text", ["", "hello", "-----BEGIN CERTIFICATE-----\nc2hvcA==\n-----END CERTIFICATE-----\n"])
def test_no_certificate(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        certificates_in(text)


@pytest.mark.parametrize("text", ["", "hello", "-----BEGIN PRIVATE KEY-----\nc2hvcA==\n-----END PRIVATE KEY-----\n"])
def test_no_key(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        public_key_of(text)


def _certificate_on_a_rare_curve() -> tuple[str, str]:
    """A certificate and its key on a curve that the library does not know; OpenSSL makes them."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    with tempfile.TemporaryDirectory() as folder:
        command = (
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp112r1", "-nodes"),
            *("-keyout", f"{folder}/key", "-out", f"{folder}/crt", "-days", "3650", "-subj", "/CN=shop"),
            *("-addext", "subjectAltName=DNS:shop.example.com"),
        )
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("this OpenSSL has no such curve either")
        return Path(f"{folder}/crt").read_text(), Path(f"{folder}/key").read_text()


def test_an_unknown_curve_loses_the_key_alone() -> None:
    pem, key = _certificate_on_a_rare_curve()
    (certificate,) = certificates_in(pem)
    assert certificate.names == ("shop.example.com",)
    assert certificate.public_key is None
    with pytest.raises(UnknownKindError):
        public_key_of(key)


def test_a_rare_curve_is_no_fault(tmp_path: Path) -> None:
    pem, key = _certificate_on_a_rare_curve()
    data = {name: base64.b64encode(text.encode()).decode() for name, text in (("tls.crt", pem), ("tls.key", key))}
    (tmp_path / "all.yaml").write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: shop}\ntype: kubernetes.io/tls\n"
        f"data: {{tls.crt: {data['tls.crt']}, tls.key: {data['tls.key']}}}\n---\n"
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: shop}\nspec:\n  ingressClassName: nginx\n"
        "  tls: [{hosts: [shop.example.com, other.example.com], secretName: shop}]\n  rules:\n"
        "    - host: other.example.com\n      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}\n"
    )
    report = check(Options([str(tmp_path)]), load_rules())
    assert report.failures == ()
    faults = [finding.message for finding in report.findings if finding.code == "IL106"]
    assert len(faults) == 1, faults
    assert "is for `shop.example.com`" in faults[0], "the names still count"
