"""What each implementation answers where a backend cannot be reached, in check and trace alike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ingress_lint.__main__ import main

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: web, image: "example.com/web:1", ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: empty}
spec: {ports: [{name: http, port: 80}]}
---
"""
GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: c}
spec: {controllerName: CONTROLLER}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw}
spec: {gatewayClassName: c, listeners: [{name: http, protocol: HTTP, port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec: {parentRefs: [{name: gw}], hostnames: [shop.example.com], rules: [{backendRefs: [BACKENDS]}]}
"""
INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, annotations: {kubernetes.io/ingress.class: CONTROLLER}}
spec: {rules: [{host: shop.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: BACKENDS}}]}}]}
"""
MISSING, NO_PORT, EMPTY = "{name: gone, port: 80}", "{name: web, port: 81}", "{name: empty, port: 80}"
EG, CILIUM = "gateway.envoyproxy.io/gatewayclass-controller", "io.cilium/gateway-controller"
KONG, ISTIO = "konghq.com/kic-gateway-controller", "istio.io/gateway-controller"


def answered(text: str, tmp_path: Path) -> tuple[int | None, list[str], str]:
    file = tmp_path / "set.yaml"
    file.write_text(SERVICE + text, encoding="utf-8")
    traced = CliRunner().invoke(main, ["trace", "--format", "json", "--url", "http://shop.example.com/", str(file)])
    trace = json.loads(traced.stdout)
    checked = CliRunner().invoke(main, ["check", "--format", "json", "--assume", "complete", str(file)])
    messages = [item["message"] for item in json.loads(checked.stdout)["findings"] if item["code"].startswith("IL4")]
    return trace["status"], trace["because"], " ".join(messages)


@pytest.mark.parametrize(
    ("controller", "backends", "status"),
    [
        (EG, MISSING, 500),
        (EG, NO_PORT, 500),
        (EG, EMPTY, 503),
        (EG, "{name: web, port: 80, weight: 0}", 500),
        (CILIUM, MISSING, 500),
        (CILIUM, NO_PORT, 503),
        (KONG, MISSING, 500),
        (KONG, "", 503),
        (KONG, "{name: web, port: 80, weight: 0}", 503),
        (ISTIO, MISSING, 500),
        (ISTIO, "", 500),
    ],
)
def test_gateways(controller: str, backends: str, status: int, tmp_path: Path) -> None:
    text = GATEWAY.replace("CONTROLLER", controller).replace("BACKENDS", backends)
    found, because, said = answered(text, tmp_path)
    assert (found, bool(because)) == (status, True)
    assert str(status) in said


@pytest.mark.parametrize(
    ("name", "backend", "status"),
    [
        ("nginx", "{name: gone, port: {number: 80}}", 503),
        ("nginx", "{name: empty, port: {number: 80}}", 503),
        ("nginx", "{name: web, port: {number: 81}}", 503),
        ("gce", "{name: empty, port: {number: 80}}", 502),
        ("azure/application-gateway", "{name: empty, port: {number: 80}}", 502),
        ("nginx-plus", "{name: gone, port: {number: 80}}", 502),
        ("cilium", "{name: web, port: {number: 81}}", 503),
    ],
)
def test_ingresses(name: str, backend: str, status: int, tmp_path: Path) -> None:
    found, because, said = answered(INGRESS.replace("CONTROLLER", name).replace("BACKENDS", backend), tmp_path)
    assert (found, bool(because)) == (status, True)
    assert str(status) in said
