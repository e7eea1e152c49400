"""`explain --symptom`: rules for what is seen, and the findings that explain it first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ingress_lint.__main__ import main
from ingress_lint.packs import load_rules

MANIFEST = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: web, port: {number: 80}}}
          - path: /cart
            pathType: Prefix
            backend: {service: {name: cart, port: {number: 81}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: cart}
spec: {selector: {app: cart}, ports: [{port: 80}]}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.yaml").write_text(MANIFEST)
    return tmp_path


def explain(*arguments: str) -> Result:
    return CliRunner().invoke(main, ("explain", *arguments), catch_exceptions=False)


def test_rules_are_ranked_with_their_reasons() -> None:
    result = explain("--symptom", "503 UH")
    assert result.exit_code == 0
    assert "503: the proxy knows of no pod that may answer.\nno-healthy-upstream: " in result.stdout
    assert (
        "  IL405 no-endpoints (error, service)\n      the Service has no endpoints by design (often 503, no-h"
        in result.stdout
    )
    assert "--verbose says why" in result.stdout
    assert "ingress-lint explain IL201 tells how" in result.stdout
    assert "--verbose says why" not in explain("--symptom", "503 UH", "--verbose").stdout


def test_what_is_found_comes_first() -> None:
    result = explain("--symptom", "503", "shop.yaml")
    assert result.exit_code == 1
    found, _, rest = result.stdout.partition("Rules that explain it and find nothing here")
    assert "Found in these manifests" in found
    assert "error[IL405]" in found
    assert "error[IL402]" in found
    assert "IL116" not in found
    assert "IL405" not in rest
    assert "IL401" in rest


def test_a_symptom_that_no_finding_explains() -> None:
    result = explain("--symptom", "nf_conntrack: table full", "shop.yaml")
    assert result.exit_code == 0
    assert "Nothing that is found in these manifests explains it." in result.stdout
    assert "IL304" in result.stdout


def test_json() -> None:
    answer = json.loads(explain("--symptom", "503 UH", "--format", "json").stdout)
    assert [symptom["name"] for symptom in answer["symptoms"]] == ["503", "no-healthy-upstream"]
    assert {"code", "name", "severity", "hop", "summary", "reasons"} == set(answer["rules"][0])
    assert {"why", "often", "sometimes"} == set(answer["rules"][0]["reasons"][0])
    assert answer["findings"] == []


def test_json_has_the_rules_that_fire_first() -> None:
    answer = json.loads(explain("--symptom", "503 UH", "--format", "json", "shop.yaml").stdout)
    found = list(dict.fromkeys(finding["code"] for finding in answer["findings"]))
    assert "IL405" in found
    assert [rule["code"] for rule in answer["rules"]][: len(found)] == found


def test_a_rule_as_json() -> None:
    rule = json.loads(explain("IL405", "--format", "json").stdout)
    assert rule["name"] == "no-endpoints"
    assert "## Fix" in rule["documentation"]


def test_words_are_the_last_resort() -> None:
    result = explain("--symptom", "pods restart for ever while they start")
    assert result.exit_code == 0
    assert "IL512" in result.stdout


def test_a_symptom_that_no_rule_looks_for() -> None:
    result = explain("--symptom", "503 UO")
    assert result.exit_code == 0
    assert "circuit-open: " in result.stdout
    assert "No rule looks for what causes it." in result.stdout


@pytest.mark.parametrize("text", ["", "\x1b[31mnonsense\x1b]0;\u202e" + "x" * 1000])
def test_an_unknown_symptom_is_a_usage_error_and_harmless(text: str) -> None:
    result = explain("--symptom", text)
    assert result.exit_code == 2
    assert "nothing is known of the symptom" in result.stderr
    assert "\x1b" not in result.stderr
    assert "\u202e" not in result.stderr
    assert len(result.stderr) < 500


def test_text_of_manifests_is_harmless(folder: Path) -> None:
    (folder / "shop.yaml").write_text(MANIFEST.replace("name: web", r'name: "web\e[31m"'))
    assert "\x1b" not in explain("--symptom", "503", "shop.yaml", "--color", "never").stdout


@pytest.mark.parametrize("names", [(), ("IL401", "IL402"), ("shop.yaml", "--context", "x")])
def test_neither_one_rule_nor_a_symptom(names: tuple[str, ...]) -> None:
    assert explain(*names).exit_code == 2


def test_what_cannot_be_read_exits_2() -> None:
    result = explain("--symptom", "503", "nowhere", "shop.yaml")
    assert result.exit_code == 2
    assert "nowhere: No such file or directory" in result.stderr
    assert "IL405" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(("empty",), "nothing to lint in empty/"), (("shop.yaml", "--unit", "other"), "no unit is called other")],
)
def test_where_there_is_nothing_to_lint_exits_2(folder: Path, arguments: tuple[str, ...], told: str) -> None:
    (folder / "empty").mkdir()
    result = explain("--symptom", "503", *arguments)
    assert result.exit_code == 2
    assert told in result.stderr


def test_the_configuration_and_suppressions_hold(folder: Path) -> None:
    (folder / ".ingress-lint.yaml").write_text("fail-on: never\nignore: [IL402]\n")
    result = explain("--symptom", "503", "shop.yaml", "--format", "json")
    assert result.exit_code == 0
    codes = {finding["code"] for finding in json.loads(result.stdout)["findings"]}
    assert "IL405" in codes
    assert "IL402" not in codes
    (folder / "shop.yaml").write_text(MANIFEST.replace("name: web}\n", "name: web}  # ingress-lint: ignore[IL405]\n"))
    assert "[IL405]" not in explain("--symptom", "503", "shop.yaml").stdout


def test_a_rule_that_breaks_down_exits_2(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = next(rule for rule in load_rules() if rule.code == "IL402")

    def fail(*_: object) -> None:
        raise KeyError("port")

    monkeypatch.setattr(type(broken.rule), "check_route", fail)
    result = explain("--symptom", "503", "shop.yaml")
    assert result.exit_code == 2
    assert "rule IL402 broke down" in result.stderr


def test_findings_that_end_in_another_status_come_last(folder: Path) -> None:
    (folder / "shop.yaml").write_text(
        MANIFEST.replace("path: /cart", "path: '/cart/*'").replace(
            "pathType: Prefix\n            backend: {service: {name: c",
            "pathType: Exact\n            backend: {service: {name: c",
        )
    )
    findings = json.loads(explain("--symptom", "404", "--format", "json", "shop.yaml").stdout)["findings"]
    assert [finding["code"] for finding in findings] == ["IL108", "IL402"]
    assert "503" in findings[1]["message"]
