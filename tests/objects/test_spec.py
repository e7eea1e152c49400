"""An object whose `spec` is no mapping: refused once, known by its name, and silent in all else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingress_lint.engine import check
from ingress_lint.manifests import Options
from ingress_lint.objects.kinds import _KINDS, CLUSTER_SCOPED, model_of
from ingress_lint.objects.model import fields_of
from ingress_lint.packs import load_rules
from ingress_lint.report import Report

RULES = load_rules()
SPECS: dict[str, Any] = {"null": None, "text": "text", "list": [], "number": 5, "empty": {}}
WORDS = {"null": "empty", "text": 'the text "text"', "list": "a list", "number": "the number 5"}
NAME = "web"
POD = {
    "metadata": {"labels": {"app": NAME}},
    "spec": {"containers": [{"name": NAME, "image": "nginx", "ports": [{"containerPort": 8080}]}]},
}
GATEWAY = {
    "gatewayClassName": NAME,
    "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}],
    "infrastructure": {"labels": {"tier": []}},
}
BACKEND = {"service": {"name": NAME, "port": {"number": 80}}}
AROUND: dict[tuple[str, str], Any] = {
    ("v1", "Service"): {"selector": {"app": NAME}, "ports": [{"port": 80, "targetPort": 8080}]},
    ("apps/v1", "Deployment"): {"selector": {"matchLabels": {"app": NAME}}, "template": POD},
    ("networking.k8s.io/v1", "IngressClass"): {"controller": "k8s.io/ingress-nginx"},
    ("networking.k8s.io/v1", "Ingress"): {
        "ingressClassName": NAME,
        "tls": [{"hosts": ["shop.example.com"], "secretName": NAME}],
        "rules": [
            {
                "host": "shop.example.com",
                "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": BACKEND}]},
            }
        ],
    },
    ("gateway.networking.k8s.io/v1", "GatewayClass"): {
        "controllerName": "gateway.envoyproxy.io/gatewayclass-controller"
    },
    ("gateway.networking.k8s.io/v1", "Gateway"): GATEWAY,
    ("gateway.networking.k8s.io/v1", "HTTPRoute"): {
        "parentRefs": [{"name": NAME}],
        "rules": [{"backendRefs": [{"name": NAME, "port": 80}]}],
    },
}
"""A request's whole way, over objects of one name."""


def lint(folder: Path, objects: dict[tuple[str, str], Any], **options: Any) -> Report:
    texts = []
    for (version, kind), spec in objects.items():
        namespace = {} if kind in CLUSTER_SCOPED else {"namespace": "shop"}
        item = {"apiVersion": version, "kind": kind, "metadata": {"name": NAME, **namespace}, "spec": spec}
        texts.append(json.dumps(item))
    (folder / "manifest.yaml").write_text("\n---\n".join(texts))
    return check(Options(paths=[str(folder)], **options), RULES)


def codes(report: Report) -> set[str]:
    return {found.code for found in report.findings}


@pytest.mark.parametrize(("group", "kind"), [*_KINDS], ids=str)
@pytest.mark.parametrize("which", [*SPECS])
def test_no_rule_breaks_down(tmp_path: Path, group: str, kind: str, which: str) -> None:
    version = f"{group}/v1" if group else "v1"
    assert not lint(tmp_path, {**AROUND, (version, kind): SPECS[which]}).failures


@pytest.mark.parametrize(("group", "kind"), [*_KINDS], ids=str)
@pytest.mark.parametrize("which", [*WORDS])
def test_a_spec_that_is_no_mapping_is_refused_once(tmp_path: Path, group: str, kind: str, which: str) -> None:
    version = f"{group}/v1" if group else "v1"
    model = model_of(version, kind)
    assert model is not None
    if all(field.encode_name != "spec" for field in fields_of(model)):
        pytest.skip("this kind has no spec")
    found = lint(tmp_path, {(version, kind): SPECS[which]}).findings
    assert [(item.code, item.location.pointer, item.message) for item in found if item.code != "IL004"] == [
        ("IL002", "/spec", f"`spec` must be a mapping, and this is {WORDS[which]}; the API server refuses the object")
    ]


def test_what_refers_to_a_refused_service_does_not_miss_it(tmp_path: Path) -> None:
    service, ingress = ("v1", "Service"), ("networking.k8s.io/v1", "Ingress")
    assert "IL401" in codes(lint(tmp_path, {ingress: AROUND[ingress]}, assume="complete"))
    refused = codes(lint(tmp_path, {ingress: AROUND[ingress], service: "text"}, assume="complete"))
    assert "IL002" in refused
    assert "IL401" not in refused


@pytest.mark.parametrize(("label", "lacking"), [("[]", False), ("other", True)])
def test_every_label_of_a_gateway_counts_as_text(tmp_path: Path, label: str, lacking: bool) -> None:
    service = {"selector": {"tier": label}, "ports": [{"port": 80}]}
    report = lint(tmp_path, {**AROUND, ("v1", "Service"): service})
    assert not report.failures
    assert ("IL403" in codes(report)) is lacking
