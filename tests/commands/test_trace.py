"""`trace`: where a request enters, what becomes of it, what is printed, and the exit status."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ingress_lint.__main__ import main

CLASS = """
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
"""
WEB = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}
          - {path: /cart, pathType: Prefix, backend: {service: {name: cart, port: {number: 80}}}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{port: 80, targetPort: 9000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: example/web:1, ports: [{containerPort: 8080}]}]}
"""
GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: edge}
spec:
  gatewayClassName: example
  addresses: [{value: 192.0.2.80}]
  listeners: [{name: web, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: shop}
spec:
  parentRefs: [{name: front, namespace: edge}]
  hostnames: [shop.example.com]
  rules: [{backendRefs: [{name: web, port: 80}]}]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for variable in ("GITHUB_ACTIONS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "web.yaml").write_text(f"{CLASS}---{WEB}")
    return tmp_path


def trace(*arguments: str, paths: tuple[str, ...] = ("shop",)) -> Result:
    return CliRunner().invoke(main, ["trace", *arguments, *paths], catch_exceptions=False)


def answered(*arguments: str, paths: tuple[str, ...] = ("shop",)) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(trace(*arguments, "--format", "json", paths=paths).stdout)
    return found


def test_every_field_of_an_answer() -> None:
    found = answered("--url", "http://shop.example.com/a?b=c", "--header", "X-Me: you")
    assert found["version"] == 1
    assert found["request"] == {
        "scheme": "http",
        "host": "shop.example.com",
        "port": 80,
        "method": "GET",
        "path": "/a",
        "query": "b=c",
        "headers": {"X-Me": "you"},
        "sni": None,
    }
    assert found["entry"] == {"kind": "IngressClass", "namespace": "", "name": "nginx", "listener": "HTTP:80"}
    assert found["route"] == {"kind": "Ingress", "namespace": "shop", "name": "web", "rule": 0, "match": 0}
    assert (found["outcome"], found["status"]) == ("backend", 200)
    assert found["backends"] == [
        {
            "kind": "Service",
            "namespace": "shop",
            "name": "web",
            "port": 80,
            "protocol": "HTTP",
            "weight": 1,
            "share": 1.0,
        }
    ]
    assert found["redirect"] is None
    assert found["upstream"] == {"host": "shop.example.com", "path": "/a?b=c", "headers": {"x-me": "you"}}
    assert found["mirrors"] == []
    assert "id" not in found
    assert [(hop["hop"], hop["verdict"]) for hop in found["hops"]] == [
        ("client", "ok"),
        ("load-balancer", "ok"),
        ("service", "ok"),
        ("pod", "ok"),
    ]
    pod = found["hops"][-1]
    assert pod["object"] == {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "web"}
    assert pod["location"]["file"] == "shop/web.yaml"
    assert pod["location"]["pointer"] == "/spec/template/spec/containers/0/ports/0"
    assert pod["detail"] == "container web, port 8080, 2 replicas"


def test_the_finding_where_it_breaks() -> None:
    result = trace("--url", "http://shop.example.com/cart")
    assert result.exit_code == 1
    assert "client    503" in result.stdout
    assert "error[IL403]" in result.stdout or "warning[IL403]" in result.stdout
    found = answered("--url", "http://shop.example.com/cart")
    assert (found["outcome"], found["status"]) == ("error", 503)
    assert "IL403" in found["findings"]
    assert found["hops"][-1]["verdict"] == "fail"


def test_findings_of_other_paths_are_left_out() -> None:
    assert "IL403" not in answered("--url", "http://shop.example.com/")["findings"]


def test_text_is_a_line_each_hop() -> None:
    result = trace("--url", "http://shop.example.com/")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "GET http://shop.example.com/"
    assert [line.split()[:2] for line in lines[2:6]] == [
        ["✓", "client"],
        ["✓", "load-balancer"],
        ["✓", "service"],
        ["✓", "pod"],
    ]
    assert "Deployment shop/web" in lines[5]
    assert "shop/web.yaml:" in lines[5]
    assert "upstream  GET /  Host: shop.example.com" in result.stdout
    assert "client    the answer of shop/web" in result.stdout


def test_verbose_says_why_others_lost() -> None:
    result = trace("--url", "http://shop.example.com/cart", "--verbose")
    assert "Ingress shop/web /: Ingress shop/web has a longer path" in result.stdout


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("shop.example.com", "is not a URL such as https://"),
        ("http://", "is not a URL such as https://"),
        ("http://shop.example.com:99999/", "a port that is not a number from 1 to 65535"),
        ("http://[::1/", "is not a URL"),
        ("ftp://shop.example.com/", "has no scheme known here"),
        ("tcp://shop.example.com", "needs a port"),
    ],
)
def test_wrong_url(url: str, words: str) -> None:
    result = trace("--url", url)
    assert result.exit_code == 2
    assert words in result.stderr


