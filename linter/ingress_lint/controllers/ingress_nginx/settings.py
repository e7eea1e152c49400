"""What holds for an Ingress that ingress-nginx serves: its annotation, else the controller's ConfigMap, else a default."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, TypeVar

from msgspec import Struct

from ingress_lint.controllers.ingress_nginx.annotations import ANNOTATIONS, PREFIX
from ingress_lint.controllers.registry import runs
from ingress_lint.controllers.shared.annotations import Scope
from ingress_lint.facts.app_servers import named_config_map
from ingress_lint.facts.evidence.index import listening_evidence
from ingress_lint.facts.once_per_graph import once_per_graph
from ingress_lint.graph.graph import ObjectGraph
from ingress_lint.graph.workload import WorkloadContainer
from ingress_lint.load.document import Place
from ingress_lint.objects.core import ConfigMap
from ingress_lint.objects.model import KubernetesObject
from ingress_lint.objects.networking import Ingress, LegacyIngress
from ingress_lint.routes.sourced import Origin, Sourced, as_seconds
from ingress_lint.routes.traffic import AppProtocol, KeepAlive, Timeouts
from ingress_lint.values.numbers import release, whole
from ingress_lint.values.patterns import deferred
from ingress_lint.values.sizes import nginx_size

Value = TypeVar("Value")

GATEWAY: Final = "ingress-nginx"
DEFAULT_CONTROLLER_CLASS: Final = "k8s.io/ingress-nginx"
DEFAULT_CLASS: Final = "nginx"

_CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"
CONTROLLER: Final = "ingress-nginx"
_TAG: Final = deferred(r":v?([0-9]+(?:\.[0-9]+)+)")
_BINARY: Final = "/nginx-ingress-controller"
_CONVENTIONAL: Final = frozenset(
    {"ingress-nginx-controller", "nginx-ingress-controller", "nginx-configuration", "nginx-load-balancer-conf"}
)
"""The names that the project's own manifests, its chart, its older manifests and microk8s give the ConfigMap."""
_COMMENT: Final = deferred(r"(^|\s)#[^\n]*")
_CLOSES: Final = deferred(r"""\bproxy_set_header\s+["']?Connection["']?\s+["']?close["']?\s*;""", re.IGNORECASE)
_HTTP_1_0: Final = deferred(r"\bproxy_http_version\s+1\.0\s*;")
_BY_NGINX: Final = "ingress-nginx's default"
_TRUE: Final = frozenset({"true", "1", "t", "T", "TRUE", "True"})
_FALSE: Final = frozenset({"false", "f", "0"})
_PROXIED_AS_HTTP: Final = frozenset({AppProtocol.HTTP, AppProtocol.HTTPS, AppProtocol.AUTO})


class Installation(Struct, frozen=True, dict=True):
    """A controller as far as the set shows it; what it does not show is None."""

    config: KubernetesObject[ConfigMap] | None = None
    passthrough: Sourced[bool] | None = None
    """Whether it passes TLS through: `--enable-ssl-passthrough`, off without it (pkg/flags/flags.go)."""
    prefix: str = PREFIX
    class_name: str = DEFAULT_CLASS
    controller_class: str = DEFAULT_CONTROLLER_CLASS
    seen: bool = False
    """Whether its workload is in the set."""
    told: bool = False
    """Whether its ConfigMap is in the set, or it is given none, so that defaults are known to hold."""
    http_port: int = 80
    https_port: int = 443
    version: tuple[int, ...] = ()
    """By the tag of its image, empty where that does not tell."""
    webhook: bool = True
    """Whether it may refuse Ingresses: `--validating-webhook` starts its admission webhook (pkg/flags/flags.go)."""

    @cached_property
    def configured(self) -> Mapping[str, Sourced[str]]:
        """What its ConfigMap says, by key."""
        data = self.config.body.data if self.config is not None else {}
        return {
            key: Sourced(str(value), Origin.EXPLICIT, self.config.at("data", key))
            for key, value in data.items()
            if self.config is not None and _counts(key, Scope.CONFIG_MAP)
        }

    def takes_proxy_protocol(self, absent: Place) -> Sourced[bool] | None:
        """`use-proxy-protocol` of its ConfigMap, for all that comes; None where that is not in the set."""
        key = "use-proxy-protocol"
        if self.config is not None and key in self.config.body.data:
            value = str(self.config.body.data[key])
            return Sourced(value in _TRUE, Origin.EXPLICIT, self.config.at("data", key))
        place = self.config.at("data") if self.config is not None else absent
        return Sourced(False, Origin.DEFAULT, place, f"`{key}` is off by default") if self.told else None

    def serves(self, class_name: str | None, controller_class: str | None) -> bool:
        """Whether an Ingress of this class, which an IngressClass may map to `controller_class`, is its own."""
        if controller_class is not None:
            return not self.seen or controller_class == self.controller_class
        return not self.seen or class_name is None or class_name == self.class_name


