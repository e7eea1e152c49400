"""Addresses, ranges of them, names of hosts, and URLs."""

from __future__ import annotations

import pytest

from ingress_lint.values.addresses import address, network
from ingress_lint.values.hosts import is_label, is_subdomain
from ingress_lint.values.urls import port_of, server_url, split_url
from tests.values.nasty import NASTY


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.1.2.3/8", "10.0.0.0/8"),
        (" 10.0.0.1 ", "10.0.0.1/32"),
        ("fd00::/8", "fd00::/8"),
        ("10.0.0.0/33", None),
        ("10.0.0.0/255.0.0.0", None),
        ("010.0.0.0/8", None),
        ("10.0.0.0/", None),
        ("10.0.0.0/8/8", None),
    ],
)
def test_network(text: str, expected: str | None) -> None:
    found = network(text)
    assert (None if found is None else str(found)) == expected


def test_address() -> None:
    assert str(address("10.0.0.1")) == "10.0.0.1"
    assert str(address("::1")) == "::1"
    assert address("10.0.0") is None


@pytest.mark.parametrize(
    ("text", "label", "name"),
    [
        ("shop", True, True),
        ("shop.example.com", False, True),
        ("a" * 63, True, True),
        ("a" * 64, False, True),
        ("a" * 254, False, False),
        ("Shop", False, False),
        ("-shop", False, False),
        ("shop-", False, False),
        ("a..b", False, False),
        ("shop\n", False, False),
    ],
)
def test_names_of_hosts(text: str, label: bool, name: bool) -> None:
    assert is_label(text) is label
    assert is_subdomain(text) is name


def test_urls() -> None:
    parts = split_url("http://shop:8080/a")
    assert parts is not None
    assert port_of(parts) == 8080
    bad = split_url("http://shop:99999/a")
    assert bad is not None
    assert port_of(bad) is None
    assert server_url("http://shop:99999/a") is None
    assert server_url("http://shop/a") == (split_url("http://shop/a"), None)
    assert split_url("http://[") is None


@pytest.mark.parametrize("text", NASTY, ids=lambda text: repr(text[:12]))
def test_nasty_text_is_no_address(text: str) -> None:
    assert address(text) is None
    assert network(text) is None
    parts = split_url(text)
    assert parts is None or port_of(parts) is None


@pytest.mark.parametrize(
    "text", ["", "²", "８０", "\ud800", "1_000", "1 0", "a" * 20_000, "http://["], ids=lambda text: repr(text[:12])
)
def test_nasty_text_is_no_name(text: str) -> None:
    assert not is_label(text)
    assert not is_subdomain(text)
