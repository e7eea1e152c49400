"""Findings in charts: where they stand, in which words and forms, and what takes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ingress_lint.__main__ import main
from ingress_lint.build.tools import Tool

from .conftest import Tree

ROUTE = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
spec:
  defaultBackend:
    service:
      name: web
      port:
        number: {{ .Values.port }}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: {{ .Values.service }}}]
"""
LINE = "        number: {{ .Values.port }}\n"
VALUES = "port: 81\nservice: 80\n"
Run = Callable[..., Result]


@pytest.fixture
def run(helm: Tool, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("PATH", str(Path(helm.path).parent))

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["check", "--select", "IL402,IL009", *arguments], catch_exceptions=False)

    return invoke


def chart(route: str = ROUTE, values: str = VALUES) -> dict[str, str]:
    return {
        "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
        "web/templates/route.yaml": route,
        "web/values.yaml": values,
    }


def findings(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    return found


def test_a_finding_stands_in_the_template_with_the_values_on_both_sides(run: Run, tree: Tree) -> None:
    tree(chart())
    (finding,) = findings(run("web", "--format", "json"))
    assert (finding["location"]["file"], finding["location"]["line"]) == ("web/templates/route.yaml", 10)
    assert finding["location"]["pointer"] == "/spec/defaultBackend/service/port/number"
    assert (finding["mapping"], finding["rendered"]["file"]) == ("exact", "web (rendered)")
    related = [(one["message"], one["location"]["file"], one["location"]["line"]) for one in finding["related"]]
    assert related[-2:] == [
        ("the value is set here", "web/values.yaml", 1),
        ("the value is set here", "web/values.yaml", 2),
    ]


def test_github_shows_a_finding_at_the_value_as_well(run: Run, tree: Tree) -> None:
    tree(chart())
    annotations = [line for line in run("web", "--format", "github").stdout.splitlines() if line.startswith("::error")]
    places = [tuple(one.partition(" ")[2].split(",")[:2]) for one in annotations]
    assert places == [("file=web/templates/route.yaml", "line=10"), ("file=web/values.yaml", "line=1")]
    assert annotations[1].endswith("web/templates/route.yaml:10: written here")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{{ .Values.port }}", "{{ .Values.port }} # ingress-lint: ignore[IL402]"),
        ("{{ .Values.port }}", "{{ .Values.port }} {{- /* ingress-lint: ignore[IL402] patched later */}}"),
        ("        number:", "        # ingress-lint: ignore[IL402]\n        number:"),
        ("        number:", "        {{/* ingress-lint: ignore[IL402] */}}\n        {{- /* why */}}\n        number:"),
        ("port: 81", "port: 81 # ingress-lint: ignore[IL402]"),
        ("port: 81", "# ingress-lint: ignore[IL402]\nport: 81"),
    ],
)
def test_comments_in_templates_and_values_take_findings(run: Run, tree: Tree, old: str, new: str) -> None:
    tree({path: text.replace(old, new) for path, text in chart().items()})
    result = run("web", "--format", "json")
    assert findings(result) == []
    assert json.loads(result.stdout)["summary"]["suppressed"] == 1


def test_a_comment_that_takes_nothing_is_told_of_in_the_template(run: Run, tree: Tree) -> None:
    tree(
        chart(
            ROUTE.replace("kind: Service", "kind: Service {{/* ingress-lint: ignore[IL402] */}}"),
            "port: 80\nservice: 80\n",
        )
    )
    (finding,) = findings(run("web", "--format", "json"))
    assert (finding["code"], finding["location"]["file"], finding["location"]["line"]) == (
        "IL009",
        "web/templates/route.yaml",
        13,
    )


def test_the_text_says_where_a_place_is_not_exact(run: Run, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingress_lint.build.running import Failure
    from ingress_lint.build.templates import rendering

    either = ROUTE.replace(LINE, f"{{{{- if .Values.other }}}}\n{LINE}{{{{- else }}}}\n{LINE}{{{{- end }}}}\n")
    tree(chart(either))
    assert "= place:" not in run("web", "--no-cache").stdout
    monkeypatch.setattr(rendering, "run_helm", lambda *_: Failure("time-limit", "too slow"))
    shown = run("web", "--no-cache").stdout
    assert "--> web/templates/route.yaml:11:" in shown
    assert "= place: this is most likely what to edit" in shown
    sarif = json.loads(run("web", "--no-cache", "--format", "sarif").stdout)
    assert sarif["runs"][0]["results"][0]["properties"]["mapping"] == "likely"


def test_a_finding_of_several_values_files_is_one(run: Run, tree: Tree) -> None:
    tree(chart() | {"web/ci/a-values.yaml": "other: 1\n", "web/ci/b-values.yaml": "service: 79\n"})
    found = findings(run("web", "--format", "json"))
    assert [(one["location"]["line"], one["units"]) for one in found] == [
        (10, ["web:ci/b-values.yaml"]),
        (10, ["web", "web:ci/a-values.yaml"]),
    ]


SECRET = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {0}}}
spec:
  ingressClassName: nginx
  rules:
    - host: {0}.example.com
      http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}]}}
  tls: [{{hosts: [{0}.example.com], secretName: {0}}}]
"""


def test_what_a_chart_cannot_know_of_its_cluster_is_said_once(run: Run, tree: Tree) -> None:
    two = chart("---\n".join(map(SECRET.format, "ab")))
    tree({**two, "web/values-prod.yaml": "port: 80\n", "c.yaml": SECRET.format("c"), "d.yaml": SECRET.format("d")})
    tree({path.replace("web/", "shop/"): text for path, text in two.items()})
    found = findings(run("--select", "IL105", "--format", "json", "."))
    assert [(one["severity"], one["location"]["file"], len(one["units"])) for one in found] == [
        ("note", "c.yaml", 1),
        ("note", "d.yaml", 1),
        ("note", "shop/templates/route.yaml", 1),
        ("note", "web/templates/route.yaml", 2),
    ]
    assert found[2]["message"].endswith("(the like once more in this chart)")


def test_what_the_values_of_a_chart_switch_off_is_not_missing(run: Run, tree: Tree) -> None:
    service = ROUTE.partition("---\n")[2]
    switched = f"{{{{- if .Values.enabled }}}}\n---\n{service}{{{{- end }}}}\n"
    other = service.replace("name: web", "name: other")
    template = ROUTE.partition("---\n")[0] + switched + f"---\n{other}"
    tree(chart(template, VALUES + "enabled: false\n") | {"web/values-prod.yaml": "port: 80\nenabled: true\n"})
    found = findings(run("--select", "IL401", "--format", "json", "web"))
    assert {one["severity"] for one in found} <= {"note"}