@once_per_graph
def installations(graph: ObjectGraph) -> tuple[Installation, ...]:
    """The controllers of the set, by image or program; else the one whose ConfigMap alone is there."""
    found = tuple(
        installed(container, graph)
        for workload in graph.workloads
        for container in workload.containers
        if runs(CONTROLLER, container.container.image)
        or any(str(word).endswith(_BINARY) for word in (*container.container.command, *container.container.args))
    )
    if found:
        return found
    configs = [item for item in graph.of(ConfigMap) if _is_conventional(item)]
    return (Installation(configs[0]),) if len(configs) == 1 else ()


def serving(
    found: Sequence[Installation], ingress: KubernetesObject[Ingress | LegacyIngress], graph: ObjectGraph
) -> Installation:
    """The installation that serves an Ingress; one that shows nothing where the set leaves it open."""
    class_name = ingress.body.spec.ingress_class_name or ingress.annotations.get(_CLASS_ANNOTATION)
    defined = graph.ingress_classes.get(class_name or "")
    controller_class = defined.body.spec.controller if defined is not None else None
    candidates = [installation for installation in found if installation.serves(class_name, controller_class)]
    return candidates[0] if len(candidates) == 1 else Installation()


def installed(container: WorkloadContainer, graph: ObjectGraph) -> Installation:
    """What a container of the controller is told. Flags: pkg/flags/flags.go."""
    flags: dict[str, tuple[str, Place]] = {}
    for word, place in listening_evidence(graph).of(container).words:
        name, _, value = word.partition("=")
        if name.startswith("-"):
            flags[name.lstrip("-")] = value, place
    enabled = flags.get("enable-ssl-passthrough")
    config = named_config_map(container, graph)
    return Installation(
        config=config,
        passthrough=Sourced(enabled[0] in _TRUE | {""}, Origin.EXPLICIT, enabled[1])
        if enabled
        else Sourced(False, Origin.DEFAULT, container.at("args"), "--enable-ssl-passthrough is not given"),
        prefix=flags["annotations-prefix"][0] if "annotations-prefix" in flags else PREFIX,
        class_name=flags["ingress-class"][0] if "ingress-class" in flags else DEFAULT_CLASS,
        controller_class=flags["controller-class"][0] if "controller-class" in flags else DEFAULT_CONTROLLER_CLASS,
        seen=True,
        told=config is not None or "configmap" not in flags,
        http_port=_port(flags, "http-port", 80),
        https_port=_port(flags, "https-port", 443),
        version=(release(tag[1]) or ()) if (tag := _TAG.search(container.container.image)) else (),
        webhook="validating-webhook" in flags,
    )


def _port(flags: Mapping[str, tuple[str, Place]], name: str, default: int) -> int:
    number = whole(flags[name][0]) if name in flags else None
    return default if number is None else number


def _is_conventional(item: KubernetesObject[ConfigMap]) -> bool:
    named = item.name in _CONVENTIONAL or item.labels.get("app.kubernetes.io/name") == "ingress-nginx"
    return named and any(_counts(key, Scope.CONFIG_MAP) for key in item.body.data)


def _counts(key: str, scope: Scope) -> bool:
    """Whether a key is one that it reads there."""
    spec = ANNOTATIONS.specs.get(key)
    return spec is not None and scope in spec.scopes


