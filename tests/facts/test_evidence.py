"""The evidence model: what containers are told, what mounted files say, and what that adds up to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from ingress_lint.facts.evidence.configuration import configured_ports
from ingress_lint.facts.evidence.images import known_image
from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.facts.evidence.model import TRANSPORTS, Certainty, Evidence, Source, Speech, judge
from ingress_lint.facts.evidence.settings import snake_case
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import Workload
from ingress_lint.load.document import Document, Place, SourceFile
from ingress_lint.objects.reading import ObjectReader


def _graph(*values: dict[str, Any]) -> ObjectGraph:
    file = SourceFile("test.yaml", "")
    documents = [Document(file, index, 0, 0, value["kind"], value, parsed=True) for index, value in enumerate(values)]
    return ObjectGraph(ObjectReader().read(documents))


def _pod(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "example.com/web:1", **c} for c in containers], **spec},
    }


def _service(**port: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, **port}]},
    }


def _config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def _workload(graph: ObjectGraph) -> Workload:
    return graph.workloads[0]


def _transport(number: int, *objects: dict[str, Any]) -> tuple[Speech, Certainty] | None:
    graph = _graph(*objects)
    service = next(iter(graph.services), None)
    verdict = listening_evidence(graph).transport(_workload(graph), number, service)
    return (verdict.speech, verdict.certainty) if verdict else None


def _http(port: int | str, **more: Any) -> dict[str, Any]:
    return {"readinessProbe": {"httpGet": {"port": port, **more}}}


PORT_9000 = {"ports": [{"containerPort": 9000}]}
TLS_CERTAIN = (Speech.TLS, Certainty.CERTAIN)
PLAIN_CERTAIN = (Speech.PLAIN, Certainty.CERTAIN)
TLS_LIKELY = (Speech.TLS, Certainty.LIKELY)
PLAIN_LIKELY = (Speech.PLAIN, Certainty.LIKELY)


# -- the command line and the environment -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"args": ["--port=8000"]}, [(8000, "", None)]),
        ({"args": ["--port", "8000"]}, [(8000, "", None)]),
        ({"args": ["--listen=:8000"]}, [(8000, "", None)]),
        ({"args": ["--bind", "127.0.0.1:8000"]}, [(8000, "127.0.0.1", None)]),
        ({"args": ["-httpListenAddr=:8427"]}, [(8427, "", Speech.PLAIN)]),
        ({"args": ["--web.listen-address=0.0.0.0:9100"]}, [(9100, "", None)]),
        ({"args": ["--secure-port=10250"]}, [(10250, "", Speech.TLS)]),
        ({"args": ["--insecure-listen-address=0.0.0.0:8080"]}, [(8080, "", Speech.PLAIN)]),
        ({"args": ["--addr=demo.example.com:9999"]}, []),
        ({"args": ["--database-port=5432"]}, []),
        ({"args": ["-p", "8000"]}, []),
        ({"command": ["gunicorn", "-b", "0.0.0.0:8000", "app:app"]}, [(8000, "", None)]),
        ({"command": ["sh", "-c", "exec gunicorn --bind=127.0.0.1:8000 app:app"]}, [(8000, "127.0.0.1", None)]),
        ({"command": ["python", "manage.py", "runserver", "0.0.0.0:8000"]}, [(8000, "", None)]),
        ({"command": ["java", "-Dserver.port=8081", "-jar", "app.jar"]}, [(8081, "", None)]),
        ({"command": ["sh", "-c", "PORT=3001 node server.js"]}, [(3001, "", None)]),
        ({"command": ["sh", "-c", "serve --port ${PORT:-3000}"]}, [(3000, "", None)]),
        ({"args": ["--port=$(APP)"], "env": [{"name": "APP", "value": "4000"}]}, [(4000, "", None)]),
        ({"args": ["--port=$(UNKNOWN)"]}, []),
        ({"env": [{"name": "PORT", "value": "3000"}]}, [(3000, "", None)]),
        ({"env": [{"name": "SERVER_PORT", "value": 8081}]}, [(8081, "", None)]),
        ({"env": [{"name": "REDIS_PORT", "value": "6379"}]}, []),
        ({"env": [{"name": "PORT", "value": "99999"}]}, []),
        (
            {"env": [{"name": "ASPNETCORE_URLS", "value": "http://+:8080;https://+:8443"}]},
            [(8080, "", Speech.PLAIN), (8443, "", Speech.TLS)],
        ),
        (
            {"env": [{"name": "KONG_PROXY_LISTEN", "value": "0.0.0.0:8000, 0.0.0.0:8443 http2 ssl"}]},
            [(8000, "", Speech.PLAIN), (8443, "", Speech.TLS)],
        ),
    ],
)
def test_settings_that_open_a_port(container: dict[str, Any], expected: list[tuple[int, str, Speech | None]]) -> None:
    graph = _graph(_pod(container))
    found = [
        (told.number, told.host, told.speech) for _, told in listening_evidence(graph).listenings(_workload(graph))
    ]
    assert found == expected


def test_environment_from_a_config_map() -> None:
    graph = _graph(
        _pod(
            {
                "envFrom": [{"configMapRef": {"name": "settings"}}],
                "env": [{"name": "HTTP_PORT", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "inner"}}}],
            }
        ),
        _config_map("settings", PORT="3000", inner="3001"),
    )
    found = {told.number: told.place.pointer for _, told in listening_evidence(graph).listenings(_workload(graph))}
    assert found == {3000: ("data", "PORT"), 3001: ("data", "inner")}


def test_loopback() -> None:
    graph = _graph(_pod({"args": ["--listen=localhost:8000", "--http-port=9000"]}))
    assert [told.loopback for _, told in listening_evidence(graph).listenings(_workload(graph))] == [True, False]


@pytest.mark.parametrize("name", ["http-port", "http.port", "httpPort", "HTTP_PORT"])
def test_one_name_for_every_spelling(name: str) -> None:
    assert snake_case(name) == "http_port"


# -- configuration files ------------------------------------------------------------------------------------------------


def _configured(name: str, text: str) -> list[tuple[int, str, Speech | None]]:
    return [(port.number, port.host, port.speech) for port in configured_ports(name, text)]


def test_nginx() -> None:
    text = """
    server {
      listen 8080;
      # listen 1111;
      listen [::]:8080;
      listen 127.0.0.1:8081;
      listen 8443 ssl http2;
      listen 8443 quic reuseport;
      listen unix:/run/nginx.sock;
    }
    """
    assert _configured("default.conf", text) == [
        (8080, "", Speech.PLAIN),
        (8080, "", Speech.PLAIN),
        (8081, "127.0.0.1", Speech.PLAIN),
        (8443, "", Speech.TLS),
    ]


@pytest.mark.parametrize("line", ["ssl on;", "ssl_preread on;"])
def test_nginx_that_leaves_it_open(line: str) -> None:
    assert _configured("nginx.conf", f"server {{\n  listen 8443;\n  {line}\n}}") == [(8443, "", None)]


def test_apache() -> None:
    text = "Listen 8080\nListen 8443\n<VirtualHost *:8443>\n  SSLEngine on\n</VirtualHost>\n"
    assert _configured("httpd.conf", text) == [(8080, "", Speech.PLAIN), (8443, "", Speech.TLS)]


def test_haproxy() -> None:
    text = "frontend web\n  mode http\n  bind :8080\n  bind *:8443 ssl crt /certs/web.pem\n"
    assert _configured("haproxy.cfg", text) == [(8080, "", Speech.PLAIN), (8443, "", Speech.TLS)]


def test_redis_is_no_haproxy() -> None:
    assert _configured("redis.conf", "bind 127.0.0.1 -::1\nport 6379\n") == []


def test_envoy() -> None:
    text = """
