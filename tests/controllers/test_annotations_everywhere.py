"""Every annotation of every controller, on every kind that it may stand on, behind every other controller."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from ingress_lint.__main__ import main
from ingress_lint.controllers.registry import REGISTRY, Registration
from ingress_lint.controllers.shared.implementations import IMPLEMENTATIONS
from ingress_lint.engine import check
from ingress_lint.manifests import Options
from ingress_lint.packs import load_rules

CLASSES: Final = ("nginx", "alb", "gce", "azure-application-gateway", "traefik", "haproxy", "kong", "contour", "istio")
GATEWAY_CONTROLLERS: Final = sorted({name for found in IMPLEMENTATIONS for name in found.controller_names})
VALUES: Final = ("true", "80", "/", "²", "[{", "")


def _keys(registered: Registration) -> list[str]:
    controller = registered.controller
    tables = [controller.annotations, controller.service_annotations]
    keys = [table.full_key(key.replace("*", "x")) for table in tables if table is not None for key in table.specs]
    return list(dict.fromkeys(keys))


def _annotated(annotations: list[str], indent: int) -> str:
    return "".join(f"\n{' ' * indent}{annotation}" for annotation in annotations)


def _manifests(keys: list[str], value: str) -> str:
    """Services and Ingresses with all these annotations, behind Ingresses of each class and each Gateway."""
    annotations = _annotated([f"{key}: '{value}'" for key in keys], 4)
    parts = [
        f"apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  annotations:{annotations}\n"
        "spec: {type: LoadBalancer, selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}\n",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {app: web}}\n"
        "spec: {containers: [{name: web, image: example.com/web:1, ports: [{containerPort: 8080}]}]}\n",
    ]
    parts += [
        f"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: {class_name}\n  annotations:{annotations}\n"
        f"spec: {{ingressClassName: {class_name}, rules: [{{host: {class_name}.example.com, http: {{paths: "
        "[{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}\n"
        for class_name in CLASSES
    ]
    for number, controller in enumerate(GATEWAY_CONTROLLERS):
        parts += [
            f"apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {{name: c{number}}}\n"
            f"spec: {{controllerName: {controller}}}\n",
            f"apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {{name: g{number}}}\n"
            f"spec: {{gatewayClassName: c{number}, listeners: [{{name: http, protocol: HTTP, port: 80}}]}}\n",
            f"apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata:\n  name: r{number}\n"
            f"  annotations:{annotations}\n"
            f"spec: {{parentRefs: [{{name: g{number}}}], rules: [{{backendRefs: [{{name: web, port: 80}}]}}]}}\n",
        ]
    return "---\n".join(parts)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    "registered", [found for found in REGISTRY.values() if _keys(found)], ids=lambda registered: registered.name
)
def test_no_annotation_breaks_a_run(registered: Registration, value: str, tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(_manifests(_keys(registered), value), encoding="utf-8")
    assert check(Options([str(tmp_path)]), load_rules()).failures == ()


def test_a_host_header_behind_kongs_gateway(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: kong}\n"
        "spec: {controllerName: konghq.com/kic-gateway-controller}\n---\n"
        "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: gw}\n"
        "spec: {gatewayClassName: kong, listeners: [{name: http, protocol: HTTP, port: 80}]}\n---\n"
        "apiVersion: v1\nkind: Service\n"
        "metadata: {name: api, annotations: {konghq.com/host-header: api.example.com}}\n"
        "spec: {selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}\n---\n"
        "apiVersion: v1\nkind: Pod\nmetadata: {name: api, labels: {app: api}}\n"
        "spec: {containers: [{name: api, image: example.com/api:1, ports: [{containerPort: 8080}]}]}\n---\n"
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: shop}\n"
        "spec: {parentRefs: [{name: gw}], rules: [{backendRefs: [{name: api, port: 80}]}]}\n",
        encoding="utf-8",
    )
    result = CliRunner().invoke(main, ["trace", "--url", "http://shop.example.com/", "--format", "json", str(tmp_path)])
    assert '"host": "api.example.com"' in result.output
