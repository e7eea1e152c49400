"""The load balancer in front of a controller's pods is on a request's way, whoever does not say where to enter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ingress_lint.__main__ import main

URL = "http://shop.example.com/"
APPLICATION = """
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: example.com/web:1, ports: [{containerPort: 8080}], readinessProbe: {httpGet: {path: /, port: 8080}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  rules: [{host: shop.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
---
"""
CONTROLLER = """
{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: nginx}, spec: {controller: k8s.io/ingress-nginx}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: ic, namespace: ingress-nginx}, data: {use-proxy-protocol: "SENT"}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ic, namespace: ingress-nginx}
spec:
  selector: {matchLabels: {app: ic}}
  template:
    metadata: {labels: {app: ic}}
    spec:
      containers:
        - name: controller
          image: registry.k8s.io/ingress-nginx/controller:v1.14.0
          args: [/nginx-ingress-controller, --configmap=ingress-nginx/ic]
          ports: [{name: http, containerPort: 80}, {name: https, containerPort: 443}]
          readinessProbe: {httpGet: {path: /healthz, port: 10254}}
---
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: NAME, namespace: ingress-nginx, annotations: {ANNOTATIONS}}
spec: {type: LoadBalancer, selector: {app: ic}, ports: [{name: http, port: PORT, targetPort: http}, {name: https, port: 443, targetPort: https}]}
---
"""
TCP = "service.beta.kubernetes.io/do-loadbalancer-protocol: tcp"
WITH_HEADER = 'service.beta.kubernetes.io/do-loadbalancer-enable-proxy-protocol: "true"'
ALB = """
{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: alb}, spec: {controller: ingress.k8s.aws/alb}}
---
{apiVersion: v1, kind: Service, metadata: {name: ic, namespace: ingress-nginx}, spec: {selector: {app: ic}, ports: [{name: http, port: 80, targetPort: http}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: edge
  namespace: ingress-nginx
  annotations: {alb.ingress.kubernetes.io/target-type: ip, alb.ingress.kubernetes.io/healthcheck-path: /healthz}
spec:
  ingressClassName: alb
  rules: [{host: shop.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: ic, port: {name: http}}}}]}}]
---
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def service(name: str = "ic", annotations: str = TCP, port: int = 80) -> str:
    return SERVICE.replace("NAME", name).replace("ANNOTATIONS", annotations).replace("PORT", str(port))


def written(*parts: str, sent: str = "false") -> None:
    Path("set.yaml").write_text("".join(parts).replace("SENT", sent).removesuffix("---\n"), encoding="utf-8")


def run(command: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, (command, *arguments, "set.yaml"), catch_exceptions=False)


def answered(url: str = URL, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("trace", "--url", url, "--format", "json", *arguments).stdout)
    return found


def objects(found: dict[str, Any]) -> list[str]:
    named = (hop["object"] for hop in found["hops"] if hop["object"])
    return list(dict.fromkeys(f"{item['kind']} {item['name']}" for item in named))


WAY_IN = ["Service ic", "Deployment ic"]
WAY_ON = ["IngressClass nginx", "Ingress shop", "Service web", "Deployment web"]


def test_the_way_leads_through_the_balancer_to_the_application() -> None:
    written(APPLICATION, CONTROLLER, service())
    found = answered()
    assert objects(found) == [*WAY_IN, *WAY_ON]
    assert (found["outcome"], found["status"]) == ("backend", 200)
    assert found["entry"]["kind"] == "IngressClass"
    assert [backend["name"] for backend in found["backends"]] == ["web"]


def test_who_says_where_to_enter_is_led_on_from_there() -> None:
    written(APPLICATION, CONTROLLER, service())
    assert objects(answered(URL, "--connect", "ingress-nginx/ic")) == [*WAY_IN, *WAY_ON]
    assert objects(answered(URL, "--connect", "nginx")) == WAY_ON


def test_an_error_of_the_balancer_decides() -> None:
    written(APPLICATION, CONTROLLER, service(annotations=WITH_HEADER))
    found = answered()
    assert (found["outcome"], found["status"], found["because"]) == ("error", 400, ["IL213"])
    assert "IL213" in run("runbook", "--url", URL).stdout
    inside = answered(URL, "--connect", "nginx")
    assert (inside["outcome"], inside["status"]) == ("backend", 200)


def test_a_host_that_nobody_routes_is_404_behind_the_balancer() -> None:
    written(APPLICATION, CONTROLLER, service())
    found = answered("http://other.example.com/")
    assert (found["outcome"], found["status"]) == ("no-route", 404)
    assert objects(found) == [*WAY_IN, "IngressClass nginx"]


def test_the_balancer_may_listen_on_a_port_of_its_own() -> None:
    written(APPLICATION, CONTROLLER, service(port=8080))
    found = answered("http://shop.example.com:8080/")
    assert (found["outcome"], found["status"]) == ("backend", 200)
    assert objects(found) == [*WAY_IN, *WAY_ON]


def test_of_several_balancers_none_is_taken() -> None:
    written(APPLICATION, CONTROLLER, service(), service("inner"))
    found = answered()
    assert objects(found) == WAY_ON
    assert (found["outcome"], found["status"]) == ("backend", 200)


def test_a_balancer_of_requests_that_serves_the_same_host_is_in_front() -> None:
    written(APPLICATION, CONTROLLER, ALB)
    found = answered()
    assert objects(found) == ["Ingress edge", "Service ic", "Deployment ic", *WAY_ON]
    assert (found["outcome"], found["status"]) == ("backend", 200)


def test_connections_end_at_the_proxy() -> None:
    written(APPLICATION, CONTROLLER, service())
    found = answered("tcp://shop.example.com:80", "--connect", "ingress-nginx/ic")
    assert objects(found) == WAY_IN
