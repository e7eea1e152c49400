"""Names of certificates against hosts (RFC 9525), and texts that hold no certificate or key."""

from __future__ import annotations

import pytest

from ingress_lint.routes.x509 import certificates_in, covers, public_key_of


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
