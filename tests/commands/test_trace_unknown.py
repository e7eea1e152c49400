"""`trace` where a placeholder decides who takes a request: nobody can say, unless a host names its route outright."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ingress_lint.__main__ import main

INGRESS = """
{kind: Service, apiVersion: v1, metadata: {name: web}, spec: {type: ExternalName, externalName: example.org, ports: [{name: http, port: 80}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  rules:
  - {host: "shop.${DOMAIN}", http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]}}
  - {host: "lit.example.com", http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}, {path: "/app-${B}", pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}
  - {host: "shop.example.org", http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: "${PORT}"}}}}]}}
  - {host: "name.example.com", http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: "${NAME}", port: {number: 80}}}}]}}
"""
GATEWAY = """
{kind: GatewayClass, apiVersion: gateway.networking.k8s.io/v1, metadata: {name: eg}, spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}}
---
{kind: Gateway, apiVersion: gateway.networking.k8s.io/v1, metadata: {name: gw}, spec: {gatewayClassName: eg, listeners: [{name: http, protocol: HTTP, port: 80, hostname: "*.${DOMAIN}"}]}}
---
{kind: HTTPRoute, apiVersion: gateway.networking.k8s.io/v1, metadata: {name: r}, spec: {parentRefs: [{name: gw}], rules: [{backendRefs: [{name: web, port: 80}]}]}}
"""


def traced(tmp_path: Path, text: str, url: str) -> tuple[dict[str, Any], int, str]:
    file = tmp_path / "all.yaml"
    file.write_text(text)
    arguments = ["trace", "--url", url, os.fspath(file)]
    told = CliRunner().invoke(main, arguments)
    result = CliRunner().invoke(main, [*arguments, "--format", "json"])
    return json.loads(result.stdout), result.exit_code, told.stdout


@pytest.mark.parametrize(
    ("text", "url", "why"),
    [
        (INGRESS, "http://shop.example.com/", "host `shop.${DOMAIN}` holds a placeholder"),
        (INGRESS, "http://lit.example.com/app-x", "path `/app-${B}`, which holds a placeholder"),
        (GATEWAY, "http://shop.example.com/", "`*.${domain}`, which holds a placeholder"),
    ],
)
def test_nobody_can_say(tmp_path: Path, text: str, url: str, why: str) -> None:
    answer, status, told = traced(tmp_path, text, url)
    assert (answer["outcome"], answer["status"], answer["route"], status) == ("unknown", None, None, 1)
    assert [hop["verdict"] for hop in answer["hops"]] == ["unknown"]
    assert why in answer["hops"][0]["detail"]
    assert "not known from these manifests" in told


@pytest.mark.parametrize(
    "url", ["http://lit.example.com/", "http://lit.example.com/other", "http://shop.example.org/"], ids=str
)
def test_what_is_named_outright_is_known(tmp_path: Path, url: str) -> None:
    answer, status, _ = traced(tmp_path, INGRESS, url)
    assert (answer["outcome"], answer["status"], status) == ("backend", 200, 0)


def test_a_host_that_the_placeholder_cannot_become(tmp_path: Path) -> None:
    answer, _, _ = traced(tmp_path, INGRESS, "http://other.example.com/")
    assert (answer["outcome"], answer["status"]) == ("no-route", 404)


def test_a_backend_whose_name_is_not_known(tmp_path: Path) -> None:
    answer, _, _ = traced(tmp_path, INGRESS, "http://name.example.com/")
    assert [hop["verdict"] for hop in answer["hops"]][-1] == "unknown"
    assert "its name is a placeholder" in answer["hops"][-1]["detail"]
