"""Long text costs time in proportion to its length, whatever it consists of.

Measured in processor time, for a text and one eight times as long: a search that starts anew at each place takes
sixty-four times as long for that.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from ingress_lint.engine import check
from ingress_lint.manifests import Options
from ingress_lint.packs import load_rules

RULES: Final = load_rules()
SHORT: Final = 12_000
TIMES: Final = 8
WIDE: Final = 24
"""Three times what is proportionate, far from the square."""
NOISE: Final = 0.02


def stream(*documents: dict[str, Any]) -> str:
    return "\n---\n".join(map(json.dumps, documents))


def ingress(host: str = "shop.example.com", path: str = "/", **annotations: str) -> dict[str, Any]:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rule = {"host": host, "http": {"paths": [{"path": path, "pathType": "ImplementationSpecific", "backend": backend}]}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": "shop",
            "annotations": {
                f"nginx.ingress.kubernetes.io/{key.replace('_', '-')}": annotations[key] for key in annotations
            },
        },
        "spec": {"ingressClassName": "nginx", "rules": [rule]},
    }


def service(**spec: Any) -> dict[str, Any]:
    ports = [{"port": 80, "targetPort": 8080}]
    spec = {"selector": {"app": "web"}, "ports": ports, **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}


def pod(image: str, mounted: str = "", **container: Any) -> str:
    """A Deployment behind an Ingress, with a configuration file that is mounted."""
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "files"}, "data": {"app.conf": mounted}}
    mounts = [{"name": "files", "mountPath": "/etc/app"}]
    web = {"name": "web", "image": image, "volumeMounts": mounts, "ports": [{"containerPort": 8080}], **container}
    spec = {"containers": [web], "volumes": [{"name": "files", "configMap": {"name": "files"}}]}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    workload = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template},
    }
    return stream(config, workload, service(), ingress())


def script(text: str) -> str:
    """A container that runs a script as its command, in its hook and in its probe."""
    command = ["sh", "-c", text]
    return pod(
        "node:20",
        command=command,
        securityContext={"privileged": True},
        lifecycle={"preStop": {"exec": {"command": command}}},
        readinessProbe={"exec": {"command": command}},
    )


def filled(before: str, text: str, after: str = "") -> Callable[[int], str]:
    """As often as it takes for a length, a text between two others."""
    return lambda length: before + text * (length // len(text)) + after


def _of(make: Callable[[str], str], before: str, text: str, after: str = "") -> Callable[[int], str]:
    fill = filled(before, text, after)
    return lambda length: make(fill(length))


CASES: Final[dict[str, Callable[[int], str]]] = {
    "empty lines": filled("", "\n", "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"),
    "empty lines, then no manifest": filled("", " \n", "a: {{ b }}\n"),
    "a host of letters": _of(lambda text: stream(ingress(host=text), service()), "", "a"),
    "a host of brackets": _of(lambda text: stream(ingress(host=text), service()), "", "<"),
    "a host of labels": _of(lambda text: stream(ingress(host=text), service()), "", "a.", "_"),
    "a path of bars": _of(lambda text: stream(ingress(path=f"/({text}"), service()), "", "|"),
    "a path of square brackets": _of(lambda text: stream(ingress(path=f"/{text}"), service()), "", "["),
    "a rewrite": _of(lambda text: stream(ingress(rewrite_target=text), service()), "/", "$1("),
    "a snippet": _of(lambda text: stream(ingress(configuration_snippet=text), service()), "", "proxy_set_header "),
    "gunicorn's file of empty lines": _of(lambda text: pod("python:3", text, command=["gunicorn", "app"]), "", "\n"),
    "nginx's file of empty lines": _of(lambda text: pod("nginx:1.27", text), "", " \n"),
    "nginx's file of spaces": _of(lambda text: pod("nginx:1.27", text), "server {\nlisten", " ", "\n"),
    "httpd's file of empty lines": _of(lambda text: pod("httpd:2.4", text), "Listen 80", "\n"),
    "httpd's file of open hosts": _of(lambda text: pod("httpd:2.4", text), "Listen 80\n", "<VirtualHost *:80>\n"),
    "httpd's file of broken hosts": _of(lambda text: pod("httpd:2.4", text), "Listen 80\n", "<VirtualHost "),
    "a file of letters": _of(lambda text: pod("nginx:1.27", text), "", "a", " http://shop.example.com/a"),
    "a file of URLs": _of(lambda text: pod("nginx:1.27", text), "", "url: http://shop.example.com/a\n"),
    "an image of dots": _of(pod, "", "a."),
    "an image of colons": _of(pod, "", "a:", "/"),
    "a script of settings by echo": _of(script, "", "echo 1 > /proc/sys/net.ipv4.tcp_mem\n"),
    "a script of options": _of(script, "sysctl ", "--w "),
    "a script of settings": _of(script, "sysctl -w ", "a=b "),
    "a script of letters": _of(script, "sysctl ", "a"),
    "a script of spaces": _of(script, "echo 1", " ", "!"),
    "a script of numbers": _of(script, "echo ", "1 "),
    "a script of variables": _of(script, "curl http://$", "IP", "!"),
    "a script of host names": _of(script, "curl ", "http://$(hostname"),
    "a script of defaults": _of(script, "", "${A:-"),
    "a script of pauses": _of(script, "", "sleep 1 || "),
}


def seconds(file: Path, text: str) -> float:
    """The processor time of a run, the shorter of two."""
    file.write_text(text, encoding="utf-8")
    taken = []
    for _ in range(2):
        start = time.process_time()
        report = check(Options(paths=(str(file.parent),)), RULES)
        taken.append(time.process_time() - start)
        assert not report.failures
    return min(taken)


@pytest.mark.parametrize("case", CASES)
def test_time_is_proportionate(case: str, tmp_path: Path) -> None:
    make, file = CASES[case], tmp_path / "manifests.yaml"
    once = seconds(file, make(SHORT))
    assert seconds(file, make(SHORT * TIMES)) < WIDE * max(once, NOISE)