def test_wrong_options() -> None:
    assert "either --url URL or --requests" in trace().stderr
    assert trace("--url", "http://shop.example.com", "--header", "nonsense").exit_code == 2
    assert trace("--url", "http://shop.example.com", "--protocol", "smtp").exit_code == 2


def test_path_that_does_not_exist() -> None:
    result = trace("--url", "http://shop.example.com/", paths=("nowhere",))
    assert result.exit_code == 2
    assert "nowhere" in result.stderr


def test_broken_manifest_beside_a_good_one(folder: Path) -> None:
    (folder / "shop" / "broken.yaml").write_text("kind: Service\nmetadata: [b\n")
    result = trace("--url", "http://shop.example.com/")
    assert result.exit_code == 0
    assert "shop/broken.yaml:" in result.stderr
    assert "the answer of shop/web" in result.stdout


def test_host_nobody_serves() -> None:
    result = trace("--url", "http://shop.example.org/")
    assert result.exit_code == 1
    assert "no route of ingress-nginx takes GET / for `shop.example.org`" in result.stdout
    assert answered("--url", "http://shop.example.org/")["status"] == 404


def test_host_nobody_of_several_serves(folder: Path) -> None:
    (folder / "shop" / "gateway.yaml").write_text(GATEWAY.replace("shop.example.com", "b.example.com"))
    result = trace("--url", "http://shop.example.cm/")
    assert result.exit_code == 1
    assert "did you mean `shop.example.com`?" in result.stdout


def test_nothing_to_enter(folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "empty" / "web.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n")
    result = trace("--url", "http://shop.example.com/", paths=("empty",))
    assert result.exit_code == 1
    assert "nothing in these manifests takes requests" in result.stdout


def test_nothing_to_read(folder: Path) -> None:
    (folder / "empty").mkdir()
    result = trace("--url", "http://shop.example.com/", paths=("empty",))
    assert result.exit_code == 2
    assert "nothing to lint in empty/: no YAML or JSON file" in result.stderr


def test_several_entries_are_listed(folder: Path) -> None:
    (folder / "shop" / "gateway.yaml").write_text(GATEWAY)
    result = trace("--url", "http://shop.example.com/")
    assert result.exit_code == 2
    assert "Gateway edge/front, IngressClass nginx; name one with --connect" in result.stderr


@pytest.mark.parametrize("connect", ["front", "edge/front", "Gateway front", "192.0.2.80"])
def test_connect_chooses(folder: Path, connect: str) -> None:
    (folder / "shop" / "gateway.yaml").write_text(GATEWAY)
    found = answered("--url", "http://shop.example.com/", "--connect", connect)
    assert found["entry"] == {"kind": "Gateway", "namespace": "edge", "name": "front", "listener": "web"}
    assert found["route"]["kind"] == "HTTPRoute"


def test_connect_to_what_does_not_exist() -> None:
    result = trace("--url", "http://shop.example.com/", "--connect", "edge/back")
    assert result.exit_code == 2
    assert "there is no entry `edge/back` in these manifests; there are IngressClass nginx" in result.stderr


def test_the_only_entry_that_serves_the_host(folder: Path) -> None:
    (folder / "shop" / "gateway.yaml").write_text(GATEWAY.replace("shop.example.com", "b.example.com"))
    assert answered("--url", "http://shop.example.com/")["entry"]["name"] == "nginx"
    assert answered("--url", "http://b.example.com/")["entry"]["name"] == "front"


