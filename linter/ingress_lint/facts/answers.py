"""What a pod is known to answer: at which path, port and scheme, by which probe.

A probe that the kubelet accepts is the only promise a manifest makes about an application's answers: an `httpGet` means
200-399 at that path (kubernetes/kubernetes:pkg/probe/http/http.go), after redirects within the same host. A command
that asks its own pod by curl or wget names a path too. Everything else leaves open what the application answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct

from ingress_lint.graph.workload import Workload, WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.workloads import HTTPGetAction, Probe
from ingress_lint.values.patterns import deferred
from ingress_lint.values.ports import port_number


class ProbeKind(StrEnum):
    """How a probe asks, by the name of its field."""

    HTTP = "httpGet"
    TCP = "tcpSocket"
    GRPC = "grpc"
    EXEC = "exec"


PROBE_TITLES: Final = {
    "readinessProbe": "readiness probe",
    "livenessProbe": "liveness probe",
    "startupProbe": "startup probe",
}


class KnownAnswer(Struct, frozen=True):
    """One probe: what it asks of the pod. `port` is None where it is unknown, `path` empty where it asks for none."""

    container: WorkloadContainer
    field: str
    """`readinessProbe`, `livenessProbe` or `startupProbe`."""
    kind: ProbeKind
    port: int | None
    place: Place
    """Where the path stands, else what stands for it."""
    path: str = ""
    scheme: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    """The headers it sends, names in lower case."""

    @property
    def port_place(self) -> Place:
        """Where the port that it asks stands."""
        return self.container.at(self.field, self.kind, "port")

    @property
    def title(self) -> str:
        """As messages call it."""
        return PROBE_TITLES[self.field]

    def header(self, name: str) -> str:
        """The value of a header that it sends, empty for none."""
        return next((value for known, value in self.headers if known == name), "")


@lru_cache(64)
def answers(workload: Workload) -> tuple[KnownAnswer, ...]:
    """What the probes of a workload tell, those of one container after another.

    The last few are kept, since all rules look at one route before they look at the next.
    """
    return tuple(
        answer for container, field, probe in workload.probes() for answer in _answers(container, field, probe)
    )


def _answers(container: WorkloadContainer, field: str, probe: Probe) -> Iterator[KnownAnswer]:
    if probe.http_get is not None:
        if not probe.http_get.host:
            yield _of_http(container, field, probe.http_get)
    elif probe.tcp_socket is not None:
        if not probe.tcp_socket.host:
            port = container.port_number(probe.tcp_socket.port)
            yield KnownAnswer(container, field, ProbeKind.TCP, port, container.at(field, ProbeKind.TCP))
    elif probe.grpc is not None:
        yield KnownAnswer(container, field, ProbeKind.GRPC, probe.grpc.port, container.at(field, ProbeKind.GRPC))
    elif probe.exec is not None:
        yield _of_command(container, field, probe.exec)


def _of_http(container: WorkloadContainer, field: str, action: HTTPGetAction) -> KnownAnswer:
    return KnownAnswer(
        container,
        field,
        ProbeKind.HTTP,
        container.port_number(action.port),
        container.at(field, ProbeKind.HTTP, "path"),
        absolute(action.path),
        action.scheme.upper() or "HTTP",
        tuple([(header.name.lower(), header.value) for header in action.http_headers]),
    )


_CLIENT: Final = deferred(r"\b(?:curl|wget)\b")
_OWN_URL: Final = deferred(
    r"""(?:(?P<scheme>https?)://)?
        (?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|\$\{?\w{0,64}(?:IP|HOSTNAME)\w{0,64}\}?|\$\(hostname[^)]{0,64}\))
        (?::(?P<port>[0-9]+))?
        (?P<path>/[^\s"'|;&)>]*)?(?=[\s"'|;&)>]|$)""",
    re.VERBOSE | re.IGNORECASE,
)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def _of_command(container: WorkloadContainer, field: str, action: Any) -> KnownAnswer:
    place = container.at(field, ProbeKind.EXEC)
    command = action.get("command") if isinstance(action, dict) else None
    text = " ".join(str(word) for word in command) if isinstance(command, list) else ""
    found = _OWN_URL.search(text) if _CLIENT.search(text) else None
    if found is None or not (found["scheme"] or found["port"]):
        return KnownAnswer(container, field, ProbeKind.EXEC, None, place)
    scheme = (found["scheme"] or "http").lower()
    port = port_number(found["port"]) if found["port"] else _DEFAULT_PORTS[scheme]
    path = found["path"] or "/"
    return KnownAnswer(container, field, ProbeKind.EXEC, port, place, path, scheme.upper())


def listed(named: Iterable[KnownAnswer]) -> str:
    """The paths that probes ask for, each with these."""
    by_path: dict[str, list[str]] = {}
    for answer in named:
        by_path.setdefault(answer.path, []).append(answer.title)
    return ", ".join(f"`{path}` ({', '.join(titles)})" for path, titles in by_path.items())


# -- paths ----------------------------------------------------------------------------------------------------------


def absolute(path: str) -> str:
    """A path as it is asked for: the root where it is empty, with a leading slash where it has none."""
    return path if path.startswith("/") else f"/{path}"


def without_query(path: str) -> str:
    """The path that the application routes by."""
    return absolute(path).partition("#")[0].partition("?")[0]


def same_path(one: str, other: str) -> bool:
    """Whether two paths reach the same endpoint, whatever their queries."""
    return one == other or without_query(one) == without_query(other)


def same_but_slash(one: str, other: str) -> bool:
    """Whether two paths differ by no more than a trailing slash, which many applications redirect or refuse."""
    return one == other or without_query(one).rstrip("/") == without_query(other).rstrip("/")


# -- proxies --------------------------------------------------------------------------------------------------------


class ProxyImage(Struct, frozen=True):
    """A reverse proxy behind a load balancer: it answers 404 wherever no route of its own leads on."""

    title: str
    own_paths: tuple[str, ...] = ()
    """The paths that it answers itself on its traffic ports, without any route."""


_INGRESS_NGINX: Final = ProxyImage("ingress-nginx", ("/healthz",))
_PROXY_IMAGES: Final = (
    # location /healthz of the default server: kubernetes/ingress-nginx:rootfs/etc/nginx/template/nginx.tmpl
    ("ingress-nginx/controller", _INGRESS_NGINX),
    ("nginx-ingress-controller", _INGRESS_NGINX),
    ("traefik", ProxyImage("Traefik")),
    ("haproxytech/kubernetes-ingress", ProxyImage("HAProxy Kubernetes Ingress Controller")),
    ("jcmoraisjr/haproxy-ingress", ProxyImage("HAProxy Ingress")),
    ("nginx/nginx-ingress", ProxyImage("NGINX Ingress Controller")),
    ("kong", ProxyImage("Kong")),
    ("kong-gateway", ProxyImage("Kong")),
)


def proxy_image(container: WorkloadContainer) -> ProxyImage | None:
    """The reverse proxy that a container's image is known for."""
    return next((proxy for known, proxy in _PROXY_IMAGES if _is_image(container, known)), None)


def _is_image(container: WorkloadContainer, known: str) -> bool:
    image = container.container.image.partition("@")[0]
    name = image if ":" not in image.rpartition("/")[2] else image.rpartition(":")[0]
    return name == known or name.endswith(f"/{known}")


# -- applications ---------------------------------------------------------------------------------------------------


class RootAnswer(Struct, frozen=True):
    """What an application answers at `/` by itself; its own settings may change that."""

    title: str
    status: int
    health_path: str
    """A path of its own that answers 200."""


_ROOT_ANSWERS: Final = (
    # to /login, unless visitors may be anonymous: helm/charts#1792
    ("grafana/grafana", RootAnswer("Grafana", 302, "/api/health")),
    # to /query or /graph: prometheus/prometheus:web/web.go
    ("prom/prometheus", RootAnswer("Prometheus", 302, "/-/healthy")),
    ("prometheus/prometheus", RootAnswer("Prometheus", 302, "/-/healthy")),
    # unless anybody may read: GoogleCloudPlatform/continuous-deployment-on-kubernetes#21
    ("jenkins/jenkins", RootAnswer("Jenkins", 403, "/login")),
    # to /hub/: aws-samples/appmod-blueprints#890
    # to /namespaces: FairwindsOps/goldilocks:pkg/dashboard/router.go
    ("fairwinds-ops/oss/goldilocks", RootAnswer("Goldilocks' dashboard", 301, "/health")),
    ("fairwinds/goldilocks", RootAnswer("Goldilocks' dashboard", 301, "/health")),
    ("jupyterhub/configurable-http-proxy", RootAnswer("JupyterHub's proxy", 302, "/hub/health")),
)


def root_answer(container: WorkloadContainer) -> RootAnswer | None:
    """What a container's image is known to answer at `/`, where that is no 200."""
    return next((answer for known, answer in _ROOT_ANSWERS if _is_image(container, known)), None)
