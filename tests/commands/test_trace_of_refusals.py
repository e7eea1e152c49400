"""What controllers refuse decides what clients get: the traces of the fixtures of IL122 and IL123, and of their twins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ingress_lint.__main__ import main

FIXTURES = Path(__file__).parent.parent / "fixtures"
URL = "http://shop.example.com/"


def traced(case: str, path: str = "") -> dict[str, Any]:
    result = CliRunner().invoke(main, ["trace", "--url", URL + path, "--format", "json", str(FIXTURES / case)])
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize(
    ("case", "status"),
    [
        ("IL122/bad/agic-probe-without-a-slash", 502),
        ("IL122/bad/agic-annotation-without-a-slash", 502),
        ("IL123/bad/envoy-backend-traffic-values", 500),
        ("IL123/bad/envoy-client-traffic-values", 500),
        ("IL123/bad/envoy-login-without-its-secret", 500),
        ("IL123/bad/envoy-login-without-its-key", 500),
        ("IL123/bad/envoy-addresses-that-may-pass", 500),
        ("IL123/bad/envoy-asks-a-port-that-is-not-there", 500),
        ("IL123/bad/envoy-script-without-its-text", 500),
        ("IL123/bad/envoy-filters", 500),
        ("IL123/bad/f5-addresses", 500),
        ("IL123/bad/f5-rate", 500),
        ("IL123/bad/f5-two-things-in-one-policy", 500),
        ("IL123/bad/envoy-backend-is-a-socket", 500),
        ("IL123/bad/envoy-backend-of-names-and-addresses", 500),
        ("IL123/bad/envoy-backend-with-its-path-rewritten", 500),
    ],
)
def test_a_refusal_is_what_clients_get(case: str, status: int | None) -> None:
    found = traced(case)
    assert (found["outcome"], found["status"], found["because"]) == ("error", status, [case[:5]])


@pytest.mark.parametrize(
    "case", ["contour-tokens-without-tls", "contour-two-policies-for-addresses", "contour-answers-and-cookies"]
)
def test_a_route_that_is_dropped_is_not_there(case: str) -> None:
    found = traced(f"IL123/bad/{case}")
    assert (found["outcome"], found["status"], found["because"]) == ("no-route", 404, ["IL123"])


@pytest.mark.parametrize(
    ("case", "path", "status"),
    [
        ("IL122/bad/nginx-with-and-without-a-slash", "cart/1", 404),
        ("IL108/bad/nginx-webhook-refuses-a-dot", ".well-known/openid-configuration", 404),
        ("IL108/bad/nginx-webhook-refuses-a-dot", "shop", 404),
        ("IL122/bad/alb-wildcard-under-prefix", "api/*", None),
    ],
)
def test_what_is_not_applied_is_not_there(case: str, path: str, status: int | None) -> None:
    found = traced(case, path)
    assert (found["outcome"], found["status"], found["because"]) == ("error", status, [case[:5]])


@pytest.mark.parametrize(
    "case",
    [
        "IL123/bad/envoy-asks-and-may-fail-open",
        "IL123/good/envoy-login-whose-secret-may-be-elsewhere",
        "IL123/good/envoy-values-that-are-not-known",
        *(f"IL123/good/{folder.name}" for folder in sorted((FIXTURES / "IL123/good").iterdir())),
    ],
)
def test_what_is_taken_or_lets_requests_pass_is_answered_by_the_pod(case: str) -> None:
    found = traced(case)
    assert (found["outcome"], found["status"], found["because"]) == ("backend", 200, [])