class Settings:
    """The settings in force for one Ingress, read once. Values of a wrong form count as absent, as they do there.

    Defaults are those of kubernetes/ingress-nginx:internal/ingress/controller/config/config.go.
    """

    def __init__(
        self, graph: ObjectGraph, installation: Installation, ingress: KubernetesObject[Ingress | LegacyIngress]
    ) -> None:
        self.installation = installation
        self.ingress = ingress
        self._graph = graph
        self._switches: dict[str, Sourced[bool]] = {}
        start = f"{installation.prefix}/"
        self._annotated: Mapping[str, Sourced[str]] = {
            key: Sourced(value, Origin.EXPLICIT, ingress.annotation_place(full))
            for full, value in ingress.annotations.items()
            if full.startswith(start) and _counts(key := full.removeprefix(start), Scope.INGRESS)
        }
        self._configured = installation.configured
        self._absent = ingress.at("metadata", "annotations") if ingress.annotations else ingress.name_place

    # -- reading ------------------------------------------------------------------------------------------------------

    def _texts(self, key: str) -> Sequence[Sourced[str]]:
        """What is written for a key, what counts first."""
        annotated, configured = self._annotated.get(key), self._configured.get(key)
        if annotated is None:
            return () if configured is None else (configured,)
        return (annotated,) if configured is None else (annotated, configured)

    def text(self, key: str) -> Sourced[str] | None:
        """The text of a setting, None where it is not set or empty."""
        annotated = self._annotated.get(key)
        if annotated is not None and annotated.value.strip():
            return annotated
        configured = self._configured.get(key)
        return configured if configured is not None and configured.value.strip() else None

    def boolean(self, key: str, default: bool) -> Sourced[bool]:
        """A switch."""
        if key not in self._switches:
            self._switches[key] = self._switch(key) or self._default(key, default)
        return self._switches[key]

    def _switch(self, key: str) -> Sourced[bool] | None:
        for found in self._texts(key):
            if found.value in _TRUE or found.value.lower() in _FALSE:
                return Sourced(found.value in _TRUE, found.origin, found.place)
        return None

    def integer(self, key: str, default: int) -> Sourced[int]:
        """A whole number."""
        for found in self._texts(key):
            number = whole(found.value.strip())
            if number is not None:
                return Sourced(number, found.origin, found.place)
        return self._default(key, default)

    def list(self, key: str) -> tuple[Sourced[str], ...]:
        """The items of a comma-separated list."""
        found = self.text(key)
        if found is None:
            return ()
        items = (item.strip() for item in found.value.split(","))
        return tuple(Sourced(item, found.origin, found.place) for item in items if item)

    def seconds(self, key: str, default: int) -> Sourced[float]:
        """A whole number of seconds."""
        return as_seconds(self.integer(key, default))

    def _size(self, key: str, default: int) -> Sourced[int]:
        for found in self._texts(key):
            size = nginx_size(found.value)
            if size is not None:
                return Sourced(size, found.origin, found.place)
        return self._default(key, default)

    def _default(self, key: str, value: Value) -> Sourced[Value]:
        config = self.installation.config
        by_config = config is not None and Scope.INGRESS not in ANNOTATIONS.specs[key].scopes
        place = config.at("data") if config is not None and by_config else self._absent
        return Sourced(value, Origin.DEFAULT, place, _BY_NGINX)

    # -- what it speaks -----------------------------------------------------------------------------------------------

    @cached_property
    def protocol(self) -> Sourced[AppProtocol]:
        """`backend-protocol`; an invalid value falls back to HTTP, and ports and appProtocol are never looked at.

        internal/ingress/annotations/backendprotocol/main.go
        """
        found = self.text("backend-protocol")
        if found is None:
            return Sourced(AppProtocol.HTTP, Origin.DEFAULT, self._absent, "no backend-protocol annotation")
        value = found.value.strip().upper()
        if value == "AUTO_HTTP":
            return Sourced(AppProtocol.AUTO, found.origin, found.place)
        if value in ANNOTATIONS.specs["backend-protocol"].legal:
            return Sourced(AppProtocol(value), found.origin, found.place)
        why = f"`{found.value}` is no backend-protocol, so it falls back to HTTP"
        return Sourced(AppProtocol.HTTP, Origin.DERIVED, found.place, why)

    @cached_property
    def timeouts(self) -> Timeouts:
        """`proxy-connect-timeout` and `proxy-read-timeout`; there is no total deadline."""
        return Timeouts(connect=self.seconds("proxy-connect-timeout", 5), read=self.seconds("proxy-read-timeout", 60))

    @cached_property
    def body_limit(self) -> Sourced[int] | None:
        """`proxy-body-size`; 0 means no limit."""
        limit = self._size("proxy-body-size", 1 << 20)
        return limit if limit.value else None

    @cached_property
    def header_limit(self) -> Sourced[int] | None:
        """`proxy-buffer-size`, which a response's header must fit into; FastCGI and gRPC have buffers of their own."""
        return self._size("proxy-buffer-size", 4 << 10) if self.protocol.value in _PROXIED_AS_HTTP else None

    # -- connections --------------------------------------------------------------------------------------------------

    @cached_property
    def keep_alive(self) -> KeepAlive:
        """Both sides' keep-alive, of which the ConfigMap decides all but `Connection` and the HTTP version.

        nginx sends a request again when a kept connection turns out closed, if `proxy-next-upstream` names `error`; a
        POST only with `retry-non-idempotent` (nginx/nginx:src/http/ngx_http_upstream.c, ngx_http_upstream_next). To
        FastCGI it opens a connection for each request, and how long it is idle has no meaning.
        """
        retried = self.text("proxy-next-upstream")
        conditions = (retried.value if retried else "error timeout").split()
        repeats = "error" in conditions and "off" not in conditions
        posts = "non_idempotent" in conditions or self.boolean("retry-non-idempotent", False).value
        pooled = self.protocol.value is not AppProtocol.FASTCGI
        return KeepAlive(
            upstream_idle=self.seconds("upstream-keepalive-timeout", 60) if pooled else None,
            upstream_connections=self.integer("upstream-keepalive-connections", 320) if pooled else None,
            upstream_requests=self.integer("upstream-keepalive-requests", 10000) if pooled else None,
            upstream_disabled=next(self._one_request_each(), None),
            client_idle=self.seconds("keep-alive", 75),
            client_requests=self.integer("keep-alive-requests", 1000),
            retries_resets=repeats and posts,
            retries_idempotent=repeats,
        )

    def _one_request_each(self) -> Iterator[Sourced[str]]:
        """Whatever closes the connection to the pod after each request.

        Headers and versions set by a server-snippet never reach a location: each sets its own (rootfs/etc/nginx/
        template/nginx.tmpl), which is also why `proxy_set_header` counts only there and in location-snippet.
        """
        if self.protocol.value not in _PROXIED_AS_HTTP:
            return
        version = self.text("proxy-http-version")
        if version is not None and version.value.strip() == "1.0":
            yield Sourced("HTTP/1.0 in proxy-http-version", version.origin, version.place)
        header = self.text("connection-proxy-header")
        if header is not None and header.value.strip().lower() == "close":
            yield Sourced("`Connection: close` in connection-proxy-header", header.origin, header.place)
        for key in ("configuration-snippet", "location-snippet"):
            snippet = self.text(key)
            if snippet is None or (key == "configuration-snippet" and not self.snippets_allowed):
                continue
            directives = _COMMENT.sub(" ", snippet.value)
            if _CLOSES.search(directives):
                yield Sourced(f"`Connection: close` in {key}", snippet.origin, snippet.place)
            if _HTTP_1_0.search(directives):
                yield Sourced(f"`proxy_http_version 1.0` in {key}", snippet.origin, snippet.place)
        for name, value, place in self.added_headers:
            if name.lower() == "connection" and value.strip().lower() == "close":
                yield Sourced("`Connection: close` in proxy-set-headers", Origin.EXPLICIT, place)

    @property
    def goes_by_peer(self) -> bool:
        """Whether a client's address is that of its connection; False where a header tells it, or may.

        rootfs/etc/nginx/template/nginx.tmpl: `real_ip_header` with use-forwarded-headers and enable-real-ip
        """
        config = self.installation.config
        if config is None:
            return self.installation.told
        headers = self.boolean("use-forwarded-headers", False).value or self.boolean("enable-real-ip", False).value
        return not headers and not any("real_ip" in str(value) for value in config.body.data.values())

    @property
    def snippets_allowed(self) -> bool:
        """False where the ConfigMap says so; without a word the release decides, and old ones allow them."""
        return self.boolean("allow-snippet-annotations", True).value

    @cached_property
    def added_headers(self) -> tuple[tuple[str, str, Place], ...]:
        """The headers that the ConfigMap named by `proxy-set-headers` adds to every request."""
        named = self.text("proxy-set-headers")
        if named is None:
            return ()
        namespace, _, name = named.value.strip().rpartition("/")
        found = self._graph.config_map(namespace, name)
        if found is None:
            return ()
        return tuple((key, str(value), found.at("data", key)) for key, value in found.body.data.items())
