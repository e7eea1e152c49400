"""Which servers are recognised in a container, and how long each keeps an idle connection."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingress_lint.engine import Options, read
from ingress_lint.facts.app_servers import AppServer, app_server

Recognise = Callable[..., AppServer | None]
APP = "registry.example.com/shop/web:2.3.1"


@pytest.fixture
def recognise(tmp_path: Path) -> Recognise:
    def recognised(
        *words: str, image: str = APP, env: dict[str, str] | None = None, files: Any = None
    ) -> AppServer | None:
        container: dict[str, Any] = {"name": "web", "image": image, "command": list(words)}
        container["env"] = [{"name": name, "value": value} for name, value in (env or {}).items()]
        pod: dict[str, Any] = {"containers": [container]}
        objects: list[dict[str, Any]] = [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": pod}]
        if files is not None:
            container["volumeMounts"] = [{"name": "files", "mountPath": "/etc/shop"}]
            pod["volumes"] = [{"name": "files", "configMap": {"name": "files"}}]
            objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "files"}, "data": files})
        file = tmp_path / "all.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}), encoding="utf-8")
        graph = read(Options(paths=[str(file)])).sets[0].graph
        return app_server(graph.workloads[0].containers[0], graph)

    return recognised


@pytest.mark.parametrize(
    ("words", "settings", "name", "seconds"),
    [
        (["uvicorn", "a:b"], {}, "uvicorn", 5),
        (["/venv/bin/python", "-m", "uvicorn", "a:b", "--timeout-keep-alive", "70"], {}, "uvicorn", 70),
        (["fastapi", "run", "main.py"], {}, "uvicorn", 5),
        ([], {"env": {"UVICORN_TIMEOUT_KEEP_ALIVE": "9"}}, "uvicorn", 9),
        (["gunicorn", "-k", "gevent", "a:b"], {}, "gunicorn (gevent workers)", 2),
        (["gunicorn", "--threads=4", "a:b"], {}, "gunicorn (gthread workers)", 2),
        (["gunicorn", "--worker-class=gthread", "--keep-alive", "65", "a:b"], {}, "gunicorn (gthread workers)", 65),
        (["gunicorn", "-k", "gevent", "--config", "/app/conf.py", "a:b"], {}, "gunicorn (gevent workers)", None),
        (["sh", "-c", "exec hypercorn a:b --keep-alive 61"], {}, "hypercorn", 61),
        (["npm", "start"], {"image": "node:18-alpine"}, "Node.js", 5),
        (["npm", "start"], {"image": "docker.io/library/node:26"}, "Node.js", 65),
        (["node", "index.js"], {"image": "node:lts"}, "Node.js", None),
        (["node", "index.js"], {"image": "registry.example.com:5000/shop/node-app:18"}, "Node.js", None),
        (["npx", "next", "start"], {"image": "node:20"}, "Next.js", 5),
        (["node", "server.js"], {"env": {"KEEP_ALIVE_TIMEOUT": "70000"}}, "Next.js", 70),
        (["node", "server.js"], {"env": {"KEEP_ALIVE_TIMEOUT": "70"}}, "Node.js", None),
        (["bundle", "exec", "puma"], {}, "Puma", None),
        (["java", "-jar", "/a.jar"], {"env": {"SPRING_PROFILES_ACTIVE": "x"}}, "Spring Boot", 60),
        (["java", "-jar", "/a.jar", "--server.tomcat.keep-alive-timeout=75s"], {}, "Spring Boot", 75),
        (["java", "-jar", "/a.jar"], {"env": {"SERVER_TOMCAT_CONNECTION_TIMEOUT": "20000"}}, "Spring Boot", 20),
        ([], {"image": "tomcat:10"}, "Tomcat", 20),
        ([], {"image": "httpd:2.4"}, "Apache httpd", 5),
        ([], {"image": "httpd:2.4", "files": {"httpd.conf": "KeepAliveTimeout 70"}}, "Apache httpd", 70),
        ([], {"image": "php:8.3-apache"}, "Apache httpd", 5),
        ([], {"image": "nginx"}, "nginx", 65),
        ([], {"image": "nginx", "files": {"nginx.conf": "http { \n keepalive_timeout 10;\n}"}}, "nginx", 10),
        ([], {"image": "registry.k8s.io/ingress-nginx/controller:v1.12.1"}, "ingress-nginx", 75),
        (["dotnet", "Shop.dll"], {}, "Kestrel", 130),
    ],
)
def test_idle_timeout(recognise: Recognise, words: list[str], settings: Any, name: str, seconds: float | None) -> None:
    server = recognise(*words, **settings)
    assert server is not None
    assert server.name == name
    assert (server.idle.seconds if server.idle else None) == seconds
    assert server.closes is None


@pytest.mark.parametrize(
    ("words", "settings", "name"),
    [
        (["gunicorn", "a:b"], {}, "gunicorn (sync workers)"),
        (["gunicorn", "-k", "sync", "a:b"], {}, "gunicorn (sync workers)"),
        (
            ["gunicorn", "-k", "gevent", "a:b"],
            {"env": {"GUNICORN_CMD_ARGS": "--keep-alive=0"}},
            "gunicorn (gevent workers)",
        ),
        ([], {"image": "httpd:2.4", "files": {"httpd.conf": "KeepAlive Off"}}, "Apache httpd"),
        ([], {"image": "nginx", "files": {"nginx.conf": "http {\n keepalive_timeout 0;\n}"}}, "nginx"),
    ],
)
def test_closes_each_connection(recognise: Recognise, words: list[str], settings: Any, name: str) -> None:
    server = recognise(*words, **settings)
    assert server is not None
    assert server.name == name
    assert server.closes is not None
    assert server.idle is None


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        ([], {}),
        (["/catalog", "--listen=:8000"], {}),
        (["java", "-jar", "/a.jar"], {}),
        (["php-fpm"], {"image": "php:8.3-fpm"}),
        (["daphne", "a:b"], {}),
    ],
)
def test_not_recognised(recognise: Recognise, words: list[str], settings: Any) -> None:
    assert recognise(*words, **settings) is None


def test_gunicorn_config_file_that_nobody_sees(recognise: Recognise) -> None:
    server = recognise("gunicorn", "-c", "/app/gunicorn.conf.py", "a:b")
    assert server is not None
    assert (server.name, server.idle, server.closes) == ("gunicorn", None, None)


def test_gunicorn_config_file_of_a_config_map(recognise: Recognise) -> None:
    file = {"gunicorn.conf.py": 'worker_class = "gthread"\nkeepalive = 5\n'}
    server = recognise("gunicorn", "-c", "/etc/shop/gunicorn.conf.py", "a:b", files=file)
    assert server is not None
    assert server.idle is not None
    assert (server.idle.seconds, server.idle.place.pointer[-2:]) == (5, ("data", "gunicorn.conf.py"))