def test_who_names_the_host_comes_before_who_takes_any(folder: Path) -> None:
    (folder / "shop" / "gateway.yaml").write_text(GATEWAY.replace("  hostnames: [shop.example.com]\n", ""))
    assert answered("--url", "http://shop.example.com/")["entry"]["name"] == "nginx"


def test_each_unit_that_serves_the_host_answers(folder: Path) -> None:
    for overlay in ("one", "two"):
        place = folder / overlay
        place.mkdir()
        (place / "kustomization.yaml").write_text("resources: [web.yaml]\n")
        (place / "web.yaml").write_text(
            f"{CLASS}---{WEB}".replace("port: 80", "port: 8080" if overlay == "two" else "port: 80")
        )
    asked = ("--url", "http://shop.example.com/", "--format", "json")
    answers = json.loads(trace(*asked, paths=("one", "two")).stdout)
    assert [(answer["unit"], answer["cluster"]) for answer in answers] == [("one", None), ("two", None)]
    alone = json.loads(trace(*asked, "--unit", "t*", paths=("one", "two")).stdout)
    assert alone["unit"] == "two"
    text = trace("--url", "http://shop.example.com/", paths=("one", "two")).stdout
    assert text.startswith("unit one\nGET http://shop.example.com/")
    assert "\nunit two\nGET http" in text


def test_who_takes_any_host_is_silent_where_one_names_it(folder: Path) -> None:
    any_host = CLASS + "---" + WEB.replace("host: shop.example.com", "host: '*.example.com'")
    for name, text in (
        ("one", f"{CLASS}---{WEB}"),
        ("two", any_host),
        ("three", any_host.replace("*.example", "*.other")),
    ):
        (folder / name).mkdir()
        (folder / name / "web.yaml").write_text(text)
    asked = ("--url", "http://shop.example.com/", "--format", "json")
    answers = json.loads(trace(*asked, paths=("one", "two", "three")).stdout)
    assert [answer["unit"] for answer in answers] == ["one", "two"]


def test_each_cluster_with_a_route_for_the_host_answers(folder: Path) -> None:
    for cluster in ("east", "west"):
        (folder / cluster).mkdir()
        text = GATEWAY if cluster == "east" else GATEWAY.replace("metadata: {name: front", "metadata: {name: other")
        (folder / cluster / "gateway.yaml").write_text(text)
    (folder / ".ingress-lint.yaml").write_text(
        "units:\n  - {name: shop-east, path: east, cluster: east}\n  - {name: shop-west, path: west, cluster: west}\n"
    )
    asked = ("--url", "http://shop.example.com/", "--format", "json")
    answers = json.loads(trace(*asked, paths=("east", "west")).stdout)
    assert [answer["cluster"] for answer in answers] == ["east", "west"]
    assert (answers[1]["outcome"], answers[1]["status"]) == ("no-route", 404)
    text = trace("--url", "http://shop.example.com/", paths=("east", "west")).stdout
    assert text.startswith("cluster east\nGET http://shop.example.com/")
    assert "\ncluster west\nGET http" in text


def test_bare_address(folder: Path) -> None:
    assert answered("--url", "http://192.0.2.10/")["status"] == 404
    (folder / "shop" / "any.yaml").write_text(
        """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: any, namespace: shop}
spec: {ingressClassName: nginx, defaultBackend: {service: {name: web, port: {number: 80}}}}
"""
    )
    assert answered("--url", "http://192.0.2.10/")["backends"][0]["name"] == "web"
    assert answered("--url", "http://shop.example.com/")["route"]["name"] == "web"


def test_host_header_and_server_name() -> None:
    found = answered("--url", "http://192.0.2.10/", "--header", "Host: shop.example.com:80")
    assert found["outcome"] == "backend"
    assert found["upstream"]["host"] == "shop.example.com"


def test_tls_without_a_certificate_of_its_own() -> None:
    found = answered("--url", "https://shop.example.com/")
    assert found["outcome"] == "backend"
    assert found["hops"][0]["verdict"] == "warning"
    assert "certificate that clients do not trust" in found["hops"][0]["detail"]


