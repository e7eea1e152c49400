"""Places of rendered charts, led back to the templates and values that the real helm made them of."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ingress_lint.build.helm import Release, Rendered, Values, read_values, render
from ingress_lint.build.source_place import SourcePlace
from ingress_lint.build.sources import Sources
from ingress_lint.build.templates.places import TemplatePlaces
from ingress_lint.build.tools import Tool
from ingress_lint.load.document import Place, Pointer
from ingress_lint.load.positions import Locator
from tests.build.conftest import WriteTree

SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
  labels:
    {{- include "web.labels" . | nindent 4 }}
spec:
  selector: {{- include "web.selector" . | nindent 4 }}
  ports:
    - port: {{ .Values.service.port }}
      targetPort: http
"""
HELPERS = """\
{{- define "web.labels" -}}
{{ include "web.selector" . }}
tier: {{ .Values.tier }}
{{- end }}

{{- define "web.selector" -}}
app: web
{{- end -}}
"""
VALUES = "tier: front\nservice:\n  port: 80\n"
Made = Callable[..., "Chart"]


class Chart:
    """A chart that was rendered, and its places."""

    def __init__(self, helm: Tool, release: Release) -> None:
        result = render(release, helm, Sources())
        assert isinstance(result, Rendered), result
        self.rendered = result
        self.places = TemplatePlaces(result)
        self._locator = Locator()

    def source(
        self, kind: str, *pointer: str | int, inner: Pointer | str | None = None, number: int = 0
    ) -> SourcePlace:
        document = [one for one in self.rendered.documents if one.kind == kind][number]
        return self.places.source_place(Place(document, pointer, inner=inner))

    def at(self, kind: str, *pointer: str | int, inner: Pointer | str | None = None, number: int = 0) -> str:
        """The file and line of a place's source, with how sure it is where it is not exact."""
        source = self.source(kind, *pointer, inner=inner, number=number)
        return self.spot(source.place) + ("" if source.certainty == "exact" else f" {source.certainty}")

    def values(self, kind: str, *pointer: str | int, number: int = 0) -> list[str]:
        return [self.spot(place) for place in self.source(kind, *pointer, number=number).values]

    def spot(self, place: Place) -> str:
        location = self._locator.locate(place)
        return f"{location.file}:{location.line}"


@pytest.fixture
def made(helm: Tool, write_tree: WriteTree) -> Made:
    """Renders `web`, a chart of some templates (and other files, by their paths), with values over its own."""

    def make(files: Mapping[str, str], *over: str) -> Chart:
        chart = {"web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n"}
        folder = write_tree(chart | {f"web/{path}": text for path, text in files.items()})
        layers = []
        for index, text in enumerate(over):
            (folder / f"over-{index}.yaml").write_text(text, encoding="utf-8")
            values = read_values(f"over-{index}.yaml", Sources())
            assert isinstance(values, Values)
            layers.append(values)
        return Chart(helm, Release(str(Path("web").resolve()), values=tuple(layers)))

    return make


@pytest.fixture
def web(made: Made) -> Chart:
    return made({"templates/service.yaml": SERVICE, "templates/_helpers.tpl": HELPERS, "values.yaml": VALUES})


def test_what_is_written_in_a_template_stands_there(web: Chart) -> None:
    assert web.at("Service", "spec", "ports", 0, "targetPort") == "web/templates/service.yaml:11"
    assert web.at("Service", "metadata", "name") == "web/templates/service.yaml:4"
    assert web.at("Service", "spec", "ports", 0, "protocol") == "web/templates/service.yaml:10"


def test_labels_of_a_helper_stand_where_an_object_includes_them(web: Chart) -> None:
    source = web.source("Service", "metadata", "labels", "tier")
    assert web.spot(source.place) == "web/templates/service.yaml:6"
    assert [(caption, web.spot(place)) for caption, place in source.related] == [
        ("written here", "web/templates/_helpers.tpl:3")
    ]
    assert [web.spot(place) for place in source.values] == ["web/values.yaml:1"]


def test_a_key_stands_where_it_is_written_not_where_its_value_is(web: Chart) -> None:
    assert web.at("Service", "spec", "selector") == "web/templates/service.yaml:8"


