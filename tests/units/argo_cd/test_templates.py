"""Templates of ApplicationSets."""

from __future__ import annotations

from typing import Any

import pytest

from ingress_lint.units.argo_cd.functions import TemplateError
from ingress_lint.units.argo_cd.templates import filled, filler

PARAMS: dict[str, Any] = {
    "name": "Web_App",
    "port": 80,
    "ratio": 0.5,
    "on": True,
    "off": False,
    "nothing": None,
    "path": {"path": "apps/web", "basename": "web", "segments": ["apps", "web"]},
    "labels": {"tier": "edge", "a-b": "dashed"},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("{{name}}-{{ path.basename }}", "web-of"),
        ("{{path[1]}}", "second"),
        ("{{unknown}}/{{ name }}", "{{unknown}}/web"),
        ("{{number}}", "{{number}}"),
        ("{{\nname}}", "{{\nname}}"),
        ("{{name", "{{name"),
        ("{{ .name }}", "{{ .name }}"),
    ],
)
def test_fasttemplate(text: str, expected: str) -> None:
    params = {"name": "web", "path.basename": "of", "path[1]": "second", "number": 80}
    assert filler(params, go=False)(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{.name}}-{{ .port }}", "Web_App-80"),
        ("{{ $.path.path }}", "apps/web"),
        ("{{ index .path.segments 1 }}", "web"),
        ('{{ index .labels "a-b" }}', "dashed"),
        ("{{ (index .path.segments 0) }}", "apps"),
        ("{{ .name | lower | replace `_` `-` }}", "web-app"),
        ("{{ normalize .name }}", "web-app"),
        ('{{ .missing | default "x" }}', "x"),
        ('{{ default "x" .nothing }}', "x"),
        ("{{ .missing }}", "<no value>"),
        ("{{ .on }} {{ .ratio }}", "true 0.5"),
        ("a {{- /* said */ -}} b", "ab"),
        ("a  {{- .port -}}  b", "a80b"),
        ("{{ if .on }}yes{{ else }}no{{ end }}", "yes"),
        ("{{ if .off }}yes{{ else if eq .name `Web_App` }}it{{ else }}no{{ end }}!", "it!"),
        ("{{ if and .on (not .off) }}{{ if .off }}a{{ end }}b{{ end }}", "b"),
        ('{{ printf "%s-%d" .path.basename 3 }}', "web-3"),
        ('{{ ternary "a" "b" (hasPrefix "apps/" .path.path) }}', "a"),
        ('{{ dig "labels" "none" "x" . }}', "x"),
        ('{{ join "." .path.segments | quote }}', '"apps.web"'),
        ("{{ last .path.segments | upper | trunc 2 }}", "WE"),
        ("{{ .labels | toJson }}", '{"tier": "edge", "a-b": "dashed"}'),
        ("{{ true }}{{ 1 }}", "true1"),
    ],
)
def test_go_templates(text: str, expected: str) -> None:
    assert filler(PARAMS, go=True)(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "{{ range .path.segments }}x{{ end }}",
        "{{ $x := .name }}",
        "{{ end }}",
        "{{ if .on }}",
        "{{ .path }}",
        "{{ .name.first }}",
        "{{ unheardOf .name }}",
        "{{ index .path.segments 7 }}",
        "{{ 'a' }}",
        "{{ .name .port }}",
        "{{ }}",
        "{{ ( .name }}",
        "{{ .name ) }}",
        "{{ .name | }}",
        "{{ lower }}",
        "{{ indent 1000000 .name }}",
        '{{ printf "%s" }}',
        "{{ " + "(" * 200 + " .name " + ")" * 200 + " }}",
        "{{ if .on }}" * 200 + "{{ end }}" * 200,
        '{{ replace "" (replace "" (replace "" .name "yyyyyyyyyyyyyyyyyyyy") "yyyyyyyyyyyy") .path.path }}' * 3
        + "{{ .a.b }}",
    ],
)
def test_what_is_more_than_plain_is_refused(text: str) -> None:
    with pytest.raises(TemplateError):
        filler(PARAMS, go=True)(text)


def test_a_parameter_that_is_missing_may_be_an_error() -> None:
    with pytest.raises(TemplateError, match="no parameter `missing` is set"):
        filler(PARAMS, go=True, strict=True)("{{ .missing }}")


def test_everything_in_a_value_is_filled_in() -> None:
    fill = filler({"a": "x"}, go=False)
    assert filled({"{{a}}": ["{{a}}", 1, None, {"b": "{{a}}-"}]}, fill) == {"x": ["x", 1, None, {"b": "x-"}]}
    deep: Any = "{{a}}"
    for _ in range(500):
        deep = [deep]
    with pytest.raises(TemplateError):
        filled(deep, fill)
