"""What policies of a mesh make of requests: 403 for those they deny, whatever part of a route's these are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ingress_lint.__main__ import main

FIXTURES = Path(__file__).parent.parent / "fixtures"


def trace(case: str, path: str = "/", *options: str) -> Any:
    url = f"http://shop.example.com{path}"
    folder = str(FIXTURES / case)
    return json.loads(CliRunner().invoke(main, ["trace", "--format", "json", "--url", url, *options, folder]).stdout)


@pytest.mark.parametrize(
    ("case", "path", "outcome", "status", "because"),
    [
        ("IL513/bad/deny-all", "/", "error", 403, ["IL513"]),
        ("IL513/bad/other-service-account", "/", "error", 403, ["IL513"]),
        ("IL513/bad/at-the-gateway", "/", "error", 403, ["IL513"]),
        ("IL513/bad/waypoint-led-through", "/", "error", 403, ["IL513"]),
        ("IL513/bad/linkerd-server-without-policy", "/", "error", 403, ["IL513"]),
        ("IL513/bad/ztunnel", "/", "error", 503, ["IL513"]),
        # the policy is all that tells of a mesh
        ("IL513/bad/namespace-not-in-the-set", "/", "backend", 200, []),
        # a part of the route's requests
        ("IL513/good/allows-some-paths", "/shop/cart", "backend", 200, []),
        ("IL513/good/allows-some-paths", "/shops", "error", 403, []),
        ("IL513/good/denies-other-paths", "/admin/users", "error", 403, []),
        ("IL513/good/denies-other-paths", "/cart", "backend", 200, []),
        ("IL513/good/denies-all-but-some-paths", "/shop/cart", "backend", 200, []),
        ("IL513/good/denies-all-but-some-paths", "/", "error", 403, []),
        ("IL513/good/proxys-namespace", "/", "backend", 200, []),
        # closed before any policy is asked
        ("IL513/good/connection-closed-before", "/", "error", 502, ["IL511"]),
        ("IL511/bad/linkerd", "/", "error", 403, ["IL511"]),
    ],
)
def test_policies_answer(case: str, path: str, outcome: str, status: int, because: list[str]) -> None:
    found = trace(case, path)
    assert (found["outcome"], found["status"], found["because"]) == (outcome, status, because)


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("HEAD", 200), ("POST", 403)])
def test_methods(method: str, status: int) -> None:
    assert trace("IL513/good/allows-some-methods", "/", "--method", method)["status"] == status


@pytest.mark.parametrize(
    ("header", "status"), [("X-Partner: acme", 200), ("X-Partner: other", 403), ("X-Other: acme", 403)]
)
def test_headers(header: str, status: int) -> None:
    assert trace("IL513/good/a-header", "/", "--header", header)["status"] == status
