"""`test`: files of routing tests, how they are judged, what is printed, and the exit status."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from ingress_lint.__main__ import main
from ingress_lint.tracing.routing_tests import schema

ROOT = Path(__file__).parent.parent.parent
SCHEMA = ROOT / "docs" / "routing-tests.schema.json"
EXAMPLE = ROOT / "examples" / "routing-tests.yaml"
MANIFESTS = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: shop}
spec:
  gatewayClassName: example
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: shop}
spec:
  parentRefs: [{name: front}]
  hostnames: [shop.example.com]
  rules:
    - backendRefs: [{name: web, port: 80}]
    - matches: [{path: {type: PathPrefix, value: /split}}]
      backendRefs: [{name: web, port: 80, weight: 9}, {name: next, port: 80, weight: 1}, {name: old, port: 80, weight: 0}]
    - matches: [{path: {type: PathPrefix, value: /old}}]
      filters:
        - type: RequestRedirect
          requestRedirect: {scheme: https, statusCode: 301, path: {type: ReplaceFullPath, replaceFullPath: /new}}
    - matches: [{path: {value: /beta}, headers: [{name: X-Beta, value: "yes"}], method: POST}]
      backendRefs: [{name: next, port: 80}]
    - matches: [{path: {value: /gone}}]
      backendRefs: [{name: gone, port: 80}]
""" + "".join(
    f"""---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec: {{selector: {{app: {name}}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: {name}, image: example/{name}:1, ports: [{{containerPort: 8080}}]}}]}}
"""
    for name in ("web", "next", "old")
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for variable in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "shop.yaml").write_text(MANIFESTS)
    return tmp_path


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ("test", *arguments), input=stdin, catch_exceptions=False)


def one(expect: str, url: str = "http://shop.example.com/", more: str = "") -> Result:
    Path("tests.yaml").write_text(f"requests:\n  - name: it\n    url: {url}\n    expect: {expect}\n{more}")
    return run("tests.yaml", "shop.yaml")


@pytest.mark.parametrize(
    ("url", "expect"),
    [
        ("http://shop.example.com/", "{backend: shop/web:80}"),
        ("http://shop.example.com/", "{backend: shop/web:http}"),
        ("http://shop.example.com/", "{backend: shop/web}"),
        ("http://shop.example.com/", "{backend: [shop/web:80]}"),
        ("http://shop.example.com/", "{backend: shop/web:80, status: 200}"),
        ("http://shop.example.com/", "{status: 200}"),
        ("http://shop.example.com/split", "{backend: [shop/next:80, shop/web:80]}"),
        ("http://shop.example.com/old", "{redirect: 'https://shop.example.com/new'}"),
        ("http://shop.example.com/old", "{redirect: 'HTTPS://SHOP.example.com:443/new'}"),
        ("http://shop.example.com/old", "{redirect: 'https://shop.example.com/new', status: 301}"),
        ("http://shop.example.com/old", "{status: 301}"),
        ("http://shop.example.com/gone", "{status: 500}"),
        ("http://www.example.com/", "{status: 404}"),
    ],
)
def test_answers_that_are_expected(url: str, expect: str) -> None:
    result = one(expect, url)
    assert result.exit_code == 0, result.output
    assert "1 of 1 request answered as expected" in result.stdout


@pytest.mark.parametrize(
    ("url", "expect", "got"),
    [
        ("http://shop.example.com/", "{backend: shop/next:80}", "shop/web:80"),
        ("http://shop.example.com/", "{backend: shop/web:81}", "shop/web:80"),
        ("http://shop.example.com/", "{backend: other/web:80}", "shop/web:80"),
        ("http://shop.example.com/", "{backend: [shop/web:80, shop/next:80]}", "shop/web:80"),
        ("http://shop.example.com/", "{status: 404}", "shop/web:80"),
        ("http://shop.example.com/", "{redirect: 'https://shop.example.com/'}", "shop/web:80"),
        ("http://shop.example.com/split", "{backend: shop/web:80}", "shop/web:80 (90%) and shop/next:80 (10%)"),
        ("http://shop.example.com/old", "{backend: shop/web:80}", "a redirect (301) to https://shop.example.com/new"),
        ("http://shop.example.com/old", "{redirect: 'https://shop.example.com/'}", "a redirect (301) to https://shop"),
        ("http://shop.example.com/old", "{redirect: 'https://shop.example.com/new', status: 302}", "a redirect (301)"),
        ("http://shop.example.com/gone", "{backend: shop/gone:80}", "status 500, because of IL401: "),
        ("http://shop.example.com:81/", "{status: 404}", "no answer"),
    ],
)
def test_answers_that_differ(url: str, expect: str, got: str) -> None:
    result = one(expect, url)
    assert result.exit_code == 1
    assert f"got       {got}" in result.stdout
    assert "test      tests.yaml:2" in result.stdout
    assert "0 of 1 request answered as expected" in result.stdout