def test_a_value_is_shown_where_it_was_set_last(made: Made) -> None:
    chart = made(
        {"templates/service.yaml": SERVICE, "templates/_helpers.tpl": HELPERS, "values.yaml": VALUES},
        "service:\n  port: 81\n",
        "service:\n  port: 82\n",
        "tier: back\n",
    )
    assert chart.at("Service", "spec", "ports", 0, "port") == "web/templates/service.yaml:10"
    assert chart.values("Service", "spec", "ports", 0, "port") == ["over-1.yaml:2"]


def test_the_template_points_at_the_action_that_prints(web: Chart) -> None:
    place = web.source("Service", "spec", "ports", 0, "port").place
    assert place.span is not None
    assert place.document.file.text[slice(*place.span)] == "{{ .Values.service.port }}"


@pytest.mark.parametrize(
    ("template", "values", "pointer", "line", "value"),
    [
        pytest.param(
            "hosts:\n  {{- toYaml .Values.hosts | nindent 2 }}\n", "hosts:\n  - a\n  - b\n", ("hosts", 1), 5, 3, id="toYaml"
        ),
        pytest.param(
            "hosts:\n  - first\n  {{- toYaml .Values.hosts | nindent 2 }}\n",
            "hosts:\n  - a\n  - b\n",
            ("hosts", 2),
            6,
            3,
            id="toYaml after an item of the template's own",
        ),
        pytest.param(
            "hosts:\n{{- range .Values.hosts }}\n  - {{ .name | quote }}\n{{- end }}\n",
            "hosts:\n  - name: a\n  - name: b\n",
            ("hosts", 1),
            6,
            3,
            id="range",
        ),
        pytest.param(
            "hosts:\n{{- range .Values.hosts }}\n  - {{ .name | quote }}\n{{- end }}\n",
            "hosts:\n  - name: a\n  - name: a\n",
            ("hosts", 1),
            6,
            3,
            id="items alike, in their order",
        ),
        pytest.param(
            "hosts:\n{{- range $host, $port := .Values.hosts }}\n  {{ $host }}: {{ $port }}\n{{- end }}\n",
            "hosts:\n  b: 1\n  a: 1\n",
            ("hosts", "b"),
            6,
            2,
            id="range over a mapping",
        ),
        pytest.param("{{- with .Values.a }}\nport: {{ .b }}\n{{- end }}\n", "a:\n  b: 1\n", ("port",), 5, 2, id="with"),
        pytest.param(
            'port: {{ .Values.a | default .Values.b }}\n', "b: 1\n", ("port",), 4, 1, id="default of another value"
        ),
        pytest.param("port: {{ coalesce .Values.a .Values.b }}\n", "b: 1\n", ("port",), 4, 1, id="coalesce"),
        pytest.param('port: {{ index .Values "a-b" "c" }}\n', "a-b:\n  c: 1\n", ("port",), 4, 2, id="index"),
        pytest.param('port: {{ get .Values.a "b" }}\n', "a: {b: 1}\n", ("port",), 4, 1, id="get"),
        pytest.param(
            'port: {{ include "port" (dict "root" $ "port" .Values.a) }}\n', "a: 1\n", ("port",), 4, 1, id="a dict's field"
        ),
        pytest.param(
            '{{- $a := .Values.a }}\n{{- if .Values.a }}\nport: {{ printf "%v" $a.b }}\n{{- end }}\n',
            "a:\n  b: 1\n",
            ("port",),
            6,
            2,
            id="a variable",
        ),
        pytest.param(
            "url: http://{{ .Values.host }}:{{ .Values.port }}/\n", "host: a.example\nport: 8\n", ("url",), 4, 1, id="a part"
        ),
        pytest.param(
            "host: {{ tpl .Values.host . }}\n", 'name: x\nhost: "a.{{ .Values.name }}"\n', ("host",), 4, 1, id="tpl"
        ),
        pytest.param(
            "hosts: {{- tpl (toYaml .Values.hosts) . | nindent 2 }}\n",
            'name: x\nhosts:\n  - a: "{{ .Values.name }}"\n',
            ("hosts", 0, "a"),
            4,
            3,
            id="tpl of a block",
        ),
        pytest.param(
            "list:\n  {{- toYaml .Values.list | nindent 2 }}\n",
            "port: &port 1\nlist:\n  - port: *port\n",
            ("list", 0, "port"),
            5,
            1,
            id="an alias",
        ),
        pytest.param(
            'scheme: {{ ternary "HTTPS" "HTTP" .Values.tls }}\n', "tls: true\n", ("scheme",), 4, 1, id="a switch"
        ),
        pytest.param(
            '{{- $all := fromYaml (include "labels" .) }}\nhost: {{ $all.host }}\n',
            "domain: a.example\nnested:\n  host: b.example\n",
            ("host",),
            5,
            3,
            id="called alike where nothing shows the way",
        ),
        pytest.param(
            "port: {number: {{ if .Values.a -}}\n  {{- .Values.b -}}\n{{- else -}}\n  1\n{{- end -}} }\n",
            "a: true\nb: 7\n",
            ("port", "number"),
            4,
            2,
            id="lines that run on into one another",
        ),
        pytest.param(
            'port: {{ include "port" (dict\n    "root" $\n    "port" .Values.a) }}\n', "a: 1\n", ("port",), 4, 1, id="lines of one action"
        ),
    ],
)  # fmt: skip
def test_lines_and_the_values_that_decide_them(
    made: Made, template: str, values: str, pointer: Pointer, line: int, value: int
) -> None:
    head = "apiVersion: example.com/v1\nkind: Example\nmetadata: {name: x}\n"
    helpers = '{{- define "port" -}}\n{{ .port }}\n{{- end -}}\n{{- define "labels" -}}\nhost: {{ .Values.nested.host }}\n{{- end -}}\n'
    for text in (head + template, (head + template).replace("\n", "\r\n")):
        chart = made({"templates/x.yaml": text, "templates/_helpers.tpl": helpers, "values.yaml": values})
        assert chart.at("Example", *pointer) == f"web/templates/x.yaml:{line}"
        assert chart.values("Example", *pointer)[0] == f"web/values.yaml:{value}"