def test_closed_port() -> None:
    found = answered("--url", "http://shop.example.com:8080/")
    assert (found["outcome"], found["status"]) == ("error", None)
    assert "it listens on 80 (HTTP), 443 (HTTPS)" in found["hops"][0]["detail"]


def test_redirect_exits_0(folder: Path) -> None:
    (folder / "shop" / "web.yaml").write_text(
        f"{CLASS}---{WEB}".replace(
            "  ingressClassName: nginx", "  tls: [{hosts: [shop.example.com]}]\n  ingressClassName: nginx"
        )
    )
    result = trace("--url", "http://shop.example.com/a?b=c")
    assert result.exit_code == 0
    assert "308, to https://shop.example.com/a?b=c" in result.stdout
    found = answered("--url", "http://shop.example.com/a?b=c")
    assert found["outcome"] == "redirect"
    assert found["redirect"] == {
        "scheme": "https",
        "host": "shop.example.com",
        "port": None,
        "path": "/a?b=c",
        "status": 308,
    }
    assert answered("--url", "https://shop.example.com/a")["outcome"] == "backend"


# -- many requests --------------------------------------------------------------------------------------------------


def many(folder: Path, *items: object) -> Result:
    (folder / "requests.json").write_text(json.dumps(items))
    return trace("--requests", "requests.json", "--format", "json")


def test_answers_in_order_with_their_ids(folder: Path) -> None:
    result = many(
        folder,
        {"id": "b", "url": "http://shop.example.com/cart"},
        {"id": 1, "url": "http://shop.example.com/", "headers": {"A": "b"}, "sni": None, "connect": None},
        {"url": "http://x.example.com/"},
    )
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert [item.get("id") for item in found] == ["b", 1, None]
    assert [item["outcome"] for item in found] == ["error", "backend", "no-route"]


def test_one_unclear_request_does_not_stop_the_others(folder: Path) -> None:
    (folder / "shop" / "gateway.yaml").write_text(GATEWAY)
    result = many(
        folder,
        {"url": "http://shop.example.com/"},
        {"url": "http://shop.example.com/", "connect": "nginx"},
        {"url": "http://shop.example.com/", "connect": "nobody"},
    )
    assert result.exit_code == 1
    first, second, third = json.loads(result.stdout)
    assert (first["outcome"], first["entry"]) == ("error", None)
    assert "several entries" in first["hops"][0]["detail"]
    assert second["outcome"] == "backend"
    assert "no entry `nobody`" in third["hops"][0]["detail"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "does not hold a list"),
        ("[", "is not JSON"),
        ("[1]", "request 1 is not an object"),
        ('[{"url": "http://a/"}, {}]', "request 2 has no `url`"),
        ('[{"url": "a"}]', "request 1: `a` is not a URL"),
        ('[{"url": "http://a/", "uri": "b"}]', "a field `uri` that means nothing"),
        ('[{"url": "http://a/", "headers": []}, {"url": "http://a/", "headers": [1]}]', "request 2: `headers`"),
        ('[{"url": 1}]', "request 1: `url` is not a string"),
        ('[{"url": "http://a/", "protocol": "smtp"}]', "there is no protocol `smtp`"),
    ],
)
def test_wrong_requests(folder: Path, text: str, words: str) -> None:
    (folder / "requests.json").write_text(text)
    result = trace("--requests", "requests.json")
    assert result.exit_code == 2
    assert words in result.stderr


def test_requests_file_that_is_not_there() -> None:
    assert trace("--requests", "nowhere.json").exit_code == 2


def test_many_requests_take_no_longer_than_linting_twice(folder: Path) -> None:
    for number in range(200):
        (folder / "shop" / f"{number}.yaml").write_text(
            WEB.replace("shop.example.com", f"{number}.example.com").replace("namespace: shop", f"namespace: s{number}")
        )
    items = [{"url": f"http://{number % 200}.example.com/{number}"} for number in range(300)]
    (folder / "requests.json").write_text(json.dumps(items))

    def seconds(*arguments: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "ingress_lint", *arguments], capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime

    linting = min(seconds("check", "--no-cache", "--format", "json", "shop") for _ in range(3))
    tracing = min(seconds("trace", "--requests", "requests.json", "--format", "json", "shop") for _ in range(3))
    assert tracing < 2 * linting
