"""What probes tell about a pod's answers."""

from __future__ import annotations

from typing import Any

import pytest

from ingress_lint.facts.answers import ProbeKind, answers, proxy_image, same_but_slash, same_path
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.load.document import Document, SourceFile
from ingress_lint.objects.reading import ObjectReader


def _graph(**container: Any) -> ObjectGraph:
    value = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web"},
        "spec": {"containers": [{"name": "web", "image": "example.com/web:1", **container}]},
    }
    document = Document(SourceFile("test.yaml", ""), 0, 0, 0, "Pod", value, parsed=True)
    return ObjectGraph(ObjectReader().read([document]))


def _only(**container: Any):
    (answer,) = answers(_graph(**container).workloads[0])
    return answer


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({"path": "/ready", "port": 8080}, ("/ready", 8080, "HTTP")),
        ({"path": "ready", "port": "http"}, ("/ready", 8000, "HTTP")),
        ({"port": 8443, "scheme": "HTTPS"}, ("/", 8443, "HTTPS")),
        ({"path": "", "port": "nowhere"}, ("/", None, "HTTP")),
    ],
)
def test_http_probe(action: dict[str, Any], expected: tuple[str, int | None, str]) -> None:
    answer = _only(ports=[{"name": "http", "containerPort": 8000}], readinessProbe={"httpGet": action})
    assert (answer.path, answer.port, answer.scheme) == expected
    assert answer.title == "readiness probe"


def test_probe_of_another_host_tells_nothing() -> None:
    graph = _graph(livenessProbe={"httpGet": {"path": "/", "port": 80, "host": "192.0.2.10"}})
    assert list(answers(graph.workloads[0])) == []


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["curl", "-f", "http://localhost:8080/health"], ("/health", 8080, "HTTP")),
        (["sh", "-c", "curl -fsk https://127.0.0.1:8443/health?full=1 || exit 1"], ("/health?full=1", 8443, "HTTPS")),
        (["sh", "-c", "wget -qO- localhost:3000/status>/dev/null"], ("/status", 3000, "HTTP")),
        (["sh", "-c", "wget -q -O - http://$POD_IP:9000"], ("/", 9000, "HTTP")),
        (["sh", "-c", 'curl "http://localhost/ping"'], ("/ping", 80, "HTTP")),
        (["curl", "http://other.example.com/ping"], ("", None, "")),
        (["redis-cli", "-h", "localhost", "ping"], ("", None, "")),
        (["cat", "/tmp/localhost:8080/alive"], ("", None, "")),
    ],
)
def test_command_that_asks_its_own_pod(command: list[str], expected: tuple[str, int | None, str]) -> None:
    answer = _only(livenessProbe={"exec": {"command": command}})
    assert answer.kind is ProbeKind.EXEC
    assert (answer.path, answer.port, answer.scheme) == expected


@pytest.mark.parametrize(
    ("one", "other", "same", "but_slash"),
    [
        ("/health", "/health", True, True),
        ("/health?a=1", "/health", True, True),
        ("health", "/health#top", True, True),
        ("/health", "/health/", False, True),
        ("/", "", True, True),
        ("/health", "/healthz", False, False),
    ],
)
def test_paths(one: str, other: str, same: bool, but_slash: bool) -> None:
    assert same_path(one, other) is same
    assert same_but_slash(one, other) is but_slash


@pytest.mark.parametrize(
    ("image", "title"),
    [
        ("registry.k8s.io/ingress-nginx/controller:v1.12.1@sha256:0", "ingress-nginx"),
        ("traefik:v3.2", "Traefik"),
        ("docker.io/library/traefik", "Traefik"),
        ("localhost:5000/traefik", "Traefik"),
        ("kong:3.8", "Kong"),
        ("example.com/team/my-traefik:1", None),
        ("nginx:1.27", None),
    ],
)
def test_proxy_image(image: str, title: str | None) -> None:
    proxy = proxy_image(_graph(image=image).workloads[0].containers[0])
    assert (proxy.title if proxy else None) == title
