"""What an error on a request's way makes of the answer: `outcome`, `status`, `because`, in every form and command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ingress_lint.__main__ import main
from ingress_lint.controllers.registry import REGISTRY
from ingress_lint.controllers.shared.implementations import by_name
from ingress_lint.finding import Severity
from ingress_lint.packs import load_rules
from ingress_lint.tracing.predictions import KINDS, PREDICTIONS, Effect

URL = "http://shop.example.com/"
PODS = """
apiVersion: v1
kind: Service
metadata: {name: NAME, namespace: shop}
spec: {selector: {app: NAME}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: shop}
spec:
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      containers:
        - {name: web, image: example.com/web:1, ports: [{containerPort: 8080}], readinessProbe: {PROBE: {path: /, port: 8080}}}
---
"""
TLS = PODS.replace("PROBE: {", "httpGet: {scheme: HTTPS, ")
PLAIN = PODS.replace("PROBE", "httpGet")
INGRESS = """
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: CLASS}
spec: {controller: CONTROLLER}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  ingressClassName: CLASS
  rules: [{host: shop.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
---
"""
SPLIT = """
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: eg}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: shop}
spec: {gatewayClassName: eg, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: shop}
spec:
  parentRefs: [{name: front, sectionName: LISTENER}]
  hostnames: [shop.example.com]
  rules: [{backendRefs: [{name: web, port: 80, weight: 9}, {name: next, port: 80, weight: 1}]}]
---
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(*parts: str, **names: str) -> None:
    text = "".join(parts)
    for name, value in names.items():
        text = text.replace(name, value)
    Path("shop.yaml").write_text(text, encoding="utf-8")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "shop.yaml"])


def answered() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("trace", "--url", URL, "--format", "json").stdout)
    return found


@pytest.mark.parametrize(
    ("name", "controller", "status"),
    [
        ("nginx", "k8s.io/ingress-nginx", 502),
        ("contour", "projectcontour.io/ingress-controller", 503),
        ("traefik", "traefik.io/ingress-controller", 502),
        ("haproxy", "haproxy-ingress.github.io/controller", 502),
    ],
)
def test_who_answers_decides_the_status(name: str, controller: str, status: int) -> None:
    written(INGRESS, TLS, CLASS=name, CONTROLLER=controller, NAME="web")
    found = answered()
    assert (found["outcome"], found["status"], found["because"]) == ("error", status, ["IL502"])


def test_every_form_says_the_same() -> None:
    written(INGRESS, TLS, CLASS="nginx", CONTROLLER="k8s.io/ingress-nginx", NAME="web")
    traced = run("trace", "--url", URL)
    assert traced.exit_code == 1
    assert "client    502, because of IL502" in traced.stdout
    Path("tests.yaml").write_text(
        f"requests:\n  - {{name: it, url: {URL!r}, expect: {{backend: shop/web:80}}}}\n", encoding="utf-8"
    )
    tested = run("test", "tests.yaml")
    assert tested.exit_code == 1
    assert "got       status 502, because of IL502" in tested.stdout
    assert "502, because of IL502" in run("runbook", "--url", URL).stdout


def test_an_error_behind_one_of_several_backends_leaves_the_others() -> None:
    written(SPLIT, PLAIN.replace("NAME", "web"), TLS.replace("NAME", "next"), LISTENER="http")
    found = answered()
    assert "IL502" in found["findings"]
    assert (found["outcome"], found["status"], found["because"]) == ("backend", 200, [])
    written(SPLIT, TLS.replace("NAME", "web"), TLS.replace("NAME", "next"), LISTENER="http")
    found = answered()
    assert (found["outcome"], found["status"], found["because"]) == ("error", 503, ["IL502"])


def test_a_suppressed_finding_decides_nothing() -> None:
    written(INGRESS, TLS, CLASS="nginx", CONTROLLER="k8s.io/ingress-nginx", NAME="web")
    Path(".ingress-lint.yaml").write_text("ignore: [IL502]", encoding="utf-8")
    found = answered()
    assert (found["outcome"], found["status"], found["because"]) == ("backend", 200, [])


def test_a_request_without_a_route_names_what_kept_it_away() -> None:
    written(SPLIT, PLAIN.replace("NAME", "web"), PLAIN.replace("NAME", "next"), LISTENER="https")
    found = answered()
    assert (found["outcome"], found["status"], found["because"]) == ("no-route", 404, ["IL112"])


def test_every_error_has_a_prediction() -> None:
    rules = load_rules()
    assert {rule.code for rule in rules if rule.severity is Severity.ERROR} <= set(PREDICTIONS)
    for code, prediction in PREDICTIONS.items():
        assert (prediction.effect is Effect.NONE) == bool(prediction.why), code
        assert (prediction.effect is Effect.ANSWERED) == (prediction.status is not None), code
        assert prediction.told or prediction.effect is not Effect.TOLD, code


def test_kinds_are_of_controllers_that_there_are() -> None:
    assert {name for name in KINDS if name not in REGISTRY and by_name(name) is None} == set()


def test_what_a_trace_predicts_explain_ranks() -> None:
    for rule in load_rules():
        if rule.code in PREDICTIONS:
            named = {name for cause in rule.rule.symptoms for name in (*cause.often, *cause.sometimes)}
            assert set(PREDICTIONS[rule.code].statuses) <= named, rule.code