def test_method_and_headers_count() -> None:
    url = "http://shop.example.com/beta"
    assert one("{backend: shop/next:80}", url, "    method: POST\n    headers: {x-beta: 'yes'}\n").exit_code == 0
    assert one("{backend: shop/web:80}", url, "    method: POST\n").exit_code == 0


def test_connect_names_the_entry() -> None:
    assert one("{status: 404}", "http://nobody.example.com/", "    connect: shop/front\n").exit_code == 0
    result = one("{status: 404}", more="    connect: nowhere\n")
    assert result.exit_code == 1
    assert "there is no entry `nowhere`" in result.stdout


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("requests: [\n", "tests.yaml:2: this is not YAML"),
        ("", "tests.yaml:1: this must be a mapping of settings"),
        ("- url: http://a/\n", "tests.yaml:1: this must be a mapping"),
        ("requests: []\n", "tests.yaml:1: requests: "),
        ("request: []\n", "tests.yaml:1: request: there is no such setting; did you mean `requests`?"),
        ("requests:\n  - url: http://a/\n", "tests.yaml:2: requests[0]: the setting `expect` is missing"),
        ("requests:\n  - url: http://a/\n    expect: {}\n", "tests.yaml:3: requests[0].expect: name what must answer"),
        (
            "requests:\n  - url: http://a/\n    expect:\n      backend: web\n",
            "tests.yaml:4: requests[0].expect.backend: a backend is written as `namespace/name:port`",
        ),
        (
            "requests:\n  - url: http://a/\n    expect: {backend: a/b:1, redirect: http://b/}\n",
            "tests.yaml:3: requests[0].expect: a request gets to a backend or is redirected",
        ),
        (
            "requests:\n  - url: http://a/\n    expect:\n      statsu: 404\n",
            "tests.yaml:4: requests[0].expect.statsu: there is no such setting; did you mean `status`?",
        ),
        (
            "requests:\n  - url: http://a/\n    expect:\n      status: '404'\n",
            "tests.yaml:4: requests[0].expect.status: ",
        ),
        ("requests:\n  - url: http://a/\n    expect: {status: 42}\n", "tests.yaml:3: requests[0].expect.status: "),
        (
            "requests:\n  - expect: {status: 404}\n    url: shop\n",
            "tests.yaml:3: requests[0].url: `shop` is not a URL",
        ),
        (
            "requests:\n  - url: http://a/\n    expect: {redirect: /new}\n",
            "tests.yaml:3: requests[0].expect.redirect: `/new` is not a whole URL",
        ),
        (
            "requests:\n  - url: http://a/\n    expect: {status: 404}\n    expect: {status: 200}\n",
            "tests.yaml:4: requests[0].expect: this setting stands twice",
        ),
        (
            "requests:\n  - url: http://a/\n    headers: {X-A: 1}\n    expect: {status: 404}\n",
            "tests.yaml:3: requests[0].headers.X-A: ",
        ),
    ],
)
def test_a_wrong_file_is_named_with_line_and_setting(text: str, complaint: str) -> None:
    Path("tests.yaml").write_text(text)
    result = run("tests.yaml", "shop.yaml")
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stdout == ""


def test_a_file_that_is_not_there() -> None:
    result = run("nowhere.yaml", "shop.yaml")
    assert result.exit_code == 2
    assert "nowhere.yaml: cannot be read" in result.stderr


def test_manifests_that_cannot_be_read_exit_2() -> None:
    Path("tests.yaml").write_text("requests: [{url: 'http://shop.example.com/', expect: {status: 200}}]")
    result = run("tests.yaml", "shop.yaml", "nowhere")
    assert result.exit_code == 2
    assert "1 of 1" in result.stdout