def test_values_of_a_part_are_shown_where_its_parent_sets_them(made: Made) -> None:
    part = {
        "charts/db/Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.0.0\n",
        "charts/db/values.yaml": "port: 1\nname: db\nglobal:\n  domain: x.example\n",
        "charts/db/templates/service.yaml": "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Values.name }}\n"
        "spec:\n  externalName: {{ .Values.global.domain }}\n  ports: [{port: {{ .Values.port }}}]\n",
    }
    chart = made({**part, "values.yaml": "db:\n  port: 2\n"}, "global:\n  domain: y.example\n")
    template = "web/charts/db/templates/service.yaml"
    assert chart.at("Service", "spec", "ports", 0, "port") == f"{template}:7"
    assert chart.values("Service", "spec", "ports", 0, "port") == ["web/values.yaml:2"]
    assert chart.values("Service", "metadata", "name") == ["web/charts/db/values.yaml:2"]
    assert chart.values("Service", "spec", "externalName") == ["over-0.yaml:2"]


def test_the_setting_in_a_block_not_its_key(made: Made) -> None:
    template = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  a.conf: |\n    listen 80;\n    {{- if .Values.more }}\n"
        '    root /;\n    {{- end }}\n  b.conf: |\n    {{- .Files.Get "b.conf" | nindent 4 }}\n'
    )
    chart = made({"templates/map.yaml": template, "values.yaml": "more: true\n", "b.conf": "user a;\n\nlisten 81;\n"})
    assert chart.at("ConfigMap", "data", "a.conf", inner="root /") == "web/templates/map.yaml:8"
    assert chart.at("ConfigMap", "data", "b.conf", inner="listen 81") == "web/b.conf:3"


def test_a_text_that_has_no_room_for_marks_is_found_all_the_same(made: Made) -> None:
    breaking = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\ndata:\n  a: 'one\n\n    two\n    three'\n"
        '  b: {{ .Values.b }}\n  c: "{{ include "quoted" . }}"\n'
    )
    quoted = '{{- define "quoted" -}}\na: 1 {{ .Values.b }}\n{{- end -}}\n'
    chart = made(
        {
            "templates/service.yaml": SERVICE,
            "templates/_helpers.tpl": HELPERS,
            "templates/map.yaml": breaking,
            "templates/_quoted.tpl": quoted,
            "values.yaml": VALUES + "b: 5\n",
        }
    )
    assert chart.at("Service", "spec", "ports", 0, "targetPort") == "web/templates/service.yaml:11"
    assert chart.at("ConfigMap", "data", "b").startswith("web/templates/map.yaml:10")


