"""What written endpoints give a Service port, as check and trace tell it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ingress_lint.__main__ import main

SET = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec: {ingressClassName: nginx, rules: [{host: shop.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: api, port: {number: 80}}}}]}}]}
---
apiVersion: v1
kind: Service
metadata: {name: api}
spec: {ports: [{name: http, port: 80}]}
---
"""
SLICE = """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: api-1, labels: {kubernetes.io/service-name: api}}
addressType: IPv4
"""
FIRST = "ports: [{name: http, port: 80}]\nendpoints: [{addresses: [10.0.0.9], conditions: {%s}}]"


@pytest.mark.parametrize(
    ("written", "status"),
    [
        pytest.param(SLICE + FIRST % "ready: false", 503, id="not ready"),
        pytest.param(SLICE + FIRST % "ready: false, terminating: true, serving: false", 503, id="ended"),
        pytest.param(SLICE + FIRST % "ready: false, terminating: true", 200, id="ending"),
        pytest.param(SLICE + FIRST % "", 200, id="nothing said"),
        pytest.param(SLICE + "ports: [{name: http, port: 80}]\nendpoints: []", 503, id="empty"),
        pytest.param(SLICE + "ports: [{name: web, port: 80}]\nendpoints: [{addresses: [10.0.0.9]}]", 503, id="name"),
        pytest.param(SLICE + "ports: null\nendpoints: null", 503, id="null"),
        pytest.param(
            "apiVersion: v1\nkind: Endpoints\nmetadata: {name: api}\n"
            "subsets: [{notReadyAddresses: [{ip: 10.0.0.9}], ports: [{name: http, port: 80}]}]",
            503,
            id="notReadyAddresses",
        ),
        pytest.param("apiVersion: v1\nkind: Endpoints\nmetadata: {name: api}", 200, id="filled by a program"),
    ],
)
def test_check_and_trace_agree(written: str, status: int, tmp_path: Path) -> None:
    file = tmp_path / "set.yaml"
    file.write_text(SET + written, encoding="utf-8")
    traced = CliRunner().invoke(main, ["trace", "--format", "json", "--url", "http://shop.example.com/", str(file)])
    checked = CliRunner().invoke(main, ["check", "--format", "json", "--select", "IL405", str(file)])
    trace = json.loads(traced.stdout)
    assert trace["status"] == status
    assert trace["because"] == (["IL405"] if status == 503 else [])
    assert [finding["code"] for finding in json.loads(checked.stdout)["findings"]] == trace["because"]