def test_tests_from_standard_input() -> None:
    result = run("-", "shop.yaml", stdin="requests: [{url: 'http://shop.example.com/', expect: {status: 200}}]")
    assert result.exit_code == 0
    assert "✓ GET http://shop.example.com/" in result.stdout


MIXED = """
requests:
  - {name: good, url: "http://shop.example.com/", expect: {backend: "shop/web:80"}}
  - {name: 'bad <one> & "x"', url: "http://shop.example.com/", expect: {status: 404}}
"""


def test_quiet_shows_what_differs() -> None:
    Path("tests.yaml").write_text(MIXED)
    shown = run("tests.yaml", "shop.yaml", "--quiet").stdout
    assert "good" not in shown
    assert shown.startswith("✗ bad")


def test_json() -> None:
    Path("tests.yaml").write_text(MIXED)
    result = run("tests.yaml", "shop.yaml", "--format", "json")
    assert result.exit_code == 1
    written = json.loads(result.stdout)
    assert written["summary"] == {"tests": 2, "passed": 1, "failed": 1}
    good, bad = written["tests"]
    assert good["passed"]
    assert good["expected"] == {"backend": "shop/web:80"}
    assert good["got"]["backends"][0]["name"] == "web"
    assert bad["location"] == {"file": "tests.yaml", "line": 4}
    assert bad["message"] == "expected status 404, got shop/web:80"


def test_junit() -> None:
    Path("tests.yaml").write_text(MIXED)
    suite = ElementTree.fromstring(run("tests.yaml", "shop.yaml", "--format", "junit").stdout)[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    good, bad = suite
    assert good.get("name") == "good"
    assert len(good) == 0
    assert bad.get("name") == 'bad <one> & "x"'
    failure = bad.find("failure")
    assert failure is not None
    assert failure.get("message") == "expected status 404, got shop/web:80"


def test_nothing_written_in_the_file_reaches_the_terminal_raw() -> None:
    Path("tests.yaml").write_text(
        'requests: [{name: "a\\e[31m\\nb", url: "http://shop.example.com/", expect: {status: 404}}]'
    )
    for form in ("text", "junit", "json"):
        shown = run("tests.yaml", "shop.yaml", "--format", form).stdout
        assert "\x1b" not in shown
        assert "\nb" not in shown


def test_output_to_files_besides_the_screen() -> None:
    Path("tests.yaml").write_text(MIXED)
    result = run("tests.yaml", "shop.yaml", "--output", "junit=out/tests.xml")
    assert "✗ bad" in result.stdout
    assert ElementTree.fromstring(Path("out/tests.xml").read_text()).tag == "testsuites"
    assert run("tests.yaml", "shop.yaml", "--output", "sarif=x").exit_code == 2


def test_the_example_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert run("examples/routing-tests.yaml", "examples/shop").exit_code == 0
    assert run("examples/routing-tests.yaml", "examples/shop-broken").exit_code == 1


def test_the_published_schema_is_current(request: pytest.FixtureRequest) -> None:
    text = json.dumps(schema(), indent=2) + "\n"
    if request.config.getoption("--update-expected"):
        SCHEMA.write_text(text, encoding="utf-8")
    assert SCHEMA.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("expect", "valid"),
    [
        ({"backend": "shop/web:80"}, True),
        ({"backend": ["shop/web:80", "shop/next"]}, True),
        ({"redirect": "https://a/", "status": 301}, True),
        ({}, False),
        ({"backend": "web"}, False),
        ({"backend": "a/b", "redirect": "https://a/"}, False),
        ({"status": 1}, False),
        ({"answer": 200}, False),
    ],
)
def test_the_schema_refuses_what_the_command_refuses(expect: dict[str, object], valid: bool) -> None:
    import jsonschema
    import yaml

    jsonschema.validate(yaml.safe_load(EXAMPLE.read_text()), schema())
    file = {"requests": [{"url": "http://shop.example.com/", "expect": expect}]}
    errors = list(jsonschema.Draft202012Validator(schema()).iter_errors(file))
    assert (not errors) == valid
    Path("tests.yaml").write_text(json.dumps(file))
    assert (run("tests.yaml", "shop.yaml").exit_code != 2) == valid