static_resources:
  listeners:
    - address: {socket_address: {address: 0.0.0.0, port_value: 10000}}
      filter_chains: [{filters: []}]
    - address: {socket_address: {address: 127.0.0.1, port_value: 10443}}
      filter_chains: [{transport_socket: {name: envoy.transport_sockets.tls}}]
"""
    assert _configured("envoy.yaml", text) == [(10000, "", Speech.PLAIN), (10443, "127.0.0.1", Speech.TLS)]


def test_spring_boot() -> None:
    assert _configured("application.properties", "server.port=8443\nserver.ssl.key-store=x\n") == [
        (8443, "", Speech.TLS)
    ]
    assert _configured("application.yml", "server: {port: 8081}\n") == [(8081, "", None)]


@pytest.mark.parametrize(
    "text", ["static_resources: [listeners, port_value", "listeners: {port_value: x}", "Listen up\n"]
)
def test_text_that_is_no_configuration(text: str) -> None:
    assert _configured("notes.txt", text) == []


# -- images -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "ports"),
    [
        ("nginx", ((80, Speech.PLAIN),)),
        ("docker.io/library/nginx:1.27@sha256:abc", ((80, Speech.PLAIN),)),
        ("localhost:5000/nginx", ((80, Speech.PLAIN),)),
        ("nginxinc/nginx-unprivileged:1.27", ((8080, Speech.PLAIN),)),
        ("bitnami/nginx:1.27", ((8080, Speech.PLAIN), (8443, Speech.TLS))),
        ("registry-1.docker.io/bitnamilegacy/nginx:1.27", ((8080, Speech.PLAIN), (8443, Speech.TLS))),
        ("php:8.3-fpm-alpine", ((9000, Speech.FASTCGI),)),
        ("php:8.3-apache", ((80, Speech.PLAIN),)),
    ],
)
def test_known_images(image: str, ports: tuple[tuple[int, Speech], ...]) -> None:
    known = known_image(image)
    assert known is not None
    assert known.ports == ports


@pytest.mark.parametrize(
    "image", ["", "example.com/web:1", "php:8.3-cli", "bitnami/grafana:11", "nginx/nginx-ingress:3"]
)
def test_unknown_images(image: str) -> None:
    known = known_image(image)
    assert known is None or image.startswith("bitnami/")


# -- verdicts -----------------------------------------------------------------------------------------------------------


def _piece(speech: Speech, certainty: Certainty, source: Source) -> Evidence:
    return Evidence(speech, certainty, source, "why", Place(Document(SourceFile("x", ""), 0, 0, 0)))


TLS_HINT = _piece(Speech.TLS, Certainty.HINT, Source.PORT_NAME)
TLS_HINT_TOO = _piece(Speech.TLS, Certainty.HINT, Source.PORT_NUMBER)
TLS_SAID = _piece(Speech.TLS, Certainty.LIKELY, Source.SETTING)
TLS_PROVED = _piece(Speech.TLS, Certainty.CERTAIN, Source.PROBE)
PLAIN_HINT = _piece(Speech.PLAIN, Certainty.HINT, Source.PORT_NAME)
PLAIN_SAID = _piece(Speech.PLAIN, Certainty.LIKELY, Source.SERVICE)
PLAIN_PROVED = _piece(Speech.PLAIN, Certainty.CERTAIN, Source.PROBE)


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([], None),
        ([TLS_HINT], None),
        ([TLS_HINT, TLS_HINT], None),
        ([TLS_HINT, TLS_HINT_TOO], TLS_LIKELY),
        ([TLS_HINT, TLS_HINT_TOO, PLAIN_HINT], None),
        ([TLS_SAID], TLS_LIKELY),
        ([TLS_SAID, PLAIN_HINT], None),
        ([TLS_SAID, PLAIN_SAID], None),
        ([TLS_PROVED, PLAIN_SAID, PLAIN_HINT], TLS_CERTAIN),
        ([TLS_PROVED, PLAIN_PROVED], None),
        ([_piece(Speech.GRPC, Certainty.CERTAIN, Source.PROBE)], None),
    ],
)
def test_verdicts(pieces: Iterable[Evidence], expected: tuple[Speech, Certainty] | None) -> None:
    verdict = judge(pieces, TRANSPORTS)
    assert (verdict and (verdict.speech, verdict.certainty)) == expected


def test_a_verdict_gives_its_reason() -> None:
    graph = _graph(_pod({"ports": [{"name": "https", "containerPort": 8443}]}))
    verdict = listening_evidence(graph).transport(_workload(graph), 8443)
    assert verdict is not None
    assert verdict.why == "container `web` names port 8443 `https` and 8443 is a port for TLS by custom"
    assert verdict.strongest.place.pointer == ("spec", "containers", 0, "ports", 0, "name")


# -- evidence about a port ----------------------------------------------------------------------------------------------


def test_probes_prove_the_transport() -> None:
    assert _transport(9000, _pod({**PORT_9000, **_http(9000)})) == PLAIN_CERTAIN
    assert _transport(9000, _pod({**PORT_9000, **_http(9000, scheme="HTTPS")})) == TLS_CERTAIN
    assert _transport(9000, _pod({**PORT_9000, "livenessProbe": {"grpc": {"port": 9000}}})) == PLAIN_CERTAIN
    assert _transport(9000, _pod({**PORT_9000, "readinessProbe": {"tcpSocket": {"port": 9000}}})) is None


def test_probes_of_other_ports_and_hosts_prove_nothing() -> None:
    assert _transport(9000, _pod({**PORT_9000, **_http(9001)})) is None
    assert _transport(9000, _pod({**PORT_9000, **_http(9000, host="example.com")})) is None


def test_a_probe_of_another_container_counts() -> None:
    assert _transport(9000, _pod(PORT_9000, {"name": "proxy", **_http(9000)})) == PLAIN_CERTAIN


def test_a_command_that_asks_its_own_pod() -> None:
    probe = {"readinessProbe": {"exec": {"command": ["curl", "-kf", "https://localhost:9000/health"]}}}
    assert _transport(9000, _pod({**PORT_9000, **probe})) == TLS_LIKELY


def test_app_protocol_of_the_service() -> None:
    assert _transport(9000, _pod(PORT_9000), _service(targetPort=9000, appProtocol="https")) == TLS_LIKELY
    assert _transport(9000, _pod(PORT_9000), _service(targetPort=9000, appProtocol="kubernetes.io/ws")) == PLAIN_LIKELY
    assert _transport(9000, _pod(PORT_9000), _service(targetPort=9000, appProtocol="example.com/own")) is None


def test_tls_switches_mean_the_main_port() -> None:
    certificate = {"args": ["--tls-cert-file=/tls/tls.crt"]}
    metrics = {"name": "metrics", "containerPort": 9090}
    assert _transport(9000, _pod({**certificate, "ports": [{"containerPort": 9000}, metrics]})) == TLS_LIKELY
    assert _transport(9000, _pod({**certificate, "ports": [{"containerPort": 9000}, {"containerPort": 9001}]})) is None
    assert _transport(9090, _pod({**certificate, "ports": [{"containerPort": 9000}, metrics]})) is None
    assert _transport(9000, _pod({"args": ["--tls-cert-file="], **PORT_9000})) is None
    assert _transport(9000, _pod({"args": ["--disable-tls"], **PORT_9000})) == PLAIN_LIKELY
    assert _transport(9000, _pod({"args": ["--disable-tls=false"], **PORT_9000})) is None
    assert _transport(9000, _pod({"args": ["--tls=false"], **PORT_9000})) == PLAIN_LIKELY
    assert _transport(9000, _pod({"env": [{"name": "SERVER_SSL_ENABLED", "value": "true"}], **PORT_9000})) == TLS_LIKELY


def test_a_mounted_certificate_is_a_hint() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web-tls"}, "type": "kubernetes.io/tls"}
    mount = {"volumeMounts": [{"name": "tls", "mountPath": "/tls"}]}
    volumes = [{"name": "tls", "secret": {"secretName": "web-tls"}}]
    assert _transport(9000, _pod({**PORT_9000, **mount}, volumes=volumes), secret) is None
    named = {"ports": [{"name": "https", "containerPort": 9000}]}
    assert _transport(9000, _pod({**named, **mount}, volumes=volumes), secret) == TLS_LIKELY


def test_mounted_configuration_of_a_web_server() -> None:
    config = _config_map("conf", **{"default.conf": "server {\n listen 9000 ssl;\n}"})
    volumes = [{"name": "conf", "configMap": {"name": "conf"}}]
    mount = {"volumeMounts": [{"name": "conf", "mountPath": "/etc/nginx/conf.d"}]}
    elsewhere = {"volumeMounts": [{"name": "conf", "mountPath": "/srv/templates"}]}
    assert _transport(9000, _pod({**PORT_9000, **mount}, volumes=volumes), config) == TLS_CERTAIN
    assert _transport(9000, _pod({**PORT_9000, **elsewhere}, volumes=volumes), config) == TLS_LIKELY
    projected = [{"name": "conf", "projected": {"sources": [{"configMap": {"name": "conf"}}]}}]
    assert _transport(9000, _pod({**PORT_9000, **mount}, volumes=projected), config) == TLS_CERTAIN


def test_an_image_that_takes_both() -> None:
    server = {"image": "quay.io/argoproj/argocd:v2.12.3", **PORT_9000, **_http(9000)}
    assert _transport(9000, _pod(server)) is None


def test_applications() -> None:
    def application(number: int, *objects: dict[str, Any]) -> Speech | None:
        graph = _graph(*objects)
        verdict = listening_evidence(graph).application(_workload(graph), number, next(iter(graph.services), None))
        return verdict.speech if verdict else None

    assert application(9000, _pod({**PORT_9000, "livenessProbe": {"grpc": {"port": 9000}}})) is Speech.GRPC
    assert application(9000, _pod({**PORT_9000, **_http(9000)}), _service(targetPort=9000, name="grpc")) is Speech.HTTP
    assert application(9000, _pod({"image": "php:8.3-fpm", **PORT_9000})) is Speech.FASTCGI
    assert application(9000, _pod(PORT_9000), _service(targetPort=9000, appProtocol="grpc")) is Speech.GRPC
    assert application(9000, _pod({"ports": [{"name": "grpc", "containerPort": 9000}]})) is None


def test_mentions() -> None:
    def mentioned(number: int, container: dict[str, Any], *others: dict[str, Any], **spec: Any) -> bool:
        graph = _graph(_pod(container, **spec), *others)
        return listening_evidence(graph).mention(_workload(graph), number) is not None

    assert mentioned(8080, {"args": ["--upstream=http://127.0.0.1:8080/"]})
    assert mentioned(8080, {"env": [{"name": "ANY", "value": "8080"}]})
    assert mentioned(8080, _http(8080))
    assert mentioned(8080, {"livenessProbe": {"exec": {"command": ["nc", "-z", "localhost", "8080"]}}})
    assert not mentioned(8080, {"args": ["--port=18080"]})
    assert not mentioned(80, {"args": ["--version=1.80", "--ip=10.0.80.1"]})
    assert not mentioned(8080, {"ports": [{"containerPort": 8080}]})
    volumes = [{"name": "conf", "configMap": {"name": "conf"}}]
    mount = {"volumeMounts": [{"name": "conf", "mountPath": "/etc/app"}]}
    assert mentioned(8080, mount, _config_map("conf", **{"app.ini": "port = 8080"}), volumes=volumes)


def test_answers_are_kept() -> None:
    graph = _graph(_pod({**PORT_9000, **_http(9000)}))
    workload = _workload(graph)
    assert listening_evidence(graph).transport(workload, 9000) is listening_evidence(graph).transport(workload, 9000)
    assert listening_evidence(graph).about(workload, 9000) is listening_evidence(graph).about(workload, 9000)