def test_values_made_anew_each_time_stand_where_they_are_made(made: Made) -> None:
    template = "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\ndata:\n  a: {{ randAlphaNum 9 | b64enc }}\n  b: c\n"
    chart = made({"templates/secret.yaml": template})
    assert chart.at("Secret", "data", "a") == "web/templates/secret.yaml:5"
    assert chart.at("Secret", "data", "b") == "web/templates/secret.yaml:6"


def test_without_a_second_rendering_the_template_s_own_text_tells(web: Chart, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingress_lint.build.running import Failure
    from ingress_lint.build.templates import rendering

    monkeypatch.setattr(rendering, "run_helm", lambda *_: Failure("time-limit", "too slow"))
    assert web.at("Service", "spec", "ports", 0, "targetPort") == "web/templates/service.yaml:11"
    assert web.at("Service", "spec", "ports", 0, "port") == "web/templates/service.yaml:10"
    assert web.at("Service", "spec", "selector", "app") == "web/templates/service.yaml:8"
    assert web.at("Service", "metadata", "labels", "tier") == "web/templates/service.yaml:6"


def test_nothing_is_rendered_again_before_a_place_is_asked_for(web: Chart, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingress_lint.build.templates import rendering

    runs = []
    real = rendering.run_helm
    monkeypatch.setattr(rendering, "run_helm", lambda *given: runs.append(given) or real(*given))
    assert {file.path for file in web.places.files} == {
        "web/templates/service.yaml", "web/templates/_helpers.tpl", "web/values.yaml"
    }  # fmt: skip
    assert runs == []
    for _ in range(2):
        assert web.at("Service", "metadata", "name") == "web/templates/service.yaml:4"
    assert len(runs) == 1


def test_of_a_part_in_an_archive_the_value_is_what_to_edit(helm: Tool, write_tree: WriteTree) -> None:
    service = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: db}\nspec:\n  ports: [{port: {{ .Values.port }}, name: x}]\n"
    )
    folder = write_tree(
        {
            "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n  - {name: db, version: 1.0.0}\n",
            "web/values.yaml": "db:\n  port: 5432\n",
        }
    )
    (folder / "web/charts").mkdir()
    part = {"db/Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.0.0\n", "db/templates/service.yaml": service}
    with tarfile.open(folder / "web/charts/db-1.0.0.tgz", "w:gz") as archive:
        for name, text in part.items():
            held = tarfile.TarInfo(name)
            held.size = len(text)
            archive.addfile(held, io.BytesIO(text.encode()))
    chart = Chart(helm, Release(str(Path("web").resolve())))
    assert chart.at("Service", "spec", "ports", 0, "port") == "web/values.yaml:2 likely"
    assert chart.at("Service", "spec", "ports", 0, "name") == "web/Chart.yaml:5 template"
    for field in ("port", "name"):
        ((caption, place),) = chart.source("Service", "spec", "ports", 0, field).related
        assert caption == "written by charts/db/templates/service.yaml in the archive of this chart"
        assert chart.spot(place) == "web/Chart.yaml:5"


def test_of_a_chart_elsewhere_the_value_is_what_to_edit(
    made: Made, helm: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made({"templates/service.yaml": SERVICE, "templates/_helpers.tpl": HELPERS, "values.yaml": VALUES})
    elsewhere = str(Path("web").resolve())
    Path("mine").mkdir()
    monkeypatch.chdir("mine")
    Path("values.yaml").write_text("service:\n  port: 81\n", encoding="utf-8")
    values = read_values("values.yaml", Sources())
    assert isinstance(values, Values)
    chart = Chart(helm, Release(elsewhere, values=(values,)))
    source = chart.source("Service", "spec", "ports", 0, "port")
    assert chart.spot(source.place) == "values.yaml:2"
    assert [(caption, chart.spot(place)) for caption, place in source.related] == [
        ("written here", f"{elsewhere}/templates/service.yaml:10")
    ]
    assert chart.at("Service", "spec", "ports", 0, "targetPort") == f"{elsewhere}/templates/service.yaml:11"
