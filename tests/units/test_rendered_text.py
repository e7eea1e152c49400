"""Text that helm has rendered before: its findings stand in the chart on disk that it was rendered from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ingress_lint.__main__ import main

from .conftest import Tree

ROUTES = """\
{{- range .Values.routes }}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ .name }}
  labels:
    {{- include "web.labels" $ | nindent 4 }}
spec:
  ingressClassName: nginx
  rules:
    {{- range .hosts }}
    - host: {{ . }}
      http:
        paths:
          {{- if $.Values.exact }}
          - path: /exact
            pathType: Exact
          {{- else }}
          - path: /
            pathType: Prefix
          {{- end }}
            backend:
              service:
                name: {{ $.Values.service }}
                port:
                  number: {{ $.Values.port }}
    {{- end }}
{{- end }}
"""
HELPERS = '{{- define "web.labels" -}}\napp: web\n{{- end }}\n'
VALUES = "service: web\nport: 80\nroutes: []\n"
SOURCE = "---\n# Source: web/templates/{}\n"
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  selector: {app: web}\n  ports: [{port: 80}]\n"
HOST = """\
    - host: {}
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: web
                port:
                  number: {}
"""


def ingress(name: str, *ports: int) -> str:
    hosts = "".join(HOST.format(f"{name}{port}.example.com", port) for port in ports)
    return (
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n"
        f"  name: {name}\n  labels:\n    app: web\nspec:\n  ingressClassName: nginx\n  rules:\n{hosts}"
    )


def chart(folder: str = "charts/web", name: str = "web") -> dict[str, str]:
    return {
        f"{folder}/Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n",
        f"{folder}/values.yaml": VALUES,
        f"{folder}/templates/routes.yaml": ROUTES,
        f"{folder}/templates/service.yaml": SERVICE,
        f"{folder}/templates/_helpers.tpl": HELPERS,
    }


def text(*ports: int) -> str:
    return (
        SOURCE.format("service.yaml")
        + SERVICE
        + SOURCE.format("routes.yaml")
        + ingress("a", *ports)
        + (SOURCE.format("routes.yaml") + ingress("b", 80))
    )


def check(*arguments: str, given: str = "") -> list[dict[str, Any]]:
    command = ["check", "--select", "IL402", "--no-render", "--format", "json", *arguments]
    result = CliRunner().invoke(main, command, input=given, catch_exceptions=False)
    found: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    return found


def spot(finding: dict[str, Any], name: str = "location") -> str:
    return f"{finding[name]['file']}:{finding[name]['line']}"


def test_a_finding_stands_at_the_line_of_the_template(tree: Tree) -> None:
    tree(chart())
    (finding,) = check("-", given=text(80, 81))
    assert spot(finding) == "charts/web/templates/routes.yaml:27"
    assert spot(finding, "rendered") == "-:39"
    assert finding["mapping"] == "exact"
    assert finding["units"] == ["-"]


def test_a_value_that_somebody_gave_elsewhere_is_not_taken_for_the_chart_s_own(tree: Tree) -> None:
    tree(chart())
    (finding,) = check("-", given=text(81))
    assert "charts/web/values.yaml:2" not in map(spot, finding["related"])
    tree({"charts/web/values.yaml": VALUES.replace("80", "81")})
    (finding,) = check("-", given=text(81))
    assert "charts/web/values.yaml:2" in map(spot, finding["related"])


def test_files_that_helm_wrote_lead_to_their_templates(tree: Tree) -> None:
    tree(chart())
    tree(
        {
            "out/web/templates/service.yaml": SOURCE.format("service.yaml") + SERVICE,
            "out/web/templates/routes.yaml": SOURCE.format("routes.yaml") + ingress("a", 81),
        }
    )
    (finding,) = check("out")
    assert spot(finding) == "charts/web/templates/routes.yaml:27"
    assert spot(finding, "rendered") == "out/web/templates/routes.yaml:21"


def test_a_template_of_a_chart_below_another(tree: Tree) -> None:
    tree(chart("charts/shop/charts/web"))
    tree({"charts/shop/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n"})
    given = text(81).replace("# Source: web/", "# Source: shop/charts/web/")
    (finding,) = check("-", given=given)
    assert spot(finding) == "charts/shop/charts/web/templates/routes.yaml:27"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "-"),
        (chart(name="other"), "-"),
        ({path: text for path, text in chart().items() if "routes" not in path}, "-"),
        (chart() | chart("deploy/web"), "-"),
        (chart("old/deep/web") | chart(), "charts/web/templates/routes.yaml"),
        (chart("."), "templates/routes.yaml"),
    ],
    ids=["none", "another name", "without the template", "two alike", "the nearer", "the working directory"],
)
def test_which_chart_it_is(files: dict[str, str], expected: str, tree: Tree) -> None:
    tree(files)
    (finding,) = check("-", given=text(81))
    assert finding["location"]["file"] == expected


def test_what_names_no_template_stays_where_it_is(tree: Tree) -> None:
    tree(chart())
    found = check("-", given=text(81) + "---\n" + ingress("c", 83))
    assert sorted(map(spot, found)) == ["-:70", "charts/web/templates/routes.yaml:27"]


def test_a_comment_in_the_template_takes_the_finding(tree: Tree) -> None:
    line = "                  number: {{ $.Values.port }}\n"
    tree(
        chart()
        | {"charts/web/templates/routes.yaml": ROUTES.replace(line, "{{/* ingress-lint: ignore[IL402] */}}\n" + line)}
    )
    assert not check("-", given=text(81))


def test_the_chart_may_lie_beside_the_working_directory_in_one_repository(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree({**chart(), ".git/HEAD": "", "deploy/README.md": ""})
    monkeypatch.chdir(Path("deploy"))
    (finding,) = check("-", given=text(81))
    assert finding["location"]["file"].endswith("charts/web/templates/routes.yaml")
