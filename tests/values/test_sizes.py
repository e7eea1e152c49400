"""Sizes in the notations of nginx and of applications."""

from __future__ import annotations

import pytest

from ingress_lint.values.sizes import application_size, is_ingress_nginx_size, nginx_size
from tests.values.nasty import NASTY


@pytest.mark.parametrize(
    ("text", "expected"),
    [("8m", 8 << 20), ("1K", 1024), ("512", 512), ("1g", 1 << 30), (" 8m ", 8 << 20), ("8mb", None)],
)
def test_nginx_size(text: str, expected: int | None) -> None:
    assert nginx_size(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("8M", 8 << 20), ("10MB", 10 << 20), ("512 KB", 512 << 10), ("64", 64), ("-1", None)]
)
def test_application_size(text: str, expected: int | None) -> None:
    assert application_size(text) == expected


@pytest.mark.parametrize(("text", "taken"), [("8m", True), ("8b", True), ("8B", True), ("8mb", False), ("8m\n", False)])
def test_ingress_nginx_size(text: str, taken: bool) -> None:
    assert is_ingress_nginx_size(text) is taken


@pytest.mark.parametrize("text", NASTY, ids=lambda text: repr(text[:12]))
def test_nasty_text_is_no_size(text: str) -> None:
    assert nginx_size(text) is None
    assert application_size(text) is None
    assert not is_ingress_nginx_size(text)
