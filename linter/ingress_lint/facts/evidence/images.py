"""What well-known images listen on when nobody tells them otherwise, each by its own Dockerfile or documentation."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field

from ingress_lint.facts.evidence.model import Speech
from ingress_lint.values.patterns import deferred


class KnownImage(Struct, frozen=True):
    """The ports of an image as it is published, each with what it speaks."""

    ports: tuple[tuple[int, Speech], ...] = field(default=())
    speaks_both: bool = False
    """Whether one port takes plain HTTP and TLS alike, so that no evidence for one speaks against the other."""


def _plain(*ports: int) -> KnownImage:
    return KnownImage(tuple((port, Speech.PLAIN) for port in ports))


_BOTH: Final = KnownImage(speaks_both=True)
_FASTCGI: Final = KnownImage(((9000, Speech.FASTCGI),))
_OTHER: Final[dict[str, int]] = {
    "redis": 6379,
    "valkey": 6379,
    "memcached": 11211,
    "postgres": 5432,
    "postgresql": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "mongo": 27017,
    "mongodb": 27017,
    "rabbitmq": 5672,
}
"""Databases and brokers, each with the port that speaks its own protocol."""
_PLAIN_AND_TLS: Final = KnownImage(((8080, Speech.PLAIN), (8443, Speech.TLS)))

_BY_NAME: Final[dict[str, KnownImage]] = {
    "nginx": _plain(80),
    "nginx-unprivileged": _plain(8080),
    "httpd": _plain(80),
    "caddy": _plain(80),
    "wordpress": _plain(80),
    "nextcloud": _plain(80),
    "drupal": _plain(80),
    "phpmyadmin": _plain(80),
    "httpbin": _plain(80),
    "whoami": _plain(80),
    "tomcat": _plain(8080),
    "jetty": _plain(8080),
    "jenkins": _plain(8080),
    "go-httpbin": _plain(8080),
    "echoserver": _plain(8080),
    "hello-app": _plain(8080),
    "adminer": _plain(8080),
    "grafana": _plain(3000),
    "gitea": _plain(3000),
    "metabase": _plain(3000),
    "prometheus": _plain(9090),
    "alertmanager": _plain(9093),
    "http-echo": _plain(5678),
    "ghost": _plain(2368),
    "podinfo": _plain(9898),
    # plugins `health` and `ready`: coredns/coredns:plugin/health/README.md, plugin/ready/README.md
    "coredns": _plain(8080, 8181),
    # istio/istio:cni/pkg/constants/constants.go, pkg/config/constants
    "install-cni": _plain(8000),
    "proxyv2": _plain(15021),
    "ztunnel": _plain(15021),
    "oauth2-proxy": _plain(4180),
    "nginx-ingress-controller": _plain(10254),
    "argocd": _BOTH,
    "argo-cd": _BOTH,
    "traefik": _BOTH,
    "cockroach": _BOTH,
    **{name: KnownImage(((port, Speech.OTHER),)) for name, port in _OTHER.items()},
}
_BY_PATH: Final[dict[str, KnownImage]] = {
    "bitnami/nginx": _PLAIN_AND_TLS,
    "bitnami/apache": _PLAIN_AND_TLS,
    "bitnami/wordpress": _PLAIN_AND_TLS,
    # --healthz-port: kubernetes/ingress-nginx:pkg/flags/flags.go
    "bitnami/nginx-ingress-controller": KnownImage(((10254, Speech.PLAIN),)),
    "ingress-nginx/controller": KnownImage(((10254, Speech.PLAIN),)),
    # --health-probe-bind-address: Kong/kubernetes-ingress-controller:internal/manager/consts.go
    "kong/kubernetes-ingress-controller": KnownImage(((10254, Speech.PLAIN),)),
    # haproxytech/kubernetes-ingress:deploy/haproxy-ingress.yaml
    "haproxytech/kubernetes-ingress": KnownImage(((1042, Speech.PLAIN),)),
    # Kong/go-echo:README.md
    "kong/go-echo": KnownImage(((1025, Speech.OTHER), (1026, Speech.OTHER), (1027, Speech.PLAIN))),
    "kubernetesui/dashboard": KnownImage(((8443, Speech.TLS),)),
}


_OFFICIAL: Final[dict[str, int]] = {
    "nginx": 80,
    "httpd": 80,
    "caddy": 80,
    "tomcat": 8080,
    "jetty": 8080,
    "ghost": 2368,
    "adminer": 8080,
    "nginxinc/nginx-unprivileged": 8080,
    "bitnami/nginx": 8080,
    "bitnami/apache": 8080,
    "grafana/grafana": 3000,
    "prom/prometheus": 9090,
    "traefik/whoami": 80,
    "kennethreitz/httpbin": 80,
    "hashicorp/http-echo": 5678,
    "prom/alertmanager": 9093,
    "prom/pushgateway": 9091,
    "collabora/code": 9980,
    "n8nio/n8n": 5678,
    "louislam/uptime-kuma": 3001,
    "vaultwarden/server": 80,
    "metabase/metabase": 3000,
    "mongo-express": 8081,
    "dpage/pgadmin4": 80,
    "nginxdemos/hello": 80,
    "mccutchen/go-httpbin": 8080,
    "jellyfin/jellyfin": 8096,
}
"""Images by one publisher, by their names on Docker Hub, and the port that each serves as it is published."""
_HUBS: Final = deferred(r"^(docker\.io/|index\.docker\.io/|public\.ecr\.aws/docker/|mirror\.gcr\.io/)?(library/)?")


def published_port(image: str) -> int | None:
    """The one port of an image that its publisher alone may have built; None for copies and for other images."""
    path, _, _ = _HUBS.sub("", image).partition("@")[0].partition(":")
    return _OFFICIAL.get(path)


def image_parts(image: str) -> tuple[str, str, str]:
    """Owner, name and tag of an image, whatever registry or mirror it comes from; empty where there is none."""
    path, _, tag = image.partition("@")[0].rpartition(":")
    if not path or "/" in tag:
        path, tag = image.partition("@")[0], ""
    owner, _, name = path.rpartition("/")
    return owner.rpartition("/")[2].removesuffix("legacy").removesuffix("secure"), name, tag


def known_image(image: str) -> KnownImage | None:
    """What is known of an image.

    Argo CD's server tells TLS from plain HTTP by a connection's first bytes (argoproj/argo-cd:server/server.go, cmux),
    as Traefik's entry points do (traefik/traefik:pkg/server/router/tcp/router.go); CockroachDB redirects plain HTTP on
    its HTTPS port (cockroachdb/cockroach:pkg/server/server_http.go).
    """
    owner, name, tag = image_parts(image)
    if name in ("php", "wordpress", "nextcloud", "drupal") and "fpm" in tag:
        return _FASTCGI
    if name == "php":
        return _plain(80) if "apache" in tag else None
    if owner == "bitnami":
        known = _BY_NAME.get(name) if name in _OTHER or _BY_NAME.get(name) is _BOTH else None
        return _BY_PATH.get(f"{owner}/{name}") or known
    return _BY_PATH.get(f"{owner}/{name}") or _BY_NAME.get(name)
